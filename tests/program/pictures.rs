//! Tests of `plot` for every value that has a default figure, from Rust.

use odesync::landscape::{Hessian, LossOptions, Pca, SliceSpec};
use odesync::prelude::{
    Dataset, FitPlotOptions, Plot, Result, SmoothingSpline, TrainOptions, arange, blackbox,
    dataset, ensemble, linspace, lotka_volterra, plot, plot_fit, seed, train, vanilla,
};
use odesync::training::Run;

fn data() -> Result<Dataset> {
    dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 1.0, 0.1))
}

fn run(data: &Dataset) -> Result<Run> {
    seed(10);
    let options = TrainOptions {
        trajectory_every: Some(1),
        ..TrainOptions::default().epochs(4)
    };
    train(&blackbox(&[2, 4, 2])?, data, vanilla(), options)
}

fn says(value: &impl Plot, texts: &[&str]) {
    let svg = plot(value).and_then(|p| p.to_svg()).unwrap();
    for text in texts {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn every_value_has_its_picture() -> Result<()> {
    let data = data()?;
    let run = run(&data)?;
    says(&run, &["Vanilla training", "epoch"]);
    says(&data, &["<circle"]);
    let all = ensemble(
        &[1, 2, 3],
        || blackbox(&[2, 4, 2]),
        &data,
        vanilla(),
        TrainOptions::default().epochs(3),
    )?;
    says(&all, &["3 runs", "median", "quartiles"]);
    says(
        &SmoothingSpline::ragged(data.trajectories(), 0.1)?,
        &["spline", "du/dt"],
    );
    let components = Pca::from_run(&run, 2)?;
    says(&components, &["PC 1", "PC 2", "start", "end"]);
    let options = LossOptions::default();
    let none = |_, _| {};
    let hessian = Hessian::new(&run.last, &data, &options)?;
    says(&hessian.density(&Default::default())?, &["eigenvalues"]);
    let vectors = hessian.eigenpairs(2)?.vectors;
    let c = linspace(-1.0, 1.0, 5);
    let plane = SliceSpec::directions(&vectors, &[c.clone(), c.clone()]);
    says(
        &plane.evaluate(&run.last, &data, &options, &none)?,
        &["<image", "loss"],
    );
    let one = vectors.slice(odesync::prelude::s![..1, ..]).to_owned();
    let line = SliceSpec::directions(&one, &[c]);
    says(
        &line.evaluate(&run.last, &data, &options, &none)?,
        &["<polyline", "loss"],
    );
    Ok(())
}

#[test]
fn a_fit_has_its_residuals_and_any_sample() -> Result<()> {
    let data = data()?;
    let run = run(&data)?;
    let whole = plot_fit(&data, &run, 2.0)?.title("Mine").x_label("years");
    let svg = whole.to_svg()?;
    for text in ["Mine", "years", "data − model", "end of training data"] {
        assert!(svg.contains(text), "{text}");
    }
    let without_residuals =
        plot_fit(&data, &run, FitPlotOptions::default().residuals(false))?.to_svg()?;
    assert!(
        !without_residuals.contains("data − model")
            && !without_residuals.contains("end of training data")
    );
    let marked = FitPlotOptions::default().train_end(0.5);
    assert!(
        plot_fit(&data, &run, marked)?
            .to_svg()?
            .contains("end of training data")
    );
    let error = plot_fit(&data, &run, FitPlotOptions::default().sample(1)).unwrap_err();
    assert!(error.to_string().contains("no sample 1"), "{error}");
    assert!(plot_fit(&data, &run, -1.0).is_err());
    Ok(())
}
