//! Tracing: a closure is run once on symbols to build a graph, and on numbers to check that the graph computes the same values.

use rhai::{Array as List, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::inputs::ScriptInput;
use super::symbol::{SymbolicConstants, SymbolicExpr, to_expr};
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::{Expr, FieldBuilder, InputSignal, VectorField};

/// Largest relative difference between closure and graph that rounding can explain.
pub(super) const TRACE_TOLERANCE: f64 = 1e-9;

/// Reads the named constants of a call's map, as numbers.
pub(super) fn constants(map: &Map) -> Result<Vec<(String, f64)>> {
    map.iter()
        .map(|(name, value)| match convert::to_number(value) {
            Some(x) => Ok((name.to_string(), x)),
            None if value.is::<ScriptInput>() => Err(Error::invalid(format!(
                "parameter \"{name}\" should be a number; an input goes into equations of your own, for example system(2, |t, u, p| \
                 [u[1], p.w - u[0]], #{{ w: input([0, 1], [0, 1]) }})"
            ))),
            None => Err(Error::invalid(format!(
                "parameter \"{name}\" should be a number, not {}",
                convert::describe(value)
            ))),
        })
        .collect()
}

/// A closure of a script, called with as many of the arguments (t, u, nn, p) as it takes.
pub(super) struct EquationClosure<'a> {
    context: &'a NativeCallContext<'a>,
    closure: FnPtr,
    constants: &'a [(String, f64)],
    inputs: &'a [(String, InputSignal)],
    dof: usize,
    kind: ClosureKind,
}

/// What a closure gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosureKind {
    /// The derivatives of a system.
    Equations,
    /// The number of an event's function, which becomes the value of all components.
    Event,
    /// The state after a jump.
    Jump,
}

impl ClosureKind {
    /// What the closure belongs to.
    fn owner(self) -> &'static str {
        match self {
            ClosureKind::Equations => "equations",
            ClosureKind::Event => "event",
            ClosureKind::Jump => "jump",
        }
    }
}

impl<'a> EquationClosure<'a> {
    pub fn new(
        context: &'a NativeCallContext<'a>,
        closure: FnPtr,
        constants: &'a [(String, f64)],
        inputs: &'a [(String, InputSignal)],
        dof: usize,
    ) -> Self {
        EquationClosure {
            context,
            closure,
            constants,
            inputs,
            dof,
            kind: ClosureKind::Equations,
        }
    }

    /// Sets what the closure gives.
    pub fn of_kind(self, kind: ClosureKind) -> Self {
        EquationClosure { kind, ..self }
    }

    /// Calls the closure; if it does not take the last argument, that one is left out.
    fn call(&self, args: &[Dynamic]) -> RhaiResult<Dynamic> {
        let result = self
            .closure
            .call_within_context::<Dynamic>(self.context, args.to_vec());
        match result {
            Err(error) if self.is_arity_error(&error) && args.len() > 1 => self
                .closure
                .call_within_context::<Dynamic>(self.context, args[..args.len() - 1].to_vec())
                .map_err(|second| {
                    if self.is_arity_error(&second) {
                        self.arity_error(args.len())
                    } else {
                        second
                    }
                }),
            other => other,
        }
    }

    fn is_arity_error(&self, error: &EvalAltResult) -> bool {
        matches!(error.unwrap_inner(), EvalAltResult::ErrorFunctionNotFound(name, _) if name.starts_with(self.closure.fn_name()))
    }

    /// Sets an error's position to the closure's line and column. rhai does not report where a closure is defined, but an error
    /// inside it has a position: called without values, it fails at its first operation.
    fn locate_error(&self, error: Error) -> Box<EvalAltResult> {
        let mut error: Box<EvalAltResult> = error.into();
        if let Err(inside) =
            self.call(&[Dynamic::UNIT, Dynamic::UNIT, Dynamic::UNIT, Dynamic::UNIT])
        {
            let position = inside.unwrap_inner().position();
            error.set_position(position);
        }
        error
    }

    fn arity_error(&self, most: usize) -> Box<EvalAltResult> {
        let forms = if most == 3 {
            "|t, u| or |t, u, p|"
        } else {
            "|t, u, nn| or |t, u, nn, p|"
        };
        let owner = self.kind.owner();
        Error::invalid(format!("the closure of the {owner} takes {forms}")).into()
    }

