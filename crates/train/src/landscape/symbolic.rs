//! Loss defined by an expression of its parameters, with exact derivatives.

use super::hessian_operator::HessianOperator;
use super::loss::LossFunction;
use crate::Result;
use odesync_base::text::{count_of, were};
use odesync_ode::field::native::{DualCotangent, Evaluator, interleave};
use odesync_ode::field::{Expr, FieldBuilder};

/// Loss built of expressions, whose gradient and second derivatives are exact.
///
/// ```
/// use std::sync::Arc;
/// use odesync_train::landscape::{Hessian, SymbolicLoss};
/// let saddle = SymbolicLoss::new(2, |p| p.at(0).square() - p.at(0) * p.at(1).cos())?;
/// let h = Hessian::from_loss(Arc::new(saddle), &[1.0, 0.0])?;
/// assert_eq!(h.matrix()?, ndarray::array![[2.0, 0.0], [0.0, 1.0]]);
/// # Ok::<(), odesync_train::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SymbolicLoss {
    /// Evaluator of a field whose state is the parameters and whose every derivative is the loss.
    evaluator: Evaluator,
}

impl SymbolicLoss {
    /// Creates a loss of `n` parameters from the expression `loss` of the parameters `[n]`, whose result must have length 1.
    ///
    /// # Errors
    /// An invalid expression.
    pub fn new(n: usize, loss: impl FnOnce(Expr) -> Expr) -> Result<Self> {
        let b = FieldBuilder::new(n);
        let output = loss(b.state());
        Self::build(&b, &output)
    }

    /// Creates a loss from an expression under construction, whose state is the parameters.
    ///
    /// # Errors
    /// An invalid expression, or one that is not a single number.
    pub fn build(b: &FieldBuilder, output: &Expr) -> Result<Self> {
        let output = output.clone().checked()?;
        if output.len() != 1 {
            return Err(crate::Error::invalid(format!(
                "a loss is one number, and the expression gives {}",
                output.len()
            )));
        }
        let field = b.finish(b.try_concat(&vec![output; b.dof()])?)?;
        Ok(SymbolicLoss {
            evaluator: Evaluator::new(&field),
        })
    }

    fn forward_saving(&self, params: &[f64]) -> Result<(Vec<f64>, f64)> {
        check_len(self.n(), params)?;
        let mut slot = vec![0.0; self.evaluator.slot_len()];
        let mut out = vec![0.0; self.n()];
        self.evaluator
            .eval_taped(0, 0.0, params, &mut slot, &mut out);
        Ok((slot, out[0]))
    }

    /// Returns the cotangent that selects one of the (equal) outputs.
    fn output_cotangent(&self) -> Vec<f64> {
        let mut bar = vec![0.0; self.n()];
        bar[0] = 1.0;
        bar
    }
}

fn check_len(n: usize, params: &[f64]) -> Result<()> {
    match params.len() == n {
        true => Ok(()),
        false => Err(crate::Error::invalid(format!(
            "the loss has {}, and {} given",
            count_of(n, "parameter"),
            were(params.len())
        ))),
    }
}

impl LossFunction for SymbolicLoss {
    fn n(&self) -> usize {
        self.evaluator.dof()
    }

    fn value(&self, params: &[f64]) -> Result<f64> {
        Ok(self.forward_saving(params)?.1)
    }

    fn gradient(&self, params: &[f64]) -> Result<Option<Vec<f64>>> {
        let (slot, _) = self.forward_saving(params)?;
        let mut gradient = vec![0.0; self.n()];
        let (bar, mut sums) = (self.output_cotangent(), self.evaluator.zero_gradient());
        let place = (0, 0.0);
        self.evaluator
            .vjp(place, &slot, &bar, &mut gradient, None, &mut sums);
        Ok(Some(gradient))
    }

    fn hessian(&self, params: &[f64]) -> Result<Option<Box<dyn HessianOperator>>> {
        let (slot, loss) = self.forward_saving(params)?;
        Ok(Some(Box::new(SymbolicHessian {
            function: self.clone(),
            slot,
            loss,
        })))
    }
}

/// Hessian of a [`SymbolicLoss`]: an evaluation at a point, with the values that its derivatives need.
struct SymbolicHessian {
    function: SymbolicLoss,
    slot: Vec<f64>,
    loss: f64,
}

impl HessianOperator for SymbolicHessian {
    fn n(&self) -> usize {
        self.function.n()
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn hvp(&self, vectors: &[Vec<f64>], _parallel: bool) -> Result<Vec<Vec<f64>>> {
        let (evaluator, n) = (&self.function.evaluator, self.n());
        let mut lanes = evaluator.tangent_lanes(vectors.len());
        let w = lanes.width();
        let directions = interleave(&vectors.concat(), n, w);
        let (bar, zero_tangents) = (self.function.output_cotangent(), vec![0.0; n * w]);
        let (mut out, place) = (vec![0.0; n * w], (0, 0.0));
        evaluator.jvp_lanes(place, &self.slot, &directions, &[], &mut lanes, &mut out);
        let (mut value, mut tangents) = (vec![0.0; n], vec![0.0; n * w]);
        let bars = DualCotangent {
            value: &mut value,
            tangents: &mut tangents,
        };
        let mut sums = evaluator.zero_gradient_tangents(&lanes);
        evaluator.vjp_with_tangents(
            place,
            &self.slot,
            &mut lanes,
            (&bar, &zero_tangents),
            bars,
            None,
            &mut sums,
        );
        let lane = |p: usize| tangents.chunks_exact(w).map(|entry| entry[p]).collect();
        Ok((0..vectors.len()).map(lane).collect())
    }
}
