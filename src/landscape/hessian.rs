//! Hessian-vector and Gauss-Newton products of a training loss.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use rayon::prelude::*;

use super::spectrum::{DENSE_LIMIT, Eigenpairs};
use crate::datasets::Dataset;
use crate::field::VectorField;
use crate::field::native::{Evaluator, MAX_WIDTH, Planes, SecondGradient, interleave};
use crate::odesolve::second_order::{OutputBars, Sweep, Taped};
use crate::odesolve::{NativeEngine, SolveOptions};
use crate::training::{Against, Method, Objective, Observation, Task};
use crate::{Error, Result};

/// What a Hessian is taken of, beside model and data.
#[derive(Debug, Clone)]
pub struct HessianOptions {
    /// The training method whose loss it is.
    pub method: Method,
    /// The homotopy parameter λ; 0 unless the method is homotopy training.
    pub lambda: f64,
    /// Which state variables the data are, and where the model begins; trained initial states are parameters of the loss.
    pub observation: Observation,
    /// How the solves are made; an explicit Runge-Kutta method.
    pub solver: SolveOptions,
}

impl Default for HessianOptions {
    fn default() -> Self {
        HessianOptions {
            method: Method::Vanilla,
            lambda: 0.0,
            observation: Observation::default(),
            solver: SolveOptions::default(),
        }
    }
}

impl HessianOptions {
    /// The same of another training method's loss; λ becomes 1 for homotopy training, 0 for any other.
    #[must_use]
    pub fn method(mut self, method: impl Into<Method>) -> Self {
        self.method = method.into();
        self.lambda = match self.method {
            Method::Homotopy(_) => 1.0,
            _ => 0.0,
        };
        self
    }

    /// The same at another homotopy parameter λ.
    #[must_use]
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// The same for data that are not the whole state, or a model that begins elsewhere than they do.
    #[must_use]
    pub fn observation(mut self, observation: Observation) -> Self {
        self.observation = observation;
        self
    }

    /// The same with other tolerances of the solver.
    #[must_use]
    pub fn tolerances(mut self, rtol: f64, atol: f64) -> Self {
        self.solver = self.solver.tolerances(rtol, atol);
        self
    }
}

/// The Hessian ∂²L/∂θ² of a training loss at the model's parameters, as an operator.
///
/// θ is laid out as a gradient: the model's trainable parameters, then the method's own (the corrections of multiple
/// shooting, at zero), then the initial states where they are trained. The steps of the solves are chosen once, at θ, and held fixed: the operator is the exact second
/// derivative of the loss on these steps, and symmetric to rounding.
///
/// ```
/// use odesync::landscape::{Hessian, HessianOptions};
/// # use odesync::{datasets::Dataset, dynamics::lotka_volterra};
/// let system = lotka_volterra()?.trainable(&["a"])?;
/// let t: Vec<f64> = (0..20).map(|i| 0.1 * f64::from(i)).collect();
/// let u = odesync::odesolve::solve(&system, &[1.0, 1.0], &t, &Default::default())?.u;
/// let data = Dataset::single(t.into(), u, None)?;
/// let h = Hessian::new(&system, &data, &HessianOptions::default())?;
/// assert!(h.apply(&[1.0])?[0] > 0.0); // the data are the model's own: a minimum
/// # Ok::<(), odesync::Error>(())
/// ```
pub struct Hessian {
    task: Task,
    field: VectorField,
    evaluator: Evaluator,
    solves: Vec<Taped>,
    /// Solves in a group.
    group: usize,
    /// Derivatives of the loss with respect to each solution, `[time, dof]`.
    bars: Vec<Vec<f64>>,
    zeros: Vec<Vec<f64>>,
    loss: f64,
    n: usize,
    /// The dense matrix and its decomposition, once they were asked for.
    dense: OnceLock<Array2<f64>>,
    pub(super) decomposed: OnceLock<Eigenpairs>,
}

/// Which second derivative: the loss's, or its Gauss-Newton part JᵀJ, which leaves out the curvature of the solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Full,
    GaussNewton,
}

