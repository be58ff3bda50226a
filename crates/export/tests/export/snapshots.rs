//! The files of two small fields, whole.

use ndarray::array;
use odesync_base::random::Generator;
use odesync_export::{ExportFormat, ExportOptions, LayerNames, PythonLibrary, field_source};
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{InputSignal, Unary, VectorField};
use odesync_train::models::{blackbox, driven_blackbox};

fn text(field: &VectorField, format: ExportFormat, options: &ExportOptions) -> String {
    let text = String::from_utf8(field_source(field, format, options).unwrap()).unwrap();
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// A network with an input, small enough to be read.
fn driven() -> VectorField {
    let force = InputSignal::linear(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [1.0]].view()).unwrap();
    let mut generator = Generator::manual_seed(10);
    driven_blackbox(&[3, 2, 2], Unary::Gelu, force, &mut generator).unwrap()
}

#[test]
fn equations_in_every_language() {
    let field = lotka_volterra().unwrap();
    let options = ExportOptions::default();
    insta::assert_snapshot!("equations.py", text(&field, ExportFormat::Python, &options));
    insta::assert_snapshot!("equations.jl", text(&field, ExportFormat::Julia, &options));
    insta::assert_snapshot!("equations.c", text(&field, ExportFormat::C, &options));
    insta::assert_snapshot!("equations.tex", text(&field, ExportFormat::Latex, &options));
    insta::assert_snapshot!(
        "equations.rhai",
        text(&field, ExportFormat::Script, &options)
    );
}

#[test]
fn network_in_every_language() {
    let field = driven();
    let options = ExportOptions::default();
    insta::assert_snapshot!("network.py", text(&field, ExportFormat::Python, &options));
    let torch = options.clone().target(PythonLibrary::Torch);
    insta::assert_snapshot!(
        "network_torch.py",
        text(&field, ExportFormat::Python, &torch)
    );
    let jax = options.clone().target(PythonLibrary::Jax);
    insta::assert_snapshot!("network_jax.py", text(&field, ExportFormat::Python, &jax));
    insta::assert_snapshot!("network.jl", text(&field, ExportFormat::Julia, &options));
    insta::assert_snapshot!("network.c", text(&field, ExportFormat::C, &options));
    insta::assert_snapshot!("network.tex", text(&field, ExportFormat::Latex, &options));
    insta::assert_snapshot!("network.rhai", text(&field, ExportFormat::Script, &options));
}

#[test]
fn the_same_field_gives_the_same_bytes() {
    for format in [
        ExportFormat::Onnx,
        ExportFormat::StateDict,
        ExportFormat::Python,
    ] {
        let bytes = || {
            let field = blackbox(&[2, 4, 2], Unary::Gelu, &mut Generator::manual_seed(3)).unwrap();
            field_source(
                &field,
                format,
                &ExportOptions::default().names(LayerNames::Paper),
            )
            .unwrap()
        };
        assert_eq!(bytes(), bytes());
    }
}
