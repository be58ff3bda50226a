//! Slices of a loss: its values along a line or on a plane.

use ndarray::{Array2, ArrayD, IxDyn};

use super::loss::{LossFunction, evaluate_points};
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_base::text::count_of;

/// Axis of a slice: a direction and coefficients along it.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceAxis {
    /// Label of the axis in a figure.
    pub label: String,
    /// Direction d, `[n]`.
    pub direction: Vec<f64>,
    /// Coefficients c of the direction d, `[point]`.
    pub coefficients: Vec<f64>,
}

/// Points in parameter space: θ₀ + c d on a line, θ₀ + c₁ d₁ + c₂ d₂ on a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    origin: Vec<f64>,
    axes: Vec<SliceAxis>,
    path: Array2<f64>,
}

impl Slice {
    /// Creates the slice around `origin`, `[n]`, with one or two axes. The path drawn over it is the origin alone.
    ///
    /// # Errors
    /// No axis or more than two, directions of a length other than the origin's, an axis without coefficients, or numbers that
    /// are not finite.
    pub fn new(origin: Vec<f64>, axes: Vec<SliceAxis>) -> Result<Self> {
        if axes.is_empty() || axes.len() > 2 {
            return Err(Error::invalid(format!(
                "a landscape is drawn along one direction or two, not {}",
                axes.len()
            )));
        }
        for (i, axis) in axes.iter().enumerate() {
            if axis.direction.len() != origin.len() {
                return Err(Error::invalid(format!(
                    "direction {i} has {}, the loss has {}",
                    count_of(axis.direction.len(), "number"),
                    count_of(origin.len(), "parameter")
                )));
            }
            if axis.coefficients.is_empty() {
                return Err(Error::invalid(format!(
                    "direction {i} has no coefficients; give some, for example linspace(-1, 1, 30)"
                )));
            }
            let mut all = axis.direction.iter().chain(&axis.coefficients);
            if all.any(|x| !x.is_finite()) {
                return Err(Error::invalid(format!(
                    "direction {i} and its coefficients must be finite"
                )));
            }
        }
        if origin.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid("the parameters must be finite"));
        }
        let slice = Slice {
            path: Array2::zeros((1, axes.len())),
            origin,
            axes,
        };
        let count = slice.len();
        check_memory(
            count.saturating_mul(2 * size_of::<f64>()),
            format_args!("a landscape of {count} points"),
            "ask for fewer",
        )?;
        Ok(slice)
    }

    /// Sets the path to be drawn over the slice, `[point, axis]`.
    ///
    /// # Errors
    /// A path with a different number of axes.
    pub fn with_path(self, path: Array2<f64>) -> Result<Self> {
        match path.ncols() == self.axes.len() {
            true => Ok(Slice { path, ..self }),
            false => Err(Error::invalid(format!(
                "the path has {} coordinates, the landscape {} axes",
                path.ncols(),
                self.axes.len()
            ))),
        }
    }

    /// Returns the origin θ₀, `[n]`.
    pub fn origin(&self) -> &[f64] {
        &self.origin
    }

    /// Returns the axes, one or two.
    pub fn axes(&self) -> &[SliceAxis] {
        &self.axes
    }

    /// Returns the coordinates of the path to be drawn over the landscape, `[point, axis]`: the origin, or the path of a run.
    pub fn path(&self) -> &Array2<f64> {
        &self.path
    }

    /// Returns the number of points on each axis.
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|a| a.coefficients.len()).collect()
    }

    /// Returns the number of points.
    pub fn len(&self) -> usize {
        let lengths = self.axes.iter().map(|a| a.coefficients.len());
        lengths.fold(1, usize::saturating_mul)
    }

    /// Whether the slice has no points; always false.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the parameters at a point; the index of the last axis runs fastest.
    fn params_at(&self, index: usize) -> Vec<f64> {
        let mut point = self.origin.clone();
        let mut rest = index;
        for axis in self.axes.iter().rev() {
            let c = axis.coefficients[rest % axis.coefficients.len()];
            rest /= axis.coefficients.len();
            for (p, d) in point.iter_mut().zip(&axis.direction) {
                *p += c * d;
            }
        }
        point
    }

    /// Evaluates the loss at every point, in parallel; NaN where a solve failed. `progress(done, all)` is called as they are
    /// done, from several threads. The bits do not depend on the number of threads.
    ///
    /// # Errors
    /// A loss with a different number of parameters, an interrupt, or any other error that ends the computation.
    pub fn evaluate(
        self,
        loss: &dyn LossFunction,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Landscape> {
        if loss.n() != self.origin.len() {
            return Err(Error::invalid(format!(
                "the loss has {}, the slice {}",
                count_of(loss.n(), "parameter"),
                self.origin.len()
            )));
        }
        self.evaluate_with(|count, point| evaluate_points(loss, count, point, progress))
    }

    /// Evaluates the slice as [`Slice::evaluate`], with a function that returns the loss at a number of points.
    ///
    /// # Errors
    /// Those of `evaluate`.
    pub fn evaluate_with<E: From<Error>>(
        self,
        evaluate: impl FnOnce(
            usize,
            &(dyn Fn(usize) -> Vec<f64> + Sync),
        ) -> std::result::Result<Vec<f64>, E>,
    ) -> std::result::Result<Landscape, E> {
        let values = evaluate(self.len(), &|i| self.params_at(i))?;
        let loss = ArrayD::from_shape_vec(IxDyn(&self.shape()), values)
            .map_err(|e| Error::invalid(e.to_string()))?;
        Ok(Landscape { slice: self, loss })
    }
}

