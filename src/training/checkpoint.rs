//! Runs on disk: `best.safetensors`, `last.safetensors` and `metrics.csv` in one folder.
//!
//! A checkpoint holds each parameter block as a float64 tensor under its name (as a PyTorch state dict would), and in its
//! metadata the equations of the model, so that it can be loaded without the script that made it.

use std::collections::HashMap;
use std::path::Path;

use ndarray::Array2;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::optimizer::OptimizerState;
use super::run::{EpochRecord, Run, Stop};
use crate::field::{Isa, VectorField};
use crate::files::write_atomically;
use crate::odesolve::{Controller, SolveOptions};
use crate::{Error, Result};

const FORMAT: &str = "odesync-1";
const BEST: &str = "best.safetensors";
const LAST: &str = "last.safetensors";
const METRICS: &str = "metrics.csv";
const INITIAL_STATES: &str = "data.u0";
const FIRST: &str = "optimizer.first";
const SECOND: &str = "optimizer.second";
const CORRECTIONS: &str = "method.corrections";

/// What stands in a checkpoint's metadata beside the equations.
#[derive(serde::Serialize, serde::Deserialize)]
struct About {
    method: String,
    epoch: usize,
    stop: Stop,
    best_mse: Option<f64>,
    best_epoch: usize,
    t0: f64,
    solver: String,
    rtol: f64,
    atol: f64,
    step_size: Option<f64>,
    substeps: Option<usize>,
    first_step: Option<f64>,
    #[serde(default)]
    max_step: Option<f64>,
    /// Absent in checkpoints from before there was a choice.
    #[serde(default)]
    controller: Option<String>,
    max_steps: usize,
    breakpoints: bool,
    optimizer_step: u64,
    /// The native engine's instruction set, on which the bits depend.
    instruction_set: String,
}

impl About {
    fn solver(&self) -> Result<SolveOptions> {
        let controller = self.controller.as_deref().map(Controller::by_name);
        let solver = SolveOptions {
            max_step: self.max_step,
            controller: controller.transpose()?.unwrap_or_default(),
            step_size: self.step_size,
            substeps: self.substeps,
            first_step: self.first_step,
            max_steps: self.max_steps,
            breakpoints: self.breakpoints,
            ..SolveOptions::default()
                .method(&self.solver)?
                .tolerances(self.rtol, self.atol)
        };
        solver.check().map(|()| solver)
    }
}

/// Makes the folder and sees whether files can be written there, and whether the model can be saved.
pub(super) fn prepare(folder: &Path, model: &VectorField) -> Result<()> {
    check_model(model)?;
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, &e))?;
    tempfile::Builder::new()
        .prefix(".odesync-")
        .tempfile_in(folder)
        .map(drop)
        .map_err(|e| Error::io("write in", folder, &e))
}

/// Whether a checkpoint can hold the model.
fn check_model(model: &VectorField) -> Result<()> {
    const OWN: [&str; 4] = [INITIAL_STATES, FIRST, SECOND, CORRECTIONS];
    if let Some(block) = model.blocks().iter().find(|b| OWN.contains(&&*b.name)) {
        return Err(Error::invalid(format!(
            "a parameter named \"{}\" can't be saved, a checkpoint has a tensor of that name; rename it",
            block.name
        )));
    }
    if !model.signals().is_empty() {
        return Err(Error::invalid(
            "a synchronised field holds its data and can't be saved; train the model itself, or without an output folder",
        ));
    }
    Ok(())
}

