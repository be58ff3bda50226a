//! Explicit Runge-Kutta steps.

use super::auto::Watch;
use super::checkpoints::Row;
use super::control::{self, FirstStep};
use super::course::Course;
use super::options::SolveOptions;
use super::plan::Step;
use super::scheme::Scheme;
use super::sums::{accumulate, combine, finite};
use super::tableau::Tableau;
use odesync_base::failure::FailureReason;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    k: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    weights: Vec<f64>,
}

/// An explicit Runge-Kutta method at work. The tape holds the slots of the stages: `stages − 1` a step (and one more at the
/// start) when the last stage is shared. The tape beside it holds those of the dense output's extra stages, of the steps with
/// an output inside.
pub(crate) struct Explicit {
    tableau: &'static Tableau,
    /// Whether the first stage of the next attempt is there.
    first: bool,
    /// Whether the extra stages of the attempt are there.
    extra: bool,
    watch: Watch,
    pub buffers: Buffers,
}

/// Index of the slot of a stage.
pub(crate) fn slot_index(tableau: &Tableau, step: usize, stage: usize) -> usize {
    let per_step = tableau.stages() - usize::from(tableau.fsal);
    step * per_step + stage
}

impl Explicit {
    pub fn new(tableau: &'static Tableau, dof: usize, mut buffers: Buffers) -> Self {
        let s = tableau.all_stages();
        buffers.k.resize(s * dof, 0.0);
        buffers.weights.resize(s, 0.0);
        buffers.stage.resize(dof, 0.0);
        buffers.error.resize(dof, 0.0);
        Explicit {
            tableau,
            first: false,
            extra: false,
            watch: Watch::default(),
            buffers,
        }
    }

    /// Evaluates stage `i` of step `n` at (t, `stage`) into `k_i`.
    fn evaluate<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        n: usize,
        i: usize,
        t: f64,
    ) {
        let at = slot_index(self.tableau, n, i) * course.evaluator.slot_len();
        let Buffers { k, stage, .. } = &mut self.buffers;
        let dof = course.dof;
        course.evaluate(at, t, stage, &mut k[i * dof..(i + 1) * dof]);
    }

    /// Evaluates the first stage at the current state.
    fn first_stage<const TAPE: bool>(&mut self, course: &mut Course<TAPE>, n: usize) {
        self.buffers.stage.copy_from_slice(&course.work.state);
        self.evaluate(course, n, 0, course.stepper.t);
        self.first = true;
    }

    /// Evaluates the stages of the dense output; with a tape, into its own part.
    fn extra_stages<const TAPE: bool>(&mut self, course: &mut Course<TAPE>, step: Step) {
        self.extra = true;
        let s = self.tableau.stages();
        let Buffers { k, stage, .. } = &mut self.buffers;
        for (i, extra) in self.tableau.extra.iter().enumerate() {
            let (before, rest) = k.split_at_mut((s + i) * course.dof);
            combine(
                &course.work.state,
                step.h(),
                extra.a,
                before,
                course.dof,
                stage,
            );
            let t = step.node(extra.c);
            course.evaluate_beside(t, stage, &mut rest[..course.dof]);
        }
    }

    fn first_step<const TAPE: bool>(&mut self, course: &mut Course<TAPE>) -> f64 {
        let SolveOptions { rtol, atol, .. } = *course.options;
        let (dof, sign) = (course.dof, course.stepper.sign());
        let Buffers { k, stage, .. } = &mut self.buffers;
        let first = FirstStep::new(&course.work.state, &k[..dof], rtol, atol);
        let trial = sign * first.trial;
        combine(&course.work.state, trial, &[1.0], k, dof, stage);
        // Stage 1 of step 0 is free to write to: it is evaluated again by the step itself.
        self.evaluate(course, 0, 1, course.stepper.t + trial);
        let Buffers { k, error, .. } = &mut self.buffers;
        for i in 0..dof {
            error[i] = k[dof + i] - k[i];
        }
        first.size(error, course.options.method.order)
    }
}

impl<const TAPE: bool> Scheme<TAPE> for Explicit {
    fn tape_len(&self, course: &Course<TAPE>, steps: usize) -> usize {
        let slots = slot_index(self.tableau, steps, 0) + usize::from(self.tableau.fsal);
        slots.saturating_mul(course.evaluator.slot_len())
    }

