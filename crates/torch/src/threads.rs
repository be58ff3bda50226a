//! How many threads libtorch uses.

use std::sync::OnceLock;

use odesync_ode::field::{Op, VectorField};

/// Multiply-adds of one layer from which on a second thread pays.
const LARGE_PRODUCT: usize = 1 << 20;
/// Components of one node, over the batch, from which on a second thread pays.
const LARGE_NODE: usize = 1 << 17;

/// While it lives libtorch uses one thread for small work. libtorch would wake all of them for the smallest matrix
/// product, and lose tenfold on a busy machine.
pub(super) struct Threads {
    restore: Option<i32>,
}

impl Threads {
    /// For evaluations of a field on so many states at a time.
    pub fn suited(field: &VectorField, batch: usize) -> Self {
        static DEFAULT: OnceLock<i32> = OnceLock::new();
        let default = *DEFAULT.get_or_init(tch::get_num_threads);
        if default == 1 || large(field, batch) {
            return Threads { restore: None };
        }
        tch::set_num_threads(1);
        Threads {
            restore: Some(default),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(n) = self.restore {
            tch::set_num_threads(n);
        }
    }
}

fn large(field: &VectorField, batch: usize) -> bool {
    field.nodes().iter().any(|op| match op {
        Op::Affine { weight, .. } => {
            batch.saturating_mul(field.blocks()[*weight].len()) >= LARGE_PRODUCT
        }
        Op::Unary(_, x) => batch.saturating_mul(field.node_len(*x)) >= LARGE_NODE,
        _ => false,
    })
}
