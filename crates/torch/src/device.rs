//! Devices by name, libtorch's errors, and numbers to and from tensors.

use tch::{Device, Kind, Tensor};

use super::cuda;
use crate::error::TensorResult;
use odesync_ode::devices;

/// The type of every number: that of the native engine.
pub(super) const KIND: Kind = Kind::Double;

/// The device of this name: `cpu`, `cuda` (the first GPU) or `cuda:N`.
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

fn to_i64s(of: &[usize]) -> Vec<i64> {
    of.iter()
        .map(|n| i64::try_from(*n).unwrap_or(i64::MAX))
        .collect()
}

/// A length or an index as libtorch takes it.
pub(super) fn to_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Numbers as a tensor of this shape on the device.
pub(super) fn upload(values: &[f64], of: &[usize], device: Device) -> TensorResult<Tensor> {
    let tensor = Tensor::f_from_slice(values)?.f_reshape(to_i64s(of))?;
    Ok(tensor.f_to_device(device)?)
}

/// Row numbers as a tensor on the device.
pub(super) fn upload_rows(rows: &[usize], device: Device) -> TensorResult<Tensor> {
    Ok(Tensor::f_from_slice(&to_i64s(rows))?.f_to_device(device)?)
}

/// All numbers of a tensor, row by row.
pub(super) fn download(tensor: &Tensor) -> TensorResult<Vec<f64>> {
    let flat = tensor
        .f_detach()?
        .f_to_device(Device::Cpu)?
        .f_reshape([-1_i64])?;
    Ok(Vec::<f64>::try_from(&flat)?)
}
