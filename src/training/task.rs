//! What is trained, apart from how it is solved: the problems, and the loss of their solutions with its derivatives.

use std::sync::Arc;

use ndarray::{Array3, ArrayView3};

use super::method::Method;
use super::shooting::Segments;
use crate::datasets::Dataset;
use crate::field::VectorField;
use crate::odesolve::{Problem, SolveOptions};
use crate::smoothing::SmoothingSpline;
use crate::synchronization::{synchronize, with_lambda};
use crate::{Error, Result};

/// A model, data and a method: the problems there are to solve, and the loss as a function of their solutions.
pub(crate) struct Task {
    model: VectorField,
    coupled: Option<VectorField>,
    data: Dataset,
    parts: Segments,
    solver: SolveOptions,
}

impl Task {
    /// Puts them together.
    ///
    /// # Errors
    /// Shapes or settings that do not fit.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        method: &Method,
        solver: &SolveOptions,
    ) -> Result<Self> {
        if model.dof() != data.dof() {
            return Err(Error::invalid(format!(
                "the model has {} state variables, the data {}",
                model.dof(),
                data.dof()
            )));
        }
        if data.u().iter().all(|x| x.is_nan()) {
            return Err(Error::invalid(
                "there is nothing to compare the model with: every value of the data is missing (NaN)",
            ));
        }
        solver.check()?;
        method.check(data.len(), data.dof())?;
        let t = data.t().to_vec();
        let coupled = match method {
            Method::Homotopy(h) => {
                let spline = SmoothingSpline::new(&t, data.u(), h.smoothing)?;
                Some(synchronize(model, Arc::new(spline), &h.coupling)?)
            }
            _ => None,
        };
        let parts = match method {
            Method::MultipleShooting(m) => Segments::new(data, m)?,
            _ => Segments::whole(data),
        };
        Ok(Task {
            model: model.clone(),
            coupled,
            parts,
            solver: solver.clone(),
            data: data.clone(),
        })
    }

    /// Number of the model's trainable parameters.
    pub fn n_model(&self) -> usize {
        self.model.n_params()
    }

    /// Initial parameters: the model's, then the method's own (shooting corrections, zero).
    pub fn initial(&self) -> Vec<f64> {
        let mut params = self.model.params();
        params.resize(self.n_params(), 0.0);
        params
    }

    /// Number of all parameters.
    pub fn n_params(&self) -> usize {
        self.n_model() + self.parts.n_corrections()
    }

    /// The model with other parameters (the method's own are left out).
    ///
    /// # Errors
    /// Too few parameters.
    pub fn model(&self, params: &[f64]) -> Result<VectorField> {
        match params.get(..self.n_model()) {
            Some(own) if params.len() == self.n_params() => self.model.with_params(own),
            _ => Err(Error::invalid(format!(
                "{} parameters are needed ({} of the model, {} of the method), {} were given",
                self.n_params(),
                self.n_model(),
                self.n_params() - self.n_model(),
                params.len()
            ))),
        }
    }

    /// The field that is solved at these parameters and this λ: coupled, but for λ = 0, so that the free model is solved as
    /// any other.
    ///
    /// # Errors
    /// Parameters that do not fit, or λ where there is no coupling.
    pub(crate) fn field(&self, params: &[f64], lambda: f64) -> Result<VectorField> {
        let model = self.model(params)?;
        match &self.coupled {
            Some(coupled) if lambda != 0.0 => {
                with_lambda(&coupled.with_params(&model.params())?, lambda)
            }
            None if lambda != 0.0 => Err(Error::invalid(
                "only homotopy training has a homotopy parameter; lambda must be 0",
            )),
            _ => Ok(model),
        }
    }

    /// The initial state of every solve, at parameters that fit.
    pub(crate) fn starts(&self, params: &[f64]) -> Vec<Vec<f64>> {
        self.parts.starts(&params[self.n_model()..])
    }

    /// The tangents of [`Task::starts`] along a direction of the parameters.
    pub(crate) fn start_tangents(&self, direction: &[f64]) -> Vec<Vec<f64>> {
        self.parts.start_tangents(&direction[self.n_model()..])
    }

    /// What there is to solve, from these initial states.
    pub(crate) fn problems<'a>(&'a self, starts: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
        self.parts.problems(starts)
    }

    /// The loss of solved states, `[time, dof]` for each problem, and its derivatives.
    pub(crate) fn compare(
        &self,
        solved: &[&[f64]],
        starts: &[Vec<f64>],
        against: Against,
    ) -> Compared {
        self.parts.compare(solved, starts, self.data.u(), against)
    }

    /// A gradient with respect to all parameters from its parts: by the field's values, by the initial states, and by the
    /// method's own parameters directly.
    pub(crate) fn gather(
        &self,
        field: &VectorField,
        values: &[f64],
        u0: &[Vec<f64>],
        own: &[f64],
    ) -> Vec<f64> {
        let mut gradient = field.gather(values);
        gradient.extend_from_slice(own);
        let n = self.n_model();
        self.parts.add_starts(u0, &mut gradient[n..]);
        gradient
    }

    pub(crate) fn solver(&self) -> &SolveOptions {
        &self.solver
    }
}

/// What a prediction is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// The data.
    Data,
    /// Zero where there is data: the derivatives of the loss are then linear in the prediction, which gives their tangents.
    Zero,
}

/// The loss as a function of solved states, and its derivatives.
pub(crate) struct Compared {
    pub loss: f64,
    pub data: f64,
    pub continuity: f64,
    /// With respect to the states of each problem, `[time, dof]`.
    pub bars: Vec<Vec<f64>>,
    /// With respect to the method's own parameters, directly.
    pub own: Vec<f64>,
}

/// Mean squared error of a prediction, `[sample, time, dof]`, over the values that are there, and its gradient.
pub(super) fn mean_squared_error(
    predicted: &Array3<f64>,
    data: ArrayView3<f64>,
    against: Against,
) -> (f64, Array3<f64>) {
    let count = data.iter().filter(|x| !x.is_nan()).count().max(1) as f64;
    let mut bars = predicted.clone();
    // A prediction that is NaN where there is data must show.
    let mut sum = 0.0;
    bars.zip_mut_with(&data, |bar, d| {
        *bar = match against {
            _ if d.is_nan() => 0.0,
            Against::Data => *bar - d,
            Against::Zero => *bar,
        };
        sum += *bar * *bar;
    });
    bars *= 2.0 / count;
    (sum / count, bars)
}
