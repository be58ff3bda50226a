//! The logger of TensorBoard's event files.

use super::event::{
    file_version, hparams_end, hparams_experiment, hparams_start, image, scalar, summary_event,
};
use super::event_file::EventFile;
use super::record::{RunRecord, now, results, scalars, succeeded};
use crate::{Error, Result, recipes};
use odesync_base::protobuf::ProtoMessage;
use odesync_train::training::{Callback, EpochRecord, Run, RunStart, TrainingMethod};

/// The scalar by which runs are compared in TensorBoard's table of settings.
const COMPARED: [&str; 2] = ["best_mse", "mse"];

/// Resolution of the pictures, in pixels per unit of a figure.
const SCALE: f64 = 1.0;

/// Callback that writes TensorBoard's event file into the folder of a run: the metrics of `metrics.csv` as scalars, each epoch when
/// it is done; the settings for the hparams plugin; at the end the results, and the losses and the fit as pictures.
///
/// When a run continues, the file is written anew with the epochs of its checkpoint.
pub struct TensorBoardLogger {
    record: RunRecord,
    file: Option<EventFile>,
    method: TrainingMethod,
}

fn epoch_event(record: &EpochRecord, method: &TrainingMethod, time: f64) -> ProtoMessage {
    let values = scalars(record, method);
    let values = values.into_iter().map(|(tag, x)| scalar(tag, x));
    summary_event(time, record.epoch as i64, values)
}

impl TensorBoardLogger {
    /// Creates a logger of the run.
    pub fn new(record: RunRecord) -> Self {
        TensorBoardLogger {
            record,
            file: None,
            method: TrainingMethod::Vanilla,
        }
    }

    /// Writes the event file of a run that is over.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(record: RunRecord, run: &Run) -> Result<()> {
        let mut logger = TensorBoardLogger::new(record);
        logger.begin(&run.settings.method, &run.history)?;
        logger.on_finish(run)
    }

    fn begin(&mut self, method: &TrainingMethod, history: &[EpochRecord]) -> Result<()> {
        self.method = method.clone();
        let time = now();
        let mut file = EventFile::begin(&self.record.folder, time as u64)?;
        let settings = &self.record.hyperparameters;
        file.write([
            file_version(time),
            summary_event(time, 0, [hparams_experiment(settings, &COMPARED, time)]),
            summary_event(time, 0, [hparams_start(settings, &self.record.group, time)]),
        ])?;
        // Epochs of before get the times at which they would have ended just now.
        let mut left: f64 = history.iter().map(|record| record.seconds).sum();
        file.write(history.iter().map(|record| {
            left -= record.seconds;
            epoch_event(record, method, time - left.max(0.0))
        }))?;
        self.file = Some(file);
        Ok(())
    }
}

impl Callback for TensorBoardLogger {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.begin(start.method, start.history)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        match &mut self.file {
            Some(file) => file.write([epoch_event(record, &self.method, now())]),
            None => Ok(()),
        }
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let (time, step) = (now(), run.history.len() as i64);
        let values = results(run).into_iter().map(|(tag, x)| scalar(tag, x));
        file.write([summary_event(time, step, values)])?;
        for (name, png) in pictures(&self.record, run) {
            let size = png_size(&png)?;
            file.write([summary_event(time, step, [image(name, size, &png)])])?;
        }
        file.write([summary_event(
            time,
            step,
            [hparams_end(succeeded(run), time)],
        )])
    }
}

/// Returns the pictures of a run that is over, by their names: its losses and, where the data are known, data and model. One that
/// cannot be drawn, as the curves of a run without an epoch, is left out.
pub(super) fn pictures(record: &RunRecord, run: &Run) -> Vec<(&'static str, Vec<u8>)> {
    let losses = recipes::losses(run).and_then(|figure| figure.to_png(SCALE));
    let fit = record.data.as_ref().map(|data| {
        let options = recipes::FitPlotOptions::default();
        recipes::fit(data, run, &options).and_then(|figure| figure.to_png(SCALE))
    });
    let drawn = [("losses", Some(losses)), ("fit", fit)];
    drawn
        .into_iter()
        .filter_map(|(name, png)| Some((name, png?.ok()?)))
        .collect()
}

/// Returns the width and the height that the head of a PNG says.
fn png_size(png: &[u8]) -> Result<(u32, u32)> {
    let number = |at: usize| -> Option<u32> {
        let bytes = png.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    match (number(16), number(20)) {
        (Some(width), Some(height)) => Ok((width, height)),
        _ => Err(Error::invalid("a picture without a size")),
    }
}
