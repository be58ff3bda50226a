//! Which file or override each key of a tree came from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Where keys came from, by path.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    by_path: BTreeMap<String, Arc<str>>,
}

impl Origins {
    /// Origins of a tree that is empty as yet; `whole` is the experiment's file.
    pub fn new(whole: &Arc<str>) -> Self {
        Self {
            by_path: BTreeMap::from([(String::new(), whole.clone())]),
        }
    }

    /// Where the value at `path` came from: the nearest that is known, going up.
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

    /// Notes where the value at `path` came from; what stands below it keeps its own origin.
    pub fn record(&mut self, path: &str, origin: &Arc<str>) {
        self.by_path.insert(path.to_string(), origin.clone());
    }

    /// Forgets `path` and everything below it.
    pub fn forget(&mut self, path: &str) {
        self.by_path.remove(path);
        let below = format!("{path}.");
        let gone: Vec<String> = self
            .by_path
            .range(below.clone()..)
            .map(|(key, _)| key.clone())
            .take_while(|key| key.starts_with(&below))
            .collect();
        for key in gone {
            self.by_path.remove(&key);
        }
    }
}
