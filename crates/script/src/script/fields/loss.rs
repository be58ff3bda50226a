//! The tracing of a loss's closure, which works as that of a system's closure.

use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::symbol::{SymbolicExpr, to_expr};
use super::trace::{TRACE_TOLERANCE, sample_state};
use crate::Error;
use odesync_ode::field::FieldBuilder;
use odesync_train::landscape::{LossFunction, SymbolicLoss};

/// The closure |p| of a loss: it takes the parameters and returns a number.
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

    /// Evaluates the loss at these parameters.
    ///
    /// # Errors
    /// The errors of the closure, or a value that is not a number.
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

    /// Traces the closure into an expression of its parameters. It must accept symbols and give the same numbers as without them,
    /// at θ and at other points.
    ///
    /// # Errors
    /// The reason for which the closure cannot be traced.
    pub fn trace(&self, params: &[f64]) -> RhaiResult<SymbolicLoss> {
        let b = FieldBuilder::new(params.len());
        let value = self.call(Dynamic::from(SymbolicExpr(b.state())))?;
        let loss = SymbolicLoss::build(&b, &to_expr(&b, &value)?)?;
        for sample in 0..6 {
            let (_, far) = sample_state(sample, params.len());
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
        let (direct, traced) = (self.value(point)?, loss.value(point)?);
        let same = direct == traced
            || (direct.is_nan() && traced.is_nan())
            || (direct - traced).abs() <= TRACE_TOLERANCE * (1.0 + direct.abs().max(traced.abs()));
        match same {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "the closure of the loss branches on its symbols: at {point:?} it gives {direct}, but traced into an expression \
                 {traced}; write where(condition, a, b), max(a, b), min(a, b) or abs(x)"
            ))
            .into()),
        }
    }
}

/// Reads a number, or an array of one number.
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

/// Replaces the error of a failed solve inside a closure by NaN.
///
/// # Errors
/// Every other error.
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
