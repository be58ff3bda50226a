//! Loss and gradient of many samples in one call, beside `vmap` of diffrax and a batch of torchdiffeq.

use ndarray::{Array1, Array2};
use odesync::datasets::Dataset;
use odesync::dynamics::lotka_volterra;
use odesync::engines::engine;
use odesync::field::{Unary, VectorField};
use odesync::models::blackbox;
use odesync::odesolve::{BatchSolve, SolveOptions};
use odesync::prelude::{TrainOptions, train, weak_constraint};
use odesync::random::Generator;
use odesync::training::{Objective, TrainingMethod};
use serde_json::{Value, json};

use crate::cases::Failure;
use crate::contender::{Contender, Own, Peer};
use crate::{Check, Row, rows};

/// Times of the data: 0 to 6 by 0.1.
fn times() -> Array1<f64> {
    Array1::from_iter((0..61).map(|i| 0.1 * f64::from(i)))
}

/// Returns Lotka-Volterra data of `n` samples, whose initial states lie on a line.
fn data(n: usize) -> Result<Dataset, Failure> {
    let at = |i: usize| i as f64 / n as f64;
    let u0 = Array2::from_shape_fn((n, 2), |(i, dof)| match dof {
        0 => 0.44249296 + 0.3 * at(i),
        _ => 4.6280594 - 0.5 * at(i),
    });
    let field = lotka_volterra()?;
    let t = times();
    let solved =
        BatchSolve::new(&field, u0.view())?.solve(&t.to_vec(), &SolveOptions::default())?;
    Ok(Dataset::new(t, solved.u, Some(u0))?)
}

/// Returns a network after it was trained on one sample with noise.
fn trained(nodes: &[usize]) -> Result<VectorField, Failure> {
    let model = blackbox(nodes, Unary::Gelu, &mut Generator::manual_seed(10))?;
    let noisy = data(1)?.add_noise_seeded(0.05, odesync::datasets::RelativeTo::Mean, 10)?;
    Ok(train(&model, &noisy, weak_constraint(), TrainOptions::default())?.model)
}

/// Returns the rows of all batches.
pub fn batches(python: Option<&str>) -> Result<Vec<Row>, Failure> {
    let small = trained(&[2, 32, 2])?;
    let wide = blackbox(
        &[2, 256, 256, 2],
        Unary::Gelu,
        &mut Generator::manual_seed(10),
    )?;
    let mut all = vec![];
    for n in [1, 8, 64, 512] {
        all.extend(batch((&small, &[2, 32, 2]), n, python)?);
    }
    all.extend(batch((&wide, &[2, 256, 256, 2]), 64, python)?);
    Ok(all)
}

/// Compares the loss and gradient of a network, not coupled to the data, on `n` samples.
fn batch(
    (model, nodes): (&VectorField, &[usize]),
    n: usize,
    python: Option<&str>,
) -> Result<Vec<Row>, Failure> {
    let data = data(n)?;
    let names: Vec<String> = nodes.iter().map(usize::to_string).collect();
    let work = format!("loss and gradient of {n} samples, {}", names.join("-"));
    let mut check = Check::default();
    let options = SolveOptions::default();
    let engine = engine("native", "cpu")?;
    let mut objective = Objective::new(model, &data, &TrainingMethod::Vanilla, &options, engine)?;
    let params = objective.initial_params();
    let loss = objective.evaluate(&params, 0.0, true, None)?;
    check.result(&work, "odesync", loss.loss, loss.gradient.to_vec())?;
    let mut by = vec!["odesync".to_string()];
    let ours = move || Ok(objective.evaluate(&params, 0.0, true, None).map(drop)?);
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Own(ours))];
    if let Some(python) = python {
        let input = input(model, nodes, &data);
        for (name, script) in [
            ("diffrax, vmap", "diffrax_batch.py"),
            ("torchdiffeq, batch", "torchdiffeq_batch.py"),
        ] {
            let peer = Peer::start(python, script, &input)?;
            let gradient = crate::cases::numbers(&peer.result["gradient"]);
            check.result(&work, name, peer.number("loss")?, gradient)?;
            by.push(name.into());
            all.push(Box::new(peer));
        }
    }
    rows(&work, by, &mut all)
}

/// The inputs of the peers: `u0` is `[sample, dof]`, `u` is `[time, sample, dof]`, both row-major.
fn input(model: &VectorField, nodes: &[usize], data: &Dataset) -> Value {
    let by_time = data.u().permuted_axes([1, 0, 2]);
    let u: Vec<f64> = by_time.iter().copied().collect();
    json!({
        "t": data.t().to_vec(), "u": u, "u0": data.u0().iter().copied().collect::<Vec<_>>(),
        "nodes": nodes, "params": model.params(), "rtol": 1e-7, "atol": 1e-9,
    })
}
