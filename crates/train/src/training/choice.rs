//! Which epoch's model a run returns.

use serde::{Deserialize, Serialize};

use super::epoch_record::EpochRecord;
use super::settings::TrainSettings;
use crate::{Error, Result};
use odesync_base::impl_named;

/// What the model of a run is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// The smallest mean squared error of the free model on the training data.
    Mse,
    /// The smallest mean squared error of the free model on data that are held out.
    Validation,
    /// The highest log evidence, of methods that set themselves.
    Evidence,
    /// The model after the last update.
    Last,
}

impl_named!(
    BestBy,
    "best_by",
    Mse = "mse",
    Validation = "validation",
    Evidence = "evidence",
    Last = "last",
);

/// The epochs among which the model of a run is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestOf {
    /// Those in which the model that is trained is free: λ = 0 and no model error.
    Free,
    /// All of them.
    All,
}

impl_named!(BestOf, "best_of", Free = "free", All = "all",);

/// How a run chooses its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub by: BestBy,
    pub of: BestOf,
}

impl Choice {
    /// Returns the choice that settings make. Where nothing is asked for it is as published: the smallest mse of all epochs, or the
    /// last step of a method that sets itself.
    pub fn new(settings: &TrainSettings) -> Self {
        let has_validation = settings.has_validation();
        let by = settings.options.best_by.unwrap_or(match has_validation {
            true => BestBy::Validation,
            false if settings.method.self_setting().is_some() => BestBy::Last,
            false => BestBy::Mse,
        });
        let is_asked_for = settings.options.best_by.is_some() || has_validation;
        let of = settings.options.best_of.unwrap_or(match is_asked_for {
            true => BestOf::Free,
            false => BestOf::All,
        });
        Choice { by, of }
    }

    /// Whether the model of this epoch can be chosen.
    pub fn is_candidate(&self, record: &EpochRecord) -> bool {
        self.of == BestOf::All || record.is_free()
    }

    /// Whether the model after the last update of gradient descent can be chosen; `lambda` is that of the epoch to come.
    pub fn takes_final(&self, lambda: f64) -> bool {
        self.of == BestOf::All || lambda == 0.0
    }

    /// Returns the score of an epoch, smaller for a better model; `None` where there is none.
    pub fn score(&self, record: &EpochRecord) -> Option<f64> {
        let score = match self.by {
            BestBy::Mse => Some(record.mse),
            BestBy::Validation => record.validation,
            BestBy::Evidence => Some(-record.log_evidence),
            BestBy::Last => None,
        };
        score.filter(|score| score.is_finite())
    }
}

/// Checks that a method has what its model is to be chosen by, and what its patience counts.
///
/// # Errors
/// Data are not held out, or the method has no evidence.
pub(super) fn check_choice(settings: &TrainSettings) -> Result<()> {
    let sets_itself = settings.method.self_setting().is_some();
    let name = settings.method.name();
    match settings.options.best_by {
        Some(BestBy::Validation) if !settings.has_validation() => Err(Error::invalid(
            "best_by: \"validation\" needs data that the training does not see: give holdout: 0.2, or validate: other_data",
        )),
        Some(BestBy::Evidence) if !sets_itself => Err(Error::invalid(format!(
            "best_by: \"evidence\" belongs to weak_constraint() and homotopy() without a coupling, {name} has none: choose by \
             \"validation\" with holdout: 0.2"
        ))),
        _ if sets_itself && settings.options.patience.is_some() && !settings.has_validation() => {
            Err(Error::invalid(format!(
                "patience of {name} counts steps in which the validation mse has not fallen: give holdout: 0.2, or validate: \
                 other_data"
            )))
        }
        _ => Ok(()),
    }
}
