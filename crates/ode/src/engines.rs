//! Choosing an engine by name.
//!
//! An engine of another crate makes itself known by `inventory::submit!` of an [`EngineRegistration`]; a program that links it has it. To name
//! the crate in `Cargo.toml` does not link it: write `use odesync_torch as _;`, or use something of it.

use crate::devices::{CudaStatus, Device};
use crate::odesolve::{Engine, NativeEngine};
use crate::{Error, Result};

/// An engine of another crate.
#[derive(Debug, Clone, Copy)]
pub struct EngineRegistration {
    /// The name by which it is chosen.
    pub name: &'static str,
    /// The library that it is built on, and its version.
    pub library: &'static str,
    /// The engine on a device (`cpu`, `cuda`, `cuda:1`).
    pub create: fn(device: &str) -> Result<Box<dyn Engine>>,
    /// Whether CUDA can be used by it, and if not, what is missing.
    pub cuda_status: fn() -> CudaStatus,
}

inventory::collect!(EngineRegistration);

/// The engine of another crate by its name; none where this program was built without it.
pub fn registered(name: &str) -> Option<&'static EngineRegistration> {
    inventory::iter::<EngineRegistration>
        .into_iter()
        .find(|kind| kind.name == name)
}

/// The engine of this name: `native` (CPU, the default) or `torch`, on a device (`cpu`, `cuda`, `cuda:1`).
///
/// # Errors
/// A name that no engine has, a device that is not there, or `torch` in a build without it.
pub fn engine(name: &str, device: &str) -> Result<Box<dyn Engine>> {
    match (name, registered(name)) {
        ("native", _) => match device.parse()? {
            Device::Cpu => Ok(Box::<NativeEngine>::default()),
            Device::Cuda(_) => Err(Error::invalid(format!(
                "the native engine runs on the CPU; for device \"{device}\" choose engine \"torch\""
            ))),
        },
        (_, Some(kind)) => (kind.create)(device),
        ("torch", None) => Err(Error::Torch(
            "this build of odesync has no torch engine; build it with the feature \"torch\" (on by default), or use engine \
             \"native\""
                .into(),
        )),
        _ => {
            let linked = inventory::iter::<EngineRegistration>.into_iter();
            let mut known: Vec<&str> = ["native", "torch"]
                .into_iter()
                .chain(linked.map(|kind| kind.name))
                .collect();
            known.sort_unstable();
            known.dedup();
            Err(odesync_base::error::unknown("engine", name, known))
        }
    }
}

/// Whether CUDA can be used, and if not, what is missing.
pub fn cuda_status() -> CudaStatus {
    registered("torch").map_or(CudaStatus::NotBuilt, |torch| (torch.cuda_status)())
}
