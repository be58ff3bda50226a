//! Weak-constraint training: the states at the data's times are unknowns beside the parameters, and the model's error between them
//! is driven to zero.
//!
//! Minimised over the standardised parameters w and states s_k is
//!
//! Σ |(s_k − y_k)/σ|² + Σ |s_{k+1} − F_k(s_k, w)|²/q² + α |w|²,
//!
//! where F_k is the flow of the model from node k to node k + 1, with q from 0.5 of the data's spread towards 0: from following the
//! data to obeying the dynamics. Each step is one of Gauss and Newton: a Kalman filter over the nodes, a ridge problem in the
//! parameters, a smoother for the states. The prior precision α and the noise σ follow the evidence. Nothing has to be set.
//!
//! Sources: Y. Trémolet, *Accounting for an imperfect model in 4D-Var*, Q. J. R. Meteorol. Soc. 132 (2006); J. O. Ramsay et al.,
//! *Parameter estimation for differential equations: a generalized smoothing approach*, J. R. Stat. Soc. B 69 (2007); D. J. C. MacKay,
//! *Bayesian interpolation*, Neural Computation 4 (1992).
//!
//! | file | content |
//! |---|---|
//! | `settings`, `noise_model`, `residual_loss` | the settings, what is known of the noise, the loss of a residual |
//! | `setup` | nodes and first guesses |
//! | `data_scales` | scales of data, and curves through them |
//! | `scaled_model` | parameters in scaled units, for gradient descent |
//! | `robust_smoothing` | splines of data with outliers |
//! | `state_curve`, `nodes` | the curves of the state through the data; the nodes |
//! | `standardization` | mean 0 and standard deviation 1 |
//! | `affine_layers`, `network_scales`, `parameter_map` | the networks in a model, the scales of their inputs and outputs, standardised parameters |
//! | `constant_map`, `parameter_prior` | constants of equations within their bounds; the prior of parameters |
//! | `flow` | the flow from node to node and its derivatives |
//! | `gradient_matching` | the first guess of the parameters |
//! | `kalman`, `smoother` | filter and smoother |
//! | `ridge`, `tiled_cholesky` | the ridge problem of a step; its factorisation |
//! | `gauss_newton`, `noise_level` | one step, with damping and evidence; the noise |
//! | `fit`, `second_start` | the steps of a training; a second one where the first left much noise |
//! | `posterior`, `profile` | standard deviations of states, predictions and constants; profiles of constants |
//! | `lifted_model` | a trained model from whose states other fields can begin |
//! | `state`, `saved_state` | the state between two steps; its form in a checkpoint |

pub(crate) mod affine_layers;
mod constant_map;
mod data_scales;
mod fit;
mod flow;
mod gauss_newton;
mod gradient_matching;
mod kalman;
mod lifted_model;
mod network_scales;
mod nodes;
mod noise_level;
mod noise_model;
mod parameter_map;
mod parameter_prior;
mod posterior;
mod profile;
mod residual_loss;
mod ridge;
mod robust_smoothing;
mod saved_state;
mod scaled_model;
mod second_start;
mod settings;
mod setup;
mod smoother;
mod standardization;
mod state;
mod state_curve;
#[cfg(test)]
mod tests;
mod tiled_cholesky;

pub(crate) use lifted_model::{LiftedModel, Posterior, WhitenedProblem};
pub use noise_model::{ComponentWeights, DataLoss, NoiseModel};
pub use posterior::{ConstantEstimates, Prediction};
pub(crate) use profile::ProfileGrid;
pub(crate) use ridge::ridge_solution;
pub(crate) use saved_state::SavedState;
pub(crate) use scaled_model::{GivenScales, ScaledModel};
pub use settings::WeakConstraint;
pub use state::WeakConstraintState;
pub(crate) use state::{TrainingStart, WeakConstraintTraining};
