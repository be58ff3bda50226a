//! The configurations that the program has built in, as they were when this test was built.

use include_dir::{Dir, include_dir};

static CONFIGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

inventory::submit! {
    odesync_config::BuiltInConfigs(&CONFIGS)
}
