//! Times at which the equations of a field switch: conditions, and functions with a jump or a kink, of t and constants alone.
//!
//! A step across such a time has no order of convergence, and a short pulse between two stages is not seen at all. The times are
//! the roots of the difference of a comparison's sides (of the argument of `abs`, of the difference of the arguments of `max`, …),
//! in the order of the graph: between the switches of its own operands every such difference is smooth.

mod roots;

use std::sync::Arc;

use super::graph::Graph;
use super::native::{Evaluator, Program};
use super::op::{Binary, NodeId, Op, Unary};
use super::signal::Signal;
use roots::{Piece, find_roots};

/// Number of places over the span at which a difference that is not linear is looked at.
const SEARCH_PLACES: usize = 256;
/// Largest number of switches that are stepped onto. With more of them no step would be longer than their distance.
const MAX_SWITCHES: usize = 10_000;

/// What a node does where the argument x, or the difference of its two arguments, passes through zero.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Effect {
    /// The comparison changes.
    Compare(Binary),
    /// The value jumps.
    Sign,
    /// The value jumps at every integer x.
    Floor,
    /// The value jumps at every integer x.
    Ceil,
    /// A derivative jumps.
    Kink,
}

/// A node that switches with time alone.
#[derive(Debug)]
struct Guard {
    effect: Effect,
    x: Arc<Program>,
    y: Option<Arc<Program>>,
    /// Lengths of both operands.
    lens: (usize, usize),
    /// Indices of the parameter blocks that the operands depend on.
    blocks: Vec<usize>,
}

/// The nodes of a graph that switch with time alone, operands first.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    guards: Vec<Guard>,
}

/// A time at which the field or a derivative of it jumps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Switch {
    /// Last time at which the field is that of before, as far as numbers resolve it.
    pub before: f64,
    /// First time at which the field is that of after; equal to `before` where the field itself does not jump.
    pub after: f64,
    /// The guards whose jump this is, and the component.
    pub by: Vec<(usize, usize)>,
}

/// What the value of a node depends on.
#[derive(Debug, Clone, Default)]
struct Dependence {
    time: bool,
    state: bool,
    blocks: Vec<usize>,
}

impl Switches {
    /// Finds the nodes that the output uses and that switch with time alone.
    pub fn of(graph: &Graph, output: NodeId) -> Self {
        let used = used_nodes(graph, output);
        let mut dependences: Vec<Dependence> = Vec::with_capacity(graph.nodes.len());
        let mut guards = vec![];
        for (op, used) in graph.nodes.iter().zip(used) {
            let mut all = Dependence::default();
            for operand in op.operands() {
                let of = &dependences[operand.index()];
                all.time |= of.time;
                all.state |= of.state;
                all.blocks.extend(&of.blocks);
            }
            match op {
                Op::Time | Op::Signal(_) => all.time = true,
                Op::State => all.state = true,
                Op::Param(i) => all.blocks.push(*i),
                Op::Affine { weight, bias, .. } => {
                    all.blocks.push(*weight);
                    all.blocks.extend(bias);
                }
                _ => {}
            }
            all.blocks.sort_unstable();
            all.blocks.dedup();
            if let (true, true, false, Some((effect, x, y))) =
                (used, all.time, all.state, switching(op))
            {
                let program = |node: NodeId| Arc::new(Program::compile(graph, node));
                guards.push(Guard {
                    effect,
                    x: program(x),
                    y: y.map(program),
                    lens: (graph.len_of(x), y.map_or(1, |y| graph.len_of(y))),
                    blocks: all.blocks.clone(),
                });
            }
            dependences.push(all);
        }
        Switches { guards }
    }

