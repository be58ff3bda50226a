//! Who reads a value, and what follows for its adjoint.
//!
//! In general every reader adds its part to an adjoint that was zero before. The values between the layers of a network have one
//! reader, which may as well set it; and where that is a layer after an activation, its product with the activation's
//! derivative.

use super::program::{BufferSlice, InstructionList, OpKind, VjpStore};

/// Finds out how each instruction of the dynamic program leaves the adjoint of its operand, and which ones begin at zero.
pub(super) fn plan_vjp_stores(code: &mut InstructionList, output: BufferSlice) {
    let n = code.instructions.len();
    let only: Vec<Option<usize>> = single_uses(code, output);
    for reader in only.iter().flatten() {
        code.instructions[*reader].vjp_store = VjpStore::Overwrite;
    }
    for (i, reader) in only.iter().enumerate() {
        let instruction = &code.instructions[i];
        let (OpKind::Unary { d, x, .. }, VjpStore::Overwrite, Some(reader)) =
            (&instruction.kind, instruction.vjp_store, *reader)
        else {
            continue;
        };
        let through = VjpStore::FusedActivation { d: *d, x: *x };
        if matches!(code.instructions[reader].kind, OpKind::Affine { .. }) {
            code.instructions[reader].vjp_store = through;
            code.instructions[i].vjp_store = VjpStore::Skip;
        }
    }
    let cleared = (0..n).filter(|i| only[*i].is_none());
    for i in cleared {
        let (at, end) = (
            code.instructions[i].offset,
            code.instructions[i].offset + code.instructions[i].len,
        );
        match code.zeroed_ranges.last_mut() {
            // What lies between them is padding.
            Some((_, to)) if i > 0 && only[i - 1].is_none() => *to = end,
            _ => code.zeroed_ranges.push((at, end)),
        }
    }
}

/// Of every value the reader, where it has a single one, which reads the whole of it and can set its adjoint.
fn single_uses(code: &InstructionList, output: BufferSlice) -> Vec<Option<usize>> {
    let all = &code.instructions;
    let mut only: Vec<Option<usize>> = vec![None; all.len()];
    let mut reads: Vec<usize> = vec![0; all.len()];
    // The values that lie where an operand does; they lie in the order of the instructions.
    let values = |x: &BufferSlice| {
        let (at, end) = (x.offset, x.offset + x.len);
        let first = all.partition_point(|value| value.offset + value.len <= at);
        let values = all.iter().enumerate().skip(first);
        values
            .take_while(move |(_, value)| value.offset < end)
            .map(|(i, _)| i)
    };
    for (reader, instruction) in all.iter().enumerate() {
        let sets = matches!(
            instruction.kind,
            OpKind::Unary { .. } | OpKind::Power { .. } | OpKind::Affine { .. }
        );
        for x in instruction.kind.operands().iter().filter(|x| !x.is_static) {
            for i in values(x) {
                let whole = (x.offset, x.len) == (all[i].offset, all[i].len);
                reads[i] += 1;
                only[i] = (sets && whole && reads[i] == 1).then_some(reader);
            }
        }
    }
    if !output.is_static {
        for i in values(&output) {
            only[i] = None;
        }
    }
    only
}
