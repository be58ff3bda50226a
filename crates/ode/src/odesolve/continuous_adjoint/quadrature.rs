//! Gauss quadrature of the parameters' gradient `∫ (∂f/∂θ)ᵀ λ dt` over the steps of the backward solve.

use crate::field::native::{Evaluator, ParamGradient};

/// Nodes θ and weights of Gauss-Legendre quadrature on [0, 1], with `n` nodes exact for polynomials of degree 2n − 1.
pub(super) struct GaussRule {
    pub nodes: &'static [f64],
    pub weights: &'static [f64],
}

const GAUSS_2: GaussRule = GaussRule {
    nodes: &[0.211_324_865_405_187_1, 0.788_675_134_594_812_9],
    weights: &[0.5, 0.5],
};

const GAUSS_3: GaussRule = GaussRule {
    nodes: &[0.112_701_665_379_258_3, 0.5, 0.887_298_334_620_741_7],
    weights: &[5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0],
};

const GAUSS_4: GaussRule = GaussRule {
    nodes: &[
        0.069_431_844_202_973_71,
        0.330_009_478_207_571_9,
        0.669_990_521_792_428_1,
        0.930_568_155_797_026_3,
    ],
    weights: &[
        0.173_927_422_568_726_93,
        0.326_072_577_431_273_1,
        0.326_072_577_431_273_1,
        0.173_927_422_568_726_93,
    ],
};

impl GaussRule {
    /// Returns the rule whose error is of higher order than that of a solver.
    fn for_order(order: usize) -> &'static GaussRule {
        match order {
            0..=3 => &GAUSS_2,
            4..=5 => &GAUSS_3,
            _ => &GAUSS_4,
        }
    }
}

/// Quadrature of `(∂f/∂θ)ᵀ λ`.
pub(super) struct Quadrature<'a> {
    evaluator: &'a Evaluator,
    pub rule: &'static GaussRule,
    slot: Vec<f64>,
    f: Vec<f64>,
    bar: Vec<f64>,
    unused_bar: Vec<f64>,
}

impl<'a> Quadrature<'a> {
    /// Creates the quadrature whose error is of higher order than a solver of this order.
    pub fn new(evaluator: &'a Evaluator, order: usize) -> Self {
        let zeros = || vec![0.0; evaluator.dof()];
        Quadrature {
            evaluator,
            rule: GaussRule::for_order(order),
            slot: vec![0.0; evaluator.slot_len()],
            f: zeros(),
            bar: zeros(),
            unused_bar: zeros(),
        }
    }

    /// Adds `weight (∂f/∂θ)ᵀ λ` at the place (sample, t) and the state u to the gradient.
    pub fn add(
        &mut self,
        place: (usize, f64),
        weight: f64,
        u: &[f64],
        lambda: &[f64],
        gradient: &mut ParamGradient,
    ) {
        let slot = &mut self.slot;
        self.evaluator
            .eval_taped(place.0, place.1, u, slot, &mut self.f);
        for (bar, lambda) in self.bar.iter_mut().zip(lambda) {
            *bar = weight * lambda;
        }
        self.evaluator
            .vjp(place, slot, &self.bar, &mut self.unused_bar, None, gradient);
    }
}
