//! Gradients through jumps of the state and switches of the equations, against finite differences of solves.

use odesync_base::options::Named;
use odesync_ode::field::{BranchParameter, Expr, VectorField, system};
use odesync_ode::odesolve::{
    Adjoint, Direction, Dose, Engine, Event, Jump, NativeEngine, Problem, SolveGradient,
    SolveOptions, Tangent, jvp, solve,
};

/// The adjoint method, the solver and the bound of the error of the gradients that are compared.
const KINDS: &[(&str, &str)] = &[
    ("backprop", "dopri5"),
    ("backprop", "vern7"),
    ("backprop", "radau"),
    ("backprop", "rodas5p"),
    ("backprop", "kvaerno5"),
    ("backprop", "bdf"),
    ("backprop", "auto"),
    ("single_ckpt", "tsit5"),
    ("single_ckpt", "radau"),
    ("adaptive_ckpt", "dopri8"),
    ("adaptive_ckpt", "rodas5p"),
    ("adaptive_ckpt", "auto"),
    ("symplectic", "dopri5"),
    ("adjoint", "tsit5"),
    ("adjoint", "radau"),
];

fn options(adjoint: &str, solver: &str) -> SolveOptions {
    let options = SolveOptions::default().solver(solver).unwrap();
    let tolerance = if solver == "bdf" { 1e-10 } else { 1e-11 };
    let mut options = options
        .tolerances(tolerance, tolerance)
        .adjoint(Adjoint::from_name(adjoint).unwrap());
    options.max_steps = 1_000_000;
    options
}

/// The gradient of ⟨bars, u⟩ by the trainable parameters and the initial state.
fn gradient(
    field: &VectorField,
    (u0, t): (&[f64], &[f64]),
    options: &SolveOptions,
    bars: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let mut engine = NativeEngine::default();
    let problem = Problem { u0, t, sample: 0 };
    let kept = engine
        .forward(field, &[problem], options, None, true)
        .unwrap();
    let plain = NativeEngine::default()
        .forward(field, &[problem], options, None, false)
        .unwrap();
    for (kept, plain) in kept[0].u.iter().zip(&plain[0].u) {
        assert!((kept - plain).abs() < 1e-8, "{kept} {plain}");
    }
    let SolveGradient { values, u0 } = engine.backward(&[bars.to_vec()]).unwrap();
    (field.gather(&values), u0[0].clone())
}

