//! A field whose networks are unknown functions, in place of which expressions can be put.

use std::collections::HashMap;

use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{Expr, FieldBuilder, NodeId, Op, ParamBlockId, VectorField};

use super::component::origin;
use crate::weak_constraint::affine_layers::affine_layers;
use crate::{Error, Result};

/// A field with networks, the outputs of which are unknown functions.
pub(super) struct Template {
    field: VectorField,
    /// Node and number of components of each network's output.
    outputs: Vec<(NodeId, usize)>,
}

impl Template {
    /// Takes the networks of a field as unknown.
    ///
    /// # Errors
    /// A field without networks.
    pub fn new(field: &VectorField) -> Result<Self> {
        if let Some((name, ..)) = field.specs().next() {
            return Err(Error::invalid(format!(
                "equations are searched with constants that have no bounds and no priors, and \"{name}\" has: make it trainable \
                 without, as trainable([\"{name}\"]), or freeze it"
            )));
        }
        let last: Vec<usize> = (affine_layers(field).iter())
            .filter(|layer| layer.is_last)
            .map(|layer| layer.weight)
            .collect();
        let nodes = field.nodes();
        let is_output = |op: &Op| matches!(op, Op::Affine { weight, .. } if last.contains(weight));
        let outputs: Vec<(NodeId, usize)> = (0..nodes.len())
            .filter(|i| is_output(&nodes[*i]))
            .filter_map(|i| node_id(nodes, field, i))
            .map(|id| (id, field.node_len(id)))
            .collect();
        if outputs.is_empty() {
            return Err(Error::invalid(
                "equations are found for what a network stands for, and the model has no trainable network: take blackbox or graybox",
            ));
        }
        Ok(Template {
            field: field.clone(),
            outputs,
        })
    }

    /// Returns the number of unknown functions.
    pub fn n_outputs(&self) -> usize {
        self.outputs.iter().map(|(_, n)| n).sum()
    }

    /// Returns the equation that is an unknown function itself; `None` where the function is a part of equations.
    pub fn equation_of(&self, output: usize) -> Option<usize> {
        let mut places = self
            .outputs
            .iter()
            .flat_map(|(id, n)| (0..*n).map(|i| (*id, i)));
        let place = places.nth(output)?;
        (0..self.field.dof()).find(|i| origin(&self.field, self.field.output(), *i) == place)
    }

    /// Returns the names of the external inputs, and their numbers of components.
    pub fn inputs(&self) -> Vec<(String, usize)> {
        let signals = self.field.signals().iter();
        signals
            .filter_map(|s| s.as_input())
            .map(|input| {
                use odesync_ode::field::Signal;
                (input.name().to_string(), input.dof())
            })
            .collect()
    }

    /// Returns the names that constants and inputs of the field have.
    pub fn names(&self) -> Vec<String> {
        let inputs = self.inputs().into_iter().map(|(name, _)| name);
        let blocks = self.field.blocks().iter().map(|b| b.name.clone());
        blocks.chain(inputs).collect()
    }

    /// Returns the values of the unknown functions at points, `[point][output]`.
    pub fn values(&self, points: &[(usize, f64, Vec<f64>)]) -> Vec<Vec<f64>> {
        let mut all = vec![vec![]; points.len()];
        for (node, n) in &self.outputs {
            let evaluator = Evaluator::of_node(&self.field, *node);
            let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; *n]);
            for ((sample, t, u), values) in points.iter().zip(&mut all) {
                evaluator.eval(*sample, *t, u, &mut slot, &mut out);
                values.extend_from_slice(&out);
            }
        }
        all
    }

    /// Returns a field of as many state variables, with the inputs and constants of this one, and this right-hand side.
    pub fn with_inputs_only(
        &self,
        output: impl FnOnce(&FieldBuilder) -> Result<Expr>,
    ) -> Result<VectorField> {
        let b = FieldBuilder::new(self.field.dof());
        Copy::new(&self.field, &b).add_named()?;
        let output = output(&b)?;
        b.finish(output)
    }

    /// Returns the field with expressions in place of the unknown functions. `unknown` gets a builder that has the inputs and
    /// constants, and returns one expression of one component for each.
    pub fn with_expressions(
        &self,
        unknown: impl FnOnce(&FieldBuilder) -> Result<Vec<Expr>>,
    ) -> Result<VectorField> {
        let b = FieldBuilder::new(self.field.dof());
        let mut copy = Copy::new(&self.field, &b);
        copy.add_named()?;
        let expressions = unknown(&b)?;
        let mut rest = expressions.as_slice();
        for (node, n) in &self.outputs {
            let (these, others) = rest.split_at(*n);
            copy.done.insert(node.index(), b.concat(these));
            rest = others;
        }
        let output = copy.expr(self.field.output())?;
        // The second copy has nothing that the equations do not use.
        let field = b.finish(output)?;
        let b = FieldBuilder::new(field.dof());
        let output = copy_into(&b, &field)?;
        b.finish(output)
    }
}

