//! Derivatives of solves of `M du/dt = f(t, u)`: exact ones against differences on the same steps, the continuous adjoint and gradients
//! through jumps against differences of solves.

use super::mass_matrix::{FIRST_OF_TWO, METHODS, nonlinear, with};
use odesync_base::options::Named;
use odesync_ode::field::native::{Evaluator, interleave};
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::second_derivatives::{self, OutputCotangents};
use odesync_ode::odesolve::{
    Adjoint, Dose, Engine, Event, Jump, NativeEngine, Problem, RecordedSteps, SolveOptions,
    Tangent, jvp, solve,
};

const T: [f64; 5] = [0.0, 0.13, 0.5, 0.77, 1.6];
/// Not consistent: the gradient goes back over the search for a state that is.
const U0: [f64; 2] = [1.1, 0.7];

/// A system with a full mass matrix of rank 2 in three variables, time in every equation, and a parameter in each.
fn full() -> (VectorField, Vec<Vec<f64>>) {
    // Equations A f(B v): rows of A are (1, 2, 0), (0, 1, −1), (1, 0, 3); B v = (v₀ + v₂, v₁, v₂ − v₁).
    let field = system(3, &[("a", 0.8), ("b", 1.2), ("c", 0.5)], |t, v, p| {
        let (x, y, z) = (v.at(0) + v.at(2), v.at(1), v.at(2) - v.at(1));
        let f = p.get("a") * &y - &x * &z;
        let g = t.sin() - p.get("b") * x.square() - &y;
        let h = &z + p.get("c") * z.square() * &z - &x * (1.0 + t.square()) - &y * p.get("b");
        vec![&f + 2.0 * &g, &g - &h, f + 3.0 * h]
    });
    // A diag(1, 1, 0) B.
    let mass = [[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]];
    (field.unwrap(), mass.map(|row| row.to_vec()).to_vec())
}

/// The fields with their initial states and options.
fn cases(method: &str) -> Vec<(VectorField, Vec<f64>, SolveOptions)> {
    let (field, mass) = full();
    let options = SolveOptions::default().solver(method).unwrap();
    let options = options.mass_matrix(&mass).unwrap();
    let regular = with(method, &[&[2.0, 1.0], &[-1.0, 3.0]]);
    let trainable = |field: VectorField, names: &[&str]| field.trainable(names).unwrap();
    vec![
        (
            trainable(nonlinear(), &["a", "b"]),
            U0.to_vec(),
            with(method, FIRST_OF_TWO),
        ),
        (
            trainable(field, &["a", "b", "c"]),
            vec![0.4, -0.3, 0.5],
            options,
        ),
        (trainable(nonlinear(), &["a", "b"]), U0.to_vec(), regular),
    ]
}

fn bars(n: usize) -> Vec<f64> {
    (0..n).map(|i| (1.3 * i as f64 + 0.4).sin()).collect()
}

/// Moves the initial state and the parameters along a direction.
fn moved(field: &VectorField, u0: &[f64], direction: &[f64], by: f64) -> (VectorField, Vec<f64>) {
    let params = field.params();
    let along =
        |x: &[f64], d: &[f64]| -> Vec<f64> { x.iter().zip(d).map(|(x, d)| x + by * d).collect() };
    let (of_u0, of_params) = direction.split_at(u0.len());
    (
        field.with_params(&along(&params, of_params)).unwrap(),
        along(u0, of_u0),
    )
}

fn replay(
    field: &VectorField,
    u0: &[f64],
    options: &SolveOptions,
    steps: &RecordedSteps,
) -> Vec<f64> {
    let problem = Problem {
        u0,
        t: &T,
        sample: 0,
    };
    let mut engine = NativeEngine::default();
    let steps = std::slice::from_ref(steps);
    engine
        .forward(field, &[problem], options, Some(steps), false)
        .unwrap()[0]
        .u
        .clone()
}