    /// Traces the closure into the builder `b`; `nn` is the output of a network, if there is one.
    pub fn trace(&self, b: &FieldBuilder, nn: Option<Expr>) -> RhaiResult<Expr> {
        for (name, value) in self.constants {
            b.block(name, &[], &[*value], false)?;
        }
        for (name, input) in self.inputs {
            b.input(name, input.clone());
        }
        let mut args = vec![
            Dynamic::from(SymbolicExpr(b.time())),
            Dynamic::from(SymbolicExpr(b.state())),
        ];
        args.extend(nn.map(|nn| Dynamic::from(SymbolicExpr(nn))));
        args.push(Dynamic::from(SymbolicConstants {
            builder: b.clone(),
            names: {
                let constants = self.constants.iter().map(|(name, _)| name.clone());
                constants
                    .chain(self.inputs.iter().map(|(name, _)| name.clone()))
                    .collect()
            },
        }));
        let value = self.call(&args)?;
        let len = value.read_lock::<List>().map_or(1, |list| list.len());
        if value.is_unit() || (value.is_array() && len == 0) {
            let wanted = match self.kind {
                ClosureKind::Event => "the number that passes through zero".into(),
                ClosureKind::Jump => format!(
                    "the state after the jump, a list of {}",
                    count_of(self.dof, "number")
                ),
                ClosureKind::Equations => format!("a list of {}", count_of(self.dof, "derivative")),
            };
            return Err(Error::invalid(format!(
                "the closure must return {wanted}, and it returns {}",
                if value.is_unit() {
                    "nothing (does it end in a semicolon?)"
                } else {
                    "an empty list"
                }
            ))
            .into());
        }
        let output = to_expr(b, &value)?;
        if self.kind == ClosureKind::Jump && output.len() != self.dof {
            return Err(Error::invalid(format!(
                "the closure of the jump must return the state after it, {}, and it returns {}",
                count_of(self.dof, "number"),
                output.len()
            ))
            .into());
        }
        if self.kind == ClosureKind::Event {
            if output.len() != 1 {
                return Err(Error::invalid(format!(
                    "the closure of an event must return one number, and it returns {}",
                    output.len()
                ))
                .into());
            }
            return Ok(b.try_concat(&vec![output; self.dof])?);
        }
        Ok(output)
    }

    /// Compares the closure on numbers with its graph, at states of both signs. A branch that symbols cannot follow (`switch`,
    /// `in`, `==` on lists) shows as a difference. `n_network` is the length of nn.
    pub fn check(&self, n_network: usize) -> RhaiResult<()> {
        let b = FieldBuilder::new(self.dof);
        let network: Vec<f64> = (0..n_network).map(|i| 0.3 - 0.45 * i as f64).collect();
        let nn = match n_network {
            0 => None,
            n => Some(b.parameter(b.block("network output", &[n], &network, false)?)),
        };
        let output = self.trace(&b, nn)?;
        let field = b.finish(output)?;
        for sample in 0..6 {
            let (t, u) = sample_state(sample, self.dof);
            self.compare(&field, t, &u, &network)?;
        }
        Ok(())
    }

    fn compare(&self, field: &VectorField, t: f64, u: &[f64], network: &[f64]) -> RhaiResult<()> {
        let mut args = vec![
            Dynamic::from(t),
            Dynamic::from(ScriptArray::from_vec(u.to_vec())),
        ];
        if !network.is_empty() {
            args.push(Dynamic::from(ScriptArray::from_vec(network.to_vec())));
        }
        let constants = self
            .constants
            .iter()
            .map(|(name, x)| (name, Dynamic::from(*x)));
        let inputs = self.inputs.iter().map(|(name, input)| {
            let now = input.values_at(0, &[t]).into_iter().collect();
            (name, Dynamic::from(ScriptArray::from_vec(now)))
        });
        let constants: Map = constants
            .chain(inputs)
            .map(|(name, x)| (name.as_str().into(), x))
            .collect();
        args.push(Dynamic::from(constants));
        let value = self.call(&args)?;
        let mut numbers = vec![];
        flatten(&value, &mut numbers)?;
        let graph = field.derivative(t, u)?;
        let same = |a: f64, b: f64| {
            a == b
                || (a.is_nan() && b.is_nan())
                || (a - b).abs() <= TRACE_TOLERANCE * (1.0 + a.abs().max(b.abs()))
        };
        // A single number is the value of all components.
        let differs = (0..self.dof).find(|&i| {
            let number = numbers.get(if numbers.len() == 1 { 0 } else { i });
            number.is_none_or(|x| !same(*x, graph[i]))
        });
        match differs {
            None => Ok(()),
            Some(i) => Err(self.locate_error(Error::invalid(format!(
                "the closure branches on its symbols: at t = {t}, u = {u:?} it gives {} = {}, but traced into equations it \
                 gives {}. It runs once, so `switch`, `in`, `contains` and `==` on lists can't see values; write \
                 where(condition, a, b), max(a, b), min(a, b) or abs(x)",
                match self.kind {
                    ClosureKind::Event => "g".into(),
                    ClosureKind::Jump => format!("component {i} of the state after the jump"),
                    ClosureKind::Equations => format!("du[{i}]/dt"),
                },
                numbers.get(i).copied().unwrap_or(f64::NAN),
                graph[i]
            )))),
        }
    }
}

/// Returns a time and a state for the check: numbers of both signs and magnitudes around 1; the first state is a whole number,
/// which a `switch` may name, the second is 0.
pub(super) fn sample_state(sample: usize, dof: usize) -> (f64, Vec<f64>) {
    let u = (0..dof).map(|i| match sample {
        0 => 1.0,
        1 => 0.0,
        _ => {
            let x = (2.3 * (sample * dof + i) as f64 + 0.7).sin() * 1.7;
            if sample.is_multiple_of(2) {
                x.abs()
            } else {
                -x.abs()
            }
        }
    });
    (0.37 * sample as f64, u.collect())
}

fn flatten(value: &Dynamic, numbers: &mut Vec<f64>) -> Result<()> {
    if let Some(list) = value.read_lock::<List>() {
        return list.iter().try_for_each(|x| flatten(x, numbers));
    }
    numbers.extend(convert::to_array(value, "a derivative")?.iter());
    Ok(())
}
