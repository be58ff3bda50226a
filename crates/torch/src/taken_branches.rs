//! The components of a field's nodes that lie on branches which are taken.
//!
//! The derivative of a branch that is not taken is multiplied by 0, and libtorch makes NaN of 0 · ∞. So a field with branches is
//! evaluated once without derivatives; from its output back, this module finds which components count, and the arguments of the others
//! are replaced by numbers at which every function has a finite slope.

use odesync_ode::field::{Binary, NodeId, Op, Unary, VectorField};
use tch::{Device, Kind, Tensor};

use super::device::{KIND, to_i64};
use crate::error::TensorResult;

/// The components of a node that count.
enum Taken {
    None,
    All,
    /// Where this is true, `[batch or 1, length]`.
    Where(Tensor),
}

impl Taken {
    fn or(self, other: Taken) -> TensorResult<Taken> {
        Ok(match (self, other) {
            (Taken::None, one) | (one, Taken::None) => one,
            (Taken::All, _) | (_, Taken::All) => Taken::All,
            (Taken::Where(a), Taken::Where(b)) => Taken::Where(a.f_logical_or(&b)?),
        })
    }

    /// Returns the components that count and for which `condition` holds.
    fn and(&self, condition: &Tensor) -> TensorResult<Taken> {
        Ok(match self {
            Taken::None => Taken::None,
            Taken::All => Taken::Where(condition.shallow_clone()),
            Taken::Where(a) => Taken::Where(a.f_logical_and(condition)?),
        })
    }

    /// Returns the demand on an operand each of whose components enters all components of the node.
    fn any(&self) -> TensorResult<Taken> {
        Ok(match self {
            Taken::None => Taken::None,
            Taken::All => Taken::All,
            Taken::Where(a) => Taken::Where(a.f_any_dim(1, true)?),
        })
    }

    /// Returns the demand on an operand of this length, which is broadcast where it is 1.
    fn of_operand(&self, length: i64) -> TensorResult<Taken> {
        match self {
            Taken::Where(a) if length == 1 && a.size().get(1) != Some(&1) => self.any(),
            taken => taken.copy(),
        }
    }

    fn copy(&self) -> TensorResult<Taken> {
        Ok(match self {
            Taken::None => Taken::None,
            Taken::All => Taken::All,
            Taken::Where(a) => Taken::Where(a.shallow_clone()),
        })
    }

    /// Returns the demand as a tensor, `[batch or 1, length]`.
    fn mask(&self, length: i64, device: Device) -> TensorResult<Tensor> {
        Ok(match self {
            Taken::None => Tensor::f_zeros([1, length], (Kind::Bool, device))?,
            Taken::All => Tensor::f_ones([1, length], (Kind::Bool, device))?,
            Taken::Where(a) => a.f_expand([-1, length], false)?,
        })
    }
}

/// The components of all nodes that count at one evaluation of a field.
pub(super) struct TakenBranches {
    nodes: Vec<Taken>,
    /// Of each node with two branches, where the first is taken.
    first_branch: Vec<Option<Tensor>>,
    device: Device,
}

/// Whether a field has branches.
pub(super) fn has_branches(field: &VectorField) -> bool {
    let is_branch = |op: &Op| {
        matches!(
            op,
            Op::Select { .. } | Op::Binary(Binary::Min | Binary::Max, _, _)
        )
    };
    field.nodes().iter().any(is_branch)
}

