//! A set of options of every kind, set by name.

use super::*;
use crate::error::{self, Result};
use crate::option_set;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Color {
    Red,
    Green,
}

impl Named for Color {
    const NAMES: &'static [&'static str] = &["red", "green"];

    fn from_name(name: &str) -> Result<Self> {
        match name {
            "red" => Ok(Color::Red),
            "green" => Ok(Color::Green),
            _ => Err(error::unknown("color", name, Self::NAMES.iter().copied())),
        }
    }

    fn to_name(&self) -> &'static str {
        Self::NAMES[*self as usize]
    }
}

option_set! {
    /// A part of a set.
    #[derive(Debug, Clone, PartialEq)]
    struct Inner {
        /// A seed.
        seed: Option<u64> as Maybe<Seed> = None, "drawn";
    }
}

option_set! {
    /// A set.
    #[derive(Debug, Clone, PartialEq)]
    struct Outer {
        /// A tolerance,
        /// in two lines.
        ///
        /// For Rust.
        rtol: f64 as NonNegative = 1e-7;
        scale: f64 as Number = 2.0;
        step: Option<f64> as Maybe<Positive> = None;
        most: usize as Count = 100_000;
        parts: usize as Whole = 0;
        on: bool as Flag = true;
        name: String as Text = "a".into();
        range: (f64, f64) as NumberPair = (0.0, 1.0);
        color: Color as OneOf<Color> = Color::Red;
    }
    sets {
        /// The part.
        inner: Inner;
    }
    others {
        /// No option.
        hidden: usize = 3;
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

#[test]
fn the_declaration_describes_each_option() {
    let keys = Outer::default().keys();
    let described: Vec<String> = keys
        .iter()
        .map(|key| format!("{} {} {}", key.name, key.default_text(), key.expected))
        .collect();
    assert_eq!(
        described,
        [
            "rtol 1e-7 a number that is 0 or above",
            "scale 2.0 a number",
            "step none a number above 0",
            "most 100000 a whole number above 0",
            "parts 0 a whole number that is 0 or above",
            "on true true or false",
            "name `\"a\"` a string",
            "range [0.0, 1.0] two numbers",
            "color `\"red\"` a string",
            "seed drawn a whole number that is 0 or above",
        ]
    );
    assert_eq!(keys[0].meaning(), "A tolerance, in two lines.");
    assert_eq!(keys[5].values().collect::<Vec<_>>(), ["true", "false"]);
    assert_eq!(keys[8].choices, ["red", "green"]);
    assert_eq!(Outer::OPTIONS.len(), 9);
}

#[test]
fn values_are_set_and_read_by_name() {
    let mut set = Outer::default();
    for (name, value) in [
        ("rtol", Value::Int(1)),
        ("scale", Value::Float(-1.5)),
        ("step", Value::Float(0.5)),
        ("most", Value::Int(7)),
        ("on", Value::Bool(false)),
        ("name", text("b")),
        ("range", Value::List(vec![Value::Int(2), Value::Float(3.5)])),
        ("color", text("green")),
        ("seed", Value::Int(9)),
    ] {
        set.set(name, &value).unwrap();
    }
    let want = Outer {
        rtol: 1.0,
        scale: -1.5,
        step: Some(0.5),
        most: 7,
        parts: 0,
        on: false,
        name: "b".into(),
        range: (2.0, 3.5),
        color: Color::Green,
        inner: Inner { seed: Some(9) },
        hidden: 3,
    };
    assert_eq!(set, want);
    assert_eq!(set.get("seed"), Some(Value::Int(9)));
    assert_eq!(set.get("hidden"), None);
    set.set("step", &Value::Unit).unwrap();
    assert_eq!(set.step, None);
}

#[test]
fn a_set_survives_json() {
    let mut set = Outer::default();
    set.set("rtol", &Value::Float(0.1 + 0.2)).unwrap();
    set.set("color", &text("green")).unwrap();
    let json = serde_json::to_string(&write_map(&set)).unwrap();
    assert_eq!(
        json,
        "{\"rtol\":0.30000000000000004,\"scale\":2.0,\"step\":null,\"most\":100000,\"parts\":0,\"on\":true,\"name\":\"a\",\
         \"range\":[0.0,1.0],\"color\":\"green\",\"seed\":null}"
    );
    let mut read = Outer::default();
    read_map(&mut read, &serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(read, set);
}

#[test]
fn what_does_not_fit_is_said() {
    let mut set = Outer::default();
    for (name, value, message) in [
        (
            "rtl",
            Value::Int(1),
            "unknown option \"rtl\" (did you mean \"rtol\"?); known: rtol, scale, step, most, parts, on, name, range, color, seed",
        ),
        (
            "hidden",
            Value::Int(1),
            "unknown option \"hidden\"; known: rtol, scale, step, most, parts, on, name, range, color, seed",
        ),
        (
            "rtol",
            Value::Int(-1),
            "option \"rtol\" should be a number that is 0 or above, not -1 (int)",
        ),
        (
            "rtol",
            Value::Float(f64::NAN),
            "option \"rtol\" should be a number that is 0 or above, not NaN (float)",
        ),
        (
            "step",
            Value::Float(0.0),
            "option \"step\" should be a number above 0, not 0.0 (float)",
        ),
        (
            "most",
            Value::Float(1.5),
            "option \"most\" should be a whole number above 0, not 1.5 (float)",
        ),
        (
            "most",
            Value::Int(0),
            "option \"most\" should be a whole number above 0, not 0 (int)",
        ),
        (
            "seed",
            Value::Int(-1),
            "option \"seed\" should be a whole number that is 0 or above, not -1 (int)",
        ),
        (
            "on",
            Value::Int(1),
            "option \"on\" should be true or false, not 1 (int)",
        ),
        (
            "range",
            Value::List(vec![Value::Int(1)]),
            "option \"range\" should be two numbers, not a list of 1",
        ),
        (
            "color",
            text("gren"),
            "unknown color \"gren\" (did you mean \"green\"?); known: red, green",
        ),
        (
            "color",
            Value::Other("a closure".into()),
            "option \"color\" should be a string, not a closure",
        ),
    ] {
        assert_eq!(set.set(name, &value).unwrap_err().to_string(), message);
    }
    assert_eq!(set, Outer::default());
}

#[test]
fn a_field_out_of_its_range_is_found() {
    let mut set = Outer::default();
    assert!(set.check_ranges().is_ok());
    set.step = Some(-2.0);
    assert_eq!(
        set.check_ranges().unwrap_err().to_string(),
        "step should be a number above 0, not -2.0"
    );
}

#[test]
fn a_set_splits_at_a_name() {
    const PARTS: (&[Key], &[Key]) = split(Outer::OPTIONS, "on");
    assert_eq!((PARTS.0.len(), PARTS.1[0].name), (5, "on"));
}

#[test]
fn a_part_of_a_set_has_its_keys_only() {
    let mut set = Outer::default();
    const KEYS: Keys = &[split(Outer::OPTIONS, "scale").0, Inner::OPTIONS];
    let mut part = OptionSubset::new(&mut set, KEYS);
    part.set("seed", &Value::Int(4)).unwrap();
    assert_eq!(
        part.set("scale", &Value::Int(4)).unwrap_err().to_string(),
        "unknown option \"scale\"; known: rtol, seed"
    );
    assert_eq!(
        (part.get("seed"), part.get("scale")),
        (Some(Value::Int(4)), None)
    );
    assert_eq!((set.inner.seed, set.scale), (Some(4), 2.0));
}