/// Values of a loss on a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// Points of the landscape.
    pub slice: Slice,
    /// Loss at the points, `[c]` along a line or `[c₁, c₂]` on a plane; NaN where a solve failed.
    pub loss: ArrayD<f64>,
}

impl Landscape {
    /// Returns the number of points with a failed solve.
    pub fn failures(&self) -> usize {
        self.loss.iter().filter(|x| x.is_nan()).count()
    }

    /// Returns the number of local minima: points lower than all their neighbours (2 on a line, 8 on a plane), except those at
    /// the edge. A failed solve counts as infinitely high.
    pub fn n_minima(&self) -> usize {
        let shape = self.slice.shape();
        let (rows, columns) = match shape[..] {
            [n] => (1, n),
            [n, m] => (n, m),
            _ => return 0,
        };
        let flat: Vec<f64> = self.loss.iter().copied().collect();
        let at = |i: usize, j: usize| match flat[i * columns + j] {
            x if x.is_nan() => f64::INFINITY,
            x => x,
        };
        let interior = |n: usize| 1..n.saturating_sub(1).max(1);
        let lines = if shape.len() == 1 {
            0..1
        } else {
            interior(rows)
        };
        let mut count = 0;
        for i in lines {
            for j in interior(columns) {
                let near_rows = i.saturating_sub(1)..rows.min(i + 2);
                let lowest = near_rows
                    .into_iter()
                    .all(|k| (j - 1..j + 2).all(|l| (k, l) == (i, j) || at(k, l) > at(i, j)));
                count += usize::from(lowest);
            }
        }
        count
    }

    /// Returns the roughness: the total variation Σ |L_{k+1} − L_k| of a line along an axis divided by the range of the loss on
    /// it, averaged over all such lines. It is 1 for a monotonic loss, at most 2 for a single valley, and grows with every
    /// further valley. Points with a failed solve are left out; NaN where none is left.
    pub fn roughness(&self) -> f64 {
        self.mean_over_lines(Some, |variation, range| {
            (range > 0.0).then(|| variation / range)
        })
    }

    /// Returns the total variation of log₁₀ L of a line along an axis, averaged over all such lines: how many powers of ten the
    /// loss goes up and down. Unlike [`Landscape::roughness`] it resolves the bottom of a loss that grows without bound
    /// elsewhere. Losses that are not positive, and points with a failed solve, are left out; NaN where none is left.
    pub fn log_variation(&self) -> f64 {
        self.mean_over_lines(
            |x| (x > 0.0).then(|| x.log10()),
            |variation, _| Some(variation),
        )
    }

