//! Interactions: functions whose arguments the user sets by controls. The front end shows the controls; the closures stay here, on
//! the session's thread, each under the number of its interaction.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rhai::{AST, Dynamic, Engine, FnPtr};

use super::error::RhaiResult;
use crate::{Error, Result};

/// Largest number of interactions of a session that are kept; of more, the oldest no longer answer.
const MAX_KEPT: usize = 64;

/// A widget that sets one argument of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Widget {
    /// Name of the argument.
    pub name: String,
    /// Kind of the widget, with its range and its first value.
    pub kind: WidgetKind,
}

/// The kinds of widgets.
#[derive(Debug, Clone, PartialEq)]
pub enum WidgetKind {
    /// A slider of floats.
    Float {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Distance of two values.
        step: f64,
        /// First value.
        value: f64,
    },
    /// A slider of whole numbers.
    Int {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Distance of two values.
        step: i64,
        /// First value.
        value: i64,
    },
    /// A checkbox, with its first state.
    Bool(bool),
    /// A choice of several values.
    Choice {
        /// The texts of the values.
        labels: Vec<String>,
        /// Index of the first value.
        index: usize,
    },
}

/// The value of a widget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WidgetValue {
    /// Value of a slider of floats.
    Float(f64),
    /// Value of a slider of whole numbers.
    Int(i64),
    /// State of a checkbox.
    Bool(bool),
    /// Index of the chosen value.
    Choice(usize),
}

impl Widget {
    /// Returns the first value.
    pub fn first_value(&self) -> WidgetValue {
        match &self.kind {
            WidgetKind::Float { value, .. } => WidgetValue::Float(*value),
            WidgetKind::Int { value, .. } => WidgetValue::Int(*value),
            WidgetKind::Bool(on) => WidgetValue::Bool(*on),
            WidgetKind::Choice { index, .. } => WidgetValue::Choice(*index),
        }
    }

    /// Returns the first value as text.
    pub(super) fn first_text(&self) -> String {
        match &self.kind {
            WidgetKind::Float { value, .. } => odesync_base::tables::format_number(*value, 6),
            WidgetKind::Int { value, .. } => value.to_string(),
            WidgetKind::Bool(on) => on.to_string(),
            WidgetKind::Choice { labels, index } => labels.get(*index).cloned().unwrap_or_default(),
        }
    }
}

/// An interaction that a front end shows.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// Number of the interaction in its session, for [`Session::run_interaction`](super::Session::run_interaction).
    pub id: u64,
    /// The controls, in the order of the function's arguments.
    pub controls: Vec<Widget>,
}

/// The closure of an interaction, with the values of each choice.
#[derive(Clone)]
pub(super) struct StoredInteraction {
    id: u64,
    closure: FnPtr,
    choices: Vec<Vec<Dynamic>>,
}

impl StoredInteraction {
    /// Returns the number of the interaction.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the arguments for the values of the controls.
    pub fn arguments(&self, values: &[WidgetValue]) -> Result<Vec<Dynamic>> {
        if values.len() != self.choices.len() {
            return Err(Error::invalid(format!(
                "interact: there are {} controls, not {}",
                self.choices.len(),
                values.len()
            )));
        }
        let value = |(value, choices): (&WidgetValue, &Vec<Dynamic>)| match value {
            WidgetValue::Float(x) => Ok(Dynamic::from(*x)),
            WidgetValue::Int(n) => Ok(Dynamic::from(*n)),
            WidgetValue::Bool(on) => Ok(Dynamic::from(*on)),
            WidgetValue::Choice(index) => choices.get(*index).cloned().ok_or_else(|| {
                Error::invalid(format!("interact: there is no choice number {index}"))
            }),
        };
        values.iter().zip(&self.choices).map(value).collect()
    }
}

/// The interactions of a session, shared by the binding and the session.
#[derive(Clone, Default)]
pub(super) struct Interactions(Rc<RefCell<KeptInteractions>>);

#[derive(Default)]
struct KeptInteractions {
    last: u64,
    kept: VecDeque<StoredInteraction>,
}

impl Interactions {
    /// Keeps the closure of a new interaction, with the values of each control's choices.
    pub fn store(&self, closure: FnPtr, choices: Vec<Vec<Dynamic>>) -> StoredInteraction {
        let mut all = self.0.borrow_mut();
        all.last += 1;
        let stored = StoredInteraction {
            id: all.last,
            closure,
            choices,
        };
        all.kept.push_back(stored.clone());
        if all.kept.len() > MAX_KEPT {
            all.kept.pop_front();
        }
        stored
    }

    /// Drops an interaction whose controls are gone.
    pub fn remove(&self, id: u64) {
        self.0.borrow_mut().kept.retain(|stored| stored.id != id);
    }

    /// Calls the function of an interaction with these values.
    ///
    /// # Errors
    /// An interaction that is not kept any more, values that do not fit, and those of the function.
    pub fn call(
        &self,
        engine: &Engine,
        functions: &AST,
        id: u64,
        values: &[WidgetValue],
    ) -> RhaiResult<Dynamic> {
        // The closure may call `interact`, so nothing is borrowed while it runs.
        let stored = self.0.borrow().kept.iter().find(|s| s.id == id).cloned();
        let stored = stored.ok_or_else(|| {
            Error::invalid("interact: these controls are no longer connected; run the cell again")
        })?;
        let arguments = stored.arguments(values)?;
        stored.closure.call(engine, functions, arguments)
    }
}
