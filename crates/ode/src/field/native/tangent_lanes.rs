//! Tangent lanes: first and second derivatives of an evaluation along several directions at once, without allocating.
//!
//! Vectors with tangent lanes are laid out `[component][lane]`: the lanes of one number are contiguous, so that SIMD
//! instructions work across them and a weight is loaded once for all lanes.

use super::Evaluator;
use super::forward_over_reverse::{self, ValueTangents};
use super::isa_dispatch;
use super::jvp::InputTangents;

/// Numbers of tangent lanes that one pass can compute.
const LANE_COUNTS: [usize; 3] = [1, 4, 8];

/// Largest number of tangent lanes that one pass can compute.
pub const MAX_LANES: usize = 8;

/// The tangents of all values of an evaluation along several directions, and the work space for them.
#[derive(Debug, Clone)]
pub struct TangentLanes {
    width: usize,
    buffer: Vec<f64>,
    static_buffer: Vec<f64>,
    /// Tangents of the packed weights and biases; empty where the parameters' tangents are zero.
    packed: Vec<f64>,
    t: [f64; MAX_LANES],
    scratch: Vec<f64>,
}

impl TangentLanes {
    /// Returns the number of lanes, w in the shapes `[…, w]`.
    pub fn width(&self) -> usize {
        self.width
    }

    fn time_tangents<const P: usize>(&self) -> [f64; P] {
        std::array::from_fn(|p| self.t[p])
    }
}

/// The tangents of the gradient with respect to the parameters, summed over many VJPs, and the work space of one VJP.
#[derive(Debug, Clone)]
pub struct ParamGradientTangents {
    buffer_adjoint: Vec<f64>,
    buffer_adjoint_dot: Vec<f64>,
    static_adjoint: Vec<f64>,
    static_adjoint_dot: Vec<f64>,
    packed_adjoint_dot: Vec<f64>,
}

impl ParamGradientTangents {
    /// Adds other sums of the same evaluator and number of lanes.
    pub fn add(&mut self, other: &ParamGradientTangents) {
        add(&other.static_adjoint, &mut self.static_adjoint);
        add(&other.static_adjoint_dot, &mut self.static_adjoint_dot);
        add(&other.packed_adjoint_dot, &mut self.packed_adjoint_dot);
    }

    /// Sets the sums to zero.
    pub fn clear(&mut self) {
        for sums in [
            &mut self.static_adjoint,
            &mut self.static_adjoint_dot,
            &mut self.packed_adjoint_dot,
        ] {
            sums.fill(0.0);
        }
    }
}

/// An adjoint v̄, `[n]`, and its tangents v̄˙, `[n, w]`.
#[derive(Debug)]
pub struct DualCotangent<'a> {
    /// The adjoint v̄, `[n]`.
    pub value: &'a mut [f64],
    /// The tangents v̄˙ of the adjoint, `[n, w]`.
    pub tangents: &'a mut [f64],
}

/// Calls a function with the number of lanes as a constant.
macro_rules! with_width {
    ($width:expr, $P:ident => $call:expr) => {
        match $width {
            1 => {
                const $P: usize = 1;
                $call
            }
            4 => {
                const $P: usize = 4;
                $call
            }
            _ => {
                const $P: usize = MAX_LANES;
                $call
            }
        }
    };
}

fn lanes<const P: usize>(flat: &[f64]) -> &[[f64; P]] {
    flat.as_chunks().0
}

fn lanes_mut<const P: usize>(flat: &mut [f64]) -> &mut [[f64; P]] {
    flat.as_chunks_mut().0
}

impl Evaluator {
    /// Allocates the tangent lanes for this many directions, or for as many of them as one pass can compute ([`MAX_LANES`]);
    /// see [`TangentLanes::width`]. The parameters' tangents are zero until [`Evaluator::set_param_tangents`].
    pub fn tangent_lanes(&self, directions: usize) -> TangentLanes {
        let width = LANE_COUNTS
            .into_iter()
            .find(|w| *w >= directions)
            .unwrap_or(MAX_LANES);
        TangentLanes {
            width,
            buffer: vec![0.0; width * self.program.dynamic_code.n_values],
            static_buffer: vec![0.0; width * self.program.static_code.n_values],
            packed: vec![],
            t: [0.0; MAX_LANES],
            scratch: vec![0.0; 2 * self.program.max_len],
        }
    }

