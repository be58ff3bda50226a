//! Choosing an engine by name.

use crate::devices::{CudaStatus, Device};
use crate::odesolve::{Engine, NativeEngine};
use crate::{Error, Result};

/// The engine of this name: `native` (CPU, the default) or `torch`, on a device (`cpu`, `cuda`, `cuda:1`).
///
/// # Errors
/// A name that no engine has, a device that is not there, or `torch` in a build without it.
pub fn engine(name: &str, device: &str) -> Result<Box<dyn Engine>> {
    match name {
        "native" => match device.parse()? {
            Device::Cpu => Ok(Box::<NativeEngine>::default()),
            Device::Cuda(_) => Err(Error::invalid(format!(
                "the native engine runs on the CPU; for device \"{device}\" choose engine \"torch\""
            ))),
        },
        "torch" => torch(device),
        _ => Err(crate::error::unknown("engine", name, ["native", "torch"])),
    }
}

/// Whether CUDA can be used, and if not, what is missing.
pub fn cuda() -> CudaStatus {
    #[cfg(feature = "torch")]
    return crate::torch::cuda::status().clone();
    #[cfg(not(feature = "torch"))]
    CudaStatus::NotBuilt
}

#[cfg(feature = "torch")]
fn torch(device: &str) -> Result<Box<dyn Engine>> {
    Ok(Box::new(crate::torch::TorchEngine::new(device)?))
}

#[cfg(not(feature = "torch"))]
fn torch(_device: &str) -> Result<Box<dyn Engine>> {
    Err(Error::Torch(
        "this build of odesync has no torch engine; build it with the feature \"torch\" (on by default), or use engine \
         \"native\""
            .into(),
    ))
}
