//! The graph of a vector field: an arena of nodes, parameter blocks and signals. Shapes are checked as nodes are added.

use std::collections::HashMap;
use std::sync::Arc;

use super::constant_spec::ConstantSpec;
use super::op::{NodeId, Op};
use super::printing;
use super::signal::Signal;
use crate::{Error, Result};
use odesync_base::text::{count_of, were};

/// Largest number of nodes of one graph; it stops a script's closure that loops for ever.
pub const MAX_NODES: usize = 200_000;
/// Largest number of values that one evaluation may hold.
const MAX_VALUES: usize = 50_000_000;

/// A named, shaped group of parameters.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ParamBlock {
    /// Name of the block, unique in its field.
    pub name: String,
    /// Shape of the block; empty for a scalar.
    pub shape: Vec<usize>,
    /// Whether training changes the values of the block.
    pub trainable: bool,
    /// Whether the block can never be made trainable, as the homotopy parameter λ.
    #[serde(default)]
    pub locked: bool,
    /// What is known of a constant that is trained: bounds, a prior, its scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ConstantSpec>,
    /// Index of the block's first value in the vector of all values.
    pub offset: usize,
}

impl ParamBlock {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns a name for each value, in order: the block's name, with the indices of the value where the block is no scalar,
    /// `weight[2, 0]`.
    pub fn value_names(&self) -> impl Iterator<Item = String> {
        use ndarray::Dimension;
        ndarray::indices(self.shape.as_slice())
            .into_iter()
            .map(|at| match at.slice() {
                [] => self.name.clone(),
                indices => format!("{}{indices:?}", self.name),
            })
    }

    /// Returns whether the block has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the range of the block in the vector of all values.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The graph of a vector field: nodes in topological order with their lengths, and the blocks and signals they refer to.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub dof: usize,
    pub nodes: Vec<Op>,
    pub lens: Vec<usize>,
    pub blocks: Vec<ParamBlock>,
    pub values: Vec<f64>,
    pub signals: Vec<Arc<dyn Signal>>,
    node_by_key: HashMap<Vec<u64>, NodeId>,
    total_len: usize,
}

impl Graph {
    pub fn new(dof: usize) -> Self {
        Graph {
            dof,
            nodes: vec![],
            lens: vec![],
            blocks: vec![],
            values: vec![],
            signals: vec![],
            node_by_key: HashMap::new(),
            total_len: 0,
        }
    }

    pub fn len_of(&self, id: NodeId) -> usize {
        self.lens[id.index()]
    }

    /// Adds a parameter block with its values and returns its index.
    pub fn add_block(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[f64],
        trainable: bool,
    ) -> Result<usize> {
        if self.blocks.iter().any(|b| b.name == name) {
            return Err(Error::invalid(format!(
                "two parameter blocks have the name \"{name}\""
            )));
        }
        let block = ParamBlock {
            name: name.into(),
            shape: shape.to_vec(),
            trainable,
            locked: false,
            spec: None,
            offset: self.values.len(),
        };
        if block.is_empty() {
            return Err(Error::invalid(format!(
                "parameter \"{name}\" of shape {shape:?} has no values"
            )));
        }
        if block.len() != values.len() {
            return Err(Error::invalid(format!(
                "parameter \"{name}\" has shape {shape:?}, that is {}, and {} given",
                count_of(block.len(), "value"),
                were(values.len())
            )));
        }
        self.values.extend_from_slice(values);
        self.blocks.push(block);
        Ok(self.blocks.len() - 1)
    }

