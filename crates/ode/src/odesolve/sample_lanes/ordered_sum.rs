//! The sum of the gradients of a batch, in the order of its problems whatever order they come in.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::gradient_accumulator::GradientAccumulator;
use crate::field::native::Evaluator;

/// Sum of gradients in the order of the problems, so that its bits do not depend on the threads.
pub(crate) struct OrderedSum<'a> {
    evaluator: &'a Evaluator,
    state: Mutex<State>,
}

struct State {
    total: GradientAccumulator,
    /// Index of the problem whose gradient is added next.
    next: usize,
    /// Gradients of later problems.
    waiting: BTreeMap<usize, GradientAccumulator>,
    /// Gradients that are added, for reuse.
    spare: Vec<GradientAccumulator>,
}

impl<'a> OrderedSum<'a> {
    /// Creates a sum of zero.
    pub fn new(evaluator: &'a Evaluator) -> Self {
        OrderedSum {
            evaluator,
            state: Mutex::new(State {
                total: GradientAccumulator::new(evaluator),
                next: 0,
                waiting: BTreeMap::new(),
                spare: vec![],
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns storage for a gradient, whose value is arbitrary.
    pub fn spare(&self) -> GradientAccumulator {
        let spare = self.lock().spare.pop();
        spare.unwrap_or_else(|| GradientAccumulator::new(self.evaluator))
    }

    /// Adds the gradient of problem `index`, once those before it are added.
    pub fn add(&self, index: usize, gradient: GradientAccumulator) {
        let mut state = self.lock();
        let State {
            total,
            next,
            waiting,
            spare,
        } = &mut *state;
        waiting.insert(index, gradient);
        while let Some(mut gradient) = waiting.remove(next) {
            total.gradient.add(&gradient.gradient);
            total.add_values(&gradient.values);
            gradient.values.clear();
            spare.push(gradient);
            *next += 1;
        }
    }

    /// Writes the gradient with respect to the values of all parameter blocks into `all`.
    pub fn take(self, all: &mut [f64]) {
        let state = self.state.into_inner();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.total.take(self.evaluator, all);
    }
}
