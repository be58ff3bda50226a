//! Conditions of a field in the state, and the field with each of them held on one side.
//!
//! Between two switches a field with its conditions held is smooth, also in the stages of a step that reach beyond the next switch,
//! and what it is does not depend on the rounding of a state that lies on the switch. The place where a condition switches is the
//! root of its guard g = x − y, the difference of a comparison's sides, of the arguments of `max` and `min`, or the argument x of
//! `abs`, `sign` and `relu` itself.

use std::sync::Arc;

use super::graph::Graph;
use super::native::Evaluator;
use super::op::{Binary, NodeId, Op, Unary};
use super::switches::{Effect, switching, used_blocks, used_nodes};
use super::vector_field::VectorField;
use crate::Result;

/// The nodes of a graph that switch with the state, operands first.
#[derive(Debug, Default)]
pub(crate) struct StateSwitches {
    nodes: Vec<SwitchingNode>,
    /// Operands of the nodes that jump with the state and are not located: `floor` and `ceil`, and so remainders.
    steps: Vec<NodeId>,
}

#[derive(Debug)]
struct SwitchingNode {
    node: NodeId,
    effect: Effect,
    x: NodeId,
    y: Option<NodeId>,
    /// Components of the node among all guards.
    guards: std::ops::Range<usize>,
}

/// A field of which every condition in the state is held on one side.
#[derive(Debug)]
pub(crate) struct HeldField {
    /// The field, with the parameters of the one that it was made from.
    pub field: VectorField,
    /// Evaluator of du/dt.
    pub evaluator: Evaluator,
    /// Evaluator of all guards, g(t, u).
    pub guards: Arc<Evaluator>,
    /// For each guard the side on which it is held: whether g > 0.
    pub above: Vec<bool>,
}

/// A trainable parameter on which a jump of the field in the state depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchParameter<'a> {
    /// Name of the parameter.
    pub name: &'a str,
    /// Whether the option `switches` of a solve locates every such jump: it is that of a condition, not of `floor`, `ceil` or a
    /// remainder.
    pub is_located: bool,
    /// Whether nothing else depends on the parameter, so that a derivative by it is zero where the jump is not located.
    pub is_only_there: bool,
}

impl StateSwitches {
    /// Finds the nodes that the output uses and that switch with the state: comparisons other than == and !=, which hold at single
    /// places only, `max`, `min`, `abs`, `sign`, and `relu` where it is not a network's activation.
    pub fn of(graph: &Graph, output: NodeId) -> Self {
        let used = used_nodes(graph, &[output]);
        let (mut by_state, mut by_layer) = (vec![], vec![]);
        let (mut nodes, mut steps) = (vec![], vec![]);
        let mut n_guards = 0;
        for (i, (op, used)) in graph.nodes.iter().zip(used).enumerate() {
            let operands = op.operands();
            let any = |known: &[bool]| operands.iter().any(|x| known[x.index()]);
            let (in_state, in_layer) = (any(&by_state), any(&by_layer));
            by_state.push(in_state || matches!(op, Op::State));
            by_layer.push(in_layer || matches!(op, Op::Affine { .. }));
            let is_activation = in_layer && matches!(op, Op::Unary(Unary::Relu, _));
            if let (true, true, false, Some((effect, x, y))) =
                (used, in_state, is_activation, switching(op))
            {
                if matches!(effect, Effect::Floor | Effect::Ceil) {
                    steps.push(x);
                }
                if !is_located(effect) {
                    continue;
                }
                let node = NodeId(i as u32);
                let guards = n_guards..n_guards + graph.len_of(node);
                n_guards = guards.end;
                nodes.push(SwitchingNode {
                    node,
                    effect,
                    x,
                    y,
                    guards,
                });
            }
        }
        StateSwitches { nodes, steps }
    }

    /// Whether nothing switches with the state.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the number of guards: the components of all conditions.
    pub fn n_guards(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.guards.end)
    }

    /// Returns the operands of the conditions at which the field itself jumps, and those of the jumps that are not located.
    fn jumping_operands(&self) -> (Vec<NodeId>, &[NodeId]) {
        let jumping = self.nodes.iter().filter(|s| s.effect != Effect::Kink);
        let operands = jumping.flat_map(|s| std::iter::once(s.x).chain(s.y));
        (operands.collect(), &self.steps)
    }

    /// Returns the field with guard i held above zero where `above[i]`, else below.
    pub fn hold(&self, field: &VectorField, above: &[bool]) -> Result<HeldField> {
        let from = field.graph_with_values();
        let mut graph = Graph::new(from.dof);
        (graph.blocks, graph.values, graph.signals) = (from.blocks, from.values, from.signals);
        let mut ids: Vec<NodeId> = Vec::with_capacity(from.nodes.len());
        let mut guards = vec![];
        let mut switching = self.nodes.iter().peekable();
        for (i, op) in from.nodes.iter().enumerate() {
            let held = op.with_operands(|x| ids[x.index()]);
            let id = match switching.next_if(|s| s.node.index() == i) {
                None => graph.push(held)?,
                Some(node) => {
                    let (x, y) = (ids[node.x.index()], node.y.map(|y| ids[y.index()]));
                    guards.push(match y {
                        None => x,
                        Some(y) => graph.push(Op::Binary(Binary::Sub, x, y))?,
                    });
                    hold_node(&mut graph, (&held, x, y), &above[node.guards.clone()])?
                }
            };
            ids.push(id);
        }
        let all_guards = graph.push(Op::Concat(guards))?;
        let field = VectorField::new(graph, ids[field.output().index()])?;
        Ok(HeldField {
            evaluator: Evaluator::new(&field),
            guards: Arc::new(Evaluator::of_node(&field, all_guards)),
            above: above.to_vec(),
            field,
        })
    }
}

