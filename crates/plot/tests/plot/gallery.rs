//! Figures of every kind, for the comparison with the reference images.

use ndarray::Array2;
use odesync_base::Result;
use odesync_plot::builders::{self, Curve};
use odesync_plot::{
    Arrows, ColorMap, Contour, Dash, Figure, Grid, HeatMap, Marker, Panel, Style, Surface,
    Waterfall,
};

/// The name of a reference image and the function that draws its figure.
pub type Drawn = (&'static str, fn() -> Result<Panel>);

pub const FIGURES: &[Drawn] = &[
    ("lines", lines),
    ("bands", bands),
    ("symlog", symlog),
    ("log_log", log_log),
    ("heatmap", heatmap),
    ("heatmap_smooth", heatmap_smooth),
    ("heatmap_log_axis", heatmap_log_axis),
    ("contour_lines", contour_lines),
    ("contour_filled", contour_filled),
    ("surface", surface),
    ("surface_clipped", surface_clipped),
    ("surface_path", surface_path),
    ("waterfall", waterfall),
    ("waterfall_height", waterfall_height),
    ("quiver", quiver),
    ("streamlines", streamlines),
    ("phase", phase),
    ("phase_arrows", phase_arrows),
    ("phase3", phase3),
    ("scatter3", scatter3),
    ("shared", shared),
    ("trajectory", trajectory),
    ("fit", fit),
    ("loss_curve", loss_curve),
    ("losses_band", losses_band),
    ("residuals", residuals),
    ("spline", spline),
    ("compare", compare),
    ("density", density),
    ("spectrum", spectrum),
    ("landscape", landscape),
    ("landscape_path", landscape_path),
    ("landscape_surface", landscape_surface),
    ("landscape_walls", landscape_walls),
    ("quiver3", quiver3),
    ("slice", slice),
];

pub fn spaced(from: f64, to: f64, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| from + (to - from) * i as f64 / (n - 1) as f64)
        .collect()
}

pub fn over(x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((y.len(), x.len()), |(i, j)| f(x[j], y[i]))
}

/// Returns a deterministic number between −1 and 1 that looks random.
pub fn scattered(i: usize) -> f64 {
    let v = (i as f64 * 12.9898).sin() * 43758.5453;
    2.0 * (v - v.floor()) - 1.0
}

fn lines() -> Result<Panel> {
    let t = spaced(0.0, 10.0, 200);
    let mut figure = Figure::new()
        .title("Damped oscillations")
        .x_label("t")
        .y_label("x");
    for (i, rate) in [0.1, 0.2, 0.4].into_iter().enumerate() {
        let x: Vec<f64> = t
            .iter()
            .map(|t| (-rate * t).exp() * (2.0 * t).cos())
            .collect();
        let mut style = Style::new().label(format!("rate {rate}"));
        if i == 2 {
            style = style.dash(Dash::Dashed);
        }
        figure = figure.line(&t, &x, style)?;
    }
    Ok(figure
        .vline(6.0, Style::new().label("end of training data"))?
        .into())
}

fn bands() -> Result<Panel> {
    let t = spaced(0.0, 6.0, 60);
    let x: Vec<f64> = t.iter().map(|t| t.sin()).collect();
    let half: Vec<f64> = t.iter().map(|t| 0.1 + 0.05 * t).collect();
    let data: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(i, x)| x + 0.15 * scattered(i))
        .collect();
    let figure = Figure::new().x_label("t").y_label("u");
    let figure = figure.line(&t, &x, Style::new().label("median"))?;
    let figure = figure.band(&t, &x, &half, Style::new().label("quartiles"))?;
    let points = Style::new()
        .label("data")
        .marker(Marker::Diamond)
        .alpha(0.7);
    Ok(figure.scatter(&t, &data, points)?.into())
}

fn symlog() -> Result<Panel> {
    let x = spaced(-100.0, 100.0, 801);
    let y: Vec<f64> = x.iter().map(|x| x.powi(3) / 100.0).collect();
    let figure = Figure::new()
        .title("Symlog")
        .x_label("x")
        .y_label("x³/100")
        .symlog_y(0.1)?;
    Ok(figure.line(&x, &y, Style::new())?.into())
}

