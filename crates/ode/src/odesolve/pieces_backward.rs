//! The gradient of a solve in pieces.
//!
//! At a jump u⁺ = J(t, u⁻) at the time τ at which g(τ, u⁻) = 0, with the slopes f⁻ and f⁺ of before and after, the change of τ is
//! dτ = −(∂g/∂u δu⁻ + ∂g/∂θ δθ) / ġ with ġ = ∂g/∂t + ⟨∂g/∂u, f⁻⟩, and the solution after τ changes by
//!
//! δu⁺ = J_u δu⁻ + J_θ δθ + (J_u f⁻ + J_t − f⁺) dτ,
//!
//! the saltation matrix S = J_u + (f⁺ − J_u f⁻ − J_t) (∂g/∂u)ᵀ / ġ times δu⁻. The adjoint takes its transpose,
//! λ⁻ = J_uᵀ λ⁺ − (ρ/ġ) ∂g/∂u with ρ = ⟨λ⁺, J_u f⁻ + J_t − f⁺⟩, and dL/dθ gains J_θᵀ λ⁺ − (ρ/ġ) ∂g/∂θ. A switch is a jump by the
//! identity. At a given time dτ = 0. M. A. Aizerman, F. R. Gantmacher, Q. J. Mech. Appl. Math. 11 (1958); I. A. Hiskens, M. A. Pai,
//! IEEE Trans. Circuits Syst. I 47 (2000).

use super::backward_context::{WorkspacePool, gradient_of_solve};
use super::checkpoints::ForwardInputs;
use super::consistency::Consistency;
use super::driver::Problem;
use super::events::{EventFunction, EventFunctions, GuardFunctions};
use super::gradient_accumulator::GradientAccumulator;
use super::gradients::Adjoint;
use super::jumps::add_followed;
use super::options::SolveOptions;
use super::smooth_piece::{Cause, SmoothPiece, Transition};
use super::switch_gradient::add_switch_terms;
use super::transitions::slope_of;
use super::vector_ops::{add, add_scaled};
use super::workspace::Workspace;
use crate::field::VectorField;
use crate::field::native::Evaluator;
use crate::{Error, Result};

/// Relative difference up to which two functions that fire together move their time alike.
const SAME_MOTION: f64 = 1e-6;

/// A solve in pieces, whose gradient is wanted.
pub(crate) struct BackwardPieces<'a> {
    /// The field with its parameters, and the evaluator of it.
    pub field: &'a VectorField,
    pub evaluator: &'a Evaluator,
    pub options: &'a SolveOptions,
    pub sample: usize,
    /// Number of solves that may be recomputed at a time.
    pub n_problems: usize,
}

/// Computes ∂L/∂u₀ from ∂L/∂u at the output times, `[time, dof]`; the parameters' part is added to `accumulator`.
pub(crate) fn backward(
    context: &BackwardPieces,
    work: &Workspace,
    bars: &[f64],
    pool: &WorkspacePool,
    accumulator: &mut GradientAccumulator,
) -> Result<Vec<f64>> {
    let dof = context.evaluator.dof();
    let mut lambda = vec![0.0; dof];
    let mut values = vec![0.0; context.evaluator.n_values()];
    for (i, piece) in work.pieces.iter().enumerate().rev() {
        lambda = context.piece_gradient(piece, bars, lambda, (pool, &mut values))?;
        let earlier = i.checked_sub(1).and_then(|i| work.pieces.get(i));
        lambda = context.pull_back(&piece.start, (earlier, piece), lambda, &mut values)?;
    }
    accumulator.add_values(&values);
    Ok(lambda)
}

