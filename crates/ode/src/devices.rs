//! Devices by name, and the reasons for which the torch engine can't use an NVIDIA GPU.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Result};

/// Oldest version of NVIDIA's driver that works with CUDA 13, for which libtorch is built.
pub const MIN_DRIVER_VERSION: u32 = 580;

/// The device on which an engine computes.
///
/// ```
/// use odesync_ode::devices::Device;
///
/// assert_eq!("cuda".parse::<Device>()?, Device::Cuda(0));
/// assert_eq!("cuda:1".parse::<Device>()?.to_string(), "cuda:1");
/// assert_eq!(Device::Cuda(1).engine(), "torch");
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The CPU, named `cpu`.
    #[default]
    Cpu,
    /// An NVIDIA GPU, numbered from 0: `cuda` is the first, `cuda:1` the second.
    Cuda(usize),
}

impl Device {
    /// Returns the name of the default engine of this device: `native` or `torch`.
    pub fn engine(self) -> &'static str {
        match self {
            Device::Cpu => "native",
            Device::Cuda(_) => "torch",
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let number = match name {
            "cpu" => return Ok(Device::Cpu),
            "cuda" => return Ok(Device::Cuda(0)),
            // Only digits: the parser of `usize` accepts a sign too.
            _ => name
                .strip_prefix("cuda:")
                .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|n| n.parse().ok()),
        };
        number
            .map(Device::Cuda)
            .ok_or_else(|| odesync_base::error::unknown("device", name, ["cpu", "cuda", "cuda:N"]))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(0) => f.write_str("cuda"),
            Device::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

/// Whether CUDA can be used, and if not, the first thing that is missing. It displays as one line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CudaStatus {
    /// CUDA can be used: there are GPUs.
    Ready {
        /// The library `libtorch_cuda.so` that was loaded.
        library: PathBuf,
        /// Number of GPUs.
        gpus: usize,
    },
    /// This build of odesync has no torch engine.
    NotBuilt,
    /// There is no `libtorch_cuda.so`.
    NotInstalled {
        /// Folders that were searched for the library.
        searched_folders: Vec<PathBuf>,
    },
    /// The `libtorch_cuda.so` that was found belongs to another build of libtorch. Loading it would end the process.
    BuildMismatch {
        /// The library `libtorch_cuda.so`.
        library: PathBuf,
        /// The libtorch that this process has loaded.
        libtorch: PathBuf,
    },
    /// A library that `libtorch_cuda.so` needs is not there.
    MissingLibrary {
        /// The library `libtorch_cuda.so`.
        library: PathBuf,
        /// Name of the missing library.
        missing: String,
    },
    /// `libtorch_cuda.so` does not load for another reason.
    NotLoaded {
        /// The library `libtorch_cuda.so`.
        library: PathBuf,
        /// Message of the dynamic loader.
        reason: String,
    },
    /// CUDA's libraries are loaded, but no GPU can be used.
    NoGpu {
        /// The library `libtorch_cuda.so` that was loaded.
        library: PathBuf,
        /// Why no GPU can be used.
        reason: NoGpuReason,
    },
}

/// Why no GPU can be used although CUDA's libraries are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGpuReason {
    /// The driver's library `libcuda.so.1` is not there.
    NoDriver,
    /// The driver's library is there, but the device files that the driver creates are not.
    NoDevice,
    /// The environment variable `CUDA_VISIBLE_DEVICES` hides every GPU.
    HiddenByEnv {
        /// Value of the variable.
        visible: String,
    },
    /// The driver is older than [`MIN_DRIVER_VERSION`].
    DriverTooOld {
        /// Version of the driver.
        version: String,
    },
    /// The driver is there, but reports no GPU.
    NoneReported {
        /// Version of the driver, where it is known.
        version: Option<String>,
    },
}

impl CudaStatus {
    /// Returns what the user has to do to use CUDA; `None` where CUDA can be used.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            CudaStatus::Ready { .. } => return None,
            CudaStatus::NotBuilt => {
                "install the package odesync-torch beside it, or build odesync with the feature \"torch\" (on by default)".into()
            }
            CudaStatus::NotInstalled { .. } => {
                "run `make setup-cuda` in the checkout of odesync; with the package odesync-torch, install a torch with CUDA"
                    .into()
            }
            CudaStatus::BuildMismatch { .. } => {
                "run `make setup-cuda` in the checkout of odesync, or point LIBTORCH at the libtorch that odesync was built with"
                    .into()
            }
            CudaStatus::MissingLibrary { missing, .. } => format!(
                "run `make setup-cuda` in the checkout of odesync; with the package odesync-torch, install torch anew with what it \
                 requires; with a libtorch of your own, add the folder of {missing} to LD_LIBRARY_PATH"
            ),
            CudaStatus::NotLoaded { .. } => {
                "run `python3 tools/setup_cuda.py --force` in the checkout of odesync".into()
            }
            CudaStatus::NoGpu { reason, .. } => reason.remedy(),
        };
        Some(text)
    }

    /// Returns whether something that was installed is broken, rather than missing.
    pub fn is_broken(&self) -> bool {
        matches!(
            self,
            CudaStatus::BuildMismatch { .. }
                | CudaStatus::MissingLibrary { .. }
                | CudaStatus::NotLoaded { .. }
        )
    }

    /// Checks that the GPU with this number, from 0, can be used.
    ///
    /// # Errors
    /// [`Error::Torch`] with what is missing and what to do, or how many GPUs there are.
    pub fn check(&self, gpu: usize) -> Result<()> {
        let device = Device::Cuda(gpu);
        match self {
            CudaStatus::Ready { gpus, .. } if gpu < *gpus => Ok(()),
            CudaStatus::Ready { gpus, .. } => Err(Error::Torch(format!(
                "there is no device \"{device}\": {gpus} GPU{} found, counted from 0",
                if *gpus == 1 { " was" } else { "s were" }
            ))),
            _ => Err(Error::Torch(format!(
                "the device \"{device}\" can't be used: {self}; {}, or use the device \"cpu\"",
                self.remedy().unwrap_or_default()
            ))),
        }
    }
}

