//! Trainings that set themselves, on the systems of the tests: with noise of several seeds and networks of three, as a Markdown
//! table of medians with the worst in parentheses.
//!
//!     cargo bench -p odesync-train --bench study              # noise seed 10
//!     cargo bench -p odesync-train --bench study -- 10-16     # seven noise seeds
//!     cargo bench -p odesync-train --bench study -- 10 Lorenz # the systems whose names hold the word

#[path = "../tests/train/systems.rs"]
mod systems;

use std::time::Instant;

use ndarray::{Array2, s};
use odesync_testing::measured_data;
use odesync_train::datasets::{Dataset, read_schmidt_lipson};
use odesync_train::training::{Run, TrainOptions, TrainingMethod, WeakConstraint, train};
use rayon::prelude::*;
use systems::{System, double_pendulum_model, mean_square, systems};

type Failure = Box<dyn std::error::Error>;

const SEEDS: [u64; 3] = [10, 20, 30];

/// What is known of one run; all but the mse of runs beside a known truth alone.
struct Outcome {
    mse: f64,
    /// Mean squared error against the truth at the data's times, and at as many after them.
    inside: f64,
    beyond: f64,
    /// Part of the points beyond the data that are within two standard deviations.
    covered: f64,
    /// Time up to which the prediction is within a tenth of the spread, as the run says and in truth, over the time of the end of
    /// the data.
    horizons: (f64, f64),
    seconds: f64,
}

fn main() -> Result<(), Failure> {
    let mut noise_seeds = 10..=10;
    let mut word = String::new();
    for argument in std::env::args().skip(1).filter(|a| !a.starts_with("--")) {
        match parse_range(&argument) {
            Some(range) => noise_seeds = range,
            None => word = argument,
        }
    }
    let methods: [(&str, TrainingMethod); 2] = [
        ("weak constraint", WeakConstraint::default().into()),
        (
            "homotopy that sets itself",
            TrainingMethod::AdaptiveHomotopy(WeakConstraint::default()),
        ),
    ];
    println!(
        "noise seeds {} to {}, network seeds 10, 20, 30; time in seconds of one run\n",
        noise_seeds.start(),
        noise_seeds.end()
    );
    println!(
        "| system | method | mse | against the truth | beyond the data | within 2 sd there | horizon: said at most 1.3 times the true | s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for system in systems().iter().filter(|s| s.name.contains(&word)) {
        for (name, method) in &methods {
            let jobs: Vec<(u64, u64)> = noise_seeds
                .clone()
                .flat_map(|noise| SEEDS.map(|seed| (noise, seed)))
                .collect();
            let outcomes = jobs
                .par_iter()
                .map(|(noise, seed)| {
                    outcome(system, method, *noise, *seed).map_err(|e| e.to_string())
                })
                .collect::<Result<Vec<_>, _>>()?;
            print_row(system, name, &outcomes);
        }
    }
    if let Some(path) = measured_data("real_double_pend_h_1.txt").filter(|_| word.is_empty()) {
        let data = read_schmidt_lipson(path, 0)?.head(100)?;
        for (name, method) in &methods {
            let mse = SEEDS.map(|seed| {
                let model = double_pendulum_model(seed)?;
                Ok::<f64, Failure>(fit(&model, &data, method)?.0.best_mse)
            });
            let mse = mse.into_iter().collect::<Result<Vec<_>, _>>()?;
            println!(
                "| double pendulum, measured | {name} | {} | | | | | |",
                median_and_worst(&mse)
            );
        }
    }
    Ok(())
}

fn parse_range(argument: &str) -> Option<std::ops::RangeInclusive<u64>> {
    match argument.split_once('-') {
        Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
        None => argument.parse().ok().map(|seed| seed..=seed),
    }
}

