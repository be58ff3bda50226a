//! Random directions of a landscape, normalised to the norms of the model's parameters.

use ndarray::Array2;

use crate::{Error, Result};
use odesync_base::impl_named;
use odesync_base::memory::check_memory;
use odesync_base::option_set;
use odesync_base::options::{Flag, OneOf, Seed};
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;

/// Normalisation of random directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Scales each row of a weight matrix to the norm of the model's row, as the filter normalisation of Li, Xu, Taylor, Studer,
    /// Goldstein, *Visualizing the Loss Landscape of Neural Nets* (NeurIPS 2018): d ← d ‖θ‖ / ‖d‖. A bias vector, or a single
    /// parameter, is one filter.
    Filter,
    /// Scales each parameter block to the norm of the model's block.
    Layer,
    /// No normalisation: normally distributed numbers of mean 0 and standard deviation 1.
    None,
}

impl_named!(
    Normalization,
    "normalize",
    Filter = "filter",
    Layer = "layer",
    None = "none",
);

option_set! {
    /// Options of random directions.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct DirectionOptions {
        /// Normalisation of the directions: by row of a weight matrix, by block, or none.
        pub normalize: Normalization as OneOf<Normalization> = Normalization::Filter;
        /// Whether biases and single parameters vary too; in Li et al. (2018) they do not.
        pub biases: bool as Flag = true;
        /// Seed of the random numbers.
        pub seed: u64 as Seed = 0;
    }
}

/// Draws random directions in the space of the model's trainable parameters, `[count, n]`.
///
/// # Errors
/// A model without trainable parameters, or no directions.
pub fn random_directions(
    model: &VectorField,
    count: usize,
    options: &DirectionOptions,
) -> Result<Array2<f64>> {
    let params = model.params();
    if params.is_empty() || count == 0 {
        return Err(Error::invalid(format!(
            "{count} random directions of a model with {} trainable parameters: there must be at least one of both",
            params.len()
        )));
    }
    let n = params.len();
    check_memory(
        count.saturating_mul(n).saturating_mul(size_of::<f64>()),
        format_args!("{count} random directions of {n} numbers"),
        "ask for fewer",
    )?;
    let mut generator = Generator::manual_seed(options.seed);
    let mut all = Array2::zeros((count, params.len()));
    for mut row in all.outer_iter_mut() {
        let draws = generator.normal(0.0, 1.0, params.len());
        let mut direction: Vec<f64> = draws.into_iter().map(f64::from).collect();
        let mut rest = &mut direction[..];
        let mut params_left = &params[..];
        for block in model.blocks().iter().filter(|b| b.trainable) {
            let (d, after) = rest.split_at_mut(block.len());
            let (theta, own_after) = params_left.split_at(block.len());
            (rest, params_left) = (after, own_after);
            let is_weight = block.shape.len() > 1;
            if !is_weight && !options.biases {
                d.fill(0.0);
                continue;
            }
            let filter = match (options.normalize, is_weight) {
                (Normalization::None, _) => continue,
                (Normalization::Filter, true) => block.len() / block.shape[0].max(1),
                _ => block.len(),
            };
            for (d, theta) in d.chunks_mut(filter.max(1)).zip(theta.chunks(filter.max(1))) {
                match_norm(d, theta);
            }
        }
        row.iter_mut()
            .zip(direction)
            .for_each(|(to, from)| *to = from);
    }
    Ok(all)
}

/// Scales `d` to the norm of `theta`.
fn match_norm(d: &mut [f64], theta: &[f64]) {
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (have, want) = (norm(d), norm(theta));
    if have > 0.0 {
        d.iter_mut().for_each(|d| *d *= want / have);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::blackbox;
    use odesync_ode::field::Unary;

    fn norm(x: &[f64]) -> f64 {
        x.iter().map(|x| x * x).sum::<f64>().sqrt()
    }

    #[test]
    fn filters_have_the_norms_of_the_model_and_directions_of_their_own() {
        let model = blackbox(&[2, 5, 2], Unary::Gelu, &mut Generator::manual_seed(3)).unwrap();
        let theta = model.params();
        let all = random_directions(&model, 2, &DirectionOptions::default()).unwrap();
        assert_eq!(all.dim(), (2, model.n_params()));
        // Blocks: layer0.weight [5, 2], layer0.bias [5], layer1.weight [2, 5], layer1.bias [2].
        let filters = [
            (0, 2),
            (2, 2),
            (4, 2),
            (6, 2),
            (8, 2),
            (10, 5),
            (15, 5),
            (20, 5),
            (25, 2),
        ];
        for d in all.outer_iter() {
            let d = d.to_vec();
            for (at, len) in filters {
                let (d, theta) = (&d[at..at + len], &theta[at..at + len]);
                assert!((norm(d) / norm(theta) - 1.0).abs() < 1e-12);
                let cosine = d.iter().zip(theta).map(|(a, b)| a * b).sum::<f64>();
                assert!((cosine / norm(d) / norm(theta)).abs() < 1.0 - 1e-6);
            }
        }
        assert_ne!(all.row(0), all.row(1));
        let other = DirectionOptions {
            seed: 1,
            ..DirectionOptions::default()
        };
        assert_ne!(all, random_directions(&model, 2, &other).unwrap());
        assert_eq!(
            all,
            random_directions(&model, 2, &DirectionOptions::default()).unwrap()
        );
    }

    #[test]
    fn layers_nothing_and_biases_that_stay() {
        let model = blackbox(&[2, 5, 2], Unary::Gelu, &mut Generator::manual_seed(3)).unwrap();
        let theta = model.params();
        let with = |normalize, biases| {
            let options = DirectionOptions {
                normalize,
                biases,
                seed: 7,
            };
            random_directions(&model, 1, &options)
                .unwrap()
                .row(0)
                .to_vec()
        };
        let layer = with(Normalization::Layer, true);
        for (at, len) in [(0, 10), (10, 5), (15, 10), (25, 2)] {
            assert!((norm(&layer[at..at + len]) / norm(&theta[at..at + len]) - 1.0).abs() < 1e-12);
        }
        let still = with(Normalization::Filter, false);
        assert!(still[10..15].iter().chain(&still[25..]).all(|x| *x == 0.0));
        assert_eq!(still[..10], with(Normalization::Filter, true)[..10]);
        let raw = with(Normalization::None, true);
        let draws = Generator::manual_seed(7).normal(0.0, 1.0, theta.len());
        assert!(raw.iter().zip(draws).all(|(a, b)| *a == f64::from(b)));
        assert!(random_directions(&model, 0, &DirectionOptions::default()).is_err());
    }
}
