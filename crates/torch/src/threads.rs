//! How many threads libtorch uses.

use std::sync::OnceLock;

use odesync_ode::field::{Op, VectorField};

/// Multiply-adds of one layer from which on a second thread pays.
const LARGE_PRODUCT: usize = 1 << 20;
/// Components of one node, over the batch, from which on a second thread pays.
const LARGE_NODE: usize = 1 << 17;

/// While it lives libtorch uses one thread for small work. libtorch would wake all of them for the smallest matrix
/// product, and lose tenfold on a busy machine.
pub(super) struct ThreadLimit {
    restore: Option<i32>,
}

impl ThreadLimit {
    /// For evaluations of a field on so many states at a time.
    pub fn for_workload(field: &VectorField, batch: usize) -> Self {
        static DEFAULT: OnceLock<i32> = OnceLock::new();
        let default = *DEFAULT.get_or_init(tch::get_num_threads);
        if default == 1 || is_large(field, batch) {
            return ThreadLimit { restore: None };
        }
        tch::set_num_threads(1);
        ThreadLimit {
            restore: Some(default),
        }
    }
}

impl Drop for ThreadLimit {
    fn drop(&mut self) {
        if let Some(n) = self.restore {
            tch::set_num_threads(n);
        }
    }
}

fn is_large(field: &VectorField, batch: usize) -> bool {
    field.nodes().iter().any(|op| match op {
        Op::Affine { weight, .. } => {
            batch.saturating_mul(field.blocks()[*weight].len()) >= LARGE_PRODUCT
        }
        Op::Unary(_, x) => batch.saturating_mul(field.node_len(*x)) >= LARGE_NODE,
        _ => false,
    })
}
