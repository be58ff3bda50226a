//! Natural cubic smoothing splines û(t), to which a model is synchronised.
//!
//! For data y_i at times t_i, the spline û minimises Σ (y_i − û(t_i))² + α ∫ û″(t)² dt. α = 0 interpolates, α → ∞ tends to the
//! least-squares line. Outside the data û is linear (natural ends).
//!
//! Source: P. J. Green, B. W. Silverman, *Nonparametric Regression and Generalized Linear Models* (1994), chapter 2;
//! C. H. Reinsch, *Smoothing by spline functions*, Numer. Math. 10 (1967).

use ndarray::{Array3, ArrayView1, ArrayView2, ArrayView3, Axis};

use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::{InputSignal, Signal};

mod component_spline;
mod cross_validation;
mod double_double;
mod knot_grid;
mod ldl;
mod sample_spline;
#[cfg(test)]
mod tests;

pub(crate) use component_spline::ComponentSpline;
pub use cross_validation::{CrossValidation, cross_validate};
use sample_spline::{SampleSpline, SplineFitter};

/// Natural cubic smoothing spline of each component of each sample.
///
/// Missing values (NaN) are left out, so each component of each sample has its own knots. One value gives a constant,
/// two give a straight line.
///
/// ```
/// use ndarray::array;
/// use odesync_train::smoothing::SmoothingSpline;
///
/// let spline = SmoothingSpline::single(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [6.0]].view(), 0.1)?;
/// let mut u = [0.0];
/// spline.value_into(0, 2.0, &mut u);
/// assert!((u[0] - 4.0).abs() < 1e-12); // a straight line stays one, whatever alpha
/// # Ok::<(), odesync_train::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SmoothingSpline {
    t: Vec<f64>,
    dof: usize,
    alpha: f64,
    splines: Vec<SampleSpline>,
}

impl SmoothingSpline {
    /// Fits the spline to `u`, `[sample, time, dof]`, at the times `t`; NaN is a missing value. O(time) for each
    /// component.
    ///
    /// # Errors
    /// `alpha` negative or not finite; times not finite or not increasing; lengths that differ; an infinite value; a
    /// component without a value; times so close, or an alpha so large, that the system cannot be solved in float64.
    pub fn new(t: &[f64], u: ArrayView3<'_, f64>, alpha: f64) -> Result<Self> {
        check_data(t, u, alpha)?;
        let (_, _, dof) = u.dim();
        let mut fitter = SplineFitter::new(t, alpha);
        let curves = u
            .outer_iter()
            .enumerate()
            .map(|(sample, u)| fitter.fit(sample, u))
            .collect::<Result<_>>()?;
        Ok(Self {
            t: t.to_vec(),
            dof,
            alpha,
            splines: curves,
        })
    }

    /// Fits the spline to samples with different times: `t` `[time]` and `u` `[time, dof]` of each.
    ///
    /// # Errors
    /// No samples, samples of different dof, or those of [`SmoothingSpline::new`].
    pub fn ragged<'a>(
        samples: impl IntoIterator<Item = (ArrayView1<'a, f64>, ArrayView2<'a, f64>)>,
        alpha: f64,
    ) -> Result<Self> {
        let samples: Vec<_> = samples.into_iter().map(|(t, u)| (t.to_vec(), u)).collect();
        let Some((_, first)) = samples.first() else {
            return Err(Error::invalid("a spline needs at least one sample"));
        };
        let dof = first.ncols();
        let mut curves = vec![];
        for (i, (t, u)) in samples.iter().enumerate() {
            check_data(t, u.insert_axis(Axis(0)), alpha)
                .map_err(|e| Error::invalid(format!("sample {i}: {e}")))?;
            if u.ncols() != dof {
                return Err(Error::invalid(format!(
                    "sample {i} has {}, those before it {dof}",
                    count_of(u.ncols(), "component")
                )));
            }
            curves.push(SplineFitter::new(t, alpha).fit(i, *u)?);
        }
        let times = samples.iter().map(|(t, _)| ArrayView1::from(t));
        Ok(Self {
            t: merge_times(times),
            dof,
            alpha,
            splines: curves,
        })
    }

    /// Fits the spline to a single trajectory `u`, `[time, dof]`.
    ///
    /// # Errors
    /// Those of [`SmoothingSpline::new`].
    pub fn single(t: &[f64], u: ArrayView2<'_, f64>, alpha: f64) -> Result<Self> {
        Self::new(t, u.insert_axis(Axis(0)), alpha)
    }

    /// Returns the weight α of ∫ û″².
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Returns the number of samples.
    pub fn samples(&self) -> usize {
        self.splines.len()
    }

    /// Returns the number of components.
    pub fn dof(&self) -> usize {
        self.dof
    }

    /// Returns the times of the data of all samples, including times of missing values.
    pub fn times(&self) -> &[f64] {
        &self.t
    }

    /// Returns the knots of one sample: the times at which at least one component was measured, increasing.
    pub fn knots(&self, sample: usize) -> Vec<f64> {
        self.sample_spline(sample).knots.to_vec()
    }

    /// Returns û at the times of the data, `[sample, time, dof]`, including times of missing values.
    pub fn g(&self) -> Array3<f64> {
        self.at(&self.t)
    }

    /// Returns û″ at the times of the data, `[sample, time, dof]`; it is 0 at the first and last knot.
    pub fn g_ddot(&self) -> Array3<f64> {
        self.second_derivative_at(&self.t)
    }

    /// Returns û at the times `t`, `[sample, time, dof]`.
    pub fn at(&self, t: &[f64]) -> Array3<f64> {
        self.tabulate(t, Self::value_into)
    }

    /// Returns dû/dt at the times `t`, `[sample, time, dof]`.
    pub fn derivative_at(&self, t: &[f64]) -> Array3<f64> {
        self.tabulate(t, Self::derivative_into)
    }

    /// Returns d²û/dt² at the times `t`, `[sample, time, dof]`.
    pub fn second_derivative_at(&self, t: &[f64]) -> Array3<f64> {
        self.tabulate(t, Self::second_derivative_into)
    }

    /// Writes û(t) of one sample into `out`, `[dof]`. If there is only one sample, every index selects it.
    pub fn value_into(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.sample_spline(sample)
            .evaluate(t, out, |[a, b, c, d], s| a + s * (b + s * (c + s * d)));
    }

    /// Writes dû/dt of one sample into `out`, `[dof]`.
    pub fn derivative_into(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.sample_spline(sample)
            .evaluate(t, out, |[_, b, c, d], s| b + s * (2.0 * c + s * (3.0 * d)));
    }

    /// Writes d²û/dt² of one sample into `out`, `[dof]`.
    pub fn second_derivative_into(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.sample_spline(sample)
            .evaluate(t, out, |[_, _, c, d], s| 2.0 * c + s * (6.0 * d));
    }

    fn sample_spline(&self, sample: usize) -> &SampleSpline {
        match self.splines.as_slice() {
            [only] => only,
            curves => &curves[sample],
        }
    }

    fn tabulate(&self, t: &[f64], row: impl Fn(&Self, usize, f64, &mut [f64])) -> Array3<f64> {
        let shape = (self.samples(), t.len(), self.dof);
        let mut table = Array3::zeros(shape);
        let mut buffer = vec![0.0; self.dof];
        for (sample, mut rows) in table.outer_iter_mut().enumerate() {
            for (mut out, t) in rows.outer_iter_mut().zip(t) {
                row(self, sample, *t, &mut buffer);
                out.iter_mut().zip(&buffer).for_each(|(o, v)| *o = *v);
            }
        }
        table
    }
}

