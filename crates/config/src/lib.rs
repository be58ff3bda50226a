//! Configurations: YAML files composed of parts, with overrides in hydra's grammar.
//!
//! An experiment is one file, `configs/lotka_volterra.yaml`. Its `defaults` list chooses one option of each group, and each group
//! is a folder: `training: homotopy` puts the content of `configs/training/homotopy.yaml` under the key `training`. Overrides
//! change the choices first (`training=vanilla`), then single values (`training.lr=0.1`); last, `${a.b}` becomes the value of
//! the key `a.b`. The result is one tree, a [`Config`]; saved to a file, it runs again unchanged.
//!
//! | file | contents |
//! |---|---|
//! | `config_source.rs` | [`ConfigSource`]: where the files are |
//! | `read.rs`, `write.rs` | YAML to a tree within bounds, and back without loss of a bit |
//! | `tree.rs`, `origin.rs` | paths, kinds and bounds of a tree; which file a key came from |
//! | `overrides.rs`, `flow_yaml.rs` | [`Override`]: its grammar, that of its values |
//! | `sweep.rs`, `sweep_text.rs`, `sweep_functions.rs`, `decimal_range.rs`, `random_search.rs`, `search_space.rs` | [`sweep`] over several values: all combinations, [`RandomSearch`], the [`SearchSpace`] of a sweeper |
//! | `compose.rs`, `defaults_list.rs`, `apply.rs`, `interpolate.rs` | files, choices, values, references, in this order |
//! | `typed/`, `options.rs` | a section as a Rust type, or as sets of options |
//!
//! # Composition
//!
//! - An experiment's `defaults` contains `{group: option}`, the name of another experiment to build on, and `_self_`, the
//!   position of the file's own keys (at the end, where it is absent). Later entries override earlier ones; maps are merged key
//!   by key, everything else is replaced. `{group: null}` chooses nothing.
//! - An option's `defaults` contains names of options of the same group to build on, and `_self_`.
//! - A value that is nothing but `${a.b}` has the type of the value it refers to; within a text the value is written out. `\${`
//!   is a plain `${`.
//! - The key `experiment` is the experiment's name; where no file sets it, it is the file's name.
//!
//! # Overrides
//!
//! | form | effect |
//! |---|---|
//! | `group=option`, `group=[a,b]` | chooses another option, or several that are merged in order; `group=null` none |
//! | `a.b=value` | replaces a value, which must exist and be of the same kind; `a.0=value` an element of a list |
//! | `+a.b=value`, `+group=option` | adds a key or a choice, which must not exist |
//! | `++a.b=value` | adds or replaces a value of any kind |
//! | `~a.b`, `~a.b=value`, `~group` | deletes a key or a choice, which must exist, and have this value where one is given |
//!
//! Values are YAML in one line: `0.1`, `1e-7`, `true`, `null`, `[1, 2]`, `{a: 1}` or `{a:1}`, `"quoted text"`, plain text; `a.b=`
//! is the empty text.

mod apply;
mod compose;
mod config_source;
mod decimal_range;
mod defaults_list;
mod flow_yaml;
mod interpolate;
mod options;
mod origin;
mod overrides;
mod random_search;
mod read;
mod renamed;
mod search_space;
mod sweep;
mod sweep_functions;
mod sweep_text;
#[cfg(test)]
mod tests;
mod tree;
mod typed;
mod write;

pub use config_source::{BuiltInConfigs, ConfigSource};
pub use odesync_base::{Error, Result};
pub use overrides::Override;
pub use random_search::RandomSearch;
pub use read::syntax_message;
pub use renamed::RenamedKey;
pub use search_space::{SearchDomain, SearchSpace};
pub use serde_yaml::Value;
pub use sweep::sweep;

use std::path::Path;

use serde::de::DeserializeOwned;

use origin::Origins;

/// A composed configuration: a tree of maps, lists and values, and the file or override that each of them came from.
#[derive(Debug, Clone)]
pub struct Config {
    tree: Value,
    origins: Origins,
    notes: Vec<String>,
}

