//! A field bound to tensors on a device.

use tch::{Device, Tensor};

use super::device::{to_i64, upload};
use super::ops;
use super::taken_branches::{TakenBranches, has_branches};
use crate::Error;
use crate::error::TensorResult;
use odesync_ode::field::{NodeId, Op, VectorField};

/// A field whose parameters are tensors. Nodes are `[1, len]` where they depend on parameters and constants only (they are
/// evaluated once, at binding) and `[batch, len]` elsewhere. Nodes that the output does not need are not evaluated.
pub(super) struct BoundField<'a> {
    pub field: &'a VectorField,
    pub device: Device,
    /// Values of all parameter blocks, `[n]`, a leaf of the autograd graph.
    pub values: Tensor,
    /// Each parameter block in its shape.
    blocks: Vec<Tensor>,
    /// Values, by node, of the nodes that are evaluated once.
    constants: Vec<Option<Tensor>>,
    /// Indices of the nodes that every evaluation of the field evaluates, in order.
    dynamic_nodes: Vec<usize>,
    /// Whether derivatives are recorded of a field with branches, whose untaken ones must contribute nothing.
    has_branches: bool,
    /// Whether the field depends on the time.
    pub uses_time: bool,
    /// Indices, in the field, of the signals that an evaluation needs.
    pub signals: Vec<usize>,
}

/// The times and signal values at which a batch is evaluated.
#[derive(Default)]
pub(super) struct EvalPoint {
    /// Times, `[batch, 1]`, where the field uses them.
    pub t: Option<Tensor>,
    /// Values of [`BoundField::signals`], each `[batch, dof]`.
    pub signals: Vec<Tensor>,
}

impl<'a> BoundField<'a> {
    /// Binds the field's parameters; derivatives with respect to them are recorded if `record`.
    pub fn new(field: &'a VectorField, device: Device, record: bool) -> TensorResult<Self> {
        let n = field.values().len();
        let values = upload(field.values(), &[n], device)?.f_set_requires_grad(record)?;
        let blocks = field
            .blocks()
            .iter()
            .map(|b| {
                let shape: Vec<i64> = b.shape.iter().map(|n| to_i64(*n)).collect();
                Ok(values
                    .f_narrow(0, to_i64(b.offset), to_i64(b.len()))?
                    .f_reshape(shape)?)
            })
            .collect::<TensorResult<_>>()?;
        let mut bound = BoundField {
            field,
            device,
            values,
            blocks,
            constants: vec![],
            dynamic_nodes: vec![],
            has_branches: record && has_branches(field),
            uses_time: false,
            signals: vec![],
        };
        bound.fold_constants()?;
        Ok(bound)
    }

    /// Evaluates the nodes that depend on parameters and constants only, and lists the other ones. In a field with branches only the
    /// parameters and constants themselves are evaluated once.
    fn fold_constants(&mut self) -> TensorResult<()> {
        let nodes = self.field.nodes();
        let mut used = vec![false; nodes.len()];
        used[self.field.output().index()] = true;
        for (i, op) in nodes.iter().enumerate().rev() {
            if used[i] {
                for x in op.operands() {
                    used[x.index()] = true;
                }
            }
        }
        self.constants.resize_with(nodes.len(), || None);
        for (i, op) in nodes.iter().enumerate().filter(|(i, _)| used[*i]) {
            match op {
                Op::Time => self.uses_time = true,
                Op::Signal(s) => self.signals.push(*s),
                Op::State => {}
                _ if self.is_constant(op) => {
                    let value = self.apply_op(op, &EvalPoint::default(), None, &[], None)?;
                    self.constants[i] = Some(value);
                    continue;
                }
                _ => {}
            }
            self.dynamic_nodes.push(i);
        }
        Ok(())
    }

    fn is_constant(&self, op: &Op) -> bool {
        let operands = op.operands();
        let is_known = |x: &NodeId| self.constants[x.index()].is_some();
        operands.iter().all(is_known) && (operands.is_empty() || !self.has_branches)
    }

    /// Returns the values of the nodes that every evaluation of the field evaluates; the others are `None`.
    fn node_values(
        &self,
        point: &EvalPoint,
        u: &Tensor,
        taken: Option<&TakenBranches>,
    ) -> TensorResult<Vec<Option<Tensor>>> {
        let mut values: Vec<Option<Tensor>> = vec![];
        values.resize_with(self.constants.len(), || None);
        for &i in &self.dynamic_nodes {
            let op = &self.field.nodes()[i];
            let taken = taken.map(|taken| (i, taken));
            values[i] = Some(self.apply_op(op, point, Some(u), &values, taken)?);
        }
        Ok(values)
    }

