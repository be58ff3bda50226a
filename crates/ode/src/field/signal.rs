//! External signals: functions of time only, which are not part of the graph.

use super::input::InputSignal;

/// An external signal s(t), one for each sample or one for all, for example the smoothing spline û(t) of the data.
pub trait Signal: std::fmt::Debug + Send + Sync {
    /// Number of components.
    fn dof(&self) -> usize;
    /// Number of samples; 1 means that every sample has the same signal.
    fn n_samples(&self) -> usize;
    /// Writes s(t) of one sample into `out` (`[dof]`).
    fn value(&self, sample: usize, t: f64, out: &mut [f64]);
    /// Writes ds/dt of one sample into `out` (`[dof]`).
    fn derivative(&self, sample: usize, t: f64, out: &mut [f64]);
    /// Writes d²s/dt² of one sample into `out` (`[dof]`).
    fn second_derivative(&self, sample: usize, t: f64, out: &mut [f64]);
    /// Times, increasing, at which s or one of its derivatives jumps.
    fn breakpoints(&self, sample: usize) -> &[f64];
    /// Name of the signal in printed equations.
    fn name(&self) -> &str {
        "û"
    }
    /// Returns the signal as an [`InputSignal`] if it is one. An input is part of a model and saved with it; another signal is
    /// data.
    fn as_input(&self) -> Option<&InputSignal> {
        None
    }
}
