//! The closure of a loss, traced as the closures of systems are.

use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::symbol::{Symbol, to_expr};
use super::trace::{TRACE_TOLERANCE, sample_state};
use crate::Error;
use odesync_ode::field::FieldBuilder;
use odesync_train::landscape::{LossFunction, SymbolicLoss};

/// A closure |p| of parameters that gives a number.
pub(crate) struct LossClosure<'a> {
    context: &'a NativeCallContext<'a>,
    closure: FnPtr,
}

impl<'a> LossClosure<'a> {
    pub fn new(context: &'a NativeCallContext<'a>, closure: FnPtr) -> Self {
        LossClosure { context, closure }
    }

    fn call(&self, params: Dynamic) -> RhaiResult<Dynamic> {
        self.closure
            .call_within_context::<Dynamic>(self.context, vec![params])
    }

    /// The loss at these parameters.
    ///
    /// # Errors
    /// Those of the closure, or a value that is no number.
    pub fn value(&self, params: &[f64]) -> RhaiResult<f64> {
        let value = self.call(Dynamic::from(ScriptArray::from_vec(params.to_vec())))?;
        number(&value).ok_or_else(|| {
            Error::invalid(format!(
                "the closure of a loss must return one number, not {}",
                match value.is_unit() {
                    true => "nothing (does it end in a semicolon?)".into(),
                    false => convert::describe(&value),
                }
            ))
            .into()
        })
    }

    /// The closure as an expression of its parameters, if it is one: it can be called with symbols, and gives the same numbers
    /// as without them, at θ and at other places.
    ///
    /// # Errors
    /// Why it is none.
    pub fn trace(&self, params: &[f64]) -> RhaiResult<SymbolicLoss> {
        let b = FieldBuilder::new(params.len());
        let value = self.call(Dynamic::from(Symbol(b.state())))?;
        let loss = SymbolicLoss::build(&b, &to_expr(&b, &value)?)?;
        for place in 0..6 {
            let (_, far) = sample_state(place, params.len());
            let near = params
                .iter()
                .zip(&far)
                .map(|(p, u)| p + 1e-2 * u * p.abs().max(1.0));
            for point in [near.collect(), far.clone(), params.to_vec()] {
                self.check_trace(&loss, &point)?;
            }
        }
        Ok(loss)
    }

    fn check_trace(&self, loss: &SymbolicLoss, point: &[f64]) -> RhaiResult<()> {
        let (own, traced) = (self.value(point)?, loss.value(point)?);
        let same = own == traced
            || (own.is_nan() && traced.is_nan())
            || (own - traced).abs() <= TRACE_TOLERANCE * (1.0 + own.abs().max(traced.abs()));
        match same {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "the closure of the loss branches on its symbols: at {point:?} it gives {own}, but traced into an expression {traced}; \
                 write where(condition, a, b), max(a, b), min(a, b) or abs(x)"
            ))
            .into()),
        }
    }
}

/// A number, or an array of one.
fn number(value: &Dynamic) -> Option<f64> {
    if let Some(x) = convert::to_number(value) {
        return Some(x);
    }
    let array = value.read_lock::<ScriptArray>()?;
    match array.data().len() {
        1 => array.data().first().copied(),
        _ => None,
    }
}

/// NaN where a solve inside a closure failed.
///
/// # Errors
/// Any other error.
pub(crate) fn solve_failure_to_nan(value: RhaiResult<f64>) -> RhaiResult<f64> {
    let unsolved = |error: &rhai::EvalAltResult| match error.unwrap_inner() {
        rhai::EvalAltResult::ErrorRuntime(value, _) => {
            let thrown = value.read_lock::<super::super::error::WrappedError>();
            thrown.is_some_and(|thrown| matches!(thrown.0, Error::Solve(_)))
        }
        _ => false,
    };
    match value {
        Err(error) if unsolved(&error) => Ok(f64::NAN),
        value => value,
    }
}
