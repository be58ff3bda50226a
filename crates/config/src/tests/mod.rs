mod apply;
mod compose;
mod files;
mod interpolate;
mod options;
mod overrides;
mod random;
mod renamed;
mod saved;
mod shipped;
mod sweep;
mod typed;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// The files of a small library: one experiment with two groups.
const FILES: [(&str, &str); 6] = [
    (
        "lotka.yaml",
        "defaults:\n  - model: blackbox\n  - training: homotopy\n  - _self_\nrandom_seed: 10\nsuggested:\n  lr: 0.05\n  steps: 6\n",
    ),
    ("model/blackbox.yaml", "kind: blackbox\nwidth: 32\n"),
    (
        "model/graybox.yaml",
        "kind: graybox\nwidth: 20\nlinear: [1.3, -1.8]\n",
    ),
    (
        "training/homotopy.yaml",
        "method: homotopy\nlr: ${suggested.lr}\ncoupling: 6.0\nschedule:\n  n_steps: ${suggested.steps}\n  rate: 0.6\nclip: null\n",
    ),
    (
        "training/vanilla.yaml",
        "method: vanilla\nlr: 0.02\nepochs: 4000\nverbose: false\n",
    ),
    ("training/none.yaml", "# nothing\n"),
];

/// Returns the small library, in which `files` are added or replaced.
struct Fixture {
    folder: TempDir,
    library: ConfigSource,
}

fn fixture(files: &[(&str, &str)]) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("configs");
    for (name, content) in FILES.iter().chain(files) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    Fixture {
        folder,
        library: ConfigSource::Folder(root),
    }
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("configs").join(name)
    }

    fn compose(&self, overrides: &[&str]) -> Result<Config> {
        Config::compose(&self.library, "lotka", &parse(overrides)?)
    }

    /// Returns a composed tree as text, to compare.
    fn yaml(&self, overrides: &[&str]) -> String {
        self.compose(overrides).unwrap().to_yaml()
    }

    /// Returns the error of a composition, without the temporary folder's name.
    fn error(&self, overrides: &[&str]) -> String {
        self.shorten(&self.compose(overrides).unwrap_err().to_string())
    }

    fn shorten(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn parse(overrides: &[&str]) -> Result<Vec<Override>> {
    overrides.iter().map(|text| text.parse()).collect()
}

fn get(config: &Config, path: &str) -> String {
    write::to_flow(config.get(path).unwrap_or_else(|| panic!("no {path}")))
}

/// Returns whether a text contains all the parts.
fn assert_holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

/// Returns a value from YAML, read by the YAML crate.
fn value(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap()
}
