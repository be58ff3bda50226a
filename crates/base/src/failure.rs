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
    /// The method that was running, so that the advice is another one.
    pub method: RunningMethod,
}

/// The method of a solve, as far as messages about its failure need to know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunningMethod {
    /// Name of the method, as in `solver: "dopri5"`; empty where none was running.
    pub name: &'static str,
    /// Whether it is meant for stiff problems, so that stiffness cannot be the reason of the failure.
    pub handles_stiffness: bool,
    /// Whether the size of its steps is given, so that it cannot take smaller ones by itself.
    pub has_fixed_steps: bool,
}

/// The reason for which a solve could not be finished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureReason {
    /// The step size fell below the resolution of the time: the field is stiff, or the solution blows up.
    StepTooSmall,
    /// The steps that the field needs are below the distance of floating-point numbers near the time, which is far from zero.
    TimeUnresolved,
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
    /// The algebraic equations of a singular mass matrix do not determine the algebraic variables: the index is above 1.
    AlgebraicSingular,
    /// No state near the initial one satisfies the algebraic equations of a singular mass matrix.
    NoConsistentState,
    /// The tape of the steps, which a gradient needs, would take more than this number of bytes.
    TapeTooLarge(usize),
    /// The gradient is not finite, although the solution is.
    GradientNotFinite,
    /// The continuous adjoint could not be solved backwards.
    AdjointFailed,
    /// The function of the event of this index was NaN wherever it was evaluated.
    EventNan(usize),
    /// The event of this index, which changes the state, hits again within the resolution of time: its hits accumulate (Zeno).
    EventsAccumulate(usize),
    /// On each side of a condition in the state the equations lead to the other side: a sliding mode.
    SlidingMode,
}

impl RunningMethod {
    /// Lists the methods other than the running one.
    fn others(self, names: &[&str]) -> String {
        let others = names.iter().filter(|name| **name != self.name);
        let quoted: Vec<String> = others.map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }
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
        f.write_str(&self.message())
    }
}

