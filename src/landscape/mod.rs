//! The loss near a point: exact second derivatives and what follows from them.
//!
//! | file | idea |
//! |---|---|
//! | `hessian` | Hessian-vector and Gauss-Newton products of a training loss, the dense matrix |
//! | `lanczos` | eigenpairs without a matrix |
//! | `spectrum` | eigenvalues, eigenvectors, trace |

mod hessian;
mod lanczos;
mod spectrum;

pub use hessian::{Hessian, HessianOptions};
pub use spectrum::{DENSE_LIMIT, Eigenpairs, Trace};
