//! One implicit equation of a step, `z + ψ = c f(t, base + z)`: a stage of a diagonally implicit Runge-Kutta method, or a
//! step of BDF. Simplified Newton iteration with a Jacobian that is kept as long as it serves.

use super::checkpoints::Row;
use super::course::Course;
use super::jacobian::Jacobian;
use super::linear::Lu;
use super::newton::{Newton, Progress, scaled_norm, settled};
use super::sums::{add, finite};
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

/// Storage and the state of the iteration matrix.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageSolver {
    pub slot: Vec<f64>,
    /// du/dt where it was evaluated last.
    pub f: Vec<f64>,
    stage: Vec<f64>,
    dz: Vec<f64>,
    pub jacobian: Jacobian,
    pub factors: Factors,
    exact: Exact,
    /// Whether the Jacobian is there, and whether it is that of the current state.
    pub have: bool,
    pub current: bool,
    pub newton: Newton,
}

/// I − c J, factored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factors {
    lu: Lu<f64>,
    /// 0 for none.
    c: f64,
}

impl Factors {
    /// As if there were none.
    pub fn clear(&mut self) {
        self.c = 0.0;
    }
}

/// I − c J with the Jacobian at the solution itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exact {
    jacobian: Jacobian,
    pub lu: Lu<f64>,
}

impl Exact {
    /// Makes room for this field.
    pub fn bind(&mut self, evaluator: &Evaluator) {
        self.jacobian.bind(evaluator);
    }

    /// Factors it over a taped slot; false where it is singular.
    pub fn factor(
        &mut self,
        evaluator: &Evaluator,
        place: (usize, f64),
        slot: &[f64],
        c: f64,
    ) -> bool {
        let Exact { jacobian, lu } = self;
        jacobian.fill(evaluator, place, slot);
        lu.factor(evaluator.dof(), |row, column| {
            f64::from(row == column) - c * jacobian.at(row, column)
        })
    }
}

/// An implicit equation.
#[derive(Clone, Copy)]
pub(crate) struct Equation<'a> {
    pub t: f64,
    pub base: &'a [f64],
    pub psi: Option<&'a [f64]>,
    pub c: f64,
    /// The most iterations.
    pub limit: usize,
    /// Where its slot stands on the tape.
    pub at: usize,
}

impl StageSolver {
    /// Ready for a new solve.
    pub fn start(&mut self, evaluator: &Evaluator) {
        let dof = evaluator.dof();
        self.slot.resize(evaluator.slot_len(), 0.0);
        for buffer in [&mut self.f, &mut self.stage, &mut self.dz] {
            buffer.resize(dof, 0.0);
        }
        self.jacobian.bind(evaluator);
        self.exact.bind(evaluator);
        (self.have, self.current) = (false, false);
        self.factors.clear();
    }

