//! The walk over a field's graph, and what a language has to say for each operation.

use std::collections::HashMap;

use odesync_ode::field::{Binary, InputSignal, NodeId, Op, Signal, Unary, VectorField};

use crate::{Error, ExportOptions, Result};

/// A language, or a file format, that the operations of a field are written in, operands first.
pub(crate) trait Language {
    /// What later operations refer to: a variable, a part of one, a number.
    type Value: Clone;

    /// Returns the time.
    fn time(&mut self) -> Result<Self::Value>;
    /// Returns the state.
    fn state(&mut self) -> Result<Self::Value>;
    /// Returns a parameter block, flat.
    fn parameter(&mut self, block: usize) -> Result<Self::Value>;
    /// Returns a constant vector.
    fn constant(&mut self, values: &[f64]) -> Result<Self::Value>;
    /// Writes the value of an external input at the time t.
    fn input(&mut self, input: &InputSignal) -> Result<Self::Value>;
    /// Writes the components `x[start .. start + len]`.
    fn slice(&mut self, x: &Self::Value, start: usize, len: usize) -> Result<Self::Value>;
    /// Writes the concatenation of the parts.
    fn concat(&mut self, parts: &[Self::Value]) -> Result<Self::Value>;
    /// Writes the sum of the components.
    fn sum(&mut self, x: &Self::Value) -> Result<Self::Value>;
    /// Writes an elementary function of each component.
    fn unary(&mut self, f: Unary, x: &Self::Value) -> Result<Self::Value>;
    /// Writes a function of two operands, one of which may have length 1.
    fn binary(&mut self, f: Binary, x: &Self::Value, y: &Self::Value) -> Result<Self::Value>;
    /// Writes the choice of `a` where `cond` is not zero, else `b`.
    fn select(
        &mut self,
        cond: &Self::Value,
        a: &Self::Value,
        b: &Self::Value,
    ) -> Result<Self::Value>;
    /// Writes the affine map W x + b.
    fn affine(
        &mut self,
        weight: usize,
        bias: Option<usize>,
        x: &Self::Value,
    ) -> Result<Self::Value>;
}

/// Writes a field in a language, each operation that du/dt depends on once; returns the value of du/dt.
///
/// # Errors
/// A synchronised field, whose spline is data, and what the language has no words for.
pub(crate) fn write_field<L: Language>(field: &VectorField, language: &mut L) -> Result<L::Value> {
    let mut values: HashMap<NodeId, L::Value> = HashMap::new();
    let value = |values: &HashMap<NodeId, L::Value>, id: &NodeId| {
        values
            .get(id)
            .cloned()
            .ok_or_else(|| Error::invalid("an operand comes after the operation that uses it"))
    };
    for id in reachable(field) {
        let get = |id: &NodeId| value(&values, id);
        let written = match &field.nodes()[id.index()] {
            Op::Time => language.time()?,
            Op::State => language.state()?,
            Op::Param(block) => language.parameter(*block)?,
            Op::Const(numbers) => language.constant(numbers)?,
            Op::Signal(i) => language.input(input(field, *i)?)?,
            Op::Slice { x, start, len } => language.slice(&get(x)?, *start, *len)?,
            Op::Concat(parts) => {
                let parts = parts.iter().map(get).collect::<Result<Vec<_>>>()?;
                language.concat(&parts)?
            }
            Op::Sum(x) => language.sum(&get(x)?)?,
            Op::Unary(f, x) => language.unary(*f, &get(x)?)?,
            Op::Binary(f, x, y) => language.binary(*f, &get(x)?, &get(y)?)?,
            Op::Select { cond, a, b } => language.select(&get(cond)?, &get(a)?, &get(b)?)?,
            Op::Affine { weight, bias, x } => language.affine(*weight, *bias, &get(x)?)?,
        };
        values.insert(id, written);
    }
    value(&values, &field.output())
}

/// Returns the nodes that du/dt depends on, operands first.
pub(crate) fn reachable(field: &VectorField) -> Vec<NodeId> {
    let mut seen = vec![false; field.nodes().len()];
    let (mut found, mut rest) = (vec![], vec![field.output()]);
    while let Some(id) = rest.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            rest.extend(field.nodes()[id.index()].operands());
            found.push(id);
        }
    }
    found.sort();
    found
}

/// Returns the operations that du/dt depends on, operands first.
pub(crate) fn operations(field: &VectorField) -> impl Iterator<Item = &Op> {
    reachable(field)
        .into_iter()
        .map(|id| &field.nodes()[id.index()])
}

/// Whether a field has one of these functions.
pub(crate) fn uses(field: &VectorField, wanted: &[Unary]) -> bool {
    operations(field).any(|op| matches!(op, Op::Unary(f, _) if wanted.contains(f)))
}

/// Whether a field has an external input.
pub(crate) fn uses_inputs(field: &VectorField) -> bool {
    operations(field).any(|op| matches!(op, Op::Signal(_)))
}

/// Returns the parameter blocks that du/dt depends on, by their indices, increasing.
pub(crate) fn used_blocks(field: &VectorField) -> Vec<usize> {
    let mut used: Vec<usize> = operations(field)
        .flat_map(|op| match op {
            Op::Param(block) => vec![*block],
            Op::Affine { weight, bias, .. } => std::iter::once(*weight).chain(*bias).collect(),
            _ => vec![],
        })
        .collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// Returns an external input of a field.
///
/// # Errors
/// A spline of data.
fn input(field: &VectorField, index: usize) -> Result<&InputSignal> {
    field.signals()[index].as_input().ok_or_else(|| {
        Error::invalid(
            "a synchronised field holds its data and is not exported: export the model itself",
        )
    })
}

/// Returns the external inputs that du/dt depends on, each with the sample that is written.
///
/// # Errors
/// A synchronised field; inputs of several samples without a choice of one, or one that they do not have.
pub(crate) fn used_inputs<'a>(
    field: &'a VectorField,
    options: &ExportOptions,
) -> Result<Vec<(&'a InputSignal, usize)>> {
    let mut inputs = vec![];
    for op in operations(field) {
        let Op::Signal(index) = op else { continue };
        let input = input(field, *index)?;
        let samples = input.n_samples();
        let sample = match options.sample {
            Some(sample) if samples > 1 && sample >= samples => {
                return Err(Error::invalid(format!(
                    "input \"{}\" is given for {samples} samples, and there is no sample {sample}: they count from 0",
                    input.name()
                )));
            }
            None if samples > 1 => {
                return Err(Error::invalid(format!(
                    "input \"{}\" is another one for each of {samples} samples, and a file has one: say which, for example \
                     #{{ sample: 0 }}",
                    input.name()
                )));
            }
            sample => sample.unwrap_or(0),
        };
        inputs.push((input, sample));
    }
    Ok(inputs)
}
