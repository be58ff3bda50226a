//! The finished vector field and its parameters.

use std::sync::{Arc, OnceLock};

use ndarray::ArrayD;

use super::constant_spec::ConstantSpec;
use super::graph::{Graph, ParamBlock};
use super::input::InputSignal;
use super::native::{Evaluator, Program};
use super::op::{NodeId, Op};
use super::printing;
use super::signal::Signal;
use super::state_switches::StateSwitches;
use super::switches::{Switch, Switches};
use crate::{Error, Result};
use odesync_base::error::unknown;
use odesync_base::text::{count_of, were};

/// A vector field f(t, u; θ) of `dof` components: a known system, a network, a gray box or a synchronised model.
///
/// The graph is shared between clones; each clone has its values of the parameter blocks. Values are immutable from outside:
/// the methods `with_…` return a changed copy.
#[derive(Clone)]
pub struct VectorField {
    inner: Arc<Inner>,
    blocks: Arc<Vec<ParamBlock>>,
    values: Arc<Vec<f64>>,
}

struct Inner {
    graph: Graph,
    output: NodeId,
    program: OnceLock<Arc<Program>>,
    switches: OnceLock<Switches>,
    state_switches: OnceLock<StateSwitches>,
}

impl VectorField {
    pub(crate) fn new(graph: Graph, output: NodeId) -> Result<Self> {
        if output.index() >= graph.nodes.len() {
            return Err(Error::invalid("the field has no output"));
        }
        let len = graph.len_of(output);
        if len != graph.dof || graph.dof == 0 {
            return Err(Error::invalid(format!(
                "the equations must give {}, one for each state variable, but their list has {len}",
                count_of(graph.dof, "derivative"),
            )));
        }
        Ok(VectorField {
            blocks: Arc::new(graph.blocks.clone()),
            values: Arc::new(graph.values.clone()),
            inner: Arc::new(Inner {
                graph,
                output,
                program: OnceLock::new(),
                switches: OnceLock::new(),
                state_switches: OnceLock::new(),
            }),
        })
    }

    /// Returns the number of state variables.
    pub fn dof(&self) -> usize {
        self.inner.graph.dof
    }

    /// Returns the parameter blocks, in the order of their values.
    pub fn blocks(&self) -> &[ParamBlock] {
        &self.blocks
    }

    /// Returns the values of all blocks, trainable or not, one block after the other.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the number of trainable parameters.
    pub fn n_params(&self) -> usize {
        self.trainable_blocks().map(ParamBlock::len).sum()
    }

    fn trainable_blocks(&self) -> impl Iterator<Item = &ParamBlock> {
        self.blocks.iter().filter(|b| b.trainable)
    }

    /// Returns the trainable parameters, flat, block by block, each row by row.
    pub fn params(&self) -> Vec<f64> {
        self.gather(&self.values)
    }

    /// Returns the names of the trainable parameters, one for each of [`VectorField::params`], in the same order: that in which the
    /// field declares its blocks.
    pub fn param_names(&self) -> Vec<String> {
        self.trainable_blocks()
            .flat_map(ParamBlock::value_names)
            .collect()
    }

    /// Returns the entries of a vector over all values that belong to trainable blocks.
    pub fn gather(&self, all: &[f64]) -> Vec<f64> {
        self.trainable_blocks()
            .flat_map(|b| all[b.range()].iter().copied())
            .collect()
    }

    /// Returns the vector over all values with these entries in the trainable blocks and zero elsewhere; the inverse of
    /// [`VectorField::gather`].
    ///
    /// # Errors
    /// A wrong number of entries.
    pub fn scatter(&self, trainable: &[f64]) -> Result<Vec<f64>> {
        self.check_params(trainable)?;
        let mut all = vec![0.0; self.values.len()];
        self.scatter_into(trainable, &mut all);
        Ok(all)
    }

    /// Writes a vector over the trainable parameters to its places in a vector over all values.
    fn scatter_into(&self, trainable: &[f64], all: &mut [f64]) {
        let mut rest = trainable;
        for block in self.trainable_blocks() {
            let (head, tail) = rest.split_at(block.len());
            all[block.range()].copy_from_slice(head);
            rest = tail;
        }
    }

