//! Tangent planes: first and second derivatives of an evaluation along several directions at once, without allocating.
//!
//! Vectors with planes are laid out `[component][plane]`: the planes of one number lie side by side, so that SIMD
//! instructions work across them and a weight is loaded once for all.

use super::Evaluator;
use super::compiled;
use super::jvp::Tangents;
use super::second::{self, Moved};

/// The numbers of planes that one pass can carry.
const WIDTHS: [usize; 3] = [1, 4, 8];

/// The most planes that one pass can carry.
pub const MAX_WIDTH: usize = 8;

/// Tangents of all that an evaluation computes, and the work space for them.
#[derive(Debug, Clone)]
pub struct Planes {
    width: usize,
    own: Vec<f64>,
    fixed: Vec<f64>,
    /// Of weights and biases; empty where parameters do not move.
    bound: Vec<f64>,
    t: [f64; MAX_WIDTH],
    scratch: Vec<f64>,
}

impl Planes {
    /// Number of planes, w in the shapes `[…, w]`.
    pub fn width(&self) -> usize {
        self.width
    }

    fn time<const P: usize>(&self) -> [f64; P] {
        std::array::from_fn(|p| self.t[p])
    }
}

/// Sums over many evaluations of the parameters' adjoints and their tangents, and the work space for one.
#[derive(Debug, Clone)]
pub struct SecondGradient {
    own: Vec<f64>,
    own_dot: Vec<f64>,
    fixed: Vec<f64>,
    fixed_dot: Vec<f64>,
    bound_dot: Vec<f64>,
}

impl SecondGradient {
    /// Adds other sums of the same evaluator and width.
    pub fn add(&mut self, other: &SecondGradient) {
        add(&other.fixed, &mut self.fixed);
        add(&other.fixed_dot, &mut self.fixed_dot);
        add(&other.bound_dot, &mut self.bound_dot);
    }

    /// Sets the sums back to zero.
    pub fn clear(&mut self) {
        for sums in [&mut self.fixed, &mut self.fixed_dot, &mut self.bound_dot] {
            sums.fill(0.0);
        }
    }
}

/// An adjoint and its tangents: v̄, `[n]`, and v̄˙, `[n, w]`.
#[derive(Debug)]
pub struct Bars<'a> {
    /// v̄.
    pub value: &'a mut [f64],
    /// v̄˙.
    pub tangents: &'a mut [f64],
}

