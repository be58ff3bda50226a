//! Weights as PyTorch has them: written, read back, and files of other programs.

use std::path::Path;

use ndarray::array;
use odesync_base::random::Generator;
use odesync_export::{ExportOptions, LayerNames, export_field, from_torch};
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{InputSignal, Unary, VectorField};
use odesync_train::datasets::{read_tensors, tensor_bytes};
use odesync_train::models::{blackbox, driven_blackbox, second_order};

use crate::fields::states;

fn names(path: &Path) -> Vec<String> {
    read_tensors(path)
        .unwrap()
        .tensors
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn assert_same(read: &VectorField, field: &VectorField) {
    assert_eq!(read.params(), field.params());
    for (t, u) in states(field.dof()) {
        assert_eq!(
            read.derivative(t, &u).unwrap(),
            field.derivative(t, &u).unwrap()
        );
    }
}

#[test]
fn are_read_back_under_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let mut generator = Generator::manual_seed(10);
    let black = blackbox(&[2, 5, 4, 2], Unary::Tanh, &mut generator).unwrap();
    let second = second_order(&[4, 3, 2], Unary::Silu, &mut generator).unwrap();
    let cases = [
        (
            LayerNames::Layers,
            ["layers.0.bias", "layers.0.weight", "layers.1.bias"],
        ),
        (LayerNames::Sequential, ["0.bias", "0.weight", "2.bias"]),
        (
            LayerNames::Paper,
            [
                "hidden_layers.0.bias",
                "hidden_layers.0.weight",
                "hidden_layers.1.bias",
            ],
        ),
    ];
    for (kind, expected) in cases {
        export_field(&black, &path, &ExportOptions::default().names(kind)).unwrap();
        let mut found = names(&path);
        found.sort();
        assert_eq!(found[..3], expected);
        assert_same(&from_torch(&path, None, None).unwrap(), &black);
        export_field(&second, &path, &ExportOptions::default().names(kind)).unwrap();
        assert_same(
            &from_torch(&path, Some(Unary::Silu), None).unwrap(),
            &second,
        );
    }
}

#[test]
fn with_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let input = InputSignal::linear(&[0.0, 1.0], array![[0.0], [2.0]].view()).unwrap();
    let field = driven_blackbox(
        &[3, 4, 2],
        Unary::Gelu,
        input.clone(),
        &mut Generator::manual_seed(1),
    )
    .unwrap();
    export_field(&field, &path, &ExportOptions::default()).unwrap();
    assert_same(&from_torch(&path, None, Some(input)).unwrap(), &field);
    let error = from_torch(&path, None, None).unwrap_err().to_string();
    assert!(
        error.contains("the network takes 3 numbers and gives 2"),
        "{error}"
    );
}

/// Writes tensors of zeros and returns the message with which they are refused.
fn refused(tensors: &[(&str, &[usize])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let zeros = vec![0.0; 1000];
    let tensors: Vec<(String, Vec<usize>, &[f64])> = tensors
        .iter()
        .map(|(name, shape)| {
            (
                name.to_string(),
                shape.to_vec(),
                &zeros[..shape.iter().product()],
            )
        })
        .collect();
    std::fs::write(&path, tensor_bytes(&tensors, Default::default()).unwrap()).unwrap();
    let error = from_torch(&path, None, None).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "FILE")
}

#[test]
fn what_is_no_network_is_refused() {
    let cases = [
        refused(&[]),
        refused(&[("mean", &[2])]),
        refused(&[("l.0.weight", &[4, 2, 1]), ("l.0.bias", &[4])]),
        refused(&[("l.0.weight", &[4, 2])]),
        refused(&[
            ("l.0.weight", &[4, 2]),
            ("l.0.bias", &[4]),
            ("l.1.weight", &[2, 3]),
            ("l.1.bias", &[2]),
        ]),
        refused(&[
            ("l.0.weight", &[4, 2]),
            ("l.0.bias", &[3]),
            ("l.1.weight", &[2, 4]),
            ("l.1.bias", &[2]),
        ]),
        refused(&[
            ("l.0.weight", &[4, 2]),
            ("l.0.bias", &[4]),
            ("l.1.weight", &[2, 4]),
            ("l.1.bias", &[2]),
        ]),
        refused(&[("l.0.weight", &[5, 2]), ("l.0.bias", &[5])]),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn a_field_without_a_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let error =
        export_field(&lotka_volterra().unwrap(), &path, &ExportOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("this field has none: export it as .py"),
        "{error}"
    );
    assert!(!path.exists());
}
