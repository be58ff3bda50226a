//! safetensors format: named tensors after a JSON header, common among PyTorch users.

use std::collections::HashMap;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, TensorView, serialize};

use super::arrays::{self, ArrayFile, ArrayNames};
use super::dataset::Dataset;
use super::scalar_type::ScalarType;
use super::{data_error, read_bytes};
use odesync_base::error::{Error, Result};
use odesync_base::files::{open, write_atomically};

/// Metadata key of the names of the state variables, a list in JSON.
const NAMES_KEY: &str = "names";

/// Reads a dataset from the tensors with these names. Integers, booleans and narrower floats, including float16 and bfloat16, are
/// converted to float64.
///
/// # Errors
/// A file that cannot be read or is damaged; a tensor that is missing, of the wrong shape, of an unknown type, or too large for
/// the memory. The message lists the tensors of the file.
pub fn read_safetensors(path: impl AsRef<Path>, names: &ArrayNames) -> Result<Dataset> {
    let path = path.as_ref();
    let refuse = |message: String| data_error(path, None, None, message);
    let size = open(path).and_then(|file| file.metadata());
    let size = size.map_err(|e| Error::io("read", path, &e))?;
    let size = usize::try_from(size.len()).unwrap_or(usize::MAX);
    names.check_memory(size, 0).map_err(refuse)?;
    let bytes = read_bytes(path)?;
    let (header, tensors) =
        open_safetensors(&bytes).map_err(|fault| refuse(format!("this is {fault}")))?;
    let mut file = SafetensorsFile {
        tensors,
        header,
        names,
    };
    arrays::read_dataset(path, &mut file, names)
}

/// Reads the header and the tensors from a file's bytes.
///
/// # Errors
/// A description of what the file is instead.
pub(crate) fn open_safetensors(
    bytes: &[u8],
) -> std::result::Result<(Metadata, SafeTensors<'_>), String> {
    let fault = |e: SafeTensorError| match e {
        SafeTensorError::HeaderTooLarge
        | SafeTensorError::InvalidHeader(_)
        | SafeTensorError::InvalidHeaderStart
        | SafeTensorError::InvalidHeaderDeserialization(_) => "not a safetensors file".to_string(),
        SafeTensorError::HeaderTooSmall => {
            "not a safetensors file, or a damaged one: it is too short".into()
        }
        SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer => {
            "not a safetensors file, or a damaged one: its length is not what its beginning says"
                .into()
        }
        other => format!("a damaged safetensors file: {other}"),
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(fault)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(fault)?;
    Ok((header, tensors))
}

/// The tensors of a file as float64, and its metadata.
#[derive(Debug, Clone)]
pub struct NamedTensors {
    /// Names and tensors, in the order of the file.
    pub tensors: Vec<(String, ArrayD<f64>)>,
    /// Texts by their keys.
    pub metadata: HashMap<String, String>,
}

/// Reads all tensors of a file. Integers, booleans and narrower floats are converted to float64.
///
/// # Errors
/// A file that cannot be read or is damaged; a tensor of an unknown type, or too large for the memory.
pub fn read_tensors(path: impl AsRef<Path>) -> Result<NamedTensors> {
    let path = path.as_ref();
    let refuse = |message: String| data_error(path, None, None, message);
    let size = open(path).and_then(|file| file.metadata());
    let size = size.map_err(|e| Error::io("read", path, &e))?;
    let size = usize::try_from(size.len()).unwrap_or(usize::MAX);
    let names = &ArrayNames::default();
    names.check_memory(size, 0).map_err(refuse)?;
    let bytes = read_bytes(path)?;
    let (header, tensors) =
        open_safetensors(&bytes).map_err(|fault| refuse(format!("this is {fault}")))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut file = SafetensorsFile {
        tensors,
        header,
        names,
    };
    let names = file.names();
    let read = |name: String| {
        let tensor = file.read(&name);
        let tensor = tensor.map_err(|fault| refuse(format!("tensor \"{name}\": {fault}")))?;
        Ok((name, tensor))
    };
    Ok(NamedTensors {
        tensors: names.into_iter().map(read).collect::<Result<_>>()?,
        metadata,
    })
}

/// Returns float64 tensors, given by name, shape and numbers row by row, as a file with texts as metadata; [`read_tensors`] reads
/// them back exactly.
///
/// # Errors
/// A shape that does not fit its numbers.
pub fn tensor_bytes(
    tensors: &[(String, Vec<usize>, &[f64])],
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let failed = |e: &dyn std::fmt::Display| Error::invalid(e.to_string());
    let bytes = |values: &[f64]| values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, _, values)| bytes(values)).collect();
    let mut views = vec![];
    for ((name, shape, _), bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F64, shape.clone(), bytes).map_err(|e| failed(&e))?;
        views.push((name.as_str(), view));
    }
    serialize(views, Some(metadata)).map_err(|e| failed(&e))
}

