//! The evaluator of several samples side by side, one in each lane of a register.

use aligned_vec::{AVec, avec};

use super::forward::EvalContext;
use super::lane_gradient::LaneGradient;
use super::lane_sums::Slopes;
use super::lane_sums::error_norm::StepEnds;
use super::plain_code::PlainInputs;
use super::vjp::AdjointBuffers;
use super::{Evaluator, isa_dispatch};
use crate::field::kernels::copy;
use crate::field::kernels::sample_lanes::scatter;

/// The evaluator of a field for `P` samples side by side. Vectors are laid out `[component][lane]`: the lanes of one number are
/// contiguous.
///
/// The value, the slot and the gradient of a sample have the bits that [`Evaluator`] gives it alone, whatever is in the other lanes.
#[derive(Debug)]
pub struct LaneEvaluator<'e, const P: usize> {
    evaluator: &'e Evaluator,
    /// Values of the static program, `[component][lane]`.
    static_buffer: AVec<f64>,
    /// Constants of the program's plain code, `[constant][lane]`.
    constants: AVec<f64>,
    own_weights: Option<OwnWeights>,
}

/// Weights and biases of affine layers of each lane, `[weight][lane]`, packed and packed transposed.
#[derive(Debug)]
struct OwnWeights {
    packed: AVec<f64>,
    transposed: AVec<f64>,
}

/// Returns numbers in every lane, `[number][lane]`.
fn in_all_lanes<const P: usize>(numbers: &[f64]) -> AVec<f64> {
    let mut all = avec![0.0; P * numbers.len()];
    for (to, from) in all.chunks_exact_mut(P).zip(numbers) {
        to.fill(*from);
    }
    all
}

impl Evaluator {
    /// Returns the evaluator of `P` samples side by side, at the bound parameter values.
    pub fn sample_lanes<const P: usize>(&self) -> LaneEvaluator<'_, P> {
        let static_values = &self.static_buffer[..self.program.static_code.n_values];
        LaneEvaluator {
            evaluator: self,
            static_buffer: in_all_lanes::<P>(static_values),
            constants: in_all_lanes::<P>(&self.constants),
            own_weights: None,
        }
    }
}

impl<'e, const P: usize> LaneEvaluator<'e, P> {
    /// Gives each lane weights and biases of affine layers of its own, at first those of all. They take `P` times the memory, and only
    /// values are computed with them, no products with derivatives.
    #[must_use]
    pub fn with_own_weights(mut self) -> Self {
        self.own_weights = Some(OwnWeights {
            packed: in_all_lanes::<P>(&self.evaluator.packed_weights),
            transposed: in_all_lanes::<P>(&self.evaluator.transposed_weights),
        });
        self
    }

    /// Gives lane `p` the parameter values of another evaluator of the same program. Its weights and biases of affine layers are those
    /// of this one ([`Evaluator::has_weights_of`]) unless lanes have [their own](LaneEvaluator::with_own_weights).
    pub fn set_lane(&mut self, p: usize, from: &Evaluator) {
        scatter::<P>(&from.static_buffer, p, &mut self.static_buffer);
        scatter::<P>(&from.constants, p, &mut self.constants);
        if let Some(own) = &mut self.own_weights {
            scatter::<P>(&from.packed_weights, p, &mut own.packed);
            scatter::<P>(&from.transposed_weights, p, &mut own.transposed);
        }
    }

