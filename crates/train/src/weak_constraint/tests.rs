mod dense;
mod linear_problem;
mod parameter_maps;
mod scales;
mod threads;

use std::time::Instant;

use ndarray::{Array1, Array2, s};

use super::fit::Fit;
use super::setup::{Setup, prepare};
use crate::Result;
use crate::datasets::{Dataset, RelativeTo};
use crate::models::{blackbox, graybox, second_order};
use crate::training::Observation;
use odesync_base::random::Generator;
use odesync_ode::dynamics;
use odesync_ode::field::{Expr, Parameters, Unary, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};

struct Case {
    name: &'static str,
    truth: VectorField,
    u0: Vec<f64>,
    dt: f64,
    n: usize,
    noise: f64,
    relative_to: RelativeTo,
    known_u0: bool,
    model: fn(u64) -> Result<VectorField>,
}

fn generator(seed: u64) -> Generator {
    Generator::manual_seed(seed)
}

fn cases() -> Vec<Case> {
    let tight =
        |name, truth: VectorField, u0: &[f64], dt, n, noise, relative_to, known_u0, model| Case {
            name,
            truth,
            u0: u0.to_vec(),
            dt,
            n,
            noise,
            relative_to,
            known_u0,
            model,
        };
    let fhn = system(2, &[], |_, u: Expr, _: Parameters| {
        let (v, w) = (u.at(0), u.at(1));
        vec![
            3.0 * (v.clone() - v.clone() * v.clone() * v.clone() / 3.0 + w.clone()),
            -(v - 0.2 + 0.2 * w) / 3.0,
        ]
    })
    .unwrap();
    let pendulum = system(2, &[], |_, u: Expr, _: Parameters| {
        vec![u.at(1), -0.25 * u.at(1) - 4.0 * u.at(0).unary(Unary::Sin)]
    })
    .unwrap();
    let goodwin = system(4, &[], |_, u: Expr, _: Parameters| {
        let w2 = u.at(3) * u.at(3);
        let w10 = w2.clone() * w2.clone() * w2.clone() * w2.clone() * w2;
        vec![
            3.0 / (1.0 + w10) - 0.5 * u.at(0),
            u.at(0) - 0.5 * u.at(1),
            0.5 * u.at(1) - 0.5 * u.at(2),
            0.5 * u.at(2) - 0.5 * u.at(3),
        ]
    })
    .unwrap();
    use RelativeTo::*;
    let lv0 = [0.44249296, 4.6280594];
    let lz0 = [1.2, 2.1, 1.7];
    let lv_model = |seed| blackbox(&[2, 32, 2], Unary::Gelu, &mut generator(seed));
    let lz_model = |seed| blackbox(&[3, 50, 50, 3], Unary::Gelu, &mut generator(seed));
    vec![
        tight(
            "lv_black",
            dynamics::lotka_volterra().unwrap(),
            &lv0,
            0.1,
            61,
            0.05,
            Mean,
            true,
            lv_model,
        ),
        tight(
            "lv_gray",
            dynamics::lotka_volterra().unwrap(),
            &lv0,
            0.1,
            61,
            0.05,
            Mean,
            true,
            |seed| {
                graybox(
                    &[2, 20, 20, 2],
                    Unary::Gelu,
                    &[],
                    &mut generator(seed),
                    |_, u, nn, _| vec![1.3 * u.at(0) + nn.at(0), -1.8 * u.at(1) + nn.at(1)],
                )
            },
        ),
        tight(
            "fhn",
            fhn,
            &[-1.0, 1.0],
            0.2,
            101,
            0.05,
            Std,
            false,
            lv_model,
        ),
        tight(
            "pendulum",
            pendulum,
            &[2.5, 0.0],
            0.1,
            81,
            0.05,
            Std,
            false,
            |seed| second_order(&[2, 32, 1], Unary::Gelu, &mut generator(seed)),
        ),
        tight(
            "goodwin",
            goodwin,
            &[0.1, 0.2, 1.2, 1.5],
            0.5,
            81,
            0.05,
            Std,
            false,
            |seed| blackbox(&[4, 50, 50, 4], Unary::Gelu, &mut generator(seed)),
        ),
        tight(
            "dp_sim",
            dynamics::double_pendulum().unwrap(),
            &[0.9, 0.3, 0.5, 0.0],
            0.02,
            100,
            0.05,
            Std,
            true,
            |seed| second_order(&[4, 50, 50, 2], Unary::Gelu, &mut generator(seed)),
        ),
        tight(
            "lorenz",
            dynamics::lorenz().unwrap(),
            &lz0,
            0.1,
            31,
            0.25,
            Nothing,
            true,
            lz_model,
        ),
        tight(
            "lorenz10",
            dynamics::lorenz().unwrap(),
            &lz0,
            0.1,
            101,
            0.25,
            Nothing,
            true,
            lz_model,
        ),
        tight(
            "lorenz20",
            dynamics::lorenz().unwrap(),
            &lz0,
            0.1,
            201,
            0.25,
            Nothing,
            true,
            lz_model,
        ),
    ]
}

