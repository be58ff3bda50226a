//! The composition of an experiment's file, the options it chooses, and the overrides into one tree.

use std::path::Path;
use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::config_source::{self, ConfigFile, ConfigSource};
use super::defaults_list::{DefaultsEntry, apply_choice, option_names, set_choice};
use super::origin::Origins;
use super::tree;
use super::{Config, Override, apply, interpolate, read, renamed};

/// Largest number of files of one configuration, which stops `defaults` lists that double at every level.
const MAX_FILES: usize = 500;
/// Largest length of a chain of files that build on each other.
const MAX_CHAIN: usize = 32;

/// Composes the experiment `name` whose file is `source`.
pub(super) fn compose(
    library: &ConfigSource,
    name: &str,
    source: ConfigFile,
    overrides: &[Override],
) -> Result<Config> {
    let file = source.file.clone();
    let mut composer = Composer {
        library,
        files: 0,
        origins: Origins::new(&file),
        notes: Vec::new(),
    };
    let mut parts = composer.defaults_list(source, &mut vec![name.to_string()])?;
    let mut values = Vec::new();
    for change in overrides {
        if !apply_choice(library, &mut parts, change, &file)? {
            values.push(change);
        }
    }
    let mut tree = composer.merge(parts)?;
    let (mut origins, notes) = (composer.origins, composer.notes);
    if !tree.contains_key("experiment") {
        let mut named = Mapping::from_iter([("experiment".into(), name.into())]);
        named.extend(std::mem::take(&mut tree));
        tree = named;
    }
    let mut tree = Value::Mapping(tree);
    tree::check(&tree)?;
    for change in values {
        apply::apply(&mut tree, &mut origins, change)?;
    }
    tree::check(&tree)?;
    let tree = interpolate::resolve(&tree, &origins)?;
    tree::check(&tree)?;
    check_name(&tree, &origins)?;
    Ok(Config {
        tree,
        origins,
        notes,
    })
}

/// Checks that the value of the key `experiment` is a name that a folder can have.
pub(super) fn check_name(tree: &Value, origins: &Origins) -> Result<()> {
    let name = tree::get(tree, "experiment").unwrap_or(&Value::Null);
    match name.as_str() {
        Some(name) if config_source::is_valid_name(name) => Ok(()),
        _ => Err(Error::invalid(format!(
            "experiment should be a name of letters, digits, _, - and dots within, as its runs have a folder of this name, not {} \
             (from {})",
            tree::abbreviate(name),
            origins.of("experiment")
        ))),
    }
}

struct Composer<'a> {
    library: &'a ConfigSource,
    files: usize,
    origins: Origins,
    notes: Vec<String>,
}