    /// Returns du/dt of a batch of states, `[batch, dof]`.
    pub fn eval(&self, point: &EvalPoint, u: &Tensor) -> TensorResult<Tensor> {
        let taken = match self.has_branches {
            true => Some(tch::no_grad(|| -> TensorResult<TakenBranches> {
                let values = self.node_values(point, u, None)?;
                TakenBranches::new(self.field, self.device, |id| self.operand(id, &values))
            })?),
            false => None,
        };
        let mut values = self.node_values(point, u, taken.as_ref())?;
        let output = self.field.output();
        match values[output.index()].take() {
            Some(value) if batch_size(&value) == batch_size(u) => Ok(value),
            // The output depends on parameters and constants only.
            value => Ok(value
                .as_ref()
                .map_or_else(|| self.operand(output, &values), Ok)?
                .f_expand([batch_size(u), to_i64(self.field.dof())], false)?),
        }
    }

    fn operand<'v>(&'v self, id: NodeId, values: &'v [Option<Tensor>]) -> TensorResult<&'v Tensor> {
        let constant = self.constants[id.index()].as_ref();
        Ok(constant
            .or_else(|| values.get(id.index())?.as_ref())
            .ok_or_else(missing_operand)?)
    }

    fn apply_op(
        &self,
        op: &Op,
        point: &EvalPoint,
        u: Option<&Tensor>,
        values: &[Option<Tensor>],
        taken: Option<(usize, &TakenBranches)>,
    ) -> TensorResult<Tensor> {
        let get = |id: &NodeId| -> TensorResult<Tensor> {
            let x = self.operand(*id, values)?;
            match taken {
                Some((i, taken)) => taken.shield(i, op, x),
                None => Ok(x.shallow_clone()),
            }
        };
        if let Some((i, taken)) = taken
            && let Some(first) = taken.first_branch(i)
            && let Op::Select { a, b, .. } | Op::Binary(_, a, b) = op
        {
            return Ok(get(a)?.f_where_self(first, &get(b)?)?);
        }
        match op {
            Op::Time => Ok(point
                .t
                .as_ref()
                .ok_or_else(missing_operand)?
                .shallow_clone()),
            Op::State => Ok(u.ok_or_else(missing_operand)?.shallow_clone()),
            Op::Param(block) => Ok(self.blocks[*block].f_reshape([1_i64, -1])?),
            Op::Const(c) => upload(c, &[1, c.len()], self.device),
            Op::Signal(i) => {
                let at = self.signals.iter().position(|s| s == i);
                let value = at.and_then(|at| point.signals.get(at));
                Ok(value.ok_or_else(missing_operand)?.shallow_clone())
            }
            Op::Slice { x, start, len } => Ok(get(x)?.f_narrow(1, to_i64(*start), to_i64(*len))?),
            Op::Concat(parts) => self.concat(parts, u, values),
            Op::Sum(x) => Ok(get(x)?.f_sum_dim_intlist([1_i64].as_slice(), true, None)?),
            Op::Unary(f, x) => ops::unary(*f, &get(x)?),
            Op::Binary(odesync_ode::field::Binary::Pow, x, y) => match self.constant(*y) {
                Some(exponent) => ops::power(&get(x)?, exponent),
                None => ops::binary(odesync_ode::field::Binary::Pow, &get(x)?, &get(y)?),
            },
            Op::Binary(f, x, y) => ops::binary(*f, &get(x)?, &get(y)?),
            Op::Select { cond, a, b } => ops::select(&get(cond)?, &get(a)?, &get(b)?),
            Op::Affine { weight, bias, x } => {
                let bias = bias
                    .map(|b| self.blocks[b].f_reshape([-1_i64]))
                    .transpose()?;
                Ok(get(x)?.f_linear(&self.blocks[*weight], bias)?)
            }
        }
    }

    fn concat(
        &self,
        parts: &[NodeId],
        u: Option<&Tensor>,
        values: &[Option<Tensor>],
    ) -> TensorResult<Tensor> {
        let all: Vec<&Tensor> = parts
            .iter()
            .map(|p| self.operand(*p, values))
            .collect::<TensorResult<_>>()?;
        // Parts of parameters and constants alone have one row.
        let n = u.map_or(1, batch_size);
        if n == 1 || all.iter().all(|x| batch_size(x) == batch_size(all[0])) {
            return Ok(Tensor::f_cat(&all, 1)?);
        }
        let expanded: Vec<Tensor> = all
            .iter()
            .map(|x| x.f_expand([n, -1], false))
            .collect::<std::result::Result<_, _>>()?;
        Ok(Tensor::f_cat(&expanded, 1)?)
    }

    /// Returns the value of a node that is a constant of length 1.
    fn constant(&self, id: NodeId) -> Option<f64> {
        match &self.field.nodes()[id.index()] {
            Op::Const(c) if c.len() == 1 => Some(c[0]),
            _ => None,
        }
    }
}

/// Returns the number of rows of a batch.
pub(super) fn batch_size(x: &Tensor) -> i64 {
    x.size().first().copied().unwrap_or(1)
}

fn missing_operand() -> Error {
    Error::Torch("an operand has no value yet".into())
}
