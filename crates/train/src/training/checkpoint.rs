//! Checkpoints of a run on disk: `best.safetensors` and `last.safetensors` in one folder.
//!
//! Each holds the parameter blocks as float64 tensors under their names (as a PyTorch state dict would) and the equations of the
//! model, so that it can be loaded without the script that made it. `best` is the result for the user: the model with the best
//! mse. `last` is the whole run: the model after the last update and everything else that is needed to continue it, including the
//! best parameters, so that the files are consistent even if the process ends between writing the two. While a run goes on, the rows of
//! its history are in a file beside `last` ([`super::row_file`]); when it is over, `last` has them itself.

use std::path::Path;
use std::sync::OnceLock;

use ndarray::Array2;

use super::checkpoint_file::{CheckpointFile, damaged_checkpoint};
use super::damping::Damping;
use super::epoch_record::EpochRecord;
use super::epoch_record::metrics;
use super::optimizer::OptimizerState;
use super::resume::RunFingerprint;
use super::row_file::{RowsBeside, remove_rows};
use super::run::{Run, StopReason, TrainerState};
use super::settings::{SavedSolver, TrainSettings};
use super::trainer::keeps_bounds;
use crate::weak_constraint::{SavedState, WeakConstraintState};
use crate::{Error, Result};
use odesync_base::files::{self, lock_folder, write_atomically};
use odesync_base::interrupt::keeping;
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;

#[cfg(test)]
mod tests;

const BEST_FILE: &str = "best.safetensors";
const LAST_FILE: &str = "last.safetensors";

const INITIAL_STATES: &str = "data.u0";
const FIRST_MOMENT: &str = "optimizer.first";
const SECOND_MOMENT: &str = "optimizer.second";
const AUX_PARAMETERS: &str = "method.corrections";
const BEST_PARAMETERS: &str = "run.best";
const SCALED_PARAMETERS: &str = "optimizer.scaled";
const HISTORY: &str = "run.history";
const PARAMETER_PATH: &str = "run.path";

/// Metadata of `best.safetensors` besides the equations.
#[derive(serde::Serialize)]
struct BestMetadata<'a> {
    method: &'a str,
    best_mse: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_validation: Option<f64>,
    best_epoch: usize,
    epochs: usize,
}

/// Metadata of `last.safetensors` besides the equations.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RunMetadata {
    settings: TrainSettings,
    solver: SavedSolver,
    stop: StopReason,
    final_mse: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    final_validation: Option<f64>,
    #[serde(rename = "standing")]
    trainer_state: TrainerState,
    optimizer_step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    damping: Option<Damping>,
    t0: Vec<f64>,
    #[serde(rename = "origin")]
    fingerprint: RunFingerprint,
    instruction_set: String,
    generator: Generator,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weak_constraint: Option<SavedState>,
    /// State at the best model, where that is not the one after the last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best_weak_constraint: Option<SavedState>,
    /// What is known of the history and the path in files beside this one; `None` where they are tensors of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows_beside: Option<RowsBeside>,
}

/// How often a folder is read anew whose run goes on meanwhile.
const MAX_READS: usize = 5;

/// Prefix of the names of tensors of the state at the best model.
const BEST_STATE: &str = "best.";

/// Checks that a checkpoint can store the model.
pub(super) fn check_model(model: &VectorField) -> Result<()> {
    const RESERVED_NAMES: [&str; 8] = [
        PARAMETER_PATH,
        INITIAL_STATES,
        FIRST_MOMENT,
        SECOND_MOMENT,
        AUX_PARAMETERS,
        BEST_PARAMETERS,
        SCALED_PARAMETERS,
        HISTORY,
    ];
    if let Some(block) = model
        .blocks()
        .iter()
        .find(|b| RESERVED_NAMES.contains(&&*b.name))
    {
        return Err(Error::invalid(format!(
            "a parameter named \"{}\" can't be saved, a checkpoint has a tensor of that name; rename it",
            block.name
        )));
    }
    model.check_saveable()
}

/// Loads the model of a checkpoint: the best one of `best.safetensors`, the one after the last update of `last.safetensors`.
///
/// # Errors
/// A missing or damaged file.
pub fn load_model(file: impl AsRef<Path>) -> Result<VectorField> {
    let path = file.as_ref();
    extract_model(path, &mut read_checkpoint(path)?)
}