    fn begin(&mut self, course: &mut Course<TAPE>, adaptive: bool) -> Result<f64, FailureReason> {
        if !adaptive {
            return Ok(0.0);
        }
        self.first_stage(course, 0);
        if !finite(&self.buffers.k[..course.dof]) {
            return Err(FailureReason::NotFinite);
        }
        Ok(match course.options.first_step {
            Some(h) => h,
            None => self.first_step(course),
        })
    }

    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, course.dof, step.h());
        self.extra = false;
        if !self.first {
            self.first_stage(course, index);
        }
        let last = tableau.stages() - 1;
        for i in 1..=last {
            let Buffers { k, stage, .. } = &mut self.buffers;
            combine(&course.work.state, h, tableau.a[i], k, dof, stage);
            if tableau.fsal && i == last {
                course.work.next.copy_from_slice(stage);
            }
            self.evaluate(course, index, i, step.node(tableau.c[i]));
        }
        if !tableau.fsal {
            let work = &mut *course.work;
            let k = &self.buffers.k;
            combine(&work.state, h, tableau.b, k, dof, &mut work.next);
        }
        Ok(())
    }

    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        let SolveOptions { rtol, atol, .. } = *course.options;
        let Buffers { k, error, .. } = &mut self.buffers;
        error.fill(0.0);
        let weights = self.tableau.error.unwrap_or(&[]);
        accumulate(step.h(), weights, k, course.dof, error);
        let work = &*course.work;
        let mut norm = control::error_norm(error, &work.state, &work.next, rtol, atol);
        if let Some(weights) = self.tableau.second_error {
            error.fill(0.0);
            accumulate(step.h(), weights, k, course.dof, error);
            let second = control::error_norm(error, &work.state, &work.next, rtol, atol);
            norm = control::joint_norm(norm, second);
        }
        let k = &k[..self.tableau.stages() * course.dof];
        course.stepper.judge(step, norm, || finite(k))
    }

    fn interpolate(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        if !self.extra {
            self.extra_stages(course, step);
        }
        let Buffers { k, weights, .. } = &mut self.buffers;
        self.tableau.dense_weights(theta, weights);
        let work = &mut *course.work;
        let u = &mut work.u[to];
        combine(&work.state, step.h(), weights, k, course.dof, u);
    }

    fn advance(&mut self, course: &mut Course<TAPE>, _step: Step) {
        self.first = self.tableau.fsal;
        if self.first {
            let last = (self.tableau.stages() - 1) * course.dof;
            self.buffers.k.copy_within(last..last + course.dof, 0);
        }
    }

    /// The first stage is evaluated again: at the same place it is the last of the step before, to the last bit.
    fn save(&self, _row: &mut Vec<f64>) {}

    fn load(&mut self, _course: &mut Course<TAPE>, _row: &mut Row) {}

    /// Stiff where the step is at the limit of stability: the slopes of the last two stages, both at the end of the step,
    /// over their states give the largest eigenvalue (Hairer, Wanner, II, IV.2).
    fn unsuited(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        // The limit on the real axis is about 3.3.
        const LIMIT: f64 = 2.6;
        let (tableau, dof) = (self.tableau, course.dof);
        let s = tableau.stages();
        if !tableau.fsal || s < 3 || tableau.c[s - 2] != 1.0 {
            return false;
        }
        let Buffers { k, stage, .. } = &mut self.buffers;
        combine(
            &course.work.state,
            step.h(),
            tableau.a[s - 2],
            k,
            dof,
            stage,
        );
        let difference = |x: &[f64], y: &[f64]| -> f64 {
            let squares = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y));
            squares.sum::<f64>().sqrt()
        };
        let slopes = difference(&k[(s - 1) * dof..s * dof], &k[(s - 2) * dof..(s - 1) * dof]);
        let states = difference(&course.work.next, stage);
        let stiff = step.h().abs() * slopes > LIMIT * states;
        self.watch.note(stiff)
    }

    fn finite(&self) -> bool {
        let dof = self.buffers.stage.len();
        finite(&self.buffers.k[..self.tableau.stages() * dof])
    }
}
