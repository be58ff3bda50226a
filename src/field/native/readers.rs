//! Who reads a value, and what follows for its adjoint.
//!
//! In general every reader adds its part to an adjoint that was zero before. The values between the layers of a network have one
//! reader, which may as well set it; and where that is a layer after an activation, its product with the activation's
//! derivative.

use super::program::{Back, Code, Kind, Loc};

/// Finds out how each instruction of the dynamic program leaves the adjoint of its operand, and which ones begin at zero.
pub(super) fn find(code: &mut Code, output: Loc) {
    let n = code.instructions.len();
    // The reader of every value that has a single one, which reads the whole of it and can set its adjoint.
    let only: Vec<Option<usize>> = (0..n).map(|i| only_reader(code, output, i)).collect();
    for reader in only.iter().flatten() {
        code.instructions[*reader].back = Back::Set;
    }
    for (i, reader) in only.iter().enumerate() {
        let instruction = &code.instructions[i];
        let (Kind::Unary { d, x, .. }, Back::Set, Some(reader)) =
            (&instruction.kind, instruction.back, *reader)
        else {
            continue;
        };
        let through = Back::Through { d: *d, x: *x };
        if matches!(code.instructions[reader].kind, Kind::Affine { .. }) {
            code.instructions[reader].back = through;
            code.instructions[i].back = Back::Done;
        }
    }
    let cleared = (0..n).filter(|i| only[*i].is_none());
    for i in cleared {
        let (at, end) = (
            code.instructions[i].at,
            code.instructions[i].at + code.instructions[i].len,
        );
        match code.cleared.last_mut() {
            // What lies between them is padding.
            Some((_, to)) if i > 0 && only[i - 1].is_none() => *to = end,
            _ => code.cleared.push((at, end)),
        }
    }
}

fn only_reader(code: &Code, output: Loc, i: usize) -> Option<usize> {
    let value = &code.instructions[i];
    let reads = |x: &Loc| !x.fixed && x.at < value.at + value.len && value.at < x.at + x.len;
    if reads(&output) {
        return None;
    }
    let mut readers = (i + 1..code.instructions.len()).flat_map(|reader| {
        let operands = code.instructions[reader].kind.operands().into_iter();
        operands.filter(reads).map(move |x| (reader, x))
    });
    let (reader, x) = readers.next()?;
    if readers.next().is_some() || (x.at, x.len) != (value.at, value.len) {
        return None;
    }
    let sets = matches!(
        code.instructions[reader].kind,
        Kind::Unary { .. } | Kind::Power { .. } | Kind::Affine { .. }
    );
    sets.then_some(reader)
}