/// Whether the place where a node with this effect switches is located.
fn is_located(effect: Effect) -> bool {
    match effect {
        Effect::Compare(f) => !matches!(f, Binary::Eq | Binary::Ne),
        Effect::Sign | Effect::Kink => true,
        Effect::Floor | Effect::Ceil => false,
    }
}

/// Adds what a node is while its guard is held; `op` is the node on the operands x and y of the new graph.
fn hold_node(
    graph: &mut Graph,
    (op, x, y): (&Op, NodeId, Option<NodeId>),
    above: &[bool],
) -> Result<NodeId> {
    let numbers = |graph: &mut Graph, yes: f64, no: f64| {
        let number = |above: &bool| if *above { yes } else { no };
        graph.push(Op::Const(above.iter().map(number).collect()))
    };
    let choose = |graph: &mut Graph, a: NodeId, b: NodeId| {
        let one = match above {
            [first, rest @ ..] if rest.iter().all(|x| x == first) => {
                Some(if *first { a } else { b })
            }
            _ => None,
        };
        match one {
            Some(one) if graph.len_of(one) == above.len() => Ok(one),
            _ => {
                let cond = numbers(graph, 1.0, 0.0)?;
                graph.push(Op::Select { cond, a, b })
            }
        }
    };
    match op {
        Op::Binary(Binary::Lt | Binary::Le, ..) => numbers(graph, 0.0, 1.0),
        Op::Binary(Binary::Max, ..) => choose(graph, x, y.unwrap_or(x)),
        Op::Binary(Binary::Min, ..) => choose(graph, y.unwrap_or(x), x),
        Op::Unary(Unary::Abs, _) => {
            let sign = numbers(graph, 1.0, -1.0)?;
            graph.push(Op::Binary(Binary::Mul, sign, x))
        }
        Op::Unary(Unary::Relu, _) => {
            let zero = graph.push(Op::Const(vec![0.0; above.len()]))?;
            choose(graph, x, zero)
        }
        Op::Unary(Unary::Sign, _) => numbers(graph, 1.0, -1.0),
        // > and >=.
        _ => numbers(graph, 1.0, 0.0),
    }
}

impl VectorField {
    /// Whether the field has conditions in the state (`where`, `max`, `min`, `abs`, `sign`; not a network's activations), so that the
    /// option `switches` of a solve has something to locate.
    pub fn switches_with_state(&self) -> bool {
        !self.state_switches().is_empty()
    }

    /// Returns the number of conditions in the state, component by component.
    pub(crate) fn n_guards(&self) -> usize {
        self.state_switches().n_guards()
    }

    /// Returns the field with its conditions in the state held: guard i above zero where `above[i]`.
    pub(crate) fn with_conditions_held(&self, above: &[bool]) -> Result<HeldField> {
        self.state_switches().hold(self, above)
    }

    /// Returns the trainable parameters on which a jump of the field in the state depends, whatever else they do. A derivative by one
    /// lacks the part by which the place of the jump moves, unless the option `switches` of a solve locates it.
    pub fn branch_parameters(&self) -> Vec<BranchParameter<'_>> {
        let graph = self.graph();
        let (conditions, steps) = self.state_switches().jumping_operands();
        if conditions.is_empty() && steps.is_empty() {
            return vec![];
        }
        let blocks_of = |nodes: &[NodeId]| used_blocks(graph, &used_nodes(graph, nodes));
        let (in_conditions, in_steps) = (blocks_of(&conditions), blocks_of(steps));
        let differentiated = used_blocks(graph, &differentiated_nodes(graph, self.output()));
        let moves_a_time: Vec<usize> = self.switches().blocks().collect();
        let blocks = self.blocks().iter().enumerate();
        blocks
            .filter(|(i, block)| {
                block.trainable && (in_conditions.contains(i) || in_steps.contains(i))
            })
            .map(|(i, block)| BranchParameter {
                name: &block.name,
                is_located: !in_steps.contains(&i),
                is_only_there: !differentiated.contains(&i) && !moves_a_time.contains(&i),
            })
            .collect()
    }
}

/// Returns the nodes that the output's derivative passes through: not conditions, whose derivative is zero.
fn differentiated_nodes(graph: &Graph, output: NodeId) -> Vec<bool> {
    let mut used = vec![false; graph.nodes.len()];
    used[output.index()] = true;
    for i in (0..graph.nodes.len()).rev() {
        if !used[i] {
            continue;
        }
        let operands = match &graph.nodes[i] {
            Op::Select { a, b, .. } => vec![*a, *b],
            Op::Unary(Unary::Sign | Unary::Floor | Unary::Ceil, _) => vec![],
            Op::Binary(f, ..) if f.is_comparison() => vec![],
            op => op.operands(),
        };
        for operand in operands {
            used[operand.index()] = true;
        }
    }
    used
}
