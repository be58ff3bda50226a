//! The native evaluator: a field's compiled program with its parameters bound, and its value, VJP and JVP.
//!
//! An evaluation writes into a *slot*, a slice of [`Evaluator::slot_len`] numbers that the caller owns. A taped evaluation
//! stores there all that the VJP and the JVP need, so a solver has one slot for each stage that its backward pass needs.
//! Nothing is allocated after binding. Weights and slots are aligned, since to load a register across two cache lines takes
//! twice as long.

mod forward;
mod forward_over_reverse;
mod isa_dispatch;
mod jvp;
mod lane_evaluator;
mod lane_gradient;
mod lane_sums;
mod lane_vjp;
mod multiversioned;
mod outer_product_batch;
mod padding;
mod plain_code;
mod plain_code_tables;
mod plain_code_translation;
mod program;
mod scalar_code;
mod scalar_jvp;
mod scalar_taped;
mod scalar_vjp;
mod tangent_lanes;
mod unary_number;
mod value_uses;
mod vjp;

pub use lane_evaluator::LaneEvaluator;
pub use lane_gradient::LaneGradient;
pub use lane_sums::{Slopes, error_norm::StepEnds};
pub use program::Program;
pub use tangent_lanes::{
    DualCotangent, MAX_LANES, ParamGradientTangents, TangentLanes, interleave,
};

use std::sync::Arc;

use aligned_vec::{AVec, avec};

use super::kernels::{Isa, copy};
use super::signal::Signal;
use forward::EvalContext;
use outer_product_batch::OuterProductBatch;
use plain_code::PlainInputs;
use scalar_code::ScalarCode;
use scalar_taped::TapedInputs;
use vjp::AdjointBuffers;

/// The evaluator of a field: its compiled program and its parameter values, with weights packed for speed.
#[derive(Debug, Clone)]
pub struct Evaluator {
    program: Arc<Program>,
    signals: Vec<Arc<dyn Signal>>,
    values: Arc<Vec<f64>>,
    packed_weights: AVec<f64>,
    transposed_weights: AVec<f64>,
    static_buffer: Vec<f64>,
    /// Constants of the program's plain code.
    constants: Vec<f64>,
    slot_len: usize,
    dof: usize,
    isa: Isa,
}

/// The gradient with respect to the parameters, summed over many VJPs, and the work space of one VJP.
#[derive(Debug, Clone)]
pub struct ParamGradient {
    buffer_adjoint: AVec<f64>,
    static_adjoint: Vec<f64>,
    packed_adjoint: AVec<f64>,
    /// Outer products that are not yet added to `packed_adjoint`, for each affine layer.
    outer_products: Vec<OuterProductBatch>,
    program: Arc<Program>,
    isa: Isa,
    signal_dt: Vec<f64>,
}

impl Evaluator {
    /// Creates the evaluator of a program with these values of all parameter blocks.
    pub(super) fn from_program(
        program: Arc<Program>,
        signals: Vec<Arc<dyn Signal>>,
        dof: usize,
        values: &[f64],
    ) -> Self {
        let mut evaluator = Evaluator {
            signals,
            values: Arc::new(vec![]),
            packed_weights: avec![0.0; program.n_packed],
            transposed_weights: avec![0.0; program.n_transposed],
            static_buffer: vec![0.0; program.static_code.len],
            constants: vec![],
            slot_len: program.slot_len(),
            dof,
            isa: Isa::current(),
            program,
        };
        evaluator.bind(values);
        evaluator
    }

    /// Binds these values of all parameter blocks and runs the static program.
    pub fn bind(&mut self, values: &[f64]) {
        self.values = Arc::new(values.to_vec());
        for affine in &self.program.affines {
            for (from, to) in affine.param_to_packed() {
                self.packed_weights[to] = values[from];
            }
            if let Some(range) = affine.transposed_range() {
                let to = &mut self.transposed_weights[range];
                for o in 0..affine.out {
                    for j in 0..affine.inputs {
                        to[affine.transposed_index(o, j)] =
                            values[affine.weight + o * affine.inputs + j];
                    }
                }
            }
        }
        let mut static_buffer = std::mem::take(&mut self.static_buffer);
        let context = self.context(0, 0.0, &[]);
        let code = &self.program.static_code;
        isa_dispatch::forward::<true, 1>(self.isa, code, &context, &mut static_buffer);
        self.static_buffer = static_buffer;
        if let Some(scalar) = &self.program.scalar {
            self.constants = scalar.plain.bind(&self.static_buffer);
        }
    }