    /// Sets the tangents θ̇ of all parameter values, `[n, w]`.
    pub fn set_param_tangents(&self, values_dot: &[f64], tangent_lanes: &mut TangentLanes) {
        let w = tangent_lanes.width;
        tangent_lanes.packed.resize(w * self.program.n_packed, 0.0);
        for affine in &self.program.affines {
            for (from, to) in affine.param_to_packed() {
                tangent_lanes.packed[w * to..w * (to + 1)]
                    .copy_from_slice(&values_dot[w * from..w * (from + 1)]);
            }
        }
        let TangentLanes {
            static_buffer,
            packed,
            scratch,
            ..
        } = tangent_lanes;
        with_width!(w, P => {
            let tangents = InputTangents::<P> {
                u: &[],
                t: [0.0; P],
                params: lanes(values_dot),
                packed: lanes(packed),
                static_buffer: &[],
            };
            let inputs = self.context(0, 0.0, &[]);
            isa_dispatch::jvp(self.isa, &self.program.static_code, &inputs, &self.static_buffer, &tangents, scratch, lanes_mut(static_buffer));
        });
    }

    /// Computes the Jacobian-vector products `∂f/∂u u̇ + ∂f/∂t ṫ + ∂f/∂θ θ̇` over a taped slot into `out`, `[dof, w]`. `u_dot` is
    /// `[dof, w]`; `t_dot` is `[w]`, or empty where ṫ = 0; θ̇ was set by [`Evaluator::set_param_tangents`].
    ///
    /// Afterwards `tangent_lanes` holds the tangents that [`Evaluator::vjp_with_tangents`] needs.
    pub fn jvp_lanes(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        u_dot: &[f64],
        t_dot: &[f64],
        tangent_lanes: &mut TangentLanes,
        out: &mut [f64],
    ) {
        let w = tangent_lanes.width;
        tangent_lanes.t = [0.0; MAX_LANES];
        tangent_lanes.t[..t_dot.len()].copy_from_slice(t_dot);
        with_width!(w, P => {
            let time = tangent_lanes.time_tangents();
            let TangentLanes { buffer, static_buffer, packed, scratch, .. } = tangent_lanes;
            let tangents = InputTangents::<P> {
                u: lanes(u_dot),
                t: time,
                params: &[],
                packed: lanes(packed),
                static_buffer: lanes(static_buffer),
            };
            match &self.program.scalar {
                Some(code) => isa_dispatch::scalar_jvp(self.isa, code, &self.static_buffer, slot, &tangents, lanes_mut(buffer)),
                None => {
                    let inputs = self.context(sample, t, &[]);
                    isa_dispatch::jvp(self.isa, &self.program.dynamic_code, &inputs, slot, &tangents, scratch, lanes_mut(buffer));
                }
            }
        });
        let at = self.program.output;
        let from = if at.is_static {
            &tangent_lanes.static_buffer
        } else {
            &tangent_lanes.buffer
        };
        out.copy_from_slice(&from[w * at.offset..w * (at.offset + at.len)]);
    }

