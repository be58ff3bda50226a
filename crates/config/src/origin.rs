//! The origins of a tree's keys: the file or override that each of them came from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The origins of a tree's values, by path.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    by_path: BTreeMap<String, Arc<str>>,
}

impl Origins {
    /// Creates the origins of an empty tree; `file` is the experiment's file.
    pub fn new(file: &Arc<str>) -> Self {
        Self {
            by_path: BTreeMap::from([(String::new(), file.clone())]),
        }
    }

    /// Returns the origin of the value at `path`: its own, or that of the nearest value above it which has one.
    pub fn of(&self, path: &str) -> &str {
        let mut path = path;
        loop {
            if let Some(origin) = self.by_path.get(path) {
                return origin;
            }
            match path.rfind('.') {
                Some(dot) => path = &path[..dot],
                None if path.is_empty() => return "",
                None => path = "",
            }
        }
    }

    /// Records the origin of the value at `path`; values below it keep their own origins.
    pub fn record(&mut self, path: &str, origin: &Arc<str>) {
        self.by_path.insert(path.to_string(), origin.clone());
    }

    /// Removes the origins of the value at `path` and of all values below it.
    pub fn forget(&mut self, path: &str) {
        self.by_path.remove(path);
        let below = format!("{path}.");
        let removed: Vec<String> = self
            .by_path
            .range(below.clone()..)
            .map(|(key, _)| key.clone())
            .take_while(|key| key.starts_with(&below))
            .collect();
        for key in removed {
            self.by_path.remove(&key);
        }
    }
}