    /// Returns the evaluator of one sample alone, at the parameter values that lanes have unless [`LaneEvaluator::set_lane`] gave them
    /// others.
    pub fn alone(&self) -> &'e Evaluator {
        self.evaluator
    }

    /// Returns the length of a slot of all lanes, P times [`Evaluator::slot_len`].
    pub fn slot_len(&self) -> usize {
        P * self.evaluator.slot_len()
    }

    fn context<'a>(
        &'a self,
        (samples, t): (&[usize; P], &[f64; P]),
        u: &'a [f64],
    ) -> EvalContext<'a, P> {
        let Evaluator {
            program,
            signals,
            values,
            packed_weights,
            transposed_weights,
            ..
        } = self.evaluator;
        let (packed, transposed) = match &self.own_weights {
            Some(own) => (&own.packed, &own.transposed),
            None => (packed_weights, transposed_weights),
        };
        EvalContext {
            isa: self.evaluator.isa,
            params: values,
            packed,
            transposed,
            own_weights: self.own_weights.is_some(),
            affines: &program.affines,
            static_buffer: &self.static_buffer,
            signals,
            samples: *samples,
            t: *t,
            u,
        }
    }

    /// Evaluates du/dt of every lane's sample at its time into `out`, `[dof, P]`, where u is `[dof, P]`. With `TAPE` stores in `slot`
    /// what the VJP needs; else that is storage.
    pub fn eval<const TAPE: bool>(
        &self,
        (samples, t): (&[usize; P], &[f64; P]),
        u: &[f64],
        slot: &mut [f64],
        out: &mut [f64],
    ) {
        let Evaluator { program, isa, .. } = self.evaluator;
        if let (false, Some(scalar)) = (TAPE, &program.scalar) {
            let inputs = PlainInputs {
                isa: *isa,
                constants: &self.constants,
                t,
                u,
            };
            return isa_dispatch::plain::<P>(*isa, &scalar.plain, &inputs, slot, out);
        }
        let context = self.context((samples, t), u);
        isa_dispatch::forward::<TAPE, P>(*isa, &program.dynamic_code, &context, slot);
        let at = program.output;
        let from = match at.is_static {
            true => &self.static_buffer,
            false => &*slot,
        };
        copy(&from[P * at.offset..P * (at.offset + at.len)], out);
    }

    /// Computes `out = u + h Σ_j a_j k_j` in every lane, `[dof, P]`, each with its own h.
    pub fn weighted_sum(&self, u: &[f64], slopes: &Slopes<P>, out: &mut [f64]) {
        isa_dispatch::weighted_sum::<P>(self.evaluator.isa, u, slopes, out);
    }

    /// Returns the norm of the error `h Σ_j a_j k_j` of a step in every lane.
    pub fn error_norm(&self, ends: &StepEnds, slopes: &Slopes<P>) -> [f64; P] {
        let mut norms = [0.0; P];
        isa_dispatch::error_norm::<P>(self.evaluator.isa, ends, slopes, &mut norms);
        norms
    }

    /// Returns in which lanes all numbers are finite; `x` is `[number, P]`.
    pub fn all_finite(&self, x: &[f64]) -> [bool; P] {
        let mut finite = [true; P];
        isa_dispatch::all_finite::<P>(self.evaluator.isa, x, &mut finite);
        finite
    }

    /// Computes `to_j += h a_j x` in every lane: the transpose of [`LaneEvaluator::weighted_sum`].
    pub fn add_outer(&self, h: &[f64; P], a: &[f64], x: &[f64], to: &mut [f64]) {
        isa_dispatch::add_outer::<P>(self.evaluator.isa, h, a, x, to);
    }

    /// Vector-Jacobian products over a taped slot: writes `barᵀ ∂f/∂u` of every live lane to `u_bar`, `[dof, P]`, and adds
    /// `barᵀ ∂f/∂θ` to the lane's `gradient`; `u_bar` of a lane that is not live is zero. `bar` is `[dof, P]`.
    pub fn vjp(
        &self,
        slot: &[f64],
        (bar, live): (&[f64], [bool; P]),
        u_bar: &mut [f64],
        gradient: &mut LaneGradient<P>,
    ) {
        let Evaluator { program, isa, .. } = self.evaluator;
        let LaneGradient {
            buffer_adjoint,
            static_adjoint,
            packed,
            outer_products,
            scratch,
        } = gradient;
        u_bar.fill(0.0);
        let out = program.output;
        let at = P * out.offset..P * (out.offset + out.len);
        let seed = |to: &mut [f64], add: bool| {
            for (to, bar) in to.chunks_exact_mut(P).zip(bar.chunks_exact(P)) {
                for p in 0..P {
                    let bar = if live[p] { bar[p] } else { 0.0 };
                    to[p] = if add { to[p] + bar } else { bar };
                }
            }
        };
        if out.is_static {
            return seed(&mut static_adjoint[at], true);
        }
        for &(from, to) in &program.dynamic_code.zeroed_ranges {
            buffer_adjoint[P * from..P * to].fill(0.0);
        }
        seed(&mut buffer_adjoint[at], false);
        let mut adjoints = AdjointBuffers {
            buffer: buffer_adjoint,
            static_buffer: static_adjoint,
            packed,
            outer_products,
            params: &mut [],
            u: u_bar,
            t: None,
            scratch,
            live,
        };
        // Sample and time matter for the adjoint of the time alone, which is not wanted here.
        let context = self.context((&[0; P], &[0.0; P]), &[]);
        isa_dispatch::vjp::<P>(*isa, &program.dynamic_code, &context, slot, &mut adjoints);
    }
}
