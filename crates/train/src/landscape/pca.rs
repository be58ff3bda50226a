//! Principal components of a run's path in parameter space.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2, Axis};

use super::spectrum::fix_sign;
use crate::training::Run;
use crate::{Error, Result};

/// Principal components of points in parameter space.
///
/// The directions are the right singular vectors of the points minus their mean. As in Li, Xu, Taylor, Studer, Goldstein (NeurIPS
/// 2018), the origin of the coordinates is the last point, not the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Origin of the coordinates: the last point, `[n]`.
    pub origin: Vec<f64>,
    /// Directions of length 1, the one of the largest variance first, `[k, n]`; the component of the largest magnitude is
    /// positive.
    pub directions: Array2<f64>,
    /// Fraction of the variance along each direction, `[k]`.
    pub explained_variance_ratio: Vec<f64>,
    /// Coordinates of the points, ⟨θ − origin, direction⟩, `[point, k]`; the last row is zero.
    pub path: Array2<f64>,
    /// Number of epochs done at each point, `[point]`.
    pub epochs: Vec<usize>,
}

impl Pca {
    /// Computes the first `components` principal components of points `[point, n]` (all of them, if there are fewer).
    ///
    /// # Errors
    /// Fewer than two points, points that are all equal, no components, or numbers that are not finite.
    pub fn from_points(points: ArrayView2<f64>, components: usize) -> Result<Self> {
        let (count, n) = points.dim();
        if count < 2 || n == 0 || components == 0 {
            return Err(Error::invalid(format!(
                "principal components need at least 2 points and 1 component, not {count} and {components}; keep more of them with \
                 a smaller trajectory_every"
            )));
        }
        if points.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(
                "the parameters of the run are not all finite",
            ));
        }
        let displacements = &points - &points.row(count - 1);
        if displacements.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(
                "the parameters of the run lie too far apart for numbers to hold their distance",
            ));
        }
        // Scaling by a power of two is exact. Without it, sums and squares of large numbers would be infinite, and the
        // decomposition of such a matrix never ends.
        let max_abs = points.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let exponent = max_abs.log2().clamp(-1000.0, 1023.0) as i32;
        let scaled = points.mapv(|x| x * 2.0_f64.powi(-exponent));
        let Some(mean) = scaled.mean_axis(Axis(0)) else {
            return Err(Error::invalid("there are no points"));
        };
        let centred = &scaled - &mean;
        // nalgebra is faster for matrices with at least as many rows as columns.
        let matrix = DMatrix::from_fn(n, count, |i, j| centred[[j, i]]);
        let svd = matrix.svd(true, false);
        let Some(u) = svd.u else {
            return Err(Error::invalid("the singular vectors were not found"));
        };
        let mut order: Vec<usize> = (0..svd.singular_values.len()).collect();
        order.sort_by(|a, b| svd.singular_values[*b].total_cmp(&svd.singular_values[*a]));
        let total: f64 = svd.singular_values.iter().map(|s| s * s).sum();
        if total == 0.0 {
            return Err(Error::invalid(
                "the parameters never changed, so they have no principal components",
            ));
        }
        let k = components.min(order.len()).min(count - 1);
        let mut directions = Array2::zeros((k, n));
        for (mut row, i) in directions.outer_iter_mut().zip(&order) {
            let direction = fix_sign(u.column(*i).iter().copied().collect());
            row.iter_mut()
                .zip(direction)
                .for_each(|(to, from)| *to = from);
        }
        let origin = points.row(count - 1).to_vec();
        let ratio = |i: &usize| svd.singular_values[*i].powi(2) / total;
        Ok(Pca {
            path: displacements.dot(&directions.t()),
            explained_variance_ratio: order.iter().take(k).map(ratio).collect(),
            directions,
            origin,
            epochs: (0..count).collect(),
        })
    }

    /// Computes the principal components of the model's parameters along a run, which must have stored them
    /// ([`crate::training::TrainOptions::trajectory_every`]).
    ///
    /// # Errors
    /// A run without stored parameters, or those of [`Pca::from_points`].
    pub fn from_run(run: &Run, components: usize) -> Result<Self> {
        let path = run.path()?;
        Ok(Pca {
            epochs: path.epochs,
            ..Self::from_points(path.params.view(), components)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large and small numbers have the components of ordinary ones; points without distance are an error.
    #[test]
    fn numbers_of_any_size() {
        let points = Array2::from_shape_fn((5, 3), |(i, j)| ((3 * i + j) as f64).sin());
        let want = Pca::from_points(points.view(), 2).unwrap();
        for scale in [2.0_f64.powi(1000), 2.0_f64.powi(-1000)] {
            let got = Pca::from_points((&points * scale).view(), 2).unwrap();
            assert_eq!(got.directions, want.directions);
            assert_eq!(got.explained_variance_ratio, want.explained_variance_ratio);
            assert_eq!(got.path, &want.path * scale);
        }
        let same_sign =
            Array2::from_shape_fn((9, 2), |(i, j)| 1.7e308 - 1e300 * (i * (j + 1)) as f64);
        assert!(
            Pca::from_points(same_sign.view(), 2)
                .unwrap()
                .path
                .iter()
                .all(|x| x.is_finite())
        );
        let far = Array2::from_shape_fn((3, 2), |(i, _)| if i == 1 { 1.7e308 } else { -1.7e308 });
        let error = Pca::from_points(far.view(), 2).unwrap_err().to_string();
        assert!(error.contains("too far apart"), "{error}");
    }

    /// Points on an ellipse in a tilted plane, for which the singular value decomposition is known.
    #[test]
    fn an_ellipse_in_a_tilted_plane() {
        let (p, q) = ([0.6, 0.8, 0.0, 0.0], [0.0, 0.0, 0.8, -0.6]);
        let n = 16;
        let angle = |i: usize| 2.0 * std::f64::consts::PI * (i as f64 + 0.25) / n as f64;
        let points = Array2::from_shape_fn((n, 4), |(i, j)| {
            7.0 + 3.0 * angle(i).cos() * p[j] + angle(i).sin() * q[j]
        });
        let pca = Pca::from_points(points.view(), 3).unwrap();
        // Variances 9/2 and 1/2 along p and q, none orthogonal to them.
        let want = [0.9, 0.1, 0.0];
        for (got, want) in pca.explained_variance_ratio.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        for (row, want) in pca.directions.outer_iter().zip([p, q]) {
            for (got, want) in row.iter().zip(want) {
                assert!((got - want).abs() < 1e-12);
            }
        }
        for (i, row) in pca.path.outer_iter().enumerate() {
            let last = angle(n - 1);
            assert!((row[0] - 3.0 * (angle(i).cos() - last.cos())).abs() < 1e-12);
            assert!((row[1] - (angle(i).sin() - last.sin())).abs() < 1e-12);
        }
        assert_eq!(pca.origin, points.row(n - 1).to_vec());
        // Fewer points than parameters, and more.
        let few = Pca::from_points(points.slice(ndarray::s![..3, ..]), 9).unwrap();
        assert_eq!(few.directions.dim(), (2, 4));
        assert!((few.explained_variance_ratio.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_components() {
        let same = Array2::from_elem((4, 3), 2.0);
        assert!(Pca::from_points(same.view(), 2).is_err());
        assert!(Pca::from_points(same.slice(ndarray::s![..1, ..]), 2).is_err());
        assert!(Pca::from_points(Array2::from_elem((4, 3), f64::NAN).view(), 2).is_err());
    }
}