    fn check_params(&self, params: &[f64]) -> Result<()> {
        if params.len() == self.n_params() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the model has {}, and {} given",
            count_of(self.n_params(), "trainable parameter"),
            were(params.len())
        )))
    }

    /// Returns a copy of the field with these values of the trainable parameters.
    ///
    /// # Errors
    /// A wrong number of parameters.
    pub fn with_params(&self, params: &[f64]) -> Result<Self> {
        self.check_params(params)?;
        let mut field = self.clone();
        let values: &mut Vec<f64> = Arc::make_mut(&mut field.values);
        self.scatter_into(params, values);
        Ok(field)
    }

    fn find_block(&self, name: &str) -> Result<&ParamBlock> {
        self.blocks
            .iter()
            .find(|b| b.name == name)
            .ok_or_else(|| unknown("parameter", name, self.block_names()))
    }

    fn block_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.blocks.iter().map(|b| b.name.as_str())
    }

    /// Returns the values of a parameter block, in its shape.
    ///
    /// # Errors
    /// A name that no block has.
    pub fn param(&self, name: &str) -> Result<ArrayD<f64>> {
        let block = self.find_block(name)?;
        ArrayD::from_shape_vec(block.shape.clone(), self.values[block.range()].to_vec())
            .map_err(|e| Error::invalid(e.to_string()))
    }

    /// Returns a copy of the field with these values of one parameter block.
    ///
    /// # Errors
    /// A name that no block has, or a wrong number of values.
    pub fn with_param(&self, name: &str, values: &[f64]) -> Result<Self> {
        let block = self.find_block(name)?;
        if values.len() != block.len() {
            return Err(Error::invalid(format!(
                "parameter \"{name}\" has {}, and {} given",
                count_of(block.len(), "value"),
                were(values.len())
            )));
        }
        let mut field = self.clone();
        Arc::make_mut(&mut field.values)[block.range()].copy_from_slice(values);
        Ok(field)
    }

    /// Returns a copy of the field in which these blocks are trainable too, without bounds and priors.
    ///
    /// # Errors
    /// A name that no block has, or a block that can never be made trainable ([`ParamBlock::locked`]).
    pub fn trainable<S: AsRef<str>>(&self, names: &[S]) -> Result<Self> {
        self.set_trainable(names, true)
    }

    /// Returns a copy of the field in which this constant is trainable too, within what is known of it. Methods that set themselves
    /// honour it; gradient descent refuses such a field.
    ///
    /// # Errors
    /// A name that no block has, a block that is not a single constant, and the errors of [`ConstantSpec::check`].
    pub fn trainable_with(&self, name: &str, spec: ConstantSpec) -> Result<Self> {
        if spec == ConstantSpec::default() {
            return self.trainable(&[name]);
        }
        let block = self.find_block(name)?;
        let of_layer = |op: &Op| match op {
            Op::Affine { weight, bias, .. } => {
                let is_block = |i: usize| self.blocks[i].name == name;
                is_block(*weight) || bias.is_some_and(is_block)
            }
            _ => false,
        };
        if block.len() != 1 || self.nodes().iter().any(of_layer) {
            return Err(Error::invalid(format!(
                "\"{name}\" is no constant of an equation, and only those have bounds, priors and a scale; make it trainable \
                 without: trainable([\"{name}\"])"
            )));
        }
        spec.check(name, self.values[block.offset])?;
        let mut field = self.set_trainable(&[name], true)?;
        for block in Arc::make_mut(&mut field.blocks) {
            if block.name == name {
                block.spec = Some(spec);
            }
        }
        Ok(field)
    }

    /// Returns the trainable constants of which more is known than their start: name, value and what is known.
    pub fn specs(&self) -> impl Iterator<Item = (&str, f64, ConstantSpec)> {
        let known = |b: &ParamBlock| b.spec.map(|spec| (self.values[b.offset], spec));
        self.trainable_blocks()
            .filter_map(move |b| known(b).map(|(value, spec)| (b.name.as_str(), value, spec)))
    }

    /// Returns a copy of the field in which these blocks are not trainable.
    ///
    /// # Errors
    /// A name that no block has.
    pub fn frozen<S: AsRef<str>>(&self, names: &[S]) -> Result<Self> {
        self.set_trainable(names, false)
    }

    fn set_trainable<S: AsRef<str>>(&self, names: &[S], trainable: bool) -> Result<Self> {
        let mut field = self.clone();
        for name in names {
            let name = name.as_ref();
            if self.find_block(name)?.locked && trainable {
                return Err(Error::invalid(format!(
                    "\"{name}\" belongs to the coupling, which is set and never trained"
                )));
            }
            for block in Arc::make_mut(&mut field.blocks) {
                if block.name == name {
                    block.trainable = trainable;
                    block.spec = None;
                }
            }
        }
        Ok(field)
    }

    /// Returns du/dt at (t, u), `[dof]`, for the first sample of the field's signals.
    ///
    /// # Errors
    /// A state of the wrong length.
    pub fn derivative(&self, t: f64, u: &[f64]) -> Result<Vec<f64>> {
        self.derivative_of_sample(0, t, u)
    }

    /// Returns du/dt at (t, u), `[dof]`, for one sample of the field's signals.
    pub(crate) fn derivative_of_sample(
        &self,
        sample: usize,
        t: f64,
        u: &[f64],
    ) -> Result<Vec<f64>> {
        self.check_state(u)?;
        let evaluator = Evaluator::new(self);
        let mut slot = vec![0.0; evaluator.slot_len()];
        let mut out = vec![0.0; self.dof()];
        evaluator.eval(sample, t, u, &mut slot, &mut out);
        Ok(out)
    }

    /// Checks the length of a state.
    pub(crate) fn check_state(&self, u: &[f64]) -> Result<()> {
        if u.len() == self.dof() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the field has {}, the state that was given has {}",
            count_of(self.dof(), "state variable"),
            u.len()
        )))
    }

    /// Returns the equations as text, one line per component, and the blocks.
    pub fn show(&self) -> String {
        let mut text = printing::equations(&self.inner.graph, self.inner.output);
        for line in self.show_parameters().lines() {
            text.push_str("\n  ");
            text.push_str(line);
        }
        text
    }

    /// Returns the parameter blocks as text, a line for each: the value of a constant, the shape of a block of weights, and what is known
    /// of it.
    pub fn show_parameters(&self) -> String {
        let line = |block: &ParamBlock| {
            let mut kind = String::from(if block.trainable { ", trainable" } else { "" });
            if let Some(spec) = &block.spec {
                kind.push_str(&format!(", {spec}"));
            }
            let value = match block.len() {
                1 => format!("{}", self.values[block.offset]),
                _ => format!("{:?}", block.shape),
            };
            format!("{} = {value}{kind}", block.name)
        };
        let lines: Vec<String> = self.blocks.iter().map(line).collect();
        lines.join("\n")
    }

    /// Returns the external signals.
    pub fn signals(&self) -> &[Arc<dyn Signal>] {
        &self.inner.graph.signals
    }

    /// Returns the external inputs, with their names in the equations.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &InputSignal)> {
        let inputs = self.signals().iter().filter_map(|s| s.as_input());
        inputs.map(|input| (input.name(), input))
    }

    /// Returns a copy of the field in which this input replaces the one of this name, for example to predict the effect of
    /// another force.
    ///
    /// # Errors
    /// A name that no input has, or an input of another number of components.
    pub fn with_input(&self, name: &str, input: InputSignal) -> Result<Self> {
        let named = |s: &Arc<dyn Signal>| s.as_input().is_some_and(|input| input.name() == name);
        let Some(index) = self.signals().iter().position(named) else {
            let names: Vec<&str> = self.inputs().map(|(name, _)| name).collect();
            return Err(unknown("input", name, names));
        };
        let have = self.signals()[index].dof();
        if input.dof() != have {
            return Err(Error::invalid(format!(
                "input \"{name}\" of the field has {}, the one given {}",
                count_of(have, "component"),
                input.dof()
            )));
        }
        let mut graph = self.inner.graph.clone();
        graph.signals[index] = Arc::new(input.with_name(name));
        let program = OnceLock::new();
        // The program does not depend on the values of the signals, so it is shared.
        let _ = program.set(self.program());
        Ok(VectorField {
            inner: Arc::new(Inner {
                graph,
                output: self.inner.output,
                program,
                switches: OnceLock::new(),
                state_switches: OnceLock::new(),
            }),
            blocks: self.blocks.clone(),
            values: self.values.clone(),
        })
    }

    /// Checks that the field can be saved.
    ///
    /// # Errors
    /// A synchronised field: its spline is data, not part of a model.
    pub fn check_saveable(&self) -> Result<()> {
        match self.signals().iter().all(|s| s.as_input().is_some()) {
            true => Ok(()),
            false => Err(Error::invalid(
                "a synchronised field holds its data and can't be saved; save the model itself, and train without an output folder",
            )),
        }
    }

    /// Returns the times at which a signal of the field or one of its derivatives jumps, for one sample, increasing.
    pub fn breakpoints(&self, sample: usize) -> Vec<f64> {
        let mut times: Vec<f64> = self
            .signals()
            .iter()
            .flat_map(|s| s.breakpoints(sample.min(s.n_samples() - 1)).iter().copied())
            .collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }

    pub(super) fn switches(&self) -> &Switches {
        let Inner { graph, output, .. } = &*self.inner;
        self.inner
            .switches
            .get_or_init(|| Switches::of(graph, *output))
    }

    /// Returns the switches of the field with time alone within the times of a solve, for one sample, increasing.
    pub(crate) fn switches_within(&self, sample: usize, t: &[f64]) -> Vec<Switch> {
        let (Some(first), Some(last)) = (t.first(), t.last()) else {
            return vec![];
        };
        if self.switches().is_empty() || first == last {
            return vec![];
        }
        let knots = self.breakpoints(sample);
        let signals = (self.signals(), sample, self.dof());
        let span = (first.min(*last), first.max(*last));
        self.switches().find(&self.values, signals, span, &knots)
    }

    /// Returns the times at which steps of a solve over the times `t` must end, for one sample, increasing: those of
    /// [`VectorField::breakpoints`], and those at which a condition in t and constants alone switches, or a `max`, `min`, `abs`,
    /// `floor` of such. Where the field itself jumps these are two times, a few numbers apart, so that every evaluation lies on one
    /// side. The end of the times is added for a field that switches, because it may do so beyond.
    ///
    /// The roots of a difference that is not linear in t are sought by interval arithmetic until each is apart from the others. Where
    /// that takes more than half a million operations, as of a network of t, 256 places over the times tell what is left.
    pub fn breakpoints_within(&self, sample: usize, t: &[f64]) -> Vec<f64> {
        let mut times = self.breakpoints(sample);
        if !self.switches().is_empty() {
            let switches = self.switches_within(sample, t);
            times.extend(switches.iter().flat_map(|s| [s.before, s.after]));
            times.extend(t.first().into_iter().chain(t.last()));
            times.sort_by(f64::total_cmp);
            times.dedup();
        }
        times
    }

    /// Returns the derivatives of the time of a switch with respect to all parameter values, one row for each of its reasons.
    pub(crate) fn switch_time_gradients(&self, switch: &Switch, sample: usize) -> Vec<Vec<f64>> {
        let field = (self.signals(), sample, self.dof());
        self.switches().time_gradients(switch, &self.values, field)
    }

    /// Checks that no trainable parameter moves a time at which the field jumps, for derivatives that hold such times fixed.
    ///
    /// # Errors
    /// The parameters that do. `what` are the derivatives, in the plural.
    pub fn check_fixed_switches(&self, what: &str) -> Result<()> {
        match self.switch_parameters()[..] {
            [] => Ok(()),
            [name, ..] => Err(Error::invalid(format!(
                "\"{name}\" moves a time at which the equations switch, and {what} hold such times fixed: freeze it, \
                 frozen([\"{name}\"]), or make the switch smooth, 1/(1 + exp(-(t - {name})/width)) in place of a condition"
            ))),
        }
    }

    /// Returns the names of the trainable parameters that move a time at which the field jumps.
    pub fn switch_parameters(&self) -> Vec<&str> {
        let mut names = vec![];
        for i in self.switches().blocks() {
            let block = &self.blocks[i];
            if block.trainable && !names.contains(&block.name.as_str()) {
                names.push(block.name.as_str());
            }
        }
        names
    }

    pub(super) fn state_switches(&self) -> &StateSwitches {
        let Inner { graph, output, .. } = &*self.inner;
        self.inner
            .state_switches
            .get_or_init(|| StateSwitches::of(graph, *output))
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.inner.graph
    }

    /// Returns the nodes in topological order (operands first), for engines other than the native one.
    pub fn nodes(&self) -> &[Op] {
        &self.inner.graph.nodes
    }

    /// Returns the length of a node.
    pub fn node_len(&self, id: NodeId) -> usize {
        self.inner.graph.len_of(id)
    }

    /// Returns the node whose value is du/dt.
    pub fn output(&self) -> NodeId {
        self.inner.output
    }

    pub(crate) fn graph_with_values(&self) -> Graph {
        let mut graph = self.inner.graph.clone();
        graph.blocks = self.blocks.to_vec();
        graph.values = self.values.to_vec();
        graph
    }

    /// Whether another field is a copy of this one, with other values of its parameters.
    pub(crate) fn has_equations_of(&self, other: &VectorField) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn program(&self) -> Arc<Program> {
        self.inner
            .program
            .get_or_init(|| Arc::new(Program::compile(&self.inner.graph, self.inner.output)))
            .clone()
    }
}

impl Evaluator {
    /// Creates the evaluator of one node of a field's graph in place of du/dt: what it evaluates has the length of the node
    /// ([`VectorField::node_len`]).
    pub fn of_node(field: &VectorField, node: NodeId) -> Self {
        let program = Arc::new(Program::compile(&field.inner.graph, node));
        let signals = field.signals().to_vec();
        Evaluator::from_program(program, signals, field.dof(), field.values())
    }

    /// Creates the evaluator of a field, with the field's current parameters bound.
    pub fn new(field: &VectorField) -> Self {
        let signals = field.signals().to_vec();
        Evaluator::from_program(field.program(), signals, field.dof(), field.values())
    }
}

impl std::fmt::Debug for VectorField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.show())
    }
}
