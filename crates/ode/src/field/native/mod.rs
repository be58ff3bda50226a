//! The native engine: a field's program with its parameters bound, and its value, VJP and JVP.
//!
//! An evaluation writes into a *slot*, a slice of [`Evaluator::slot_len`] numbers that the caller owns. A taped
//! evaluation leaves there all that the VJP and the JVP need, so a solver keeps one slot for each stage it may have to
//! walk back over. Nothing is allocated after binding. Weights and slots are aligned, since a register that is loaded across two
//! lines of the cache takes twice as long.

mod compiled;
mod jvp;
mod padding;
mod pending;
mod planes;
mod program;
mod readers;
mod second;
mod value;
mod vjp;

pub use planes::{Bars, MAX_WIDTH, Planes, SecondGradient, interleave};
pub use program::Program;

use std::sync::Arc;

use aligned_vec::{AVec, avec};

use super::kernels::{Isa, copy};
use super::signal::Signal;
use pending::Pending;
use value::Inputs;
use vjp::Adjoints;

/// A field ready to be evaluated: its program and its parameters, weights laid out for speed.
#[derive(Debug, Clone)]
pub struct Evaluator {
    program: Arc<Program>,
    signals: Vec<Arc<dyn Signal>>,
    values: Arc<Vec<f64>>,
    bound: AVec<f64>,
    turned: AVec<f64>,
    fixed: Vec<f64>,
    dof: usize,
    isa: Isa,
}

/// Sums of adjoints over many VJPs, and the work space of one.
#[derive(Debug, Clone)]
pub struct Gradient {
    own: AVec<f64>,
    fixed: Vec<f64>,
    bound: AVec<f64>,
    /// Outer products that wait to be added to `bound`.
    pending: Vec<Pending>,
    program: Arc<Program>,
    isa: Isa,
    rate: Vec<f64>,
}

impl Evaluator {
    /// Binds these values of all parameter blocks.
    pub(super) fn of(
        program: Arc<Program>,
        signals: Vec<Arc<dyn Signal>>,
        dof: usize,
        values: &[f64],
    ) -> Self {
        let mut evaluator = Evaluator {
            signals,
            values: Arc::new(vec![]),
            bound: avec![0.0; program.n_bound],
            turned: avec![0.0; program.n_turned],
            fixed: vec![0.0; program.fixed.len],
            dof,
            isa: Isa::current(),
            program,
        };
        evaluator.bind(values);
        evaluator
    }

    /// Binds other values of all parameter blocks.
    pub fn bind(&mut self, values: &[f64]) {
        self.values = Arc::new(values.to_vec());
        for affine in &self.program.affines {
            for (from, to) in affine.places() {
                self.bound[to] = values[from];
            }
            if let Some(range) = affine.turned() {
                let to = &mut self.turned[range];
                for o in 0..affine.out {
                    for j in 0..affine.inputs {
                        to[affine.place_turned(o, j)] =
                            values[affine.weight + o * affine.inputs + j];
                    }
                }
            }
        }
        let mut fixed = std::mem::take(&mut self.fixed);
        let inputs = self.inputs(0, 0.0, &[]);
        compiled::value::<true>(self.isa, &self.program.fixed, &inputs, &mut fixed);
        self.fixed = fixed;
    }

    /// Number of state variables.
    pub fn dof(&self) -> usize {
        self.dof
    }

    /// Length of a slot.
    pub fn slot_len(&self) -> usize {
        self.program.dynamic.len
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The same with another instruction set; one that the processor lacks is not taken.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        if isa.available() {
            self.isa = isa;
        }
        self
    }

    fn inputs<'a>(&'a self, sample: usize, t: f64, u: &'a [f64]) -> Inputs<'a> {
        Inputs {
            values: &self.values,
            bound: &self.bound,
            turned: &self.turned,
            affines: &self.program.affines,
            fixed: &self.fixed,
            signals: &self.signals,
            sample,
            t,
            u,
        }
    }