/// The gradient of ⟨bars, u⟩ by the initial state and the trainable parameters.
fn gradient(
    field: &VectorField,
    (u0, t): (&[f64], &[f64]),
    options: &SolveOptions,
    steps: Option<&RecordedSteps>,
) -> Vec<f64> {
    let mut engine = NativeEngine::default();
    let problem = Problem { u0, t, sample: 0 };
    let steps = steps.map(std::slice::from_ref);
    engine
        .forward(field, &[problem], options, steps, true)
        .unwrap();
    let gradient = engine.backward(&[bars(t.len() * u0.len())]).unwrap();
    [gradient.u0[0].clone(), field.gather(&gradient.values)].concat()
}

fn close(got: &[f64], want: &[f64], bound: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        let within = bound * (1.0 + want.abs());
        assert!((got - want).abs() < within, "{what}: {got} {want}");
    }
}

fn unit(i: usize, n: usize) -> Vec<f64> {
    (0..n).map(|j| f64::from(i == j)).collect()
}

#[test]
fn exact_gradients_are_differences_on_the_same_steps() {
    for method in METHODS {
        for (n, (field, u0, options)) in cases(method).into_iter().enumerate() {
            let options = options.tolerances(1e-4, 1e-4);
            let steps = solve(&field, &u0, &T, &options).unwrap().recorded;
            assert!(steps.steps.len() < 60, "{method}: coarse steps");
            let all = u0.len() + field.params().len();
            let loss = |direction: &[f64], by: f64| -> f64 {
                let (field, u0) = moved(&field, &u0, direction, by);
                let u = replay(&field, &u0, &options, &steps);
                u.iter().zip(bars(u.len())).map(|(u, bar)| u * bar).sum()
            };
            let h = 2e-6;
            let difference =
                |i: usize| (loss(&unit(i, all), h) - loss(&unit(i, all), -h)) / (2.0 * h);
            let want: Vec<f64> = (0..all).map(difference).collect();
            let own_steps = gradient(&field, (&u0, &T), &options, None);
            for adjoint in ["backprop", "single_ckpt", "adaptive_ckpt"] {
                let options = options
                    .clone()
                    .adjoint(Adjoint::from_name(adjoint).unwrap());
                let what = format!("{method} {adjoint}, case {n}");
                let replayed = gradient(&field, (&u0, &T), &options, Some(&steps));
                close(&replayed, &want, 1e-7, &what);
                let got = gradient(&field, (&u0, &T), &options, None);
                close(&got, &own_steps, 1e-10, &what);
            }
        }
    }
}

#[test]
fn the_continuous_adjoint_is_the_derivative_of_the_solution() {
    for method in METHODS {
        for (n, (field, u0, options)) in cases(method).into_iter().enumerate() {
            let tolerance = if method == "bdf" { 1e-9 } else { 1e-10 };
            let options = options.tolerances(tolerance, tolerance);
            let exact = gradient(&field, (&u0, &T), &options, None);
            let options = options.adjoint(Adjoint::Continuous);
            let got = gradient(&field, (&u0, &T), &options, None);
            close(&got, &exact, 2e-5, &format!("{method}, case {n}"));
        }
    }
}

#[test]
fn tangents_are_differences_on_the_same_steps_or_refused() {
    for method in METHODS {
        for (n, (field, u0, options)) in cases(method).into_iter().enumerate() {
            let options = options.tolerances(1e-4, 1e-4);
            let direction = bars(u0.len() + field.params().len());
            let (of_u0, of_params) = direction.split_at(u0.len());
            let tangent = Tangent {
                u0: of_u0.to_vec(),
                params: of_params.to_vec(),
            };
            let found = jvp(&field, &u0, &T, &options, &[tangent]);
            if ["rodas5p", "bdf"].contains(&method) {
                assert!(found.unwrap_err().to_string().contains("radau"));
                continue;
            }
            let (solution, tangents) = found.unwrap();
            let at = |by: f64| {
                let (field, u0) = moved(&field, &u0, &direction, by);
                replay(&field, &u0, &options, &solution.recorded)
            };
            let (up, down) = (at(1e-5), at(-1e-5));
            let want: Vec<f64> = up.iter().zip(&down).map(|(a, b)| (a - b) / 2e-5).collect();
            close(
                tangents[0].as_slice().unwrap(),
                &want,
                2e-7,
                &format!("{method}, case {n}"),
            );
        }
    }
}

