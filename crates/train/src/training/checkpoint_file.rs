//! File format of a checkpoint: safetensors of float64, with one metadata entry, `odesync`, of four texts: the format, a checksum
//! of everything else, the equations of the model, and metadata of the run. The same content gives the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};
use twox_hash::XxHash3_128;

use crate::datasets::open_safetensors;
use crate::{Error, Result};

const FORMAT: &str = "odesync-2";
const METADATA_KEY: &str = "odesync";

/// Tensor of a checkpoint, in row-major order.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Content of a checkpoint file.
#[derive(Debug, Default)]
pub(super) struct CheckpointFile {
    /// Equations of the model, from [`odesync_ode::field::VectorField::to_json`].
    pub model: String,
    /// Metadata of the run.
    pub metadata: String,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Header {
    format: String,
    checksum: String,
    model: String,
    run: String,
}

/// Hasher for fingerprints: XXH3 with 128 bits over texts and numbers, each preceded by its length.
#[derive(Default)]
pub(super) struct FingerprintHasher(XxHash3_128);

impl FingerprintHasher {
    pub fn write_text(&mut self, text: &str) {
        self.0.write(&(text.len() as u64).to_le_bytes());
        self.0.write(text.as_bytes());
    }

    pub fn write_sizes(&mut self, sizes: &[usize]) {
        for size in [sizes.len()].iter().chain(sizes) {
            self.0.write(&(*size as u64).to_le_bytes());
        }
    }

    pub fn write_numbers<'a>(&mut self, numbers: impl IntoIterator<Item = &'a f64>) {
        let bytes: Vec<u8> = numbers.into_iter().flat_map(|x| x.to_le_bytes()).collect();
        self.write_sizes(&[bytes.len()]);
        self.0.write(&bytes);
    }

    pub fn finish(self) -> String {
        format!("{:032x}", self.0.finish_128())
    }
}

pub(super) fn damaged_checkpoint(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Checkpoint {
        path: path.to_path_buf(),
        reason: format!("{reason}; it may be damaged, or written by another program"),
    }
}

impl CheckpointFile {
    pub fn add_tensor(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        let (shape, values) = (shape.to_vec(), values.to_vec());
        self.tensors.insert(name.into(), Tensor { shape, values });
    }

    /// Removes a tensor and returns it.
    pub fn take_tensor(&mut self, path: &Path, name: &str) -> Result<Tensor> {
        self.tensors
            .remove(name)
            .ok_or_else(|| damaged_checkpoint(path, format!("tensor \"{name}\" is missing")))
    }

    fn checksum(&self) -> String {
        let mut sum = FingerprintHasher::default();
        sum.write_text(&self.model);
        sum.write_text(&self.metadata);
        for (name, tensor) in &self.tensors {
            sum.write_text(name);
            sum.write_sizes(&tensor.shape);
            sum.write_numbers(&tensor.values);
        }
        sum.finish()
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let failed = |e: &dyn std::fmt::Display| Error::invalid(e.to_string());
        let header = Header {
            format: FORMAT.into(),
            checksum: self.checksum(),
            model: self.model.clone(),
            run: self.metadata.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|e| failed(&e))?;
        let bytes: Vec<Vec<u8>> = self
            .tensors
            .values()
            .map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect())
            .collect();
        let views = self
            .tensors
            .iter()
            .zip(&bytes)
            .map(|((name, tensor), bytes)| {
                let view = TensorView::new(Dtype::F64, tensor.shape.clone(), bytes);
                view.map(|view| (name, view)).map_err(|e| failed(&e))
            })
            .collect::<Result<Vec<_>>>()?;
        // A single entry, because a map of several would be written in arbitrary order.
        let metadata = HashMap::from([(METADATA_KEY.to_string(), header)]);
        serialize(views, Some(metadata)).map_err(|e| failed(&e))
    }

    /// Parses a file; `path` is for messages.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let (file, tensors) = open_safetensors(bytes)
            .map_err(|fault| damaged_checkpoint(path, format!("it is {fault}")))?;
        let metadata = file.metadata().clone().unwrap_or_default();
        let header = match (metadata.get(METADATA_KEY), metadata.get("format")) {
            (Some(header), _) => header,
            (None, Some(other)) => return Err(wrong_format(path, other)),
            (None, None) => {
                return Err(damaged_checkpoint(
                    path,
                    format!("it has no \"{METADATA_KEY}\" in its metadata"),
                ));
            }
        };
        let header: Header =
            serde_json::from_str(header).map_err(|e| damaged_checkpoint(path, e))?;
        if header.format != FORMAT {
            return Err(wrong_format(path, &header.format));
        }
        let mut content = CheckpointFile {
            model: header.model,
            metadata: header.run,
            ..CheckpointFile::default()
        };
        for (name, view) in tensors.tensors() {
            if view.dtype() != Dtype::F64 {
                return Err(damaged_checkpoint(
                    path,
                    format!("tensor \"{name}\" is not float64"),
                ));
            }
            let chunks = view.data().as_chunks::<8>().0;
            let values: Vec<f64> = chunks.iter().map(|b| f64::from_le_bytes(*b)).collect();
            content.add_tensor(&name, view.shape(), &values);
        }
        // A fuzz test would never come past it.
        if !cfg!(fuzzing) && content.checksum() != header.checksum {
            return Err(damaged_checkpoint(path, "its checksum is wrong"));
        }
        Ok(content)
    }
}

fn wrong_format(path: &Path, format: &str) -> Error {
    damaged_checkpoint(path, format!("its format is \"{format}\", not {FORMAT}"))
}
