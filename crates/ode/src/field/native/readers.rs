//! Who reads a value, and what follows for its adjoint.
//!
//! In general every reader adds its part to an adjoint that was zero before. The values between the layers of a network have one
//! reader, which may as well set it; and where that is a layer after an activation, its product with the activation's
//! derivative.

use super::program::{Back, Code, Kind, Loc};

/// Finds out how each instruction of the dynamic program leaves the adjoint of its operand, and which ones begin at zero.
pub(super) fn find(code: &mut Code, output: Loc) {
    let n = code.instructions.len();
    let only: Vec<Option<usize>> = only_readers(code, output);
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

/// Of every value the reader, where it has a single one, which reads the whole of it and can set its adjoint.
fn only_readers(code: &Code, output: Loc) -> Vec<Option<usize>> {
    let all = &code.instructions;
    let mut only: Vec<Option<usize>> = vec![None; all.len()];
    let mut reads: Vec<usize> = vec![0; all.len()];
    // The values that lie where an operand does; they lie in the order of the instructions.
    let values = |x: &Loc| {
        let (at, end) = (x.at, x.at + x.len);
        let first = all.partition_point(|value| value.at + value.len <= at);
        let values = all.iter().enumerate().skip(first);
        values
            .take_while(move |(_, value)| value.at < end)
            .map(|(i, _)| i)
    };
    for (reader, instruction) in all.iter().enumerate() {
        let sets = matches!(
            instruction.kind,
            Kind::Unary { .. } | Kind::Power { .. } | Kind::Affine { .. }
        );
        for x in instruction.kind.operands().iter().filter(|x| !x.fixed) {
            for i in values(x) {
                let whole = (x.at, x.len) == (all[i].at, all[i].len);
                reads[i] += 1;
                only[i] = (sets && whole && reads[i] == 1).then_some(reader);
            }
        }
    }
    if !output.fixed {
        for i in values(&output) {
            only[i] = None;
        }
    }
    only
}