fn log_log() -> Result<Panel> {
    let h: Vec<f64> = (0..8).map(|i| 0.5f64.powi(i + 2)).collect();
    let mut figure = Figure::new()
        .x_label("step size")
        .y_label("error")
        .log_x()
        .log_y();
    for (name, order) in [("Euler", 1), ("Heun", 2), ("RK4", 4)] {
        let error: Vec<f64> = h.iter().map(|h| 0.3 * h.powi(order)).collect();
        figure = figure.line(&h, &error, Style::new().label(name).marker(Marker::Circle))?;
    }
    Ok(figure.into())
}

fn bowl(x: f64, y: f64) -> f64 {
    0.01 + (x - y).powi(2) + 0.05 * (x + y).powi(2) + 0.3 * (3.0 * x).sin().powi(2)
}

fn heatmap() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 30);
    let y = spaced(-1.5, 1.5, 24);
    let z = over(&x, &y, |x, y| {
        if (x - 1.2).hypot(y + 0.9) < 0.5 {
            f64::NAN
        } else {
            bowl(x, y)
        }
    });
    let options = HeatMap::new().log().label("loss");
    let figure = Figure::new()
        .title("Losses; missing values are hatched")
        .x_label("α")
        .y_label("β");
    let figure = figure.heatmap(&x, &y, &z, &options)?;
    Ok(figure.contour(&x, &y, &z, &Contour::new().log())?.into())
}

fn heatmap_smooth() -> Result<Panel> {
    let x = spaced(-3.0, 3.0, 25);
    let z = over(&x, &x, |x, y| x * (-0.5 * (x * x + y * y)).exp());
    let options = HeatMap::new().map(ColorMap::BlueRed).smooth().label("u");
    let figure = Figure::new().size(620, 520)?.x_label("x").y_label("y");
    Ok(figure.heatmap(&x, &x, &z, &options)?.into())
}

fn heatmap_log_axis() -> Result<Panel> {
    let x: Vec<f64> = (0..9)
        .map(|i| 10f64.powf(-2.0 + 0.25 * f64::from(i)))
        .collect();
    let y = [1.0, 2.0, 4.0, 7.0];
    let z = over(&x, &y, |x, y| (x * y).ln());
    let options = HeatMap::new()
        .map(ColorMap::Cividis)
        .range(-3.0, 1.0)?
        .label("log mse");
    let figure = Figure::new()
        .x_label("learning rate")
        .y_label("coupling K")
        .log_x();
    Ok(figure.heatmap(&x, y, &z, &options)?.into())
}

fn contour_lines() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 60);
    let z = over(&x, &x, |x, y| (1.0 - x).powi(2) + 5.0 * (y - x * x).powi(2));
    let figure = Figure::new().size(620, 520)?.x_label("a").y_label("b");
    let options = Contour::new()
        .levels(&[0.1, 0.3, 1.0, 3.0, 10.0, 30.0])?
        .log()
        .label("loss");
    Ok(figure.contour(&x, &x, &z, &options)?.into())
}

fn contour_filled() -> Result<Panel> {
    let x = spaced(-3.0, 3.0, 50);
    let y = spaced(-2.0, 2.0, 40);
    let hole = |x: f64, y: f64| (x + 1.8).hypot(y - 1.0) < 0.45;
    let z = over(&x, &y, |x, y| {
        if hole(x, y) {
            f64::NAN
        } else {
            x.sin() * y.cos()
        }
    });
    let figure = Figure::new().x_label("x").y_label("y");
    let filled = Contour::new()
        .filled()
        .map(ColorMap::PurpleOrange)
        .label("sin x cos y");
    let figure = figure.contour(&x, &y, &z, &filled)?;
    Ok(figure.contour(&x, &y, &z, &Contour::new())?.into())
}

fn peaks(x: f64, y: f64) -> f64 {
    3.0 * (1.0 - x).powi(2) * (-x * x - (y + 1.0).powi(2)).exp()
        - 10.0 * (x / 5.0 - x.powi(3) - y.powi(5)) * (-x * x - y * y).exp()
        - (-(x + 1.0).powi(2) - y * y).exp() / 3.0
}