#[test]
fn second_derivatives_are_differences_of_gradients() {
    for method in ["radau", "kvaerno5"] {
        for (n, (field, u0, options)) in cases(method).into_iter().enumerate() {
            let options = options.tolerances(1e-4, 1e-4);
            let steps = solve(&field, &u0, &T, &options).unwrap().recorded;
            let (dof, direction) = (u0.len(), bars(u0.len() + field.params().len()));
            let evaluator = Evaluator::new(&field);
            let problem = Problem {
                u0: &u0,
                t: &T,
                sample: 0,
            };
            let limit = (usize::MAX, 1);
            let linearized =
                second_derivatives::replay(&evaluator, &options, &problem, &steps, limit).unwrap();
            let mut lanes = evaluator.tangent_lanes(1);
            let w = lanes.width();
            let values = field.scatter(&direction[dof..]).unwrap();
            evaluator.set_param_tangents(&interleave(&values, values.len(), w), &mut lanes);
            let u0_dot = interleave(&direction[..dof], dof, w);
            let tangents = linearized.forward(&evaluator, &u0_dot, &mut lanes);
            let value = bars(T.len() * dof);
            let zeros = vec![0.0; value.len() * w];
            let cotangents = OutputCotangents {
                value: &value,
                tangents: &zeros,
            };
            let mut sums = evaluator.zero_gradient_tangents(&lanes);
            let stages = &tangents.stages;
            let mu = linearized.backward(&evaluator, stages, &cotangents, &mut lanes, &mut sums);
            let all = evaluator.parameter_gradient_tangents(&mut lanes, &mut sums);
            let first = |x: &[f64]| -> Vec<f64> { x.iter().step_by(w).copied().collect() };
            let got = [first(&mu), field.gather(&first(&all))].concat();
            let at = |by: f64| {
                let (field, u0) = moved(&field, &u0, &direction, by);
                gradient(&field, (&u0, &T), &options, Some(&steps))
            };
            let (up, down) = (at(1e-5), at(-1e-5));
            let want: Vec<f64> = up.iter().zip(&down).map(|(a, b)| (a - b) / 2e-5).collect();
            close(&got, &want, 1e-6, &format!("{method}, case {n}"));
        }
    }
}

#[test]
fn gradients_go_through_jumps() {
    let field = nonlinear().trainable(&["a", "b"]).unwrap();
    let t = [0.0, 0.13, 0.5, 0.77, 1.2];
    let drop = Event::new(2, &[], |_, u, _| u.at(1) - 0.55).unwrap();
    let drop = drop
        .jump(Jump::new(2, &[], |_, u, _| vec![1.3 * u.at(0), u.at(1)]).unwrap())
        .unwrap();
    let kick = Jump::new(2, &[], |t, u, _| vec![u.at(0) + 0.2 * t, 0.5 * u.at(1)]).unwrap();
    let with_jumps = |options: SolveOptions| {
        options
            .event(drop.clone())
            .dose(Dose::new(&[0.3, 1.2], kick.clone()).unwrap())
    };
    let tight = |method: &str, tolerance: f64| {
        with_jumps(with(method, FIRST_OF_TWO).tolerances(tolerance, tolerance))
    };
    let loss = |direction: &[f64], by: f64| -> f64 {
        let (field, u0) = moved(&field, &U0, direction, by);
        let u = solve(&field, &u0, &t, &tight("radau", 1e-12)).unwrap().u;
        u.iter().zip(bars(u.len())).map(|(u, bar)| u * bar).sum()
    };
    let h = 1e-5;
    let difference = |i: usize| (loss(&unit(i, 4), h) - loss(&unit(i, 4), -h)) / (2.0 * h);
    let want: Vec<f64> = (0..4).map(difference).collect();
    for method in METHODS {
        for adjoint in ["backprop", "adaptive_ckpt", "adjoint"] {
            let options = tight(method, 1e-10).adjoint(Adjoint::from_name(adjoint).unwrap());
            let got = gradient(&field, (&U0, &t), &options, None);
            close(&got, &want, 5e-6, &format!("{method} {adjoint}"));
        }
    }
}