impl BackwardPieces<'_> {
    /// Returns the adjoint at the start of a piece, from the one at its end; adds the parameters' part to `values`.
    fn piece_gradient(
        &self,
        piece: &SmoothPiece,
        bars: &[f64],
        end: Vec<f64>,
        (pool, values): (&WorkspacePool, &mut [f64]),
    ) -> Result<Vec<f64>> {
        let dof = end.len();
        let mut rows = match piece.start_output {
            Some(output) => bars[output * dof..(output + 1) * dof].to_vec(),
            None => vec![0.0; dof],
        };
        if piece.times.len() == 1 {
            if let Some(mass) = &self.options.mass_matrix {
                let mut accumulator = GradientAccumulator::new(self.evaluator);
                let (place, gradient) = ((self.sample, piece.start.t), &mut accumulator.gradient);
                let mut consistency = Consistency::new(self.evaluator, mass);
                consistency.pull_back_state(self.evaluator, place, &piece.u0, &mut rows, gradient);
                let mut of_piece = vec![0.0; values.len()];
                accumulator.take(self.evaluator, &mut of_piece);
                add(&of_piece, values);
            }
            return Ok(rows);
        }
        rows.extend_from_slice(&bars[piece.outputs.start * dof..piece.outputs.end * dof]);
        if piece.is_followed {
            rows.extend(end);
        }
        // The times up to the end of the piece.
        let mut times = piece.times[..=piece.outputs.len()].to_vec();
        if piece.is_followed {
            times.extend(piece.ends_at.or(piece.times.last().copied()));
        }
        let options = SolveOptions {
            first_step: piece.first_step,
            events: vec![],
            doses: vec![],
            switches: false,
            ..self.options.clone()
        };
        let evaluator = self.evaluator_of(piece);
        let problem = Problem {
            u0: &piece.u0,
            t: &times,
            sample: self.sample,
        };
        let inputs = ForwardInputs {
            evaluator,
            breakpoints: &piece.breakpoints,
            problem: match self.options.adjoint {
                // Those recompute the steps, which do not know the end before it is there.
                Adjoint::SingleCheckpoint | Adjoint::AdaptiveCheckpoint => Problem {
                    t: &piece.times,
                    ..problem
                },
                Adjoint::Backprop | Adjoint::Continuous | Adjoint::Symplectic => problem,
            },
            options: &options,
            ends_at: piece.ends_at,
        };
        let mut accumulator = GradientAccumulator::new(evaluator);
        let n = self.n_problems;
        let start = gradient_of_solve(&inputs, &piece.work, &rows, (pool, n), &mut accumulator)?;
        let mut of_piece = vec![0.0; values.len()];
        accumulator.take(evaluator, &mut of_piece);
        add(&of_piece, values);
        let field = piece.held.as_ref().map_or(self.field, |held| &held.field);
        if !field.switch_parameters().is_empty() {
            let trainable = field.blocks().iter().filter(|block| block.trainable);
            let names: Vec<&str> = trainable.map(|block| block.name.as_str()).collect();
            add_switch_terms(&field.frozen(&names)?, &problem, &options, &rows, values)?;
        }
        Ok(start)
    }

    fn evaluator_of<'a>(&'a self, piece: &'a SmoothPiece) -> &'a Evaluator {
        let held = piece.held.as_ref();
        held.map_or(self.evaluator, |held| &held.evaluator)
    }

    /// Returns du/dt of a piece.
    fn slope(&self, piece: &SmoothPiece, t: f64, u: &[f64]) -> Vec<f64> {
        let evaluator = self.evaluator_of(piece);
        let mut slope = vec![0.0; u.len()];
        let mass = self.options.mass_matrix.as_ref();
        slope_of(evaluator, mass, (self.sample, t, u), &mut slope);
        slope
    }

    /// Returns the adjoint before a transition from the one after it, and adds the parameters' part to `values`.
    fn pull_back(
        &self,
        transition: &Transition,
        (earlier, later): (Option<&SmoothPiece>, &SmoothPiece),
        mut lambda: Vec<f64>,
        values: &mut [f64],
    ) -> Result<Vec<f64>> {
        let t = transition.t;
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        // ⟨λ⁺, J_u f⁻ + J_t − f⁺⟩, jump by jump.
        let mut rho = -dot(&lambda, &self.slope(later, t, &transition.after));
        for (cause, before) in transition.jumps.iter().rev() {
            let jump = match cause {
                Cause::Event(i) => self.options.events[*i].state_jump(),
                Cause::Dose(i) => Some(self.options.doses[*i].state_jump()),
            };
            let Some(jump) = jump else { continue };
            let place = (self.sample, t, &before[..]);
            let (by_u, by_t) = jump.pull_back(self.field, place, &lambda, values);
            lambda = by_u;
            rho += by_t;
        }
        let Some(earlier) = earlier.filter(|_| !transition.fired.is_empty()) else {
            return Ok(lambda);
        };
        let slope = self.slope(earlier, t, &transition.before);
        rho += dot(&lambda, &slope);
        if rho == 0.0 {
            return Ok(lambda);
        }
        let motion = self.time_motion(transition, earlier, &slope)?;
        add_scaled(rho, &motion.by_u, &mut lambda);
        add_scaled(rho, &motion.by_values, values);
        Ok(lambda)
    }

    /// Returns the derivative of the time of a transition.
    fn time_motion(
        &self,
        transition: &Transition,
        earlier: &SmoothPiece,
        slope: &[f64],
    ) -> Result<TimeMotion> {
        let guards = earlier.held.as_ref().map(|held| GuardFunctions {
            evaluator: held.guards.clone(),
            n: held.above.len(),
        });
        let functions = EventFunctions::new(&self.options.events, guards.as_ref()).all;
        let motion = |index: &usize| self.motion_by(&functions[*index], *index, transition, slope);
        let mut all = transition.fired.iter().map(motion);
        let first = all.next().unwrap_or_default();
        match all.any(|other| first.differs_from(&other)) {
            false => Ok(first),
            true => Err(Error::invalid(format!(
                "at t = {} two events or conditions in the state switch together that move apart, and a derivative by them does not \
                 exist there; move one of the parameters",
                transition.t
            ))),
        }
    }

    fn motion_by(
        &self,
        function: &EventFunction,
        index: usize,
        transition: &Transition,
        slope: &[f64],
    ) -> TimeMotion {
        let by = function.partials((self.sample, transition.t, &transition.before));
        let rate = by.t + by.u.iter().zip(slope).map(|(g, f)| g * f).sum::<f64>();
        let mut by_values = vec![0.0; self.field.values().len()];
        match self.options.events.get(index) {
            Some(event) if event.follows_field() => {
                let function = event.function();
                add_followed(
                    function,
                    &by.values,
                    self.field,
                    -1.0 / rate,
                    &mut by_values,
                );
            }
            Some(_) => {}
            None => add_scaled(-1.0 / rate, &by.values, &mut by_values),
        }
        TimeMotion {
            by_u: by.u.iter().map(|g| -g / rate).collect(),
            by_values,
        }
    }
}

/// Derivative of the time of a transition by the state before it and by the values of all parameter blocks.
#[derive(Debug, Default)]
struct TimeMotion {
    by_u: Vec<f64>,
    by_values: Vec<f64>,
}

impl TimeMotion {
    fn differs_from(&self, other: &TimeMotion) -> bool {
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > SAME_MOTION * a.abs().max(b.abs());
        self.by_u.iter().zip(&other.by_u).any(far)
            || self.by_values.iter().zip(&other.by_values).any(far)
    }
}
