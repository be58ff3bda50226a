//! The bindings that take models to other languages, bring PyTorch's weights in, and write reports.

use std::path::Path;

use rhai::ImmutableString;

use super::data::ScriptDataset;
use super::discovering::{ScriptDiscovery, ScriptEquations};
use super::ensembles::ScriptEnsemble;
use super::fields::{ScriptField, ScriptInput};
use super::host::Host;
use super::keys::{Key, Keys};
use super::options::Options;
use super::registry::Registry;
use super::training::ScriptRun;
use crate::report::{discovery_report, run_report};
use crate::{Error, Result};
use odesync_base::files::write_atomically;
use odesync_base::options::Value;
use odesync_export::{ExportFormat, ExportOptions, export_equations, export_field, from_torch};
use odesync_ode::field::{Unary, VectorField};
use odesync_train::training::{Ensemble, Run};

const EXPORT: Keys = &[ExportOptions::OPTIONS];

const TORCH: Keys = &[&[
    Key::new("activation")
        .doc("Activation function of the hidden layers; the one that the file names, where it was written by odesync.")
        .choices(&Unary::ACTIVATIONS)
        .default(|| Value::Unit, "the file's"),
    Key::new("input")
        .doc("External input, which the network sees after the state.")
        .literals(&["input("])
        .default(|| Value::Unit, "none"),
]];

/// Reads the options of an export, writes the file and says so.
fn export(
    host: &Host,
    path: &str,
    mut options: Options,
    write: impl FnOnce(&str, &ExportOptions) -> Result<()>,
) -> Result<()> {
    let mut export = ExportOptions::default();
    options.read_set(&mut export)?;
    options.finish()?;
    if path.trim().is_empty() {
        return Err(Error::invalid("export_model: the file's name is empty"));
    }
    write(path, &export)?;
    host.note(&format!("wrote {path}"));
    Ok(())
}

/// Returns an error where the run's equations are more than du/dt = f.
fn check_is_field(run: &Run) -> Result<()> {
    let solver = &run.solver;
    let more = [
        ("a mass_matrix", solver.mass_matrix.is_some()),
        ("events", !solver.events.is_empty()),
        ("doses", !solver.doses.is_empty()),
    ];
    match more.iter().find(|(_, is_given)| *is_given) {
        Some((what, _)) => Err(Error::invalid(format!(
            "export_model: the run was trained with {what}, and files of other languages solve du/dt = f; export run.model, which is f \
             alone, and give the rest to a solver there"
        ))),
        None => Ok(()),
    }
}

/// Writes the models of an ensemble side by side, as one field.
fn export_ensemble(ensemble: &Ensemble, path: &str, options: &ExportOptions) -> Result<()> {
    if ExportFormat::of_path(Path::new(path))? == ExportFormat::StateDict {
        return Err(Error::invalid(
            "export_model: a file of PyTorch weights holds one network, and an ensemble has one for each member: export \
             ensemble.best, or each of ensemble.runs",
        ));
    }
    let mut models = vec![];
    for (label, run) in &ensemble.members {
        if let Ok(run) = run {
            check_is_field(run)?;
            models.push((label.as_str(), &run.model));
        }
    }
    export_field(&VectorField::side_by_side(&models)?, path, options)
}

pub(super) fn register(reg: &mut Registry) {
    let [of_field, of_run, of_ensemble, of_discovery, of_equations] = [(); 5].map(|()| reg.host());
    reg.function(
        "export_model(model, \"model.py\", #{ target: \"numpy\" })",
        "Writes a model for other programs, in the format of the file's ending: .py (NumPy, PyTorch or JAX), .jl, .c, .tex, .onnx, \
         .safetensors (PyTorch's weights of the network) or .rhai. It takes a field, a run (its best model), an ensemble (the best models of \
         all runs side by side), a discovery (its model) or equations.",
        "export_model(blackbox([2, 8, 2]), \"model.py\")",
    )
    .options(EXPORT)
    .body(move |field: ScriptField, path: ImmutableString, options: Options| -> Result<()> {
        export(&of_field, &path, options, |path, options| export_field(&field.0, path, options))
    })
    .body(move |run: ScriptRun, path: ImmutableString, options: Options| -> Result<()> {
        check_is_field(&run.0)?;
        export(&of_run, &path, options, |path, options| export_field(&run.0.model, path, options))
    })
    .body(move |all: ScriptEnsemble, path: ImmutableString, options: Options| -> Result<()> {
        export(&of_ensemble, &path, options, |path, options| export_ensemble(&all.0, path, options))
    })
    .body(move |found: ScriptDiscovery, path: ImmutableString, options: Options| -> Result<()> {
        export(&of_discovery, &path, options, |path, options| match found.0.preferred_equations() {
            Some(equations) => export_equations(equations, path, options),
            None => export_field(found.0.model()?, path, options),
        })
    })
    .body(move |found: ScriptEquations, path: ImmutableString, options: Options| -> Result<()> {
        export(&of_equations, &path, options, |path, options| {
            export_equations(&found.0, path, options)
        })
    });
    reg.function(
        "from_torch(\"weights.safetensors\", #{ activation: \"gelu\" }) -> Field",
        "A model from the weights of a PyTorch network, a state_dict in a safetensors file: a black box, or second order where the network \
         gives half as many numbers as it takes.",
        "export_model(blackbox([2, 8, 2], \"tanh\"), \"weights.safetensors\"); from_torch(\"weights.safetensors\").n_params",
    )
    .options(TORCH)
    .body(|path: ImmutableString, mut options: Options| -> Result<ScriptField> {
        let activation = options.opt_choice("activation")?.map(Unary::activation).transpose()?;
        let input = options.opt_value::<ScriptInput>("input", "an input(t, values)")?;
        options.finish()?;
        Ok(ScriptField(from_torch(path.as_str(), activation, input.map(|input| input.0))?))
    });
    reports(reg);
}

/// Writes a page and says so.
fn write_page(host: &Host, path: &str, page: Result<String>) -> Result<()> {
    if !path.ends_with(".html") {
        return Err(Error::invalid(format!(
            "report: a report is a page of HTML, so that the name of the file ends with .html, and not as \"{path}\""
        )));
    }
    write_atomically(Path::new(path), page?.as_bytes())?;
    host.note(&format!("wrote {path}"));
    Ok(())
}

fn reports(reg: &mut Registry) {
    let [of_data, of_run, of_discovery] = [(); 3].map(|()| reg.host());
    reg.function(
        "report(data, run, \"report.html\"), report(run, \"report.html\") or report(found, \"report.html\")",
        "Writes a page about a run, or a discovery, that needs no other file: what was asked for, the data, results, losses, fit and \
         prediction with bands, residuals, equations, how to go on. A run does not hold its data: without them there is no fit.",
        "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); report(data, train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 }), \"report.html\")",
    )
    .body(move |data: ScriptDataset, run: ScriptRun, path: ImmutableString| {
        write_page(&of_data, &path, run_report(&run.0, Some(&data.0), None))
    })
    .body(move |run: ScriptRun, path: ImmutableString| {
        write_page(&of_run, &path, run_report(&run.0, None, None))
    })
    .body(move |found: ScriptDiscovery, path: ImmutableString| {
        write_page(&of_discovery, &path, discovery_report(&found.0))
    });
}