struct SafetensorsFile<'a> {
    tensors: SafeTensors<'a>,
    header: Metadata,
    names: &'a ArrayNames,
}

/// Returns the scalar type of a tensor; `None` for types narrower than a byte and 8-bit floating point.
fn scalar_type(dtype: Dtype) -> Option<ScalarType> {
    match dtype {
        Dtype::F64 => ScalarType::new('f', 8),
        Dtype::F32 => ScalarType::new('f', 4),
        Dtype::F16 => ScalarType::new('f', 2),
        Dtype::BF16 => ScalarType::new('B', 2),
        Dtype::I64 => ScalarType::new('i', 8),
        Dtype::I32 => ScalarType::new('i', 4),
        Dtype::I16 => ScalarType::new('i', 2),
        Dtype::I8 => ScalarType::new('i', 1),
        Dtype::U64 => ScalarType::new('u', 8),
        Dtype::U32 => ScalarType::new('u', 4),
        Dtype::U16 => ScalarType::new('u', 2),
        Dtype::U8 => ScalarType::new('u', 1),
        Dtype::BOOL => ScalarType::new('b', 1),
        _ => None,
    }
}

impl ArrayFile for SafetensorsFile<'_> {
    fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    fn describe(&mut self, name: &str) -> String {
        match self.tensors.tensor(name) {
            Ok(view) => {
                let kind = scalar_type(view.dtype()).map(ScalarType::name);
                let kind = kind.unwrap_or_else(|| format!("{:?}", view.dtype()));
                format!("{:?} {kind}", view.shape())
            }
            Err(_) => "(damaged)".into(),
        }
    }

    fn read(&mut self, name: &str) -> std::result::Result<ArrayD<f64>, String> {
        let view = self.tensors.tensor(name).map_err(|e| e.to_string())?;
        let kind = scalar_type(view.dtype()).ok_or_else(|| {
            format!(
                "numbers of type {:?} cannot be read: save them as float64 or float32",
                view.dtype()
            )
        })?;
        let data = view.data();
        self.names
            .check_memory(data.len(), data.len() / kind.size)?;
        ArrayD::from_shape_vec(IxDyn(view.shape()), kind.decode_all(data))
            .map_err(|e| e.to_string())
    }

    fn component_names(&mut self) -> Option<Vec<String>> {
        let names = self.header.metadata().as_ref()?.get(NAMES_KEY)?;
        serde_json::from_str(names).ok()
    }
}

/// Writes a dataset as float64 tensors `t` `[time]`, `u` `[sample, time, dof]` (`[time, dof]` for one sample) and `u0`
/// `[sample, dof]` (`[dof]`), with the names of the state variables in the metadata; [`read_safetensors`] reads it back exactly.
///
/// The file appears under its name only when it is complete.
///
/// # Errors
/// Samples with different times; a folder that cannot be created or written.
pub fn write_safetensors(path: impl AsRef<Path>, data: &Dataset) -> Result<()> {
    arrays::check_uniform(data)?;
    let (t, u, u0) = (data.t(), data.u(), data.u0());
    let mut shapes = [t.shape(), u.shape(), u0.shape()];
    if data.samples() == 1 {
        for shape in &mut shapes[1..] {
            *shape = &shape[1..];
        }
    }
    let failed = |e: &dyn std::fmt::Display| Error::invalid(e.to_string());
    let numbers = [
        t.iter().copied().collect::<Vec<f64>>(),
        u.iter().copied().collect(),
        u0.iter().copied().collect(),
    ];
    let named = ["t", "u", "u0"].into_iter().zip(shapes).zip(&numbers);
    let tensors = named.map(|((name, shape), x)| (name.to_string(), shape.to_vec(), x.as_slice()));
    let tensors: Vec<_> = tensors.collect();
    let names = serde_json::to_string(data.names()).map_err(|e| failed(&e))?;
    let metadata = HashMap::from([(NAMES_KEY.to_string(), names)]);
    write_atomically(path.as_ref(), &tensor_bytes(&tensors, metadata)?)
}
