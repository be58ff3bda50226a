//! A second training from a smaller noise, where the first one left much: the evidence decides between the two.
//!
//! The first guess of the noise is what smoothing splines of the data leave. Where the data are too sparse for splines that guess is far too
//! large, and the evidence, whose maxima in the noise are local, may stay with a model that explains little: 31 times of the Lorenz
//! system, for one noise of twenty and one network of three. The same training from a fifth of the guess does not. It is not made first,
//! since dense data are fitted too closely by it.

use super::fit::Fit;
use super::flow::Flow;
use super::gauss_newton::Estimate;
use super::nodes::Nodes;
use super::noise_level::geometric_mean;
use crate::Result;

/// Noise in units of the data's spread above which there is a second training.
const LARGE_NOISE: f64 = 0.1;
/// Factor of the first noise in the second training.
const FACTOR: f64 = 0.2;

/// Whether, and from what, there is a second training.
#[derive(Debug, Clone, Default)]
pub(super) enum SecondStart {
    /// There is none, or no other.
    #[default]
    None,
    /// The first training goes on; this is what it began with.
    Possible(Box<Estimate>),
    /// The second training goes on.
    Begun {
        /// The first training's result.
        first: Box<Fit>,
        /// Log evidence of the first training.
        log_evidence: f64,
    },
}

impl Fit {
    /// Whether a training that is done begins once more; otherwise it is done, with the result of the larger evidence.
    pub(super) fn begin_again(
        &mut self,
        flow: &mut Flow,
        nodes: &Nodes,
        sigma_of_splines: &[f64],
    ) -> Result<bool> {
        match std::mem::take(&mut self.second_start) {
            SecondStart::None => Ok(false),
            SecondStart::Possible(start) => {
                let noise = geometric_mean(nodes, |j| self.estimate.sigma[j]);
                if !self.failed && noise < LARGE_NOISE {
                    return Ok(false);
                }
                let log_evidence = self.assess(flow, nodes, sigma_of_splines)?.log_evidence;
                let mut estimate = *start;
                estimate.sigma.iter_mut().for_each(|s| *s *= FACTOR);
                let second = match flow.coupled.is_some() {
                    true => Fit::coupled(flow, nodes, estimate)?,
                    false => Fit::lifted(nodes, estimate),
                };
                let first = Box::new(std::mem::replace(self, second));
                self.second_start = SecondStart::Begun {
                    first,
                    log_evidence,
                };
                Ok(true)
            }
            SecondStart::Begun {
                first,
                log_evidence,
            } => {
                let own = self.assess(flow, nodes, sigma_of_splines)?.log_evidence;
                if own.is_nan() || own <= log_evidence {
                    *self = *first;
                }
                Ok(false)
            }
        }
    }
}
