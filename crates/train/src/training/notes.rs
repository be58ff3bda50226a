//! Notes on trainings that cannot move, each with the cure.

use super::run::{Run, StopReason};
use odesync_base::tables::format_number;
use odesync_ode::engines::{registered, torch_is_faster};
use odesync_ode::field::{BranchParameter, VectorField};

/// Fewest epochs after which an mse that has not fallen deserves a note, and the share by which it must fall.
const MIN_EPOCHS: usize = 10;
const MIN_FALL: f64 = 1e-3;
/// Normalised mse below which a model fits, so that nothing has to fall.
const FITS: f64 = 0.01;

/// Returns the note on trainable parameters on which the loss does not depend at the beginning, but for those that have
/// [a note of their own](note_on_conditions).
pub(super) fn note_on_gradient(model: &VectorField, gradient: &[f64]) -> Option<String> {
    let of_model = gradient.get(..model.n_params())?;
    let in_conditions: Vec<_> = model.branch_parameters();
    let is_explained = |name: &str| {
        let of = |p: &BranchParameter| p.is_only_there && p.name == name;
        in_conditions.iter().any(of)
    };
    let all_trained = model.blocks().iter().filter(|block| block.trainable);
    let all_zero = gradient.iter().all(|g| *g == 0.0);
    if all_zero && !all_trained.clone().any(|block| is_explained(&block.name)) {
        return Some(
            "the gradient is 0, so nothing is trained: begin with other parameters or another initial state, and see by show(model) \
             that what is trained enters the equations of what was measured"
                .into(),
        );
    }
    let mut from = 0;
    let mut idle = vec![];
    for block in all_trained {
        let own = &of_model[from..from + block.len()];
        from += block.len();
        if own.iter().all(|g| *g == 0.0) && !is_explained(&block.name) {
            idle.push(format!("\"{}\"", block.name));
        }
    }
    (!idle.is_empty()).then(|| {
        format!(
            "the loss does not depend on {} (its gradient is 0), which data like these do not tell: leave it out of trainable, or \
             measure what it changes",
            idle.join(", ")
        )
    })
}

/// Returns the note on the trainable parameters by which derivatives lack the part that a jump of the equations in the state moves;
/// `switches` says whether solves locate conditions.
pub fn note_on_conditions(model: &VectorField, switches: bool) -> Option<String> {
    let parameters = model.branch_parameters();
    let missing = || parameters.iter().filter(|p| !(switches && p.is_located));
    let quoted = |names: Vec<&str>| -> Option<String> {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        (!quoted.is_empty()).then(|| quoted.join(", "))
    };
    let of = |is_located: bool, is_only_there: bool| {
        let matching =
            missing().filter(|p| p.is_located == is_located && p.is_only_there == is_only_there);
        quoted(matching.map(|p| p.name).collect())
    };
    let zero = of(true, true).map(|names| {
        format!(
            "the derivative by {names} is 0, because conditions in the state are all that depends on it and a condition is either true \
             or false"
        )
    });
    let partial = of(true, false).map(|names| {
        format!(
            "the derivative by {names} lacks a part, because a condition in the state depends on it and a condition is either true or \
             false"
        )
    });
    let cure = "with switches: true the place where it switches is found, and the derivative takes into account that it moves";
    let located = match (zero, partial) {
        (Some(zero), Some(partial)) => Some(format!("{zero}; {partial}; {cure}")),
        (one, other) => one.or(other).map(|what| format!("{what}; {cure}")),
    };
    let names = missing().filter(|p| !p.is_located).map(|p| p.name);
    let steps = quoted(names.collect()).map(|names| {
        format!(
            "the derivative by {names} lacks the part by which the jumps of floor, ceil or % of the state move, which is found by no \
             option: write them as conditions, where(u[0] > p.c, …), and solve with switches: true"
        )
    });
    match (located, steps) {
        (Some(located), Some(steps)) => Some(format!("{located}; {steps}")),
        (one, other) => one.or(other),
    }
}

/// Returns the note on mini-batches of `size` samples that have all `samples`.
pub(super) fn note_on_batch(size: usize, samples: usize) -> String {
    format!(
        "batch: {size} takes all samples of the data, of which there are {samples}, so that each epoch is one step: leave it out, or give \
         a smaller number"
    )
}

/// Returns the note on wide layers and many problems at a time, for which the torch engine is faster where this program has it.
pub(super) fn note_on_engine(model: &VectorField, problems: usize) -> Option<String> {
    let is_faster = registered("torch").is_some() && torch_is_faster(model, problems);
    is_faster.then(|| {
        format!(
            "with layers this wide and {problems} trajectories at a time the torch engine is faster: engine: \"auto\" takes it"
        )
    })
}

/// Returns the note on constants that a training has left exactly where they began.
pub(super) fn note_on_constants(
    before: &VectorField,
    after: &VectorField,
    places: &[usize],
) -> Option<String> {
    let (first, last) = (before.params(), after.params());
    let stayed = |i: &usize| {
        let (a, b) = (first.get(*i)?, last.get(*i)?);
        ((a - b).abs() <= 1e-12 * a.abs()).then_some(*i)
    };
    let stayed: Vec<usize> = places.iter().filter_map(stayed).collect();
    let mut from = 0;
    let mut names = vec![];
    for block in before.blocks().iter().filter(|block| block.trainable) {
        if stayed
            .iter()
            .any(|i| (from..from + block.len()).contains(i))
        {
            names.push(format!("\"{}\"", block.name));
        }
        from += block.len();
    }
    (!names.is_empty()).then(|| {
        format!(
            "{} stayed where it began, so the data do not tell it: leave it out of trainable, or measure what it changes",
            names.join(", ")
        )
    })
}

/// Returns the note on a run whose mse never fell.
pub(super) fn note_on_mse(run: &Run) -> Option<String> {
    let first = run
        .history
        .iter()
        .map(|r| r.mse)
        .find(|mse| mse.is_finite())?;
    let fits = run.best_nmse.is_none_or(|nmse| nmse < FITS);
    let fell = run.history.iter().any(|r| r.mse < (1.0 - MIN_FALL) * first);
    let epochs = run.history.len();
    if run.stop == StopReason::Interrupted || epochs < MIN_EPOCHS || fits || fell {
        return None;
    }
    let text = |cure: &str| {
        format!(
            "the mse of the model that runs by itself stayed at {} for all {epochs} epochs; weak_constraint() finds scales and steps by \
             itself, and of this method {cure}",
            format_number(first, 3)
        )
    };
    if run.settings.has_damping() {
        return Some(text(
            "other first parameters or shorter solves (multiple_shooting() with more segments) may move it",
        ));
    }
    Some(text(match run.settings.options.scale.is_none() {
        true => "scale: \"auto\" or another learning rate (lr) may move it",
        false => "another learning rate (lr) may move it",
    }))
}

/// Returns the note on a run of `optimizer: "lm"` none of whose steps was taken, though the data are not met.
pub(super) fn note_on_steps(run: &Run) -> Option<String> {
    let damping = run.optimizer.damping.as_ref()?;
    let fits = run.best_nmse.is_none_or(|nmse| nmse < FITS);
    if !damping.is_converged || damping.accepted > 0 || fits {
        return None;
    }
    Some(
        "no step lowered the loss, however short: nothing was trained; begin with other parameters, or train by multiple_shooting() with \
         more segments, whose solves are shorter"
            .into(),
    )
}
