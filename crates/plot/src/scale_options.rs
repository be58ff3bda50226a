//! The options `log` and `symlog` of an axis or of colours: two names of one scale, of which the last that is set counts.

use super::scale::Scale;
use odesync_base::options::{Flag, Key, Mismatch, OptionKind, OptionSet, Positive, Value};

/// Names and meanings of the options of each scale: of the x, y and z axis, and of colours.
const NAMES: [[[&str; 2]; 2]; 4] = [
    [
        ["log_x", "Logarithmic x axis."],
        [
            "symlog_x",
            "Threshold of a symlog x axis: linear below it, logarithmic beyond.",
        ],
    ],
    [
        ["log_y", "Logarithmic y axis."],
        ["symlog_y", "Threshold of a symlog y axis."],
    ],
    [
        ["log_z", "Logarithmic z axis."],
        ["symlog_z", "Threshold of a symlog z axis."],
    ],
    [
        ["log", "Colour by the logarithm of the values."],
        [
            "symlog",
            "Threshold of a symlog scale: linear below it, by the logarithm beyond.",
        ],
    ],
];

/// A scale that may be unset, under its two names.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ScaleOptions<const AXIS: usize>(pub Option<Scale>);

/// The scale of the x axis.
pub(super) type XScale = ScaleOptions<0>;
/// The scale of the y axis.
pub(super) type YScale = ScaleOptions<1>;
/// The scale of the z axis.
pub(super) type ZScale = ScaleOptions<2>;
/// The scale of colours.
pub(super) type ColorsScale = ScaleOptions<3>;

impl<const AXIS: usize> ScaleOptions<AXIS> {
    /// Descriptions of the options.
    pub const OPTIONS: &'static [Key] = &[
        Key::flag(NAMES[AXIS][0][0])
            .doc(NAMES[AXIS][0][1])
            .expected(Flag::EXPECTED)
            .default(|| Value::Bool(false), ""),
        Key::new(NAMES[AXIS][1][0])
            .doc(NAMES[AXIS][1][1])
            .expected(Positive::EXPECTED),
    ];

    /// Returns the scale, linear where none is set.
    pub fn or_linear(self) -> Scale {
        self.0.unwrap_or_default()
    }
}

impl<const AXIS: usize> OptionSet for ScaleOptions<AXIS> {
    fn keys(&self) -> Vec<&'static Key> {
        Self::OPTIONS.iter().collect()
    }

    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch> {
        let [[log, _], [symlog, _]] = NAMES[AXIS];
        if name == log {
            self.0 = Some(match Flag::read(value)? {
                true => Scale::Log,
                false => Scale::Linear,
            });
        } else if name == symlog {
            let threshold = value.number().ok_or(Mismatch::Value)?;
            self.0 = Some(Scale::symlog(symlog, threshold)?);
        } else {
            return Err(Mismatch::UnknownName);
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<Value> {
        let [[log, _], [symlog, _]] = NAMES[AXIS];
        if name == log {
            return Some(Value::Bool(self.0 == Some(Scale::Log)));
        }
        (name == symlog).then_some(match self.0 {
            Some(Scale::SymLog(threshold)) => Value::Float(threshold),
            _ => Value::Unit,
        })
    }
}
