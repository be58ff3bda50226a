//! Tests against PyTorch 2.11.0 (CPU, AVX2). The values were printed with numpy's shortest float32 representation after
//! `torch.manual_seed(seed)` by the calls named at each test.

use super::*;
use odesync_testing::{golden, matrix, numbers};

/// Tolerance of a float32 normal draw: a few units in the last place, since PyTorch computes it by a vectorised logarithm, root,
/// sine and cosine.
fn assert_normal(ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len());
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let bound = 4.0 * f32::EPSILON * b.abs();
        assert!((a - b).abs() <= bound, "draw {i}: {a:?} against {b:?}");
    }
}

#[test]
fn engine_is_mt19937() {
    // The reference implementation's first and ten-thousandth output for its default seed (also in the C++ standard).
    let mut generator = Generator::manual_seed(5489);
    assert_eq!(generator.random(), 3_499_211_612);
    for _ in 0..9998 {
        generator.random();
    }
    assert_eq!(generator.random(), 4_123_659_995);
}

#[test]
fn permutations_are_those_of_randperm() {
    // torch.randperm(10) after torch.manual_seed(0)
    let permutation = Generator::manual_seed(0).permutation(10);
    assert_eq!(permutation, [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
    assert!(Generator::manual_seed(0).permutation(0).is_empty());
}

#[test]
fn uniform_float32_is_exact() {
    // torch.empty(n).uniform_(low, high)
    let cases: [(u64, f64, f64, &[f32]); 3] = [
        (
            7,
            -0.3,
            0.8,
            &[
                0.2884148,
                -0.0813165,
                0.42513287,
                0.42257932,
                -0.04396229,
                0.16756754,
            ],
        ),
        (
            7,
            0.1,
            7.3,
            &[
                3.9514425, 1.531383, 4.8463244, 4.8296103, 1.7758833, 3.1604424,
            ],
        ),
        // Only the low 32 bits of a seed matter.
        (
            (1 << 32) + 7,
            0.0,
            1.0,
            &[0.53492254, 0.19880319, 0.6592117],
        ),
    ];
    for (seed, low, high, theirs) in cases {
        let mut generator = Generator::manual_seed(seed);
        assert_eq!(generator.uniform(low, high, theirs.len()), theirs);
    }
}

#[test]
fn thousand_uniform_draws_are_exact() {
    // x = torch.empty(1000).uniform_(-0.3, 0.8); exclusive or and sum of the bit patterns
    let draws = Generator::manual_seed(7).uniform(-0.3, 0.8, 1000);
    assert_eq!(draws[998..], [0.14828308, 0.77816534]);
    let bits = draws.iter().map(|x| x.to_bits());
    assert_eq!(bits.clone().fold(0, |a, b| a ^ b), 0x1f4_dc31);
    assert_eq!(bits.map(u64::from).sum::<u64>(), 0x17c_b9ae_251d);
}

#[test]
fn uniform_float64_is_exact() {
    // torch.empty(6, dtype=torch.float64).uniform_(-0.3, 0.8)
    let theirs = [
        -0.26248098478442744,
        0.015414249393437676,
        0.5502064387614428,
        -0.10758026779057583,
        0.5309068588104888,
        0.36907568961277554,
    ];
    assert_eq!(Generator::manual_seed(3).uniform_f64(-0.3, 0.8, 6), theirs);
}

#[test]
fn short_normal_draws() {
    // torch.randn(n), n < 16: float64 pairs
    let cases: [(u64, &[f32]); 3] = [
        (10, &[-0.6013928]),
        (
            10,
            &[-0.6013928, -1.0122098, -0.30226925, -1.2276864, 0.91982824],
        ),
        (
            0,
            &[
                1.5409961,
                -0.2934289,
                -2.1787894,
                0.56843126,
                -1.0845224,
                -1.3985955,
                0.40334684,
                0.83802634,
                -0.7192576,
                -0.40334353,
                -0.59663534,
                0.18203649,
                -0.8566746,
                1.1006042,
                -1.0711874,
            ],
        ),
    ];
    for (seed, theirs) in cases {
        let ours = Generator::manual_seed(seed).normal(0.0, 1.0, theirs.len());
        assert_normal(&ours, theirs);
    }
}

#[test]
fn block_normal_draws() {
    // torch.randn(n), n >= 16: blocks of 16, the last 16 drawn again when n is not a multiple
    let cases: [(u64, &[f32]); 3] = [
        (
            10,
            &[
                -0.817334,
                -0.5555685,
                -0.82668954,
                -1.2969544,
                -0.19737878,
                -0.96433353,
                -0.5132989,
                2.6277847,
                -0.7464958,
                1.0050938,
                -0.25683922,
                0.47649285,
                -0.6652101,
                -0.36266556,
                -1.4503511,
                -0.24958687,
            ],
        ),
        (
            2023,
            &[
                0.43047658,
                -1.3397279,
                -0.36485666,
                0.25399405,
                -1.4082499,
                0.2834718,
                -0.9333327,
                -0.6278479,
                -2.8575084,
                -2.2086177,
                -1.1255676,
                0.024818009,
                1.2566363,
                -0.936987,
                0.048637968,
                0.28411,
                -0.31411245,
            ],
        ),
        (
            10,
            &[
                -0.817334,
                -0.5555685,
                -0.82668954,
                -1.2969544,
                -0.19737878,
                -0.96433353,
                -0.5132989,
                2.6277847,
                -0.7464958,
                1.0050938,
                -0.25683922,
                0.47649285,
                -0.6652101,
                -0.36266556,
                -1.4503511,
                -0.24958687,
                0.8297732,
                1.1209472,
                0.9999133,
                1.1166945,
                1.0762837,
                -0.06622858,
                0.13152696,
                0.1680934,
                1.6294132,
                -2.11842,
                0.7827582,
                0.9303699,
                0.78012455,
                -0.94157475,
                -0.85892105,
                0.356902,
                1.3358183,
                0.30752665,
                0.62777656,
                -0.100535475,
                1.0506382,
                -0.6453589,
                0.9943506,
                -1.6354246,
            ],
        ),
    ];
    for (seed, theirs) in cases {
        let ours = Generator::manual_seed(seed).normal(0.0, 1.0, theirs.len());
        assert_normal(&ours, theirs);
    }
    // x = torch.randn(1000); x.double().sum(), (x.double() ** 2).sum(), five of the values
    let long = Generator::manual_seed(4).normal(0.0, 1.0, 1000);
    let picked: Vec<f32> = [0, 499, 983, 984, 999].map(|i| long[i]).to_vec();
    assert_normal(
        &picked,
        &[-0.9414165, 0.04603692, 0.86332446, 0.53738177, -1.244766],
    );
    let wide = long.iter().map(|x| f64::from(*x));
    assert!((wide.clone().sum::<f64>() + 58.930298638762906).abs() < 1e-4);
    assert!((wide.map(|x| x * x).sum::<f64>() - 1054.1971173340924).abs() < 1e-3);
}

#[test]
fn mean_and_standard_deviation() {
    // torch.normal(1.5, torch.full((n,), 2.0)), n = 5 and 20
    let short = Generator::manual_seed(10).normal(1.5, 2.0, 5);
    let theirs = [0.2972144, -0.52441955, 0.8954615, -0.9553728, 3.3396564];
    for (a, b) in short.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-6, "{a} against {b}");
    }
    let long = Generator::manual_seed(10).normal(1.5, 2.0, 20);
    let theirs = [-0.134668, 0.38886297, -0.15337908, -1.0939088, 3.6525674];
    for (a, b) in long.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-6, "{a} against {b}");
    }
}

