use ndarray::{Array1, Array2, Array3, Axis, array, s};

use super::*;
use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_testing::{golden, matrix, numbers};

const NAN: f64 = f64::NAN;

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("should be refused").to_string()
}

fn data() -> Dataset {
    let t = Array1::from(vec![0.0, 1.0, 2.0, 4.0]);
    let u = array![
        [[1.0, 10.0], [2.0, 20.0], [3.0, NAN], [6.0, 60.0]],
        [[-1.0, 0.0], [-2.0, 0.0], [-3.0, 0.0], [-4.0, 0.0]],
    ];
    Dataset::new(t, u, None).unwrap()
}

#[test]
fn accessors_and_defaults() {
    let data = data();
    assert_eq!((data.samples(), data.len(), data.dof()), (2, 4, 2));
    assert_eq!(data.u0(), array![[1.0, 10.0], [-1.0, 0.0]]);
    assert_eq!(data.names(), ["u[0]", "u[1]"]);
    assert!(data.has_missing());
    assert!(!data.head(2).unwrap().has_missing());
    assert_eq!(data.sample(1).unwrap()[[3, 0]], -4.0);
    assert!(data.sample(2).is_none());
    assert_eq!(data.mean(), array![[3.0, 30.0], [-2.5, 0.0]]);
    // numpy.std([1, 2, 3, 6]), numpy.std([10, 20, 60])
    let std = data.std();
    assert!((std[[0, 0]] - 1.8708286933869707).abs() < 1e-14);
    assert!((std[[0, 1]] - 21.602468994692867).abs() < 1e-13);
}

