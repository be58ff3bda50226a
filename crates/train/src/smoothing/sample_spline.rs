//! Piecewise cubics of one sample.

use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2};

use super::knot_grid::KnotGrid;
use super::ldl::LdlFactor;
use odesync_base::error::{Error, Result};

/// Smoothing spline of one sample.
#[derive(Debug, Clone)]
pub(super) struct SampleSpline {
    /// Groups of consecutive components with the same knots; a single group when nothing is missing.
    groups: Vec<ComponentGroup>,
    /// All knots of any component, increasing.
    pub(super) knots: Arc<[f64]>,
}

/// Consecutive components that share their knots.
#[derive(Debug, Clone)]
struct ComponentGroup {
    grid: Arc<KnotGrid>,
    n_components: usize,
    /// Coefficients [a, b, c, d] of a + s (b + s (c + s d)), s the time since the interval's origin, `[interval, component]`.
    cubics: Vec<[f64; 4]>,
}

impl SampleSpline {
    /// Evaluates `polynomial` with each component's coefficients at `t` into `out`, `[dof]`.
    #[inline]
    pub(super) fn evaluate(
        &self,
        t: f64,
        mut out: &mut [f64],
        polynomial: impl Fn([f64; 4], f64) -> f64,
    ) {
        for piece in &self.groups {
            let (interval, origin) = piece.grid.locate(t);
            let s = t - origin;
            let from = interval * piece.n_components;
            let cubics = &piece.cubics[from..from + piece.n_components];
            let (here, rest) = out.split_at_mut(piece.n_components);
            for (value, cubic) in here.iter_mut().zip(cubics) {
                *value = polynomial(*cubic, s);
            }
            out = rest;
        }
    }
}

/// Fitter for samples that share their times; samples without missing values share knots and factorisation too.
pub(super) struct SplineFitter<'a> {
    t: &'a [f64],
    alpha: f64,
    complete_knots: Option<Arc<FactoredKnots>>,
}

/// A set of knots with its factorisation.
struct FactoredKnots {
    grid: Arc<KnotGrid>,
    factor: LdlFactor,
}

impl<'a> SplineFitter<'a> {
    pub(super) fn new(t: &'a [f64], alpha: f64) -> Self {
        Self {
            t,
            alpha,
            complete_knots: None,
        }
    }

    /// Fits the spline of one sample `u`, `[time, dof]`.
    pub(super) fn fit(&mut self, sample: usize, u: ArrayView2<'_, f64>) -> Result<SampleSpline> {
        let columns: Vec<ArrayView1<'_, f64>> = u.columns().into_iter().collect();
        if let Some(component) = columns.iter().position(|c| c.iter().all(|y| y.is_nan())) {
            return Err(Error::invalid(format!(
                "component {component} of sample {sample} has no value at all: leave it out"
            )));
        }
        let same = columns.windows(2).all(|c| {
            let mut pairs = c[0].iter().zip(c[1]);
            pairs.all(|(a, b)| a.is_nan() == b.is_nan())
        });
        let groups = if same {
            vec![columns.as_slice()]
        } else {
            columns.chunks(1).collect()
        };
        let pieces: Vec<ComponentGroup> = groups
            .into_iter()
            .map(|columns| self.fit_group(columns))
            .collect::<Result<_>>()
            .map_err(|e| Error::invalid(format!("sample {sample}: {e}")))?;
        let knots = match pieces.as_slice() {
            [only] => only.grid.knots().clone(),
            _ => (self.t.iter().zip(u.rows()))
                .filter(|(_, row)| row.iter().any(|y| !y.is_nan()))
                .map(|(t, _)| *t)
                .collect(),
        };
        Ok(SampleSpline {
            groups: pieces,
            knots,
        })
    }

    /// Fits the splines of components measured at the same times.
    fn fit_group(&mut self, columns: &[ArrayView1<'_, f64>]) -> Result<ComponentGroup> {
        let measured: Vec<bool> = columns[0].iter().map(|y| !y.is_nan()).collect();
        let knots = self.factored_knots(&measured);
        let (n, width) = (knots.grid.knots().len(), columns.len());
        let mut cubics = vec![[0.0; 4]; (n + 1) * width];
        for (component, column) in columns.iter().enumerate() {
            let y: Vec<f64> = column.iter().copied().filter(|y| !y.is_nan()).collect();
            let pieces = (knots.factor.solve(&y))
                .map(|(g, gamma)| cubic_coefficients(knots.grid.knots(), &g, &gamma))
                .filter(|pieces| pieces.iter().flatten().all(|c| c.is_finite()))
                .ok_or_else(|| self.ill_conditioned())?;
            for (interval, cubic) in pieces.into_iter().enumerate() {
                cubics[interval * width + component] = cubic;
            }
        }
        Ok(ComponentGroup {
            grid: knots.grid.clone(),
            n_components: width,
            cubics,
        })
    }

    fn ill_conditioned(&self) -> Error {
        Error::invalid(format!(
            "the smoothing spline cannot be computed in float64 for these times and alpha = {}: some times are too \
             close together for alpha, or values too large; use a smaller alpha, merge such times, or rescale t or u",
            self.alpha
        ))
    }

    fn factored_knots(&mut self, measured: &[bool]) -> Arc<FactoredKnots> {
        let complete = measured.iter().all(|m| *m);
        if let (true, Some(knots)) = (complete, &self.complete_knots) {
            return knots.clone();
        }
        let times: Arc<[f64]> = (self.t.iter().zip(measured))
            .filter(|(_, measured)| **measured)
            .map(|(t, _)| *t)
            .collect();
        let knots = Arc::new(FactoredKnots {
            factor: LdlFactor::new(&times, self.alpha),
            grid: Arc::new(KnotGrid::new(times)),
        });
        if complete {
            self.complete_knots = Some(knots.clone());
        }
        knots
    }
}

/// Computes the coefficients of the cubics before the first knot (a line), between neighbouring knots, and after the last one (a
/// line), from values and second derivatives at the knots.
fn cubic_coefficients(knots: &[f64], g: &[f64], gamma: &[f64]) -> Vec<[f64; 4]> {
    let last = knots.len() - 1;
    let mut cubics = vec![[g[0], 0.0, 0.0, 0.0]];
    let mut end_slope = 0.0;
    for i in 0..last {
        let h = knots[i + 1] - knots[i];
        let chord = (g[i + 1] - g[i]) / h;
        let slope = chord - h * (2.0 * gamma[i] + gamma[i + 1]) / 6.0;
        cubics.push([
            g[i],
            slope,
            gamma[i] / 2.0,
            (gamma[i + 1] - gamma[i]) / (6.0 * h),
        ]);
        end_slope = chord + h * (gamma[i] + 2.0 * gamma[i + 1]) / 6.0;
    }
    if last > 0 {
        cubics[0][1] = cubics[1][1];
    }
    cubics.push([g[last], end_slope, 0.0, 0.0]);
    cubics
}
