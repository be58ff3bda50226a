//! Multilayer perceptron.

use ndarray::{Array1, Array2};

use crate::{Error, Result};
use odesync_base::random::{Generator, linear_bias_bound, linear_weight_bound};
use odesync_ode::field::{Expr, FieldBuilder, Unary};

/// Multilayer perceptron: layers `x ↦ W x + b` with an activation between them, none after the last.
///
/// Each layer's weight (`[out, in]`) and bias (`[out]`) are drawn in order, uniform in ±1/√in, as PyTorch's `Linear` draws
/// them in float32.
#[derive(Debug, Clone)]
pub struct Mlp {
    nodes: Vec<usize>,
    activation: Unary,
    layers: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Mlp {
    /// Draws the weights of a network with these layer widths, input first.
    ///
    /// # Errors
    /// Fewer than two widths, a width of 0, or more than 10⁸ parameters.
    pub fn new(nodes: &[usize], activation: Unary, generator: &mut Generator) -> Result<Self> {
        if nodes.len() < 2 || nodes.contains(&0) {
            return Err(Error::invalid(format!(
                "a network needs the widths of its layers, input first and output last, for example [2, 32, 2]; {nodes:?} \
                 does not make one"
            )));
        }
        let total = nodes.windows(2).try_fold(0usize, |n, w| {
            w[0].checked_add(1)?.checked_mul(w[1])?.checked_add(n)
        });
        if total.is_none_or(|n| n > 100_000_000) {
            return Err(Error::invalid(format!(
                "a network of widths {nodes:?} has too many parameters"
            )));
        }
        let draw = |generator: &mut Generator, bound: f64, n: usize| -> Vec<f64> {
            generator
                .uniform(-bound, bound, n)
                .into_iter()
                .map(f64::from)
                .collect()
        };
        let layers = nodes
            .windows(2)
            .map(|w| {
                let weight = draw(generator, linear_weight_bound(w[0]), w[0] * w[1]);
                (weight, draw(generator, linear_bias_bound(w[0]), w[1]))
            })
            .collect();
        Ok(Mlp {
            nodes: nodes.to_vec(),
            activation,
            layers,
        })
    }

    /// Makes a network of given layers, input first: each has its weight, `[out, in]`, and its bias, `[out]`.
    ///
    /// ```
    /// use ndarray::{arr1, arr2};
    /// use odesync_ode::field::Unary;
    /// use odesync_train::models::{Mlp, blackbox_of};
    ///
    /// let network = Mlp::of_layers(&[(arr2(&[[2.0]]), arr1(&[1.0]))], Unary::Gelu)?;
    /// assert_eq!(blackbox_of(&network)?.derivative(0.0, &[3.0])?, [7.0]);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// No layers, or shapes that do not follow each other.
    pub fn of_layers(layers: &[(Array2<f64>, Array1<f64>)], activation: Unary) -> Result<Self> {
        let Some((first, _)) = layers.first() else {
            return Err(Error::invalid("a network needs at least one layer"));
        };
        let mut nodes = vec![first.ncols()];
        for (i, (weight, bias)) in layers.iter().enumerate() {
            let width = nodes.last().copied().unwrap_or(0);
            let (out, inputs) = weight.dim();
            if inputs != width || bias.len() != out || out == 0 || inputs == 0 {
                return Err(Error::invalid(format!(
                    "layer {i} of the network should have a weight of shape [n, {width}] and a bias of shape [n], not [{out}, {inputs}] \
                     and [{}]",
                    bias.len()
                )));
            }
            nodes.push(out);
        }
        let flat = |(weight, bias): &(Array2<f64>, Array1<f64>)| {
            (weight.iter().copied().collect(), bias.to_vec())
        };
        Ok(Mlp {
            nodes,
            activation,
            layers: layers.iter().map(flat).collect(),
        })
    }

    /// Returns the width of the input.
    pub fn inputs(&self) -> usize {
        self.nodes[0]
    }

    /// Returns the width of the output.
    pub fn outputs(&self) -> usize {
        self.nodes[self.nodes.len() - 1]
    }

    /// Returns the widths of the layers, input first.
    pub fn widths(&self) -> &[usize] {
        &self.nodes
    }

    /// Adds the network to a field, as trainable blocks `layer0.weight`, `layer0.bias`, …; returns its output.
    ///
    /// # Errors
    /// A field that already has blocks of these names.
    pub fn apply(&self, b: &FieldBuilder, x: &Expr) -> Result<Expr> {
        let mut x = x.clone();
        let last = self.layers.len() - 1;
        for (i, (weight, bias)) in self.layers.iter().enumerate() {
            let (inputs, out) = (self.nodes[i], self.nodes[i + 1]);
            let w = b.block(&format!("layer{i}.weight"), &[out, inputs], weight, true)?;
            let bias = b.block(&format!("layer{i}.bias"), &[out], bias, true)?;
            x = b.affine(w, Some(bias), &x);
            if i < last {
                x = x.unary(self.activation);
            }
        }
        Ok(x)
    }
}