/// Calls a function with the width of the planes as a constant.
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
                const $P: usize = MAX_WIDTH;
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
    /// Room for the tangents along this many directions, or for as many of them as one pass can carry ([`MAX_WIDTH`]); see
    /// [`Planes::width`]. Parameters do not move until [`Evaluator::move_parameters`].
    pub fn planes(&self, directions: usize) -> Planes {
        let width = WIDTHS
            .into_iter()
            .find(|w| *w >= directions)
            .unwrap_or(MAX_WIDTH);
        Planes {
            width,
            own: vec![0.0; width * self.program.dynamic.n_values],
            fixed: vec![0.0; width * self.program.fixed.n_values],
            bound: vec![],
            t: [0.0; MAX_WIDTH],
            scratch: vec![0.0; 2 * self.program.longest],
        }
    }

    /// Sets the directions θ̇ of all parameter values, `[n, w]`.
    pub fn move_parameters(&self, values_dot: &[f64], planes: &mut Planes) {
        let w = planes.width;
        planes.bound.resize(w * self.program.n_bound, 0.0);
        for affine in &self.program.affines {
            for (from, to) in affine.places() {
                planes.bound[w * to..w * (to + 1)]
                    .copy_from_slice(&values_dot[w * from..w * (from + 1)]);
            }
        }
        let Planes {
            fixed,
            bound,
            scratch,
            ..
        } = planes;
        with_width!(w, P => {
            let tangents = Tangents::<P> {
                u: &[],
                t: [0.0; P],
                values: lanes(values_dot),
                bound: lanes(bound),
                fixed: &[],
            };
            let inputs = self.inputs(0, 0.0, &[]);
            compiled::jvp(self.isa, &self.program.fixed, &inputs, &self.fixed, &tangents, scratch, lanes_mut(fixed));
        });
    }

    /// Jacobian-vector products over a taped slot: `∂f/∂u u̇ + ∂f/∂t ṫ + ∂f/∂θ θ̇` into `out`, `[dof, w]`. `u_dot` is
    /// `[dof, w]`, `t_dot` `[w]`, or empty where the time stands still; θ̇ was set by [`Evaluator::move_parameters`].
    ///
    /// `planes` then holds the tangents that [`Evaluator::second`] needs.
    pub fn tangent(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        u_dot: &[f64],
        t_dot: &[f64],
        planes: &mut Planes,
        out: &mut [f64],
    ) {
        let w = planes.width;
        planes.t = [0.0; MAX_WIDTH];
        planes.t[..t_dot.len()].copy_from_slice(t_dot);
        with_width!(w, P => {
            let time = planes.time();
            let Planes { own, fixed, bound, scratch, .. } = planes;
            let tangents = Tangents::<P> {
                u: lanes(u_dot),
                t: time,
                values: &[],
                bound: lanes(bound),
                fixed: lanes(fixed),
            };
            let inputs = self.inputs(sample, t, &[]);
            compiled::jvp(self.isa, &self.program.dynamic, &inputs, slot, &tangents, scratch, lanes_mut(own));
        });
        let at = self.program.output;
        let from = if at.fixed { &planes.fixed } else { &planes.own };
        out.copy_from_slice(&from[w * at.at..w * (at.at + at.len)]);
    }

    /// The Jacobian ∂f/∂u over a taped slot into `jacobian`, `[dof, dof]` row by row, and ∂f/∂t into `by_time`, `[dof]`.
    /// `planes` may have any width, and no parameters that move; `room` is work space that grows to what is needed.
    pub fn jacobian(
        &self,
        place: (usize, f64),
        slot: &[f64],
        planes: &mut Planes,
        room: &mut Vec<f64>,
        jacobian: &mut [f64],
        by_time: &mut [f64],
    ) {
        let (dof, w) = (self.dof, planes.width);
        room.resize(2 * dof * w, 0.0);
        let (u_dot, out) = room.split_at_mut(dof * w);
        // The time is the last of the directions.
        for first in (0..=dof).step_by(w) {
            let mut t_dot = [0.0; MAX_WIDTH];
            u_dot.fill(0.0);
            for p in 0..w.min(dof + 1 - first) {
                match first + p {
                    i if i < dof => u_dot[i * w + p] = 1.0,
                    _ => t_dot[p] = 1.0,
                }
            }
            self.tangent(place, slot, u_dot, &t_dot[..w], planes, out);
            for p in 0..w.min(dof + 1 - first) {
                for row in 0..dof {
                    match first + p {
                        i if i < dof => jacobian[row * dof + i] = out[row * w + p],
                        _ => by_time[row] = out[row * w + p],
                    }
                }
            }
        }
    }

    /// Empty sums for the planes' width.
    pub fn second_gradient(&self, planes: &Planes) -> SecondGradient {
        let (w, program) = (planes.width, &self.program);
        SecondGradient {
            own: vec![0.0; program.dynamic.n_values],
            own_dot: vec![0.0; w * program.dynamic.n_values],
            fixed: vec![0.0; program.fixed.n_values],
            fixed_dot: vec![0.0; w * program.fixed.n_values],
            bound_dot: vec![0.0; w * program.n_bound],
        }
    }

    /// The vector-Jacobian product over a taped slot and its tangents, where `planes` holds what
    /// [`Evaluator::tangent`] left for this slot. With the weights `bar`, `[dof]`, and their tangents `bar_dot`, `[dof, w]`,
    /// it adds ū = barᵀ ∂f/∂u and ū˙ to `u`, the same for t to `t` where it is wanted, and the parameters' part to
    /// `sums`.
    #[allow(clippy::too_many_arguments)]
    pub fn second(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        planes: &mut Planes,
        (bar, bar_dot): (&[f64], &[f64]),
        u: Bars,
        t_bars: Option<Bars>,
        sums: &mut SecondGradient,
    ) {
        let (w, out) = (planes.width, self.program.output);
        let (at, at_dot) = (out.at..out.at + out.len, w * out.at..w * (out.at + out.len));
        if out.fixed {
            add(bar, &mut sums.fixed[at]);
            add(bar_dot, &mut sums.fixed_dot[at_dot]);
            return;
        }
        sums.own.fill(0.0);
        sums.own_dot.fill(0.0);
        sums.own[at].copy_from_slice(bar);
        sums.own_dot[at_dot].copy_from_slice(bar_dot);
        with_width!(w, P => {
            let time = planes.time();
            let Planes { own, fixed, bound, scratch, .. } = planes;
            let moved = Moved::<P> { own: lanes(own), fixed: lanes(fixed), bound: lanes(bound), t: time };
            let t_bars = t_bars.and_then(|t| match (t.value, lanes_mut(t.tangents)) {
                ([t], [t_dot]) => Some((t, t_dot)),
                _ => None,
            });
            let mut adjoints = second::Adjoints::<P> {
                own: &mut sums.own,
                own_dot: lanes_mut(&mut sums.own_dot),
                fixed: &mut sums.fixed,
                fixed_dot: lanes_mut(&mut sums.fixed_dot),
                bound_dot: lanes_mut(&mut sums.bound_dot),
                values_dot: &mut [],
                u: u.value,
                u_dot: lanes_mut(u.tangents),
                t: t_bars,
            };
            let inputs = self.inputs(sample, t, &[]);
            compiled::second(self.isa, &self.program.dynamic, &inputs, slot, &moved, scratch, &mut adjoints);
        });
    }

    /// The tangents, `[n, w]`, of the gradient with respect to the values of all blocks of what was summed up.
    pub fn parameter_tangents(&self, planes: &mut Planes, sums: &mut SecondGradient) -> Vec<f64> {
        let (w, n) = (planes.width, self.values.len());
        let mut all = vec![0.0; w * n];
        with_width!(w, P => {
            let Planes { fixed, bound, scratch, .. } = planes;
            let moved = Moved::<P> { own: lanes(fixed), fixed: &[], bound: lanes(bound), t: [0.0; P] };
            let mut adjoints = second::Adjoints::<P> {
                own: &mut sums.fixed,
                own_dot: lanes_mut(&mut sums.fixed_dot),
                fixed: &mut [],
                fixed_dot: &mut [],
                bound_dot: lanes_mut(&mut sums.bound_dot),
                values_dot: lanes_mut(&mut all),
                u: &mut [],
                u_dot: &mut [],
                t: None,
            };
            let inputs = self.inputs(0, 0.0, &[]);
            compiled::second(self.isa, &self.program.fixed, &inputs, &self.fixed, &moved, scratch, &mut adjoints);
        });
        for affine in &self.program.affines {
            for (to, from) in affine.places() {
                add(
                    &sums.bound_dot[w * from..w * (from + 1)],
                    &mut all[w * to..w * (to + 1)],
                );
            }
        }
        all
    }

    /// Jacobian-vector products over a taped slot, one for each plane: `∂f/∂u u̇ + ∂f/∂t ṫ + ∂f/∂θ θ̇`.
    ///
    /// `u_dot` is `[planes, dof]`, `t_dot` `[planes]`, `values_dot` `[planes, n]` over all parameter values or empty;
    /// the result is `[planes, dof]`. Where this is called often, [`Evaluator::tangent`] does without allocating.
    pub fn jvp(
        &self,
        place: (usize, f64),
        slot: &[f64],
        u_dot: &[f64],
        t_dot: &[f64],
        values_dot: &[f64],
    ) -> Vec<f64> {
        let (count, dof) = (t_dot.len(), self.dof);
        let mut planes = self.planes(count);
        let w = planes.width;
        let mut result = vec![0.0; count * dof];
        let mut out = vec![0.0; dof * w];
        for first in (0..count).step_by(w) {
            let part = first..count.min(first + w);
            if !values_dot.is_empty() {
                let n = self.values.len();
                let part = &values_dot[part.start * n..part.end * n];
                self.move_parameters(&interleave(part, n, w), &mut planes);
            }
            let u_dot = interleave(&u_dot[part.start * dof..part.end * dof], dof, w);
            self.tangent(
                place,
                slot,
                &u_dot,
                &t_dot[part.clone()],
                &mut planes,
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

/// Vectors of length n, one after the other, as `[n, w]`; planes without a vector are zero.
pub fn interleave(vectors: &[f64], n: usize, w: usize) -> Vec<f64> {
    let mut all = vec![0.0; n * w];
    for (p, vector) in vectors.chunks_exact(n.max(1)).enumerate() {
        for (to, from) in all.chunks_exact_mut(w).zip(vector) {
            to[p] = *from;
        }
    }
    all
}
