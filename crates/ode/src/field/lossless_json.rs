//! Lossless numbers in JSON: JSON has no infinity and no NaN, so those are written as text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "should be numbers, \"inf\", \"-inf\" or \"NaN\""
)]
enum Number {
    Finite(f64),
    Text(String),
}

pub(super) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(|x| match x.is_finite() {
        true => Number::Finite(*x),
        false => Number::Text(x.to_string()),
    }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    Vec::<Number>::deserialize(from)?
        .into_iter()
        .map(|number| match number {
            Number::Finite(x) => Ok(x),
            Number::Text(text) => match text.as_str() {
                "inf" => Ok(f64::INFINITY),
                "-inf" => Ok(f64::NEG_INFINITY),
                "NaN" => Ok(f64::NAN),
                _ => Err(D::Error::custom(format!("\"{text}\" is not a number"))),
            },
        })
        .collect()
}