    /// Adds the state of the iteration matrix to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.have, self.current].map(f64::from));
        row.push(self.factors.c);
        row.extend(self.jacobian.by_state());
    }

    /// Takes it back.
    pub fn load(&mut self, row: &mut Row) {
        self.have = row.flag();
        self.current = row.flag();
        self.factors.c = row.number();
        row.fill(self.jacobian.by_state_mut());
        if self.have && self.factors.c != 0.0 {
            self.decompose(self.factors.c);
        }
    }

    /// Factors I − c J.
    fn decompose(&mut self, c: f64) -> bool {
        let jacobian = &self.jacobian;
        self.factors.lu.factor(self.f.len(), |row, column| {
            f64::from(row == column) - c * jacobian.at(row, column)
        })
    }

    /// Evaluates the field and its Jacobian at (t, u).
    pub fn linearize<const TAPE: bool>(&mut self, course: &mut Course<TAPE>, t: f64, u: &[f64]) {
        let place = (course.problem.sample, t);
        let evaluator = course.evaluator;
        evaluator.taped(place.0, t, u, &mut self.slot, &mut self.f);
        self.jacobian.fill(evaluator, place, &self.slot);
        course.work.stats.evaluations += 1;
        course.work.stats.jacobians += 1;
        (self.have, self.current) = (true, true);
        self.factors.clear();
    }

    /// Makes I − c J ready.
    pub fn factor<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        c: f64,
    ) -> Result<(), FailureReason> {
        // Step sizes that are meant to be equal differ by the rounding of the time.
        if (self.factors.c - c).abs() <= 1e-5 * c.abs() {
            return Ok(());
        }
        if !self.jacobian.finite() {
            // It may be taken at a place that was foreseen, where there is no field any more.
            return Err(match finite(&self.f) {
                true => FailureReason::JacobianNotFinite,
                false => FailureReason::NotFinite,
            });
        }
        let good = self.decompose(c);
        course.work.stats.factorizations += 1;
        self.factors.c = if good { c } else { 0.0 };
        good.then_some(()).ok_or(FailureReason::Singular)
    }

    /// Solves for z, from a first guess; `scale` is the state that tolerances refer to. In a tight solve z is exact to
    /// rounding, and with a tape its slot is there.
    pub fn solve<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        equation: Equation,
        scale: &[f64],
        z: &mut [f64],
    ) -> Result<(), FailureReason> {
        let solved = self.iterate(course, equation, scale, z);
        if !course.tight || (solved.is_err() && !self.current) {
            return solved;
        }
        // Where simplified Newton's iteration has not found it, the exact one may.
        if solved.is_err() {
            z.fill(0.0);
        }
        let limit = if solved.is_ok() { 10 } else { 30 };
        match self.polish(course, equation, scale, z, limit) {
            true => Ok(()),
            false => Err(solved.err().unwrap_or(FailureReason::NotConverging)),
        }
    }

    /// `c f − ψ − z` at `base + z` into `dz`.
    fn residual(&mut self, equation: Equation, z: &[f64]) {
        for (i, dz) in self.dz.iter_mut().enumerate() {
            *dz = equation.c * self.f[i] - z[i];
        }
        if let Some(psi) = equation.psi {
            for (dz, psi) in self.dz.iter_mut().zip(psi) {
                *dz -= psi;
            }
        }
    }

    fn move_to(&mut self, equation: Equation, z: &[f64]) {
        for (i, stage) in self.stage.iter_mut().enumerate() {
            *stage = equation.base[i] + z[i];
        }
    }

    fn iterate<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        equation: Equation,
        scale: &[f64],
        z: &mut [f64],
    ) -> Result<(), FailureReason> {
        let (rtol, atol) = (course.options.rtol, course.options.atol);
        self.newton = Newton::new(rtol, equation.limit);
        loop {
            self.move_to(equation, z);
            let StageSolver { slot, f, stage, .. } = self;
            let sample = course.problem.sample;
            course.evaluator.value(sample, equation.t, stage, slot, f);
            course.work.stats.evaluations += 1;
            if !finite(f) {
                return Err(FailureReason::NotFinite);
            }
            self.residual(equation, z);
            self.factors.lu.solve(&mut self.dz);
            let progress = self.newton.judge(scaled_norm(&self.dz, scale, rtol, atol));
            if progress == Progress::Failed {
                return Err(FailureReason::NotConverging);
            }
            add(&self.dz, z);
            if progress == Progress::Converged {
                return Ok(());
            }
        }
    }

    /// Exact Newton iteration to rounding. False where it does not converge.
    fn polish<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        equation: Equation,
        scale: &[f64],
        z: &mut [f64],
        limit: usize,
    ) -> bool {
        let (rtol, atol) = (course.options.rtol, course.options.atol);
        let (mut norm, mut done) = (f64::INFINITY, false);
        let place = (course.problem.sample, equation.t);
        for iteration in 0..=limit {
            if done && !TAPE {
                break;
            }
            self.move_to(equation, z);
            let work = &mut *course.work;
            let slot = if TAPE {
                &mut work.tape[equation.at..equation.at + self.slot.len()]
            } else {
                &mut self.slot[..]
            };
            let (evaluator, f) = (course.evaluator, &mut self.f);
            evaluator.taped(place.0, place.1, &self.stage, slot, f);
            work.stats.evaluations += 1;
            if done {
                break;
            }
            if !finite(&self.f) || iteration == limit {
                return false;
            }
            if !self.exact.factor(evaluator, place, slot, equation.c) {
                return false;
            }
            work.stats.jacobians += 1;
            work.stats.factorizations += 1;
            self.residual(equation, z);
            self.exact.lu.solve(&mut self.dz);
            add(&self.dz, z);
            self.move_to(equation, z);
            let increment = scaled_norm(&self.dz, scale, rtol, atol);
            // At the level of rounding increments get no smaller.
            done = settled(&self.dz, &self.stage) || (increment < 1e-3 && increment > 0.5 * norm);
            norm = increment;
        }
        true
    }
}
