//! Any field as LaTeX.

use odesync_ode::field::{NodeId, Op, VectorField};

use super::notation::{Notation, Printer, aligned, latex_name};
use crate::{Error, Result};

/// Largest depth to which a network is written.
const MAX_DEPTH: usize = 100;

/// Returns the equations of a field as LaTeX, in an `aligned` environment; `names` are those of the state variables, u\[0\], u\[1\], …
/// where there are none. The output of a network is written NN, and a line more for each network says what it is.
///
/// # Errors
/// Equations that are too long to be written.
pub fn field_latex(field: &VectorField, names: &[String]) -> Result<String> {
    let printer = Printer::new(field, names, Notation::Latex);
    let mut lines = printer.equations();
    let mut done = 0;
    // A network may be a part of the arguments of another one.
    while let Some(id) = printer.networks().get(done).copied() {
        let name = printer.network(id);
        lines.push(format!("{name} &= {}", vector(field, &printer, id, 0)));
        done += 1;
    }
    if lines.iter().any(|line| line.contains('…')) {
        return Err(Error::invalid(
            "the equations are too long to be written as LaTeX: export the model as .py",
        ));
    }
    Ok(aligned(&lines))
}

/// Returns the vector that a node is.
fn vector(field: &VectorField, printer: &Printer<'_>, id: NodeId, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return "…".into();
    }
    let inner = |id: &NodeId| vector(field, printer, *id, depth + 1);
    match &field.nodes()[id.index()] {
        Op::State => "u".into(),
        Op::Unary(f, x) => {
            format!("\\operatorname{{{}}}\\left({}\\right)", f.name(), inner(x))
        }
        Op::Affine { weight, bias, x } => {
            let operand = match &field.nodes()[x.index()] {
                Op::Affine { .. } => format!("\\left({}\\right)", inner(x)),
                _ => inner(x),
            };
            let bias = bias.map(|bias| format!(" + {}", block_name(field, bias, "b")));
            let weight = block_name(field, *weight, "W");
            format!("{weight} \\, {operand}{}", bias.unwrap_or_default())
        }
        Op::Concat(parts) => {
            let parts: Vec<String> = parts.iter().map(inner).collect();
            format!("\\left({}\\right)", parts.join(", "))
        }
        _ => {
            let parts: Vec<String> = (0..field.node_len(id))
                .map(|i| printer.part(id, i))
                .collect();
            match parts.as_slice() {
                [one] => one.clone(),
                several => format!("\\left({}\\right)", several.join(", ")),
            }
        }
    }
}

/// Returns the name of a layer's block: W or b with the number of the layer, which a network's blocks have in their names.
fn block_name(field: &VectorField, block: usize, letter: &str) -> String {
    let name = &field.blocks()[block].name;
    let layer = name
        .strip_prefix("layer")
        .and_then(|rest| rest.split_once('.'));
    match layer.and_then(|(number, _)| number.parse::<usize>().ok()) {
        Some(number) => format!("{letter}_{{{number}}}"),
        None => latex_name(name),
    }
}
