//! Discovers the Lotka-Volterra dynamics in noisy data with a black-box Neural ODE, by homotopy training.
//!
//!     cargo run --release --example discover            # short
//!     cargo run --release --example discover -- 100     # as long as the paper's: epochs for each of the six values of λ
//!
//! The figure is runs/examples/discover.svg. With `--no-default-features` before `--example` it is built without libtorch.

use odesync::prelude::*;

fn main() -> odesync::Result<()> {
    let epochs_per_step = match std::env::args().nth(1) {
        None => 30,
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("\"{text}\" is no number of epochs")))?,
    };

    // The true system, and noisy measurements of it: 61 times, 5 % noise.
    let truth = lotka_volterra()?;
    let u0 = [0.44249296, 4.6280594];
    let data = dataset(&truth, &u0, &arange(0.0, 6.1, 0.1))?.add_noise_seeded(
        0.05,
        RelativeTo::Mean,
        10,
    )?;

    // A network without prior knowledge, coupled to a spline of the data; the coupling is removed in six steps.
    seed(10);
    let model = blackbox(&[2, 32, 2])?;
    let method = homotopy(6.0, power_law(6, epochs_per_step, 0.6)?);
    let run = train(&model, &data, method, TrainOptions::default().lr(0.05))?;
    println!(
        "mse {:.4} at epoch {} of {}",
        run.best_mse,
        run.best_epoch,
        run.history.len()
    );

    // Compares the model with the true system beyond the training data.
    let later = linspace(6.1, 12.1, 61);
    let times = [vec![0.0], later].concat();
    let model = run.predict(&times)?;
    let apart =
        &model.index_axis(Axis(0), 0) - &solve(&truth, &u0, &times, &SolveOptions::default())?.u;
    let beyond = apart.slice(s![1.., ..]).mapv(|x| x * x);
    println!(
        "mse against the truth, from the end of the data to twice as far: {:.4}",
        beyond.mean().unwrap_or(f64::NAN)
    );

    let figure = "runs/examples/discover.svg";
    plot_fit(&data, &run, 12.0)?
        .title("Lotka-Volterra, discovered by homotopy training")
        .save(figure)?;
    println!("figure: {figure}");
    Ok(())
}
