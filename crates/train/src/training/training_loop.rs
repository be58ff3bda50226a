//! What the loops of all methods have in common: the folder of a run, its continuation, checkpoints, and who is told.

use super::callback::{Callback, RunStart};
use super::checkpoint;
use super::epoch_record::EpochRecord;
use super::options::TrainOptions;
use super::resume;
use super::row_file::CheckpointWriter;
use super::run::{Run, StopReason};
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::files::{check_writable, lock_folder};
use odesync_base::interrupt::keeping;
use odesync_base::random::with_default_generator;
use odesync_ode::field::VectorField;

/// Scores of the model after the last update; `None` where a solve failed, or there are no data.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FinalScores {
    /// Mse on the training data.
    pub mse: Option<f64>,
    /// Mse on the data that are held out.
    pub validation: Option<f64>,
}

/// The loop of a training: epochs of gradient descent, or steps of a method that sets itself.
pub(super) trait TrainingLoop {
    /// Returns the options of the run.
    fn options(&self) -> &TrainOptions;

    /// Returns what a callback is told at the start, with the records of the epochs that are done.
    fn run_start<'b>(&'b self, history: &'b [EpochRecord]) -> RunStart<'b>;

    /// Returns the records of the epochs so far.
    fn history(&mut self) -> &mut Vec<EpochRecord>;

    /// Returns the run as it is now. The records and the path, which may be long, move into it; a loop that goes on takes them back.
    fn snapshot(&mut self, stop: StopReason) -> Result<Run>;

    /// Takes the records and the path back from a snapshot.
    fn take_back(&mut self, snapshot: Run);

    /// Returns what writes the checkpoints.
    fn writer(&mut self) -> &mut CheckpointWriter;

    /// Whether a saved run has nothing left to do.
    fn is_finished(&self, saved: &Run) -> bool;

    /// Restores the state of a saved run.
    fn restore(&mut self, saved: Run) -> Result<()>;

    /// Returns the notes for the user before the first epoch.
    fn first_notes(&self) -> Vec<String> {
        vec![]
    }

    /// Trains until there is a reason to stop.
    fn run(&mut self, callback: &mut dyn Callback) -> Result<StopReason>;

    /// Finishes what `run` left: the last state, and for a run that is not interrupted its mse.
    fn finish(&mut self, stop: StopReason) -> Result<(StopReason, FinalScores)>;

    /// Returns the notes for the user on a run that is done.
    fn last_notes(&self, _run: &Run) -> Vec<String> {
        vec![]
    }

    /// Writes the run as it is now into its folder, if it has one.
    fn save_checkpoint(&mut self, stop: StopReason) -> Result<()> {
        let Some(out) = self.options().out.clone() else {
            return Ok(());
        };
        let run = self.snapshot(stop)?;
        let written = self.writer().write(&run, &out);
        self.take_back(run);
        written
    }

    /// Adds the record of an epoch and tells the callback of it; `best` is the best score so far. Where the callback ends the run, the
    /// epochs are saved first.
    fn add_record(
        &mut self,
        record: EpochRecord,
        best: f64,
        callback: &mut dyn Callback,
    ) -> Result<()> {
        let told = callback.on_epoch_end(&record, best);
        self.history().push(record);
        if told.is_err() {
            // The epochs are saved whatever the callback's error, which is the one to return.
            let _ = self.save_checkpoint(StopReason::Interrupted);
        }
        told
    }

    /// Whether a checkpoint is due after the last epoch.
    fn checkpoint_is_due(&mut self) -> bool {
        let every = self.options().checkpoint_every;
        self.history().len().is_multiple_of(every)
    }
}

/// Checks what every method needs of its model and options.
pub(super) fn check(model: &VectorField, options: &TrainOptions) -> Result<()> {
    options.check()?;
    match model.n_params() {
        0 => Err(Error::invalid(
            "the model has no trainable parameters; name some, for example model.trainable([\"a\"])",
        )),
        _ => Ok(()),
    }
}

/// Runs a training from its beginning, or from what its folder holds, to its end.
pub(super) fn run_to_end(
    mut training: impl TrainingLoop,
    (model, data): (&VectorField, &Dataset),
    callback: &mut dyn Callback,
) -> Result<Run> {
    let out = training.options().out.clone();
    // A run with a folder keeps its epochs when it is stopped.
    let _keeping = out.is_some().then(keeping);
    let (_lock, saved) = match &out {
        Some(out) => {
            checkpoint::check_model(model)?;
            let lock = lock_folder(out)?;
            // Better an error now than after the first hundred epochs.
            check_writable(out)?;
            let options = training.options();
            let saved = match options.resume {
                true => Run::load_if_exists(out)?,
                false => None,
            };
            if !options.resume && !options.overwrite {
                Run::check_replaceable(out)?;
            }
            (Some(lock), saved.map(|saved| (out, saved)))
        }
        None => (None, None),
    };
    let mut notes = vec![];
    match saved {
        Some((out, mut saved)) => {
            let now = training.snapshot(StopReason::Interrupted)?;
            resume::check_unchanged(out, &saved, &now)?;
            with_default_generator(|generator| *generator = saved.generator.clone());
            if training.is_finished(&saved) {
                callback.on_start(&training.run_start(&saved.history))?;
                saved.set_nmse(data);
                callback.on_finish(&saved)?;
                return Ok(saved);
            }
            notes = resume::resume_notes(out, &saved, &now);
            training.restore(saved)?;
        }
        // A checkpoint of an earlier run in the folder must not be taken for this run.
        None => training.save_checkpoint(StopReason::Interrupted)?,
    }
    notes.extend(training.first_notes());
    let history = training.history().clone();
    callback.on_start(&training.run_start(&history))?;
    notes.iter().for_each(|note| callback.on_note(note));
    let stop = training.run(callback)?;
    let (stop, scores) = training.finish(stop)?;
    let mut run = training.snapshot(stop)?;
    run.final_mse = scores.mse;
    run.final_validation = scores.validation;
    run.choose_best()?;
    run.set_nmse(data);
    if let Some(out) = &out {
        run.write(out)?;
    }
    let notes = training.last_notes(&run);
    notes.iter().for_each(|note| callback.on_note(note));
    callback.on_finish(&run)?;
    Ok(run)
}
