//! From data to a model with no setting: the form and the width of the model are chosen by evidence, several seeds are trained by
//! weak-constraint training, failed ones are dropped, and the mean of the others predicts.
//!
//! | file | content |
//! |---|---|
//! | `data_summary` | what is seen in the data: times, gaps, spread and noise of each component, which are derivatives of others |
//! | `model_form` | the forms of model that are tried |
//! | `ensemble_prediction` | the prediction of several runs, with their spread |
//! | `report` | the result in sentences |

mod data_summary;
mod ensemble_prediction;
mod model_form;
mod report;

use std::time::{Duration, Instant};

pub use data_summary::{ComponentSummary, DataSummary};
pub use model_form::ModelForm;

use crate::datasets::Dataset;
use crate::training::{
    Callback, Ensemble, EnsembleMember, Prediction, Run, StopReason, TrainOptions, TrainingMethod,
    WeakConstraint, check_members, train, train_ensemble,
};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, ListOf, Maybe, Seed};
use odesync_base::random::Generator;
use odesync_ode::field::InputSignal;

/// Time after which no further width is tried.
const CHOICE_TIME: Duration = Duration::from_secs(20);
/// Log evidence by which a run may be below the best: a number and a part of the number of data.
const FAILED_EVIDENCE: (f64, f64) = (15.0, 0.05);

option_set! {
    /// Settings of a discovery; none has to be changed.
    #[derive(Debug, Clone)]
    pub struct DiscoverOptions {
        /// Widths of the hidden layers.
        pub hidden: Option<Vec<usize>> as Maybe<ListOf<Count>> = None, "by evidence among 16, 32, and 32 twice";
        /// Whether velocities among the data are taken as the derivatives of positions.
        pub second_order: Option<bool> as Maybe<Flag> = None, "by evidence";
        /// Seeds of the networks' weights; each is a run.
        pub seeds: Vec<u64> as ListOf<Seed> = vec![10, 20, 30, 40, 50];
    }
    others {
        /// Known input of the system, which the network sees. Default: none.
        pub input: Option<InputSignal> = None;
        /// Settings of the method.
        pub method: WeakConstraint = WeakConstraint::default();
        /// Options of each run: the observation, the solver of predictions, the interrupt flag. Where there is a folder, each seed has
        /// one of its own in it.
        pub train: TrainOptions = TrainOptions::default();
    }
}

/// A form and width that were tried, with the log evidence that the first seed reached.
#[derive(Debug, Clone)]
pub struct ModelCandidate {
    /// Form of the model.
    pub form: ModelForm,
    /// Log evidence; `None` where the training failed.
    pub log_evidence: Option<f64>,
}

/// The result of a discovery.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// What was seen in the data.
    pub data: DataSummary,
    /// Forms and widths that were tried.
    pub candidates: Vec<ModelCandidate>,
    /// The form that was chosen.
    pub form: ModelForm,
    /// Runs of all seeds.
    pub ensemble: Ensemble,
    /// Labels of the runs that predict; the others failed.
    pub kept: Vec<String>,
    /// Labels of the runs that were dropped, and why.
    pub dropped: Vec<(String, String)>,
}

