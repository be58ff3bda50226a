//! The settings of a search for equations.

use odesync_base::random::Generator;
use odesync_ode::field::{FieldBuilder, Unary, VectorField};

use super::candidates::Candidates;
use super::doubts::doubts;
use super::equations_found::Equations;
use super::library::Library;
use super::search::search;
use super::template::copy_into;
use crate::Result;
use crate::datasets::Dataset;
use crate::models::Mlp;
use crate::observation::Observation;
use crate::training::{Run, TrainingMethod};
use crate::weak_constraint::{LiftedModel, WeakConstraint};

/// Widths of the inner layers, and seed, of the network of a search without a model.
const INNER_WIDTHS: [usize; 2] = [50, 50];
const SEED: u64 = 10;

/// A search for the equations of a library that explain data.
///
/// ```no_run
/// use odesync_train::equations::{EquationSearch, Library};
/// # let data = odesync_train::datasets::read_json("data.json")?;
/// let search = EquationSearch::new(Library::polynomials(2));
/// let equations = search.search_data(&data, &mut |_| Ok(()))?;
/// println!("{}", equations.text());
/// # Ok::<(), odesync_train::Error>(())
/// ```
#[derive(Clone)]
pub struct EquationSearch {
    library: Library,
    known: Option<VectorField>,
    observation: Observation,
    method: WeakConstraint,
}

/// A step of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchProgress {
    /// The network model is trained.
    Network,
    /// Equations are trained.
    Equations {
        /// Number of their terms.
        terms: usize,
    },
}

impl EquationSearch {
    /// Creates a search in a library.
    pub fn new(library: Library) -> Self {
        EquationSearch {
            library,
            known: None,
            observation: Observation::default(),
            method: WeakConstraint::default(),
        }
    }

    /// Sets the known part f₀(t, u) of the equations, which is kept: the terms are those of du/dt − f₀. A search from a model takes
    /// the known part from that model.
    #[must_use]
    pub fn with_known(mut self, known: &VectorField) -> Self {
        self.known = Some(known.clone());
        self
    }

    /// Sets which state variables the data are.
    #[must_use]
    pub fn with_observation(mut self, observation: Observation) -> Self {
        self.observation = observation;
        self
    }

    /// Sets the solver and the steps of the intervals between the data. A search from a run of weak-constraint training takes those
    /// of the run.
    #[must_use]
    pub fn with_method(mut self, method: WeakConstraint) -> Self {
        self.method = method;
        self
    }

    /// Finds equations from data alone: a black box, or the known part and a network, is trained first. `observer` is called after
    /// each step and may end the search with an error.
    ///
    /// # Errors
    /// Data that are too few, a known part or a term of the library that does not fit them, and errors of `observer`.
    pub fn search_data(
        &self,
        data: &Dataset,
        observer: &mut dyn FnMut(SearchProgress) -> Result<()>,
    ) -> Result<Equations> {
        let dof = match &self.known {
            Some(known) => known.dof(),
            None => data.dof(),
        };
        let b = FieldBuilder::new(dof);
        let known = match &self.known {
            Some(known) => Some(copy_into(&b, known)?),
            None => None,
        };
        let mut widths = vec![dof];
        widths.extend(INNER_WIDTHS);
        widths.push(dof);
        let network = Mlp::new(&widths, Unary::Gelu, &mut Generator::manual_seed(SEED))?;
        let unknown = network.apply(&b, &b.state())?;
        let model = b.finish(match known {
            Some(known) => known + unknown,
            None => unknown,
        })?;
        self.search_model(&model, data, observer)
    }

    /// Finds equations in place of the networks of a model: of a black box, all of them; of a second-order model, the
    /// accelerations; of a gray box, the unknown part alone. The model, trained or not, is trained on the data first.
    ///
    /// # Errors
    /// A model without networks, data that do not fit it, a term of the library that does not, and errors of `observer`.
    pub fn search_model(
        &self,
        model: &VectorField,
        data: &Dataset,
        observer: &mut dyn FnMut(SearchProgress) -> Result<()>,
    ) -> Result<Equations> {
        let names = self.names(model.dof(), data)?;
        let network =
            LiftedModel::train(model, data, &self.method, &self.observation, &mut || {
                observer(SearchProgress::Network)
            })?;
        self.search_states(&network, names, observer)
    }

    /// Finds equations in place of the networks of a run's model, as [`Self::search_model`] does; from a run of weak-constraint
    /// training without training the model again.
    ///
    /// # Errors
    /// Those of [`Self::search_model`].
    pub fn search_run(
        &self,
        run: &Run,
        data: &Dataset,
        observer: &mut dyn FnMut(SearchProgress) -> Result<()>,
    ) -> Result<Equations> {
        let (Some(state), TrainingMethod::WeakConstraint(method)) =
            (&run.weak_constraint, &run.settings.method)
        else {
            return self.search_model(&run.model, data, observer);
        };
        let names = self.names(run.model.dof(), data)?;
        let network = LiftedModel::of_state(&run.model, method, &run.solver, state)?;
        self.search_states(&network, names, observer)
    }

    fn search_states(
        &self,
        network: &LiftedModel,
        names: Vec<String>,
        observer: &mut dyn FnMut(SearchProgress) -> Result<()>,
    ) -> Result<Equations> {
        let trained = network.model()?;
        let candidates = Candidates::new(&self.library, &trained, &names, &network.points())?;
        let mut after_step = |terms| observer(SearchProgress::Equations { terms });
        let found = search(&candidates, network, &mut after_step)?;
        let doubts = doubts(&candidates, network, &found, &names);
        Equations::new(&candidates, network, &found.best, names, doubts)
    }

    /// Returns the names of the state variables: those of the data's columns where there are such.
    fn names(&self, dof: usize, data: &Dataset) -> Result<Vec<String>> {
        let columns = self.observation.resolve_columns(dof, data)?;
        let mut names: Vec<String> = (0..dof).map(|i| format!("u[{i}]")).collect();
        for (column, name) in columns.iter().zip(data.names()) {
            if let Some(to) = names.get_mut(*column) {
                *to = name.clone();
            }
        }
        Ok(names)
    }
}
