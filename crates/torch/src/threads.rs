//! The number of threads that libtorch uses.

use std::sync::OnceLock;

use odesync_ode::field::{Op, VectorField};

/// Smallest number of multiply-adds of one layer for which a second thread pays off.
const LARGE_PRODUCT: usize = 1 << 20;
/// Smallest number of components of one node, over the batch, for which a second thread pays off.
const LARGE_NODE: usize = 1 << 17;

/// A limit of libtorch to one thread for small workloads, in force until it is dropped. libtorch would otherwise wake all threads
/// for the smallest matrix product, and be ten times slower on a busy machine.
pub(super) struct ThreadLimit {
    restore: Option<i32>,
}

impl ThreadLimit {
    /// Sets the limit for evaluations of a field on this number of states at a time.
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
