//! The check of CUDA and the GPUs.

use super::{Device, Finding, FindingStatus, engine, programs};
use crate::devices::CudaStatus;
use crate::engines::cuda_status;

const TOPIC: &str = "CUDA";

/// Returns the finding about CUDA and its GPUs, which are required if `wanted` is a GPU.
pub(super) fn check_cuda(wanted: Option<Device>) -> Finding {
    let status = cuda_status();
    let mark = match &status {
        CudaStatus::Ready { .. } => FindingStatus::Present,
        status if status.is_broken() => FindingStatus::Broken,
        _ => FindingStatus::Missing,
    };
    let mut text = status.to_string();
    if mark == FindingStatus::Present {
        text.extend(gpu_names().iter().map(|gpu| format!("\n{:18}{gpu}", "")));
    }
    let finding = Finding {
        fix: status.remedy(),
        ..Finding::new(mark, TOPIC, text)
    };
    match wanted {
        Some(device @ Device::Cuda(_)) => require_device(device, finding),
        _ => finding,
    }
}

/// Makes the finding an error if the GPU that `--device` names does not exist.
fn require_device(device: Device, finding: Finding) -> Finding {
    let finding = finding.required();
    match engine(device.engine(), &device.to_string()) {
        Ok(_) => finding,
        Err(_) if finding.status != FindingStatus::Present => Finding {
            status: FindingStatus::Broken,
            ..finding
        },
        Err(error) => Finding::broken(TOPIC, error.to_string()).required(),
    }
}

/// Returns the index, name and memory of each GPU, as the driver's `nvidia-smi` reports them.
fn gpu_names() -> Vec<String> {
    let query = [
        "--query-gpu=index,name,memory.total",
        "--format=csv,noheader",
    ];
    let told = programs::find("nvidia-smi").and_then(|p| programs::run(&p, &query).ok());
    told.unwrap_or_default()
        .lines()
        .map(|line| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect()
}