fn surface() -> Result<Panel> {
    let x = spaced(-3.0, 3.0, 45);
    let z = over(&x, &x, peaks);
    let figure = Figure::new()
        .title("Peaks")
        .x_label("x")
        .y_label("y")
        .z_label("z");
    Ok(figure
        .surface(&x, &x, &z, &Surface::new().label("height"))?
        .into())
}

fn surface_clipped() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 90);
    let z = over(&x, &x, |x, y| {
        if (x + 1.0).hypot(y + 1.0) < 0.4 {
            f64::NAN
        } else {
            x.powi(4) + y.powi(4) - 2.0 * x * y
        }
    });
    let figure = Figure::new()
        .x_label("v₁")
        .y_label("v₂")
        .z_label("loss")
        .view(35.0, 40.0)?;
    let options = Surface::new().map(ColorMap::Magma);
    Ok(figure
        .z_range(-0.5, 4.0)?
        .surface(&x, &x, &z, &options)?
        .into())
}

fn surface_path() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 34);
    let z = over(&x, &x, bowl);
    let s = spaced(0.0, 1.0, 60);
    let px: Vec<f64> = s
        .iter()
        .map(|s| 1.7 * (1.0 - s) * (3.0 * s).cos())
        .collect();
    let py: Vec<f64> = s
        .iter()
        .map(|s| 1.7 * (1.0 - s) * (3.0 * s).sin())
        .collect();
    let pz: Vec<f64> = px.iter().zip(&py).map(|(x, y)| bowl(*x, *y)).collect();
    let figure = Figure::new()
        .x_label("x")
        .y_label("y")
        .z_label("loss")
        .view(-40.0, 45.0)?;
    let figure = figure.surface(&x, &x, &z, &Surface::new())?;
    let red = Style::new().color("#e64b1e".parse()?).label("training");
    Ok(figure.line3(&px, &py, &pz, red.width(3.0))?.into())
}

fn spectra() -> (Vec<f64>, Vec<f64>, Array2<f64>) {
    let grid = spaced(-5.0, 30.0, 300);
    let epochs = spaced(0.0, 600.0, 21);
    let rows = over(&grid, &epochs, |x, epoch| {
        let s = epoch / 600.0;
        let bulk = (-(x / (1.5 - s)).powi(2)).exp();
        let outlier = 0.01 * (-((x - 26.0 * (1.0 - s).powi(2) - 2.0) / 0.6).powi(2)).exp();
        bulk + outlier + 0.002 * (-((x - 12.0 * (1.0 - s)) / 0.5).powi(2)).exp() + 1e-9
    });
    (grid, epochs, rows)
}

fn waterfall() -> Result<Panel> {
    let (grid, epochs, rows) = spectra();
    Ok(builders::waterfall(&grid, &rows, &epochs)?
        .title("Spectral density over the training")
        .into())
}

fn waterfall_height() -> Result<Panel> {
    let (grid, epochs, rows) = spectra();
    let figure = Figure::new().x_label("eigenvalue").y_label("epoch");
    let options = Waterfall::new()
        .in_height()
        .log()
        .range(1e-6, 1.0)?
        .label("density");
    Ok(figure.waterfall(&grid, &epochs, &rows, &options)?.into())
}

fn quiver() -> Result<Panel> {
    let x = spaced(-2.0, 2.0, 17);
    let y = spaced(-1.5, 1.5, 13);
    let (u, v) = (
        over(&x, &y, |_, y| y),
        over(&x, &y, |x, y| -x.sin() - 0.2 * y),
    );
    let figure = Figure::new().x_label("θ").y_label("ω");
    let options = Arrows::new().by_speed().normalize().label("speed");
    Ok(figure.quiver(&x, &y, &u, &v, &options)?.into())
}

