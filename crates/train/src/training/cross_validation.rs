//! Cross-validation: a training for each part of the data, which it does not see.

use super::callback::Callback;
use super::choice::{BestBy, BestOf};
use super::ensemble::{EnsembleMember, train_ensemble};
use super::holdout::{Fold, FoldsOf, HeldOutRows, Holdout};
use super::method::TrainingMethod;
use super::options::TrainOptions;
use super::run::Run;
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::tables::{AlignedTable, TableCell, format_number};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;

/// Number of parts where none is given.
const DEFAULT_FOLDS: usize = 5;

/// The result of a cross-validation.
#[derive(Debug, Clone)]
pub struct CrossValidationScores {
    /// What was divided into parts.
    pub of: FoldsOf,
    /// The parts, with the trainings that did not see them.
    pub folds: Vec<HeldOutFold>,
}

/// A part of the data, with the training that did not see it.
#[derive(Debug, Clone)]
pub struct HeldOutFold {
    /// The part in words, such as "t 1.2 to 2.4" or "sample 3".
    pub held_out: String,
    /// The run, or the error with which it failed.
    pub run: Result<Run>,
}

impl HeldOutFold {
    /// Returns the mean squared error on the part; NaN where the training failed or its model cannot be solved there.
    pub fn mse(&self) -> f64 {
        let run = self.run.as_ref().ok();
        run.and_then(|run| run.best_validation).unwrap_or(f64::NAN)
    }
}

/// Trains a copy of the model for each of `folds` parts of the data on all others, and measures it on that part: the mean squared
/// error of the free model on data that its training did not see. Runs are as those of [`train_ensemble`]: side by side, each to the
/// bit what it would be alone.
///
/// Several samples are divided by samples; a sample that is held out is predicted from its own initial state. The times of a single
/// sample but its first are divided into contiguous blocks: a block is missing in the data of its training, and is predicted by the
/// trajectory from the initial state of the data, which runs through the blocks before it. Only the last block is an extrapolation.
///
/// The default of `folds` is 5, or the number of samples where that is smaller.
///
/// # Errors
/// Too few samples or times for so many parts; options that hold out data themselves; those of [`train_ensemble`]; an interrupt.
pub fn cross_validate(
    model: &VectorField,
    data: &Dataset,
    method: &TrainingMethod,
    folds: Option<usize>,
    options: &TrainOptions,
    callback: &mut dyn Callback,
    loggers: &(dyn Fn(&EnsembleMember) -> Box<dyn Callback> + Sync),
) -> Result<CrossValidationScores> {
    check_options(options)?;
    let times: Vec<usize> = data.trajectories().map(|(t, _)| t.len()).collect();
    let (of, parts, most) = match times[..] {
        [n] => (FoldsOf::Times, "time", n - 1),
        _ => (FoldsOf::Samples, "sample", times.len()),
    };
    let folds = folds.unwrap_or(DEFAULT_FOLDS.min(most));
    if !(2..=most).contains(&folds) {
        return Err(Error::invalid(format!(
            "folds should be from 2 to {most} for {}, not {folds}",
            count_of(most, parts)
        )));
    }
    let fold = |number| Fold { of, number, folds };
    let members: Vec<EnsembleMember> = (0..folds)
        .map(|number| member(model, method, fold(number), options))
        .collect();
    let ensemble = train_ensemble(&members, data, method, callback, loggers)?;
    if ensemble.interrupted() {
        return Err(Error::Interrupted);
    }
    let runs = ensemble.members.into_iter().enumerate();
    let folds = runs.map(|(number, (_, run))| {
        let rows = Holdout::Fold(fold(number)).rows(&times)?;
        let held_out = in_words(&rows, data);
        Ok(HeldOutFold { held_out, run })
    });
    Ok(CrossValidationScores {
        of,
        folds: folds.collect::<Result<_>>()?,
    })
}

/// Checks that the options leave it to the cross-validation what is held out, and that no training looks at it.
fn check_options(options: &TrainOptions) -> Result<()> {
    let misplaced = [
        ("holdout", options.holdout.is_some()),
        ("validate", options.validation.is_some()),
        ("patience", options.patience.is_some()),
        (
            "best_by: \"validation\"",
            options.best_by == Some(BestBy::Validation),
        ),
    ];
    match misplaced.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::invalid(format!(
            "cross_validate holds each part out in turn, and a training that looked at it would measure too well: leave out {option}"
        ))),
        None => Ok(()),
    }
}

