//! Figures for print: pages, formulas, marks and compositions, for the comparison with the reference images.

use ndarray::{Array2, array};
use odesync_base::Result;
use odesync_plot::{
    Annotation, Color, Figure, Grid, HeatMap, Histogram, Legend, PageOptions, Panel, Preset, Style,
    TimeUnit,
};

use super::gallery::{Drawn, over, scattered, spaced};

pub const FIGURES: &[Drawn] = &[
    ("column", column),
    ("column_grid", column_grid),
    ("dark", dark),
    ("dark_heatmap", dark_heatmap),
    ("talk", talk),
    ("formulas", formulas),
    ("error_bars", error_bars),
    ("error_bars_log", error_bars_log),
    ("bars", bars),
    ("grouped_bars", grouped_bars),
    ("histogram", histogram),
    ("annotations", annotations),
    ("matrix_lines", matrix_lines),
    ("twin", twin),
    ("inset", inset),
    ("dates", dates),
    ("shared_ticks", shared_ticks),
    ("legend_below", legend_below),
];

fn oscillation() -> Result<Figure> {
    let t = spaced(0.0, 10.0, 300);
    let u = Array2::from_shape_fn((300, 2), |(i, j)| {
        (-0.1 * t[i]).exp() * (2.0 * t[i] + 1.3 * j as f64).cos()
    });
    let at = spaced(0.0, 10.0, 21);
    let data: Vec<f64> = at
        .iter()
        .enumerate()
        .map(|(i, t)| (-0.1 * t).exp() * (2.0 * t).cos() + 0.06 * scattered(i))
        .collect();
    let style = Style::new().color(Color::Palette(0)).label("data");
    Figure::new()
        .x_label("$t$ / s")
        .y_label(r"$u_1,\ u_2$")
        .lines(&t, &u, &["$u_1$", "$u_2$"], Style::new())?
        .error_bars(&at, &data, [0.12; 21], style)
}

fn column() -> Result<Panel> {
    let page = PageOptions::new().size_mm(85.0, 60.0)?.font(8.0)?;
    Ok(oscillation()?.page(page).into())
}

fn column_grid() -> Result<Panel> {
    let page = PageOptions::new().style(Preset::Paper);
    let left = oscillation()?.title("(a) position");
    let right = oscillation()?
        .title("(b) the first second")
        .x_range(0.0, 1.0)?;
    Ok(Grid::new(2, [left, right])?.share_y().page(page).into())
}

fn dark() -> Result<Panel> {
    let figure = oscillation()?
        .title("On a dark ground")
        .hline(0.0, Style::new().label("rest"))?
        .page(PageOptions::new().dark());
    Ok(figure.into())
}

fn dark_heatmap() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 40);
    let z = over(&x, &x, |x, y| match x.hypot(y - 1.0) < 0.4 {
        true => f64::NAN,
        false => (x * x + y * y).sin(),
    });
    let map = Figure::new()
        .heatmap(&x, &x, &z, &HeatMap::new().label(r"$\sin r^2$"))?
        .x_label("$x$")
        .y_label("$y$");
    let surface = Figure::new()
        .surface(&x, &x, &z, &Default::default())?
        .x_label("$x$")
        .y_label("$y$")
        .z_label("$z$");
    let page = PageOptions::new().dark();
    Ok(Grid::new(2, [map, surface])?.page(page).into())
}

fn talk() -> Result<Panel> {
    let page = PageOptions::new().style(Preset::Talk);
    let figure = oscillation()?.title("For a slide").page(page);
    Ok(figure.legend(Legend::Outside).into())
}