fn fit(
    model: &odesync_ode::field::VectorField,
    data: &Dataset,
    method: &TrainingMethod,
) -> Result<(Run, f64), Failure> {
    let started = Instant::now();
    let run = train(model, data, method, &TrainOptions::default(), &mut ())?;
    Ok((run, started.elapsed().as_secs_f64()))
}

fn outcome(
    system: &System,
    method: &TrainingMethod,
    noise: u64,
    seed: u64,
) -> Result<Outcome, Failure> {
    let (truth, t) = (system.truth(), system.times());
    let data = system.data(&truth, noise);
    let n = data.len();
    let (run, seconds) = fit(&(system.model)(seed)?, &data, method)?;
    let [inside, after] = [s![..n, ..], s![n.., ..]];
    let estimated = run.predict(&t[..n])?.slice(s![0, .., ..]).to_owned();
    let mut outcome = Outcome {
        mse: run.best_mse,
        inside: mean_square(&estimated, &truth.slice(inside).to_owned()),
        beyond: f64::INFINITY,
        covered: 0.0,
        horizons: (f64::NAN, f64::NAN),
        seconds,
    };
    // A model that cannot be solved to twice the span has no error there.
    let Ok(prediction) = run.predict_with_bands(&t) else {
        return Ok(outcome);
    };
    let (u, sd) = (
        prediction.u.slice(s![0, .., ..]).to_owned(),
        prediction.sd.slice(s![0, .., ..]).to_owned(),
    );
    let error = &u - &truth;
    outcome.beyond = mean_square(&u.slice(after).to_owned(), &truth.slice(after).to_owned());
    let within = ndarray::Zip::from(error.slice(after))
        .and(sd.slice(after))
        .fold(0.0, |n, e, sd| n + f64::from(u8::from(e.abs() <= 2.0 * sd)));
    outcome.covered = within / error.slice(after).len() as f64;
    let spread: Vec<f64> = data.std().row(0).to_vec();
    let (end, last) = (t[n - 1], t[t.len() - 1]);
    let said = run.trust()?.horizon[0].unwrap_or(last);
    let true_horizon = first_beyond(&error, &spread, n).map_or(last, |i| t[i]);
    outcome.horizons = (said / end, true_horizon / end);
    Ok(outcome)
}

/// Returns the first time beyond the data at which the error is above a tenth of the spread.
fn first_beyond(error: &Array2<f64>, spread: &[f64], n: usize) -> Option<usize> {
    (n..error.nrows()).find(|i| {
        let row = error.row(*i);
        let relative = row
            .iter()
            .zip(spread)
            .map(|(e, s)| (e / s).powi(2))
            .sum::<f64>();
        (relative / spread.len() as f64).sqrt() > 0.1
    })
}

fn print_row(system: &System, method: &str, outcomes: &[Outcome]) {
    let of = |f: fn(&Outcome) -> f64| -> Vec<f64> { outcomes.iter().map(f).collect() };
    let holds = outcomes
        .iter()
        .filter(|o| o.horizons.0 <= 1.3 * o.horizons.1)
        .count();
    let mut covered = of(|o| o.covered);
    covered.sort_by(f64::total_cmp);
    println!(
        "| {} | {method} | {}{} | {}{} | {} | {:.2} ({:.2}) | {holds} of {} | {:.2} |",
        system.name,
        median_and_worst(&of(|o| o.mse)),
        limit(system.limits[0]),
        median_and_worst(&of(|o| o.inside)),
        limit(system.limits[1]),
        median_and_worst(&of(|o| o.beyond)),
        covered[covered.len() / 2],
        covered[0],
        outcomes.len(),
        median(&of(|o| o.seconds)),
    );
}

fn limit(limit: f64) -> String {
    match limit.is_finite() {
        true => format!(", limit {limit:.1e}"),
        false => String::new(),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn median_and_worst(values: &[f64]) -> String {
    let worst = values.iter().copied().fold(0.0, f64::max);
    format!("{:.2e} ({worst:.2e})", median(values))
}