impl Config {
    /// Composes an experiment of `library`: choices of groups first, then values, then `${…}`.
    ///
    /// # Errors
    /// An experiment, group, option or key that does not exist, with the nearest name, the known ones, and the file it would be
    /// in; a file that is not YAML, with file, line and column; an override that does not fit the value it changes; `defaults` or
    /// `${…}` that are circular; a tree beyond the bounds (20,000 values, 32 levels, 64 KiB of text).
    pub fn compose(library: &ConfigSource, name: &str, overrides: &[Override]) -> Result<Config> {
        let source = library.experiment(name)?;
        compose::compose(library, name, source, overrides)
    }

    /// Reads one file: a saved configuration, or an experiment that is not in `library`. The library has the options of the
    /// groups that the file's `defaults` or the overrides choose, so that `training=vanilla` works on a saved configuration too.
    ///
    /// # Errors
    /// The errors of [`Config::compose`]; a file that cannot be read.
    pub fn from_file(
        path: &Path,
        library: &ConfigSource,
        overrides: &[Override],
    ) -> Result<Config> {
        let source = config_source::read_file(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        compose::compose(library, &name, source, overrides)
    }

    /// Composes one option of a group under the key `group`, such as `launcher=slurm`, which belongs to no experiment. A library
    /// without the group has that of the built-in configurations.
    ///
    /// # Errors
    /// The errors of [`Config::compose`].
    pub fn compose_option(
        library: &ConfigSource,
        group: &str,
        option: &str,
        overrides: &[Override],
    ) -> Result<Config> {
        let library = match library.has_group(group) {
            true => library,
            false => &ConfigSource::BuiltIn,
        };
        library.option(group, option)?;
        let source = config_source::ConfigFile {
            file: format!("{group}={option}").into(),
            text: format!("defaults:\n  - {group}: {option:?}\n"),
        };
        compose::compose(library, group, source, overrides)
    }

    /// Returns the name of the experiment, the value of the key `experiment`.
    pub fn name(&self) -> &str {
        self.get("experiment")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns the whole tree, which is a map.
    pub fn value(&self) -> &Value {
        &self.tree
    }

    /// What the files say under names of before, one sentence each: they were read, and should be brought up to date.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the value at a path such as `training.schedule.n_steps`, or `dataset.u0.1` for an element of a list; the empty
    /// path is the whole tree.
    pub fn get(&self, path: &str) -> Option<&Value> {
        tree::get(&self.tree, path)
    }

    /// Replaces the value at `path`, as the override `path=value` does. `${…}` in a text is not resolved.
    ///
    /// # Errors
    /// A key that does not exist; a value of another kind; a tagged value or a key that is not text.
    pub fn set(&mut self, path: &str, value: Value) -> Result<()> {
        tree::check(&value)?;
        let change = Override::set(path, value)?;
        // The change is made to a copy, so that one that is refused has no effect.
        let mut changed = self.clone();
        apply::apply(&mut changed.tree, &mut changed.origins, &change)?;
        tree::check(&changed.tree)?;
        compose::check_name(&changed.tree, &changed.origins)?;
        *self = changed;
        Ok(())
    }

    /// Returns the tree as YAML that [`Config::from_file`] reads back to the same bits: keys in their order, floats with all
    /// their digits and a point (`1.0`, `1.0e-9`, which other YAML readers take for floats too).
    pub fn to_yaml(&self) -> String {
        write::to_yaml(&self.tree)
    }

    /// Reads the value at `path` as a Rust type; the empty path is the whole tree.
    ///
    /// Put `#[serde(deny_unknown_fields)]` on the type, so that a misspelt key is an error. serde reads an internally tagged
    /// enum (`#[serde(tag = "kind")]`) from a copy without paths; an error in it then names the key of the enum itself, unless
    /// the wrong value is that of just one key of the enum.
    ///
    /// # Errors
    /// A value that is missing or does not fit, or an unknown key: with the key's full path, what was expected, and the file or
    /// override it came from.
    pub fn section<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let value = match self.get(path) {
            Some(value) => value,
            None => return Err(apply::unknown_key(&self.tree, &self.origins, path, "")),
        };
        typed::read(value, path, &self.origins)
    }
}
