//! Which part of the data a training does not see.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Keys, Mismatch, Number, OptionKind, Value, read_map};
use odesync_base::text::count_of;

/// Part of the data that is held out of a training, to measure the model on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holdout {
    /// The last share of each sample's times, between 0 and 1.
    Times(f64),
    /// The last samples, so many.
    Samples(usize),
    /// The last share of the samples, between 0 and 1.
    ShareOfSamples(f64),
    /// One part of a cross-validation.
    Fold(Fold),
}

/// One part of the data of a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// What is divided into parts.
    pub of: FoldsOf,
    /// Number of the part, counted from 0.
    pub number: usize,
    /// Number of parts.
    pub folds: usize,
}

/// What a cross-validation divides into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldsOf {
    /// The samples.
    Samples,
    /// The times of each sample but its first, in contiguous blocks.
    Times,
}

impl Fold {
    /// Returns the places of the part among `n`, as numpy's `array_split` divides them: the first parts have one more where they
    /// cannot be equal.
    pub(super) fn places(&self, n: usize) -> std::ops::Range<usize> {
        let start = |i: usize| i * (n / self.folds) + i.min(n % self.folds);
        start(self.number)..start(self.number + 1)
    }
}

/// The rows and samples that are held out.
pub(super) enum HeldOutRows {
    /// Rows of each sample, from an index to another.
    Rows(Vec<std::ops::Range<usize>>),
    /// Samples.
    Samples(Vec<usize>),
}

impl Holdout {
    /// Checks that a share lies between 0 and 1.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Holdout::Times(share) | Holdout::ShareOfSamples(share)
                if !(*share > 0.0 && *share < 1.0) =>
            {
                Err(Error::invalid(format!(
                    "holdout is a share between 0 and 1, such as 0.2, not {share}; for whole samples write holdout: #{{ samples: 2 }}"
                )))
            }
            Holdout::Samples(0) => Err(Error::invalid(
                "holdout: samples should be a whole number above 0, or a share between 0 and 1",
            )),
            _ => Ok(()),
        }
    }

    /// Returns what is held out of data whose samples have so many times.
    ///
    /// # Errors
    /// Too little is left to train on.
    pub(super) fn rows(&self, times: &[usize]) -> Result<HeldOutRows> {
        self.check()?;
        let samples = times.len();
        match *self {
            Holdout::Times(share) => {
                let held = |n: usize| ((share * n as f64).round() as usize).max(1);
                if let Some(n) = times.iter().find(|n| **n < held(**n) + 2) {
                    return Err(Error::invalid(format!(
                        "holdout: {share} of {} leaves fewer than two to train on; take a smaller share",
                        count_of(*n, "time")
                    )));
                }
                Ok(HeldOutRows::Rows(
                    times.iter().map(|n| n - held(*n)..*n).collect(),
                ))
            }
            Holdout::Samples(n) => last_samples(n, samples),
            Holdout::ShareOfSamples(share) => {
                last_samples(((share * samples as f64).round() as usize).max(1), samples)
            }
            Holdout::Fold(fold) => match fold.of {
                FoldsOf::Samples => Ok(HeldOutRows::Samples(fold.places(samples).collect())),
                FoldsOf::Times => {
                    let rows = |n: &usize| {
                        let places = fold.places(n.saturating_sub(1));
                        places.start + 1..places.end + 1
                    };
                    Ok(HeldOutRows::Rows(times.iter().map(rows).collect()))
                }
            },
        }
    }
}

fn last_samples(n: usize, samples: usize) -> Result<HeldOutRows> {
    if n < samples {
        return Ok(HeldOutRows::Samples((samples - n..samples).collect()));
    }
    Err(Error::invalid(format!(
        "holdout: {} of {samples} leaves none to train on; hold out a share of the times instead, holdout: 0.2",
        count_of(n, "sample")
    )))
}