/// Copies the right-hand side of a field into another one under construction.
pub(super) fn copy_into(b: &FieldBuilder, field: &VectorField) -> Result<Expr> {
    Copy::new(field, b).expr(field.output())
}

/// Returns the id of node `i`, which is an operand of another node or the output.
fn node_id(nodes: &[Op], field: &VectorField, i: usize) -> Option<NodeId> {
    let operands = nodes.iter().flat_map(Op::operands);
    operands.chain([field.output()]).find(|id| id.index() == i)
}

/// A copy of a field's expressions into another field under construction.
struct Copy<'a> {
    field: &'a VectorField,
    builder: &'a FieldBuilder,
    /// Copied nodes, and those that something else stands for.
    done: HashMap<usize, Expr>,
    blocks: HashMap<usize, ParamBlockId>,
    signals: HashMap<usize, Expr>,
}

impl<'a> Copy<'a> {
    fn new(field: &'a VectorField, builder: &'a FieldBuilder) -> Self {
        Copy {
            field,
            builder,
            done: HashMap::new(),
            blocks: HashMap::new(),
            signals: HashMap::new(),
        }
    }

    /// Copies what has a name: inputs and constants.
    fn add_named(&mut self) -> Result<()> {
        for i in 0..self.field.blocks().len() {
            if self.field.blocks()[i].shape.is_empty() {
                self.block(i)?;
            }
        }
        for i in 0..self.field.signals().len() {
            if self.field.signals()[i].as_input().is_some() {
                self.signal(i);
            }
        }
        Ok(())
    }

    fn signal(&mut self, i: usize) -> Expr {
        if let Some(expr) = self.signals.get(&i) {
            return expr.clone();
        }
        let signal = &self.field.signals()[i];
        let expr = match signal.as_input() {
            Some(input) => self.builder.input(signal.name(), input.clone()),
            None => self.builder.signal(signal.clone()),
        };
        self.signals.insert(i, expr.clone());
        expr
    }

    fn block(&mut self, i: usize) -> Result<ParamBlockId> {
        if let Some(id) = self.blocks.get(&i) {
            return Ok(*id);
        }
        let block = &self.field.blocks()[i];
        let values = &self.field.values()[block.range()];
        let id = (self.builder).block(&block.name, &block.shape, values, block.trainable)?;
        if block.locked {
            self.builder.lock_block(id);
        }
        self.blocks.insert(i, id);
        Ok(id)
    }

    /// Copies a node and what it needs.
    fn expr(&mut self, node: NodeId) -> Result<Expr> {
        let nodes = self.field.nodes();
        let mut needed = vec![false; node.index() + 1];
        needed[node.index()] = true;
        for i in (0..=node.index()).rev() {
            if needed[i] && !self.done.contains_key(&i) {
                (nodes[i].operands().iter()).for_each(|x| needed[x.index()] = true);
            }
        }
        for i in 0..=node.index() {
            if needed[i] && !self.done.contains_key(&i) {
                let expr = self.copy(&nodes[i])?.checked()?;
                self.done.insert(i, expr);
            }
        }
        self.done_expr(node)
    }

    fn done_expr(&self, node: NodeId) -> Result<Expr> {
        let found = self.done.get(&node.index()).cloned();
        found.ok_or_else(|| Error::invalid("an operand comes after the operation that uses it"))
    }

    fn copy(&mut self, op: &Op) -> Result<Expr> {
        let b = self.builder;
        Ok(match op {
            Op::Time => b.time(),
            Op::State => b.state(),
            Op::Const(values) => b.constant(values),
            Op::Param(i) => b.parameter(self.block(*i)?),
            Op::Signal(i) => self.signal(*i),
            Op::Slice { x, start, len } => self.done_expr(*x)?.try_slice(*start, start + len)?,
            Op::Concat(parts) => {
                let parts = parts.iter().map(|x| self.done_expr(*x));
                b.try_concat(&parts.collect::<Result<Vec<_>>>()?)?
            }
            Op::Sum(x) => self.done_expr(*x)?.sum(),
            Op::Unary(f, x) => self.done_expr(*x)?.unary(*f),
            Op::Binary(f, x, y) => self.done_expr(*x)?.try_binary(*f, &self.done_expr(*y)?)?,
            Op::Select { cond, a, b } => {
                let (a, b) = (self.done_expr(*a)?, self.done_expr(*b)?);
                self.done_expr(*cond)?.try_select(&a, &b)?
            }
            Op::Affine { weight, bias, x } => {
                let weight = self.block(*weight)?;
                let bias = bias.map(|bias| self.block(bias)).transpose()?;
                b.affine(weight, bias, &self.done_expr(*x)?)
            }
        })
    }
}
