//! NVIDIA's driver: whether it is there, and why it reports no GPU.

use std::path::Path;

use super::cuda::load_library;
use odesync_ode::devices::{MIN_DRIVER_VERSION, NoGpuReason};

/// Device files of a GPU: NVIDIA's driver creates the first one, that of the Windows Subsystem for Linux the second one.
const DEVICE_NODES: [&str; 2] = ["/dev/nvidiactl", "/dev/dxg"];

/// Returns whether there seems to be a GPU.
pub(super) fn device_node_exists() -> bool {
    DEVICE_NODES.iter().any(|node| Path::new(node).exists())
}

/// Returns why libtorch with CUDA finds no GPU.
pub(super) fn no_gpu_reason() -> NoGpuReason {
    if load_library(Path::new("libcuda.so.1")).is_err() {
        return NoGpuReason::NoDriver;
    }
    if !device_node_exists() {
        return NoGpuReason::NoDevice;
    }
    if let Ok(visible) = std::env::var("CUDA_VISIBLE_DEVICES") {
        return NoGpuReason::HiddenByEnv { visible };
    }
    let version = std::fs::read_to_string("/proc/driver/nvidia/version")
        .ok()
        .and_then(|text| version(&text));
    match version {
        Some(version) if major(&version).is_some_and(|major| major < MIN_DRIVER_VERSION) => {
            NoGpuReason::DriverTooOld { version }
        }
        version => NoGpuReason::NoneReported { version },
    }
}

/// Returns the driver's version from the text of `/proc/driver/nvidia/version`.
fn version(text: &str) -> Option<String> {
    text.lines()
        .next()?
        .split_whitespace()
        .find(|word| word.contains('.') && major(word).is_some())
        .map(String::from)
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_the_drivers_write_them() {
        for (line, want) in [
            (
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023",
                "535.104.05",
            ),
            (
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22-I3)",
                "580.65.06",
            ),
        ] {
            let text = format!("{line}\nGCC version:  gcc version 12.3.0 (Ubuntu 12.3.0)\n");
            assert_eq!(version(&text).as_deref(), Some(want));
        }
        assert_eq!(version("no driver"), None);
        assert_eq!(major("535.104.05"), Some(535));
    }
}