fn streamlines() -> Result<Panel> {
    let x = spaced(-4.0, 4.0, 41);
    let y = spaced(-2.5, 2.5, 31);
    let (u, v) = (over(&x, &y, |_, y| y), over(&x, &y, |x, _| -x.sin()));
    let figure = Figure::new().x_label("θ").y_label("ω");
    Ok(figure
        .streamlines(&x, &y, &u, &v, &Arrows::new().by_speed().label("speed"))?
        .into())
}

/// Returns a trajectory of Euler's method, which in small steps is accurate enough for an image.
fn orbit<const N: usize>(
    u0: [f64; N],
    n: usize,
    dt: f64,
    f: impl Fn([f64; N]) -> [f64; N],
) -> Array2<f64> {
    let mut u = u0;
    let mut path = Array2::zeros((n, N));
    for mut row in path.rows_mut() {
        row.iter_mut().zip(u).for_each(|(to, v)| *to = v);
        for _ in 0..50 {
            let slope = f(u);
            u.iter_mut()
                .zip(slope)
                .for_each(|(v, s)| *v += dt / 50.0 * s);
        }
    }
    path
}

fn van_der_pol([x, v]: [f64; 2]) -> [f64; 2] {
    [v, 1.5 * (1.0 - x * x) * v - x]
}

fn van_der_pol_portrait(streamlines: bool) -> Result<Panel> {
    let paths = [
        orbit([0.1, 0.2], 300, 0.08, van_der_pol),
        orbit([-2.0, 3.5], 200, 0.08, van_der_pol),
    ];
    let field = |x, v| {
        let [a, b] = van_der_pol([x, v]);
        Ok((a, b))
    };
    let paths: Vec<_> = paths.iter().map(|p| p.view()).collect();
    Ok(builders::phase(&paths, field, &["x", "v"], streamlines)?
        .title("Van der Pol's oscillator")
        .into())
}

fn phase() -> Result<Panel> {
    van_der_pol_portrait(true)
}

fn phase_arrows() -> Result<Panel> {
    van_der_pol_portrait(false)
}

fn lorenz([x, y, z]: [f64; 3]) -> [f64; 3] {
    [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z]
}

fn phase3() -> Result<Panel> {
    let path = orbit([1.0, 1.0, 1.0], 2500, 0.01, lorenz);
    Ok(
        builders::phase3(&[path.view()], |u| Ok(lorenz(u)), &["x", "y", "z"])?
            .title("Lorenz' attractor")
            .into(),
    )
}

fn scatter3() -> Result<Panel> {
    let of = |k: usize| -> Vec<f64> { (0..80).map(|i| scattered(3 * i + k)).collect() };
    let figure = Figure::new()
        .x_label("first")
        .y_label("second")
        .z_label("third")
        .view(-120.0, 20.0)?;
    let figure = figure.scatter3(of(0), of(1), of(2), Style::new().label("a"))?;
    let shifted: Vec<f64> = of(2).iter().map(|v| 0.5 * v).collect();
    Ok(figure
        .scatter3(
            of(1),
            of(0),
            shifted,
            Style::new().label("b").marker(Marker::Square),
        )?
        .into())
}

fn shared() -> Result<Panel> {
    let x = spaced(0.0, 6.0, 100);
    let mut panels = Vec::new();
    for (i, name) in ["t_end = 3.1", "t_end = 5.1", "t_end = 7.1", "t_end = 9.1"]
        .into_iter()
        .enumerate()
    {
        let y: Vec<f64> = x
            .iter()
            .map(|x| (i + 1) as f64 * (x * (i + 1) as f64).sin())
            .collect();
        let mut figure = Figure::new().title(name).line(&x, &y, Style::new())?;
        if i % 2 == 0 {
            figure = figure.y_label("u");
        }
        if i >= 2 {
            figure = figure.x_label("t");
        }
        panels.push(figure);
    }
    Ok(Grid::new(2, panels)?
        .share_x()
        .share_y()
        .title("Small multiples")
        .into())
}

fn prey_and_predators(n: usize, dt: f64) -> (Vec<f64>, Array2<f64>) {
    let f = |[x, y]: [f64; 2]| [1.3 * x - 0.9 * x * y, -1.8 * y + 0.8 * x * y];
    (
        (0..n).map(|i| i as f64 * dt).collect(),
        orbit([0.44249296, 4.6280594], n, dt, f),
    )
}

