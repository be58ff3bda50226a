//! Gaussian noise with PyTorch's random numbers.

use ndarray::Array2;

use super::Dataset;
use odesync_base::error::{Error, Result};
use odesync_base::impl_named;
use odesync_base::option_set;
use odesync_base::options::{Maybe, OneOf, Seed};
use odesync_base::random::Generator;

/// Unit of the amplitude of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RelativeTo {
    /// The unit of the data.
    #[default]
    Nothing,
    /// The mean over time of each sample's and component's values.
    Mean,
    /// The standard deviation over time of each sample's and component's values.
    Std,
}

impl_named!(
    RelativeTo,
    "relative_to",
    Nothing = "nothing",
    Mean = "mean",
    Std = "std",
);

option_set! {
    /// Options of added noise.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct NoiseOptions {
        /// Unit of the amplitude: `"nothing"` is that of the data, else each component's mean or standard deviation over time.
        pub relative_to: RelativeTo as OneOf<RelativeTo> = RelativeTo::Nothing;
        /// Seed of the noise.
        pub seed: Option<u64> as Maybe<Seed> = None, "the numbers go on from `seed(…)`";
    }
}

impl Dataset {
    /// Adds noise to the data: u + amplitude · scale · z. z is one float32 draw of shape `[sample, dof, time]` (sample after
    /// sample where they have different times) from the standard normal distribution; `relative_to` determines the scale,
    /// `[sample, dof]`. The initial states are unchanged, and missing values stay missing.
    ///
    /// # Errors
    /// An amplitude that is negative or not finite.
    pub fn add_noise(
        &self,
        amplitude: f64,
        relative_to: RelativeTo,
        generator: &mut Generator,
    ) -> Result<Self> {
        if !(amplitude.is_finite() && amplitude >= 0.0) {
            return Err(Error::invalid(format!(
                "the amplitude of noise is {amplitude}: it must be finite and not negative"
            )));
        }
        let scale = match relative_to {
            RelativeTo::Nothing => Array2::ones(self.u0().raw_dim()),
            RelativeTo::Mean => self.mean(),
            RelativeTo::Std => self.std(),
        };
        let n = self.trajectories().map(|(_, u)| u.len()).sum();
        let z = generator.normal(0.0, 1.0, n);
        let mut drawn = &z[..];
        let mut noisy = vec![];
        for ((_, u), scale) in self.trajectories().zip(scale.outer_iter()) {
            let (sample_noise, rest) = drawn.split_at(u.len());
            drawn = rest;
            let times = u.nrows();
            let mut u = u.to_owned();
            for ((time, component), u) in u.indexed_iter_mut() {
                *u += amplitude
                    * scale[component]
                    * f64::from(sample_noise[component * times + time]);
            }
            noisy.push(u);
        }
        let infinite = noisy.iter().flatten().find(|value| value.is_infinite());
        if let Some(value) = infinite {
            return Err(Error::invalid(format!(
                "noise of amplitude {amplitude} makes a value {value}: lower the amplitude"
            )));
        }
        Ok(Self {
            samples: self.samples.with_values(noisy),
            ..self.clone()
        })
    }

    /// Adds noise as [`Dataset::add_noise`], with a new generator, as after `torch.manual_seed(seed)`.
    ///
    /// # Errors
    /// Those of [`Dataset::add_noise`].
    pub fn add_noise_seeded(
        &self,
        amplitude: f64,
        relative_to: RelativeTo,
        seed: u64,
    ) -> Result<Self> {
        self.add_noise(amplitude, relative_to, &mut Generator::manual_seed(seed))
    }
}