fn formulas() -> Result<Panel> {
    let t = spaced(0.0, 3.0, 100);
    let decay = |rate: f64| -> Vec<f64> { t.iter().map(|t| (-rate * t).exp()).collect() };
    let figure = Figure::new()
        .title(r"Decay $\dot u = -\lambda u,\quad u(0) = u_0$")
        .x_label(r"time $t / \tau_{\mathrm{relax}}$")
        .y_label(r"$\langle u_1^2 \rangle \pm \sigma_{x^2}$")
        .line(&t, decay(1.0), Style::new().label(r"$\lambda = 1$"))?
        .line(
            &t,
            decay(2.0),
            Style::new().label(r"$e^{-2 t}$, $\hat{u}_{ij}^{(2)}$"),
        )?
        .line(
            &t,
            decay(4.0),
            Style::new().label(r"$\|\Delta x\| \leq \frac{1}{2} \cdot 10^{-3}$"),
        )?
        .annotate(
            r"$\int_0^\infty e^{-\lambda t}\,dt = 1/\lambda$",
            (2.0, 0.45),
            &Annotation::new().to(0.7, 0.5),
        )?;
    Ok(figure.into())
}

fn error_bars() -> Result<Panel> {
    let x = spaced(0.0, 6.0, 13);
    let y: Vec<f64> = x.iter().map(|x| x.sin()).collect();
    let mut half: Vec<f64> = (0..13).map(|i| 0.1 + 0.02 * f64::from(i)).collect();
    half[4] = f64::NAN;
    let lower: Vec<f64> = y.iter().map(|y| y - 0.9).collect();
    let upper: Vec<f64> = y.iter().map(|y| y - 0.5).collect();
    let shifted: Vec<f64> = y.iter().map(|y| y - 0.6).collect();
    let figure = Figure::new()
        .x_label("x")
        .y_label("y")
        .error_bars(&x, &y, &half, Style::new().label("growing, one missing"))?
        .error_bars_between(&x, &shifted, &lower, &upper, Style::new().label("uneven"))?
        .hline(0.0, Style::new())?;
    Ok(figure.into())
}

fn error_bars_log() -> Result<Panel> {
    let h: Vec<f64> = (0..7).map(|i| 0.5f64.powi(i)).collect();
    let error: Vec<f64> = h.iter().map(|h| h * h).collect();
    // The last bars reach below 0, which the axis does not have.
    let figure = Figure::new().log_x().log_y().x_label("h").y_label("error");
    Ok(figure
        .error_bars(&h, &error, [2e-3; 7], Style::new())?
        .into())
}

fn bars() -> Result<Panel> {
    let figure = Figure::new()
        .y_label("change")
        .bars(
            spaced(0.0, 4.0, 5),
            [3.0, -1.0, 2.0, f64::NAN, 4.0],
            Style::new(),
        )?
        .categories([
            "one",
            "two",
            "three",
            "four",
            "a name too long for its place",
        ])?
        .size(500, 320)?;
    Ok(figure.into())
}

fn grouped_bars() -> Result<Panel> {
    let mse = array![[0.3, 0.2, 0.05], [0.1, 0.15, 0.02], [0.6, 0.3, 0.1]];
    let figure = Figure::new()
        .y_label("mse")
        .grouped_bars(
            [0.0, 1.0, 2.0],
            &mse,
            &["vanilla", "multiple shooting", "homotopy"],
            Style::new(),
        )?
        .categories(["Lorenz", "pendulum", "Lotka–Volterra"])?;
    Ok(figure.into())
}

fn histogram() -> Result<Panel> {
    let values: Vec<f64> = (0..3000)
        .map(|i| (0..6).map(|k| scattered(6 * i + k)).sum::<f64>() / 2f64.sqrt())
        .collect();
    let x = spaced(-4.0, 4.0, 200);
    let normal: Vec<f64> = x
        .iter()
        .map(|x| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt())
        .collect();
    let figure = Figure::new()
        .x_label("residual")
        .y_label("density")
        .histogram(&values, &Histogram::new().density().label("residuals"))?
        .line(&x, &normal, Style::new().label("normal"))?;
    Ok(figure.into())
}