fn noisy(u: &Array2<f64>, size: f64) -> Array2<f64> {
    let mut noisy = u.clone();
    noisy
        .iter_mut()
        .enumerate()
        .for_each(|(i, v)| *v += size * scattered(i));
    noisy
}

fn trajectory() -> Result<Panel> {
    let (t, u) = prey_and_predators(200, 0.05);
    Ok(builders::trajectory(&t, &u, &["prey", "predators"])?.into())
}

fn fit() -> Result<Panel> {
    let (t, u) = prey_and_predators(121, 0.1);
    let data = noisy(&u, 0.3).slice(ndarray::s![..61, ..]).to_owned();
    let figure = builders::fit(&t[..61], &data, &t, &u, Some(6.0), &["prey", "predators"])?;
    Ok(figure.title("Fit and extrapolation").into())
}

fn loss_curve() -> Result<Panel> {
    let epochs = spaced(0.0, 599.0, 600);
    let loss: Vec<f64> = epochs
        .iter()
        .enumerate()
        .map(|(i, e)| (-e / 80.0).exp() * (1.0 + 0.3 * scattered(i)) + 2e-3)
        .collect();
    let mse: Vec<f64> = epochs
        .iter()
        .enumerate()
        .map(|(i, e)| 8.0 * (-e / 90.0).exp() * (1.0 + 0.4 * scattered(i + 7)) + 3e-3)
        .collect();
    let lambda: Vec<f64> = epochs
        .iter()
        .map(|e| 1.0 - (e / 100.0).floor() / 5.0)
        .collect();
    let series: [(&str, &[f64]); 2] = [("training loss", &loss), ("mse of the free model", &mse)];
    Ok(builders::loss_curve(&epochs, &series, Some(&lambda))?
        .title("Homotopy training")
        .into())
}

fn losses_band() -> Result<Panel> {
    let epochs = spaced(0.0, 299.0, 300);
    let of = |by: f64| -> Vec<f64> {
        epochs
            .iter()
            .map(|e| by * (5.0 * (-e / 40.0).exp() + 0.01))
            .collect()
    };
    let lambda: Vec<f64> = epochs.iter().map(|e| (1.0 - e / 250.0).max(0.0)).collect();
    let grid = builders::losses_band(&epochs, [&of(0.5), &of(1.0), &of(2.2)], Some(&lambda))?;
    Ok(grid.title("12 runs").into())
}

fn residuals() -> Result<Panel> {
    let (t, u) = prey_and_predators(61, 0.1);
    let left = &noisy(&u, 0.2) - &u;
    Ok(builders::residuals(&t, &left, &["prey", "predators"])?.into())
}

fn spline() -> Result<Panel> {
    let (t, fine) = (spaced(0.0, 6.0, 25), spaced(0.0, 6.0, 400));
    let of = |t: &[f64], f: fn(f64) -> f64| Array2::from_shape_fn((t.len(), 1), |(i, _)| f(t[i]));
    let points = noisy(&of(&t, f64::sin), 0.05);
    Ok(builders::spline(
        &fine,
        &of(&fine, f64::sin),
        &of(&fine, f64::cos),
        (&t, &points),
        &["x"],
    )?
    .into())
}

fn compare() -> Result<Panel> {
    let (t, u) = prey_and_predators(100, 0.06);
    let other = u.mapv(|v| 0.9 * v + 0.1);
    let curves = [
        Curve::points("data", t.clone(), noisy(&u, 0.3)),
        Curve::line("vanilla", t.clone(), other),
        Curve::line("homotopy", t, u),
    ];
    Ok(builders::compare(&curves, &["prey", "predators"])?.into())
}

fn density() -> Result<Panel> {
    let (grid, _, rows) = spectra();
    let figure = builders::density(
        &grid,
        rows.row(6),
        &[-0.6, -0.1, 0.0, 0.05, 0.2, 0.9, 8.4, 14.7],
    )?;
    Ok(figure.title("Spectral density of the Hessian").into())
}