impl SolveFailure {
    /// Returns what happened and what to do about it.
    fn message(&self) -> String {
        let Self {
            reason,
            t,
            step,
            state,
            sample,
            method,
        } = self;
        let shown: Vec<String> = state.iter().take(6).map(|v| format_short(*v)).collect();
        let more = if state.len() > 6 { ", …" } else { "" };
        let sample = if *sample > 0 {
            format!(" (sample {sample})")
        } else {
            String::new()
        };
        let place = format!(
            "t = {}, u = [{}{more}]{sample}",
            format_short(*t),
            shown.join(", ")
        );
        let at = format!("at {place}");
        match reason {
            FailureReason::StepTooSmall if method.handles_stiffness => format!(
                "step size fell to {step:.1e} {at}, also with \"{}\", which stiffness does not slow down: the solution blows up there or \
                 the field jumps; check the equations, end the time span earlier, or give the times of jumps as breakpoints",
                method.name
            ),
            FailureReason::StepTooSmall => format!(
                "step size fell to {step:.1e} {at}: the field is stiff or blows up there; try solver \"radau\" if it is \
                 stiff, looser rtol and atol, or a shorter time span"
            ),
            FailureReason::TimeUnresolved => format!(
                "step size fell to {step:.1e} {at}, and numbers near this t are {:.1e} apart: t is beyond the resolution of numbers; count \
                 the time from the start of the solve instead (t - t[0])",
                t.abs().next_up() - t.abs()
            ),
            FailureReason::NotFinite if *step != 0.0 && method.has_fixed_steps => format!(
                "the solution is not finite after a step of {step:.1e} from {place}: the step is too long for these equations or the solution \
                 blows up there; take a smaller step_size or more substeps, or a method that chooses its steps ({}); or the field itself \
                 is not finite there (a division by zero, a logarithm or root of a negative number)",
                method.others(&["dopri5", "radau"])
            ),
            FailureReason::NotFinite if *step != 0.0 => format!(
                "the field is not finite {at}, nor is it after a shorter step: check the equations there (a division by zero, a logarithm \
                 or root of a negative number)"
            ),
            FailureReason::NotFinite => format!(
                "the field is not finite {at}: check the initial state and the equations there (a division by zero, a \
                 logarithm or root of a negative number)"
            ),
            FailureReason::JacobianNotFinite => format!(
                "the derivatives of the field are not finite {at}, and an implicit method needs them: check the equations there (a root \
                 of zero has an infinite slope), or take a method that does without, such as \"dopri5\""
            ),
            FailureReason::TooManySteps(limit) => format!(
                "{} not enough: the solve reached {place} with a step size of {step:.1e}; {}raise max_steps, or try looser rtol and \
                 atol (where steps are fixed, a larger step_size or fewer substeps)",
                match limit {
                    1 => "1 step was".into(),
                    n => format!("{n} steps were"),
                },
                match method.handles_stiffness {
                    true => "",
                    false => "try solver \"radau\" or \"auto\" if the field is stiff, ",
                }
            ),
            FailureReason::NotConverging => format!(
                "the implicit equations of a step could not be solved {at} with a step size of {step:.1e}: try a smaller \
                 step_size where steps are fixed, tighter rtol and atol, or another solver ({}); a \
                 field with jumps in its state has no solution to find",
                method.others(&["radau", "rodas5p", "dopri5"])
            ),
            FailureReason::Singular => format!(
                "the matrix of an implicit step is singular {at} with a step size of {step:.1e}: the derivative of the field is \
                 not finite there, or the step size hits one of its rates exactly; try another step_size or solver, or check \
                 the equations there"
            ),
            FailureReason::AlgebraicSingular => format!(
                "the algebraic equations of the mass_matrix do not determine the algebraic variables {at}: their derivatives by them are \
                 a singular matrix there, so the index is above 1; differentiate the constraint with respect to time until the algebraic \
                 variables stand in it, or choose another initial state where the equations are singular at this one alone"
            ),
            FailureReason::NoConsistentState => format!(
                "the initial state {at} does not satisfy the algebraic equations of the mass_matrix, and Newton's method found no values of \
                 the algebraic variables that do: give values nearer to a solution, or check these equations"
            ),
            FailureReason::GradientNotFinite => format!(
                "the gradient of the solve that began {at} is not finite, though its solution is: a derivative of the field is \
                 infinite on its way (a root or a power of zero), or the gradient grows beyond all numbers; check the equations, \
                 or try a shorter time span"
            ),
            FailureReason::Interrupted => format!("interrupted {at}"),
            FailureReason::TapeTooLarge(bytes) => format!(
                "the solve reached {place} with a step size of {step:.1e}, and the gradient of its steps would take more than {:.1} GiB: \
                 try looser rtol and atol (larger steps where they are fixed), a smaller network or fewer samples, or, with \
                 adjoint \"adaptive_ckpt\", far less memory",
                *bytes as f64 / f64::from(1 << 30)
            ),
            FailureReason::AdjointFailed => format!(
                "the continuous adjoint could not be solved backwards, it reached {place} with a step size of {step:.1e}: what an explicit \
                 solver damps forwards grows without bound backwards; take {}adjoint \"adaptive_ckpt\" (exact, little memory) or \
                 \"backprop\", or try other adjoint_rtol and adjoint_atol",
                match method.handles_stiffness {
                    true => "",
                    false => "a stiff solver, ",
                }
            ),
            FailureReason::EventsAccumulate(event) => format!(
                "event {event} hits again at once {at}: its hits accumulate, as those of a ball whose bounces die out, or its jump leads \
                 back across the zero; end the solve before (terminal: n), or write equations that hold the state at rest and a jump \
                 that leads there"
            ),
            FailureReason::SlidingMode => format!(
                "a condition in the state switches to and fro {at}: on each side of it the equations lead to the other side (a sliding \
                 mode, such as friction that sticks), which switches: true does not solve; make the condition smooth, tanh(v/width) in \
                 place of sign(v), or write the equations of sliding, or leave switches out"
            ),
            FailureReason::EventNan(event) => format!(
                "the function of event {event} is NaN at every step, the last one {at}, so it never passes through zero: check it (a \
                 logarithm or root of a negative number, zero divided by zero) and the constants in it"
            ),
        }
    }

    /// Returns the additional advice where the solve belongs to a training, empty if there is none.
    pub fn advice_in_training(&self) -> &'static str {
        match self.reason {
            FailureReason::StepTooSmall => {
                "; in training also a lower learning rate or a stronger coupling"
            }
            FailureReason::NotFinite => "; in training also try a lower learning rate",
            FailureReason::NotConverging | FailureReason::TapeTooLarge(_) => {
                "; in training, try a lower learning rate"
            }
            _ => "",
        }
    }
}