impl Composer<'_> {
    /// Reads a file and returns its keys and its `defaults`; `group` is the group whose option it is, empty for an experiment.
    fn load(&mut self, source: &ConfigFile, group: &str) -> Result<(Mapping, Option<Vec<Value>>)> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Error::invalid(format!(
                "{}: the configuration is made of more than {MAX_FILES} files; look at their `defaults`",
                source.file
            )));
        }
        let mut map = read::read(&source.text, Path::new(&*source.file))?;
        self.notes
            .extend(renamed::rename_keys(&mut map, group, &source.file)?);
        match map.shift_remove("defaults") {
            None => Ok((map, None)),
            Some(Value::Sequence(defaults)) => Ok((map, Some(defaults))),
            Some(other) => Err(defaults_error(
                &source.file,
                &format!("should be a list, not {}", tree::abbreviate(&other)),
            )),
        }
    }

    /// Returns the parts of an experiment, in order; `chain` holds the experiments that build on this one, and itself.
    fn defaults_list(
        &mut self,
        source: ConfigFile,
        chain: &mut Vec<String>,
    ) -> Result<Vec<DefaultsEntry>> {
        let (self_keys, defaults) = self.load(&source, "")?;
        let file = source.file;
        let mut self_keys = Some(self_keys);
        let mut parts = Vec::new();
        let mut chosen: Vec<String> = Vec::new();
        for entry in defaults.unwrap_or_default() {
            match &entry {
                Value::String(this) if this == "_self_" => match self_keys.take() {
                    Some(keys) => parts.push(DefaultsEntry::SelfKeys(file.clone(), keys)),
                    None => return Err(defaults_error(&file, "holds _self_ twice")),
                },
                Value::String(base) => {
                    extend_chain(&file, base, chain)?;
                    let source = self.library.experiment(base);
                    let source = source.map_err(|e| with_chooser(e, &file))?;
                    parts.extend(self.defaults_list(source, chain)?);
                    chain.pop();
                }
                Value::Mapping(map) if map.len() == 1 => {
                    for (group, option) in map {
                        let group = group.as_str().unwrap_or_default().to_string();
                        let option = option_names(option).map_err(|given| {
                            let message =
                                format!("should give {group} the name of an option, not {given}");
                            defaults_error(&file, &message)
                        })?;
                        if chosen.contains(&group) {
                            return Err(defaults_error(&file, &format!("chooses {group} twice")));
                        }
                        chosen.push(group.clone());
                        set_choice(
                            &mut parts,
                            DefaultsEntry::Group(group, option, Some(file.clone())),
                        );
                    }
                }
                other => {
                    return Err(defaults_error(
                        &file,
                        &format!(
                            "should hold `group: option`, `_self_` or the name of an experiment, not {}",
                            tree::abbreviate(other)
                        ),
                    ));
                }
            }
        }
        if let Some(keys) = self_keys {
            parts.push(DefaultsEntry::SelfKeys(file, keys));
        }
        Ok(parts)
    }

    fn merge(&mut self, parts: Vec<DefaultsEntry>) -> Result<Mapping> {
        let mut tree = Mapping::new();
        for part in parts {
            match part {
                DefaultsEntry::SelfKeys(file, keys) => {
                    tree::merge(&mut tree, keys, "", &file, &mut self.origins);
                }
                DefaultsEntry::Group(_, None, _) => {}
                DefaultsEntry::Group(group, Some(options), by) => {
                    for option in options {
                        let source = self.library.option(&group, &option);
                        let source = source.map_err(|e| match &by {
                            Some(by) => with_chooser(e, by),
                            None => e,
                        })?;
                        let file =
                            self.merge_option(&mut tree, &group, source, &mut vec![option])?;
                        self.origins.record(&group, &file);
                    }
                }
            }
        }
        Ok(tree)
    }

    /// Merges an option into `tree` and returns the option's file; `chain` holds the options that build on this one, and itself.
    fn merge_option(
        &mut self,
        tree: &mut Mapping,
        group: &str,
        source: ConfigFile,
        chain: &mut Vec<String>,
    ) -> Result<Arc<str>> {
        let (self_keys, defaults) = self.load(&source, group)?;
        let file = source.file;
        let self_keys = Mapping::from_iter([(group.into(), Value::Mapping(self_keys))]);
        let mut self_keys = Some(self_keys);
        for entry in defaults.unwrap_or_default() {
            match &entry {
                Value::String(this) if this == "_self_" => match self_keys.take() {
                    Some(keys) => tree::merge(tree, keys, "", &file, &mut self.origins),
                    None => return Err(defaults_error(&file, "holds _self_ twice")),
                },
                Value::String(base) => {
                    extend_chain(&file, base, chain)?;
                    let source = self.library.option(group, base);
                    let source = source.map_err(|e| with_chooser(e, &file))?;
                    self.merge_option(tree, group, source, chain)?;
                    chain.pop();
                }
                other => {
                    return Err(defaults_error(
                        &file,
                        &format!(
                            "should hold names of options of {group} or `_self_`, not {}",
                            tree::abbreviate(other)
                        ),
                    ));
                }
            }
        }
        if let Some(keys) = self_keys {
            tree::merge(tree, keys, "", &file, &mut self.origins);
        }
        Ok(file)
    }
}

/// Adds `base` to the chain of files that build on each other.
fn extend_chain(file: &str, base: &str, chain: &mut Vec<String>) -> Result<()> {
    if chain.iter().any(|name| name == base) {
        let circle = chain.join(" → ");
        return Err(defaults_error(
            file,
            &format!("go in a circle: {circle} → {base}"),
        ));
    }
    if chain.len() >= MAX_CHAIN {
        return Err(defaults_error(
            file,
            &format!("are more than {MAX_CHAIN} files that build on each other"),
        ));
    }
    chain.push(base.to_string());
    Ok(())
}

fn defaults_error(file: &str, message: &str) -> Error {
    Error::invalid(format!("{file}: `defaults` {message}"))
}

/// Returns the error of a file with the note that `file` chooses it in its `defaults`.
fn with_chooser(error: Error, file: &str) -> Error {
    match error {
        Error::Invalid(message) => Error::Invalid(format!("{message} (chosen in {file})")),
        other => other,
    }
}