impl Run {
    /// Writes the run into a folder. Each file is complete or absent, whenever the process ends.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        write_atomically(&folder.join(BEST), &self.checkpoint(&self.model, false)?)?;
        write_atomically(&folder.join(METRICS), &self.metrics_csv(folder)?)?;
        // Last, so that a reader who finds it finds the rest.
        write_atomically(&folder.join(LAST), &self.checkpoint(&self.last, true)?)
    }

    /// Reads a run back from its folder.
    ///
    /// # Errors
    /// Files that are missing or damaged.
    pub fn load(folder: impl AsRef<Path>) -> Result<Run> {
        let folder = folder.as_ref();
        let (model, best, _) = read(&folder.join(BEST))?;
        let path = folder.join(LAST);
        let (last, about, mut tensors) = read(&path)?;
        let mut take = |name: &str| {
            tensors
                .remove(name)
                .ok_or_else(|| damaged(&path, format!("tensor \"{name}\" is missing")))
        };
        let u0 = take(INITIAL_STATES)?;
        let dof = model.dof();
        let run = Run {
            best_mse: best.best_mse.unwrap_or(f64::NAN),
            best_epoch: best.best_epoch,
            history: read_metrics(&folder.join(METRICS), about.epoch)?,
            solver: about.solver().map_err(|e| damaged(&path, e))?,
            method: about.method,
            t0: about.t0,
            u0: Array2::from_shape_vec((u0.len() / dof, dof), u0).map_err(|e| damaged(&path, e))?,
            optimizer: OptimizerState {
                step: about.optimizer_step,
                first: take(FIRST)?,
                second: take(SECOND)?,
            },
            corrections: take(CORRECTIONS)?,
            stop: about.stop,
            model,
            last,
        };
        match run.contradiction() {
            None => Ok(run),
            Some(what) => Err(damaged(&path, what)),
        }
    }

    /// What in a run that was read does not fit together.
    fn contradiction(&self) -> Option<&'static str> {
        let n = self.last.n_params() + self.corrections.len();
        if self.model.blocks() != self.last.blocks() {
            return Some("its parameters are not those of the best model");
        }
        if self.u0.is_empty() || self.u0.iter().any(|x| !x.is_finite()) {
            return Some("the initial states of the data are missing or not finite");
        }
        if self.optimizer.first.len() != n || self.optimizer.second.len() != n {
            return Some("the state of the optimiser does not have the parameters' length");
        }
        None
    }

    fn checkpoint(&self, model: &VectorField, with_state: bool) -> Result<Vec<u8>> {
        check_model(model)?;
        let about = About {
            method: self.method.clone(),
            epoch: self.history.len(),
            stop: self.stop.clone(),
            best_mse: self.best_mse.is_finite().then_some(self.best_mse),
            best_epoch: self.best_epoch,
            t0: self.t0,
            solver: self.solver.method.name.into(),
            rtol: self.solver.rtol,
            atol: self.solver.atol,
            step_size: self.solver.step_size,
            substeps: self.solver.substeps,
            first_step: self.solver.first_step,
            max_step: self.solver.max_step,
            controller: Some(self.solver.controller.name().into()),
            max_steps: self.solver.max_steps,
            breakpoints: self.solver.breakpoints,
            optimizer_step: self.optimizer.step,
            instruction_set: Isa::current().name().into(),
        };
        let about = serde_json::to_string(&about).map_err(|e| Error::invalid(e.to_string()))?;
        let metadata = HashMap::from([
            ("format".to_string(), FORMAT.to_string()),
            ("model".to_string(), model.to_json()?),
            ("run".to_string(), about),
        ]);
        let mut tensors: Vec<(String, Vec<usize>, Vec<f64>)> = model
            .blocks()
            .iter()
            .map(|b| {
                (
                    b.name.clone(),
                    b.shape.clone(),
                    model.values()[b.range()].to_vec(),
                )
            })
            .collect();
        let mut vector = |name: &str, values: &[f64]| {
            tensors.push((name.into(), vec![values.len()], values.to_vec()));
        };
        vector(INITIAL_STATES, &self.u0.iter().copied().collect::<Vec<_>>());
        if with_state {
            vector(FIRST, &self.optimizer.first);
            vector(SECOND, &self.optimizer.second);
            vector(CORRECTIONS, &self.corrections);
        }
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(_, _, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect())
            .collect();
        let views = tensors
            .iter()
            .zip(&bytes)
            .map(|((name, shape, _), bytes)| {
                TensorView::new(Dtype::F64, shape.clone(), bytes)
                    .map(|view| (name.clone(), view))
                    .map_err(|e| Error::invalid(e.to_string()))
            })
            .collect::<Result<Vec<_>>>()?;
        serialize(views, Some(metadata)).map_err(|e| Error::invalid(e.to_string()))
    }

    fn metrics_csv(&self, folder: &Path) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(vec![]);
        let failed =
            |e: csv::Error| Error::io("write", folder.join(METRICS), &std::io::Error::other(e));
        for record in &self.history {
            writer.serialize(record).map_err(failed)?;
        }
        writer
            .into_inner()
            .map_err(|e| Error::io("write", folder.join(METRICS), e.error()))
    }
}

fn damaged(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Checkpoint {
        path: path.to_path_buf(),
        reason: format!("{reason}; it may be damaged, or written by another program"),
    }
}

type Tensors = HashMap<String, Vec<f64>>;

/// Reads a checkpoint: the model, what stands beside it, and the tensors that are not the model's.
fn read(path: &Path) -> Result<(VectorField, About, Tensors)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, &e))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, e))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, e))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let entry = |name: &str| {
        metadata
            .get(name)
            .ok_or_else(|| damaged(path, format!("it has no \"{name}\" in its metadata")))
    };
    if entry("format")? != FORMAT {
        return Err(damaged(path, format!("its format is not {FORMAT}")));
    }
    let mut model = VectorField::from_json(entry("model")?).map_err(|e| damaged(path, e))?;
    let about: About = serde_json::from_str(entry("run")?).map_err(|e| damaged(path, e))?;
    let mut rest = Tensors::new();
    for (name, view) in tensors.tensors() {
        if view.dtype() != Dtype::F64 {
            return Err(damaged(path, format!("tensor \"{name}\" is not float64")));
        }
        let values = view
            .data()
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b))
            .collect();
        rest.insert(name, values);
    }
    let names: Vec<String> = model.blocks().iter().map(|b| b.name.clone()).collect();
    for name in names {
        let values = rest
            .remove(&name)
            .ok_or_else(|| damaged(path, format!("parameter \"{name}\" is missing")))?;
        model = model
            .with_param(&name, &values)
            .map_err(|e| damaged(path, e))?;
    }
    Ok((model, about, rest))
}

/// The metrics of the first `epochs` epochs. There may be more, of a process that ended between two files.
fn read_metrics(path: &Path, epochs: usize) -> Result<Vec<EpochRecord>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("read", path, &e))?;
    let history: Vec<EpochRecord> = csv::Reader::from_reader(file)
        .deserialize()
        .take(epochs)
        .map(|record| record.map_err(|e| damaged(path, e)))
        .collect::<Result<_>>()?;
    if history.len() < epochs || history.iter().enumerate().any(|(i, r)| r.epoch != i) {
        return Err(damaged(
            path,
            format!("it does not hold the {epochs} epochs of the checkpoint, one after the other"),
        ));
    }
    Ok(history)
}