    /// Whether nothing switches with time alone.
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty()
    }

    /// Returns the indices of the parameter blocks that a time at which the field jumps depends on.
    pub fn blocks(&self) -> impl Iterator<Item = usize> {
        let jumps = self.guards.iter().filter(|g| g.effect != Effect::Kink);
        jumps.flat_map(|guard| guard.blocks.iter().copied())
    }

    /// Returns the switches from `low` to `high`, increasing, with these values of the parameters; `knots` are times at which
    /// signals have a kink, increasing.
    pub fn find(
        &self,
        values: &[f64],
        (signals, sample, dof): (&[Arc<dyn Signal>], usize, usize),
        (low, high): (f64, f64),
        knots: &[f64],
    ) -> Vec<Switch> {
        let bind = |program: &Arc<Program>| {
            Evaluator::from_program(program.clone(), signals.to_vec(), dof, values)
        };
        let mut bound: Vec<BoundGuard> = self
            .guards
            .iter()
            .map(|guard| BoundGuard::new(guard, bind(&guard.x), guard.y.as_ref().map(bind), sample))
            .collect();
        let width = width_of_switch(low, high);
        let mut times: Vec<f64> = knots.to_vec();
        times.retain(|t| *t > low && *t < high);
        let mut found: Vec<f64> = vec![];
        for guard in &mut bound {
            let mut roots = vec![];
            let mut from = low;
            for &to in times.iter().chain(std::iter::once(&high)) {
                let share = SEARCH_PLACES as f64 * (to - from) / (high - low);
                let piece = Piece {
                    from: from + width,
                    to: to - width,
                    places: (share as usize).max(16),
                };
                if piece.from < piece.to && !guard.roots_in(piece, &mut roots) {
                    roots.clear();
                    break;
                }
                from = to;
            }
            if found.len() + roots.len() > MAX_SWITCHES {
                continue;
            }
            found.extend(&roots);
            times.extend(roots);
            times.sort_by(f64::total_cmp);
            times.dedup_by(|a, b| *a - *b <= width);
        }
        // What jumps at a knot, at the start or at the end is found by its values on both sides.
        times.extend([low, high]);
        times.sort_by(f64::total_cmp);
        let jump = |t: &f64| classify(&mut bound, *t, width);
        let mut switches: Vec<Switch> = times.iter().map(jump).collect();
        switches.retain(|s| {
            s.before < s.after || (found.contains(&s.before) && s.before > low && s.before < high)
        });
        switches
    }

    /// Returns, for every guard that jumps at a switch, the derivatives of the time of its jump with respect to all parameter values:
    /// −∂g/∂θ / ∂g/∂t of the difference g that passes through zero there.
    pub fn time_gradients(
        &self,
        switch: &Switch,
        values: &[f64],
        field: (&[Arc<dyn Signal>], usize, usize),
    ) -> Vec<Vec<f64>> {
        let gradient = |by: &(usize, usize)| self.time_gradient(*by, switch.before, values, field);
        switch.by.iter().map(gradient).collect()
    }

    fn time_gradient(
        &self,
        (guard, component): (usize, usize),
        t: f64,
        values: &[f64],
        (signals, sample, dof): (&[Arc<dyn Signal>], usize, usize),
    ) -> Vec<f64> {
        let mut total = vec![0.0; values.len()];
        let guard = &self.guards[guard];
        let mut by_time = 0.0;
        let sides = [
            (Some(&guard.x), 1.0, guard.lens.0),
            (guard.y.as_ref(), -1.0, guard.lens.1),
        ];
        for (program, sign, len) in sides {
            let Some(program) = program else { continue };
            let evaluator = Evaluator::from_program(program.clone(), signals.to_vec(), dof, values);
            let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; len]);
            let mut u_bar = vec![0.0; dof];
            evaluator.eval_taped(sample, t, &u_bar, &mut slot, &mut out);
            let mut bar = vec![0.0; len];
            bar[if len == 1 { 0 } else { component }] = sign;
            let (mut gradient, mut t_bar) = (evaluator.zero_gradient(), 0.0);
            let place = (sample, t);
            evaluator.vjp(
                place,
                &slot,
                &bar,
                &mut u_bar,
                Some(&mut t_bar),
                &mut gradient,
            );
            by_time += t_bar;
            for (total, x) in total.iter_mut().zip(evaluator.parameter_gradient(gradient)) {
                *total -= x;
            }
        }
        for x in total.iter_mut().filter(|x| **x != 0.0) {
            *x /= by_time;
        }
        total
    }
}

/// Returns the distance over which a switch is spread: a few numbers, near the time or near the span where that is longer.
fn width_of_switch(low: f64, high: f64) -> f64 {
    4.0 * f64::EPSILON * low.abs().max(high.abs()).max(high - low)
}

/// Returns the nodes that the output depends on.
fn used_nodes(graph: &Graph, output: NodeId) -> Vec<bool> {
    let mut used = vec![false; graph.nodes.len()];
    used[output.index()] = true;
    for i in (0..graph.nodes.len())
        .rev()
        .filter(|i| *i <= output.index())
    {
        if used[i] {
            for operand in graph.nodes[i].operands() {
                used[operand.index()] = true;
            }
        }
    }
    used
}