    /// Computes the Jacobian ∂f/∂u over a taped slot into `jacobian`, `[dof, dof]` row by row, and ∂f/∂t into `df_dt`, `[dof]`.
    /// `tangent_lanes` may have any number of lanes, but no parameter tangents; `scratch` is work space that grows as needed.
    pub fn jacobian(
        &self,
        place: (usize, f64),
        slot: &[f64],
        tangent_lanes: &mut TangentLanes,
        scratch: &mut Vec<f64>,
        jacobian: &mut [f64],
        df_dt: &mut [f64],
    ) {
        let (dof, w) = (self.dof, tangent_lanes.width);
        scratch.resize(2 * dof * w, 0.0);
        let (u_dot, out) = scratch.split_at_mut(dof * w);
        // The last direction is that of the time.
        for first in (0..=dof).step_by(w) {
            let mut t_dot = [0.0; MAX_LANES];
            u_dot.fill(0.0);
            for p in 0..w.min(dof + 1 - first) {
                match first + p {
                    i if i < dof => u_dot[i * w + p] = 1.0,
                    _ => t_dot[p] = 1.0,
                }
            }
            self.jvp_lanes(place, slot, u_dot, &t_dot[..w], tangent_lanes, out);
            for p in 0..w.min(dof + 1 - first) {
                for row in 0..dof {
                    match first + p {
                        i if i < dof => jacobian[row * dof + i] = out[row * w + p],
                        _ => df_dt[row] = out[row * w + p],
                    }
                }
            }
        }
    }

    /// Returns sums of zero for this number of lanes.
    pub fn zero_gradient_tangents(&self, tangent_lanes: &TangentLanes) -> ParamGradientTangents {
        let (w, program) = (tangent_lanes.width, &self.program);
        ParamGradientTangents {
            buffer_adjoint: vec![0.0; program.dynamic_code.n_values],
            buffer_adjoint_dot: vec![0.0; w * program.dynamic_code.n_values],
            static_adjoint: vec![0.0; program.static_code.n_values],
            static_adjoint_dot: vec![0.0; w * program.static_code.n_values],
            packed_adjoint_dot: vec![0.0; w * program.n_packed],
        }
    }

    /// Computes the vector-Jacobian product over a taped slot and its tangents, where `tangent_lanes` holds the tangents that
    /// [`Evaluator::jvp_lanes`] computed for this slot. For the cotangent `bar`, `[dof]`, and its tangents `bar_dot`, `[dof, w]`,
    /// it adds ū = barᵀ ∂f/∂u and ū˙ to `u`, t̄ = barᵀ ∂f/∂t and t̄˙ to `t_bars` where that is given, and the parameters' part
    /// to `sums`.
    #[allow(clippy::too_many_arguments)]
    pub fn vjp_with_tangents(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        tangent_lanes: &mut TangentLanes,
        (bar, bar_dot): (&[f64], &[f64]),
        u: DualCotangent,
        t_bars: Option<DualCotangent>,
        sums: &mut ParamGradientTangents,
    ) {
        let (w, out) = (tangent_lanes.width, self.program.output);
        let (at, at_dot) = (
            out.offset..out.offset + out.len,
            w * out.offset..w * (out.offset + out.len),
        );
        if out.is_static {
            add(bar, &mut sums.static_adjoint[at]);
            add(bar_dot, &mut sums.static_adjoint_dot[at_dot]);
            return;
        }
        sums.buffer_adjoint.fill(0.0);
        sums.buffer_adjoint_dot.fill(0.0);
        sums.buffer_adjoint[at].copy_from_slice(bar);
        sums.buffer_adjoint_dot[at_dot].copy_from_slice(bar_dot);
        with_width!(w, P => {
            let time = tangent_lanes.time_tangents();
            let TangentLanes { buffer, static_buffer, packed, scratch, .. } = tangent_lanes;
            let tangents = ValueTangents::<P> { buffer: lanes(buffer), static_buffer: lanes(static_buffer), packed: lanes(packed), t: time };
            let t_bars = t_bars.and_then(|t| match (t.value, lanes_mut(t.tangents)) {
                ([t], [t_dot]) => Some((t, t_dot)),
                _ => None,
            });
            let mut adjoints = forward_over_reverse::AdjointTangentBuffers::<P> {
                buffer: &mut sums.buffer_adjoint,
                buffer_dot: lanes_mut(&mut sums.buffer_adjoint_dot),
                static_buffer: &mut sums.static_adjoint,
                static_buffer_dot: lanes_mut(&mut sums.static_adjoint_dot),
                packed_dot: lanes_mut(&mut sums.packed_adjoint_dot),
                params_dot: &mut [],
                u: u.value,
                u_dot: lanes_mut(u.tangents),
                t: t_bars,
            };
            let inputs = self.context(sample, t, &[]);
            isa_dispatch::forward_over_reverse(self.isa, &self.program.dynamic_code, &inputs, slot, &tangents, scratch, &mut adjoints);
        });
    }

