//! CUDA and the GPUs.

use super::{Device, Finding, Mark, engine, programs};
use crate::devices::CudaStatus;
use crate::engines::cuda;

const WHAT: &str = "CUDA";

/// What there is of CUDA; needed if `wanted` is a GPU.
pub(super) fn finding(wanted: Option<Device>) -> Finding {
    let status = cuda();
    let mark = match &status {
        CudaStatus::Ready { .. } => Mark::There,
        status if status.broken() => Mark::Broken,
        _ => Mark::Missing,
    };
    let mut text = status.to_string();
    if mark == Mark::There {
        text.extend(names().iter().map(|gpu| format!("\n{:18}{gpu}", "")));
    }
    let finding = Finding {
        cure: status.cure(),
        ..Finding::new(mark, WHAT, text)
    };
    match wanted {
        Some(device @ Device::Cuda(_)) => asked_for(device, finding),
        _ => finding,
    }
}

/// A GPU that --device names has to be there.
fn asked_for(device: Device, finding: Finding) -> Finding {
    let finding = finding.needed();
    match engine(device.engine(), &device.to_string()) {
        Ok(_) => finding,
        Err(_) if finding.mark != Mark::There => Finding {
            mark: Mark::Broken,
            ..finding
        },
        Err(error) => Finding::broken(WHAT, error.to_string()).needed(),
    }
}

/// Number, name and memory of each GPU, as the driver's own program tells them.
fn names() -> Vec<String> {
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
