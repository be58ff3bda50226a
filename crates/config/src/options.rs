//! The reader of sets of options from a part of a configuration.

use odesync_base::options::{Key, Mismatch, OptionSet, Value};

use crate::{Config, Result};

use super::typed::{self, OptionFault};
use super::{apply, tree};

impl Config {
    /// Sets the options that the map at `path` holds, each in the first of these sets that has it; options that are absent or
    /// `null` keep their values. `other_keys` are the keys of the map that are read elsewhere. Returns the names that were set.
    ///
    /// # Errors
    /// An unknown key, or a value of another type or out of its range: with the key's full path, and the file or override it came
    /// from.
    pub fn read_options(
        &self,
        path: &str,
        sets: &mut [&mut dyn OptionSet],
        other_keys: &[&'static str],
    ) -> Result<Vec<&'static str>> {
        let root: &serde_yaml::Value = match self.get(path) {
            Some(root) => root,
            None => return Err(apply::unknown_key(&self.tree, &self.origins, path, "")),
        };
        let fault = |fault: OptionFault| typed::option_error(fault, root, path, &self.origins);
        let serde_yaml::Value::Mapping(map) = root else {
            return Err(fault(OptionFault::NotAMap));
        };
        let mut keys: Vec<&'static Key> = sets.iter().flat_map(|set| set.keys()).collect();
        keys.retain(|key| !other_keys.contains(&key.name));
        let known = || {
            let others = other_keys.iter().copied();
            others.chain(keys.iter().map(|key| key.name))
        };
        if let Some(unknown) = tree::keys(map).find(|name| known().all(|known| known != *name)) {
            return Err(fault(OptionFault::Unknown(unknown, known().collect())));
        }
        let mut names = vec![];
        // In the order of the declaration: one option may change what another means.
        for key in keys {
            let Some(value) = map.get(key.name) else {
                continue;
            };
            let converted: Value = {
                let path = tree::join(path, key.name);
                typed::read(value, &path, &self.origins)?
            };
            if converted == Value::Unit {
                continue;
            }
            for set in sets.iter_mut() {
                match set.try_set(key.name, &converted) {
                    Err(Mismatch::UnknownName) => {}
                    Err(mismatch) => return Err(fault(OptionFault::Value(key, mismatch))),
                    Ok(()) => {
                        names.push(key.name);
                        break;
                    }
                }
            }
        }
        Ok(names)
    }
}
