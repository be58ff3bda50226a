//! The functions whose zeros are found during a solve: those of events, and the guards of conditions in the state.

use std::sync::Arc;

use super::super::jumps::Partials;
use super::{Direction, Event};
use crate::field::native::Evaluator;

/// The functions of a solve: those of its events, then its guards.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventFunctions {
    pub all: Vec<EventFunction>,
}

/// The guards of a field whose conditions in the state are held, and the side on which each is.
#[derive(Debug, Clone)]
pub(crate) struct GuardFunctions {
    pub evaluator: Arc<Evaluator>,
    pub n: usize,
}

/// One function g(t, u), a component of what an evaluator gives.
#[derive(Debug, Clone)]
pub(crate) struct EventFunction {
    evaluator: Arc<Evaluator>,
    component: usize,
    /// Number of components that the evaluator gives.
    n_components: usize,
    pub direction: Direction,
    /// Number of the hit that ends the solve, counted from 1.
    pub terminal: Option<usize>,
    /// Whether a hit ends the piece of the solve that is smooth.
    pub ends_piece: bool,
    pub slot: Vec<f64>,
    values: Vec<f64>,
}

impl EventFunction {
    fn new(evaluator: Arc<Evaluator>, component: usize, n_components: usize) -> Self {
        EventFunction {
            component,
            n_components,
            direction: Direction::Both,
            terminal: None,
            ends_piece: true,
            slot: vec![0.0; evaluator.slot_len()],
            values: vec![0.0; n_components],
            evaluator,
        }
    }

    /// Returns g(t, u).
    pub fn evaluate(&mut self, sample: usize, t: f64, u: &[f64]) -> f64 {
        self.evaluator
            .eval(sample, t, u, &mut self.slot, &mut self.values);
        self.values[self.component]
    }

    /// Returns the derivatives of g at (t, u).
    pub fn partials(&self, place: (usize, f64, &[f64])) -> Partials {
        let mut bar = vec![0.0; self.n_components];
        bar[self.component] = 1.0;
        Partials::of(&self.evaluator, place, &bar)
    }

    /// Returns dg/dt along a solution with this slope: ∂g/∂t + ⟨∂g/∂u, f⟩.
    pub fn rate(&self, place: (usize, f64, &[f64]), slope: &[f64]) -> f64 {
        let by = self.partials(place);
        by.t + by.u.iter().zip(slope).map(|(g, f)| g * f).sum::<f64>()
    }
}

impl EventFunctions {
    /// Creates the functions of events, and of guards where there are some.
    pub fn new(events: &[Event], guards: Option<&GuardFunctions>) -> Self {
        let of_event = |event: &Event| {
            let evaluator = Arc::new(Evaluator::new(event.function()));
            EventFunction {
                direction: event.crossing_direction(),
                terminal: event.terminal_hit(),
                ends_piece: event.state_jump().is_some(),
                ..EventFunction::new(evaluator, 0, event.dof())
            }
        };
        let mut all: Vec<EventFunction> = events.iter().map(of_event).collect();
        if let Some(guards) = guards {
            let guard = |i| EventFunction::new(guards.evaluator.clone(), i, guards.n);
            all.extend((0..guards.n).map(guard));
        }
        EventFunctions { all }
    }
}
