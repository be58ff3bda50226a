//! Runs on disk: `best.safetensors` and `last.safetensors` in one folder.
//!
//! Each holds the parameter blocks as float64 tensors under their names (as a PyTorch state dict would) and the equations of the
//! model, so that it can be loaded without the script that made it. `best` is the product: the model with the best mse. `last`
//! is the whole run: the model after the last update and everything else that is needed to go on with it, the best parameters
//! included, so that a process that ends between the two files leaves nothing that does not fit together.

use std::path::Path;

use ndarray::Array2;

use super::container::{Content, damaged};
use super::optimizer::OptimizerState;
use super::resume::Origin;
use super::run::{EpochRecord, METRICS, Run, Standing, Stop};
use super::settings::{SavedSolver, Settings};
use crate::{Error, Result};
use odesync_base::files::{lock_folder, write_atomically};
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;

#[cfg(test)]
mod tests;

const BEST: &str = "best.safetensors";
const LAST: &str = "last.safetensors";

const INITIAL_STATES: &str = "data.u0";
const FIRST: &str = "optimizer.first";
const SECOND: &str = "optimizer.second";
const CORRECTIONS: &str = "method.corrections";
const BEST_PARAMETERS: &str = "run.best";
const HISTORY: &str = "run.history";
const PATH: &str = "run.path";

/// What `best.safetensors` says beside the equations.
#[derive(serde::Serialize)]
struct Product<'a> {
    method: &'a str,
    best_mse: Option<f64>,
    best_epoch: usize,
    epochs: usize,
}

/// What `last.safetensors` says beside the equations.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    settings: Settings,
    solver: SavedSolver,
    stop: Stop,
    final_mse: Option<f64>,
    standing: Standing,
    optimizer_step: u64,
    t0: Vec<f64>,
    origin: Origin,
    instruction_set: String,
    generator: Generator,
}

/// Sees whether files can be written in the folder.
pub(super) fn probe(folder: &Path) -> Result<()> {
    tempfile::Builder::new()
        .prefix(".odesync-")
        .tempfile_in(folder)
        .map(drop)
        .map_err(|e| Error::io("write in", folder, &e))
}

/// Whether a checkpoint can hold the model.
pub(super) fn check_model(model: &VectorField) -> Result<()> {
    const OWN: [&str; 7] = [
        PATH,
        INITIAL_STATES,
        FIRST,
        SECOND,
        CORRECTIONS,
        BEST_PARAMETERS,
        HISTORY,
    ];
    if let Some(block) = model.blocks().iter().find(|b| OWN.contains(&&*b.name)) {
        return Err(Error::invalid(format!(
            "a parameter named \"{}\" can't be saved, a checkpoint has a tensor of that name; rename it",
            block.name
        )));
    }
    model.check_saved()
}

/// The model of a checkpoint: the best one of `best.safetensors`, the one after the last update of `last.safetensors`.
///
/// # Errors
/// A file that is missing or damaged.
pub fn load_model(file: impl AsRef<Path>) -> Result<VectorField> {
    let path = file.as_ref();
    take_model(path, &mut read(path)?)
}

