//! Solves in pieces: smooth solves, one after another, between jumps of the state and switches of the equations.
//!
//! A piece is a solve like any other, by any method, with steps, a tape or checkpoints of its own. It ends where the function of an
//! event with a jump or the guard of a condition in the state is zero, in a step that ends there, or at the time of a dose; the next one
//! starts from the state after, on the other side of the condition, with its own first step. The gradient goes back over the pieces:
//! that of each is the one of a solve, and between two of them the adjoint jumps.

use super::condition_modes::{Modes, Settled};
use super::driver::{self, Problem};
use super::events::{EventFunction, EventFunctions, EventStart, FiredFunction};
use super::options::SolveOptions;
use super::recorded_steps::{OutputPosition, Stats};
use super::rhs::Rhs;
use super::smooth_piece::{SAME_TIME, SmoothPiece, Transition};
use super::solver::SolverFamily;
use super::transitions::slope_of;
use super::workspace::{ForwardRecord, Workspace};
use crate::Result;
use crate::field::VectorField;
use odesync_base::failure::{FailureReason, SolveFailure};

/// Solves one problem piece by piece into `work`; with `TAPE`, stores what a gradient needs. `field` is that of the right-hand side,
/// where it has one: its conditions in the state are located if the options say so.
pub(crate) fn solve<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    field: Option<&VectorField>,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    work: &mut Workspace,
) -> Result<()> {
    let mut solve = PieceSolve::<R, TAPE>::new(rhs, field, breakpoints, *problem, options, work);
    let solved = solve.run();
    let (u, next_output) = (solve.state, solve.next_output);
    work.state = u;
    // Steps alone do not tell the jumps between them, so that nothing could replay them.
    work.recorded.outputs.clear();
    work.u.truncate(next_output * rhs.dof());
    solved?;
    Ok(driver::check_events_defined(problem, options, work)?)
}

/// The state of a solve between two pieces.
pub(crate) struct PieceSolve<'a, 'w, R: Rhs + ?Sized, const TAPE: bool> {
    pub rhs: &'a R,
    pub breakpoints: &'a [f64],
    pub problem: Problem<'a>,
    pub options: &'a SolveOptions,
    pub work: &'w mut Workspace,
    pub modes: Option<Modes<'a>>,
    pub events: Vec<EventFunction>,
    /// Times of the doses within the solve that are still to come, the next one last, with their indices.
    pub doses: Vec<(f64, usize)>,
    pub t: f64,
    pub state: Vec<f64>,
    pub starts: Vec<EventStart>,
    /// Index of the output time that is not reached yet.
    pub next_output: usize,
    pub sign: f64,
    pub span: f64,
    pub tape: usize,
    pub pool: Vec<Workspace>,
    /// Functions that ended pieces since time last passed.
    pub at_once: Vec<usize>,
    /// Size of the step that would have come after the last piece.
    pub proposed_h: f64,
}

impl<'a, 'w, R: Rhs + ?Sized, const TAPE: bool> PieceSolve<'a, 'w, R, TAPE> {
    fn new(
        rhs: &'a R,
        field: Option<&'a VectorField>,
        breakpoints: &'a [f64],
        problem: Problem<'a>,
        options: &'a SolveOptions,
        work: &'w mut Workspace,
    ) -> Self {
        let (first, last) = (problem.t[0], problem.t[problem.t.len() - 1]);
        let sign = if last >= first { 1.0 } else { -1.0 };
        let inside = |t: &f64| (t - first) * sign >= 0.0 && (last - t) * sign >= 0.0;
        let doses = options.doses.iter().enumerate();
        let mut doses: Vec<(f64, usize)> = doses
            .flat_map(|(i, dose)| dose.times().iter().map(move |t| (*t, i)))
            .filter(|(t, _)| inside(t))
            .collect();
        // Doses at one time are applied in the order of the options.
        doses.sort_by(|a, b| (sign * b.0).total_cmp(&(sign * a.0)).then(b.1.cmp(&a.1)));
        let located = field.filter(|f| options.switches && f.switches_with_state());
        work.begin();
        work.event_was_defined.resize(options.events.len(), false);
        work.u.clear();
        work.u.resize(problem.t.len() * problem.u0.len(), 0.0);
        let pool = work.pieces.drain(..).map(|piece| piece.work).collect();
        PieceSolve {
            rhs,
            breakpoints,
            problem,
            options,
            modes: located.map(|field| Modes::new(field, problem.sample, sign)),
            events: EventFunctions::new(&options.events, None).all,
            doses,
            t: first,
            state: problem.u0.to_vec(),
            starts: vec![EventStart::default(); options.events.len()],
            next_output: 1,
            sign,
            span: (last - first).abs(),
            tape: 0,
            pool,
            at_once: vec![],
            proposed_h: 0.0,
            work,
        }
    }