    /// Adds a node, or returns the existing node of an equal operation.
    pub fn push(&mut self, op: Op) -> Result<NodeId> {
        let len = self.infer_len(&op)?;
        let key = cse_key(&op);
        if let Some(id) = self.node_by_key.get(&key) {
            return Ok(*id);
        }
        self.total_len = self.total_len.saturating_add(len);
        if self.nodes.len() >= MAX_NODES || self.total_len > MAX_VALUES {
            return Err(Error::invalid(format!(
                "the equations have become too long, more than {MAX_NODES} operations or {MAX_VALUES} numbers: has the closure a \
                 loop that does not end?"
            )));
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(op);
        self.lens.push(len);
        self.node_by_key.insert(key, id);
        Ok(id)
    }

    fn infer_len(&self, op: &Op) -> Result<usize> {
        for id in op.operands() {
            if id.index() >= self.nodes.len() {
                return Err(Error::invalid(
                    "an operand comes after the operation that uses it",
                ));
            }
        }
        let len = |id: &NodeId| self.lens[id.index()];
        let name = |id: &NodeId| printing::expression(self, *id, 40);
        let block = |i: usize| {
            self.blocks
                .get(i)
                .ok_or_else(|| Error::invalid(format!("there is no parameter block {i}")))
        };
        Ok(match op {
            Op::Time => 1,
            Op::State => self.dof,
            Op::Param(i) => block(*i)?.len(),
            Op::Const(v) if v.is_empty() => {
                return Err(Error::invalid("a constant needs at least one value"));
            }
            Op::Const(v) => v.len(),
            Op::Signal(i) => self
                .signals
                .get(*i)
                .ok_or_else(|| Error::invalid(format!("there is no signal {i}")))?
                .dof(),
            Op::Slice { x, start, len: n } => {
                let have = len(x);
                if *n == 0 || start.checked_add(*n).is_none_or(|end| end > have) {
                    let what = if *n == 1 {
                        format!("{}[{start}]", name(x))
                    } else {
                        format!("{}[{start}..{}]", name(x), start.saturating_add(*n))
                    };
                    return Err(Error::invalid(format!(
                        "{what} is out of range: {} has {}, counted from 0",
                        name(x),
                        count_of(have, "component")
                    )));
                }
                *n
            }
            Op::Concat(parts) if parts.is_empty() => {
                return Err(Error::invalid("nothing to put together: the list is empty"));
            }
            Op::Concat(parts) => parts.iter().map(len).sum(),
            Op::Sum(_) => 1,
            Op::Unary(_, x) => len(x),
            Op::Binary(f, x, y) => broadcast_len(&[len(x), len(y)]).ok_or_else(|| {
                let (a, b) = (name(x), name(y));
                Error::invalid(format!(
                    "lengths differ in {}: {a} has {}, {b} has {}",
                    printing::binary(*f, &a, &b),
                    len(x),
                    len(y)
                ))
            })?,
            Op::Select { cond, a, b } => {
                broadcast_len(&[len(cond), len(a), len(b)]).ok_or_else(|| {
                    Error::invalid(format!(
                        "lengths differ in where({}, {}, {}): {}, {} and {}",
                        name(cond),
                        name(a),
                        name(b),
                        len(cond),
                        len(a),
                        len(b)
                    ))
                })?
            }
            Op::Affine { weight, bias, x } => {
                let w = block(*weight)?;
                let [out, inputs] = w.shape[..] else {
                    return Err(Error::invalid(format!(
                        "weight \"{}\" must have shape [out, in], not {:?}",
                        w.name, w.shape
                    )));
                };
                if inputs != len(x) {
                    return Err(Error::invalid(format!(
                        "\"{}\" of shape {:?} takes {inputs} inputs, but {} has {}",
                        w.name,
                        w.shape,
                        name(x),
                        len(x)
                    )));
                }
                if let Some(b) = bias {
                    let b = block(*b)?;
                    if b.len() != out {
                        return Err(Error::invalid(format!(
                            "bias \"{}\" has {}, its weight \"{}\" gives {out}",
                            b.name,
                            count_of(b.len(), "value"),
                            w.name
                        )));
                    }
                }
                out
            }
        })
    }
}

/// Returns the common length of operands of which those of length 1 are broadcast; `None` where other lengths differ.
fn broadcast_len(lens: &[usize]) -> Option<usize> {
    let longest = lens.iter().copied().max()?;
    lens.iter()
        .all(|l| *l == longest || *l == 1)
        .then_some(longest)
}

/// Returns the key for common-subexpression elimination, equal exactly for equal operations (constants by their bits).
fn cse_key(op: &Op) -> Vec<u64> {
    let id = |n: &NodeId| u64::from(n.0);
    match op {
        Op::Time => vec![0],
        Op::State => vec![1],
        Op::Param(i) => vec![2, *i as u64],
        Op::Const(v) => std::iter::once(3)
            .chain(v.iter().map(|x| x.to_bits()))
            .collect(),
        Op::Signal(i) => vec![4, *i as u64],
        Op::Slice { x, start, len } => vec![5, id(x), *start as u64, *len as u64],
        Op::Concat(parts) => std::iter::once(6).chain(parts.iter().map(id)).collect(),
        Op::Sum(x) => vec![7, id(x)],
        Op::Unary(f, x) => vec![8, *f as u64, id(x)],
        Op::Binary(f, x, y) => vec![9, *f as u64, id(x), id(y)],
        Op::Select { cond, a, b } => vec![10, id(cond), id(a), id(b)],
        Op::Affine { weight, bias, x } => vec![
            11,
            *weight as u64,
            bias.map_or(u64::MAX, |b| b as u64),
            id(x),
        ],
    }
}