impl fmt::Display for CudaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CudaStatus::Ready { library, gpus } => write!(
                f,
                "{gpus} GPU{}, with {}",
                if *gpus == 1 { "" } else { "s" },
                library.display()
            ),
            CudaStatus::NotBuilt => f.write_str("this build of odesync has no torch engine"),
            CudaStatus::NotInstalled { searched_folders } => {
                f.write_str("CUDA's part of libtorch, libtorch_cuda.so, is not there")?;
                for (i, folder) in searched_folders.iter().enumerate() {
                    let before = if i == 0 { " (looked in " } else { ", " };
                    write!(f, "{before}{}", folder.display())?;
                }
                f.write_str(if searched_folders.is_empty() { "" } else { ")" })
            }
            CudaStatus::BuildMismatch { library, libtorch } => write!(
                f,
                "{} belongs to another build of libtorch than {}",
                library.display(),
                libtorch.display()
            ),
            CudaStatus::MissingLibrary { library, missing } => write!(
                f,
                "{} does not load: it needs {missing}, which is not there",
                library.display()
            ),
            CudaStatus::NotLoaded { library, reason } => {
                write!(f, "{} does not load: {reason}", library.display())
            }
            CudaStatus::NoGpu { reason, .. } => {
                write!(f, "CUDA's libraries are loaded, but {reason}")
            }
        }
    }
}

impl NoGpuReason {
    fn remedy(&self) -> String {
        match self {
            NoGpuReason::NoDriver => format!(
                "install NVIDIA's driver, version {MIN_DRIVER_VERSION} or later (in a container, start it with --gpus all)"
            ),
            NoGpuReason::NoDevice => {
                "look at what `nvidia-smi` says (a container has to be started with --gpus all)"
                    .into()
            }
            NoGpuReason::HiddenByEnv { .. } => "unset CUDA_VISIBLE_DEVICES".into(),
            NoGpuReason::DriverTooOld { .. } => {
                format!("install NVIDIA's driver of version {MIN_DRIVER_VERSION} or later")
            }
            NoGpuReason::NoneReported { .. } => "look at what `nvidia-smi` says".into(),
        }
    }
}

impl fmt::Display for NoGpuReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoGpuReason::NoDriver => f.write_str("there is no GPU driver (no libcuda.so.1)"),
            NoGpuReason::NoDevice => {
                f.write_str("the GPU driver finds no GPU (no /dev/nvidiactl and no /dev/dxg)")
            }
            NoGpuReason::HiddenByEnv { visible } => write!(
                f,
                "CUDA_VISIBLE_DEVICES=\"{visible}\" leaves no GPU to be seen"
            ),
            NoGpuReason::DriverTooOld { version } => write!(
                f,
                "the GPU driver {version} is too old: {MIN_DRIVER_VERSION} is the oldest that works"
            ),
            NoGpuReason::NoneReported { version } => {
                let version = version.as_deref().map(|v| format!(" {v}"));
                write!(
                    f,
                    "the GPU driver{} reports no GPU",
                    version.unwrap_or_default()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, device) in [
            ("cpu", Device::Cpu),
            ("cuda", Device::Cuda(0)),
            ("cuda:0", Device::Cuda(0)),
            ("cuda:12", Device::Cuda(12)),
        ] {
            assert_eq!(name.parse::<Device>().unwrap(), device);
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
        }
        for name in [
            "",
            "gpu",
            "CUDA",
            "cuda:",
            "cuda:+1",
            "cuda:-1",
            "cuda:1:1",
            "cuda:99999999999999999999999",
        ] {
            let error = name.parse::<Device>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("unknown device \"{name}\""))
                    && error.contains("known: cpu, cuda, cuda:N"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_gpu_that_is_not_there() {
        let ready = |gpus| CudaStatus::Ready {
            library: "libtorch_cuda.so".into(),
            gpus,
        };
        assert!(ready(1).check(0).is_ok());
        assert!(ready(2).check(1).is_ok());
        let text = |status: CudaStatus, gpu| status.check(gpu).unwrap_err().to_string();
        assert_eq!(
            text(ready(1), 1),
            "torch: there is no device \"cuda:1\": 1 GPU was found, counted from 0"
        );
        assert!(text(ready(2), 5).contains("2 GPUs were found"));
        let missing = CudaStatus::MissingLibrary {
            library: "/a/libtorch_cuda.so".into(),
            missing: "libcublas.so.13".into(),
        };
        let text = text(missing, 0);
        assert!(
            text.starts_with("torch: the device \"cuda\" can't be used: /a/libtorch_cuda.so does not load: it needs libcublas.so.13")
                && text.contains("make setup-cuda")
                && text.ends_with("or use the device \"cpu\""),
            "{text}"
        );
    }
}
