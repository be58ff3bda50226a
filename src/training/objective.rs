//! Loss and gradient of a model against data, by each of the methods.

use std::sync::Arc;

use ndarray::{Array3, ArrayView3, Axis, s};

use super::method::Method;
use super::shooting::Segments;
use crate::datasets::Dataset;
use crate::field::VectorField;
use crate::odesolve::{Engine, Problem, SolveOptions, Stats, StepPlan};
use crate::smoothing::SmoothingSpline;
use crate::synchronization::{synchronize, with_lambda};
use crate::{Error, Result};

/// A loss and its parts.
#[derive(Debug, Clone, Default)]
pub struct Loss {
    /// What training lowers.
    pub loss: f64,
    /// Mean squared error over samples, times and state variables; missing values left out.
    pub data: f64,
    /// Mean squared gap between segments (multiple shooting), else 0.
    pub continuity: f64,
    /// Gradient: the model's trainable parameters, then the method's own. Empty when it was not asked for.
    pub gradient: Vec<f64>,
    /// What the solves cost.
    pub stats: Stats,
    /// The steps of each solve.
    pub plans: Vec<StepPlan>,
}

/// A model, data and a method, ready to be evaluated at any parameters.
pub struct Objective {
    model: VectorField,
    coupled: Option<VectorField>,
    data: Dataset,
    t: Vec<f64>,
    segments: Option<Segments>,
    solver: SolveOptions,
    engine: Box<dyn Engine>,
}

impl Objective {
    /// Puts them together.
    ///
    /// # Errors
    /// Shapes or settings that do not fit.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        method: &Method,
        solver: &SolveOptions,
        engine: Box<dyn Engine>,
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
        let segments = match method {
            Method::MultipleShooting(m) => Some(Segments::new(data, m)?),
            _ => None,
        };
        Ok(Objective {
            model: model.clone(),
            coupled,
            t,
            segments,
            solver: solver.clone(),
            engine,
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
        self.n_model() + self.segments.as_ref().map_or(0, Segments::n_corrections)
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

    /// Loss at these parameters and this λ, with its gradient if asked for, on given plans if there are any.
    ///
    /// # Errors
    /// A solve that failed, or parameters that do not fit.
    pub fn evaluate(
        &mut self,
        params: &[f64],
        lambda: f64,
        with_gradient: bool,
        plans: Option<&[StepPlan]>,
    ) -> Result<Loss> {
        let model = self.model(params)?;
        match self.segments.take() {
            Some(segments) => {
                let corrections = &params[self.n_model()..];
                let result = segments.evaluate(&model, corrections, self, with_gradient, plans);
                self.segments = Some(segments);
                result
            }
            None => self.single(model, lambda, with_gradient, plans),
        }
    }

    /// One solve over the whole span; without coupling at λ = 0, so that the free model is solved as any other.
    fn single(
        &mut self,
        model: VectorField,
        lambda: f64,
        with_gradient: bool,
        plans: Option<&[StepPlan]>,
    ) -> Result<Loss> {
        let field = match &self.coupled {
            Some(coupled) if lambda != 0.0 => {
                with_lambda(&coupled.with_params(&model.params())?, lambda)?
            }
            Some(_) => model,
            None if lambda != 0.0 => {
                return Err(Error::invalid(
                    "only homotopy training has a homotopy parameter; lambda must be 0",
                ));
            }
            None => model,
        };
        let u0: Vec<Vec<f64>> = self
            .data
            .u0()
            .outer_iter()
            .map(|row| row.to_vec())
            .collect();
        let problems: Vec<Problem> = u0
            .iter()
            .enumerate()
            .map(|(sample, u0)| Problem {
                u0,
                t: &self.t,
                sample,
            })
            .collect();
        let solved = self
            .engine
            .forward(&field, &problems, &self.solver, plans, with_gradient)?;
        let mut loss = Loss::default();
        let mut predicted = Array3::zeros(self.data.u().raw_dim());
        for (solved, mut to) in solved.iter().zip(predicted.outer_iter_mut()) {
            for (to, from) in to.iter_mut().zip(&solved.u) {
                *to = *from;
            }
            loss.stats += solved.stats;
        }
        loss.plans = solved.into_iter().map(|s| s.plan).collect();
        let (data, bars) = mean_squared_error(&predicted, self.data.u());
        loss.data = data;
        loss.loss = data;
        if with_gradient {
            let bars: Vec<Vec<f64>> = bars
                .outer_iter()
                .map(|b| b.iter().copied().collect())
                .collect();
            loss.gradient = field.gather(&self.engine.backward(&bars)?.values);
        }
        Ok(loss)
    }

    pub(super) fn engine(&mut self) -> &mut dyn Engine {
        self.engine.as_mut()
    }

    pub(super) fn solver(&self) -> &SolveOptions {
        &self.solver
    }

    pub(super) fn data(&self) -> &Dataset {
        &self.data
    }
}

/// Mean squared error of a prediction, `[sample, time, dof]`, over the values that are there, and its gradient.
pub(super) fn mean_squared_error(
    predicted: &Array3<f64>,
    data: ArrayView3<f64>,
) -> (f64, Array3<f64>) {
    let count = data.iter().filter(|x| !x.is_nan()).count().max(1) as f64;
    let mut bars = predicted - &data;
    bars.mapv_inplace(|d| if d.is_nan() { 0.0 } else { d });
    // A prediction that is NaN where there is data must show.
    let sum: f64 = predicted
        .iter()
        .zip(&data)
        .map(|(p, d)| if d.is_nan() { 0.0 } else { (p - d) * (p - d) })
        .sum();
    bars *= 2.0 / count;
    (sum / count, bars)
}

/// The trajectory of a model from the data's initial states at any times, `[sample, time, dof]`; the data's own initial
/// time is where it starts.
///
/// # Errors
/// Times before the initial time, or a solve that failed.
pub fn predict(
    model: &VectorField,
    t0: f64,
    u0: &ndarray::Array2<f64>,
    t: &[f64],
    solver: &SolveOptions,
) -> Result<Array3<f64>> {
    if let Some(early) = t.iter().find(|t| **t < t0) {
        return Err(Error::invalid(format!(
            "the data begins at t = {t0}; a prediction for t = {early} is not possible"
        )));
    }
    let with_start = t.first() != Some(&t0);
    let times: Vec<f64> = with_start
        .then_some(t0)
        .into_iter()
        .chain(t.iter().copied())
        .collect();
    let u0: Vec<Vec<f64>> = u0.outer_iter().map(|row| row.to_vec()).collect();
    let problems: Vec<Problem> = u0
        .iter()
        .enumerate()
        .map(|(sample, u0)| Problem {
            u0,
            t: &times,
            sample,
        })
        .collect();
    let solved =
        crate::odesolve::NativeEngine::default().forward(model, &problems, solver, None, false)?;
    let mut all = Array3::zeros((u0.len(), times.len(), model.dof()));
    for (solved, mut to) in solved.iter().zip(all.axis_iter_mut(Axis(0))) {
        for (to, from) in to.iter_mut().zip(&solved.u) {
            *to = *from;
        }
    }
    Ok(all.slice(s![.., usize::from(with_start).., ..]).to_owned())
}
