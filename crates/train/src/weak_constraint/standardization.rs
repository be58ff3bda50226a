//! Standardised values: mean 0 and standard deviation 1.

/// Mean and standard deviation of each component of something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standardization {
    /// Mean, `[component]`.
    pub mean: Vec<f64>,
    /// Standard deviation, `[component]`.
    pub sd: Vec<f64>,
}

impl Standardization {
    /// The identity for `n` components.
    pub fn identity(n: usize) -> Self {
        Standardization {
            mean: vec![0.0; n],
            sd: vec![1.0; n],
        }
    }

    /// Returns a standardised value of component `j` in the user's units.
    pub fn to_user(&self, j: usize, z: f64) -> f64 {
        self.mean[j] + self.sd[j] * z
    }

    /// Returns a value of component `j` in standardised units.
    pub fn to_standard(&self, j: usize, u: f64) -> f64 {
        (u - self.mean[j]) / self.sd[j]
    }

    /// Returns a list of standardised values, component after component, in the user's units.
    pub fn all_to_user(&self, z: &[f64]) -> Vec<f64> {
        let units = |(i, z): (usize, &f64)| self.to_user(i % self.mean.len(), *z);
        z.iter().enumerate().map(units).collect()
    }

    /// Returns a list of values, component after component, in standardised units.
    pub fn all_to_standard(&self, u: &[f64]) -> Vec<f64> {
        let units = |(i, u): (usize, &f64)| self.to_standard(i % self.mean.len(), *u);
        u.iter().enumerate().map(units).collect()
    }
}