option_set! {
    /// Settings of data that are held out by samples.
    #[derive(Debug)]
    struct HeldOutSamples {
        /// How many samples, the last ones, are held out: a whole number, or a share between 0 and 1.
        samples: f64 as Number = 0.0, "none";
    }
}

/// A part of the data: a share of the times, or a map of samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct HoldoutOption;

impl OptionKind for HoldoutOption {
    type Field = Holdout;
    const EXPECTED: &'static str =
        "a share of the times between 0 and 1, such as 0.2, or whole samples, #{ samples: 2 }";
    const NESTED: Keys = &[HeldOutSamples::OPTIONS];

    fn read(value: &Value) -> std::result::Result<Holdout, Mismatch> {
        let holdout = match value {
            Value::Map(entries) => {
                let mut held = HeldOutSamples::default();
                read_map(&mut held, value).map_err(Mismatch::Within)?;
                match entries.iter().find(|(name, _)| name == "samples") {
                    Some((_, Value::Int(n))) => {
                        Holdout::Samples(usize::try_from(*n).unwrap_or_default())
                    }
                    _ => Holdout::ShareOfSamples(held.samples),
                }
            }
            value => Holdout::Times(value.number().ok_or(Mismatch::Value)?),
        };
        holdout.check()?;
        Ok(holdout)
    }

    fn write(field: &Holdout) -> Value {
        let samples = |value: Value| Value::Map(vec![("samples".into(), value)]);
        match field {
            Holdout::Times(share) => Value::Float(*share),
            Holdout::Samples(n) => samples((*n).into()),
            Holdout::ShareOfSamples(share) => samples((*share).into()),
            Holdout::Fold(fold) => Value::Map(vec![("fold".into(), Value::from(fold.number))]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(holdout: Holdout, times: &[usize]) -> Vec<std::ops::Range<usize>> {
        match holdout.rows(times).unwrap() {
            HeldOutRows::Rows(rows) => rows,
            HeldOutRows::Samples(samples) => samples.iter().map(|i| *i..i + 1).collect(),
        }
    }

    #[test]
    fn folds_cover_all_but_the_first_row_once() {
        for (n, folds) in [(11, 5), (12, 5), (7, 6)] {
            let mut seen = vec![0; n];
            for number in 0..folds {
                let of = FoldsOf::Times;
                let fold = Holdout::Fold(Fold { of, number, folds });
                held(fold, &[n])[0].clone().for_each(|row| seen[row] += 1);
            }
            assert_eq!(seen[0], 0);
            assert!(seen[1..].iter().all(|times| *times == 1), "{seen:?}");
        }
    }

    #[test]
    fn shares_and_numbers_take_the_end() {
        assert_eq!(held(Holdout::Times(0.2), &[10, 5]), [8..10, 4..5]);
        assert_eq!(held(Holdout::Samples(2), &[9, 9, 9]), [1..2, 2..3]);
        let held_sample = held(Holdout::ShareOfSamples(0.3), &[9; 3]);
        assert_eq!(held_sample, std::slice::from_ref(&(2..3)));
        for (holdout, times) in [
            (Holdout::Times(0.9), &[5][..]),
            (Holdout::Times(1.2), &[50]),
            (Holdout::Samples(1), &[50]),
        ] {
            assert!(holdout.rows(times).is_err(), "{holdout:?}");
        }
    }

    #[test]
    fn an_option_is_read_as_it_is_written() {
        for holdout in [
            Holdout::Times(0.25),
            Holdout::Samples(3),
            Holdout::ShareOfSamples(0.5),
        ] {
            let value = HoldoutOption::write(&holdout);
            assert_eq!(HoldoutOption::read(&value).unwrap(), holdout);
        }
        for wrong in [Value::Float(1.5), Value::Int(1), Value::from("all")] {
            assert!(HoldoutOption::read(&wrong).is_err(), "{wrong:?}");
        }
    }
}
