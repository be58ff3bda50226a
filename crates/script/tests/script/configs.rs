//! The built-in configurations of the program, as they were when this test was built.

use include_dir::{Dir, include_dir};

static CONFIGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

inventory::submit! {
    odesync_config::BuiltInConfigs(&CONFIGS)
}
