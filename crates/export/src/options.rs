//! Options of an export.

use odesync_base::options::{Maybe, OneOf, Whole};
use odesync_base::{impl_named, option_set};

/// The library that Python source is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PythonLibrary {
    /// NumPy, with SciPy for solves.
    #[default]
    Numpy,
    /// PyTorch, with torchdiffeq for solves.
    Torch,
    /// JAX, with its own solver.
    Jax,
}

impl_named!(
    PythonLibrary,
    "target",
    Numpy = "numpy",
    Torch = "torch",
    Jax = "jax",
);

/// Names of the layers in a file of PyTorch weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayerNames {
    /// `layers.0.weight`, `layers.1.weight`, …: a `ModuleList` named `layers`.
    #[default]
    Layers,
    /// `0.weight`, `2.weight`, …: a `Sequential` with the activations between.
    Sequential,
    /// `hidden_layers.0.weight`, …, `output_layer.weight`: the network of the paper's published code.
    Paper,
}

impl_named!(
    LayerNames,
    "names",
    Layers = "layers",
    Sequential = "sequential",
    Paper = "paper",
);

option_set! {
    /// Options of an export.
    #[derive(Debug, Clone)]
    pub struct ExportOptions {
        /// Library of a `.py` file: NumPy and SciPy, PyTorch, or JAX.
        pub target: PythonLibrary as OneOf<PythonLibrary> = PythonLibrary::default();
        /// Names of the layers in a `.safetensors` file: `layers.0.weight`, those of a `Sequential`, or those of the paper's code.
        pub names: LayerNames as OneOf<LayerNames> = LayerNames::default();
        /// Sample whose external input is written, where each sample has its own.
        pub sample: Option<usize> as Maybe<Whole> = None;
    }
}

impl ExportOptions {
    /// Sets the library of a `.py` file.
    #[must_use]
    pub fn target(mut self, target: PythonLibrary) -> Self {
        self.target = target;
        self
    }

    /// Sets the names of the layers in a `.safetensors` file.
    #[must_use]
    pub fn names(mut self, names: LayerNames) -> Self {
        self.names = names;
        self
    }

    /// Sets the sample whose external input is written.
    #[must_use]
    pub fn sample(mut self, sample: usize) -> Self {
        self.sample = Some(sample);
        self
    }
}