impl Run {
    /// Writes the run into a folder, from where it can be read, and trained on with [`super::TrainOptions::resume`]. Each file is
    /// complete or absent, whenever the process ends.
    ///
    /// # Errors
    /// What the operating system says, or that another run is writing there.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        check_model(&self.model)?;
        let _lock = lock_folder(folder)?;
        self.write(folder)
    }

    /// Writes into a folder that is locked already.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        write_atomically(&folder.join(BEST), &self.product()?.to_bytes()?)?;
        // It alone counts: whatever comes between leaves the run as it was at the checkpoint before.
        write_atomically(&folder.join(LAST), &self.whole()?.to_bytes()?)
    }

    /// Reads a run back from its folder.
    ///
    /// # Errors
    /// A file that is missing or damaged.
    pub fn load(folder: impl AsRef<Path>) -> Result<Run> {
        let path = folder.as_ref().join(LAST);
        Self::from_content(&path, read(&path)?)
    }

    /// The run of a folder, if it holds one.
    pub(super) fn load_if_there(folder: &Path) -> Result<Option<Run>> {
        let there = folder.join(LAST).try_exists();
        match there.map_err(|e| Error::io("read", folder, &e))? {
            true => Self::load(folder).map(Some),
            false => Ok(None),
        }
    }

    fn product(&self) -> Result<Content> {
        content(
            &self.model,
            &Product {
                method: &self.method,
                best_mse: self.best_mse.is_finite().then_some(self.best_mse),
                best_epoch: self.best_epoch,
                epochs: self.history.len(),
            },
        )
    }

    fn whole(&self) -> Result<Content> {
        let mut content = content(
            &self.last,
            &About {
                settings: self.settings.clone(),
                solver: SavedSolver::new(&self.solver),
                stop: self.stop.clone(),
                final_mse: self.final_mse,
                standing: self.standing.clone(),
                optimizer_step: self.optimizer.step,
                t0: self.t0.clone(),
                origin: self.origin.clone(),
                instruction_set: self.instruction_set.clone(),
                generator: self.generator.clone(),
            },
        )?;
        let u0: Vec<f64> = self.u0.iter().copied().collect();
        content.add(INITIAL_STATES, self.u0.shape(), &u0);
        for (name, values) in [
            (FIRST, &self.optimizer.first),
            (SECOND, &self.optimizer.second),
            (CORRECTIONS, &self.corrections),
            (BEST_PARAMETERS, &self.standing.best),
        ] {
            content.add(name, &[values.len()], values);
        }
        let rows: Vec<f64> = self.history.iter().flat_map(EpochRecord::row).collect();
        content.add(HISTORY, &[self.history.len(), METRICS.len()], &rows);
        if self.settings.trajectory_every.is_some() {
            let n = self.last.n_params() + self.corrections.len();
            content.add(PATH, &[self.kept.len(), n], &self.kept.concat());
        }
        Ok(content)
    }

    fn from_content(path: &Path, mut content: Content) -> Result<Run> {
        let last = take_model(path, &mut content)?;
        let about: About = serde_json::from_str(&content.run).map_err(|e| damaged(path, e))?;
        let solver = about.solver.options().map_err(|e| damaged(path, e))?;
        let rows = content.take(path, HISTORY)?;
        let history: Option<Vec<EpochRecord>> = match rows.shape[..] {
            [_, columns] if columns == METRICS.len() => rows
                .values
                .chunks(columns)
                .enumerate()
                .map(|(i, row)| EpochRecord::from_row(row).filter(|record| record.epoch == i))
                .collect(),
            _ => None,
        };
        let kept = match about.settings.trajectory_every {
            Some(_) => {
                let path = content.take(path, PATH)?;
                let n = path.shape.last().copied().unwrap_or(0).max(1);
                path.values.chunks(n).map(<[f64]>::to_vec).collect()
            }
            None => vec![],
        };
        let u0 = content.take(path, INITIAL_STATES)?;
        let samples = u0.shape.first().copied().unwrap_or_default();
        let mut run = Run {
            model: last.clone(),
            best_mse: f64::NAN,
            best_epoch: 0,
            final_mse: about.final_mse,
            history: history.ok_or_else(|| damaged(path, "the history is not one of epochs"))?,
            method: about.settings.method.name().into(),
            t0: about.t0,
            u0: Array2::from_shape_vec((samples, last.dof()), u0.values)
                .map_err(|_| damaged(path, "the initial states are not those of this model"))?,
            solver,
            optimizer: OptimizerState {
                step: about.optimizer_step,
                first: content.take(path, FIRST)?.values,
                second: content.take(path, SECOND)?.values,
            },
            corrections: content.take(path, CORRECTIONS)?.values,
            instruction_set: about.instruction_set,
            kept,
            stop: about.stop,
            stiff: None,
            standing: Standing {
                best: content.take(path, BEST_PARAMETERS)?.values,
                ..about.standing
            },
            origin: about.origin,
            generator: about.generator,
            settings: about.settings,
            last,
        };
        if let Some(name) = content.tensors.keys().next() {
            return Err(damaged(
                path,
                format!("nothing is known of tensor \"{name}\""),
            ));
        }
        if let Some(what) = run.contradiction() {
            return Err(damaged(path, what));
        }
        run.choose_best()?;
        Ok(run)
    }

    /// What in a run that was read does not fit together.
    fn contradiction(&self) -> Option<&'static str> {
        let n = self.last.n_params() + self.corrections.len();
        let epochs = self.history.len();
        if self.u0.is_empty() || self.u0.iter().any(|x| !x.is_finite()) {
            return Some("the initial states of the data are missing or not finite");
        }
        if self.t0.len() != self.u0.nrows() || self.t0.iter().any(|x| !x.is_finite()) {
            return Some("the initial times of the data are missing or not finite");
        }
        if self.settings.train_u0 && self.corrections.len() < self.u0.len() {
            return Some("the trained initial states are missing");
        }
        if self.optimizer.first.len() != n || self.optimizer.second.len() != n {
            return Some("the state of the optimiser does not have the parameters' length");
        }
        let points = self
            .settings
            .trajectory_every
            .map_or(0, |every| epochs.div_ceil(every.max(1)));
        if self.kept.len() != points || self.kept.iter().any(|point| point.len() != n) {
            return Some("the points of the path are not those of this run");
        }
        if self.standing.best.len() != n {
            return Some("the best parameters are not those of the model");
        }
        if self.standing.best_mse.is_some() && self.standing.best_epoch >= epochs {
            return Some("the best epoch is not one of the history");
        }
        None
    }
}

/// The blocks of a model, its equations, and what there is to say.
fn content(model: &VectorField, about: &impl serde::Serialize) -> Result<Content> {
    let mut content = Content {
        model: model.to_json()?,
        run: serde_json::to_string(about).map_err(|e| Error::invalid(e.to_string()))?,
        ..Content::default()
    };
    for block in model.blocks() {
        content.add(&block.name, &block.shape, &model.values()[block.range()]);
    }
    Ok(content)
}

/// Takes the blocks of the model out of a file.
fn take_model(path: &Path, content: &mut Content) -> Result<VectorField> {
    let mut model = VectorField::from_json(&content.model).map_err(|e| damaged(path, e))?;
    for block in model.blocks().to_vec() {
        let tensor = content.take(path, &block.name)?;
        if tensor.shape != block.shape {
            return Err(damaged(
                path,
                format!("parameter \"{}\" has another shape", block.name),
            ));
        }
        model = model
            .with_param(&block.name, &tensor.values)
            .map_err(|e| damaged(path, e))?;
    }
    Ok(model)
}

fn read(path: &Path) -> Result<Content> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, &e))?;
    Content::from_bytes(path, &bytes)
}