/// Finds a model of the data.
///
/// ```
/// use odesync_train::datasets::Dataset;
/// use odesync_train::discovery::{DiscoverOptions, discover};
/// // A damped oscillation, of which nothing is told.
/// let t = ndarray::Array1::linspace(0.0, 10.0, 81);
/// let u = ndarray::Array2::from_shape_fn((81, 2), |(i, j)| {
///     let phase: f64 = 2.0 * t[i] + if j == 0 { 0.0 } else { 1.2 };
///     f64::exp(-0.1 * t[i]) * phase.cos()
/// });
/// let data = Dataset::single(t, u, None)?;
/// let options = DiscoverOptions { seeds: vec![10, 20], hidden: Some(vec![8]), ..DiscoverOptions::default() };
/// let found = discover(&data, &options, &mut ())?;
/// let ahead = found.predict(&[0.0, 5.0, 11.0])?;
/// assert!((ahead.u[[0, 2, 0]] - (-1.1_f64).exp() * 22.0_f64.cos()).abs() < 0.02);
/// # Ok::<(), odesync_train::Error>(())
/// ```
///
/// # Errors
/// Data or options that do not fit, an interrupt, an error of the callback, or no model that could be trained.
pub fn discover(
    data: &Dataset,
    options: &DiscoverOptions,
    callback: &mut dyn Callback,
) -> Result<Discovery> {
    let Some(first_seed) = options.seeds.first() else {
        return Err(Error::invalid("discover needs at least one seed"));
    };
    let method: TrainingMethod = options.method.clone().into();
    let summary = DataSummary::new(data)?;
    let forms = model_form::forms(&summary, options);
    // What is only tried leaves nothing on disk.
    let trial = TrainOptions {
        out: None,
        resume: false,
        ..options.train.clone()
    };
    let started = Instant::now();
    let mut candidates: Vec<ModelCandidate> = vec![];
    // The form of the highest evidence so far, with its run.
    let mut best: Option<(ModelForm, Run)> = None;
    for form in forms.iter().filter(|_| forms.len() > 1) {
        if candidates.len() > 1 && started.elapsed() > CHOICE_TIME {
            break;
        }
        let model = form.model(
            options.input.as_ref(),
            &mut Generator::manual_seed(*first_seed),
        )?;
        let run = match train(&model, data, &method, &trial, &mut ()) {
            Ok(run) if run.stop == StopReason::Interrupted => return Err(Error::Interrupted),
            Ok(run) => Some(run),
            Err(Error::Training(_) | Error::Solve(_)) => None,
            Err(error) => return Err(error),
        };
        let evidence = run.as_ref().map(log_evidence).filter(|e| e.is_finite());
        if let Some(evidence) = evidence {
            callback.on_note(&format!("{form}: log evidence {evidence:.1}"));
        }
        candidates.push(ModelCandidate {
            form: form.clone(),
            log_evidence: evidence,
        });
        if let (Some(run), Some(evidence)) = (run, evidence)
            && best
                .as_ref()
                .is_none_or(|(_, b)| evidence >= log_evidence(b))
        {
            best = Some((form.clone(), run));
        }
    }
    let (form, tried) = match (best, forms.first()) {
        (Some((form, run)), _) => (form, Some(run)),
        (None, Some(form)) => (form.clone(), None),
        (None, None) => return Err(Error::invalid("there is no form of model for these data")),
    };
    // A run that was only tried is not on disk.
    let done = tried.filter(|_| options.train.out.is_none());
    let label = |seed: u64| format!("seed {seed}");
    let members = options
        .seeds
        .iter()
        .map(|seed| {
            let label = label(*seed);
            let out = options.train.out.as_ref().map(|out| out.join(&label));
            Ok(EnsembleMember {
                model: form.model(options.input.as_ref(), &mut Generator::manual_seed(*seed))?,
                label,
                options: TrainOptions {
                    out,
                    ..options.train.clone()
                },
            })
        })
        .collect::<Result<Vec<_>>>()?;
    check_members(&members)?;
    let mut ensemble = match &members[usize::from(done.is_some())..] {
        [] => Ensemble { members: vec![] },
        rest => train_ensemble(rest, data, &method, callback, &|_| Box::new(()))?,
    };
    if ensemble.interrupted() {
        return Err(Error::Interrupted);
    }
    if let Some(run) = done {
        ensemble.members.insert(0, (label(*first_seed), Ok(run)));
    }
    let (kept, dropped) = sort_out(&ensemble, data)?;
    Ok(Discovery {
        data: summary,
        candidates,
        form,
        ensemble,
        kept,
        dropped,
    })
}

/// Labels of runs.
type Labels = Vec<String>;

/// Label of a run that was dropped, and why.
type Dropped = (String, String);

/// Returns the labels of the runs that are as good as the best, and those of the others with a reason.
fn sort_out(ensemble: &Ensemble, data: &Dataset) -> Result<(Labels, Vec<Dropped>)> {
    let n_data = data
        .trajectories()
        .flat_map(|(_, u)| u)
        .filter(|x| !x.is_nan())
        .count();
    let best = ensemble
        .runs()
        .map(log_evidence)
        .fold(f64::NEG_INFINITY, f64::max);
    let worst = best - FAILED_EVIDENCE.0 - FAILED_EVIDENCE.1 * n_data as f64;
    let (mut kept, mut dropped) = (vec![], vec![]);
    for (label, result) in &ensemble.members {
        match result {
            Err(error) => dropped.push((label.clone(), error.to_string())),
            Ok(run) if log_evidence(run) >= worst => kept.push(label.clone()),
            Ok(run) => {
                let below = best - log_evidence(run);
                dropped.push((
                    label.clone(),
                    format!("its log evidence is {below:.0} below the best"),
                ));
            }
        }
    }
    match kept.is_empty() {
        true => Err(Error::Training(
            "none of the seeds found a model that follows the data; look at the data, or measure more of the state".into(),
        )),
        false => Ok((kept, dropped)),
    }
}

fn log_evidence(run: &Run) -> f64 {
    let state = run.weak_constraint.as_ref();
    let evidence = state.and_then(|s| s.log_evidence()).unwrap_or(f64::NAN);
    if evidence.is_nan() {
        f64::NEG_INFINITY
    } else {
        evidence
    }
}

impl Discovery {
    /// Returns the run of the highest evidence.
    ///
    /// # Errors
    /// There is none.
    pub fn best(&self) -> Result<&Run> {
        self.ensemble
            .best()
            .ok_or_else(|| Error::Training("no run was kept".into()))
    }

    /// Returns the runs that predict.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        let members = self.ensemble.members.iter();
        members.filter_map(|(label, run)| self.kept.contains(label).then_some(run.as_ref().ok()?))
    }

    /// Returns the mean prediction of the runs, with standard deviations of their spread and of each by itself.
    ///
    /// # Errors
    /// Times before the data's first, or no run that can be solved so far.
    pub fn predict(&self, t: &[f64]) -> Result<Prediction> {
        ensemble_prediction::predict(self.runs(), t)
    }
}