/// Creates an external input from the natural cubic smoothing spline of values `[time, component]` at the times `t`; α = 0
/// interpolates them. Missing values (NaN) are bridged by the spline.
///
/// # Errors
/// Those of [`SmoothingSpline::new`].
pub fn spline_input(t: &[f64], values: ArrayView2<'_, f64>, alpha: f64) -> Result<InputSignal> {
    let spline = SmoothingSpline::single(t, values, alpha)?;
    let (g, g_ddot) = (spline.g(), spline.g_ddot());
    let first = Axis(0);
    InputSignal::cubic(t, g.index_axis(first, 0), Some(g_ddot.index_axis(first, 0)))
}

impl Signal for SmoothingSpline {
    fn dof(&self) -> usize {
        self.dof
    }

    fn n_samples(&self) -> usize {
        self.splines.len()
    }

    fn value(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.value_into(sample, t, out);
    }

    fn derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.derivative_into(sample, t, out);
    }

    fn second_derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        self.second_derivative_into(sample, t, out);
    }

    /// Returns the knots, where û‴ jumps.
    fn breakpoints(&self, sample: usize) -> &[f64] {
        &self.sample_spline(sample).knots
    }
}

/// Merges several lists of times into one, increasing and without duplicates.
pub(crate) fn merge_times<'a>(lists: impl Iterator<Item = ArrayView1<'a, f64>>) -> Vec<f64> {
    let mut all: Vec<f64> = lists.flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// Checks that a spline can be fitted to the data.
fn check_data(t: &[f64], u: ArrayView3<'_, f64>, alpha: f64) -> Result<()> {
    if !(alpha.is_finite() && alpha >= 0.0) {
        return Err(Error::invalid(format!(
            "the smoothing parameter alpha is {alpha}: it must be finite and not negative (0 interpolates)"
        )));
    }
    check_times(t)?;
    let (samples, times, dof) = u.dim();
    if t.len() != times {
        return Err(Error::invalid(format!(
            "{} but u has {}: u must be [time, dof] or [sample, time, dof] with one row for each time",
            count_of(t.len(), "time"),
            count_of(times, "row")
        )));
    }
    if samples == 0 || times == 0 || dof == 0 {
        return Err(Error::invalid(format!(
            "u is empty, of shape [{samples}, {times}, {dof}]: a spline needs at least one sample, time and component"
        )));
    }
    if let Some(((sample, time, component), value)) =
        u.indexed_iter().find(|(_, value)| value.is_infinite())
    {
        return Err(Error::invalid(format!(
            "u[{sample}, {time}, {component}] is {value}: values must be finite; NaN stands for a missing value"
        )));
    }
    Ok(())
}

/// Checks that times are finite and strictly increasing; the error names the first index that is not.
pub(crate) fn check_times(t: &[f64]) -> Result<()> {
    if let Some((i, value)) = t.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::invalid(format!(
            "t[{i}] is {value}: times must be finite"
        )));
    }
    if let Some(i) = (1..t.len()).find(|i| t[*i] <= t[i - 1]) {
        let (before, here) = (t[i - 1], t[i]);
        let (what, cure) = if before == here {
            (
                "repeats the time before it",
                "keep one row for each time, or average them",
            )
        } else {
            ("is less than the time before it", "sort the rows by time")
        };
        return Err(Error::invalid(format!(
            "t[{i}] = {here} {what} (t[{}] = {before}): times must increase; {cure}",
            i - 1
        )));
    }
    Ok(())
}