    /// du/dt of one sample into `out`, without a tape.
    #[inline]
    pub fn value(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], out: &mut [f64]) {
        let inputs = self.inputs(sample, t, u);
        compiled::value::<false>(self.isa, &self.program.dynamic, &inputs, slot);
        copy(self.output(slot), out);
    }

    /// du/dt of one sample into `out`, leaving in `slot` what the VJP and the JVP need.
    #[inline]
    pub fn taped(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], out: &mut [f64]) {
        let inputs = self.inputs(sample, t, u);
        compiled::value::<true>(self.isa, &self.program.dynamic, &inputs, slot);
        copy(self.output(slot), out);
    }

    fn output<'a>(&'a self, slot: &'a [f64]) -> &'a [f64] {
        let out = self.program.output;
        let from = if out.fixed { &self.fixed } else { slot };
        &from[out.at..out.at + out.len]
    }

    /// An empty sum of gradients.
    pub fn gradient(&self) -> Gradient {
        Gradient {
            own: avec![0.0; self.program.dynamic.n_values],
            fixed: vec![0.0; self.program.fixed.n_values],
            bound: avec![0.0; self.program.n_bound],
            pending: self.program.affines.iter().map(Pending::new).collect(),
            program: self.program.clone(),
            isa: self.isa,
            rate: vec![0.0; self.program.longest],
        }
    }

    /// Vector-Jacobian product over a taped slot: adds `barᵀ ∂f/∂u` to `u_bar`, `barᵀ ∂f/∂t` to `t_bar` where wanted, and
    /// the parameters' part to `gradient`.
    pub fn vjp(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        bar: &[f64],
        u_bar: &mut [f64],
        t_bar: Option<&mut f64>,
        gradient: &mut Gradient,
    ) {
        let Gradient {
            own,
            fixed,
            bound,
            pending,
            rate,
            ..
        } = gradient;
        let out = self.program.output;
        if out.fixed {
            for (to, from) in fixed[out.at..out.at + out.len].iter_mut().zip(bar) {
                *to += from;
            }
            return;
        }
        for &(from, to) in &self.program.dynamic.cleared {
            own[from..to].fill(0.0);
        }
        copy(bar, &mut own[out.at..out.at + out.len]);
        let mut adjoints = Adjoints {
            own,
            fixed,
            bound,
            pending,
            values: &mut [],
            u: u_bar,
            t: t_bar,
            rate,
        };
        compiled::vjp(
            self.isa,
            &self.program.dynamic,
            &self.inputs(sample, t, &[]),
            slot,
            &mut adjoints,
        );
    }

    /// The gradient with respect to the values of all blocks, `[n]`, of what was summed up.
    pub fn parameter_gradient(&self, mut gradient: Gradient) -> Vec<f64> {
        let mut all = vec![0.0; self.values.len()];
        let mut adjoints = Adjoints {
            own: &mut gradient.fixed,
            fixed: &mut [],
            bound: &mut gradient.bound,
            pending: &mut gradient.pending,
            values: &mut all,
            u: &mut [],
            t: None,
            rate: &mut [],
        };
        compiled::vjp(
            self.isa,
            &self.program.fixed,
            &self.inputs(0, 0.0, &[]),
            &self.fixed,
            &mut adjoints,
        );
        gradient.flush();
        for affine in &self.program.affines {
            for (to, from) in affine.places() {
                all[to] += gradient.bound[from];
            }
        }
        all
    }
}

impl Gradient {
    /// Adds another sum of the same evaluator.
    pub fn add(&mut self, other: &Gradient) {
        self.flush();
        for (to, from) in [
            (&mut self.fixed[..], &other.fixed[..]),
            (&mut self.bound, &other.bound),
        ] {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        // Nothing waits here any more, so what waits there takes its place.
        self.pending.clone_from(&other.pending);
    }

    fn flush(&mut self) {
        let affines = &self.program.affines;
        compiled::flush(self.isa, affines, &mut self.pending, &mut self.bound);
    }

    /// Sets the sums back to zero.
    pub fn clear(&mut self) {
        self.fixed.fill(0.0);
        self.bound.fill(0.0);
        self.pending.iter_mut().for_each(Pending::clear);
    }
}
