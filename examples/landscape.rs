//! The loss landscape around a model: the largest eigenvalues of its Hessian, and a slice along their eigenvectors, uncoupled and
//! coupled to the data.
//!
//!     cargo run --release --example landscape            # short
//!     cargo run --release --example landscape -- 60      # as many points on each axis of the slice
//!
//! The figure is runs/examples/landscape.svg. With `--no-default-features` before `--example` it is built without libtorch.

use odesync::prelude::*;

fn main() -> odesync::Result<()> {
    let points = match std::env::args().nth(1) {
        None => 15,
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("\"{text}\" is no number of points")))?,
    };

    let truth = lotka_volterra()?;
    let data = dataset(&truth, &[0.44249296, 4.6280594], &arange(0.0, 6.1, 0.1))?
        .add_noise_seeded(0.05, RelativeTo::Mean, 10)?;
    seed(10);
    let model = blackbox(&[2, 16, 2])?;

    let method = homotopy(6.0, power_law(6, 100, 0.6)?);
    let mut maps = vec![];
    for lambda in [0.0, 1.0] {
        let options = LossOptions::default().method(method.clone()).lambda(lambda);
        let second = hessian(&model, &data, options.clone())?;
        let pairs = second.eigenpairs(4)?;
        println!(
            "λ = {lambda}: loss {:.4}, {} parameters",
            second.loss(),
            second.n()
        );
        println!(
            "  eigenvalues of the largest magnitude {:.3?}",
            pairs.values
        );
        println!("  trace {:.3}", second.trace()?.value);

        let two = pairs.vectors.slice(s![..2, ..]).to_owned();
        let c = linspace(-1.0, 1.0, points);
        let plane = landscape(
            &model,
            &data,
            &SliceSpec::directions(&two, &[c.clone(), c]),
            options,
        )?;
        println!(
            "  on the plane of the first two the loss goes up and down by {:.1} powers of ten; minima: {}",
            plane.log_variation(),
            plane.n_minima()
        );
        maps.push(plot(&plane)?.title(format!("λ = {lambda}")));
    }
    let figure = "runs/examples/landscape.svg";
    Grid::new(2, maps)?
        .title("The loss of a black box before its training, alone and coupled")
        .save(figure)?;
    println!("figure: {figure}");
    Ok(())
}