fn spectrum() -> Result<Panel> {
    let values: Vec<f64> = (0..40)
        .map(|i| 30.0 * 0.5f64.powi(i) - if i > 34 { 1e-3 } else { 0.0 })
        .collect();
    Ok(builders::spectrum(&values)?.into())
}

fn landscape() -> Result<Panel> {
    let c = spaced(-1.5, 1.5, 30);
    let z = over(&c, &c, |x, y| {
        if y > 1.15 && x > 0.7 {
            f64::NAN
        } else {
            bowl(x, y)
        }
    });
    Ok(builders::landscape_2d(
        &c,
        &c,
        &z,
        ["step along v₁", "step along v₂", "loss"],
        None,
        &HeatMap::new(),
    )?
    .into())
}

fn landscape_path() -> Result<Panel> {
    let c = spaced(-1.0, 2.0, 40);
    let z = over(&c, &c, |x, y| 0.05 + x * x + 6.0 * y * y);
    let path = Array2::from_shape_fn((40, 2), |(i, k)| {
        let s = i as f64 / 39.0;
        (1.0 - s).powi(2) * [1.8, 1.5 * (6.0 * s).cos()][k]
    });
    let labels = [
        "principal component 1 (71 %)",
        "principal component 2 (18 %)",
        "loss",
    ];
    Ok(builders::landscape_2d(&c, &c, &z, labels, Some(&path), &HeatMap::new())?.into())
}

fn landscape_surface() -> Result<Panel> {
    let c = spaced(-1.5, 1.5, 30);
    let z = over(&c, &c, bowl);
    Ok(
        builders::landscape_surface(&c, &c, &z, ["v₁", "v₂", "loss"], None, &Surface::new())?
            .into(),
    )
}

/// A valley between walls that are many orders of magnitude higher, as a map and as a surface, with the path of a training into
/// it.
fn landscape_walls() -> Result<Panel> {
    let c = spaced(-1.5, 1.5, 31);
    let z = over(&c, &c, |x, y| {
        let far = (x * x + y * y - 1.4).max(0.0);
        bowl(x, y) * 10f64.powf(30.0 * far)
    });
    let path = Array2::from_shape_fn((12, 2), |(i, k)| {
        let s = 1.0 - i as f64 / 11.0;
        [0.9 * s * s, -0.9 * s][k]
    });
    let labels = ["step along v₁", "step along v₂", "loss"];
    let map = builders::landscape_2d(&c, &c, &z, labels, Some(&path), &HeatMap::new())?;
    let surface = builders::landscape_surface(&c, &c, &z, labels, Some(&path), &Surface::new())?;
    Ok(Grid::new(2, [map, surface])?.into())
}

fn quiver3() -> Result<Panel> {
    let at = Array2::from_shape_fn((64, 3), |(i, k)| [i % 4, i / 4 % 4, i / 16][k] as f64 - 1.5);
    let vectors = Array2::from_shape_fn((64, 3), |(i, k)| {
        let (x, y, z) = (at[[i, 0]], at[[i, 1]], at[[i, 2]]);
        [-y, x, 0.4 * z][k]
    });
    let figure = Figure::new().x_label("x").y_label("y").z_label("z");
    Ok(figure
        .quiver3(&at, &vectors, &Arrows::new().by_speed().label("speed"))?
        .into())
}

fn slice() -> Result<Panel> {
    let x = spaced(-1.0, 3.0, 200);
    let of = |n: f64| -> Vec<f64> {
        x.iter()
            .map(|x| {
                if *x > 2.7 && n > 5.0 {
                    f64::NAN
                } else {
                    0.001 + (x - 1.0).powi(2) + 0.4 * (n * (x - 1.0)).sin().powi(2)
                }
            })
            .collect()
    };
    let (short, middle, long) = (of(1.0), of(3.0), of(6.0));
    let lines: [(&str, &[f64]); 3] = [
        ("t_end = 3.1", &short),
        ("t_end = 5.1", &middle),
        ("t_end = 9.1", &long),
    ];
    let figure = builders::slice_1d(&x, &lines, ["a", "loss"], Some(1.0))?;
    Ok(figure.into())
}