impl Run {
    /// Writes the run into a folder, from where [`Run::load`] reads it and [`super::TrainOptions::resume`] continues it. Each
    /// file is complete or absent, whenever the process ends.
    ///
    /// # Errors
    /// An error of the operating system, or another run that is writing there.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        check_model(&self.model)?;
        let _lock = lock_folder(folder)?;
        self.write(folder)
    }

    /// Writes the run into a folder that is locked already.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        self.write_with(folder, None)?;
        remove_rows(folder);
        Ok(())
    }

    /// Writes the run into a folder that is locked already, without the rows that are in files beside it.
    pub(super) fn write_with(&self, folder: &Path, rows: Option<RowsBeside>) -> Result<()> {
        let _keeping = keeping();
        write_atomically(
            &folder.join(BEST_FILE),
            &self.best_checkpoint()?.to_bytes()?,
        )?;
        // Resuming reads this file only: if the process ends before it is replaced, the run is that of the previous checkpoint.
        write_atomically(
            &folder.join(LAST_FILE),
            &self.last_checkpoint(rows)?.to_bytes()?,
        )
    }

    /// Reads a run from its folder.
    ///
    /// # Errors
    /// A missing or damaged file.
    pub fn load(folder: impl AsRef<Path>) -> Result<Run> {
        let path = folder.as_ref().join(LAST_FILE);
        let read = || files::read(&path).map_err(|e| Error::io("read", &path, &e));
        let mut bytes = read()?;
        for _ in 1..MAX_READS {
            let run = CheckpointFile::from_bytes(&path, &bytes)
                .and_then(|content| Self::from_checkpoint(&path, content));
            let Err(error) = run else {
                return run;
            };
            // A run that goes on meanwhile may have replaced the file, and removed the rows that belong to this one.
            let now = read()?;
            if now == bytes {
                return Err(error);
            }
            bytes = now;
        }
        Self::from_checkpoint(&path, CheckpointFile::from_bytes(&path, &bytes)?)
    }

    /// Reads the run of a folder, if there is one.
    pub(super) fn load_if_exists(folder: &Path) -> Result<Option<Run>> {
        let exists = files::exists(&folder.join(LAST_FILE));
        match exists.map_err(|e| Error::io("read", folder, &e))? {
            true => Self::load(folder).map(Some),
            false => Ok(None),
        }
    }

    /// Whether a folder holds this run, to the byte.
    pub(super) fn is_saved_in(&self, folder: &Path) -> bool {
        let bytes = |run: &Run| run.last_checkpoint(None)?.to_bytes();
        let there = Run::load(folder).and_then(|there| bytes(&there));
        matches!((there, bytes(self)), (Ok(there), Ok(here)) if there == here)
    }

    fn best_checkpoint(&self) -> Result<CheckpointFile> {
        checkpoint_of(
            &self.model,
            &BestMetadata {
                method: &self.method,
                best_mse: self.best_mse.is_finite().then_some(self.best_mse),
                best_validation: self.best_validation,
                best_epoch: self.best_epoch,
                epochs: self.history.len(),
            },
        )
    }

    /// Returns the content of `last`; where the rows are in files beside it, without them.
    fn last_checkpoint(&self, rows_beside: Option<RowsBeside>) -> Result<CheckpointFile> {
        let has_rows = rows_beside.is_none();
        let best = self.weak_constraint.as_ref();
        let last = self.last_weak_constraint.as_ref();
        let state = last.or(best).map(WeakConstraintState::save);
        let (weak_constraint, tensors) = state.unzip();
        let mut tensors = tensors.unwrap_or_default();
        let best_weak_constraint = last.and(best).map(|best| {
            let (saved, of_best) = best.save();
            let prefixed = of_best.into_iter();
            tensors.extend(prefixed.map(|(name, tensor)| (format!("{BEST_STATE}{name}"), tensor)));
            saved
        });
        let mut content = checkpoint_of(
            &self.last,
            &RunMetadata {
                weak_constraint,
                best_weak_constraint,
                settings: self.settings.clone(),
                solver: SavedSolver(self.solver.clone()),
                stop: self.stop.clone(),
                final_mse: self.final_mse,
                final_validation: self.final_validation,
                trainer_state: self.trainer_state.clone(),
                optimizer_step: self.optimizer.step,
                damping: self.optimizer.damping.clone(),
                t0: self.t0.clone(),
                fingerprint: self.fingerprint.clone(),
                instruction_set: self.instruction_set.clone(),
                generator: self.generator.clone(),
                rows_beside,
            },
        )?;
        let u0: Vec<f64> = self.u0.iter().copied().collect();
        content.add_tensor(INITIAL_STATES, self.u0.shape(), &u0);
        for (name, values) in [
            (FIRST_MOMENT, &self.optimizer.first_moment),
            (SECOND_MOMENT, &self.optimizer.second_moment),
            (AUX_PARAMETERS, &self.aux_params),
            (BEST_PARAMETERS, &self.trainer_state.best_params),
        ] {
            content.add_tensor(name, &[values.len()], values);
        }
        if has_scaled_params(&self.last, &self.settings) {
            let n = self.scaled_params.len();
            content.add_tensor(SCALED_PARAMETERS, &[n], &self.scaled_params);
        }
        if has_rows {
            let names = metrics(&self.settings);
            let rows = self.history.iter().flat_map(|r| r.row(&names));
            let rows: Vec<f64> = rows.collect();
            content.add_tensor(HISTORY, &[self.history.len(), names.len()], &rows);
        }
        for (name, (shape, values)) in tensors {
            content.add_tensor(&name, &shape, &values);
        }
        if has_rows && self.settings.options.trajectory_every.is_some() {
            let n = self.last.n_params() + self.aux_params.len();
            content.add_tensor(
                PARAMETER_PATH,
                &[self.parameter_path.len(), n],
                &self.parameter_path.concat(),
            );
        }
        Ok(content)
    }

    fn from_checkpoint(path: &Path, mut content: CheckpointFile) -> Result<Run> {
        let last = extract_model(path, &mut content)?;
        let metadata: RunMetadata =
            serde_json::from_str(&content.metadata).map_err(|e| damaged_checkpoint(path, e))?;
        let SavedSolver(solver) = metadata.solver;
        let beside = &metadata.rows_beside;
        let names = metrics(&metadata.settings);
        let (columns, rows) = match beside {
            Some(beside) => (beside.history.columns, beside.read_history(path)?),
            None => {
                let rows = content.take_tensor(path, HISTORY)?;
                let columns = rows.shape.get(1).filter(|_| rows.shape.len() == 2);
                (columns.copied().unwrap_or(0), rows.values)
            }
        };
        let history = rows
            .chunks(names.len())
            .enumerate()
            .map(|(i, row)| EpochRecord::from_row(&names, row).filter(|record| record.epoch == i));
        let history: Option<Vec<EpochRecord>> = match columns == names.len() {
            true => history.collect(),
            false => None,
        };
        let parameter_path = match metadata.settings.options.trajectory_every {
            Some(_) => {
                let (n, points) = match beside {
                    Some(beside) => {
                        let columns = beside.path.as_ref().map_or(0, |path| path.columns);
                        (columns, beside.read_path(path)?.unwrap_or_default())
                    }
                    None => {
                        let path = content.take_tensor(path, PARAMETER_PATH)?;
                        (path.shape.last().copied().unwrap_or(0), path.values)
                    }
                };
                points.chunks(n.max(1)).map(<[f64]>::to_vec).collect()
            }
            None => vec![],
        };
        let mut state = |saved: &Option<SavedState>, prefix: &str| {
            let Some(saved) = saved else {
                return Ok(None);
            };
            let damaged = || damaged_checkpoint(path, "the state of the training does not fit");
            let settings = metadata.settings.method.self_setting();
            let settings = settings.ok_or_else(damaged)?;
            let take = |name: &str| {
                let tensor = content.tensors.remove(&format!("{prefix}{name}"));
                tensor.map(|t| t.values)
            };
            let state = WeakConstraintState::load(saved, &last, settings, take);
            state.ok_or_else(damaged).map(Some)
        };
        let now = state(&metadata.weak_constraint, "")?;
        let (weak_constraint, last_weak_constraint) =
            match state(&metadata.best_weak_constraint, BEST_STATE)? {
                Some(best) => (Some(best), now),
                None => (now, None),
            };
        let u0 = content.take_tensor(path, INITIAL_STATES)?;
        let scaled_params = match has_scaled_params(&last, &metadata.settings) {
            false => vec![],
            true => content.take_tensor(path, SCALED_PARAMETERS)?.values,
        };
        let samples = u0.shape.first().copied().unwrap_or_default();
        let mut run = Run {
            model: last.clone(),
            best_mse: f64::NAN,
            best_validation: None,
            best_nmse: None,
            best_epoch: 0,
            final_mse: metadata.final_mse,
            final_validation: metadata.final_validation,
            history: history
                .ok_or_else(|| damaged_checkpoint(path, "the history is not one of epochs"))?,
            method: metadata.settings.method.name().into(),
            t0: metadata.t0,
            u0: Array2::from_shape_vec((samples, last.dof()), u0.values).map_err(|_| {
                damaged_checkpoint(path, "the initial states are not those of this model")
            })?,
            solver,
            optimizer: OptimizerState {
                step: metadata.optimizer_step,
                damping: metadata.damping,
                first_moment: content.take_tensor(path, FIRST_MOMENT)?.values,
                second_moment: content.take_tensor(path, SECOND_MOMENT)?.values,
            },
            aux_params: content.take_tensor(path, AUX_PARAMETERS)?.values,
            scaled_params,
            instruction_set: metadata.instruction_set,
            parameter_path,
            stop: metadata.stop,
            first_stiff: None,
            trust: OnceLock::new(),
            trainer_state: TrainerState {
                best_params: content.take_tensor(path, BEST_PARAMETERS)?.values,
                ..metadata.trainer_state
            },
            fingerprint: metadata.fingerprint,
            generator: metadata.generator,
            settings: metadata.settings,
            weak_constraint,
            last_weak_constraint,
            last,
        };
        if let Some(name) = content.tensors.keys().next() {
            return Err(damaged_checkpoint(
                path,
                format!("nothing is known of tensor \"{name}\""),
            ));
        }
        if let Some(what) = run.inconsistency() {
            return Err(damaged_checkpoint(path, what));
        }
        run.choose_best()?;
        Ok(run)
    }

    /// Returns what is inconsistent in a run that was read, if anything.
    fn inconsistency(&self) -> Option<&'static str> {
        let n = self.last.n_params() + self.aux_params.len();
        let epochs = self.history.len();
        if self.u0.is_empty() || self.u0.iter().any(|x| !x.is_finite()) {
            return Some("the initial states of the data are missing or not finite");
        }
        if self.t0.len() != self.u0.nrows() || self.t0.iter().any(|x| !x.is_finite()) {
            return Some("the initial times of the data are missing or not finite");
        }
        let state = self.weak_constraint.as_ref();
        if state.is_some_and(|state| state.u0().nrows() != self.t0.len()) {
            return Some("the state of the training is not that of its samples");
        }
        let in_params =
            self.settings.options.observation.train_u0 && self.weak_constraint.is_none();
        if in_params && self.aux_params.len() < self.u0.len() {
            return Some("the trained initial states are missing");
        }
        if self.optimizer.first_moment.len() != n || self.optimizer.second_moment.len() != n {
            return Some("the state of the optimiser does not have the parameters' length");
        }
        let points = self
            .settings
            .options
            .trajectory_every
            .map_or(0, |every| epochs.div_ceil(every.max(1)));
        if self.parameter_path.len() != points
            || self.parameter_path.iter().any(|point| point.len() != n)
        {
            return Some("the points of the path are not those of this run");
        }
        if has_scaled_params(&self.last, &self.settings) && self.scaled_params.len() != n {
            return Some("the scaled parameters are not those of the model");
        }
        if self.trainer_state.best_params.len() != n {
            return Some("the best parameters are not those of the model");
        }
        if self.trainer_state.best_score.is_some() && self.trainer_state.best_epoch >= epochs {
            return Some("the best epoch is not one of the history");
        }
        None
    }
}