    fn run(&mut self) -> Result<()> {
        let mut start_output = Some(0);
        let mut start = self.transition(&[]);
        self.take_doses(&mut start)?;
        self.make_consistent(&mut start)?;
        loop {
            if let Some(output) = start_output {
                self.write_row(output);
            }
            let settled = self.settle(&start)?;
            self.set_event_starts(&start, settled.as_ref());
            let is_terminated = self.work.terminated_at.is_some();
            let is_at_end = is_terminated || self.next_output >= self.problem.t.len();
            let first_step = self.first_step(&start);
            let piece = SmoothPiece {
                start,
                held: settled.as_ref().map(|settled| settled.held.clone()),
                u0: self.state.clone(),
                times: self.piece_times(is_at_end),
                breakpoints: vec![],
                first_step,
                start_output,
                outputs: self.next_output..self.next_output,
                ends_at: None,
                is_followed: false,
                work: self.pool.pop().unwrap_or_default(),
            };
            let (piece, fired) = self.solve_piece(piece, settled)?;
            if !piece.is_followed {
                self.keep(piece);
                return Ok(());
            }
            start = self.transition(&fired);
            self.keep(piece);
            self.take_jumps(&mut start)?;
            self.take_doses(&mut start)?;
            self.make_consistent(&mut start)?;
            let is_terminal = |f: &FiredFunction| {
                let hits = self.starts.get(f.index).map(|start| start.hits);
                hits.is_some() && self.events[f.index].terminal == hits
            };
            if fired.iter().any(is_terminal) {
                self.work.terminated_at = Some(self.t);
            }
            // An output at the time of the jump is the state after it; a terminal event ends the solution with one.
            let &next = self.problem.t.get(self.next_output).unwrap_or(&f64::NAN);
            let is_output = self.is_same_time(next) || self.work.terminated_at.is_some();
            start_output = (is_output && self.next_output < self.problem.t.len()).then(|| {
                let last = self.work.recorded.steps.len().saturating_sub(1);
                self.work.recorded.outputs.push(OutputPosition::End(last));
                self.next_output += 1;
                self.next_output - 1
            });
        }
    }

    pub fn is_same_time(&self, t: f64) -> bool {
        (t - self.t).abs() <= SAME_TIME * self.t.abs().max(self.span)
    }

    fn write_row(&mut self, output: usize) {
        let dof = self.state.len();
        self.work.u[output * dof..(output + 1) * dof].copy_from_slice(&self.state);
    }

