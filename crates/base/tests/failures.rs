//! The complete messages of solves that could not be finished, held to those in `snapshots/`.

use odesync_base::failure::{FailureReason, RunningMethod, SolveFailure};

/// Returns the next reason of failure; the match is exhaustive, so that no reason can be forgotten.
fn next(reason: FailureReason) -> Option<FailureReason> {
    use FailureReason::*;
    match reason {
        StepTooSmall => Some(TimeUnresolved),
        TimeUnresolved => Some(NotFinite),
        NotFinite => Some(JacobianNotFinite),
        JacobianNotFinite => Some(TooManySteps(10_000)),
        TooManySteps(_) => Some(Interrupted),
        Interrupted => Some(NotConverging),
        NotConverging => Some(Singular),
        Singular => Some(AlgebraicSingular),
        AlgebraicSingular => Some(NoConsistentState),
        NoConsistentState => Some(TapeTooLarge(3 << 30)),
        TapeTooLarge(_) => Some(GradientNotFinite),
        GradientNotFinite => Some(AdjointFailed),
        AdjointFailed => Some(EventNan(1)),
        EventNan(_) => Some(EventsAccumulate(0)),
        EventsAccumulate(_) => Some(SlidingMode),
        SlidingMode => None,
    }
}

#[test]
fn every_reason_says_where_and_what_to_do() {
    let failure = SolveFailure {
        reason: FailureReason::StepTooSmall,
        t: 1.25,
        step: 3.2e-17,
        state: vec![0.5, -12_345_678.9],
        sample: 0,
        method: RunningMethod {
            name: "dopri5",
            handles_stiffness: false,
            has_fixed_steps: false,
        },
    };
    let mut page = String::new();
    let mut reason = Some(failure.reason);
    while let Some(kind) = reason {
        let failure = SolveFailure {
            reason: kind,
            ..failure.clone()
        };
        page += &format!("{kind:?}\n{failure}\n\n");
        reason = next(kind);
    }
    // The advice is never the method that was running.
    for kind in [
        FailureReason::StepTooSmall,
        FailureReason::TooManySteps(10_000),
        FailureReason::NotConverging,
        FailureReason::AdjointFailed,
    ] {
        let failure = SolveFailure {
            reason: kind,
            method: RunningMethod {
                name: "radau",
                handles_stiffness: true,
                has_fixed_steps: false,
            },
            ..failure.clone()
        };
        page += &format!("{kind:?} with radau\n{failure}\n\n");
    }
    let kind = FailureReason::NotFinite;
    let mut fixed = SolveFailure {
        reason: kind,
        ..failure.clone()
    };
    fixed.method.has_fixed_steps = true;
    page += &format!("{kind:?} with fixed steps\n{fixed}\n\n");
    fixed.step = 0.0;
    page += &format!("{kind:?} at the start\n{fixed}\n\n");
    // Many state variables, the second of several samples.
    let wide = SolveFailure {
        t: 0.0,
        state: vec![0.0, 1e-9, 99_999.0, 1e5, f64::NAN, f64::INFINITY, 7.0],
        sample: 1,
        ..failure
    };
    page += &format!("of sample 1\n{wide}\n");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("failures", page);
    });
}
