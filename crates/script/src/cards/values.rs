//! The cards of the library's values.

use ndarray::{ArrayView2, ArrayViewD, Axis};

use super::Card;
use odesync_base::tables::{self, AlignedTable};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::Solution;
use odesync_train::datasets::Dataset;
use odesync_train::discovery::Discovery;
use odesync_train::equations::{Equations, field_latex};
use odesync_train::landscape::{Density, Eigenpairs, Hessian, Landscape, Pca, TraceEstimate};
use odesync_train::schedules::Schedule;
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::training::{Ensemble, Run, StopReason};

/// Number of rows that are shown at each end of a long table.
const EDGE_ROWS: usize = 4;
/// Largest number of columns that are shown.
const MAX_COLUMNS: usize = 8;

fn number(x: f64) -> String {
    tables::format_number(x, 5)
}

fn range(values: impl Iterator<Item = f64>) -> String {
    let (mut low, mut high, mut missing) = (f64::INFINITY, f64::NEG_INFINITY, 0);
    for x in values {
        match x.is_nan() {
            true => missing += 1,
            false => (low, high) = (low.min(x), high.max(x)),
        }
    }
    let missing = match missing {
        0 => String::new(),
        n => format!(", {n} missing"),
    };
    match low <= high {
        true => format!("{} … {}{missing}", number(low), number(high)),
        false => format!("none{missing}"),
    }
}

/// Returns the rows at both ends of a table, with a row of dots in place of those between them.
fn edge_rows(table: ArrayView2<'_, f64>) -> Vec<Vec<String>> {
    let (rows, columns) = table.dim();
    let shown = |row: ndarray::ArrayView1<'_, f64>| -> Vec<String> {
        let mut cells: Vec<String> = row.iter().take(MAX_COLUMNS).map(|x| number(*x)).collect();
        if columns > MAX_COLUMNS {
            cells.push("…".into());
        }
        cells
    };
    let all = table.rows().into_iter().enumerate();
    all.filter_map(|(i, row)| {
        match rows <= 2 * EDGE_ROWS || i < EDGE_ROWS || i >= rows - EDGE_ROWS {
            true => Some(shown(row)),
            false if i == EDGE_ROWS => Some(vec!["…".into(); columns.min(MAX_COLUMNS + 1)]),
            false => None,
        }
    })
    .collect()
}

/// Returns the card of an array: its shape, its range, and the ends of its first table.
pub fn array(values: ArrayViewD<'_, f64>) -> Card {
    if let (0, Some(x)) = (values.ndim(), values.first()) {
        return Card::new(number(*x));
    }
    let shape: Vec<String> = values.shape().iter().map(usize::to_string).collect();
    let card = Card::new(format!("Array [{}]", shape.join(", ")));
    // Of more than two axes, the first index of each leading axis.
    let mut table = values.view();
    while table.ndim() > 2 && table.shape()[0] > 0 {
        table = table.index_axis_move(Axis(0), 0);
    }
    let flat = match (table.ndim(), table.len()) {
        (_, 0) => return card,
        // A short vector is shown as one row.
        (0 | 1, n) if n <= MAX_COLUMNS => table.to_shape((1, n)),
        (0 | 1, n) => table.to_shape((n, 1)),
        _ => table.to_shape((table.shape()[0], table.len() / table.shape()[0])),
    };
    let rows = flat.map(|flat| edge_rows(flat.view())).unwrap_or_default();
    match values.ndim() {
        0..=2 => card,
        n => card.line("below", format!("the first of {} axes", n - 2)),
    }
    .line("range", range(values.iter().copied()))
    .table(vec![], rows)
}

/// Returns the card of data: their size, their ranges, and the ends of the first sample.
pub fn dataset(data: &Dataset) -> Card {
    let one = data.trajectories().next();
    let mut header = vec!["t".to_string()];
    header.extend(data.names().iter().take(MAX_COLUMNS - 1).cloned());
    let rows = one.map(|(t, u)| {
        let t = t.insert_axis(Axis(1));
        ndarray::concatenate(Axis(1), &[t, u]).map(|table| edge_rows(table.view()))
    });
    let span = data.trajectories().flat_map(|(t, _)| t.to_vec());
    Card::new("Dataset")
        .line(
            "size",
            format!(
                "{} sample{}, {} times, {} state variables ({})",
                data.samples(),
                if data.samples() == 1 { "" } else { "s" },
                data.len(),
                data.dof(),
                data.names().join(", ")
            ),
        )
        .line("t", range(span))
        .line(
            "u",
            range(
                data.trajectories()
                    .flat_map(|(_, u)| u.iter().copied().collect::<Vec<_>>()),
            ),
        )
        .table(
            header,
            rows.and_then(std::result::Result::ok).unwrap_or_default(),
        )
}