impl TakenBranches {
    /// Finds the components that count, from the values of the nodes.
    pub fn new<'v>(
        field: &VectorField,
        device: Device,
        value: impl Fn(NodeId) -> TensorResult<&'v Tensor>,
    ) -> TensorResult<Self> {
        let nodes = field.nodes();
        let mut all = TakenBranches {
            nodes: nodes.iter().map(|_| Taken::None).collect(),
            first_branch: nodes.iter().map(|_| None).collect(),
            device,
        };
        all.nodes[field.output().index()] = Taken::All;
        for (i, op) in nodes.iter().enumerate().rev() {
            let taken = std::mem::replace(&mut all.nodes[i], Taken::None);
            if !matches!(taken, Taken::None) {
                all.demand_operands((i, op), &taken, &value)?;
            }
            all.nodes[i] = taken;
        }
        Ok(all)
    }

    fn demand_operands<'v>(
        &mut self,
        (i, op): (usize, &Op),
        taken: &Taken,
        value: &impl Fn(NodeId) -> TensorResult<&'v Tensor>,
    ) -> TensorResult<()> {
        let length = |id: NodeId| -> TensorResult<i64> {
            Ok(value(id)?.size().get(1).copied().unwrap_or(1))
        };
        match op {
            Op::Time | Op::State | Op::Param(_) | Op::Const(_) | Op::Signal(_) => Ok(()),
            Op::Slice { x, start, len } => {
                let (start, len, all) = (to_i64(*start), to_i64(*len), length(*x)?);
                let part = taken.mask(len, self.device)?;
                let rows = part.size().first().copied().unwrap_or(1);
                let no = |n: i64| Tensor::f_zeros([rows, n], (Kind::Bool, self.device));
                let mask = Tensor::f_cat(&[no(start)?, part, no(all - start - len)?], 1)?;
                self.add(*x, Taken::Where(mask))
            }
            Op::Concat(parts) => {
                let lengths = parts.iter().map(|part| length(*part));
                let lengths = lengths.collect::<TensorResult<Vec<i64>>>()?;
                // A condition of length 1 is that of all parts.
                let mask = taken.mask(lengths.iter().sum(), self.device)?;
                let mut start = 0;
                for (part, n) in parts.iter().zip(lengths) {
                    let of_part = match taken {
                        Taken::Where(_) => Taken::Where(mask.f_narrow(1, start, n)?),
                        other => other.copy()?,
                    };
                    self.add(*part, of_part)?;
                    start += n;
                }
                Ok(())
            }
            Op::Sum(x) | Op::Affine { x, .. } => self.add(*x, taken.any()?),
            Op::Unary(_, x) => self.add(*x, taken.copy()?),
            Op::Binary(f @ (Binary::Min | Binary::Max), x, y) => {
                let (a, b) = (value(*x)?, value(*y)?);
                let first = match f {
                    Binary::Min => a.f_lt_tensor(b)?,
                    _ => a.f_gt_tensor(b)?,
                };
                let first = first.f_logical_or(&a.f_isnan()?)?;
                self.add_either(taken, &first, [*x, *y], length)?;
                self.first_branch[i] = Some(first);
                Ok(())
            }
            Op::Binary(_, x, y) => {
                self.add(*x, taken.of_operand(length(*x)?)?)?;
                self.add(*y, taken.of_operand(length(*y)?)?)
            }
            // A condition has no derivative.
            Op::Select { cond, a, b } => {
                let first = value(*cond)?.f_ne(0.0)?;
                self.add_either(taken, &first, [*a, *b], length)?;
                self.first_branch[i] = Some(first);
                Ok(())
            }
        }
    }

    /// Demands the components of the first operand where `first` holds, those of the second elsewhere.
    fn add_either(
        &mut self,
        taken: &Taken,
        first: &Tensor,
        [x, y]: [NodeId; 2],
        length: impl Fn(NodeId) -> TensorResult<i64>,
    ) -> TensorResult<()> {
        self.add(x, taken.and(first)?.of_operand(length(x)?)?)?;
        let second = first.f_logical_not()?;
        self.add(y, taken.and(&second)?.of_operand(length(y)?)?)
    }

    fn add(&mut self, id: NodeId, more: Taken) -> TensorResult<()> {
        let before = std::mem::replace(&mut self.nodes[id.index()], Taken::None);
        self.nodes[id.index()] = before.or(more)?;
        Ok(())
    }

    /// Returns where the first branch of the node `i` is taken; `None` where it has no branches.
    ///
    /// Values that are computed with other arguments must not decide anew.
    pub fn first_branch(&self, i: usize) -> Option<&Tensor> {
        self.first_branch[i].as_ref()
    }

    /// Returns an argument of the operation at node `i` with other numbers where the node's result does not count.
    pub fn shield(&self, i: usize, op: &Op, x: &Tensor) -> TensorResult<Tensor> {
        let Taken::Where(mask) = &self.nodes[i] else {
            return Ok(x.shallow_clone());
        };
        let (mask, number) = match op {
            Op::Unary(Unary::Acosh, _) => (mask.shallow_clone(), 2.0),
            Op::Unary(..) | Op::Binary(..) => (mask.shallow_clone(), 0.5),
            // Of a product with weights every component enters each result.
            Op::Affine { .. } => (mask.f_any_dim(1, true)?, 0.0),
            _ => return Ok(x.shallow_clone()),
        };
        let number = Tensor::f_full([1], number, (KIND, self.device))?;
        Ok(x.f_where_self(&mask, &number)?)
    }
}
