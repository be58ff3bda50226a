//! From data to a model with no setting: the form and the width of the model are chosen by evidence, several seeds are trained by
//! weak-constraint training, failed ones are dropped, and the mean of the others predicts, unless a sparse set of equations explains
//! the data better.
//!
//! | file | content |
//! |---|---|
//! | `agreement` | which of the seeds' runs are as good as the best |
//! | `data_summary` | what is seen in the data: times, gaps, spread and noise of each component, which are derivatives of others |
//! | `model_form`, `form_choice` | the forms of model that are tried, and the choice among them |
//! | `sparse_equations` | the equations that are tried against the network |
//! | `report` | the result in sentences |

mod agreement;
mod data_summary;
mod form_choice;
mod model_form;
mod report;
mod sparse_equations;

pub use data_summary::{ComponentSummary, DataSummary};
use form_choice::FormChoice;
pub use form_choice::ModelCandidate;
pub use model_form::ModelForm;

use crate::datasets::Dataset;
use crate::equations::Equations;
use crate::training::{
    Callback, Ensemble, EnsembleMember, Prediction, Run, TrainOptions, TrainingMethod,
    WeakConstraint, check_ensemble_members, mean_prediction, train_ensemble,
};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, ListOf, Maybe, Seed};
use odesync_base::random::Generator;
use odesync_ode::field::{InputSignal, VectorField};

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
        /// Whether a sparse set of polynomial terms is tried against the network.
        pub equations: bool as Flag = true;
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
    /// The sparse set of terms that was tried against the network, or why there is none.
    pub equations: std::result::Result<Equations, String>,
    /// The data.
    pub dataset: Dataset,
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
    if options.train.observation.observe.is_some() {
        return Err(Error::invalid(
            "discover makes a model of the data's own columns; a model with state variables beside them is given to train, with \
             observe there",
        ));
    }
    let method: TrainingMethod = options.method.clone().into();
    let summary = DataSummary::new(data)?;
    let mut choice = FormChoice::new(data, options, *first_seed);
    let forms = model_form::forms(&summary, options);
    // Initial states that are given are those of the data's columns alone.
    let may_have_derivatives = summary.derivative_of.iter().all(Option::is_none)
        && options.second_order != Some(false)
        && options.train.observation.u0.is_none();
    // A form without an alternative needs no trial.
    if forms.len() > 1 || may_have_derivatives {
        choice.try_forms(&forms, callback)?;
    }
    if may_have_derivatives && choice.state_is_incomplete(summary.components.len()) {
        let forms = model_form::forms_with_derivatives(&summary, options);
        choice.try_forms(&forms, callback)?;
    }
    let FormChoice {
        candidates, best, ..
    } = choice;
    let (form, tried) = match (best, forms.first()) {
        (Some((form, run)), _) => (form, Some(run)),
        (None, Some(form)) => (form.clone(), None),
        (None, None) => return Err(Error::invalid("there is no form of model for these data")),
    };
    // A run that was only tried is not on disk.
    let done = tried.filter(|_| options.train.out.is_none());
    let label = |seed: u64| format!("seed {seed}");
    let input = form.input(options.input.as_ref())?;
    let members = options
        .seeds
        .iter()
        .map(|seed| {
            let label = label(*seed);
            let out = options.train.out.as_ref().map(|out| out.join(&label));
            Ok(EnsembleMember {
                model: form.model(input.as_ref(), &mut Generator::manual_seed(*seed))?,
                label,
                options: TrainOptions {
                    out,
                    ..form.options(&options.train)
                },
            })
        })
        .collect::<Result<Vec<_>>>()?;
    check_ensemble_members(&members)?;
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
    let (kept, dropped) = agreement::sort_out(&ensemble, data)?;
    let best = ensemble.best().filter(|_| options.equations);
    let equations = match best {
        Some(run) => sparse_equations::search(run, data, options, &form, callback)?,
        None => Err("not asked for".into()),
    };
    Ok(Discovery {
        dataset: data.clone(),
        equations,
        data: summary,
        candidates,
        form,
        ensemble,
        kept,
        dropped,
    })
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

    /// Returns the equations where they explain the data better than the network does.
    pub fn preferred_equations(&self) -> Option<&Equations> {
        let found = self.equations.as_ref().ok();
        found.filter(|equations| equations.are_preferred())
    }

    /// Returns the model of the highest evidence: the equations where they are preferred, else the network of [`Self::best`].
    ///
    /// # Errors
    /// There is none.
    pub fn model(&self) -> Result<&VectorField> {
        match self.preferred_equations() {
            Some(equations) => Ok(&equations.system),
            None => Ok(&self.best()?.model),
        }
    }

    /// Returns the prediction at the times `t`, in increasing order, with standard deviations: of the equations where they are
    /// preferred, else the mean of the runs, with the spread of their means and their own standard deviations.
    ///
    /// # Errors
    /// Times before the data's first, or no model that can be solved so far.
    pub fn predict(&self, t: &[f64]) -> Result<Prediction> {
        match self.preferred_equations() {
            Some(equations) => equations.predict(t),
            None => self.predict_with_networks(t),
        }
    }

    /// Returns the mean prediction of the runs, with standard deviations of their spread and of each by itself.
    ///
    /// # Errors
    /// Times before the data's first, or no run that can be solved so far.
    pub fn predict_with_networks(&self, t: &[f64]) -> Result<Prediction> {
        mean_prediction(self.runs(), t)
    }
}
