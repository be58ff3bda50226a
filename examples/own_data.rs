//! Trains a partly known model on data from a CSV file: hares and lynx of the Hudson's Bay Company, 1900 to 1920.
//!
//!     cargo run --release --example own_data            # short
//!     cargo run --release --example own_data -- 3000    # as many epochs
//!
//! The figure is runs/examples/own_data.svg. With `--no-default-features` before `--example` it is built without libtorch.

use odesync::prelude::*;

/// Divisor of the counts, in thousands of pelts: a network trains best with numbers around 1.
const SCALE: f64 = 30.0;

fn main() -> odesync::Result<()> {
    let epochs = match std::env::args().nth(1) {
        None => 600,
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("\"{text}\" is no number of epochs")))?,
    };

    // Empty cells are missing values, which the loss ignores.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/data/hudson_bay.csv");
    let options = CsvOptions {
        time: Some("year".into()),
        state: Some(vec!["hare".into(), "lynx".into()]),
        ..CsvOptions::default()
    };
    let table = read_csv(file, &options)?;
    let years = table.t().mapv(|year| year - 1900.0);
    let counted = table.u().index_axis(Axis(0), 0).mapv(|x| x / SCALE);
    let all = Dataset::single(years, counted, None)?.with_names(table.names().iter())?;
    // The last four years are held out.
    let seen = all.up_to(16.0)?;

    // Growth of hares and death of lynx are known; a network learns the interaction.
    seed(10);
    let model = graybox(&[2, 16, 2], |_t, u, nn| {
        vec![
            0.5 * u.at(0) - u.at(0) * nn.at(0),
            u.at(1) * nn.at(1) - 0.8 * u.at(1),
        ]
    })?;
    let schedule = power_law(6, (epochs / 6).max(1), 0.6)?;
    let method = homotopy(2.0, schedule).smoothing(0.01);
    let options = TrainOptions::default().lr(0.02).epochs(epochs);
    let run = train(&model, &seen, method, options)?;
    println!("{}", run.model.show());
    println!(
        "mse {:.4} of numbers around 1, at epoch {}",
        run.best_mse, run.best_epoch
    );

    let predicted = run.predict(&linspace(0.0, 20.0, 21))?;
    println!("{:>6} {:>14} {:>14}", "year", "hare, model", "lynx, model");
    let counted = all.u();
    for year in 16..=20 {
        let of = |i: usize| {
            let (model, counted) = (predicted[[0, year, i]], counted[[0, year, i]]);
            format!("{:.1} ({:.1})", SCALE * model, SCALE * counted)
        };
        println!("{:>6} {:>14} {:>14}", 1900 + year, of(0), of(1));
    }
    println!("(in brackets what was counted; of 1917 to 1920 the model knew nothing)");

    let figure = "runs/examples/own_data.svg";
    plot_fit(&seen, &run, 20.0)?
        .title("Hares and lynx, in units of 30,000 pelts")
        .save(figure)?;
    println!("figure: {figure}");
    Ok(())
}
