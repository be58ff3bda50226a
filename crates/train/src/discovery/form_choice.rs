//! The choice of a model's form and width, by the evidence of one run each.

use std::time::{Duration, Instant};

use super::{DiscoverOptions, ModelForm, log_evidence};
use crate::datasets::Dataset;
use crate::training::{Callback, Run, StopReason, TrainOptions, TrainingMethod, train};
use crate::{Error, Result};
use odesync_base::random::Generator;

/// Time after which no further form is tried.
const CHOICE_TIME: Duration = Duration::from_secs(20);
/// Noise that a model leaves over the noise that smoothing splines leave, above which its state is taken as incomplete.
const INCOMPLETE: f64 = 1.3;

/// A form and width that were tried, with the log evidence that the first seed reached.
#[derive(Debug, Clone)]
pub struct ModelCandidate {
    /// Form of the model.
    pub form: ModelForm,
    /// Log evidence; `None` where the training failed.
    pub log_evidence: Option<f64>,
}

/// The forms that were tried so far.
pub(super) struct FormChoice<'a> {
    data: &'a Dataset,
    options: &'a DiscoverOptions,
    seed: u64,
    started: Instant,
    /// All that were tried.
    pub candidates: Vec<ModelCandidate>,
    /// The form of the highest evidence, with its run.
    pub best: Option<(ModelForm, Run)>,
}

impl<'a> FormChoice<'a> {
    pub fn new(data: &'a Dataset, options: &'a DiscoverOptions, seed: u64) -> Self {
        FormChoice {
            data,
            options,
            seed,
            started: Instant::now(),
            candidates: vec![],
            best: None,
        }
    }

    /// Tries forms in order, until the time is over.
    ///
    /// # Errors
    /// An interrupt, or data that do not fit.
    pub fn try_forms(&mut self, forms: &[ModelForm], callback: &mut dyn Callback) -> Result<()> {
        for form in forms {
            if self.candidates.len() > 1 && self.started.elapsed() > CHOICE_TIME {
                break;
            }
            let run = self.train(form)?;
            let evidence = run.as_ref().map(log_evidence).filter(|e| e.is_finite());
            if let Some(evidence) = evidence {
                callback.on_note(&format!("{form}: log evidence {evidence:.1}"));
            }
            self.candidates.push(ModelCandidate {
                form: form.clone(),
                log_evidence: evidence,
            });
            let best = self.best.as_ref().map(|(_, run)| log_evidence(run));
            if let (Some(run), Some(evidence)) = (run, evidence)
                && best.is_none_or(|best| evidence >= best)
            {
                self.best = Some((form.clone(), run));
            }
        }
        Ok(())
    }

    /// Trains the first seed of a form; `None` where the training fails.
    fn train(&self, form: &ModelForm) -> Result<Option<Run>> {
        let input = form.input(self.options.input.as_ref())?;
        let model = form.model(input.as_ref(), &mut Generator::manual_seed(self.seed))?;
        let method: TrainingMethod = self.options.method.clone().into();
        // What is only tried leaves nothing on disk.
        let trial = TrainOptions {
            out: None,
            resume: false,
            ..form.options(&self.options.train)
        };
        match train(&model, self.data, &method, &trial, &mut ()) {
            Ok(run) if run.stop == StopReason::Interrupted => Err(Error::Interrupted),
            Ok(run) => Ok(Some(run)),
            Err(Error::Training(_) | Error::Solve(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the components that were measured do not seem to be the whole state: there is only one, whose equation of first order
    /// has monotone solutions alone, or the best model does not reach the noise.
    pub fn state_is_incomplete(&self, components: usize) -> bool {
        let ratio = (self.best.as_ref())
            .and_then(|(_, run)| run.weak_constraint.as_ref())
            .and_then(|state| state.noise_ratio());
        components == 1 || ratio.is_none_or(|ratio| ratio > INCOMPLETE)
    }
}
