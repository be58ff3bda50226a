//! What is known of the noise of the data: the precision of components relative to each other, and its distribution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::residual_loss::{DEGREES_OF_FREEDOM, ResidualLoss};
use crate::{Error, Result};
use odesync_base::error::unknown;
use odesync_base::impl_named;
use odesync_base::option_set;
use odesync_base::options::{Maybe, Mismatch, Named, OneOf, OptionKind, Positive, Value};
use odesync_base::text::count_of;

/// Threshold of Huber's loss where none is given, in standard deviations: 95 % efficiency for normal noise. P. J. Huber, *Robust
/// estimation of a location parameter*, Ann. Math. Stat. 35 (1964); P. W. Holland, R. E. Welsch, *Robust regression using iteratively
/// reweighted least-squares*, Commun. Stat. A 6 (1977).
const HUBER_THRESHOLD: f64 = 1.345;

option_set! {
    /// What is known of the noise of the data. By default it is normal, and its size in each component follows from the data.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct NoiseModel {
        /// Known precision of the data's components relative to each other, one over the variance of the noise in the data's units: a
        /// list, one number a component, or a map by name, in which the others have 1.
        pub weights: Option<ComponentWeights> as Maybe<WeightsOption> = None, "from the data";
        /// Loss of a residual: `"huber"` and `"student_t"` bear outliers.
        pub loss: DataLoss as OneOf<DataLoss> = DataLoss::Gaussian;
        /// Degrees of freedom of `"student_t"`: the fewer, the more outliers it bears.
        pub degrees_of_freedom: Option<f64> as Maybe<Positive> = None, "4";
        /// Residual, in standard deviations, from which the loss of `"huber"` is linear.
        pub huber_threshold: Option<f64> as Maybe<Positive> = None, "1.345";
    }
}

/// The loss of a residual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataLoss {
    /// r², of normal noise.
    #[default]
    Gaussian,
    /// r², linear beyond a threshold.
    Huber,
    /// (ν + 1) log(1 + r²/ν), of noise with Student's t distribution.
    StudentT,
}

impl_named!(
    DataLoss,
    "loss",
    Gaussian = "gaussian",
    Huber = "huber",
    StudentT = "student_t",
);

/// Precisions of the data's components relative to each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ComponentWeights {
    /// One for each component of the data.
    Listed(Vec<f64>),
    /// By the names of components; the others have 1.
    Named(BTreeMap<String, f64>),
}

/// Weights: a list or a map of numbers above 0.
#[derive(Debug, Clone, Copy)]
struct WeightsOption;

impl OptionKind for WeightsOption {
    type Field = ComponentWeights;
    const EXPECTED: &'static str = "a list of numbers above 0, or a map of them by name";

    fn read(value: &Value) -> std::result::Result<ComponentWeights, Mismatch> {
        let weight = |value: &Value| {
            let weight = value.number().filter(|x| *x > 0.0 && x.is_finite());
            weight.ok_or_else(|| Mismatch::Item("numbers above 0", value.clone()))
        };
        match value {
            Value::List(list) if !list.is_empty() => {
                let all: std::result::Result<_, _> = list.iter().map(weight).collect();
                Ok(ComponentWeights::Listed(all?))
            }
            Value::Map(map) if !map.is_empty() => {
                let entries = map.iter();
                let all: std::result::Result<_, Mismatch> = entries
                    .map(|(name, value)| Ok((name.clone(), weight(value)?)))
                    .collect();
                Ok(ComponentWeights::Named(all?))
            }
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &ComponentWeights) -> Value {
        match field {
            ComponentWeights::Listed(all) => Value::from(&all[..]),
            ComponentWeights::Named(all) => {
                let entries = all.iter().map(|(name, x)| (name.clone(), Value::Float(*x)));
                Value::Map(entries.collect())
            }
        }
    }

    fn is_in_range(field: &ComponentWeights) -> bool {
        let fits = |x: &f64| *x > 0.0 && x.is_finite();
        match field {
            ComponentWeights::Listed(all) => !all.is_empty() && all.iter().all(fits),
            ComponentWeights::Named(all) => !all.is_empty() && all.values().all(fits),
        }
    }
}

impl NoiseModel {
    /// Whether nothing is known of the noise.
    pub(super) fn is_default(&self) -> bool {
        *self == NoiseModel::default()
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// One out of its range, or a constant of a loss that is not chosen.
    pub(super) fn check(&self) -> Result<()> {
        self.check_ranges()?;
        for (key, given, loss) in [
            (
                "degrees_of_freedom",
                self.degrees_of_freedom.is_some(),
                DataLoss::StudentT,
            ),
            (
                "huber_threshold",
                self.huber_threshold.is_some(),
                DataLoss::Huber,
            ),
        ] {
            if given && self.loss != loss {
                return Err(Error::invalid(format!(
                    "{key} belongs to loss: \"{}\", and loss is \"{}\"",
                    loss.to_name(),
                    self.loss.to_name()
                )));
            }
        }
        Ok(())
    }

    /// Returns the loss with its constants.
    pub(super) fn residual_loss(&self) -> ResidualLoss {
        match self.loss {
            DataLoss::Gaussian => ResidualLoss::Gaussian,
            DataLoss::Huber => ResidualLoss::Huber {
                threshold: self.huber_threshold.unwrap_or(HUBER_THRESHOLD),
            },
            DataLoss::StudentT => ResidualLoss::StudentT {
                freedom: self.degrees_of_freedom.unwrap_or(DEGREES_OF_FREEDOM),
            },
        }
    }

    /// Returns the weight of each component of data with these names; `None` where none are known.
    ///
    /// # Errors
    /// Another number of weights than of components, or an unknown name.
    pub(super) fn weights_of(&self, names: &[String]) -> Result<Option<Vec<f64>>> {
        match &self.weights {
            None => Ok(None),
            Some(ComponentWeights::Listed(all)) if all.len() == names.len() => {
                Ok(Some(all.clone()))
            }
            Some(ComponentWeights::Listed(all)) => Err(Error::invalid(format!(
                "weights has {}, and the data have {}: give one for each, or a map by name",
                count_of(all.len(), "number"),
                count_of(names.len(), "component")
            ))),
            Some(ComponentWeights::Named(all)) => {
                let is_unknown = |name: &&String| !names.contains(name);
                if let Some(name) = all.keys().find(is_unknown) {
                    let known = names.iter().map(String::as_str);
                    return Err(unknown("component of the data in weights", name, known));
                }
                let weight = |name: &String| all.get(name).copied().unwrap_or(1.0);
                Ok(Some(names.iter().map(weight).collect()))
            }
        }
    }
}