#[test]
fn parts_keep_their_times() {
    let data = data();
    let part = data.slice(1, 3).unwrap();
    assert_eq!(part.t(), array![1.0, 2.0]);
    assert_eq!(part.u0(), array![[2.0, 20.0], [-2.0, 0.0]]);
    let with_u0 = Dataset::new(
        data.t().to_owned(),
        data.u().to_owned(),
        Some(array![[0.9, 9.0], [-0.9, 0.1]]),
    )
    .unwrap();
    assert_eq!(with_u0.head(3).unwrap().u0(), with_u0.u0());
    assert_eq!(with_u0.head(3).unwrap().len(), 3);
    assert!(message(data.slice(2, 4)).contains("component 1 of sample 0 is missing"));
    for (from, to) in [(0, 1), (0, 5), (3, 2), (usize::MAX, 2)] {
        assert!(
            message(data.slice(from, to)).contains("at least two"),
            "{from} {to}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_place() {
    let t = || array![0.0, 1.0, 2.0];
    let u = || Array2::<f64>::ones((3, 2));
    let single = |t: Array1<f64>, u: Array2<f64>| message(Dataset::single(t, u, None));
    assert!(single(array![0.0, 1.0], u()).contains("2 times but u has 3 rows"));
    assert!(
        single(array![0.0], Array2::ones((1, 2)))
            .contains("1 time: a trajectory needs at least two")
    );
    assert!(single(t(), Array2::ones((3, 0))).contains("empty"));
    assert!(message(Dataset::new(t(), Array3::ones((0, 3, 1)), None)).contains("empty"));
    assert!(single(array![0.0, 2.0, 1.0], u()).contains("t[2] = 1 is less"));
    assert!(single(array![0.0, 2.0, 2.0], u()).contains("t[2] = 2 repeats"));
    assert!(single(array![0.0, f64::INFINITY, 2.0], u()).contains("t[1] is inf"));
    let mut infinite = u();
    infinite[[2, 1]] = f64::NEG_INFINITY;
    assert!(single(t(), infinite).contains("u[0, 2, 1] is -inf"));
    let mut unknown = u();
    unknown[[0, 1]] = NAN;
    let error = single(t(), unknown.clone());
    assert!(
        error.contains("component 1 is missing") && error.contains("give u0"),
        "{error}"
    );
    assert!(Dataset::single(t(), unknown, Some(array![1.0, 2.0])).is_ok());
    assert!(message(Dataset::single(t(), u(), Some(array![1.0]))).contains("must be [1, 2]"));
    assert!(message(Dataset::single(t(), u(), Some(array![1.0, NAN]))).contains("u0[0, 1] is NaN"));
    let named = |names: &[&str]| {
        message(
            Dataset::single(t(), u(), None)
                .unwrap()
                .with_names(names.to_vec()),
        )
    };
    assert!(named(&["x"]).contains("1 name for 2 components"));
    assert!(named(&["x", "x"]).contains("two components are named \"x\""));
    assert!(named(&["x", " "]).contains("component 1 is empty"));
}

#[test]
fn noise_relative_to_the_mean_gives_the_reference_s_data() {
    let case = &golden("losses_and_gradients")["lv_blackbox"];
    let clean = &golden("trajectories")["lotka_volterra"];
    let t = numbers(&case["t"]);
    let n = t.len();
    let u = matrix(&clean["u"]).slice(s![..n, ..]).to_owned();
    let data = Dataset::single(t.into(), u.clone(), None).unwrap();
    let noisy = data.add_noise_seeded(0.05, RelativeTo::Mean, 10).unwrap();
    let theirs = matrix(&case["u"]);
    for ((i, ours), theirs) in noisy.u().index_axis(Axis(0), 0).indexed_iter().zip(&theirs) {
        assert!(
            (ours - theirs).abs() < 1e-7,
            "{i:?}: {ours} against {theirs}"
        );
    }
    assert_eq!(noisy.u0().row(0), u.row(0));
    assert_eq!(numbers(&case["u0"]), noisy.u0().row(0).to_vec());
}

#[test]
fn absolute_noise_gives_the_reference_s_data() {
    let case = &golden("losses_and_gradients")["lorenz_blackbox"];
    let t = numbers(&case["t"]);
    let n = t.len();
    let u = matrix(&golden("trajectories")["lorenz3d"]["u"])
        .slice(s![..n, ..])
        .to_owned();
    let data = Dataset::single(t.into(), u, None).unwrap();
    let mut generator = Generator::manual_seed(10);
    let noisy = data
        .add_noise(0.25, RelativeTo::Nothing, &mut generator)
        .unwrap();
    for (ours, theirs) in noisy.u().iter().zip(&matrix(&case["u"])) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} against {theirs}");
    }
    // The generator continues after the draw.
    let next_draw = data
        .add_noise(0.25, RelativeTo::Nothing, &mut generator)
        .unwrap();
    assert!((next_draw.u()[[0, 1, 0]] - noisy.u()[[0, 1, 0]]).abs() > 1e-3);
}

#[test]
fn noise_is_laid_out_by_sample_component_time() {
    let data = data();
    let noisy = data.add_noise_seeded(2.0, RelativeTo::Std, 3).unwrap();
    let z = Generator::manual_seed(3).normal(0.0, 1.0, 16);
    let std = data.std();
    for ((sample, time, component), value) in noisy.u().indexed_iter() {
        let clean = data.u()[[sample, time, component]];
        let z = f64::from(z[sample * 8 + component * 4 + time]);
        let expected = clean + 2.0 * std[[sample, component]] * z;
        assert!(value.is_nan() && clean.is_nan() || (value - expected).abs() < 1e-12);
    }
    assert!(noisy.u()[[0, 2, 1]].is_nan());
    assert_eq!(noisy.u0(), data.u0());
}

#[test]
fn unfit_noise_is_refused() {
    for amplitude in [-0.1, NAN, f64::INFINITY] {
        let refused = data().add_noise_seeded(amplitude, RelativeTo::Nothing, 1);
        assert!(message(refused).contains("finite and not negative"));
    }
    let refused = data().add_noise_seeded(1e308, RelativeTo::Mean, 1);
    assert!(message(refused).contains("lower the amplitude"));
    assert_eq!(RelativeTo::from_name("std").unwrap(), RelativeTo::Std);
    let error = message(RelativeTo::from_name("maen"));
    assert!(error.contains("did you mean \"mean\""), "{error}");
}