fn annotations() -> Result<Panel> {
    let t = spaced(0.0, 10.0, 200);
    let x: Vec<f64> = t
        .iter()
        .map(|t| (-0.3 * t).exp() * (2.0 * t).cos())
        .collect();
    let figure = Figure::new()
        .x_label("t")
        .line(&t, &x, Style::new().label("x"))?
        .annotate(
            "first minimum",
            (3.0, -0.55),
            &Annotation::new().to(1.5, -0.63),
        )?
        .annotate("at the edge", (10.0, 1.0), &Annotation::new())?
        .annotate(
            "decays",
            (6.0, 0.6),
            &Annotation::new().to(8.0, 0.1).color(Color::Palette(1)),
        )?;
    Ok(figure.into())
}

fn matrix_lines() -> Result<Panel> {
    let t = spaced(0.0, 5.0, 100);
    let u = Array2::from_shape_fn((100, 4), |(i, j)| (t[i] * (1.0 + 0.4 * j as f64)).sin());
    let figure = Figure::new().x_label("t").y_label("u");
    Ok(figure.lines(&t, &u, &[], Style::new().label("u"))?.into())
}

fn twin() -> Result<Panel> {
    let t = spaced(0.0, 24.0, 100);
    let light: Vec<f64> = t
        .iter()
        .map(|t| 800.0 * (std::f64::consts::PI * (t - 6.0) / 12.0).sin().max(0.0))
        .collect();
    let growth: Vec<f64> = t.iter().map(|t| 0.1 + 0.02 * t).collect();
    let right =
        Figure::new()
            .y_label("light in lx")
            .line(&t, &light, Style::new().label("light"))?;
    let figure = Figure::new()
        .x_label("hour")
        .y_label("growth")
        .line(&t, &growth, Style::new().label("growth"))?
        .twin(right)?;
    Ok(figure.into())
}

fn inset() -> Result<Panel> {
    let t = spaced(0.0, 10.0, 400);
    let x: Vec<f64> = t
        .iter()
        .map(|t| (-t).exp() + 0.02 * (20.0 * t).sin())
        .collect();
    let start = Figure::new()
        .line(&t, &x, Style::new())?
        .x_range(6.0, 7.0)?;
    let figure = Figure::new()
        .x_label("t")
        .y_label("x")
        .line(&t, &x, Style::new().label("decay with a ripple"))?
        .inset(start, [0.4, 0.35, 0.55, 0.45])?;
    Ok(figure.into())
}

fn dates() -> Result<Panel> {
    let days = spaced(0.0, 400.0, 401);
    let cases: Vec<f64> = days
        .iter()
        .map(|d| 1000.0 * (1.0 + (d / 58.0).sin()))
        .collect();
    let long = Figure::new()
        .line(&days, &cases, Style::new())?
        .x_dates("2020-03-01", TimeUnit::Days)?;
    let short = Figure::new()
        .line(&days[..40], &cases[..40], Style::new())?
        .x_dates("2020-03-01 12:00", TimeUnit::Hours)?;
    Ok(Grid::new(1, [long, short])?.into())
}

fn shared_ticks() -> Result<Panel> {
    let t = spaced(0.0, 3e-7, 50);
    let power: Vec<f64> = t.iter().map(|t| 2e6 * (1.0 - (-1e7 * t).exp())).collect();
    let frequency: Vec<f64> = t.iter().map(|t| 50_123.4 + 2e6 * t).collect();
    let right = Figure::new().y_label("frequency / Hz").line(
        &t,
        &frequency,
        Style::new().label("frequency"),
    )?;
    let figure = Figure::new()
        .title("Switching on")
        .x_label("$t$ / s")
        .y_label("power / W")
        .line(&t, &power, Style::new().label("power"))?
        .twin(right)?;
    Ok(figure.into())
}

fn legend_below() -> Result<Panel> {
    let t = spaced(0.0, 10.0, 200);
    let u = Array2::from_shape_fn((200, 5), |(i, j)| (t[i] + j as f64).sin());
    let labels = ["first", "second", "third", "fourth", "a fifth with a name"];
    let figure = Figure::new()
        .x_label("t")
        .y_label("u")
        .lines(&t, &u, &labels, Style::new())?
        .legend(Legend::Below);
    Ok(figure.into())
}
