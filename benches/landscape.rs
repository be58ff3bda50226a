//! Landscapes and spectra of the Lotka-Volterra black box (2-32-2, GELU, 162 parameters), uncoupled, rtol 1e-7, atol 1e-9, on all
//! threads, for data of several lengths: four 30 × 30 landscapes along the first two eigenvectors, and twenty exact spectra.
//!
//!     cargo bench --no-default-features --bench landscape

use std::time::Instant;

use ndarray::Array1;
use odesync::datasets::{Dataset, RelativeTo};
use odesync::field::{Unary, VectorField};
use odesync::landscape::{DensityOptions, Hessian, LossOptions, SliceSpec};
use odesync::models::blackbox;
use odesync::odesolve::SolveOptions;
use odesync::random::Generator;
use odesync::schedules::Schedule;
use odesync::training::{Homotopy, TrainOptions, train};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let system = odesync::dynamics::lotka_volterra()?;
    let t: Vec<f64> = (0..101).map(|i| f64::from(i) * 0.1).collect();
    let u0 = vec![0.442_492_96, 4.628_059_4];
    let clean = odesync::odesolve::solve(&system, &u0, &t, &SolveOptions::default())?.u;
    let data = Dataset::single(Array1::from(t), clean, Some(Array1::from(u0)))?;
    let data = data.add_noise_seeded(0.05, RelativeTo::Mean, 10)?;
    let initial = blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(10))?;
    let method = Homotopy::new(6.0, Schedule::power_law(6, 100, 0.6)?).into();
    let options = TrainOptions::default().lr(0.05);
    let run = train(&initial, &data.up_to(6.0)?, &method, &options, &mut ())?;
    println!(
        "{} threads; trained to mse {:.3e}",
        rayon::current_num_threads(),
        run.best_mse
    );
    for (name, model) in [("initial", &initial), ("trained", &run.model)] {
        println!("\n{name} model");
        landscapes(model, &data)?;
        spectra(model, &data)?;
    }
    Ok(())
}

fn landscapes(model: &VectorField, data: &Dataset) -> Result<(), Failure> {
    let c = Array1::linspace(-1.0, 1.0, 30).to_vec();
    let options = LossOptions::default();
    println!(
        "{:>6}{:>14}{:>14}{:>14}{:>10}{:>12}{:>8}{:>12}{:>12}",
        "t_end",
        "largest",
        "smallest",
        "width",
        "minima",
        "log variation",
        "NaN",
        "Hessian, s",
        "slice, s"
    );
    let start = Instant::now();
    for t_end in [3.1, 5.1, 7.1, 9.1] {
        // The times of arange(0, t_end, 0.1).
        let data = data.up_to(t_end - 0.1)?;
        let begin = Instant::now();
        let hessian = Hessian::new(model, &data, &options)?;
        let pairs = hessian.eigenpairs(2)?;
        let spectrum = hessian.spectrum()?;
        let (low, high) = (spectrum[0], spectrum[spectrum.len() - 1]);
        let seconds = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let spec = SliceSpec::directions(&pairs.vectors, &[c.clone(), c.clone()]);
        let landscape = spec.evaluate(model, &data, &options, &|_, _| {})?;
        println!(
            "{t_end:>6}{high:>14.4e}{low:>14.4e}{:>14.4e}{:>10}{:>12.4}{:>8}{seconds:>12.3}{:>12.3}",
            high - low,
            landscape.n_minima(),
            landscape.log_variation(),
            landscape.failures(),
            begin.elapsed().as_secs_f64()
        );
    }
    println!("four landscapes: {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn spectra(model: &VectorField, data: &Dataset) -> Result<(), Failure> {
    let start = Instant::now();
    let mut widths = vec![];
    for i in 1..=20 {
        let data = data.up_to(0.5 * f64::from(i))?;
        let hessian = Hessian::new(model, &data, &LossOptions::default())?;
        widths.push(
            hessian
                .density(&DensityOptions::default())?
                .spectral_range(),
        );
    }
    println!(
        "twenty spectra: {:.2} s; width from {:.3e} (t_end 0.5) to {:.3e} (t_end 10)",
        start.elapsed().as_secs_f64(),
        widths[0],
        widths[19]
    );
    Ok(())
}
