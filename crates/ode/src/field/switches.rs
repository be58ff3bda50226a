//! Times at which the equations of a field switch: conditions, and functions with a jump or a kink, of t and constants alone.
//!
//! A step across such a time has no order of convergence, and a short pulse between two stages is not seen at all. The times are
//! the roots of the difference of a comparison's sides (of the argument of `abs`, of the difference of the arguments of `max`, …),
//! in the order of the graph: between the switches of its own operands every such difference is smooth.

mod degree;
mod formula;
mod guard;
mod interval;
mod roots;
mod search;
mod signal_enclosure;

use std::sync::Arc;

use super::graph::Graph;
use super::native::{Evaluator, Program};
use super::op::{NodeId, Op};
use super::signal::Signal;
use guard::{BoundGuard, Guard};
pub(super) use guard::{Effect, switching, used_blocks, used_nodes};
use roots::Piece;

/// Number of places over the span at which a difference that is not linear is looked at, beside its enclosures between them.
const SEARCH_PLACES: usize = 256;
/// Largest number of switches that are stepped onto. With more of them no step would be longer than their distance.
const MAX_SWITCHES: usize = 10_000;

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
    /// The guards that pass through zero here so that the field jumps, and the component. One that jumps over zero, because its
    /// operands jump, is none: the time is that of the jump of these.
    pub by: Vec<(usize, usize)>,
    /// Whether a signal jumps here so that a guard does, at a time that no parameter moves.
    pub is_fixed: bool,
}

impl Switches {
    /// Finds the nodes that the output uses and that switch with time alone.
    pub fn of(graph: &Graph, output: NodeId) -> Self {
        let used = used_nodes(graph, &[output]);
        // Whether a node depends on time, and on the state.
        let mut depends: Vec<(bool, bool)> = Vec::with_capacity(graph.nodes.len());
        // The guards, and the places of their nodes.
        let (mut guards, mut at) = (vec![], vec![]);
        for (i, (op, used)) in graph.nodes.iter().zip(used).enumerate() {
            let operands = op.operands();
            let of = |operand: &NodeId| depends[operand.index()];
            let by_time =
                matches!(op, Op::Time | Op::Signal(_)) || operands.iter().any(|x| of(x).0);
            let by_state = matches!(op, Op::State) || operands.iter().any(|x| of(x).1);
            depends.push((by_time, by_state));
            if let (true, true, false, Some((effect, x, y))) =
                (used, by_time, by_state, switching(op))
            {
                let operands: Vec<NodeId> = std::iter::once(x).chain(y).collect();
                let below = used_nodes(graph, &operands);
                let inner = |i: &usize| below[at[*i]];
                let inner = (0..guards.len()).filter(inner).collect();
                guards.push(Guard::new(graph, effect, (x, y), inner));
                at.push(i);
            }
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
            .map(|guard| {
                let evaluators = (bind(&guard.x), guard.y.as_ref().map(bind));
                let formula = guard.formula.bind(values, (signals, sample));
                BoundGuard::new(guard, evaluators, formula, sample)
            })
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
                    width,
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

    /// Returns, for every reason of a switch, the derivatives of its time with respect to all parameter values:
    /// −∂g/∂θ / ∂g/∂t of the difference g that passes through zero there.
    pub fn time_gradients(
        &self,
        switch: &Switch,
        values: &[f64],
        field: (&[Arc<dyn Signal>], usize, usize),
    ) -> Vec<Vec<f64>> {
        let gradient = |by: &(usize, usize)| self.time_gradient(*by, switch.before, values, field);
        let fixed = switch.is_fixed.then(|| vec![0.0; values.len()]);
        switch.by.iter().map(gradient).chain(fixed).collect()
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

/// Finds which guards jump at t, and whether the field at t is that of before or of after.
fn classify(bound: &mut [BoundGuard], t: f64, width: f64) -> Switch {
    let mut switch = Switch {
        before: t,
        after: t,
        by: vec![],
        is_fixed: false,
    };
    // The guards of which the branch changes, for whatever reason.
    let mut changing = vec![false; bound.len()];
    for (index, guard) in bound.iter_mut().enumerate() {
        for component in 0..guard.len() {
            let [left, here, right] = [t - width, t, t + width].map(|t| guard.branch(t, component));
            if left == right {
                continue;
            }
            changing[index] = true;
            let is_inner = guard.inner.iter().any(|inner| changing[*inner]);
            match guard.jumps(t, width, component) {
                false => switch.by.push((index, component)),
                true => switch.is_fixed |= !is_inner,
            }
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

#[cfg(test)]
mod tests;