/// Returns the card of a vector field: its size, its equations and its parameters. Equations that are too long to be typeset are text.
pub fn field(field: &VectorField) -> Card {
    let card = Card::new("Vector field")
        .line("state variables", field.dof().to_string())
        .line("trainable parameters", field.n_params().to_string());
    match field_latex(field, &[]) {
        Ok(latex) => card.latex(latex).body(field.show_parameters()),
        Err(_) => card.body(field.show()),
    }
}

/// Returns the card of a solution: its size, its cost and its ends.
pub fn solution(solution: &Solution) -> Card {
    let stats = &solution.stats;
    let t = solution.t.view().insert_axis(Axis(1));
    let mut header = vec!["t".to_string()];
    header.extend((0..solution.u.ncols().min(MAX_COLUMNS - 1)).map(|i| format!("u[{i}]")));
    let rows = ndarray::concatenate(Axis(1), &[t, solution.u.view()]);
    Card::new("Solution")
        .line(
            "size",
            format!(
                "{} times, {} state variables",
                solution.t.len(),
                solution.u.ncols()
            ),
        )
        .line(
            "cost",
            format!(
                "{} steps, {} rejected, {} evaluations",
                stats.steps, stats.rejected, stats.evaluations
            ),
        )
        .table(
            header,
            rows.map(|table| edge_rows(table.view()))
                .unwrap_or_default(),
        )
}

/// Returns the card of a run: how it ended, its best mse, its cost.
pub fn run(run: &Run) -> Card {
    let stop = match &run.stop {
        StopReason::Finished => "finished".into(),
        StopReason::EarlyStop => "stopped early".into(),
        StopReason::Interrupted => "interrupted".into(),
        StopReason::Failing(advice) => format!("stopped: {advice}"),
    };
    let skipped = match run.failures() {
        0 => String::new(),
        n => format!(" ({n} skipped)"),
    };
    Card::new(format!(
        "Run: {} training, {stop}",
        run.method.replace('_', " ")
    ))
    .line("epochs", format!("{}{skipped}", run.history.len()))
    .line(
        "best mse",
        format!("{} at epoch {}", number(run.best_mse), run.best_epoch),
    )
    .line("evaluations", run.evaluations().to_string())
    .line("time", format!("{:.1} s", run.seconds()))
}

