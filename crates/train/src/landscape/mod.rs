//! Loss landscapes: exact second derivatives and what follows from them, slices of the loss, the parameter path of a run.
//!
//! | file | content |
//! |---|---|
//! | `loss` | loss functions |
//! | `training_loss` | the loss of a training method |
//! | `symbolic` | a loss defined by an expression |
//! | `hessian_operator` | Hessian-vector products at a point, by differences where no exact derivatives exist |
//! | `adjoint_hessian` | exact Hessian-vector products of a training loss |
//! | `hessian` | the Hessian as an operator and as a matrix |
//! | `lanczos` | Krylov spaces; eigenpairs without a matrix |
//! | `spectrum` | eigenvalues, eigenvectors, trace |
//! | `density` | spectral density, by stochastic Lanczos quadrature |
//! | `slice` | the loss on a line or a plane |
//! | `slice_spec` | choice of the line or plane: directions, parameters, principal components |
//! | `directions` | random directions, normalised filter by filter |
//! | `pca` | principal components of a run's parameter path |

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
mod training_loss;

pub use density::{Density, DensityOptions, on_common_grid};
pub use directions::{DirectionOptions, Normalization, random_directions};
pub use hessian::Hessian;
pub use hessian_operator::{
    DerivativeKind, HessianOperator, SECOND_DIFFERENCE_STEP, second_differences,
};
pub use loss::{FnLoss, LossFunction, solve_failure_to_nan};
pub use pca::Pca;
pub use slice::{Landscape, Slice, SliceAxis};
pub use slice_spec::SliceSpec;
pub use spectrum::{DENSE_LIMIT, Eigenpairs, TraceEstimate};
pub use symbolic::SymbolicLoss;
pub use training_loss::{LossOptions, TrainingLoss, default_lambda};