/// Compares the gradient with central differences of solves at tight tolerances.
fn check(
    field: &VectorField,
    (u0, t): (&[f64], &[f64]),
    events: impl Fn(SolveOptions) -> SolveOptions,
    name: &str,
) {
    let dof = u0.len();
    let bars: Vec<f64> = (0..t.len() * dof)
        .map(|i| (1.3 * i as f64 + 0.4).sin())
        .collect();
    let exact = events(options("backprop", "vern7").tolerances(1e-13, 1e-13));
    let loss = |field: &VectorField, u0: &[f64]| -> f64 {
        let got = solve(field, u0, t, &exact).unwrap();
        got.u.iter().zip(&bars).map(|(u, bar)| u * bar).sum()
    };
    let h = 1e-5;
    let params = field.params();
    let by_params: Vec<f64> = (0..params.len())
        .map(|i| {
            let moved = |by: f64| {
                let mut moved = params.clone();
                moved[i] += by;
                loss(&field.with_params(&moved).unwrap(), u0)
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        })
        .collect();
    let by_u0: Vec<f64> = (0..dof)
        .map(|i| {
            let moved = |by: f64| {
                let mut moved = u0.to_vec();
                moved[i] += by;
                loss(field, &moved)
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        })
        .collect();
    assert!(by_params.iter().all(|x| x.abs() > 1e-3), "{by_params:?}");
    for &(adjoint, solver) in KINDS {
        let options = events(options(adjoint, solver));
        let (got, got_u0) = gradient(field, (u0, t), &options, &bars);
        let bound = if solver == "bdf" { 1e-5 } else { 1e-6 };
        for (got, want) in got.iter().zip(&by_params).chain(got_u0.iter().zip(&by_u0)) {
            assert!(
                (got - want).abs() < bound * (1.0 + want.abs()),
                "{name}, {adjoint} {solver}: {got} {want}"
            );
        }
    }
}

/// A ball with drag on a floor that rises, whose restitution depends on a parameter of the field.
#[test]
fn bounces_of_an_event_with_parameters() {
    let ball = system(
        2,
        &[("g", 9.81), ("drag", 0.1), ("e", 0.8), ("floor", 0.05)],
        |_, u, p| {
            let v = u.at(1);
            vec![
                v.clone(),
                -p.get("g") - p.get("drag") * &v * (u.at(0) + 1.0),
            ]
        },
    )
    .unwrap()
    .trainable(&["g", "drag", "e", "floor"])
    .unwrap();
    let event = || {
        let bounce = Jump::new(2, &[("e", 0.0)], |t, u, p| {
            vec![
                u.at(0),
                u.at(1) * -p.get("e") + 0.02 * u.at(0) + 0.01 * t.sin(),
            ]
        })
        .unwrap()
        .with_field_parameters();
        Event::new(2, &[("floor", 0.0)], |t, u, p| {
            u.at(0) - p.get("floor") * (t + 1.0)
        })
        .unwrap()
        .with_field_parameters()
        .direction(Direction::Down)
        .jump(bounce)
        .unwrap()
    };
    let t = [0.0, 0.3, 0.6, 1.3, 1.6];
    let with_event = |options: SolveOptions| options.event(event());
    check(&ball, (&[1.0, 0.2], &t), with_event, "bounces");
}

#[test]
fn doses_with_parameters_and_at_an_output_time() {
    let field = system(2, &[("k", 0.7), ("share", 0.6), ("m", 0.3)], |_, u, p| {
        let out = p.get("k") * u.at(0) / (u.at(0) + 1.0);
        vec![-out.clone(), out - p.get("m") * u.at(1) * u.at(1)]
    })
    .unwrap()
    .trainable(&["k", "share", "m"])
    .unwrap();
    let dose = || {
        let given = Jump::new(2, &[("share", 0.0)], |_, u, p| {
            vec![
                u.at(0) + p.get("share") * 2.0,
                u.at(1) + (1.0 - p.get("share")) * u.at(0),
            ]
        })
        .unwrap()
        .with_field_parameters();
        Dose::new(&[0.0, 1.0, 2.5], given).unwrap()
    };
    let with_dose = |options: SolveOptions| options.dose(dose());
    check(
        &field,
        (&[0.5, 0.1], &[0.0, 0.5, 1.0, 2.0, 4.0]),
        with_dose,
        "doses",
    );
    // The last dose at the last time.
    check(&field, (&[0.5, 0.1], &[0.0, 1.7, 2.5]), with_dose, "last");
}

/// A tank that drains faster above a threshold, and a relay that is switched off there.
fn thresholds() -> VectorField {
    system(
        2,
        &[("c", 0.8), ("a", 1.5), ("b", 0.4), ("w", 0.3)],
        |t, u, p| {
            let high = u.at(0).gt(&(p.get("c") + 0.05 * t));
            let zero = p.get("b") * 0.0;
            let drain = high.select(&(p.get("a") * u.at(0)), &(p.get("b") * u.at(0)));
            let kink = (u.at(1) - p.get("w")).max(&zero);
            vec![-drain - 0.2 * kink, u.at(0) - 0.5 * u.at(1)]
        },
    )
    .unwrap()
    .trainable(&["c", "a", "b", "w"])
    .unwrap()
}

#[test]
fn thresholds_in_the_state() {
    let t = [0.0, 0.2, 0.7, 1.5];
    let located = |options: SolveOptions| options.switches(true);
    check(&thresholds(), (&[1.5, 0.0], &t), located, "thresholds");
    // Without them the derivative by a threshold is that of the branch alone: none but through the drain.
    let only = system(1, &[("c", 0.5)], |_, u, p| {
        let number = |x: f64| u.builder().constant(&[x]);
        vec![-(u.at(0).gt(&p.get("c")).select(&number(2.0), &number(1.0)) * u.at(0))]
    })
    .unwrap()
    .trainable(&["c"])
    .unwrap();
    let of_c = |is_only_there: bool| BranchParameter {
        name: "c",
        is_located: true,
        is_only_there,
    };
    assert_eq!(only.branch_parameters(), [of_c(true)]);
    assert_eq!(thresholds().branch_parameters(), [of_c(true)]);
    let t = [0.0, 1.0];
    // u(1) = c e^−(1 − log(1/c)/2) = √c/e, so that du/dc = 1/(2 √c e).
    let want = 0.5 / (0.5_f64.sqrt() * 1.0_f64.exp());
    let options = options("backprop", "dopri5");
    let (plain, _) = gradient(&only, (&[1.0], &t), &options, &[0.0, 1.0]);
    assert_eq!(plain, [0.0]);
    let options = options.switches(true);
    let (got, _) = gradient(&only, (&[1.0], &t), &options, &[0.0, 1.0]);
    assert!((got[0] - want).abs() < 1e-8, "{} {want}", got[0]);
}

/// u' = −c where(u > c, 2, 1) with u(0) = 1 and c = 1/2: u = c at τ = (1 − c)/(2 c), then u = c − c (t − τ) = 1/2 + c/2 − c t, so
/// du/dc = 1/2 − t. The branches alone give −2 τ − (t − τ) = −1/2 − t.
#[test]
fn a_parameter_of_a_condition_and_of_a_branch() {
    let field = system(1, &[("c", 0.5)], |_, u, p| {
        let number = |x: f64| u.builder().constant(&[x]);
        let rate = u.at(0).gt(&p.get("c")).select(&number(2.0), &number(1.0));
        vec![-(rate * p.get("c"))]
    })
    .unwrap()
    .trainable(&["c"])
    .unwrap();
    let [c] = field.branch_parameters()[..] else {
        panic!("{:?}", field.branch_parameters());
    };
    assert!(c.name == "c" && c.is_located && !c.is_only_there);
    let t = [0.0, 1.2];
    for solver in ["dopri5", "radau", "rodas5p"] {
        let options = options("backprop", solver).switches(true);
        let (got, _) = gradient(&field, (&[1.0], &t), &options, &[0.0, 1.0]);
        assert!((got[0] - (0.5 - 1.2)).abs() < 1e-8, "{solver}: {}", got[0]);
    }
    // What is not located: floor, and a remainder by it, beside what is.
    let steps = system(1, &[("c", 0.5), ("d", 2.0)], |_, u, p| {
        let turns = (u.at(0) * p.get("c")).floor();
        let rest = u.at(0) - (u.at(0) / p.get("d")).floor() * p.get("d");
        vec![-(turns + rest)]
    })
    .unwrap()
    .trainable(&["c", "d"])
    .unwrap();
    let got = steps.branch_parameters();
    let of = |name: &'static str, is_only_there: bool| BranchParameter {
        name,
        is_located: false,
        is_only_there,
    };
    assert_eq!(got, [of("c", true), of("d", false)]);
}

/// A switch in the state, one in t whose time is trained, and a dose, in one solve.
#[test]
fn all_kinds_at_once() {
    let field = system(1, &[("c", 0.6), ("s", 0.9), ("k", 1.0)], |t, u, p| {
        let number = |x: f64| t.builder().constant(&[x]);
        let on = |c: Expr, x: f64| c.select(&number(x), &number(0.0));
        let faster = on(u.at(0).gt(&p.get("c")), 1.0);
        let feed = on(t.gt(&p.get("s")), 0.5);
        vec![feed - (p.get("k") + faster) * u.at(0)]
    })
    .unwrap()
    .trainable(&["c", "s", "k"])
    .unwrap();
    let give = Jump::new(1, &[("k", 0.0)], |_, u, p| vec![u.at(0) + 0.5 * p.get("k")])
        .unwrap()
        .with_field_parameters();
    let all = |options: SolveOptions| {
        let dose = Dose::new(&[1.2], give.clone()).unwrap();
        options.switches(true).dose(dose)
    };
    check(&field, (&[1.0], &[0.0, 0.4, 1.1, 2.0]), all, "all");
}

#[test]
fn fixed_steps_too() {
    let t = [0.0, 0.2, 0.7, 1.5];
    let bars: Vec<f64> = (0..8).map(|i| (1.3 * f64::from(i) + 0.4).sin()).collect();
    let reference = options("backprop", "vern7").switches(true);
    let (want, want_u0) = gradient(&thresholds(), (&[1.5, 0.0], &t), &reference, &bars);
    for solver in ["rk4", "adams4", "implicit_adams"] {
        for adjoint in ["backprop", "adaptive_ckpt", "single_ckpt"] {
            let options = SolveOptions::default().solver(solver).unwrap();
            let options = options
                .step_size(0.002)
                .switches(true)
                .adjoint(Adjoint::from_name(adjoint).unwrap());
            let (got, got_u0) = gradient(&thresholds(), (&[1.5, 0.0], &t), &options, &bars);
            for (got, want) in got.iter().zip(&want).chain(got_u0.iter().zip(&want_u0)) {
                let off = (got - want).abs();
                assert!(off < 1e-6, "{adjoint} {solver}: {got} {want}");
            }
        }
    }
}

#[test]
fn what_knows_smooth_solves_only_says_so() {
    let field = thresholds();
    let located = SolveOptions::default().switches(true);
    let tangent = Tangent {
        u0: vec![1.0, 0.0],
        ..Tangent::default()
    };
    let error = jvp(&field, &[1.5, 0.0], &[0.0, 1.0], &located, &[tangent]).unwrap_err();
    assert!(error.to_string().contains("switches"), "{error}");
    let problem = Problem {
        u0: &[1.5, 0.0],
        t: &[0.0, 1.0],
        sample: 0,
    };
    let mut engine = NativeEngine::default();
    engine
        .forward(&field, &[problem], &located, None, true)
        .unwrap();
    let error = engine
        .final_state_jacobians(|_, jacobian| jacobian)
        .unwrap_err();
    assert!(error.to_string().contains("switches"), "{error}");
    let recorded = [
        solve(&field, problem.u0, problem.t, &SolveOptions::default())
            .unwrap()
            .recorded,
    ];
    let replay = engine.forward(&field, &[problem], &located, Some(&recorded), false);
    let error = replay.unwrap_err().to_string();
    assert!(error.contains("switches"), "{error}");
    // The steps of a solve in pieces are no solve without the jumps.
    let in_pieces = solve(&field, problem.u0, problem.t, &located).unwrap();
    let recorded = [in_pieces.recorded];
    let plain = SolveOptions::default();
    let replay = engine.forward(&field, &[problem], &plain, Some(&recorded), false);
    assert!(replay.is_err());
    // Two conditions at one time of which one moves.
    let both = system(1, &[("c", 0.5)], |_, u, p| {
        let number = |x: f64| u.builder().constant(&[x]);
        let on = |c: Expr| c.select(&number(1.0), &number(0.0));
        vec![-u.at(0) - on(u.at(0).gt(&p.get("c"))) - on(u.at(0).gt(&number(0.5)))]
    })
    .unwrap()
    .trainable(&["c"])
    .unwrap();
    let problem = Problem {
        u0: &[1.0],
        t: &[0.0, 1.0],
        sample: 0,
    };
    engine
        .forward(&both, &[problem], &located, None, true)
        .unwrap();
    let error = engine.backward(&[vec![0.0, 1.0]]).unwrap_err();
    assert!(error.to_string().contains("move apart"), "{error}");
}