/// Returns the card of an ensemble: a row for each run.
pub fn ensemble(all: &Ensemble) -> Card {
    let rows = all.runs().map(|run| {
        vec![
            run.history.len().to_string(),
            number(run.best_mse),
            run.best_epoch.to_string(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let failed = all.failed().count();
    let card = Card::new(format!("Ensemble of {} runs", rows.len()));
    match failed {
        0 => card,
        n => card.line("failed", n.to_string()),
    }
    .table(
        vec!["epochs".into(), "best mse".into(), "at epoch".into()],
        rows,
    )
}

/// Returns the card of a Hessian.
pub fn hessian(hessian: &Hessian) -> Card {
    let n = hessian.n();
    Card::new(format!("Hessian [{n}, {n}]"))
        .line("loss", number(hessian.loss()))
        .line("second derivatives", hessian.derivative_kind().name())
}

/// Returns the card of eigenpairs: the first values.
pub fn eigenpairs(pairs: &Eigenpairs) -> Card {
    let values: Vec<String> = pairs
        .values
        .iter()
        .take(MAX_COLUMNS)
        .map(|x| number(*x))
        .collect();
    Card::new(format!("{} eigenpairs", pairs.values.len()))
        .line("values", values.join(", "))
        .line(
            "vectors",
            format!("[{}, {}]", pairs.vectors.nrows(), pairs.vectors.ncols()),
        )
}

/// Returns the card of an estimated trace.
pub fn trace(trace: &TraceEstimate) -> Card {
    Card::new(format!(
        "Trace {} ± {}",
        number(trace.value),
        number(trace.standard_error)
    ))
}

/// Returns the card of a spectral density.
pub fn density(density: &Density) -> Card {
    let how = if density.exact {
        "eigenvalues"
    } else {
        "nodes of the quadrature"
    };
    Card::new("Spectral density")
        .line(
            how,
            format!(
                "{}, {}",
                density.nodes.len(),
                range(density.nodes.iter().copied())
            ),
        )
        .line("σ", number(density.sigma))
}

/// Returns the card of a landscape: its shape and range.
pub fn landscape(landscape: &Landscape) -> Card {
    let shape: Vec<String> = landscape
        .loss
        .shape()
        .iter()
        .map(usize::to_string)
        .collect();
    Card::new(format!("Landscape [{}]", shape.join(", ")))
        .line("loss", range(landscape.loss.iter().copied()))
        .line("solves that failed", landscape.failures().to_string())
}

/// Returns the card of the principal components of a path.
pub fn pca(pca: &Pca) -> Card {
    let parts: Vec<String> = pca
        .explained_variance_ratio
        .iter()
        .map(|x| format!("{:.1} %", 100.0 * x))
        .collect();
    Card::new("Principal components of a path")
        .line("points", pca.path.nrows().to_string())
        .line("part of the variance", parts.join(", "))
}

/// Returns the card of a schedule of λ.
pub fn schedule(schedule: &Schedule) -> Card {
    let values: Vec<String> = schedule.values().iter().map(|x| number(*x)).collect();
    Card::new("Schedule of λ")
        .line("values", values.join(", "))
        .line(
            "epochs",
            format!(
                "{} for each, {} in all",
                schedule.epochs_per_step(),
                schedule.epochs()
            ),
        )
}

/// Returns the card of a smoothing spline.
pub fn spline(spline: &SmoothingSpline) -> Card {
    Card::new("Smoothing spline")
        .line(
            "size",
            format!(
                "{} samples, {} knots, {} components",
                spline.samples(),
                spline.times().len(),
                spline.dof()
            ),
        )
        .line("α", number(spline.alpha()))
}

/// Returns the card of a discovery: its report.
pub fn discovery(found: &Discovery) -> Card {
    let report = found.report().unwrap_or_else(|error| error.to_string());
    Card::new("Discovery").body(report)
}

/// Returns the card of equations that were found.
pub fn equations(found: &Equations) -> Card {
    Card::new("Equations")
        .body(found.text())
        .latex(found.latex())
        .line("log evidence", number(found.log_evidence))
}

/// Returns the card of an aligned table.
pub fn table(table: &AlignedTable) -> Card {
    Card::default().body(table.to_text(5))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3, array};

    use super::*;

    #[test]
    fn long_tables_show_their_ends() {
        let card = super::array(Array1::linspace(0.0, 99.0, 100).view().into_dyn()).text();
        assert!(card.starts_with("Array [100]\n  range  0 … 99"), "{card}");
        assert!(
            card.contains('…') && card.contains("99") && !card.contains("50"),
            "{card}"
        );
        assert_eq!(card.lines().count(), 2 + 2 * EDGE_ROWS + 1);
        let deep = super::array(Array3::zeros((2, 3, 2)).view().into_dyn()).text();
        assert!(
            deep.contains("Array [2, 3, 2]") && deep.contains("the first of"),
            "{deep}"
        );
        assert_eq!(
            super::array(Array1::zeros(0).view().into_dyn()).text(),
            "Array [0]"
        );
    }

    #[test]
    fn data_say_what_is_missing() {
        let data =
            Dataset::single(array![0.0, 1.0], array![[1.0, 2.0], [f64::NAN, 3.0]], None).unwrap();
        let text = dataset(&data).text();
        assert!(
            text.contains("2 times, 2 state variables") && text.contains("1 … 3, 1 missing"),
            "{text}"
        );
    }

    #[test]
    fn a_field_is_its_equations_and_parameters() {
        let field = odesync_ode::field::system(2, &[("k", 2.5)], |_, u, p| {
            vec![u.at(1), p.get("k") * u.at(0)]
        })
        .unwrap();
        let card = super::field(&field);
        let latex = card.as_latex().unwrap();
        assert!(
            latex.contains("aligned") && latex.contains("2.5"),
            "{latex}"
        );
        assert!(card.html().contains("<pre>k = 2.5</pre>"));
        // The text is all of it, as in the prompt.
        assert_eq!(
            field.show(),
            "du[0]/dt = u[1]\ndu[1]/dt = k * u[0]\n  k = 2.5"
        );
        let endless = odesync_ode::field::system(1, &[], |_, u, _| {
            vec![(0..400).fold(u.at(0), |sum, i| (sum + u.at(0) * f64::from(i)).sin())]
        })
        .unwrap();
        let card = super::field(&endless);
        assert!(card.as_latex().is_none());
        assert!(card.html().contains("du[0]/dt"));
    }
}
