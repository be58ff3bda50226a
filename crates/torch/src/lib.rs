//! The torch engine: a field's graph evaluated on libtorch tensors of shape `[batch, len]`, with gradients by autograd.
//!
//! It follows the native engine's rules of stepping exactly (`odesolve::stepping`): every sample of a batch has its own time,
//! step size, breakpoints and output times. A solve without recorded steps first chooses its steps, without recording; a gradient is
//! that of the replay on the recorded steps. Samples that are done are removed from the batch.
//!
//! | file | contents |
//! |---|---|
//! | `device` | devices by name; libtorch's errors; numbers to and from tensors |
//! | `library` | the libtorch that is loaded |
//! | `cuda`, `nvidia_driver` | CUDA, loaded at run time; NVIDIA's driver |
//! | `threads` | how many threads libtorch uses |
//! | `error` | errors of tensors within the crate |
//! | `ops` | one operation on tensors, with the native engine's conventions for derivatives |
//! | `taken_branches` | the components of a field's nodes that lie on branches which are taken |
//! | `bound_field` | a field bound to tensors, parts without time and state evaluated once |
//! | `batch_tableau` | the coefficients of one step of every sample, sent to the device in one piece |
//! | `stages` | the stages of one step of every sample |
//! | `outputs` | the solution at the output times |
//! | `start` | initial states and first step sizes of a batch |
//! | `batch_integrator` | choosing the steps |
//! | `first_failure` | which failure a batch reports |
//! | `replay` | taking the steps that are given |
//! | `engine` | the engine |

mod batch_integrator;
mod batch_tableau;
mod bound_field;
pub mod cuda;
mod device;
mod engine;
mod error;
mod first_failure;
pub mod library;
mod nvidia_driver;
mod ops;
mod outputs;
mod replay;
mod stages;
mod start;
mod taken_branches;
mod threads;

pub use engine::TorchEngine;

pub use odesync_base::{Error, Result};

/// Version of the libtorch that this crate is built on.
pub const LIBTORCH: &str = "2.11.0";

inventory::submit! {
    odesync_ode::engines::EngineRegistration {
        name: "torch",
        library: LIBTORCH,
        create: |device| Ok(Box::new(TorchEngine::new(device)?)),
        cuda_status: || cuda::status().clone(),
    }
}
