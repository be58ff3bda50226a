//! The builder of a vector field.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::expr::Expr;
use super::graph::Graph;
use super::input::InputSignal;
use super::op::{NodeId, Op};
use super::signal::Signal;
use super::vector_field::VectorField;
use crate::{Error, Result};
use odesync_base::error::unknown;

/// Placeholder for the result of an operation that failed; [`FieldBuilder::finish`] returns the first error.
pub(super) const FAILED_NODE: NodeId = NodeId(u32::MAX);

/// The state that clones of a [`FieldBuilder`] share.
pub(super) struct BuilderState {
    pub graph: Graph,
    pub error: Option<Error>,
}

/// A vector field under construction. Clones share one graph.
///
/// ```
/// use odesync_ode::field::FieldBuilder;
/// let b = FieldBuilder::new(2);
/// let (u, g) = (b.state(), b.constant_parameter("g", 9.81));
/// let pendulum = b.finish(b.concat(&[u.at(1), -g * u.at(0).sin()]))?;
/// assert_eq!(pendulum.derivative(0.0, &[0.0, 2.0])?, [2.0, 0.0]);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Clone)]
pub struct FieldBuilder(Arc<Mutex<BuilderState>>);

/// A parameter block of a field under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamBlockId(usize);

impl FieldBuilder {
    /// Returns the builder of an empty field with `dof` state variables.
    pub fn new(dof: usize) -> Self {
        Self::from_graph(Graph::new(dof))
    }

    /// Returns a builder that continues a finished field, and the output of that field as an expression.
    pub fn extend(field: &VectorField) -> (Self, Expr) {
        let builder = Self::from_graph(field.graph_with_values());
        let output = builder.expr(field.output());
        (builder, output)
    }

