//! Configurations and overrides.

use odesync_config::{Config, ConfigSource, Override, sweep};

use crate::file;

/// The first line is an override, the rest a configuration.
pub fn yaml(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (first, text) = bytes.split_at(end);
    let change = std::str::from_utf8(first)
        .ok()
        .and_then(|text| text.parse::<Override>().ok());
    let changes: Vec<Override> = change.into_iter().collect();
    let path = file("a.yaml", text);
    let Ok(config) = Config::from_file(&path, &ConfigSource::BuiltIn, &changes) else {
        return;
    };
    let written = config.to_yaml();
    let again = Config::from_file(
        &file("b.yaml", written.as_bytes()),
        &ConfigSource::BuiltIn,
        &[],
    );
    let again = again.expect("a configuration that was written");
    assert_eq!(again.to_yaml(), written);
}

pub fn override_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(change) = text.parse::<Override>() {
        let shown = change.to_string();
        let again: Override = shown.parse().expect("an override that was shown");
        assert_eq!(again.to_string(), shown);
    }
    let _ = sweep(&[text.to_string()], &ConfigSource::BuiltIn);
}
