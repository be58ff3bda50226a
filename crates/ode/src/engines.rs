//! Registry of engines: choosing an engine by name.
//!
//! An engine of another crate registers itself by `inventory::submit!` of an [`EngineRegistration`]; every program that links
//! the crate has the engine. To name the crate in `Cargo.toml` does not link it: write `use odesync_torch as _;`, or use
//! something of it.

mod auto;

use crate::devices::{CudaStatus, Device};
use crate::odesolve::{Engine, NativeEngine};
use crate::{Error, Result};

pub use crate::odesolve::stepping::torch_is_faster;
pub use auto::AutoEngine;

/// The registration of an engine that another crate provides.
#[derive(Debug, Clone, Copy)]
pub struct EngineRegistration {
    /// Name by which [`engine`] finds the engine.
    pub name: &'static str,
    /// Library that the engine is built on, with its version.
    pub library: &'static str,
    /// Function that creates the engine on a device (`cpu`, `cuda`, `cuda:1`).
    pub create: fn(device: &str) -> Result<Box<dyn Engine>>,
    /// Function that returns whether the engine can use CUDA, and if not, what is missing.
    pub cuda_status: fn() -> CudaStatus,
}

inventory::collect!(EngineRegistration);

/// Returns the registration of the engine of another crate with this name; `None` where this program does not link it.
pub fn registered(name: &str) -> Option<&'static EngineRegistration> {
    inventory::iter::<EngineRegistration>
        .into_iter()
        .find(|kind| kind.name == name)
}

/// Creates the engine of this name on a device (`cpu`, `cuda`, `cuda:1`): `native` (CPU, the default), `torch`, or `auto`, which is
/// `torch` on a GPU and else an [`AutoEngine`].
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
        ("auto", _) => match device.parse()? {
            Device::Cpu => Ok(Box::<AutoEngine>::default()),
            Device::Cuda(_) => engine("torch", device),
        },
        (_, Some(kind)) => (kind.create)(device),
        ("torch", None) => Err(Error::Torch(
            "this build of odesync has no torch engine; install the package odesync-torch beside it or build it with the \
             feature \"torch\" (on by default), or use engine \"native\""
                .into(),
        )),
        _ => {
            let linked = inventory::iter::<EngineRegistration>.into_iter();
            let mut known: Vec<&str> = ["auto", "native", "torch"]
                .into_iter()
                .chain(linked.map(|kind| kind.name))
                .collect();
            known.sort_unstable();
            known.dedup();
            Err(odesync_base::error::unknown("engine", name, known))
        }
    }
}

/// Returns whether the torch engine can use CUDA, and if not, what is missing.
pub fn cuda_status() -> CudaStatus {
    registered("torch").map_or(CudaStatus::NotBuilt, |torch| (torch.cuda_status)())
}