#[test]
fn gradients_go_over_jumps_of_algebraic_variables() {
    // 0 = z³ + z − c up to t = 1 and 0 = z³ + z − 5 c after; y' = −a y z.
    let field = system(2, &[("a", 0.7), ("c", 2.0)], |t, u, p| {
        let (y, z) = (u.at(0), u.at(1));
        let c = p.get("c");
        let level = t.gt(&t.builder().constant(&[1.0])).select(&(5.0 * &c), &c);
        vec![-(p.get("a") * y * &z), z.square() * &z + &z - level]
    });
    let field = field.unwrap().trainable(&["a", "c"]).unwrap();
    let (u0, t) = ([1.0, 0.4], [0.0, 0.6, 1.7]);
    let options =
        |method: &str, tolerance: f64| with(method, FIRST_OF_TWO).tolerances(tolerance, tolerance);
    let loss = |direction: &[f64], by: f64| -> f64 {
        let (field, u0) = moved(&field, &u0, direction, by);
        let u = solve(&field, &u0, &t, &options("radau", 1e-12)).unwrap().u;
        u.iter().zip(bars(u.len())).map(|(u, bar)| u * bar).sum()
    };
    let h = 1e-5;
    let difference = |i: usize| (loss(&unit(i, 4), h) - loss(&unit(i, 4), -h)) / (2.0 * h);
    let want: Vec<f64> = (0..4).map(difference).collect();
    for method in ["radau", "kvaerno5"] {
        for adjoint in ["backprop", "adaptive_ckpt", "adjoint"] {
            let adjoint_method = Adjoint::from_name(adjoint).unwrap();
            let options = options(method, 1e-10).adjoint(adjoint_method);
            let got = gradient(&field, (&u0, &t), &options, None);
            close(&got, &want, 1e-5, &format!("{method} {adjoint}"));
        }
    }
    // At loose tolerances steps are long, and rounding of the short step across the jump would show.
    for method in ["radau", "kvaerno5"] {
        let options = options(method, 1e-4);
        let steps = solve(&field, &u0, &t, &options).unwrap().recorded;
        let replayed = gradient(&field, (&u0, &t), &options, Some(&steps));
        close(&replayed, &want, 1e-2, method);
        let unit = |i: usize| Tangent {
            u0: unit(i, 4)[..2].to_vec(),
            params: unit(i, 4)[2..].to_vec(),
        };
        let all = [0, 1, 2, 3].map(unit);
        let (solution, tangents) = jvp(&field, &u0, &t, &options, &all).unwrap();
        assert_eq!(solution.recorded.steps, steps.steps);
        let along = |tangent: &ndarray::Array2<f64>| -> f64 {
            tangent
                .iter()
                .zip(bars(tangent.len()))
                .map(|(x, bar)| x * bar)
                .sum()
        };
        let by_tangents: Vec<f64> = tangents.iter().map(along).collect();
        close(&by_tangents, &replayed, 1e-9, method);
    }
    let refused = solve(&field, &u0, &t, &options("bdf", 1e-6)).unwrap_err();
    assert!(refused.to_string().contains("breakpoints"));
}

#[test]
fn time_may_run_backwards() {
    let t = [1.2, 0.7, 0.0];
    for method in METHODS {
        let options = with(method, FIRST_OF_TWO).tolerances(1e-9, 1e-9);
        let y = 1.0 / (1.0 + 1.2_f64.sin());
        let solution = solve(&nonlinear(), &[y, 0.0], &t, &options).unwrap();
        assert!((solution.u[[2, 0]] - 1.0).abs() < 1e-6, "{method}");
        assert!((solution.u[[2, 1]] - 1.0).abs() < 1e-6, "{method}");
    }
}
