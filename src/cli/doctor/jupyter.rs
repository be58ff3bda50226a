//! The check of notebooks: Jupyter, the Rust kernel, and its registration with Jupyter.

use std::path::{Path, PathBuf};

use odesync_kernel::kernelspec;
use serde_json::Value;

use super::{Finding, programs};

/// The command that sets up notebooks in the checkout.
const FIX_COMMAND: &str = "make notebook";
/// The name of the kernel that `make notebook` registers.
const KERNEL_NAME: &str = "odesync";

/// Returns the findings about notebooks, none of which is required for scripts. Programs that `make notebook` has installed in
/// the checkout have precedence.
pub(super) fn check_notebooks() -> Vec<Finding> {
    let jupyter =
        checkout_program(".venv-jupyter/bin/jupyter").or_else(|| programs::find("jupyter"));
    let own_evcxr = std::fs::read_dir("third/tools").ok().and_then(|folders| {
        let mut found: Vec<PathBuf> = folders
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("evcxr-"))
            .map(|entry| entry.path().join("bin/evcxr_jupyter"))
            .filter(|path| programs::executable(path))
            .collect();
        found.sort();
        found.pop()
    });
    let evcxr = own_evcxr.or_else(|| programs::find("evcxr_jupyter"));
    vec![
        check_jupyter(jupyter.as_deref()),
        check_rust_kernel(evcxr.as_deref()),
        check_registered(jupyter.as_deref()),
        check_script_kernel(jupyter.as_deref()),
        check_build(),
    ]
}

/// Returns the path of a program in the checkout, if it is there.
fn checkout_program(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    programs::executable(path).then(|| path.to_path_buf())
}

fn check_jupyter(program: Option<&Path>) -> Finding {
    let what = "Jupyter";
    let Some(program) = program else {
        return Finding::missing(
            what,
            "not on the PATH, and not in .venv-jupyter here",
            FIX_COMMAND,
        );
    };
    match programs::run(program, &["--version"]) {
        Ok(text) => {
            let versions = versions(&text);
            Finding::present(what, format!("{versions} ({})", program.display()))
        }
        Err(reason) => Finding {
            fix: Some(FIX_COMMAND.into()),
            ..Finding::broken(what, reason)
        },
    }
}

/// Returns the finding about the build that the first cell of a notebook needs.
fn check_build() -> Finding {
    let what = "notebooks";
    match Path::new("target/notebook/warm/Cargo.lock").exists() {
        true => Finding::present(what, "built in target/notebook"),
        false => Finding::missing(what, "odesync is not built for them here", FIX_COMMAND),
    }
}

/// Returns the versions of the best-known components, from lines such as `jupyterlab : 4.2.5`.
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

fn check_rust_kernel(program: Option<&Path>) -> Finding {
    let what = "evcxr_jupyter";
    match program {
        Some(program) => Finding::present(what, program.display().to_string()),
        None => Finding::missing(
            what,
            "not here and not on the PATH; notebooks in Rust need it",
            FIX_COMMAND,
        ),
    }
}

fn check_registered(jupyter: Option<&Path>) -> Finding {
    let what = "kernels";
    let Some(jupyter) = jupyter else {
        return Finding::missing(what, "known to Jupyter, which is missing", FIX_COMMAND);
    };
    match list_kernels(jupyter).map(|json| kernels(&json)) {
        Ok(list) if list.iter().any(|(name, _)| name == KERNEL_NAME) => {
            Finding::present(what, names(&list))
        }
        Ok(list) if list.is_empty() => Finding::missing(what, "none is registered", FIX_COMMAND),
        Ok(list) if list.iter().any(|(_, rust)| *rust) => {
            let text = format!(
                "{}; not the one of this checkout, which is quicker",
                names(&list)
            );
            Finding::missing(what, text, FIX_COMMAND)
        }
        Ok(list) => Finding::missing(
            what,
            format!("{}; none for Rust", names(&list)),
            FIX_COMMAND,
        ),
        Err(reason) => Finding::broken(what, reason),
    }
}

/// Returns what Jupyter knows of its kernels.
fn list_kernels(jupyter: &Path) -> Result<Value, String> {
    let text = programs::run(jupyter, &["kernelspec", "list", "--json"])?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{} kernelspec list --json is not JSON: {error}",
            jupyter.display()
        )
    })
}

/// Returns the finding about the kernel of the script language.
fn check_script_kernel(jupyter: Option<&Path>) -> Finding {
    let what = "script kernel";
    let fix = "odesync kernel install";
    let Some(jupyter) = jupyter else {
        return Finding::missing(what, "known to Jupyter, which is missing", fix);
    };
    match list_kernels(jupyter) {
        Ok(json) => script_kernel(&json).map_or_else(
            || Finding::missing(what, "not known to Jupyter", fix),
            |(name, program)| match programs::executable(Path::new(&program)) {
                true => Finding::present(what, format!("{name}, {program}")),
                false => Finding {
                    fix: Some(fix.into()),
                    ..Finding::broken(what, format!("{name} runs {program}, which is not there"))
                },
            },
        ),
        Err(reason) => Finding::broken(what, reason),
    }
}

/// Returns the name and the program of a kernel of the script language.
fn script_kernel(json: &Value) -> Option<(String, String)> {
    let specs = json.get("kernelspecs")?.as_object()?;
    specs.iter().find_map(|(name, kernel)| {
        let spec = kernel.get("spec")?;
        let program = spec.pointer("/argv/0")?.as_str()?;
        (spec.get("language")?.as_str()? == kernelspec::LANGUAGE)
            .then(|| (name.clone(), program.to_string()))
    })
}

/// Returns each kernel's name, and whether it is a Rust kernel.
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
