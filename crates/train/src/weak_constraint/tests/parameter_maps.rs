//! The map from standardised parameters to those of a model, against a network that is evaluated in standardised coordinates.

use ndarray::Array2;

use super::super::affine_layers::affine_layers;
use super::super::parameter_map::ParameterMap;
use super::super::standardization::Standardization;
use crate::models::{blackbox, driven_blackbox, graybox, second_order};
use odesync_base::random::Generator;
use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{FieldBuilder, InputSignal, Parameters, Unary, VectorField, system};

fn generator() -> Generator {
    Generator::manual_seed(3)
}

fn draw(n: usize, size: f64) -> Vec<f64> {
    Generator::manual_seed(11).uniform_f64(-size, size, n)
}

/// Returns made-up means and standard deviations of very different sizes.
fn standardization(n: usize) -> Standardization {
    Standardization {
        mean: (0..n).map(|i| 3.0 - 2.0 * i as f64).collect(),
        sd: (0..n).map(|i| 0.5 * 10.0_f64.powi(i as i32)).collect(),
    }
}

/// Returns the map of a field, with made-up scales for the first and the last layer.
fn map_of(field: &VectorField) -> ParameterMap {
    let layers = affine_layers(field);
    let widths = layers.iter().map(|layer| layer.widths(field));
    let (inputs, outputs): (Vec<_>, Vec<_>) = widths
        .map(|(inputs, out)| (standardization(inputs), standardization(out)))
        .unzip();
    ParameterMap::new(field, &layers, &inputs, &outputs)
}

fn value(field: &VectorField, t: f64, u: &[f64]) -> Vec<f64> {
    let evaluator = Evaluator::new(field);
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; field.dof()]);
    evaluator.eval(0, t, u, &mut slot, &mut out);
    out
}

/// Evaluates the network of widths `nodes` with weights and biases w/√fan_in on standardised inputs, and gives its outputs their
/// scale.
fn standardised_network(nodes: &[usize], w: &[f64], x: &[f64]) -> Vec<f64> {
    let scale = standardization(x.len());
    let mut h: Vec<f64> = (0..x.len())
        .map(|i| (x[i] - scale.mean[i]) / scale.sd[i])
        .collect();
    let mut at = 0;
    for (layer, widths) in nodes.windows(2).enumerate() {
        let (inputs, out) = (widths[0], widths[1]);
        let by = 1.0 / (inputs as f64).sqrt();
        let (weight, bias) = w[at..].split_at(inputs * out);
        h = (0..out)
            .map(|o| {
                by * (bias[o]
                    + (0..inputs)
                        .map(|j| weight[o * inputs + j] * h[j])
                        .sum::<f64>())
            })
            .collect();
        if layer + 2 < nodes.len() {
            h.iter_mut().for_each(|h| *h = h.tanh());
        }
        at += inputs * out + out;
    }
    let scale = standardization(h.len());
    (0..h.len())
        .map(|i| scale.mean[i] + scale.sd[i] * h[i])
        .collect()
}

fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!(
            (got - want).abs() < 1e-11 * (1.0 + want.abs()),
            "{got} {want}"
        );
    }
}

/// Holds a field with the parameters of w to the values `want` of states and w.
fn check(field: &VectorField, u: &[f64], want: impl Fn(&[f64]) -> Vec<f64>) {
    let map = map_of(field);
    let w = draw(map.len(), 1.0);
    let moved = field.with_params(&map.theta(&w)).unwrap();
    assert_close(&value(&moved, 0.4, u), &want(&w));
}

#[test]
fn black_boxes() {
    let u = [2.7, -4.0];
    for nodes in [&[2, 2][..], &[2, 5, 2], &[2, 4, 3, 2]] {
        let field = blackbox(nodes, Unary::Tanh, &mut generator()).unwrap();
        check(&field, &u, |w| standardised_network(nodes, w, &u));
    }
}

#[test]
fn a_gray_box_with_a_nonlinear_known_part() {
    let (u, nodes) = ([2.7, -4.0], [2, 5, 2]);
    let field = graybox(
        &nodes,
        Unary::Tanh,
        &[("a", 1.5)],
        &mut generator(),
        |_, u, nn, p| {
            vec![
                p.get("a") * u.at(0).square() - u.at(1) * nn.at(0),
                nn.at(1).unary(Unary::Sin),
            ]
        },
    )
    .unwrap();
    check(&field, &u, |w| {
        let nn = standardised_network(&nodes, w, &u);
        vec![1.5 * u[0] * u[0] - u[1] * nn[0], nn[1].sin()]
    });
}

#[test]
fn second_order_and_driven_models() {
    let u = [2.7, -4.0];
    let field = second_order(&[2, 6, 1], Unary::Tanh, &mut generator()).unwrap();
    check(&field, &u, |w| {
        vec![u[1], standardised_network(&[2, 6, 1], w, &u)[0]]
    });
    // The input is 0.8 at t = 0.4.
    let input = InputSignal::linear(&[0.0, 1.0], ndarray::array![[0.0], [2.0]].view()).unwrap();
    let field = driven_blackbox(&[3, 6, 2], Unary::Tanh, input, &mut generator()).unwrap();
    check(&field, &u, |w| {
        standardised_network(&[3, 6, 2], w, &[u[0], u[1], 0.8])
    });
}