    /// Returns the tangents, `[n, w]`, of the summed gradient with respect to the values of all parameter blocks.
    pub fn parameter_gradient_tangents(
        &self,
        tangent_lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64> {
        let (w, n) = (tangent_lanes.width, self.values.len());
        let mut all = vec![0.0; w * n];
        with_width!(w, P => {
            let TangentLanes { static_buffer, packed, scratch, .. } = tangent_lanes;
            let tangents = ValueTangents::<P> { buffer: lanes(static_buffer), static_buffer: &[], packed: lanes(packed), t: [0.0; P] };
            let mut adjoints = forward_over_reverse::AdjointTangentBuffers::<P> {
                buffer: &mut sums.static_adjoint,
                buffer_dot: lanes_mut(&mut sums.static_adjoint_dot),
                static_buffer: &mut [],
                static_buffer_dot: &mut [],
                packed_dot: lanes_mut(&mut sums.packed_adjoint_dot),
                params_dot: lanes_mut(&mut all),
                u: &mut [],
                u_dot: &mut [],
                t: None,
            };
            let inputs = self.context(0, 0.0, &[]);
            isa_dispatch::forward_over_reverse(self.isa, &self.program.static_code, &inputs, &self.static_buffer, &tangents, scratch, &mut adjoints);
        });
        for affine in &self.program.affines {
            for (to, from) in affine.param_to_packed() {
                add(
                    &sums.packed_adjoint_dot[w * from..w * (from + 1)],
                    &mut all[w * to..w * (to + 1)],
                );
            }
        }
        all
    }

    /// Returns the Jacobian-vector products `∂f/∂u u̇ + ∂f/∂t ṫ + ∂f/∂θ θ̇` over a taped slot, one for each direction.
    ///
    /// `u_dot` is `[directions, dof]`, `t_dot` `[directions]`, `values_dot` `[directions, n]` over all parameter values or empty;
    /// the result is `[directions, dof]`. Where this is called often, [`Evaluator::jvp_lanes`] does the same without allocating.
    pub fn jvp(
        &self,
        place: (usize, f64),
        slot: &[f64],
        u_dot: &[f64],
        t_dot: &[f64],
        values_dot: &[f64],
    ) -> Vec<f64> {
        let (count, dof) = (t_dot.len(), self.dof);
        let mut tangent_lanes = self.tangent_lanes(count);
        let w = tangent_lanes.width;
        let mut result = vec![0.0; count * dof];
        let mut out = vec![0.0; dof * w];
        for first in (0..count).step_by(w) {
            let part = first..count.min(first + w);
            if !values_dot.is_empty() {
                let n = self.values.len();
                let part = &values_dot[part.start * n..part.end * n];
                self.set_param_tangents(&interleave(part, n, w), &mut tangent_lanes);
            }
            let u_dot = interleave(&u_dot[part.start * dof..part.end * dof], dof, w);
            self.jvp_lanes(
                place,
                slot,
                &u_dot,
                &t_dot[part.clone()],
                &mut tangent_lanes,
                &mut out,
            );
            for (p, to) in result[part.start * dof..part.end * dof]
                .chunks_exact_mut(dof)
                .enumerate()
            {
                for (to, from) in to.iter_mut().zip(out.chunks_exact(w)) {
                    *to = from[p];
                }
            }
        }
        result
    }
}

fn add(from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Returns vectors of length n, given one after the other, in the layout `[n, w]`; lanes without a vector are zero.
pub fn interleave(vectors: &[f64], n: usize, w: usize) -> Vec<f64> {
    let mut all = vec![0.0; n * w];
    for (p, vector) in vectors.chunks_exact(n.max(1)).enumerate() {
        for (to, from) in all.chunks_exact_mut(w).zip(vector) {
            to[p] = *from;
        }
    }
    all
}
