//! Devices by name, and numbers to and from tensors.

use tch::{Device, Kind, Tensor};

use super::cuda;
use crate::error::TensorResult;
use odesync_ode::devices;

/// Type of every number: float64, as in the native engine.
pub(super) const KIND: Kind = Kind::Double;

/// Returns the device of this name: `cpu`, `cuda` (the first GPU) or `cuda:N`.
pub(super) fn by_name(name: &str) -> TensorResult<Device> {
    match name.parse()? {
        devices::Device::Cpu => {
            cuda::preload();
            Ok(Device::Cpu)
        }
        devices::Device::Cuda(gpu) => {
            cuda::status().check(gpu)?;
            Ok(Device::Cuda(gpu))
        }
    }
}

fn to_i64s(numbers: &[usize]) -> Vec<i64> {
    numbers
        .iter()
        .map(|n| i64::try_from(*n).unwrap_or(i64::MAX))
        .collect()
}

/// Returns a length or an index as the `i64` that libtorch takes.
pub(super) fn to_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Returns numbers as a tensor of this shape on the device.
pub(super) fn upload(values: &[f64], shape: &[usize], device: Device) -> TensorResult<Tensor> {
    let tensor = Tensor::f_from_slice(values)?.f_reshape(to_i64s(shape))?;
    Ok(tensor.f_to_device(device)?)
}

/// Returns row numbers as a tensor on the device.
pub(super) fn upload_rows(rows: &[usize], device: Device) -> TensorResult<Tensor> {
    Ok(Tensor::f_from_slice(&to_i64s(rows))?.f_to_device(device)?)
}

/// Returns all numbers of a tensor, row by row.
pub(super) fn download(tensor: &Tensor) -> TensorResult<Vec<f64>> {
    let flat = tensor
        .f_detach()?
        .f_to_device(Device::Cpu)?
        .f_reshape([-1_i64])?;
    Ok(Vec::<f64>::try_from(&flat)?)
}
