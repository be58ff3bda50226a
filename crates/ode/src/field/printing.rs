//! Printing of a field's equations, and of expressions in error messages.

use super::graph::Graph;
use super::op::{Binary, NodeId, Op, Unary};

/// Largest depth to which an expression is written. A sum built in a loop may be as deep as a graph has nodes, deeper than the
/// stack of a thread allows for.
const MAX_DEPTH: usize = 250;

/// Returns the expression of a node as text, cut to about `width` characters.
pub(crate) fn expression(graph: &Graph, id: NodeId, width: usize) -> String {
    let mut text = String::new();
    write_node(graph, id, 0, &mut text, (width, MAX_DEPTH));
    if text.chars().count() > width {
        text = text.chars().take(width).collect::<String>() + "…";
    }
    text
}

/// Returns `x op y` in the notation of the equations.
pub(crate) fn binary(op: Binary, x: &str, y: &str) -> String {
    match op {
        Binary::Min | Binary::Max | Binary::Atan2 => format!("{}({x}, {y})", op.name()),
        _ => format!("{x} {} {y}", op.name()),
    }
}

/// Returns the equations as text, one line for each component or part of the output: `du[0]/dt = …`.
pub(crate) fn equations(graph: &Graph, output: NodeId) -> String {
    const WIDTH: usize = 600;
    let parts = match &graph.nodes[output.index()] {
        Op::Concat(parts) => parts.clone(),
        _ => vec![output],
    };
    let mut lines = vec![];
    let mut at = 0;
    for part in parts {
        let len = graph.len_of(part);
        let left = match len {
            1 => format!("du[{at}]/dt"),
            _ if len == graph.dof => "du/dt".to_string(),
            _ => format!("du[{at}..{}]/dt", at + len),
        };
        lines.push(format!("{left} = {}", expression(graph, part, WIDTH)));
        at += len;
    }
    lines.join("\n")
}

fn format_constant(x: f64) -> String {
    format!("{x}")
}

fn precedence(op: Binary) -> u8 {
    match op {
        Binary::Add | Binary::Sub => 2,
        Binary::Mul | Binary::Div => 3,
        Binary::Pow => 5,
        Binary::Min | Binary::Max | Binary::Atan2 => 9,
        _ => 1,
    }
}

/// Appends the expression of a node to `text`; `outer` is the precedence of the enclosing operator. Stops early once the text is
/// longer than `width` or there are no `levels` left, since a graph with shared nodes can be exponentially long as text.
fn write_node(
    graph: &Graph,
    id: NodeId,
    outer: u8,
    text: &mut String,
    (width, levels): (usize, usize),
) {
    if text.len() > 4 * width {
        return;
    }
    if levels == 0 {
        text.push('…');
        return;
    }
    let limits = (width, levels - 1);
    let list = |ids: &[NodeId], text: &mut String| {
        for (i, x) in ids.iter().enumerate() {
            if i > 0 {
                text.push_str(", ");
            }
            write_node(graph, *x, 0, text, limits);
        }
    };
    match &graph.nodes[id.index()] {
        Op::Time => text.push('t'),
        Op::State => text.push('u'),
        Op::Param(i) => text.push_str(&graph.blocks[*i].name),
        Op::Const(v) if v.len() == 1 && v[0] >= 0.0 => text.push_str(&format_constant(v[0])),
        Op::Const(v) if v.len() == 1 => text.push_str(&format!("({})", format_constant(v[0]))),
        Op::Const(v) => {
            let shown: Vec<String> = v.iter().take(8).map(|x| format_constant(*x)).collect();
            let more = if v.len() > 8 { ", …" } else { "" };
            text.push_str(&format!("[{}{more}]", shown.join(", ")));
        }
        Op::Signal(i) => {
            let name = graph.signals[*i].name();
            let taken = graph.signals[..*i].iter().any(|s| s.name() == name);
            text.push_str(&match taken {
                true => format!("s{i}(t)"),
                false => format!("{name}(t)"),
            });
        }
        Op::Slice { x, start, len } => {
            write_node(graph, *x, 9, text, limits);
            match len {
                1 => text.push_str(&format!("[{start}]")),
                _ => text.push_str(&format!("[{start}..{}]", start + len)),
            }
        }
        Op::Concat(parts) => {
            text.push('[');
            list(parts, text);
            text.push(']');
        }
        Op::Sum(x) => {
            text.push_str("sum(");
            write_node(graph, *x, 0, text, limits);
            text.push(')');
        }
        Op::Unary(Unary::Neg, x) => {
            let wrap = outer > 2;
            text.push_str(if wrap { "(-" } else { "-" });
            // A precedence above every operator: the script language does not accept −x ** 2.
            write_node(graph, *x, 6, text, limits);
            if wrap {
                text.push(')');
            }
        }
        Op::Unary(f, x) => {
            text.push_str(f.name());
            text.push('(');
            write_node(graph, *x, 0, text, limits);
            text.push(')');
        }
        Op::Binary(f @ (Binary::Min | Binary::Max | Binary::Atan2), x, y) => {
            text.push_str(f.name());
            text.push('(');
            list(&[*x, *y], text);
            text.push(')');
        }
        Op::Binary(f, x, y) => {
            let p = precedence(*f);
            let wrap = p < outer;
            if wrap {
                text.push('(');
            }
            let (left, right) = match f {
                Binary::Add | Binary::Mul => (p, p),
                Binary::Pow => (p + 1, p + 1),
                _ => (p, p + 1),
            };
            write_node(graph, *x, left, text, limits);
            text.push_str(&format!(" {} ", f.name()));
            write_node(graph, *y, right, text, limits);
            if wrap {
                text.push(')');
            }
        }
        Op::Select { cond, a, b } => {
            text.push_str("where(");
            list(&[*cond, *a, *b], text);
            text.push(')');
        }
        Op::Affine { weight, bias, x } => {
            let wrap = outer > 2 && bias.is_some();
            if wrap {
                text.push('(');
            }
            text.push_str(&graph.blocks[*weight].name);
            text.push_str(" @ ");
            write_node(graph, *x, 4, text, limits);
            if let Some(b) = bias {
                text.push_str(" + ");
                text.push_str(&graph.blocks[*b].name);
            }
            if wrap {
                text.push(')');
            }
        }
    }
}
