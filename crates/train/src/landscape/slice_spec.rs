//! Choice of a slice of a model's loss: directions, named parameters, or the principal plane of a run.

use ndarray::{Array1, Array2, Axis as ArrayAxis};

use super::pca::Pca;
use super::slice::{Landscape, Slice, SliceAxis};
use super::training_loss::{LossOptions, TrainingLoss};
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;

/// Specification of a slice of a model's loss.
#[derive(Debug, Clone, PartialEq)]
pub enum SliceSpec {
    /// Directions in parameter space: θ + c d, or θ + c₁ d₁ + c₂ d₂.
    Directions {
        /// Directions d, `[k, n]`; n may leave out the auxiliary parameters, which are then constant.
        directions: Array2<f64>,
        /// Coefficients of each direction.
        coefficients: Vec<Vec<f64>>,
    },
    /// Parameters of the model by name, trainable or not, each with its values.
    Parameters(Vec<(String, Vec<f64>)>),
    /// Plane of a run's first two principal components, as large as the run's path.
    Pca {
        /// Principal components with the path.
        pca: Box<Pca>,
        /// Number of points on each axis.
        points: usize,
        /// Margin around the path, as a fraction of its extent.
        margin: f64,
    },
}

impl SliceSpec {
    /// Creates a slice along the rows of `directions`, each with its coefficients.
    pub fn directions(directions: &Array2<f64>, coefficients: &[Vec<f64>]) -> Self {
        SliceSpec::Directions {
            directions: directions.clone(),
            coefficients: coefficients.to_vec(),
        }
    }

    /// Creates a slice along parameters of the model, by their names.
    pub fn parameters<S: AsRef<str>>(values: &[(S, Vec<f64>)]) -> Self {
        let named = values
            .iter()
            .map(|(name, v)| (name.as_ref().to_string(), v.clone()));
        SliceSpec::Parameters(named.collect())
    }

    /// Creates a slice on the principal plane of a run: 30 × 30 points that extend 20 % beyond its path.
    pub fn pca(pca: &Pca) -> Self {
        SliceSpec::Pca {
            pca: Box::new(pca.clone()),
            points: 30,
            margin: 0.2,
        }
    }

    /// Returns the loss and the points of the slice.
    ///
    /// # Errors
    /// Directions, names, a model or data that do not fit.
    pub fn slice(
        &self,
        model: &VectorField,
        data: &Dataset,
        options: &LossOptions,
    ) -> Result<(TrainingLoss, Slice)> {
        match self {
            SliceSpec::Directions {
                directions,
                coefficients,
            } => {
                let loss = TrainingLoss::new(model, data, options)?;
                let axes = slice_axes(&loss, directions, coefficients, &|i| {
                    format!("direction {}", i + 1)
                })?;
                let slice = Slice::new(loss.params().to_vec(), axes)?;
                Ok((loss, slice))
            }
            SliceSpec::Parameters(values) => parameter_slice(model, data, values, options),
            SliceSpec::Pca {
                pca,
                points,
                margin,
            } => {
                let loss = TrainingLoss::new(model, data, options)?;
                let k = pca.directions.nrows().min(2);
                let path = pca.path.slice(ndarray::s![.., ..k]).to_owned();
                let coefficients = path
                    .axis_iter(ArrayAxis(1))
                    .map(|column| padded_linspace(&column.to_vec(), *points, *margin))
                    .collect::<Result<Vec<_>>>()?;
                let directions = pca.directions.slice(ndarray::s![..k, ..]).to_owned();
                let label = |i: usize| {
                    let part = pca.explained_variance_ratio.get(i).copied().unwrap_or(0.0);
                    format!("PC {} ({:.1} %)", i + 1, 100.0 * part)
                };
                let axes = slice_axes(&loss, &directions, &coefficients, &label)?;
                // The auxiliary parameters are constant.
                let aux_params = loss.params().iter().skip(pca.origin.len());
                let origin = pca.origin.iter().chain(aux_params).copied().collect();
                let slice = Slice::new(origin, axes)?.with_path(path)?;
                Ok((loss, slice))
            }
        }
    }

