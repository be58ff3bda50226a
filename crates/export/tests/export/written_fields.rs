//! What can and what cannot be exported. With `EXPORT_TO=FOLDER` the files of all fields are left there, with the derivatives that
//! they should give, for `tools/check_exports.py`.

use std::path::Path;
use std::sync::Arc;

use ndarray::array;
use odesync_export::{ExportFormat, ExportOptions, PythonLibrary, export_field, field_source};
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{FieldBuilder, InputSignal, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::synchronization::{Coupling, synchronize};

use crate::fields::{all, states};

/// Formats that hold every field.
const GENERAL: [&str; 6] = ["py", "jl", "c", "onnx", "rhai", "tex"];

#[test]
fn every_field_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (name, field) in all() {
        for ending in GENERAL {
            let path = folder.path().join(format!("{name}.{ending}"));
            export_field(&field, &path, &ExportOptions::default())
                .unwrap_or_else(|e| panic!("{name}.{ending}: {e}"));
            assert!(std::fs::metadata(path).unwrap().len() > 50);
        }
    }
}

#[test]
fn an_unknown_ending_names_the_known_ones() {
    let message = |path: &str| {
        ExportFormat::of_path(Path::new(path))
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(
        [
            message("model.pt"),
            message("model.onx"),
            message("model"),
            message("")
        ]
        .join("\n")
    );
}

#[test]
fn a_synchronised_field_is_refused() {
    let t = [0.0, 1.0, 2.0];
    let data = array![[1.0, 1.0], [2.0, 1.5], [1.0, 2.0]];
    let spline = SmoothingSpline::new(&t, data.insert_axis(ndarray::Axis(0)).view(), 0.0).unwrap();
    let field = synchronize(
        &lotka_volterra().unwrap(),
        Arc::new(spline),
        &Coupling::Scalar(1.0),
    )
    .unwrap();
    let error = field_source(&field, ExportFormat::C, &ExportOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("export the model itself"),
        "{error}"
    );
}

/// A field with an input for each of two samples: du/dt = w(t), w being 1 and 5.
fn of_two_samples() -> VectorField {
    let input = |x: f64| InputSignal::linear(&[0.0, 1.0], array![[x], [x]].view()).unwrap();
    let b = FieldBuilder::new(1);
    let w = b.input(
        "w",
        InputSignal::per_sample(&[input(1.0), input(5.0)]).unwrap(),
    );
    b.finish(w).unwrap()
}

#[test]
fn of_inputs_of_several_samples_one_is_chosen() {
    let field = of_two_samples();
    let source = |options: &ExportOptions| field_source(&field, ExportFormat::C, options);
    let error = source(&ExportOptions::default()).unwrap_err().to_string();
    assert!(
        error.contains("2 samples") && error.contains("#{ sample: 0 }"),
        "{error}"
    );
    let error = source(&ExportOptions::default().sample(2))
        .unwrap_err()
        .to_string();
    assert!(error.contains("there is no sample 2"), "{error}");
    let second = String::from_utf8(source(&ExportOptions::default().sample(1)).unwrap()).unwrap();
    assert!(second.contains("5.0, 0.0, 0.0, 0.0"), "{second}");
    assert!(!second.contains("1.0, 0.0, 0.0, 0.0"), "{second}");
}

#[test]
fn files_for_the_tests_of_other_languages() {
    let Some(folder) = std::env::var_os("EXPORT_TO") else {
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let numbers = |values: &[f64]| {
        let numbers: Vec<String> = values.iter().map(|x| format!("{x:e}")).collect();
        format!("[{}]", numbers.join(", "))
    };
    for (name, field) in all() {
        for ending in GENERAL {
            export_field(
                &field,
                folder.join(format!("{name}.{ending}")),
                &ExportOptions::default(),
            )
            .unwrap();
        }
        for (library, suffix) in [(PythonLibrary::Torch, "torch"), (PythonLibrary::Jax, "jax")] {
            let options = ExportOptions::default().target(library);
            export_field(&field, folder.join(format!("{name}_{suffix}.py")), &options).unwrap();
        }
        let states = states(field.dof());
        let derivatives = states
            .iter()
            .map(|(t, u)| numbers(&field.derivative(*t, u).unwrap()));
        let derivatives: Vec<String> = derivatives.collect();
        let t: Vec<f64> = states.iter().map(|(t, _)| *t).collect();
        let u: Vec<String> = states.iter().map(|(_, u)| numbers(u)).collect();
        // A short solve; not of what is stiff, or jumps with the state.
        let times = [0.0, 0.3, 0.6, 1.0];
        let options = SolveOptions {
            rtol: 1e-11,
            atol: 1e-13.into(),
            ..SolveOptions::default()
        };
        let u0 = vec![0.4; field.dof()];
        let rows = match name {
            "robertson" | "functions" | "operators" | "choices" => vec![],
            _ => {
                let solution = solve(&field, &u0, &times, &options).unwrap();
                solution
                    .u
                    .rows()
                    .into_iter()
                    .map(|row| numbers(&row.to_vec()))
                    .collect()
            }
        };
        let reference = format!(
            "{{\"t\": {}, \"u\": [{}], \"du\": [{}], \"times\": {}, \"u0\": {}, \"solution\": [{}]}}\n",
            numbers(&t),
            u.join(", "),
            derivatives.join(", "),
            numbers(&times),
            numbers(&u0),
            rows.join(", ")
        );
        std::fs::write(folder.join(format!("{name}.json")), reference).unwrap();
    }
}