    pub fn failure(&self, reason: FailureReason) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.t,
            step: self.work.recorded.steps.last().map_or(0.0, |s| s.h()),
            state: self.state.clone(),
            sample: self.problem.sample,
            method: self.options.running_method(),
        }
    }

    /// Returns the times of the next piece: up to the next dose, or to the end.
    fn piece_times(&self, is_at_end: bool) -> Vec<f64> {
        let mut times = vec![self.t];
        if is_at_end {
            return times;
        }
        let rest = &self.problem.t[self.next_output..];
        match self.doses.last() {
            None => times.extend(rest),
            Some(&(dose, _)) => {
                let same = SAME_TIME * dose.abs().max(self.span);
                let before = rest.iter().filter(|t| (dose - **t) * self.sign > same);
                times.extend(before);
                times.push(dose);
            }
        }
        times
    }

    /// Returns the size of the first step of the next piece where it is known: that of the options at the start, and after a switch the
    /// size of before, with methods that take every step anew. After a jump the state may be another one altogether.
    fn first_step(&self, start: &Transition) -> Option<f64> {
        let is_start = start.t == self.problem.t[0] && start.fired.is_empty();
        let takes_steps_anew = match self.options.solver.family {
            SolverFamily::ExplicitRungeKutta(_)
            | SolverFamily::Radau
            | SolverFamily::Esdirk(_)
            | SolverFamily::Rosenbrock(_) => true,
            SolverFamily::Bdf | SolverFamily::Adams(_) | SolverFamily::Auto { .. } => false,
        };
        let is_switch = start.jumps.is_empty() && !start.fired.is_empty();
        match is_start {
            true => self.options.first_step,
            false if is_switch && takes_steps_anew && self.proposed_h > 0.0 => {
                Some(self.proposed_h)
            }
            false => None,
        }
    }

    /// Solves a piece. Returns it with the functions for which it ended.
    fn solve_piece(
        &mut self,
        mut piece: SmoothPiece,
        settled: Option<Settled>,
    ) -> Result<(SmoothPiece, Vec<FiredFunction>)> {
        if piece.times.len() == 1 {
            piece.work.recorded.clear();
            piece.work.stats = Stats::default();
            return Ok((piece, vec![]));
        }
        // A piece may have no steps.
        if self.options.is_interrupted() {
            return Err(self.failure(FailureReason::Interrupted).into());
        }
        let used = self.work.stats.steps + self.work.stats.rejected;
        let options = SolveOptions {
            first_step: piece.first_step,
            max_steps: self.options.max_steps.saturating_sub(used),
            doses: vec![],
            ..self.options.clone()
        };
        let ends_with_dose = !self.doses.is_empty();
        piece.breakpoints = self.breakpoints.to_vec();
        if ends_with_dose {
            // The last step ends at the dose rather than beyond it.
            piece.breakpoints.extend(piece.times.last());
            piece.breakpoints.sort_by(f64::total_cmp);
        }
        let breakpoints = &piece.breakpoints;
        let problem = Problem {
            u0: &piece.u0,
            t: &piece.times,
            sample: self.problem.sample,
        };
        let work = &mut piece.work;
        work.tape_limit = self.work.tape_limit.saturating_sub(self.tape);
        work.record = self.work.record.clone();
        work.event_starts.clone_from(&self.starts);
        let solved = match &settled {
            Some(Settled {
                held,
                guards,
                starts,
            }) => {
                work.event_starts.extend(starts);
                let guards = Some(guards);
                let rhs = &held.evaluator;
                driver::solve_piece::<_, TAPE>(rhs, breakpoints, &problem, &options, guards, work)
            }
            None => driver::solve_piece::<R, TAPE>(
                self.rhs,
                breakpoints,
                &problem,
                &options,
                None,
                work,
            ),
        };
        self.work.stats += work.stats;
        solved.map_err(|failure| SolveFailure {
            reason: match failure.reason {
                FailureReason::TooManySteps(_) => {
                    FailureReason::TooManySteps(self.options.max_steps)
                }
                reason => reason,
            },
            ..failure
        })?;
        let fired = std::mem::take(&mut work.fired);
        self.proposed_h = work.proposed_h;
        self.work.event_hits.append(&mut work.event_hits);
        self.starts.clone_from(&work.event_starts);
        for (all, piece) in (self.work.event_was_defined.iter_mut()).zip(&work.event_was_defined) {
            *all |= piece;
        }
        let ended = work.terminated_at;
        piece.is_followed = !fired.is_empty() || (ended.is_none() && ends_with_dose);
        self.append(&mut piece);
        let dof = self.state.len();
        let last = piece.work.u.len().saturating_sub(dof);
        self.state.copy_from_slice(&piece.work.u[last..]);
        self.tape += piece.work.tape.len() + piece.work.output_tape.len();
        let t = ended.or(piece.times.last().copied()).unwrap_or(self.t);
        match fired.is_empty() {
            true => self.work.terminated_at = ended,
            false => piece.ends_at = Some(t),
        }
        self.check_progress(t, &fired)?;
        self.check_crossings(t, &fired, &piece)?;
        self.t = t;
        self.work.fired.clone_from(&fired);
        Ok((piece, fired))
    }

    /// Appends the steps and outputs of a piece to those of the whole solve, without its end where another piece follows.
    fn append(&mut self, piece: &mut SmoothPiece) {
        let (dof, before) = (self.state.len(), self.work.recorded.steps.len());
        let recorded = &piece.work.recorded;
        self.work.recorded.steps.extend(&recorded.steps);
        self.work.recorded.variants.extend(&recorded.variants);
        let n = recorded.outputs.len() - usize::from(piece.is_followed);
        let first = self.next_output;
        for (i, output) in recorded.outputs[..n].iter().enumerate().skip(1) {
            let to = self.next_output * dof;
            let row = &piece.work.u[i * dof..(i + 1) * dof];
            self.work.u[to..to + dof].copy_from_slice(row);
            let output = output.renumbered(|n| n + before);
            self.work.recorded.outputs.push(output);
            self.next_output += 1;
        }
        piece.outputs = first..self.next_output;
    }

    /// Checks that no function ends two pieces within the resolution of time, or comes back to zero without having left it.
    fn check_progress(&mut self, t: f64, fired: &[FiredFunction]) -> Result<()> {
        if !self.is_same_time(t) {
            self.at_once.clear();
        }
        for fired in fired {
            if fired.is_stuck || self.at_once.contains(&fired.index) {
                let reason = match fired.index < self.events.len() {
                    true => FailureReason::EventsAccumulate(fired.index),
                    false => FailureReason::SlidingMode,
                };
                return Err(self.failure(reason).into());
            }
            self.at_once.push(fired.index);
        }
        Ok(())
    }

    /// Checks that the functions of events that change the state pass through zero as the solution moves there. Where a flight is so
    /// short that the method does not resolve it, the state may lie on the zero without coming from the side that counts.
    fn check_crossings(&self, t: f64, fired: &[FiredFunction], piece: &SmoothPiece) -> Result<()> {
        let place = (self.problem.sample, t, &self.state[..]);
        let mut slope = vec![0.0; self.state.len()];
        match &piece.held {
            Some(held) => slope_of(&held.evaluator, None, place, &mut slope),
            None => {
                let mass = self.options.mass_matrix.as_ref();
                slope_of(self.rhs, mass, place, &mut slope);
            }
        }
        let turns_back = |fired: &&FiredFunction| {
            let function = self.events.get(fired.index).filter(|f| f.ends_piece);
            function.is_some_and(|f| self.sign * f.rate(place, &slope) * fired.sign > 0.0)
        };
        match fired.iter().find(turns_back) {
            None => Ok(()),
            Some(fired) => Err(self
                .failure(FailureReason::EventsAccumulate(fired.index))
                .into()),
        }
    }

    /// Keeps what a gradient needs of a piece.
    fn keep(&mut self, piece: SmoothPiece) {
        let is_needed = TAPE || !matches!(self.work.record, ForwardRecord::Steps);
        match is_needed {
            true => self.work.pieces.push(piece),
            false => self.pool.push(piece.work),
        }
    }
}
