//! The configurations that the program has built in.

use include_dir::{Dir, include_dir};

static CONFIGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

inventory::submit! {
    odesync_config::BuiltIn(&CONFIGS)
}