#[test]
#[ignore]
fn study() {
    let wanted = std::env::var("CASES").unwrap_or_default();
    let noise: u64 = std::env::var("NOISE")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    for case in cases() {
        if !wanted.is_empty() && !wanted.split(',').any(|name| name == case.name) {
            continue;
        }
        let n2 = if case.n % 2 == 1 {
            2 * case.n - 1
        } else {
            2 * case.n
        };
        let t: Vec<f64> = (0..n2).map(|i| i as f64 * case.dt).collect();
        let options = SolveOptions::default()
            .solver("dopri8")
            .unwrap()
            .tolerances(1e-12, 1e-12);
        let truth = solve(&case.truth, &case.u0, &t, &options).unwrap().u;
        let clean = Dataset::single(
            Array1::from(t[..case.n].to_vec()),
            truth.slice(s![..case.n, ..]).to_owned(),
            None,
        )
        .unwrap();
        let noisy = clean
            .add_noise_seeded(case.noise, case.relative_to, noise)
            .unwrap();
        let y: Array2<f64> = noisy.sample(0).unwrap().to_owned();
        let data = Dataset::single(
            Array1::from(t[..case.n].to_vec()),
            y.clone(),
            case.known_u0.then(|| Array1::from(case.u0.clone())),
        )
        .unwrap();
        for seed in [10, 20, 30] {
            let model = (case.model)(seed).unwrap();
            let start = Instant::now();
            let options = SolveOptions::default().solver("rk4").unwrap();
            let mut setup =
                prepare(&model, &data, &Observation::default(), None, &options).unwrap();
            let homotopy = std::env::var("HOMOTOPY").is_ok();
            let mut outcome = if homotopy {
                setup.couple().unwrap();
                Fit::start_homotopy(&mut setup).unwrap()
            } else {
                Fit::start(&setup).unwrap()
            };
            let Setup {
                nodes, flow, sigma, ..
            } = &mut setup;
            while let Some(step) = outcome.advance(flow, nodes, sigma).unwrap() {
                if std::env::var("VERBOSE").is_ok() {
                    println!(
                        "   λ {} {step:?} al {:.3} mu {:.2e}",
                        outcome.lambda, outcome.estimate.alpha, outcome.estimate.mu
                    );
                }
            }
            let assessment = outcome.assess(flow, nodes, sigma).unwrap();
            let seconds = start.elapsed().as_secs_f64();
            let trained = setup.flow.model(&outcome.estimate.w).unwrap();
            let u0 = setup
                .flow
                .scaling
                .all_to_user(&outcome.estimate.s[..model.dof()]);
            let mse = |a: &Array2<f64>, b: &Array2<f64>| (a - b).mapv(|x| x * x).mean().unwrap();
            let (mut fitted, mut inside, mut beyond) = (f64::NAN, f64::NAN, f64::NAN);
            if let Ok(solution) = solve(&trained, &u0, &t, &SolveOptions::default()) {
                let at = |a: usize, b: usize, x: &Array2<f64>| x.slice(s![a..b, ..]).to_owned();
                fitted = mse(&at(0, case.n, &solution.u), &y);
                inside = mse(&at(0, case.n, &solution.u), &at(0, case.n, &truth));
                beyond = mse(&at(case.n, n2, &solution.u), &at(case.n, n2, &truth));
            }
            println!(
                "{} {seed}: mse {fitted:.5} interp {inside:.5} extrap {beyond:.4} | free {} q {} ev {:.1} gamma {:.1} growth {:.1e} ratio {:.2} J {} {seconds:.2}s sub {}",
                case.name,
                outcome.is_free(),
                outcome.q,
                assessment.log_evidence,
                assessment.gamma,
                assessment.growth,
                assessment.noise_ratio,
                setup.flow.n_linearizations,
                setup.nodes.substeps
            );
        }
    }
}