#[test]
fn draws_of_different_kinds_in_a_row() {
    // torch.randn(3), torch.rand(2), torch.randn(16), torch.randn(2): the odd short draw leaves half a pair behind
    // that the next short draw takes.
    let mut generator = Generator::manual_seed(10);
    assert_normal(
        &generator.normal(0.0, 1.0, 3),
        &[-0.6013928, -1.0122098, -0.30226925],
    );
    assert_eq!(generator.uniform(0.0, 1.0, 2), [0.6177955, 0.33036596]);
    assert_normal(
        &generator.normal(0.0, 1.0, 16)[..2],
        &[-0.945265, -1.0832127],
    );
    assert_normal(&generator.normal(0.0, 1.0, 2), &[-1.2276864, 0.7409506]);
}

/// Draws the parameters of a network of `torch.nn.Linear` layers.
fn linear_layers(nodes: &[usize], seed: u64) -> Vec<f64> {
    let mut generator = Generator::manual_seed(seed);
    let mut params = Vec::new();
    for pair in nodes.windows(2) {
        let (fan_in, fan_out) = (pair[0], pair[1]);
        let weight = linear_weight_bound(fan_in);
        params.extend(generator.uniform(-weight, weight, fan_in * fan_out));
        let bias = linear_bias_bound(fan_in);
        params.extend(generator.uniform(-bias, bias, fan_out));
    }
    params.into_iter().map(f64::from).collect()
}

