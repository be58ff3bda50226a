//! Signals from outside the graph, functions of time alone.

use super::input::InputSignal;

/// An external signal s(t) per sample, for example the smoothing spline û(t) of the data.
pub trait Signal: std::fmt::Debug + Send + Sync {
    /// Number of components.
    fn dof(&self) -> usize;
    /// Number of samples; 1 means that every sample sees the same signal.
    fn n_samples(&self) -> usize;
    /// s(t) of one sample into `out` (`[dof]`).
    fn value(&self, sample: usize, t: f64, out: &mut [f64]);
    /// ds/dt of one sample into `out` (`[dof]`).
    fn derivative(&self, sample: usize, t: f64, out: &mut [f64]);
    /// d²s/dt² of one sample into `out` (`[dof]`).
    fn second_derivative(&self, sample: usize, t: f64, out: &mut [f64]);
    /// Increasing times at which s or one of its derivatives jumps.
    fn breakpoints(&self, sample: usize) -> &[f64];
    /// Its name in printed equations.
    fn name(&self) -> &str {
        "û"
    }
    /// Itself if it is an input: an input is part of a model and saved with it, another signal is data.
    fn as_input(&self) -> Option<&InputSignal> {
        None
    }
}