/// The work space of several solves for one block of directions.
struct Group {
    planes: Planes,
    sweeps: Vec<Sweep>,
}

/// The most groups of solves, each with sums of its own. A fixed number, so that the bits do not depend on the threads.
const MAX_GROUPS: usize = 64;

impl Hessian {
    /// Solves the model against the data and keeps what the products need.
    ///
    /// # Errors
    /// What does not fit, a solve that failed or would take too much memory, or a solver that is not an explicit Runge-Kutta
    /// method.
    pub fn new(model: &VectorField, data: &Dataset, options: &HessianOptions) -> Result<Self> {
        let HessianOptions {
            method,
            lambda,
            observation,
            solver,
        } = options;
        let Some(tableau) = solver.method.tableau() else {
            return Err(Error::invalid(format!(
                "second derivatives are there for explicit Runge-Kutta methods, and \"{}\" is none; use \"dopri5\" or another of \
                 them",
                solver.method.name
            )));
        };
        let engine = Box::<NativeEngine>::default();
        let mut objective = Objective::observing(model, data, method, observation, solver, engine)?;
        let params = objective.initial();
        if params.is_empty() {
            return Err(Error::invalid(
                "the model has no trainable parameters, so the loss has no derivatives; make some trainable first, for example \
                 f.trainable([\"a\"])",
            ));
        }
        let solved = objective.evaluate(&params, *lambda, false, None)?;
        let task = objective.into_task();
        let field = task.field(&params, *lambda)?;
        let evaluator = Evaluator::new(&field);
        let starts = task.starts(&params);
        let problems = task.problems(&starts);
        // Every problem has its own tape, and every thread tangents of its own.
        let limit = crate::memory::default_limit() / size_of::<f64>() / problems.len().max(1);
        let planes = MAX_WIDTH * rayon::current_num_threads();
        let solves = problems
            .par_iter()
            .zip(&solved.plans)
            .map(|(problem, plan)| Taped::new(&evaluator, tableau, problem, plan, (limit, planes)))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let states: Vec<&[f64]> = solves.iter().map(|s| &s.u[..]).collect();
        let compared = task.compare(&states, &starts, Against::Data);
        Ok(Hessian {
            zeros: compared.bars.iter().map(|b| vec![0.0; b.len()]).collect(),
            bars: compared.bars,
            loss: compared.loss,
            n: params.len(),
            group: solves.len().div_ceil(MAX_GROUPS).max(1),
            dense: OnceLock::new(),
            decomposed: OnceLock::new(),
            task,
            field,
            evaluator,
            solves,
        })
    }

    /// Number of parameters n.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The loss at θ.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// H v.
    ///
    /// # Errors
    /// A vector of another length than n, a number in it that is not finite, or an interrupt.
    pub fn apply(&self, v: &[f64]) -> Result<Vec<f64>> {
        self.one(v, Kind::Full)
    }