    /// Averages a function of variation and range over all lines along the axes.
    fn mean_over_lines(
        &self,
        read: impl Fn(f64) -> Option<f64>,
        of: impl Fn(f64, f64) -> Option<f64>,
    ) -> f64 {
        let mut sum = (0.0, 0);
        for axis in 0..self.loss.ndim() {
            for line in self.loss.lanes(ndarray::Axis(axis)) {
                let finite = line.iter().copied().filter(|x| x.is_finite());
                let values: Vec<f64> = finite.filter_map(&read).collect();
                let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let steps = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
                if let Some(x) = of(steps.sum(), high - low).filter(|_| values.len() > 1) {
                    sum = (sum.0 + x, sum.1 + 1);
                }
            }
        }
        sum.0 / f64::from(sum.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::FnLoss;

    fn axis(direction: &[f64], coefficients: &[f64]) -> SliceAxis {
        SliceAxis {
            label: "c".into(),
            direction: direction.to_vec(),
            coefficients: coefficients.to_vec(),
        }
    }

    fn line(f: impl Fn(f64) -> f64 + Send + Sync, n: usize) -> Landscape {
        let c: Vec<f64> = (0..n).map(|i| i as f64 / (n - 1) as f64).collect();
        let slice = Slice::new(vec![0.0], vec![axis(&[1.0], &c)]).unwrap();
        let loss = FnLoss::new(1, move |p: &[f64]| Ok(f(p[0])));
        slice.evaluate(&loss, &|_, _| {}).unwrap()
    }

    #[test]
    fn minima_and_roughness_of_known_functions() {
        let rising = line(|x| x * x, 40);
        assert_eq!((rising.n_minima(), rising.roughness()), (0, 1.0));
        let bowl = line(|x| (x - 0.5).powi(2), 41);
        assert_eq!((bowl.n_minima(), bowl.roughness()), (1, 2.0));
        let waves = line(|x| (6.0 * std::f64::consts::PI * x).cos(), 61);
        assert_eq!(waves.n_minima(), 3);
        assert!((waves.roughness() - 6.0).abs() < 1e-12);
        assert!(line(|_| 1.0, 5).roughness().is_nan());
        // Down and up by three powers of ten; values that are not positive are left out.
        let notch = line(|x| 10.0_f64.powf((6.0 * x - 3.0).abs()), 41);
        assert!((notch.log_variation() - 6.0).abs() < 1e-12);
        assert!(line(|x| -1.0 - x, 5).log_variation().is_nan());

        let c: Vec<f64> = (-10..11).map(f64::from).collect();
        let axes = vec![axis(&[1.0, 0.0], &c), axis(&[0.0, 1.0], &c)];
        let egg = FnLoss::new(2, |p: &[f64]| Ok((0.5 * p[0]).cos() + (0.5 * p[1]).cos()));
        let plane = Slice::new(vec![0.0; 2], axes).unwrap();
        let plane = plane.evaluate(&egg, &|_, _| {}).unwrap();
        // Minima at ±2π in both coordinates.
        assert_eq!(plane.n_minima(), 4);
    }

    #[test]
    fn places_are_the_origin_and_coefficients_of_directions() {
        let axes = vec![
            axis(&[1.0, 0.0, 2.0], &[0.0, 1.0]),
            axis(&[0.0, 1.0, 0.0], &[-1.0, 0.0, 3.0]),
        ];
        let slice = Slice::new(vec![10.0, 20.0, 30.0], axes).unwrap();
        let loss = FnLoss::new(3, |p: &[f64]| Ok(p[0] + 100.0 * p[1] + 10_000.0 * p[2]));
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let got = slice
            .evaluate(&loss, &|done, all| {
                assert!(done <= 6 && all == 6);
                seen.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
            })
            .unwrap();
        assert_eq!(seen.into_inner(), 6);
        assert_eq!(got.loss.shape(), [2, 3]);
        assert_eq!(got.loss[[1, 2]], 11.0 + 2300.0 + 320_000.0);
        assert_eq!(got.loss[[0, 0]], 10.0 + 1900.0 + 300_000.0);
    }

    #[test]
    fn a_failed_solve_is_one_cell_and_other_errors_end_it() {
        let fails = |solve: bool| {
            move |p: &[f64]| match p[0] {
                x if x > 0.5 && solve => Err(Error::Solve(odesync_ode::odesolve::SolveFailure {
                    reason: odesync_ode::odesolve::FailureReason::NotFinite,
                    t: 0.0,
                    step: 0.0,
                    state: vec![],
                    sample: 0,
                    method: Default::default(),
                })),
                x if x > 0.5 => Err(Error::Interrupted),
                x => Ok(x),
            }
        };
        let slice = || Slice::new(vec![0.0], vec![axis(&[1.0], &[0.0, 1.0, 0.2])]).unwrap();
        let got = slice()
            .evaluate(&FnLoss::new(1, fails(true)), &|_, _| {})
            .unwrap();
        assert!(got.loss[[1]].is_nan() && got.loss[[2]] == 0.2);
        assert_eq!((got.failures(), got.n_minima()), (1, 0));
        let error = slice().evaluate(&FnLoss::new(1, fails(false)), &|_, _| {});
        assert!(matches!(error, Err(Error::Interrupted)));
    }

    #[test]
    fn mistakes_are_named() {
        let says = |axes: Vec<SliceAxis>, text: &str| {
            let error = Slice::new(vec![0.0; 2], axes).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        says(vec![], "one direction or two");
        says(vec![axis(&[1.0], &[0.0])], "direction 0 has 1 number,");
        says(vec![axis(&[1.0, 0.0], &[])], "no coefficients");
        says(vec![axis(&[f64::NAN, 0.0], &[0.0])], "finite");
        let slice = Slice::new(vec![0.0; 2], vec![axis(&[1.0, 0.0], &[0.0])]).unwrap();
        assert!(slice.clone().with_path(Array2::zeros((3, 2))).is_err());
        let loss = FnLoss::new(3, |_: &[f64]| Ok(0.0));
        assert!(slice.evaluate(&loss, &|_, _| {}).is_err());
    }
}