fn ragged() -> Dataset {
    Dataset::ragged(
        vec![
            (
                array![0.0, 1.0, 2.0],
                array![[1.0, 10.0], [2.0, NAN], [3.0, 30.0]],
            ),
            (array![0.5, 1.0], array![[7.0, 70.0], [9.0, 90.0]]),
        ],
        None,
    )
    .unwrap()
}

#[test]
fn samples_may_have_times_of_their_own() {
    let data = ragged();
    assert!(!data.is_uniform());
    assert_eq!((data.samples(), data.len(), data.dof()), (2, 4, 2));
    assert_eq!(data.t0(), [0.0, 0.5]);
    assert_eq!(data.u0(), array![[1.0, 10.0], [7.0, 70.0]]);
    // A sample has missing values at times of other samples.
    assert_eq!(data.t(), array![0.0, 0.5, 1.0, 2.0]);
    let u = data.u();
    let there = u.map(|x| !x.is_nan());
    assert_eq!(
        there.index_axis(Axis(0), 1),
        array![[false, false], [true, true], [true, true], [false, false]]
    );
    assert_eq!(u[[0, 3, 1]], 30.0);
    assert_eq!(u[[1, 2, 0]], 9.0);
    assert_eq!(data.mean(), array![[2.0, 20.0], [8.0, 80.0]]);
    assert_eq!(data.std().row(1), array![1.0, 10.0]);
    assert_eq!(data.head(2).unwrap().times(0).unwrap(), array![0.0, 1.0]);
    assert!(message(data.head(3)).contains("the shortest sample has 2"));
    let one = data.single_sample(1).unwrap();
    assert!(one.is_uniform());
    assert_eq!(one.t(), array![0.5, 1.0]);
    assert!(message(data.single_sample(2)).contains("the data have 2"));
    assert!(
        ragged().single_sample(0).unwrap().has_missing() && !one.has_missing(),
        "a time that another sample has is not a missing value"
    );
}

#[test]
fn equal_times_make_uniform_data_and_joining_keeps_the_order() {
    let data = data();
    let parts = [
        data.single_sample(0).unwrap(),
        data.single_sample(1).unwrap(),
    ];
    let joined = Dataset::join(&parts).unwrap();
    assert!(joined.is_uniform());
    assert_eq!(joined.t(), data.t());
    assert_eq!(
        joined.u().map(|x| x.to_bits()),
        data.u().map(|x| x.to_bits())
    );
    assert_eq!(joined.u0(), data.u0());
    let named = data.clone().with_names(["x", "v"]).unwrap();
    let all = Dataset::join(&[ragged(), named.clone()]).unwrap();
    assert_eq!((all.samples(), all.names()), (4, named.names()));
    let other = data.clone().with_names(["v", "x"]).unwrap();
    assert!(message(Dataset::join(&[named, other])).contains("named v, x, those before x, v"));
    let single = Dataset::single(array![0.0, 1.0], array![[1.0], [2.0]], None).unwrap();
    assert!(message(Dataset::join(&[data, single])).contains("part 0 has 2, part 1 1"));
    assert!(message(Dataset::join(&[])).contains("is empty"));
}

#[test]
fn noise_on_ragged_data_is_one_draw_sample_after_sample() {
    let data = ragged();
    let noisy = data.add_noise_seeded(0.1, RelativeTo::Nothing, 3).unwrap();
    let z = Generator::manual_seed(3).normal(0.0, 1.0, 10);
    let at = |sample: usize, time: usize, component: usize| {
        noisy.sample(sample).unwrap()[[time, component]]
            - data.sample(sample).unwrap()[[time, component]]
    };
    assert!((at(0, 2, 0) - 0.1 * f64::from(z[2])).abs() < 1e-15);
    assert!((at(0, 0, 1) - 0.1 * f64::from(z[3])).abs() < 1e-14);
    assert!((at(1, 1, 1) - 0.1 * f64::from(z[9])).abs() < 1e-13);
    assert!(at(0, 1, 1).is_nan());
    assert_eq!(noisy.u0(), data.u0());
}