#[test]
fn initial_parameters_equal_the_reference() {
    let file = golden("losses_and_gradients");
    for name in ["lv_blackbox", "lv_graybox", "lorenz_blackbox"] {
        let case = &file[name];
        let nodes: Vec<usize> = numbers(&case["nodes"])
            .iter()
            .map(|n| *n as usize)
            .collect();
        let seed = case["seed"].as_u64().expect("a seed");
        assert_eq!(
            linear_layers(&nodes, seed),
            numbers(&case["params"]),
            "{name}"
        );
    }
    let hessian = golden("hessian");
    let seed = hessian["seed"].as_u64().expect("a seed");
    assert_eq!(linear_layers(&[2, 8, 2], seed), numbers(&hessian["params"]));
}

#[test]
fn linear_bounds_are_pytorch_s() {
    // math.sqrt(3.0) * (nn.init.calculate_gain("leaky_relu", math.sqrt(5)) / math.sqrt(n)) and 1 / math.sqrt(n)
    for (n, weight, bias) in [
        (2, 0.7071067811865474, 0.7071067811865475),
        (3, 0.5773502691896257, 0.5773502691896258),
        (20, 0.22360679774997894, 0.22360679774997896),
        (50, 0.14142135623730948, 0.1414213562373095),
    ] {
        assert_eq!(linear_weight_bound(n), weight);
        assert_eq!(linear_bias_bound(n), bias);
    }
}

#[test]
fn noise_is_the_reference_s() {
    // The Lorenz data is the clean solution + 0.25 z: z is the rest after subtracting the reference solution (t <= 3, where
    // that is accurate to 1e-8).
    let case = &golden("losses_and_gradients")["lorenz_blackbox"];
    let clean = matrix(&golden("trajectories")["lorenz3d"]["u"]);
    let noisy = matrix(&case["u"]);
    let (times, dof) = noisy.dim();
    let z = Generator::manual_seed(10).normal(0.0, 1.0, times * dof);
    for i in 0..times {
        for j in 0..dof {
            let theirs = (noisy[[i, j]] - clean[[i, j]]) / 0.25;
            let ours = f64::from(z[j * times + i]);
            assert!((theirs - ours).abs() < 2e-6, "{i} {j}: {ours} {theirs}");
        }
    }
}

#[test]
fn a_saved_state_goes_on_exactly() {
    let mut generator = Generator::manual_seed(10);
    generator.uniform(0.0, 1.0, 700);
    generator.normal(0.0, 1.0, 3);
    let saved = serde_json::to_string(&generator).unwrap();
    let mut resumed: Generator = serde_json::from_str(&saved).unwrap();
    assert_eq!(resumed, generator);
    assert_eq!(resumed.seed(), 10);
    assert_eq!(resumed.normal(0.0, 1.0, 40), generator.normal(0.0, 1.0, 40));
    assert_eq!(resumed.normal(0.0, 1.0, 1), generator.normal(0.0, 1.0, 1));
}

#[test]
fn a_damaged_state_is_an_error() {
    let state = serde_json::to_value(Generator::manual_seed(1)).unwrap();
    let mut short = state.clone();
    short["engine"]["words"].as_array_mut().unwrap().pop();
    let message = serde_json::from_value::<Generator>(short)
        .unwrap_err()
        .to_string();
    assert!(message.contains("624 words, not 623"), "{message}");
    let mut beyond = state;
    beyond["engine"]["next"] = 625.into();
    assert!(serde_json::from_value::<Generator>(beyond).is_err());
}

#[test]
fn a_generator_can_cross_threads() {
    let mut generator = Generator::manual_seed(10);
    let draw = std::thread::spawn(move || generator.uniform(0.0, 1.0, 1))
        .join()
        .unwrap();
    assert_eq!(draw, [0.45808464]);
}
