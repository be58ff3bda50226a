//! Example of gradients: the gradient of a loss through a solve with respect to parameters and initial state, compared with
//! finite differences.
//!
//!     cargo run --release -p odesync-ode --example gradient

use ndarray::{Array1, Array2};
use odesync_ode::Result;
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{Adjoint, Engine, NativeEngine, Problem, SolveOptions, solve};
use odesync_ode::options::Named;

/// Returns the loss Σ (u(t) − observed(t))² and its gradient with respect to the trainable parameters, then the initial
/// state.
fn loss_and_gradient(
    field: &VectorField,
    u0: &[f64],
    (t, observed): (&[f64], &Array2<f64>),
    options: &SolveOptions,
) -> Result<(f64, Vec<f64>)> {
    let mut engine = NativeEngine::default();
    let problem = Problem { u0, t, sample: 0 };
    let solved = engine.forward(field, &[problem], options, None, true)?;
    let differences: Vec<f64> = solved[0]
        .u
        .iter()
        .zip(observed)
        .map(|(u, o)| u - o)
        .collect();
    let loss = differences.iter().map(|d| d * d).sum();
    // The backward pass needs only ∂L/∂u at every output time.
    let bars = differences.iter().map(|d| 2.0 * d).collect();
    let gradient = engine.backward(&[bars])?;
    Ok((
        loss,
        [field.gather(&gradient.values), gradient.u0.concat()].concat(),
    ))
}

fn main() -> Result<()> {
    let names = ["growth", "predation", "gain", "death"];
    let params: Vec<(&str, f64)> = names.into_iter().zip([1.3, 0.9, 0.8, 1.8]).collect();
    let field = system(2, &params, |_t, u, p| {
        let (prey, hunters) = (u.at(0), u.at(1));
        vec![
            p.get("growth") * &prey - p.get("predation") * &prey * &hunters,
            p.get("gain") * &prey * &hunters - p.get("death") * &hunters,
        ]
    })?;
    let t = Array1::linspace(0.0, 6.0, 61).to_vec();
    let options = SolveOptions::default().tolerances(1e-10, 1e-12);
    let observed = solve(&field, &[0.44, 4.63], &t, &options)?.u;

    // Parameters and initial state that differ from the true ones.
    let field = field
        .trainable(&names)?
        .with_params(&[1.2, 1.0, 0.7, 2.0])?;
    let u0 = [0.5, 4.0];
    let (loss, gradient) = loss_and_gradient(&field, &u0, (&t, &observed), &options)?;
    println!("loss {loss:.6}");

    let at = [field.params(), u0.to_vec()].concat();
    let loss_at = |x: &[f64]| -> Result<f64> {
        let field = field.with_params(&x[..4])?;
        Ok(loss_and_gradient(&field, &x[4..], (&t, &observed), &options)?.0)
    };
    println!(
        "{:>12} {:>18} {:>18} {:>10}",
        "by", "exact", "differences", "apart"
    );
    for (i, name) in names
        .into_iter()
        .chain(["prey(0)", "hunters(0)"])
        .enumerate()
    {
        let perturbed = |by: f64| {
            let mut x = at.clone();
            x[i] += by;
            x
        };
        let step = 1e-5;
        let differences = (loss_at(&perturbed(step))? - loss_at(&perturbed(-step))?) / (2.0 * step);
        let apart = (gradient[i] - differences).abs() / differences.abs();
        println!(
            "{name:>12} {:>18.10} {differences:>18.10} {apart:>10.1e}",
            gradient[i]
        );
    }

    println!("\nthe same gradient by other ways, and how far it is from the first");
    for choice in Adjoint::ALL {
        let options = options.clone().adjoint(choice);
        let (_, other) = loss_and_gradient(&field, &u0, (&t, &observed), &options)?;
        let apart = Array1::from(other) - Array1::from(gradient.clone());
        let norm = |x: &Array1<f64>| x.mapv(|x| x * x).sum().sqrt();
        let kind = if choice.is_exact() {
            "exact"
        } else {
            "to the tolerances"
        };
        let apart = norm(&apart) / norm(&Array1::from(gradient.clone()));
        println!("{:>14} {apart:>8.1e}  {kind}", choice.to_name());
    }
    Ok(())
}