    fn from_graph(graph: Graph) -> Self {
        FieldBuilder(Arc::new(Mutex::new(BuilderState { graph, error: None })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BuilderState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn expr(&self, id: NodeId) -> Expr {
        Expr {
            builder: self.clone(),
            id,
        }
    }

    /// Records an error, unless there is an earlier one, and returns the placeholder [`FAILED_NODE`].
    pub(super) fn record_error(&self, error: Error) -> Expr {
        self.lock().error.get_or_insert(error);
        self.expr(FAILED_NODE)
    }

    pub(super) fn try_push(&self, op: Op) -> Result<Expr> {
        if op.operands().contains(&FAILED_NODE) {
            return Ok(self.expr(FAILED_NODE));
        }
        let id = self.lock().graph.push(op)?;
        Ok(self.expr(id))
    }

    pub(super) fn push(&self, op: Op) -> Expr {
        self.try_push(op).unwrap_or_else(|e| self.record_error(e))
    }

    /// Returns the number of state variables.
    pub fn dof(&self) -> usize {
        self.lock().graph.dof
    }

    /// Returns the time t as an expression.
    pub fn time(&self) -> Expr {
        self.push(Op::Time)
    }

    /// Returns the state u, of length `dof`, as an expression.
    pub fn state(&self) -> Expr {
        self.push(Op::State)
    }

    /// Returns a constant vector as an expression (a number is a vector of length 1).
    pub fn constant(&self, values: &[f64]) -> Expr {
        self.push(Op::Const(values.to_vec()))
    }

    /// Adds a named constant of the system, a scalar parameter block that is frozen unless made trainable, and returns it as an
    /// expression.
    pub fn constant_parameter(&self, name: &str, value: f64) -> Expr {
        match self.block(name, &[], &[value], false) {
            Ok(block) => self.parameter(block),
            Err(e) => self.record_error(e),
        }
    }

    /// Adds a parameter block.
    ///
    /// # Errors
    /// A name that is taken, or a number of values that does not fit the shape.
    pub fn block(
        &self,
        name: &str,
        shape: &[usize],
        values: &[f64],
        trainable: bool,
    ) -> Result<ParamBlockId> {
        let index = self
            .lock()
            .graph
            .add_block(name, shape, values, trainable)?;
        Ok(ParamBlockId(index))
    }

    /// Locks a parameter block: it can never be made trainable.
    pub fn lock_block(&self, block: ParamBlockId) {
        if let Some(block) = self.lock().graph.blocks.get_mut(block.0) {
            block.locked = true;
        }
    }

    /// Returns the parameter block of this name, if there is one.
    pub fn find_block(&self, name: &str) -> Option<ParamBlockId> {
        let position = self.lock().graph.blocks.iter().position(|b| b.name == name);
        position.map(ParamBlockId)
    }

    /// Returns the values of a parameter block as an expression, flattened row by row.
    pub fn parameter(&self, block: ParamBlockId) -> Expr {
        self.push(Op::Param(block.0))
    }

    /// Returns the parameter block, or else the input, of this name as an expression.
    pub fn named_parameter(&self, name: &str) -> Expr {
        match (self.find_block(name), self.find_input(name)) {
            (Some(block), _) => self.parameter(block),
            (None, Some(index)) => self.push(Op::Signal(index)),
            (None, None) => {
                let names: Vec<String> = {
                    let state = self.lock();
                    let graph = &state.graph;
                    let blocks = graph.blocks.iter().map(|b| b.name.clone());
                    let inputs = graph.signals.iter().filter_map(|s| s.as_input());
                    blocks.chain(inputs.map(|s| s.name().into())).collect()
                };
                self.record_error(unknown("parameter", name, names.iter().map(String::as_str)))
            }
        }
    }

    /// Returns the affine map `W x + b`; `W` is a block of shape `[out, in]`, `b` a block of shape `[out]`.
    pub fn affine(&self, weight: ParamBlockId, bias: Option<ParamBlockId>, x: &Expr) -> Expr {
        self.push(Op::Affine {
            weight: weight.0,
            bias: bias.map(|b| b.0),
            x: x.id,
        })
    }

    /// Adds an external signal s(t) and returns it as an expression.
    pub fn signal(&self, signal: Arc<dyn Signal>) -> Expr {
        let index = {
            let graph = &mut self.lock().graph;
            graph.signals.push(signal);
            graph.signals.len() - 1
        };
        self.push(Op::Signal(index))
    }

    /// Adds an external input w(t) under this name and returns it as an expression. A field is saved with its inputs.
    pub fn input(&self, name: &str, input: InputSignal) -> Expr {
        if self.find_block(name).is_some() || self.find_input(name).is_some() {
            return self.record_error(Error::invalid(format!(
                "two parameters or inputs have the name \"{name}\""
            )));
        }
        self.signal(Arc::new(input.with_name(name)))
    }

    fn find_input(&self, name: &str) -> Option<usize> {
        let state = self.lock();
        let named = |s: &Arc<dyn Signal>| s.as_input().is_some_and(|input| input.name() == name);
        state.graph.signals.iter().position(named)
    }

    /// Returns the concatenation of the expressions. [`Self::finish`] returns the error of one that fails.
    pub fn concat(&self, parts: &[Expr]) -> Expr {
        self.try_concat(parts)
            .unwrap_or_else(|e| self.record_error(e))
    }

    /// Returns the concatenation of the expressions, or the error at once.
    ///
    /// # Errors
    /// No parts, or parts of another field.
    pub fn try_concat(&self, parts: &[Expr]) -> Result<Expr> {
        for part in parts {
            self.check_same_builder(part)?;
        }
        self.try_push(Op::Concat(parts.iter().map(|p| p.id).collect()))
    }

    pub(super) fn check_same_builder(&self, x: &Expr) -> Result<()> {
        if Arc::ptr_eq(&self.0, &x.builder.0) {
            return Ok(());
        }
        Err(Error::invalid(
            "an expression of another vector field was used: take t, u and the parameters from the closure's arguments",
        ))
    }

    /// Returns the finished field du/dt = `output`.
    ///
    /// # Errors
    /// The first mistake made with this builder, or an output whose length is not `dof`.
    pub fn finish(&self, output: Expr) -> Result<VectorField> {
        self.check_same_builder(&output)?;
        let state = self.lock();
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        VectorField::new(state.graph.clone(), output.id)
    }
}
