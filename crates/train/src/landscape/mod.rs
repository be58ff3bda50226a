//! The loss around a point, and far from it: exact second derivatives and what follows from them, slices, the way of a run.
//!
//! | file | idea |
//! |---|---|
//! | `loss` | what a loss is: that of a training method, or any other |
//! | `symbolic` | a loss that is an expression |
//! | `curvature` | second derivatives at a point, by differences where they are not known |
//! | `solved` | those of a training loss, exactly |
//! | `hessian` | the Hessian as an operator and as a matrix |
//! | `lanczos` | Krylov spaces; eigenpairs without a matrix |
//! | `spectrum` | eigenvalues, eigenvectors, trace |
//! | `density` | spectral density, by stochastic Lanczos quadrature |
//! | `slice` | the loss on a line or a plane |
//! | `along` | which line or plane: directions, parameters, principal components |
//! | `directions` | random directions, filter by filter |
//! | `pca` | principal components of a run's path |

mod adjoint_hessian;
mod density;
mod directions;
mod hessian;
mod hessian_operator;
mod lanczos;
mod loss;
mod pca;
mod slice;
mod slice_spec;
mod spectrum;
mod symbolic;

pub use density::{Density, DensityOptions, on_common_grid};
pub use directions::{DirectionOptions, Normalization, random_directions};
pub use hessian::Hessian;
pub use hessian_operator::{
    DerivativeKind, HessianOperator, SECOND_DIFFERENCE_STEP, second_differences,
};
pub use loss::{
    FnLoss, LossFunction, LossOptions, TrainingLoss, default_lambda, solve_failure_to_nan,
};
pub use pca::Pca;
pub use slice::{Landscape, Slice, SliceAxis};
pub use slice_spec::SliceSpec;
pub use spectrum::{DENSE_LIMIT, Eigenpairs, TraceEstimate};
pub use symbolic::SymbolicLoss;
