//! The forms of model that are tried.

use std::fmt;

use ndarray::{Array1, Array2, Axis, concatenate};

use super::DiscoverOptions;
use super::data_summary::DataSummary;
use crate::Result;
use crate::models::Mlp;
use crate::smoothing::ComponentSpline;
use crate::training::TrainOptions;
use odesync_base::random::Generator;
use odesync_ode::field::{FieldBuilder, InputSignal, Signal, Unary, VectorField};

/// Widths of hidden layers that are tried.
const HIDDEN: [&[usize]; 3] = [&[16], &[32], &[32, 32]];

/// Form of a model: which equations are known to be du_i/dt = u_j, and the hidden layers of the network that gives the others.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelForm {
    /// For each state variable the one that is its derivative, or `None` where the network gives it.
    pub derivative_of: Vec<Option<usize>>,
    /// Number of state variables that are measured; the others, after them, are derivatives of measured ones.
    pub measured: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
}

impl ModelForm {
    /// Whether some equations are known.
    pub fn is_second_order(&self) -> bool {
        self.derivative_of.iter().any(Option::is_some)
    }

    /// Returns the state variables that are measured; `None` where all are.
    pub fn observe(&self) -> Option<Vec<usize>> {
        let is_part = self.measured < self.derivative_of.len();
        is_part.then(|| (0..self.measured).collect())
    }

    /// Returns the options of a run of this form.
    pub(super) fn options(&self, options: &TrainOptions) -> TrainOptions {
        let mut options = options.clone();
        options.observation.observe = self.observe();
        options
    }

    /// Returns the input of the model: where derivatives are not measured, the input with its time derivative. With du/dt = f(u, h, w)
    /// and a hidden state h, d²u/dt² depends on dw/dt too.
    ///
    /// # Errors
    /// An input through which no spline can be fitted.
    pub(super) fn input(&self, input: Option<&InputSignal>) -> Result<Option<InputSignal>> {
        match (input, self.observe()) {
            (Some(input), Some(_)) => with_derivative(input).map(Some),
            (input, _) => Ok(input.cloned()),
        }
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
            Some(input) => b.concat(&[u.clone(), b.input(input.name(), input.clone())]),
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
        let form = match (self.is_second_order(), self.observe()) {
            (true, Some(_)) => "second order with derivatives that are not measured",
            (true, None) => "second order",
            (false, _) => "black box",
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
    let with = |hidden: &Vec<usize>| {
        kinds
            .iter()
            .map(|derivative_of| ModelForm {
                derivative_of: derivative_of.clone(),
                measured: data.components.len(),
                hidden: hidden.clone(),
            })
            .collect::<Vec<_>>()
    };
    widths(options).iter().flat_map(with).collect()
}

/// Returns the forms in which each component has a derivative that is not measured, for data whose state is not complete.
pub(super) fn forms_with_derivatives(
    data: &DataSummary,
    options: &DiscoverOptions,
) -> Vec<ModelForm> {
    let d = data.components.len();
    let derivative_of = (0..2 * d).map(|i| (i < d).then_some(d + i));
    let form = |hidden| ModelForm {
        derivative_of: derivative_of.clone().collect(),
        measured: d,
        hidden,
    };
    widths(options).into_iter().map(form).collect()
}

fn widths(options: &DiscoverOptions) -> Vec<Vec<usize>> {
    match &options.hidden {
        Some(hidden) => vec![hidden.clone()],
        None => HIDDEN.map(<[usize]>::to_vec).to_vec(),
    }
}

/// Returns the components of an input and their time derivatives, linear between the input's times; the derivatives are those of
/// smoothing splines.
fn with_derivative(input: &InputSignal) -> Result<InputSignal> {
    // The input can go on after the data.
    let samples = 0..input.n_samples();
    let times: Vec<Vec<f64>> = samples.map(|i| input.times(i).to_vec()).collect();
    let values: Vec<Array2<f64>> = (times.iter().enumerate())
        .map(|(sample, t)| input.values_at(sample, t))
        .collect();
    let mut slopes: Vec<Array2<f64>> = values.iter().map(|w| Array2::zeros(w.dim())).collect();
    for j in 0..input.dof() {
        let columns: Vec<(Vec<f64>, Vec<f64>)> = (times.iter().zip(&values))
            .map(|(t, w)| (t.clone(), w.column(j).to_vec()))
            .collect();
        let (curve, _) = ComponentSpline::fit(&columns, f64::NAN)?;
        for (sample, (t, slopes)) in times.iter().zip(&mut slopes).enumerate() {
            let along = t.iter().map(|t| curve.derivative(sample, *t));
            slopes.column_mut(j).assign(&along.collect::<Array1<f64>>());
        }
    }
    let signals = (times.iter().zip(values.iter().zip(&slopes)))
        .map(|(t, (w, slopes))| {
            let both = concatenate![Axis(1), *w, *slopes];
            InputSignal::linear(t, both.view())
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(InputSignal::per_sample(&signals)?.with_name(input.name()))
}
