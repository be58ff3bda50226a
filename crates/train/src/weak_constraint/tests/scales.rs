//! The scales of a network's outputs, against the values that the network has to take.

use ndarray::Array2;

use super::super::affine_layers::affine_layers;
use super::super::network_scales::network_scales;
use super::super::standardization::Standardization;
use crate::models::graybox;
use odesync_base::random::Generator;
use odesync_ode::field::Unary;

/// The network's outputs are multiplied by functions of the state, and one of them acts on two equations.
#[test]
fn a_network_times_functions_of_the_state() {
    let mut generator = Generator::manual_seed(3);
    let nodes = [3, 8, 2];
    let model = graybox(
        &nodes,
        Unary::Tanh,
        &[("a", 1.5)],
        &mut generator,
        |_, u, nn, p| {
            let growth = u.at(1) * nn.at(0);
            vec![
                p.get("a") * u.at(0) - &growth,
                growth,
                u.at(2).square() * nn.at(1),
            ]
        },
    )
    .unwrap();
    let scaling = Standardization {
        mean: vec![1.0, 20.0, -3.0],
        sd: vec![0.5, 10.0, 0.1],
    };
    // What the network has to give at each point.
    let wanted = |i: f64| {
        [
            100.0 + 7.0 * (1.3 * i).sin(),
            -0.02 + 0.001 * (0.4 * i).cos(),
        ]
    };
    let (mut points, mut dz, mut outputs) = (vec![], vec![], vec![]);
    for i in 0..40 {
        let i = f64::from(i);
        let u = vec![
            1.0 + (0.3 * i).sin(),
            20.0 + 5.0 * (0.7 * i).cos(),
            -3.0 + 0.1 * (0.2 * i).sin(),
        ];
        let [first, second] = wanted(i);
        let du = [
            1.5 * u[0] - u[1] * first,
            u[1] * first,
            u[2] * u[2] * second,
        ];
        dz.extend((0..3).map(|j| du[j] / scaling.sd[j]));
        points.push((0, 0.1 * i, u));
        outputs.push([first, second]);
    }
    let dz = Array2::from_shape_vec((40, 3), dz).unwrap();
    let layers = affine_layers(&model);
    let (inputs, scales, residual) =
        network_scales(&model, &layers, (&points, &dz), &scaling, None).unwrap();
    assert_eq!(inputs[0], scaling);
    for o in 0..2 {
        let mean = outputs.iter().map(|x| x[o]).sum::<f64>() / 40.0;
        let variance = outputs.iter().map(|x| (x[o] - mean).powi(2)).sum::<f64>() / 40.0;
        assert!((scales[1].mean[o] - mean).abs() < 1e-9 * mean.abs());
        assert!((scales[1].sd[o] - variance.sqrt()).abs() < 1e-9 * mean.abs());
    }
    // The known part, 1.5 u_0, is taken off.
    for (p, (_, _, u)) in points.iter().enumerate() {
        let left = dz[[p, 0]] - 1.5 * u[0] / scaling.sd[0];
        assert!((residual[[p, 0]] - left).abs() < 1e-9 * left.abs());
    }
}