/// Returns what an operation does at a root, and the operands whose difference has it.
fn switching(op: &Op) -> Option<(Effect, NodeId, Option<NodeId>)> {
    match op {
        Op::Binary(f, x, y) if f.is_comparison() => Some((Effect::Compare(*f), *x, Some(*y))),
        Op::Binary(Binary::Min | Binary::Max, x, y) => Some((Effect::Kink, *x, Some(*y))),
        Op::Unary(Unary::Abs | Unary::Relu, x) => Some((Effect::Kink, *x, None)),
        Op::Unary(Unary::Sign, x) => Some((Effect::Sign, *x, None)),
        Op::Unary(Unary::Floor, x) => Some((Effect::Floor, *x, None)),
        Op::Unary(Unary::Ceil, x) => Some((Effect::Ceil, *x, None)),
        _ => None,
    }
}

/// Finds which guards jump at t, and whether the field at t is that of before or of after.
fn classify(bound: &mut [BoundGuard], t: f64, width: f64) -> Switch {
    let mut switch = Switch {
        before: t,
        after: t,
        by: vec![],
    };
    for (index, guard) in bound.iter_mut().enumerate() {
        for component in 0..guard.len() {
            let [left, here, right] = [t - width, t, t + width].map(|t| guard.branch(t, component));
            if left == right {
                continue;
            }
            switch.by.push((index, component));
            if here != left {
                switch.before = t - width;
            }
            if here != right {
                switch.after = t + width;
            }
        }
    }
    switch
}

/// A guard with parameters and signals bound.
struct BoundGuard {
    effect: Effect,
    lens: (usize, usize),
    x: Evaluator,
    y: Option<Evaluator>,
    sample: usize,
    slots: (Vec<f64>, Vec<f64>),
    values: (Vec<f64>, Vec<f64>),
    state: Vec<f64>,
}

impl BoundGuard {
    fn new(guard: &Guard, x: Evaluator, y: Option<Evaluator>, sample: usize) -> Self {
        BoundGuard {
            effect: guard.effect,
            lens: guard.lens,
            slots: (
                vec![0.0; x.slot_len()],
                vec![0.0; y.as_ref().map_or(0, Evaluator::slot_len)],
            ),
            values: (vec![0.0; guard.lens.0], vec![0.0; guard.lens.1]),
            state: vec![0.0; x.dof()],
            x,
            y,
            sample,
        }
    }

    fn len(&self) -> usize {
        self.lens.0.max(self.lens.1)
    }

    /// Returns both sides at t.
    fn sides(&mut self, t: f64, component: usize) -> (f64, f64) {
        let (slots, values, sample, u) =
            (&mut self.slots, &mut self.values, self.sample, &self.state);
        self.x.eval(sample, t, u, &mut slots.0, &mut values.0);
        if let Some(y) = &self.y {
            y.eval(sample, t, u, &mut slots.1, &mut values.1);
        }
        let of = |values: &[f64]| match values {
            [one] => *one,
            several => several.get(component).copied().unwrap_or(f64::NAN),
        };
        (of(&self.values.0), of(&self.values.1))
    }

    /// Returns a number that tells the branches apart: the comparison's result, the sign, the integer.
    fn branch(&mut self, t: f64, component: usize) -> f64 {
        let (x, y) = self.sides(t, component);
        let holds = match self.effect {
            Effect::Compare(Binary::Lt) => x < y,
            Effect::Compare(Binary::Le) => x <= y,
            Effect::Compare(Binary::Gt) => x > y,
            Effect::Compare(Binary::Ge) => x >= y,
            Effect::Sign => x > 0.0,
            Effect::Floor => return x.floor(),
            Effect::Ceil => return x.ceil(),
            // Equality holds at single times only, and a kink has no branches that differ there.
            Effect::Compare(_) | Effect::Kink => return 0.0,
        };
        f64::from(u8::from(holds))
    }

    /// Adds the times in a piece at which the guard switches; returns false where there are too many.
    fn roots_in(&mut self, piece: Piece, roots: &mut Vec<f64>) -> bool {
        let integers = matches!(self.effect, Effect::Floor | Effect::Ceil);
        (0..self.len()).all(|component| {
            let mut g = |t: f64| {
                let (x, y) = self.sides(t, component);
                (x - y, x.abs().max(y.abs()))
            };
            find_roots(&mut g, piece, integers, MAX_SWITCHES, roots)
        })
    }
}

#[cfg(test)]
mod tests;
