//! Data that this crate embeds for the crates below it: the configurations of `configs/`, and the commit.

use include_dir::{Dir, include_dir};

static CONFIGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/configs");

inventory::submit! {
    odesync_config::BuiltInConfigs(&CONFIGS)
}

inventory::submit! {
    odesync_base::build::SourceCommit(option_env!("ODESYNC_COMMIT"))
}
