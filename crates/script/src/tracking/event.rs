//! TensorBoard's events as protocol buffers: `Event` and `Summary` of TensorFlow, `HParamsPluginData` of the hparams plugin.

use super::record::Hyperparameter;
use odesync_base::protobuf::ProtoMessage;

/// Returns the event that begins every file.
pub(super) fn file_version(wall_time: f64) -> ProtoMessage {
    ProtoMessage::default()
        .double(1, wall_time)
        .text(3, "brain.Event:2")
}

/// Returns an event with a summary of these values.
pub(super) fn summary_event(
    wall_time: f64,
    step: i64,
    values: impl IntoIterator<Item = ProtoMessage>,
) -> ProtoMessage {
    let summary = values
        .into_iter()
        .fold(ProtoMessage::default(), |summary, value| {
            summary.message(1, value)
        });
    ProtoMessage::default()
        .double(1, wall_time)
        .int(2, step)
        .message(5, summary)
}

/// Returns the value of a scalar, which TensorBoard keeps in single precision.
pub(super) fn scalar(tag: &str, value: f64) -> ProtoMessage {
    ProtoMessage::default().text(1, tag).float(2, value as f32)
}

/// Returns the value of a picture, a PNG of this width and height.
pub(super) fn image(tag: &str, (width, height): (u32, u32), png: &[u8]) -> ProtoMessage {
    let image = ProtoMessage::default()
        .int(1, i64::from(height))
        .int(2, i64::from(width))
        // Red, green, blue and opacity.
        .int(3, 4)
        .bytes(4, png);
    ProtoMessage::default().text(1, tag).message(4, image)
}

/// Returns the value of the hparams plugin with these data.
fn hparams_value(tag: &str, data_field: u32, data: ProtoMessage) -> ProtoMessage {
    let plugin_data = ProtoMessage::default().int(1, 0).message(data_field, data);
    let plugin = ProtoMessage::default()
        .text(1, "hparams")
        .message(2, plugin_data);
    let metadata = ProtoMessage::default().message(1, plugin);
    // The plugin reads the metadata only; as TensorBoard's own writer does, one float of 0 stands for the value.
    let shape = ProtoMessage::default().message(2, ProtoMessage::default().int(1, 1));
    let tensor = ProtoMessage::default()
        .int(1, 1)
        .message(2, shape)
        .bytes(5, &0f32.to_le_bytes());
    ProtoMessage::default()
        .text(1, tag)
        .message(8, tensor)
        .message(9, metadata)
}

/// Returns the description of an experiment for the hparams plugin: its settings and the scalars to compare by.
pub(super) fn hparams_experiment(
    hyperparameters: &[(String, Hyperparameter)],
    metrics: &[&str],
    time: f64,
) -> ProtoMessage {
    let mut experiment = ProtoMessage::default().double(3, time);
    for (name, value) in hyperparameters {
        let info = ProtoMessage::default()
            .text(1, name)
            .int(4, value.data_type());
        experiment = experiment.message(4, info);
    }
    for metric in metrics {
        let name = ProtoMessage::default().text(2, metric);
        experiment = experiment.message(5, ProtoMessage::default().message(1, name));
    }
    hparams_value("_hparams_/experiment", 2, experiment)
}

/// Returns the settings of one run for the hparams plugin.
pub(super) fn hparams_start(
    hyperparameters: &[(String, Hyperparameter)],
    group: &str,
    time: f64,
) -> ProtoMessage {
    let mut start = ProtoMessage::default();
    for (name, value) in hyperparameters {
        // An entry of a map is a message of key and value.
        let value = match value {
            Hyperparameter::Number(x) => ProtoMessage::default().double(2, *x),
            Hyperparameter::Text(text) => ProtoMessage::default().text(3, text),
            Hyperparameter::Bool(b) => ProtoMessage::default().int(4, i64::from(*b)),
        };
        start = start.message(1, ProtoMessage::default().text(1, name).message(2, value));
    }
    let start = start.text(4, group).double(5, time);
    hparams_value("_hparams_/session_start_info", 3, start)
}

/// Returns the end of one run for the hparams plugin.
pub(super) fn hparams_end(success: bool, time: f64) -> ProtoMessage {
    let status = if success { 1 } else { 2 };
    let end = ProtoMessage::default().int(1, status).double(2, time);
    hparams_value("_hparams_/session_end_info", 4, end)
}
