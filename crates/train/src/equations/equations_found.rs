//! The equations that a search found.

use odesync_ode::field::{InputSignal, Signal, VectorField};

use super::candidates::{Candidates, LibraryCoefficient};
use super::doubts::MAX_NOISE_RATIO;
use super::notation::{Notation, Printer, aligned};
use super::number::number;
use super::search::Round;
use crate::weak_constraint::{LiftedModel, Posterior, Prediction};
use crate::{Error, Result};

/// Equations found by a search.
#[derive(Debug, Clone)]
pub struct Equations {
    /// The equations as a field, with their coefficients as named constants.
    pub system: VectorField,
    /// The coefficients of the terms, those with fixed values last.
    pub coefficients: Vec<Coefficient>,
    /// The trained network model.
    pub network: VectorField,
    /// Log evidence of the equations.
    pub log_evidence: f64,
    /// Log evidence less the logarithm of the number of the library's coefficients for each term: the score of the search.
    pub(crate) score: f64,
    /// Log evidence of the network model.
    pub network_log_evidence: f64,
    /// Noise that the equations leave over the noise that the data's smoothing splines leave.
    pub noise_ratio: f64,
    /// Initial states, `[sample, dof]`.
    pub u0: ndarray::Array2<f64>,
    /// What the data do not tell, and what was left out of the library.
    pub notes: Vec<String>,
    names: Vec<String>,
    posterior: Posterior,
}

/// A coefficient of a term.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// Unknown function that the term is in: the equation where the model is a black box.
    pub output: usize,
    /// The term, with the names of the data's columns.
    pub term: String,
    /// Name of the constant of the field.
    pub constant: String,
    /// Value.
    pub value: f64,
    /// Standard error; 0 for a fixed value.
    pub error: f64,
}

impl Equations {
    pub(super) fn new(
        candidates: &Candidates,
        network: &LiftedModel,
        best: &Round,
        names: Vec<String>,
        notes: Vec<String>,
    ) -> Result<Self> {
        let taken = candidates.template.names();
        let mut all: Vec<(&LibraryCoefficient, Coefficient)> = vec![];
        let mut add = |c, value, error| {
            let c: &LibraryCoefficient = c;
            let before = all.iter().filter(|(other, _)| other.output == c.output);
            let coefficient = Coefficient {
                output: c.output,
                term: candidates.terms[c.term].text.clone(),
                constant: constant_name(c.output, 1 + before.count(), &taken),
                value,
                error,
            };
            all.push((c, coefficient));
        };
        for (place, i) in best.active.iter().enumerate() {
            let c = &candidates.searched[*i];
            add(
                c,
                c.scale * best.coefficients[place],
                c.scale * best.errors[place],
            );
        }
        for c in &candidates.fixed {
            add(c, c.fixed.unwrap_or(0.0), 0.0);
        }
        let named = all.iter().map(|(c, k)| (*c, k.constant.as_str(), k.value));
        let mut system = candidates.named_field(&named.collect::<Vec<_>>())?;
        // Constants of a gray box that were trained beside the coefficients.
        let trained = best.lifted.model()?;
        for block in system.clone().blocks().iter().filter(|b| b.trainable) {
            let values: Vec<f64> = trained.param(&block.name)?.iter().copied().collect();
            system = system.with_param(&block.name, &values)?;
        }
        let assessment = best.lifted.assessment;
        Ok(Equations {
            system,
            coefficients: all.into_iter().map(|(_, c)| c).collect(),
            network: network.model()?,
            log_evidence: assessment.log_evidence,
            score: best.score,
            network_log_evidence: network.assessment.log_evidence,
            noise_ratio: assessment.noise_ratio,
            u0: best.lifted.u0(),
            notes,
            names,
            posterior: best.lifted.posterior()?,
        })
    }

    /// Returns the number of terms.
    pub fn terms(&self) -> usize {
        self.coefficients.len()
    }

    /// Returns the states at the times `t`, in increasing order, and their standard deviations, from the estimated initial states.
    ///
    /// # Errors
    /// Times before the data's first, or a solve that fails.
    pub fn predict(&self, t: &[f64]) -> Result<Prediction> {
        self.posterior.predict(t)
    }