/// Returns the training that does not see a part. Its model is chosen as that of a training on all data.
fn member(
    model: &VectorField,
    method: &TrainingMethod,
    fold: Fold,
    options: &TrainOptions,
) -> EnsembleMember {
    let label = format!("fold_{}", fold.number + 1);
    let best_by = options.best_by.unwrap_or(match method.self_setting() {
        Some(_) => BestBy::Last,
        None => BestBy::Mse,
    });
    let best_of = options.best_of.unwrap_or(match options.best_by {
        Some(_) => BestOf::Free,
        None => BestOf::All,
    });
    EnsembleMember {
        model: model.clone(),
        options: TrainOptions {
            holdout: Some(Holdout::Fold(fold)),
            best_by: Some(best_by),
            best_of: Some(best_of),
            out: options.out.as_ref().map(|out| out.join(&label)),
            ..options.clone()
        },
        label,
    }
}

/// Describes what is held out.
fn in_words(held_out: &HeldOutRows, data: &Dataset) -> String {
    match held_out {
        HeldOutRows::Samples(samples) => match samples[..] {
            [] => "nothing".into(),
            [one] => format!("sample {one}"),
            [first, .., last] => format!("samples {first} to {last}"),
        },
        HeldOutRows::Rows(rows) => {
            let ends = rows.first().zip(data.times(0)).and_then(|(rows, t)| {
                let last = rows.end.checked_sub(1)?;
                Some((*t.get(rows.start)?, *t.get(last)?))
            });
            match ends {
                Some((first, last)) => {
                    format!(
                        "t {} to {}",
                        format_number(first, 4),
                        format_number(last, 4)
                    )
                }
                None => "nothing".into(),
            }
        }
    }
}

impl CrossValidationScores {
    /// Returns the mean squared error on each part ([`HeldOutFold::mse`]).
    pub fn mse(&self) -> Vec<f64> {
        self.folds.iter().map(HeldOutFold::mse).collect()
    }

    /// Returns the mean over the parts of the mean squared error; NaN where that of a part is.
    pub fn mean(&self) -> f64 {
        let mse = self.mse();
        mse.iter().sum::<f64>() / mse.len() as f64
    }

    /// Returns the standard error of the mean: the standard deviation over the parts, with their number less one, over the root of
    /// their number. It takes parts as independent, which those of one trajectory are not.
    pub fn standard_error(&self) -> f64 {
        let (mse, mean) = (self.mse(), self.mean());
        let n = mse.len() as f64;
        let squares: f64 = mse.iter().map(|x| (x - mean).powi(2)).sum();
        (squares / (n - 1.0) / n).sqrt()
    }

    /// Returns the table with a row for each part.
    pub fn table(&self) -> AlignedTable {
        let header = ["fold", "held out", "epochs", "mse", "validation mse"];
        let mut table = AlignedTable::new(header);
        let number = |x: f64| match x.is_nan() {
            true => TableCell::Text("–".into()),
            false => TableCell::Number(x),
        };
        for (i, fold) in self.folds.iter().enumerate() {
            let run = fold.run.as_ref().ok();
            table.push([
                (i + 1).into(),
                fold.held_out.as_str().into(),
                run.map_or(TableCell::Empty, |run| run.history.len().into()),
                number(run.map_or(f64::NAN, |run| run.best_mse)),
                number(fold.mse()),
            ]);
        }
        table
    }
}

impl std::fmt::Display for CrossValidationScores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.table().to_text(4))?;
        write!(
            f,
            "validation mse {} ± {} (standard error)",
            format_number(self.mean(), 4),
            format_number(self.standard_error(), 2)
        )?;
        for (i, fold) in self.folds.iter().enumerate() {
            match &fold.run {
                Err(error) => write!(f, "\nfold {}: {error}", i + 1)?,
                Ok(_) if fold.mse().is_nan() => write!(
                    f,
                    "\nfold {}: the model cannot be solved over what is held out, so the mean has no value",
                    i + 1
                )?,
                Ok(_) => {}
            }
        }
        Ok(())
    }
}