    /// H v for many vectors, several of them in one sweep over the solves.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn apply_many(&self, vectors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.many(vectors, Kind::Full)
    }

    /// The Gauss-Newton product G v: the Hessian of the loss for a solution that is linear in the parameters. For a mean of
    /// squared residuals r it is 2/n JᵀJ v, J = ∂r/∂θ. It is never negative, and equal to H where the loss vanishes.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn gauss_newton(&self, v: &[f64]) -> Result<Vec<f64>> {
        self.one(v, Kind::GaussNewton)
    }

    /// G v for many vectors.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn gauss_newton_many(&self, vectors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.many(vectors, Kind::GaussNewton)
    }

    /// The dense matrix, `[n, n]`, symmetric: rounding errors of a pair of entries are averaged.
    ///
    /// # Errors
    /// A matrix that would take too much memory, or an interrupt.
    pub fn matrix(&self) -> Result<Array2<f64>> {
        self.matrix_with(&|_, _| {})
    }

    /// [`Hessian::matrix`]; `progress(done, n)` is called as columns are done, from several threads.
    ///
    /// # Errors
    /// Those of [`Hessian::matrix`].
    pub fn matrix_with(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Array2<f64>> {
        if let Some(matrix) = self.dense.get() {
            return Ok(matrix.clone());
        }
        let n = self.n;
        let bytes = n.saturating_mul(n).saturating_mul(2 * size_of::<f64>());
        if bytes > crate::memory::default_limit() {
            return Err(Error::invalid(format!(
                "the dense Hessian of {n} parameters would take {:.1} GiB; use apply, eigenpairs or trace, which need no matrix",
                bytes as f64 / f64::from(1 << 30)
            )));
        }
        let keep = |_: usize, columns: Vec<Vec<f64>>| columns;
        let columns = self.in_blocks(n, &|r| self.units(r), Kind::Full, &keep, progress)?;
        let mut matrix = Array2::zeros((n, n));
        for (row, column) in matrix.outer_iter_mut().zip(&columns) {
            row.into_iter()
                .zip(column)
                .for_each(|(to, from)| *to = *from);
        }
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (matrix[[i, j]] + matrix[[j, i]]);
                matrix[[i, j]] = mean;
                matrix[[j, i]] = mean;
            }
        }
        if n <= DENSE_LIMIT {
            return Ok(self.dense.get_or_init(|| matrix).clone());
        }
        Ok(matrix)
    }

    fn one(&self, v: &[f64], kind: Kind) -> Result<Vec<f64>> {
        let mut all = self.many(&[v.to_vec()], kind)?;
        Ok(all.pop().unwrap_or_default())
    }

    fn many(&self, vectors: &[Vec<f64>], kind: Kind) -> Result<Vec<Vec<f64>>> {
        for v in vectors {
            if v.len() != self.n {
                return Err(Error::invalid(format!(
                    "the Hessian is of {} parameters, the vector has {} numbers",
                    self.n,
                    v.len()
                )));
            }
            if let Some(i) = v.iter().position(|x| !x.is_finite()) {
                return Err(Error::invalid(format!(
                    "the vector must be finite, and its number {i} is {}",
                    v[i]
                )));
            }
        }
        let keep = |_: usize, products: Vec<Vec<f64>>| products;
        let part = |range: Range<usize>| vectors[range].to_vec();
        self.in_blocks(vectors.len(), &part, kind, &keep, &|_, _| {})
    }

    /// Products with `count` vectors, made and used block by block; `keep` turns the products of the vectors from an index on
    /// into what is wanted of them.
    pub(super) fn in_blocks<T: Send>(
        &self,
        count: usize,
        vectors: &(dyn Fn(Range<usize>) -> Vec<Vec<f64>> + Sync),
        kind: Kind,
        keep: &(dyn Fn(usize, Vec<Vec<f64>>) -> Vec<T> + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<T>> {
        let starts: Vec<usize> = (0..count).step_by(MAX_WIDTH).collect();
        let inside = starts.len() < rayon::current_num_threads();
        let done = AtomicUsize::new(0);
        let blocks = starts
            .into_par_iter()
            .map(|first| {
                let range = first..count.min(first + MAX_WIDTH);
                let products = self.block(&vectors(range.clone()), kind, inside)?;
                progress(
                    done.fetch_add(range.len(), Ordering::Relaxed) + range.len(),
                    count,
                );
                Ok(keep(first, products))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(blocks.into_iter().flatten().collect())
    }

    /// Unit vectors.
    pub(super) fn units(&self, range: Range<usize>) -> Vec<Vec<f64>> {
        let unit = |i: usize| {
            let mut e = vec![0.0; self.n];
            e[i] = 1.0;
            e
        };
        range.map(unit).collect()
    }

    /// Products with at most [`MAX_WIDTH`] vectors of the right length; `inside`: its solves run in parallel.
    fn block(&self, vectors: &[Vec<f64>], kind: Kind, inside: bool) -> Result<Vec<Vec<f64>>> {
        let interrupt = self.task.solver().interrupt.as_ref();
        if interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Error::Interrupted);
        }
        let (evaluator, dof) = (&self.evaluator, self.evaluator.dof());
        let mut planes = evaluator.planes(vectors.len());
        let w = planes.width();
        let n_model = self.task.n_model();
        let mut directions = vec![];
        let mut start_tangents = vec![];
        for v in vectors {
            directions.extend(self.field.scatter(&v[..n_model])?);
            start_tangents.push(self.task.start_tangents(v));
        }
        let n_values = self.field.values().len();
        evaluator.move_parameters(&interleave(&directions, n_values, w), &mut planes);

        // Forward: the tangents of every solution.
        let forward = |(g, solves): (usize, &[Taped])| {
            let mut group = Group {
                planes: planes.clone(),
                sweeps: vec![],
            };
            let mut tangents = vec![];
            for (i, solve) in solves.iter().enumerate() {
                let i = g * self.group + i;
                let own: Vec<f64> = start_tangents.iter().flat_map(|s| s[i].clone()).collect();
                let u0_dot = interleave(&own, dof, w);
                let mut sweep = solve.sweep(evaluator, w);
                tangents.push(solve.forward(evaluator, &u0_dot, &mut group.planes, &mut sweep));
                group.sweeps.push(sweep);
            }
            (group, tangents)
        };
        let groups: Vec<(usize, &[Taped])> = self.solves.chunks(self.group).enumerate().collect();
        let (mut groups, tangents): (Vec<Group>, Vec<Vec<Vec<f64>>>) = match inside {
            true => groups.into_par_iter().map(forward).unzip(),
            false => groups.into_iter().map(forward).unzip(),
        };
        let tangents = tangents.concat();

        // The loss is quadratic in the solutions: the tangents of its derivatives are the same map without the data.
        let mut own = vec![];
        let mut bars: Vec<Vec<f64>> = tangents.iter().map(|t| vec![0.0; t.len()]).collect();
        for (p, starts) in start_tangents.iter().enumerate() {
            let moved: Vec<Vec<f64>> = tangents.iter().map(|t| plane(t, w, p)).collect();
            let moved: Vec<&[f64]> = moved.iter().map(Vec::as_slice).collect();
            let compared = self.task.compare(&moved, starts, Against::Zero);
            for (all, part) in bars.iter_mut().zip(&compared.bars) {
                for (to, from) in all.chunks_exact_mut(w).zip(part) {
                    to[p] = *from;
                }
            }
            own.push(compared.own);
        }

        // Back, each solve with sums of its own, added in order so that the bits do not depend on the threads.
        let values = match kind {
            Kind::Full => &self.bars,
            Kind::GaussNewton => &self.zeros,
        };
        let back = |(g, group): (usize, &mut Group)| {
            let mut sums = evaluator.second_gradient(&group.planes);
            let mut u0 = vec![];
            for (i, sweep) in group.sweeps.iter_mut().enumerate() {
                let i = g * self.group + i;
                let bars = OutputBars {
                    value: &values[i],
                    tangents: &bars[i],
                };
                let solve = &self.solves[i];
                u0.push(solve.backward(evaluator, &bars, &mut group.planes, sweep, &mut sums));
            }
            (sums, u0)
        };
        let parts: Vec<(SecondGradient, Vec<Vec<f64>>)> = match inside {
            true => groups.par_iter_mut().enumerate().map(back).collect(),
            false => groups.iter_mut().enumerate().map(back).collect(),
        };
        let mut sums = evaluator.second_gradient(&planes);
        for (part, _) in &parts {
            sums.add(part);
        }
        let all = evaluator.parameter_tangents(&mut planes, &mut sums);
        Ok((0..vectors.len())
            .map(|p| {
                let u0 = parts.iter().flat_map(|(_, u0)| u0);
                let u0: Vec<Vec<f64>> = u0.map(|u0| plane(u0, w, p)).collect();
                self.task
                    .gather(&self.field, &plane(&all, w, p), &u0, &own[p])
            })
            .collect())
    }
}

/// One plane of a vector with `w` of them.
fn plane(all: &[f64], w: usize, p: usize) -> Vec<f64> {
    all.chunks_exact(w).map(|lanes| lanes[p]).collect()
}

impl std::fmt::Debug for Hessian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hessian")
            .field("n", &self.n)
            .field("loss", &self.loss)
            .field("solves", &self.solves.len())
            .finish_non_exhaustive()
    }
}
