//! Schedules of the learning rate.

use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Keys, Maybe, Mismatch, OptionKind, Positive, Value, Whole, read_map};

/// Learning-rate schedule: the learning rate of each epoch as a factor of `lr`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LrSchedule {
    /// Constant learning rate `lr`.
    Constant,
    /// Half a cosine from `lr` to 0 over the run.
    Cosine,
    /// Exponential decay, `lr · rate^epoch`.
    Exponential {
        /// Decay factor per epoch, in (0, 1].
        rate: f64,
    },
    /// Step decay, `lr · factor^⌊epoch / every⌋`.
    Step {
        /// Number of epochs between two changes.
        every: usize,
        /// Factor of each change, in (0, 1].
        factor: f64,
    },
}

impl LrSchedule {
    /// Names of the schedules without settings.
    pub const NAMES: [&'static str; 2] = ["constant", "cosine"];

    /// Returns the schedule of this name, `constant` or `cosine`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "constant" => Ok(LrSchedule::Constant),
            "cosine" => Ok(LrSchedule::Cosine),
            _ => Err(odesync_base::error::unknown(
                "lr_schedule",
                name,
                Self::NAMES,
            )),
        }
    }

    /// Returns the exponential schedule with `rate`, or the step schedule with `every` and `factor` (default 0.1).
    ///
    /// # Errors
    /// Both `rate` and `every`, or neither.
    pub fn from_rates(
        rate: Option<f64>,
        every: Option<usize>,
        factor: Option<f64>,
    ) -> Result<Self> {
        match (rate, every, factor) {
            (Some(rate), None, None) => Ok(LrSchedule::Exponential { rate }),
            (None, Some(every), factor) => Ok(LrSchedule::Step {
                every,
                factor: factor.unwrap_or(0.1),
            }),
            _ => Err(Error::invalid(
                "lr_schedule takes either rate, or every and factor",
            )),
        }
    }

    /// Returns the factor of `lr` in an epoch of a run of `epochs` epochs.
    pub fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        match self {
            LrSchedule::Constant => 1.0,
            LrSchedule::Cosine => {
                let done = epoch as f64 / epochs.max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            LrSchedule::Exponential { rate } => rate.powf(epoch as f64),
            LrSchedule::Step { every, factor } => factor.powf((epoch / (*every).max(1)) as f64),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let (name, factor) = match self {
            LrSchedule::Constant | LrSchedule::Cosine => return Ok(()),
            LrSchedule::Exponential { rate } => ("rate", *rate),
            LrSchedule::Step { every: 0, .. } => {
                return Err(Error::invalid("every must be at least 1 epoch"));
            }
            LrSchedule::Step { factor, .. } => ("factor", *factor),
        };
        if factor > 0.0 && factor <= 1.0 {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the learning-rate schedule's {name} must lie in (0, 1], not {factor}"
        )))
    }
}

option_set! {
    /// Settings of a schedule that is a map: either `rate`, or `every` and `factor`.
    #[derive(Debug)]
    struct Rates {
        /// Factor of the learning rate in every epoch.
        rate: Option<f64> as Maybe<Positive> = None;
        /// Number of epochs between two changes.
        every: Option<usize> as Maybe<Whole> = None;
        /// Factor of the learning rate at a change.
        factor: Option<f64> as Maybe<Positive> = None, "0.1";
    }
}

/// A schedule of the learning rate: a name, or a map of its settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct LrScheduleKind;

impl OptionKind for LrScheduleKind {
    type Field = LrSchedule;
    const EXPECTED: &'static str =
        "\"constant\", \"cosine\", #{ rate: … } or #{ every: …, factor: … }";
    const CHOICES: &'static [&'static str] = &LrSchedule::NAMES;
    const NESTED: Keys = &[Rates::OPTIONS];

    fn read(value: &Value) -> std::result::Result<LrSchedule, Mismatch> {
        if let Some(name) = value.text() {
            return Ok(LrSchedule::by_name(name)?);
        }
        if !matches!(value, Value::Map(_)) {
            return Err(Mismatch::Value);
        }
        let mut rates = Rates::default();
        read_map(&mut rates, value).map_err(Mismatch::Within)?;
        Ok(LrSchedule::from_rates(
            rates.rate,
            rates.every,
            rates.factor,
        )?)
    }

    fn write(field: &LrSchedule) -> Value {
        let map = |entries: &[(&str, Value)]| {
            Value::Map(
                entries
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.clone()))
                    .collect(),
            )
        };
        match *field {
            LrSchedule::Constant => "constant".into(),
            LrSchedule::Cosine => "cosine".into(),
            LrSchedule::Exponential { rate } => map(&[("rate", rate.into())]),
            LrSchedule::Step { every, factor } => {
                map(&[("every", every.into()), ("factor", factor.into())])
            }
        }
    }
}
