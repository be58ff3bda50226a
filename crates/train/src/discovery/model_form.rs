//! The forms of model that are tried.

use std::fmt;

use super::DiscoverOptions;
use super::data_summary::DataSummary;
use crate::Result;
use crate::models::{INPUT, Mlp};
use odesync_base::random::Generator;
use odesync_ode::field::{FieldBuilder, InputSignal, Signal, Unary, VectorField};

/// Widths of hidden layers that are tried.
const HIDDEN: [&[usize]; 3] = [&[16], &[32], &[32, 32]];

/// Form of a model: which equations are known to be du_i/dt = u_j, and the hidden layers of the network that gives the others.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelForm {
    /// For each state variable the one that is its derivative, or `None` where the network gives it.
    pub derivative_of: Vec<Option<usize>>,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
}

impl ModelForm {
    /// Whether some equations are known.
    pub fn is_second_order(&self) -> bool {
        self.derivative_of.iter().any(Option::is_some)
    }

    /// Creates the model with weights drawn from the generator; the network sees the state and the input.
    pub(super) fn model(
        &self,
        input: Option<&InputSignal>,
        generator: &mut Generator,
    ) -> Result<VectorField> {
        let dof = self.derivative_of.len();
        let n_outputs = self.derivative_of.iter().filter(|j| j.is_none()).count();
        let n_inputs = dof + input.map_or(0, Signal::dof);
        let nodes = [&[n_inputs][..], &self.hidden, &[n_outputs]].concat();
        let network = Mlp::new(&nodes, Unary::Gelu, generator)?;
        let b = FieldBuilder::new(dof);
        let u = b.state();
        let x = match input {
            Some(input) => b.concat(&[u.clone(), b.input(INPUT, input.clone())]),
            None => u.clone(),
        };
        let nn = network.apply(&b, &x)?;
        if !self.is_second_order() {
            return b.finish(nn);
        }
        let mut next = 0;
        let rows: Vec<_> = self
            .derivative_of
            .iter()
            .map(|j| match j {
                Some(j) => u.at(*j),
                None => {
                    next += 1;
                    nn.at(next - 1)
                }
            })
            .collect();
        b.finish(b.concat(&rows))
    }
}

impl fmt::Display for ModelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.is_second_order() {
            true => "second order",
            false => "black box",
        };
        let hidden: Vec<String> = self.hidden.iter().map(usize::to_string).collect();
        write!(f, "{form}, hidden layers {}", hidden.join(", "))
    }
}

/// Returns the forms to try, given what is seen in the data and what the user fixed.
pub(super) fn forms(data: &DataSummary, options: &DiscoverOptions) -> Vec<ModelForm> {
    let none = vec![None; data.components.len()];
    let pairs = data.derivative_of.clone();
    let has_pairs = pairs.iter().any(Option::is_some);
    let kinds = match (options.second_order, has_pairs) {
        (Some(false), _) | (None, false) => vec![none],
        // What the user says is taken even where the data do not show it: positions first, then their velocities.
        (Some(true), false) if none.len() % 2 == 0 => {
            let half = none.len() / 2;
            vec![
                (0..none.len())
                    .map(|i| (i < half).then_some(half + i))
                    .collect(),
            ]
        }
        (Some(true), false) => vec![none],
        (Some(true), true) => vec![pairs],
        (None, true) => vec![pairs, none],
    };
    let widths: Vec<Vec<usize>> = match &options.hidden {
        Some(hidden) => vec![hidden.clone()],
        None => HIDDEN.map(<[usize]>::to_vec).to_vec(),
    };
    let with = |hidden: &Vec<usize>| {
        kinds
            .iter()
            .map(|derivative_of| ModelForm {
                derivative_of: derivative_of.clone(),
                hidden: hidden.clone(),
            })
            .collect::<Vec<_>>()
    };
    widths.iter().flat_map(with).collect()
}