/// Returns a field of one layer with weights only, and a frozen constant.
fn without_bias() -> VectorField {
    let b = FieldBuilder::new(2);
    let weight = b
        .block("weight", &[2, 2], &[0.1, 0.2, 0.3, 0.4], true)
        .unwrap();
    let c = b.constant_parameter("c", 2.0);
    b.finish(c * b.affine(weight, None, &b.state())).unwrap()
}

#[test]
fn a_network_without_bias_keeps_the_origin() {
    let (u, input) = ([2.7, -4.0], standardization(2));
    check(&without_bias(), &u, |w| {
        let row = |o: usize| -> f64 {
            let sum: f64 = (0..2).map(|j| w[2 * o + j] * u[j] / input.sd[j]).sum();
            2.0 * input.sd[o] * sum / 2.0_f64.sqrt()
        };
        vec![row(0), row(1)]
    });
}

/// Returns equations with constants: one of them zero, one frozen, one negative.
fn equations() -> VectorField {
    let constants = [
        ("a", 3.0),
        ("zero", 0.0),
        ("frozen", 5.0),
        ("negative", -0.2),
    ];
    let f = |_, u: odesync_ode::field::Expr, p: Parameters| {
        vec![p.get("a") * u.at(0) + p.get("zero") + p.get("frozen") * p.get("negative")]
    };
    system(1, &constants, f)
        .unwrap()
        .trainable(&["a", "zero", "negative"])
        .unwrap()
}

#[test]
fn constants() {
    let field = equations();
    let map = map_of(&field);
    assert_close(&map.theta(&[0.0; 3]), &[3.0, 0.0, -0.2]);
    assert_eq!(map.initial(&field, &[]), [0.0; 3]);
    // Proportional near the first value, on a logarithmic scale far above it, and of either sign.
    let moved = map.theta(&[1e-7; 3]);
    let slope = 1e-7 * 2.0_f64.sqrt();
    assert_close(&moved, &[3.0 * (1.0 + slope), 1e-7, -0.2 * (1.0 + slope)]);
    let (far, farther) = (map.theta(&[9.0; 3]), map.theta(&[10.0; 3]));
    assert!((farther[0] / far[0] - 1.0_f64.exp()).abs() < 1e-6);
    assert!(map.theta(&[-3.0; 3])[0] < 0.0);
}

fn all_fields() -> Vec<VectorField> {
    let input = InputSignal::linear(&[0.0, 1.0], Array2::ones((2, 1)).view()).unwrap();
    let mixed = graybox(
        &[2, 4, 2],
        Unary::Tanh,
        &[("a", 1.5)],
        &mut generator(),
        |_, u, nn, p| vec![p.get("a") * u.at(0) + nn.at(0), nn.at(1)],
    );
    vec![
        blackbox(&[2, 4, 3, 2], Unary::Tanh, &mut generator()).unwrap(),
        mixed.unwrap().trainable(&["a"]).unwrap(),
        second_order(&[2, 4, 1], Unary::Tanh, &mut generator()).unwrap(),
        driven_blackbox(&[3, 4, 2], Unary::Tanh, input, &mut generator()).unwrap(),
        blackbox(&[2, 2], Unary::Tanh, &mut generator()).unwrap(),
        without_bias(),
        equations(),
    ]
}

#[test]
fn gradients_are_those_of_the_map() {
    for field in all_fields() {
        let map = map_of(&field);
        let (w, d_theta) = (draw(map.len(), 1.0), draw(map.len(), 3.0));
        let mut got = vec![0.0; map.len()];
        map.pull_back(&w, &d_theta, &mut got);
        for i in 0..map.len() {
            let along = |h: f64| -> f64 {
                let mut moved = w.clone();
                moved[i] += h;
                let theta = map.theta(&moved);
                theta.iter().zip(&d_theta).map(|(theta, d)| theta * d).sum()
            };
            let want = (along(1e-4) - along(-1e-4)) / 2e-4;
            assert!(
                (got[i] - want).abs() < 1e-6 * (1.0 + want.abs()),
                "{i}: {} {want}",
                got[i]
            );
        }
    }
}

#[test]
fn a_fresh_network_is_a_draw_and_a_trained_one_is_kept() {
    for field in all_fields() {
        let (map, layers) = (map_of(&field), affine_layers(&field));
        let theta = field.params();
        // Weights and biases of a fresh network are uniform in ±1/√fan_in: w is uniform in ±1, whatever the scales.
        if !layers.is_empty() {
            let fresh = map.initial(&field, &layers);
            assert!(fresh.iter().all(|w| w.abs() <= 1.0 + 1e-6));
            assert!(fresh.iter().any(|w| w.abs() > 0.5));
        }
        // Ten times larger ones are none: the model stays the one that is given.
        let trained: Vec<f64> = theta.iter().map(|x| 10.0 * x).collect();
        let model = field.with_params(&trained).unwrap();
        let map = map_of(&model);
        assert_close(&map.theta(&map.initial(&model, &layers)), &trained);
    }
}
