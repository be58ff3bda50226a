//! The logger that feeds the process of a tracker's client.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::bridge::Bridge;
use super::observers::NoteSink;
use super::record::{RunRecord, now, results, scalars, succeeded};
use super::settings::LoggerKind;
use super::tensorboard::pictures;
use crate::Result;
use odesync_base::files::write_atomically;
use odesync_base::options::{Named, OptionSet, Value as OptionValue, write_map};
use odesync_train::training::{Callback, EpochRecord, Run, RunStart, TrainingMethod};

/// Longest time that the end of a training waits for its tracker.
const PATIENCE: Duration = Duration::from_secs(60);

/// Callback that hands the metrics of a run to the client of a tracker. Nothing that goes wrong there ends or slows the training: it
/// is a note.
pub struct TrackerLogger {
    kind: LoggerKind,
    settings: Value,
    record: RunRecord,
    note: NoteSink,
    bridge: Option<(Arc<Bridge>, u64)>,
    method: TrainingMethod,
    left_out: usize,
    failed: bool,
}

fn to_json(value: &OptionValue) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn object(metrics: &[(&'static str, f64)]) -> Map<String, Value> {
    // JSON has no infinity; the client would get null.
    let finite = metrics.iter().filter(|(_, x)| x.is_finite());
    finite.map(|(name, x)| ((*name).into(), json!(x))).collect()
}

impl TrackerLogger {
    /// Creates a logger of the run, with the settings of the tracker.
    pub fn new(
        kind: LoggerKind,
        settings: &dyn OptionSet,
        record: RunRecord,
        note: NoteSink,
    ) -> Self {
        TrackerLogger {
            kind,
            settings: to_json(&write_map(settings)),
            record,
            note,
            bridge: None,
            method: TrainingMethod::Vanilla,
            left_out: 0,
            failed: false,
        }
    }

    fn fail(&mut self, why: &str) {
        if !self.failed {
            self.failed = true;
            let name = self.kind.to_name();
            self.note.say(&format!(
                "logger {name}: {why}; the training goes on without it, and `odesync log push {} --to {name}` hands the run over later",
                self.record.folder.display()
            ));
        }
    }

    fn message(id: u64, op: &str, fields: Value) -> Value {
        let mut message = json!({ "op": op, "id": id });
        if let (Value::Object(message), Value::Object(fields)) = (&mut message, fields) {
            message.extend(fields);
        }
        message
    }

    /// Tells the client of the run that begins.
    pub fn begin(&mut self, method: &TrainingMethod, resume: bool) {
        self.method = method.clone();
        if self.bridge.is_none() {
            match Bridge::shared() {
                Ok(bridge) => self.bridge = Some(bridge),
                Err(why) => return self.fail(&why),
            }
        }
        let Some((bridge, id)) = &self.bridge else {
            return;
        };
        let folder = std::path::absolute(&self.record.folder);
        let folder = folder.unwrap_or_else(|_| self.record.folder.clone());
        let start = json!({
            "tracker": self.kind.to_name(),
            "name": self.record.name,
            "group": self.record.group,
            "folder": folder.to_string_lossy(),
            "resume": resume,
            "config": self.record.config_json(),
            "settings": self.settings,
        });
        bridge.try_send(&Self::message(*id, "start", start));
    }

    /// Hands over the metrics of an epoch; with `patience`, waits for room in the queue.
    pub fn log(&mut self, record: &EpochRecord, time: f64, patience: Option<Duration>) {
        let Some((bridge, id)) = self.bridge.as_ref().filter(|_| !self.failed) else {
            return;
        };
        let metrics = object(&scalars(record, &self.method));
        let log = json!({ "step": record.epoch, "time": time, "metrics": metrics });
        let message = Self::message(*id, "log", log);
        let sent = match patience {
            None => bridge.try_send(&message),
            Some(patience) => bridge.send(&message, patience),
        };
        self.left_out += usize::from(!sent);
        // A process that is gone is noticed soon, at little cost.
        if record.epoch.is_multiple_of(16)
            && let Some(why) = bridge.state(*id).failure
        {
            self.fail(&why);
        }
    }

    /// Hands over the end of a run and waits for the client; returns where the run is kept.
    pub fn end(&mut self, run: &Run) -> Option<String> {
        let (bridge, id) = self.bridge.take().filter(|_| !self.failed)?;
        let summary = json!({ "metrics": object(&results(run)) });
        bridge.send(&Self::message(id, "summary", summary), PATIENCE);
        for (name, png) in pictures(&self.record, run) {
            let path = self
                .record
                .folder
                .join("figures")
                .join(format!("{name}.png"));
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            // Without room for the picture the run is kept without it.
            if write_atomically(&path, &png).is_ok() {
                let image = json!({ "name": name, "path": absolute.to_string_lossy() });
                bridge.send(&Self::message(id, "image", image), PATIENCE);
            }
        }
        let finish = json!({ "success": succeeded(run) });
        bridge.send(&Self::message(id, "finish", finish), PATIENCE);
        let state = bridge.wait_until_over(id, PATIENCE);
        let name = self.kind.to_name();
        if let Some(why) = state.failure {
            self.fail(&why);
            return None;
        }
        if !state.finished {
            self.fail(&format!("its client gave no answer in {PATIENCE:?}"));
            return None;
        }
        if self.left_out > 0 {
            self.note.say(&format!(
                "logger {name}: {} epochs were faster than its client and were left out",
                self.left_out
            ));
        }
        state.place
    }
}

impl Callback for TrackerLogger {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.begin(start.method, start.first_epoch() > 0);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        self.log(record, now(), None);
        Ok(())
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        if let Some(place) = self.end(run) {
            self.note
                .say(&format!("logger {}: {place}", self.kind.to_name()));
        }
        Ok(())
    }
}
