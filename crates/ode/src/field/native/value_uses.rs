//! How often each value is used, and how the VJP stores its adjoint accordingly.
//!
//! In general every user of a value adds its part to an adjoint that starts at zero. A value between the layers of a network has
//! a single user, which can overwrite the adjoint instead; and where that user is a layer after an activation, it stores the
//! product with the activation's derivative.

use super::program::{BufferSlice, InstructionList, OpKind, VjpStore};

/// Plans how each instruction of the dynamic program stores the adjoint of its operand, and which adjoints start at zero.
pub(super) fn plan_vjp_stores(code: &mut InstructionList, output: BufferSlice) {
    let n = code.instructions.len();
    let users: Vec<Option<usize>> = single_uses(code, output);
    for user in users.iter().flatten() {
        code.instructions[*user].vjp_store = VjpStore::Overwrite;
    }
    for (i, user) in users.iter().enumerate() {
        let instruction = &code.instructions[i];
        let (OpKind::Unary { d, x, .. }, VjpStore::Overwrite, Some(user)) =
            (&instruction.kind, instruction.vjp_store, *user)
        else {
            continue;
        };
        let fused = VjpStore::FusedActivation { d: *d, x: *x };
        if matches!(code.instructions[user].kind, OpKind::Affine { .. }) {
            code.instructions[user].vjp_store = fused;
            code.instructions[i].vjp_store = VjpStore::Skip;
        }
    }
    let zeroed = (0..n).filter(|i| users[*i].is_none());
    for i in zeroed {
        let (at, end) = (
            code.instructions[i].offset,
            code.instructions[i].offset + code.instructions[i].len,
        );
        match code.zeroed_ranges.last_mut() {
            // Only padding lies between the two ranges, so they are joined.
            Some((_, to)) if i > 0 && users[i - 1].is_none() => *to = end,
            _ => code.zeroed_ranges.push((at, end)),
        }
    }
}

/// Returns the single user of every value, by its index, where there is just one that uses the whole value and can overwrite its
/// adjoint.
fn single_uses(code: &InstructionList, output: BufferSlice) -> Vec<Option<usize>> {
    let all = &code.instructions;
    let mut users: Vec<Option<usize>> = vec![None; all.len()];
    let mut uses: Vec<usize> = vec![0; all.len()];
    // The values that overlap an operand in the buffer, where values are in the order of their instructions.
    let values = |x: &BufferSlice| {
        let (at, end) = (x.offset, x.offset + x.len);
        let first = all.partition_point(|value| value.offset + value.len <= at);
        let values = all.iter().enumerate().skip(first);
        values
            .take_while(move |(_, value)| value.offset < end)
            .map(|(i, _)| i)
    };
    for (user, instruction) in all.iter().enumerate() {
        let can_overwrite = matches!(
            instruction.kind,
            OpKind::Unary { .. } | OpKind::Power { .. } | OpKind::Affine { .. }
        );
        for x in instruction.kind.operands().iter().filter(|x| !x.is_static) {
            for i in values(x) {
                let whole = (x.offset, x.len) == (all[i].offset, all[i].len);
                uses[i] += 1;
                users[i] = (can_overwrite && whole && uses[i] == 1).then_some(user);
            }
        }
    }
    if !output.is_static {
        for i in values(&output) {
            users[i] = None;
        }
    }
    users
}