    /// Returns the number of packed weights and biases of all affine layers.
    pub fn n_weights(&self) -> usize {
        self.packed_weights.len() + self.transposed_weights.len()
    }

    /// Whether the weights and biases of all affine layers are those of another evaluator of the same program.
    pub fn has_weights_of(&self, other: &Evaluator) -> bool {
        self.packed_weights == other.packed_weights
    }

    /// Returns the number of state variables.
    pub fn dof(&self) -> usize {
        self.dof
    }

    /// Returns the number of values of all parameter blocks.
    pub fn n_values(&self) -> usize {
        self.values.len()
    }

    /// Returns the length of a slot.
    pub fn slot_len(&self) -> usize {
        self.slot_len
    }

    /// Whether values are computed by plain code: a field of few numbers, without layers.
    pub fn has_plain_code(&self) -> bool {
        self.program.scalar.is_some()
    }

    /// Returns the instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Sets the instruction set; one that the processor lacks is ignored.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        if isa.available() {
            self.isa = isa;
        }
        self
    }

    fn context<'a>(&'a self, sample: usize, t: f64, u: &'a [f64]) -> EvalContext<'a, 1> {
        EvalContext {
            isa: self.isa,
            params: &self.values,
            packed: &self.packed_weights,
            transposed: &self.transposed_weights,
            own_weights: false,
            affines: &self.program.affines,
            static_buffer: &self.static_buffer,
            signals: &self.signals,
            samples: [sample],
            t: [t],
            u,
        }
    }

    /// Evaluates du/dt of one sample into `out`, without a tape.
    #[inline]
    pub fn eval(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], out: &mut [f64]) {
        if let Some(scalar) = &self.program.scalar {
            let inputs = PlainInputs {
                isa: self.isa,
                constants: &self.constants,
                t: &[t],
                u,
            };
            return isa_dispatch::plain(self.isa, &scalar.plain, &inputs, slot, out);
        }
        self.run_vectors::<false>((sample, t), u, slot);
        copy(self.output(slot), out);
    }

    /// Runs the vector program; out of line, so that an evaluation by scalar code has nothing to do with it.
    #[inline(never)]
    fn run_vectors<const TAPE: bool>(
        &self,
        (sample, t): (usize, f64),
        u: &[f64],
        slot: &mut [f64],
    ) {
        let context = self.context(sample, t, u);
        isa_dispatch::forward::<TAPE, 1>(self.isa, &self.program.dynamic_code, &context, slot);
    }

    /// Evaluates du/dt of one sample into `out` and stores in `slot` what the VJP and the JVP need.
    #[inline]
    pub fn eval_taped(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], out: &mut [f64]) {
        match &self.program.scalar {
            Some(scalar) => {
                let inputs = TapedInputs {
                    isa: self.isa,
                    static_buffer: &self.static_buffer,
                    t,
                    u,
                };
                isa_dispatch::scalar_taped(self.isa, scalar, &inputs, slot);
            }
            None => self.run_vectors::<true>((sample, t), u, slot),
        }
        copy(self.output(slot), out);
    }

    fn output<'a>(&'a self, slot: &'a [f64]) -> &'a [f64] {
        let out = self.program.output;
        let from = if out.is_static {
            &self.static_buffer
        } else {
            slot
        };
        &from[out.offset..out.offset + out.len]
    }

    /// Returns a parameter gradient of zero, to be summed over VJPs.
    pub fn zero_gradient(&self) -> ParamGradient {
        ParamGradient {
            buffer_adjoint: avec![0.0; self.program.dynamic_code.n_values],
            static_adjoint: vec![0.0; self.program.static_code.n_values],
            packed_adjoint: avec![0.0; self.program.n_packed],
            outer_products: self
                .program
                .affines
                .iter()
                .map(OuterProductBatch::new)
                .collect(),
            program: self.program.clone(),
            isa: self.isa,
            signal_dt: vec![0.0; self.program.max_len],
        }
    }

    /// Vector-Jacobian product over a taped slot: adds `barᵀ ∂f/∂u` to `u_bar`, `barᵀ ∂f/∂t` to `t_bar` where that is given, and
    /// `barᵀ ∂f/∂θ` to `gradient`.
    pub fn vjp(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        bar: &[f64],
        u_bar: &mut [f64],
        t_bar: Option<&mut f64>,
        gradient: &mut ParamGradient,
    ) {
        let ParamGradient {
            buffer_adjoint,
            static_adjoint,
            packed_adjoint,
            outer_products,
            signal_dt,
            ..
        } = gradient;
        let out = self.program.output;
        if out.is_static {
            let output_adjoint = &mut static_adjoint[out.offset..out.offset + out.len];
            for (to, from) in output_adjoint.iter_mut().zip(bar) {
                *to += from;
            }
            return;
        }
        for &(from, to) in &self.program.dynamic_code.zeroed_ranges {
            buffer_adjoint[from..to].fill(0.0);
        }
        copy(bar, &mut buffer_adjoint[out.offset..out.offset + out.len]);
        let mut adjoints = AdjointBuffers {
            buffer: buffer_adjoint,
            static_buffer: static_adjoint,
            packed: packed_adjoint,
            outer_products,
            params: &mut [],
            u: u_bar,
            t: t_bar,
            scratch: signal_dt,
            live: [true],
        };
        if let Some(ScalarCode { adjoint, .. }) = &self.program.scalar {
            let values = &self.static_buffer;
            return isa_dispatch::scalar_vjp(self.isa, adjoint, values, slot, &mut adjoints);
        }
        isa_dispatch::vjp(
            self.isa,
            &self.program.dynamic_code,
            &self.context(sample, t, &[]),
            slot,
            &mut adjoints,
        );
    }

    /// Returns the summed gradient with respect to the values of all parameter blocks, `[n]`.
    pub fn parameter_gradient(&self, mut gradient: ParamGradient) -> Vec<f64> {
        let mut all = vec![0.0; self.values.len()];
        self.take_parameter_gradient(&mut gradient, &mut all);
        all
    }

    /// Writes the summed gradient with respect to the values of all parameter blocks into `all`, `[n]`, and sets `gradient` to
    /// zero.
    pub fn take_parameter_gradient(&self, gradient: &mut ParamGradient, all: &mut [f64]) {
        all.fill(0.0);
        let mut adjoints = AdjointBuffers {
            buffer: &mut gradient.static_adjoint,
            static_buffer: &mut [],
            packed: &mut gradient.packed_adjoint,
            outer_products: &mut gradient.outer_products,
            params: all,
            u: &mut [],
            t: None,
            scratch: &mut [],
            live: [true],
        };
        isa_dispatch::vjp(
            self.isa,
            &self.program.static_code,
            &self.context(0, 0.0, &[]),
            &self.static_buffer,
            &mut adjoints,
        );
        gradient.flush();
        for affine in &self.program.affines {
            affine.add_unpacked(&gradient.packed_adjoint, all);
        }
        gradient.clear();
    }
}

impl ParamGradient {
    /// Adds another gradient of the same evaluator.
    pub fn add(&mut self, other: &ParamGradient) {
        self.flush();
        for (to, from) in [
            (&mut self.static_adjoint[..], &other.static_adjoint[..]),
            (&mut self.packed_adjoint, &other.packed_adjoint),
        ] {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        // The batches of this gradient are empty after the flush, so those of the other one replace them.
        self.outer_products.clone_from(&other.outer_products);
    }

    /// Adds the outer products of all batches to `packed_adjoint`.
    fn flush(&mut self) {
        let affines = &self.program.affines;
        isa_dispatch::flush(
            self.isa,
            affines,
            &mut self.outer_products,
            &mut self.packed_adjoint,
        );
    }

    /// Sets the gradient to zero.
    pub fn clear(&mut self) {
        self.static_adjoint.fill(0.0);
        self.packed_adjoint.fill(0.0);
        self.outer_products
            .iter_mut()
            .for_each(OuterProductBatch::clear);
    }
}
