//! Notebooks: Jupyter, the Rust kernel, and whether Jupyter knows it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Finding, programs};

/// A version of the Rust kernel that works with this crate.
const EVCXR: &str = "evcxr_jupyter@0.22.0";

/// What there is for notebooks; nothing of it is needed for scripts.
pub(super) fn findings() -> Vec<Finding> {
    let jupyter = find_jupyter();
    let evcxr = programs::find("evcxr_jupyter");
    vec![
        jupyter_itself(jupyter.as_deref()),
        rust_kernel(evcxr.as_deref()),
        registered(jupyter.as_deref()),
    ]
}

/// Jupyter on the PATH, else in the project's own environment.
fn find_jupyter() -> Option<PathBuf> {
    let own = Path::new(".venv/bin/jupyter");
    programs::find("jupyter").or_else(|| programs::executable(own).then(|| own.to_path_buf()))
}

fn jupyter_itself(program: Option<&Path>) -> Finding {
    let what = "Jupyter";
    let cure = "python3 -m venv .venv && .venv/bin/pip install jupyterlab";
    let Some(program) = program else {
        return Finding::missing(what, "not on the PATH, and not in .venv here", cure);
    };
    match programs::run(program, &["--version"]) {
        Ok(text) => {
            let versions = versions(&text);
            Finding::there(what, format!("{versions} ({})", program.display()))
        }
        Err(reason) => Finding {
            cure: Some(cure.into()),
            ..Finding::broken(what, reason)
        },
    }
}

/// The parts that people know, from lines `jupyterlab : 4.2.5`.
fn versions(text: &str) -> String {
    let found: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, version)| (name.trim(), version.trim()))
        .filter(|(name, version)| {
            ["jupyterlab", "notebook", "jupyter_core"].contains(name) && *version != "not installed"
        })
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    if found.is_empty() {
        return text.lines().next().unwrap_or_default().trim().to_string();
    }
    found.join(", ")
}

fn rust_kernel(program: Option<&Path>) -> Finding {
    let what = "evcxr_jupyter";
    let Some(program) = program else {
        let cure = format!("cargo install {EVCXR} --locked");
        return Finding::missing(what, "not on the PATH; notebooks in Rust need it", cure);
    };
    let version = installed_version().map_or_else(String::new, |version| format!("{version} "));
    Finding::there(what, format!("{version}({})", program.display()))
}

/// The version that cargo wrote down when it installed it: the program itself does not tell.
fn installed_version() -> Option<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let list = std::fs::read_to_string(home.join(".crates.toml")).ok()?;
    let line = list.lines().find_map(|line| {
        line.trim_start()
            .trim_start_matches('"')
            .strip_prefix("evcxr_jupyter ")
    })?;
    Some(line.split_whitespace().next()?.to_string())
}

fn registered(jupyter: Option<&Path>) -> Finding {
    let what = "kernels";
    let cure = "evcxr_jupyter --install";
    let Some(jupyter) = jupyter else {
        return Finding::missing(what, "known to Jupyter, which is missing", cure);
    };
    let listed = programs::run(jupyter, &["kernelspec", "list", "--json"]).and_then(|text| {
        let json: Value = serde_json::from_str(&text).map_err(|error| {
            format!(
                "{} kernelspec list --json is not JSON: {error}",
                jupyter.display()
            )
        })?;
        Ok(kernels(&json))
    });
    match listed {
        Ok(list) if list.iter().any(|(_, rust)| *rust) => Finding::there(what, names(&list)),
        Ok(list) if list.is_empty() => Finding::missing(what, "none is registered", cure),
        Ok(list) => Finding::missing(what, format!("{}; none for Rust", names(&list)), cure),
        Err(reason) => Finding::broken(what, reason),
    }
}

/// Each kernel's name, and whether it is for Rust.
fn kernels(json: &Value) -> Vec<(String, bool)> {
    let specs = json.get("kernelspecs").and_then(Value::as_object);
    specs
        .into_iter()
        .flatten()
        .map(|(name, kernel)| {
            let language = kernel.pointer("/spec/language").and_then(Value::as_str);
            let rust = language.is_some_and(|language| language.eq_ignore_ascii_case("rust"));
            (name.clone(), rust)
        })
        .collect()
}

fn names(list: &[(String, bool)]) -> String {
    let names: Vec<&str> = list.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}
