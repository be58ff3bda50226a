//! Failures of solves: why a solve could not be finished, and what to do about it.

use std::fmt;

/// The failure of a solve that stopped early: the reason, the time, and the state.
#[derive(Debug, Clone, PartialEq)]
pub struct SolveFailure {
    /// Reason for which the solve stopped.
    pub reason: FailureReason,
    /// Time at which the solve stopped, in the system's unit.
    pub t: f64,
    /// Size of the last attempted step (0 when no step was attempted).
    pub step: f64,
    /// State at `t`, `[dof]`.
    pub state: Vec<f64>,
    /// Index of the sample that failed, when several were solved.
    pub sample: usize,
}

/// The reason for which a solve could not be finished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureReason {
    /// The step size fell below the resolution of the time: the field is stiff, or the solution blows up.
    StepTooSmall,
    /// The field was NaN or infinite at the start or at every step size attempted.
    NotFinite,
    /// The field's Jacobian, which an implicit method needs, is not finite, although the field itself may be.
    JacobianNotFinite,
    /// The limit on the number of steps was reached.
    TooManySteps(usize),
    /// The user asked to stop.
    Interrupted,
    /// Newton's iteration for the stages of an implicit method did not converge.
    NotConverging,
    /// The matrix of an implicit step is singular.
    Singular,
    /// The tape of the steps, which a gradient needs, would take more than this number of bytes.
    TapeTooLarge(usize),
    /// The gradient is not finite, although the solution is.
    GradientNotFinite,
    /// The continuous adjoint could not be solved backwards.
    AdjointFailed,
    /// The function of the event of this index was NaN wherever it was evaluated.
    EventNan(usize),
}

impl std::error::Error for SolveFailure {}

/// Returns a number in short form for a message: a few digits, with a power of ten where plain digits would be many.
fn format_short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) {
        format!("{}", (x * 1e4).round() / 1e4)
    } else {
        format!("{x:.4e}")
    }
}

impl fmt::Display for SolveFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            t,
            step,
            state,
            sample,
        } = self;
        let shown: Vec<String> = state.iter().take(6).map(|v| format_short(*v)).collect();
        let more = if state.len() > 6 { ", …" } else { "" };
        let sample = if *sample > 0 {
            format!(" (sample {sample})")
        } else {
            String::new()
        };
        let at = format!(
            "at t = {}, u = [{}{more}]{sample}",
            format_short(*t),
            shown.join(", ")
        );
        match reason {
            FailureReason::StepTooSmall => write!(
                f,
                "step size fell to {step:.1e} {at}: the field is stiff or blows up there; try solver \"radau\" if it is \
                 stiff, looser rtol and atol, a shorter time span, or, in training, a lower learning rate or a stronger coupling"
            ),
            FailureReason::NotFinite => write!(
                f,
                "the field is not finite {at}: check the initial state and the equations there (a division by zero, a \
                 logarithm or root of a negative number) and, in training, the learning rate"
            ),
            FailureReason::JacobianNotFinite => write!(
                f,
                "the derivatives of the field are not finite {at}, and an implicit method needs them: check the equations there (a root \
                 of zero has an infinite slope), or take a method that does without, such as \"dopri5\""
            ),
            FailureReason::TooManySteps(limit) => write!(
                f,
                "{limit} steps were not enough, the solve got {at} with a step size of {step:.1e}: try solver \"radau\" \
                 or \"auto\" if the field is stiff, raise max_steps, or try looser rtol and atol (where steps are fixed, a larger \
                 step_size or fewer substeps)"
            ),
            FailureReason::NotConverging => write!(
                f,
                "the implicit equations of a step could not be solved {at} with a step size of {step:.1e}: try a smaller \
                 step_size where steps are fixed, tighter rtol and atol, another solver (\"radau\", \"rodas5p\", \"dopri5\"), or, in \
                 training, a lower learning rate; a field with jumps in its state has no solution to find"
            ),
            FailureReason::Singular => write!(
                f,
                "the matrix of an implicit step is singular {at} with a step size of {step:.1e}: the derivative of the field is \
                 not finite there, or the step size hits one of its rates exactly; try another step_size or solver, or check \
                 the equations there"
            ),
            FailureReason::GradientNotFinite => write!(
                f,
                "the gradient of the solve that began {at} is not finite, though its solution is: a derivative of the field is \
                 infinite on its way (a root or a power of zero), or the gradient grows beyond all numbers; check the equations, \
                 or try a shorter time span"
            ),
            FailureReason::Interrupted => write!(f, "interrupted {at}"),
            FailureReason::TapeTooLarge(bytes) => write!(
                f,
                "the solve got {at} with a step size of {step:.1e}, and the gradient of its steps would take more than {:.1} GiB: \
                 try looser rtol and atol (larger steps where they are fixed), a smaller network or fewer samples, or, with \
                 adjoint \"adaptive_ckpt\", far less memory; in training, a lower learning rate",
                *bytes as f64 / f64::from(1 << 30)
            ),
            FailureReason::AdjointFailed => write!(
                f,
                "the continuous adjoint could not be solved backwards, it got {at} with a step size of {step:.1e}: what an explicit \
                 solver damps forwards grows without bound backwards; take a stiff solver, adjoint \"adaptive_ckpt\" (exact, little memory) or \
                 \"backprop\", or try other adjoint_rtol and adjoint_atol"
            ),
            FailureReason::EventNan(event) => write!(
                f,
                "the function of event {event} is NaN from the beginning on, so it never passes through zero; the last time it was \
                 looked at was {at}: check it (a logarithm or root of a negative number, zero divided by zero) and the constants in it"
            ),
        }
    }
}