/// Whether the optimiser of a run sees other parameters than the model's.
fn has_scaled_params(model: &VectorField, settings: &TrainSettings) -> bool {
    let descends = settings.method.self_setting().is_none();
    !settings.options.scale.is_none() || (descends && keeps_bounds(model, &settings.options))
}

/// Creates the checkpoint of a model: its blocks, its equations, and the metadata.
fn checkpoint_of(model: &VectorField, metadata: &impl serde::Serialize) -> Result<CheckpointFile> {
    let mut content = CheckpointFile {
        model: model.to_json()?,
        metadata: serde_json::to_string(metadata).map_err(|e| Error::invalid(e.to_string()))?,
        ..CheckpointFile::default()
    };
    for block in model.blocks() {
        content.add_tensor(&block.name, &block.shape, &model.values()[block.range()]);
    }
    Ok(content)
}

/// Removes the blocks of the model from a file and returns the model.
fn extract_model(path: &Path, content: &mut CheckpointFile) -> Result<VectorField> {
    let mut model =
        VectorField::from_json(&content.model).map_err(|e| damaged_checkpoint(path, e))?;
    for block in model.blocks().to_vec() {
        let tensor = content.take_tensor(path, &block.name)?;
        if tensor.shape != block.shape {
            return Err(damaged_checkpoint(
                path,
                format!("parameter \"{}\" has another shape", block.name),
            ));
        }
        model = model
            .with_param(&block.name, &tensor.values)
            .map_err(|e| damaged_checkpoint(path, e))?;
    }
    Ok(model)
}

fn read_checkpoint(path: &Path) -> Result<CheckpointFile> {
    let bytes = files::read(path).map_err(|e| Error::io("read", path, &e))?;
    CheckpointFile::from_bytes(path, &bytes)
}