    /// Whether the equations explain the data better than the network does: their log evidence is above the network's, and they reach
    /// the noise.
    pub fn are_preferred(&self) -> bool {
        self.log_evidence > self.network_log_evidence && self.noise_ratio < MAX_NOISE_RATIO
    }

    /// Returns the standard errors of the coefficients.
    pub fn errors(&self) -> Vec<f64> {
        self.coefficients.iter().map(|c| c.error).collect()
    }

    fn errors_by_name(&self) -> Vec<(String, f64)> {
        let coefficients = self.coefficients.iter();
        coefficients
            .map(|c| (c.constant.clone(), c.error))
            .collect()
    }

    /// Returns the equations as text, each coefficient with its standard error.
    pub fn text(&self) -> String {
        let errors = self.errors_by_name();
        let printer = Printer::new(&self.system, &self.names, Notation::Text).with_errors(&errors);
        let line = |i| format!("d{}/dt = {}", printer.variable(i), printer.component(i));
        (0..self.system.dof())
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Returns the equations as LaTeX, in an `aligned` environment.
    pub fn latex(&self) -> String {
        let errors = self.errors_by_name();
        let printer = Printer::new(&self.system, &self.names, Notation::Latex).with_errors(&errors);
        aligned(&printer.equations())
    }

    /// Returns a script in the script language whose value is the field.
    ///
    /// # Errors
    /// A known part that is too long to be written, or that holds a spline of data.
    pub fn script(&self) -> Result<String> {
        self.system.check_saveable()?;
        let printer = Printer::new(&self.system, &self.names, Notation::Script);
        let lines: Vec<String> = (0..self.system.dof())
            .map(|i| format!("    {},", printer.component(i)))
            .collect();
        if lines.iter().any(|line| line.contains('…')) {
            return Err(Error::invalid(
                "the equations are too long to be written as a script: save the field itself",
            ));
        }
        let blocks = self.system.blocks().iter().filter(|b| b.len() == 1);
        let constants = blocks.map(|b| {
            let value = self.system.values()[b.offset];
            format!("{}: {}", b.name, number(value, true))
        });
        let inputs = self.system.inputs();
        let inputs = inputs.map(|(name, input)| format!("{name}: {}", input_script(input)));
        let named: Vec<String> = constants.chain(inputs).collect();
        let dof = self.system.dof();
        let (lines, named) = (lines.join("\n"), named.join(", "));
        Ok(format!(
            "system({dof}, |t, u, p| [\n{lines}\n], #{{ {named} }})\n"
        ))
    }
}

/// Returns an external input as an expression of the script language.
pub fn input_script(input: &InputSignal) -> String {
    let list = |values: &[f64]| {
        let values: Vec<String> = values.iter().map(|x| number(*x, true)).collect();
        format!("[{}]", values.join(", "))
    };
    let curve = |sample: usize| {
        let t = input.times(sample);
        let rows = input.values_at(sample, t);
        let rows: Vec<String> = (rows.outer_iter())
            .map(|row| match row.len() {
                1 => number(row[0], true),
                _ => list(&row.to_vec()),
            })
            .collect();
        let is_cubic = t.windows(2).any(|pair| {
            let mut second = vec![0.0; input.dof()];
            input.second_derivative(sample, 0.5 * (pair[0] + pair[1]), &mut second);
            second.iter().any(|x| *x != 0.0)
        });
        let kind = match is_cubic {
            _ if input.is_held(sample) => "hold",
            true => "spline",
            false => "linear",
        };
        format!("input({}, [{}], \"{kind}\")", list(t), rows.join(", "))
    };
    let curves: Vec<String> = (0..input.n_samples()).map(curve).collect();
    match curves.as_slice() {
        [one] => one.clone(),
        several => format!("input([{}])", several.join(", ")),
    }
}

/// Returns the name of a function's n-th coefficient: a letter for the function and the number, unless a constant of the model has
/// that name.
fn constant_name(output: usize, n: usize, taken: &[String]) -> String {
    let letter = u8::try_from(output).ok().filter(|i| *i < 26);
    let mut name = match letter {
        Some(i) => format!("{}{n}", char::from(b'a' + i)),
        None => format!("f{output}_{n}"),
    };
    while taken.contains(&name) {
        name.push('_');
    }
    name
}