    /// Evaluates the loss of a model against data on this slice ([`Slice::evaluate`]).
    ///
    /// ```
    /// use odesync_ode::{dynamics::lotka_volterra, odesolve::SolveOptions};
    /// use odesync_train::datasets::Dataset;
    /// use odesync_train::landscape::{SliceSpec, LossOptions};
    /// let system = lotka_volterra()?;
    /// let t: Vec<f64> = (0..30).map(|i| 0.1 * f64::from(i)).collect();
    /// let data = Dataset::simulated(&system, &ndarray::array![[1.0, 1.0]], &t, &SolveOptions::default())?;
    /// let a = SliceSpec::parameters(&[("a", (0..11).map(|i| 0.8 + 0.1 * f64::from(i)).collect())]);
    /// let landscape = a.evaluate(&system, &data, &LossOptions::default(), &|_, _| {})?;
    /// assert!(landscape.loss[[5]] < 1e-12); // the data's own a, 1.3
    /// assert_eq!(landscape.n_minima(), 1);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`SliceSpec::slice`] and [`Slice::evaluate`].
    pub fn evaluate(
        &self,
        model: &VectorField,
        data: &Dataset,
        options: &LossOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Landscape> {
        let (loss, slice) = self.slice(model, data, options)?;
        slice.evaluate(&loss, progress)
    }
}

fn slice_axes(
    loss: &TrainingLoss,
    directions: &Array2<f64>,
    coefficients: &[Vec<f64>],
    label: &dyn Fn(usize) -> String,
) -> Result<Vec<SliceAxis>> {
    if directions.nrows() != coefficients.len() {
        return Err(Error::invalid(format!(
            "{} and {}; give one list for each direction",
            count_of(directions.nrows(), "direction"),
            count_of(coefficients.len(), "list of coefficients")
        )));
    }
    let axis = |(i, (direction, coefficients)): (usize, (ndarray::ArrayView1<f64>, &Vec<f64>))| {
        SliceAxis {
            label: label(i),
            direction: loss.pad_direction(direction.to_vec()),
            coefficients: coefficients.clone(),
        }
    };
    let rows = directions.outer_iter().zip(coefficients);
    Ok(rows.enumerate().map(axis).collect())
}

/// Returns evenly spaced points that extend beyond the path on both sides.
fn padded_linspace(path: &[f64], points: usize, margin: f64) -> Result<Vec<f64>> {
    if points < 2 || !(margin >= 0.0 && margin.is_finite()) {
        return Err(Error::invalid(format!(
            "a landscape needs at least 2 points on an axis and a margin that is not negative, not {points} and {margin}"
        )));
    }
    let low = path.iter().copied().fold(f64::INFINITY, f64::min);
    let high = path.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let extent = if high > low { high - low } else { 1.0 };
    odesync_base::memory::check_memory(
        points.saturating_mul(2 * size_of::<f64>()),
        format_args!("a landscape of {points} points along an axis"),
        "ask for fewer",
    )?;
    Ok(Array1::linspace(low - margin * extent, high + margin * extent, points).to_vec())
}

fn parameter_slice(
    model: &VectorField,
    data: &Dataset,
    values: &[(String, Vec<f64>)],
    options: &LossOptions,
) -> Result<(TrainingLoss, Slice)> {
    let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
    let model = model.trainable(&names)?;
    let loss = TrainingLoss::new(&model, data, options)?;
    let mut origin = loss.params().to_vec();
    let (mut axes, mut path_point) = (vec![], vec![]);
    for (name, values) in values {
        let mut at = 0;
        for block in model.blocks().iter().filter(|b| b.trainable) {
            if block.name != *name {
                at += block.len();
                continue;
            }
            if block.len() != 1 {
                return Err(Error::invalid(format!(
                    "\"{name}\" has {}; a landscape along a parameter needs a single one, or give directions",
                    count_of(block.len(), "number")
                )));
            }
            let mut direction = vec![0.0; origin.len()];
            direction[at] = 1.0;
            path_point.push(origin[at]);
            axes.push(SliceAxis {
                label: name.clone(),
                direction,
                coefficients: values.clone(),
            });
            break;
        }
    }
    // The sliced parameters are 0 at the origin, so that the coefficients are their values.
    for axis in &axes {
        for (origin, d) in origin.iter_mut().zip(&axis.direction) {
            *origin *= 1.0 - d;
        }
    }
    let path = Array2::from_shape_vec((1, path_point.len()), path_point)
        .map_err(|e| Error::invalid(e.to_string()))?;
    Ok((loss, Slice::new(origin, axes)?.with_path(path)?))
}
