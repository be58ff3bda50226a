//! On which side each condition in the state is, along a solve.

use std::collections::HashMap;
use std::sync::Arc;

use super::events::{EventFunctions, EventStart, GuardFunctions};
use crate::field::{HeldField, VectorField};
use crate::{Error, Result};
use odesync_base::failure::FailureReason;

/// The conditions in the state of one field, and the fields with them held that were needed so far.
pub(crate) struct Modes<'a> {
    field: &'a VectorField,
    sample: usize,
    /// Direction of integration.
    sign: f64,
    above: Vec<bool>,
    held: HashMap<Vec<bool>, Arc<HeldField>>,
}

/// The conditions just after a time, and where their guards stand.
pub(crate) struct Settled {
    pub held: Arc<HeldField>,
    pub guards: GuardFunctions,
    pub starts: Vec<EventStart>,
}

/// Why the conditions could not be settled.
pub(crate) enum Unsettled {
    Failed(FailureReason),
    Invalid(Error),
}

impl From<Error> for Unsettled {
    fn from(error: Error) -> Self {
        Unsettled::Invalid(error)
    }
}

impl<'a> Modes<'a> {
    /// Creates the conditions of a field, for a solve of one sample in the direction `sign`.
    pub fn new(field: &'a VectorField, sample: usize, sign: f64) -> Self {
        Modes {
            field,
            sample,
            sign,
            above: vec![false; field.n_guards()],
            held: HashMap::new(),
        }
    }

    fn held(&mut self) -> Result<Arc<HeldField>> {
        if let Some(held) = self.held.get(&self.above) {
            return Ok(held.clone());
        }
        let held = Arc::new(self.field.with_conditions_held(&self.above)?);
        self.held.insert(self.above.clone(), held.clone());
        Ok(held)
    }

    /// Finds on which side every condition is just after t, where the state is u and the guards `crossed` have just passed through
    /// zero.
    ///
    /// A guard that is not zero tells its side. One that is zero passes to the side to which it moves, with the equations of that
    /// side; where the equations of each side lead to the other, neither can be.
    pub fn settle(
        &mut self,
        t: f64,
        u: &[f64],
        crossed: &[usize],
    ) -> std::result::Result<Settled, Unsettled> {
        let n = self.above.len();
        for &i in crossed {
            self.above[i] = !self.above[i];
        }
        // A crossed guard has changed its side already.
        let mut changes = vec![0; n];
        for &i in crossed {
            changes[i] = 1;
        }
        for _ in 0..2 * n + 2 {
            let held = self.held()?;
            let guards = GuardFunctions {
                evaluator: held.guards.clone(),
                n,
            };
            let mut functions = EventFunctions::new(&[], Some(&guards)).all;
            let mut slope = vec![0.0; u.len()];
            let mut slot = vec![0.0; held.evaluator.slot_len()];
            held.evaluator
                .eval(self.sample, t, u, &mut slot, &mut slope);
            let mut starts = vec![EventStart::default(); n];
            let mut changed = false;
            for (i, function) in functions.iter_mut().enumerate() {
                let value = function.evaluate(self.sample, t, u);
                let is_zero = value == 0.0 || crossed.contains(&i);
                if !is_zero {
                    if !value.is_nan() && (value > 0.0) != self.above[i] {
                        self.above[i] = !self.above[i];
                        changed = true;
                    }
                    continue;
                }
                let rate = self.sign * function.rate((self.sample, t, u), &slope);
                if rate != 0.0 && !rate.is_nan() && (rate > 0.0) != self.above[i] {
                    changes[i] += 1;
                    if changes[i] > 1 {
                        return Err(Unsettled::Failed(FailureReason::SlidingMode));
                    }
                    self.above[i] = !self.above[i];
                    changed = true;
                }
                let side = if self.above[i] { 1.0 } else { -1.0 };
                starts[i].value = Some(side * f64::MIN_POSITIVE);
            }
            if !changed {
                return Ok(Settled {
                    held,
                    guards,
                    starts,
                });
            }
        }
        Err(Unsettled::Failed(FailureReason::SlidingMode))
    }
}
