//! The coefficients that are searched: one for each unknown function and candidate term, and the fields with some of them.

use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{Expr, FieldBuilder, VectorField};

use super::library::Library;
use super::notation::{Notation, Printer};
use super::template::Template;
use crate::{Error, Result};

/// Correlation above which a term is the same as one before it.
const SAME: f64 = 1.0 - 1e-12;

/// A coefficient of a term in an unknown function.
#[derive(Debug, Clone)]
pub(super) struct LibraryCoefficient {
    /// Unknown function, counted from 0.
    pub output: usize,
    /// Term, by its place in the library.
    pub term: usize,
    /// Size of the coefficient with which the term is as large as the unknown function.
    pub scale: f64,
    /// Known value of a coefficient that is not searched.
    pub fixed: Option<f64>,
}

/// The names of a term.
#[derive(Debug, Clone)]
pub(super) struct TermNames {
    /// Name that the user gave it.
    pub given: Option<String>,
    pub text: String,
    pub script: String,
}

/// A field with coefficients as trainable parameters, in units of their scales and zero at first.
pub(super) struct TrainableField {
    pub field: VectorField,
    /// Place of each coefficient among the field's trainable parameters; `None` where no equation depends on it. Other
    /// parameters are constants of the model.
    pub columns: Vec<Option<usize>>,
}

/// All coefficients of a library in the place of a model's networks.
pub(super) struct Candidates<'a> {
    library: &'a Library,
    pub template: Template,
    inputs: Vec<(String, usize)>,
    /// Names of the library's terms.
    pub terms: Vec<TermNames>,
    /// Coefficients that are searched.
    pub searched: Vec<LibraryCoefficient>,
    /// Coefficients that are known.
    pub fixed: Vec<LibraryCoefficient>,
    /// First guess of each searched coefficient, in units of its scale.
    pub first_guess: Vec<f64>,
    /// What was left out of the library, and why.
    pub notes: Vec<String>,
}

impl<'a> Candidates<'a> {
    /// Evaluates the library at points of the model's trajectories: sample, time and state.
    pub fn new(
        library: &'a Library,
        model: &VectorField,
        names: &[String],
        points: &[(usize, f64, Vec<f64>)],
    ) -> Result<Self> {
        let template = Template::new(model)?;
        let inputs = template.inputs();
        let (terms, columns) = evaluate(library, &template, &inputs, names, points)?;
        let wanted = template.values(points);
        let mut notes = vec![];
        let usable = usable(&terms, &columns, &mut notes);
        let mut candidates = Candidates {
            library,
            template,
            inputs,
            terms,
            searched: vec![],
            fixed: vec![],
            first_guess: vec![],
            notes,
        };
        for output in 0..candidates.template.n_outputs() {
            let mut target: Vec<f64> = wanted.iter().map(|v| v[output]).collect();
            let size = rms(&target).max(f64::MIN_POSITIVE);
            let known = candidates.fixed_terms(output)?;
            for (term, value) in &known {
                (target.iter_mut().zip(&columns[*term])).for_each(|(t, phi)| *t -= value * phi);
                candidates.fixed.push(LibraryCoefficient {
                    output,
                    term: *term,
                    scale: 1.0,
                    fixed: Some(*value),
                });
            }
            let free: Vec<usize> = (usable.iter().copied())
                .filter(|term| known.iter().all(|(known, _)| known != term))
                .collect();
            let scales: Vec<f64> = free.iter().map(|j| size / rms(&columns[*j])).collect();
            let matrix = nalgebra::DMatrix::from_fn(points.len(), free.len(), |p, j| {
                columns[free[j]][p] * scales[j] / size
            });
            let right = nalgebra::DVector::from_fn(points.len(), |p, _| target[p] / size);
            let solved = matrix.svd(true, true).solve(&right, 1e-10);
            for (j, term) in free.iter().enumerate() {
                let guess = solved.as_ref().map_or(0.0, |solved| solved[j]);
                candidates.first_guess.push(guess);
                candidates.searched.push(LibraryCoefficient {
                    output,
                    term: *term,
                    scale: scales[j],
                    fixed: None,
                });
            }
        }
        Ok(candidates)
    }

    /// Returns the terms of a function with known coefficients.
    fn fixed_terms(&self, output: usize) -> Result<Vec<(usize, f64)>> {
        let n = self.template.n_outputs();
        let mut found = vec![];
        for fixed in &self.library.fixed {
            if fixed.output >= n {
                return Err(Error::invalid(format!(
                    "a term of unknown function {} is fixed, and the model has {n}, counted from 0",
                    fixed.output
                )));
            }
            if fixed.output != output {
                continue;
            }
            let is = |names: &TermNames| {
                names.given.as_ref() == Some(&fixed.term)
                    || names.text == fixed.term
                    || names.script == fixed.term
            };
            let names = self
                .terms
                .iter()
                .map(|t| t.given.as_ref().unwrap_or(&t.text));
            let Some(term) = self.terms.iter().position(is) else {
                let names: Vec<&str> = names.map(String::as_str).collect();
                return Err(odesync_base::error::unknown("term", &fixed.term, names));
            };
            found.push((term, fixed.value));
        }
        Ok(found)
    }

    /// Returns the field with these of the searched coefficients as trainable parameters.
    pub fn trainable_field(&self, active: &[usize]) -> Result<TrainableField> {
        let name = |i: &usize| format!("library.{i}");
        let field = self.template.with_expressions(|b| {
            let parameters: Vec<(&LibraryCoefficient, Expr)> = (active.iter())
                .map(|i| {
                    let coefficient = &self.searched[*i];
                    let block = b.block(&name(i), &[], &[0.0], true)?;
                    Ok((coefficient, b.parameter(block) * coefficient.scale))
                })
                .collect::<Result<_>>()?;
            let fixed = self.fixed.iter();
            let known = fixed.map(|c| (c, b.constant(&[c.fixed.unwrap_or(0.0)])));
            self.sums(b, parameters.into_iter().chain(known))
        })?;
        let trainable: Vec<&str> = (field.blocks().iter())
            .filter(|block| block.trainable)
            .flat_map(|block| std::iter::repeat_n(block.name.as_str(), block.len()))
            .collect();
        let columns = active
            .iter()
            .map(|i| trainable.iter().position(|block| *block == name(i)))
            .collect();
        Ok(TrainableField { field, columns })
    }

    /// Returns the field in which coefficients are constants with these names and values.
    pub fn named_field(&self, terms: &[(&LibraryCoefficient, &str, f64)]) -> Result<VectorField> {
        self.template.with_expressions(|b| {
            let constants = terms
                .iter()
                .map(|(c, name, value)| (*c, b.constant_parameter(name, *value)));
            self.sums(b, constants)
        })
    }

    /// Returns the sum of coefficient times term for each unknown function.
    fn sums<'c>(
        &self,
        b: &FieldBuilder,
        coefficients: impl Iterator<Item = (&'c LibraryCoefficient, Expr)>,
    ) -> Result<Vec<Expr>> {
        let terms = self.library.candidates(b, &self.inputs)?;
        let mut sums: Vec<Option<Expr>> = vec![None; self.template.n_outputs()];
        for (c, coefficient) in coefficients {
            let term = &terms[c.term].expr;
            let product = match term.as_constant().as_deref() {
                Some([one]) if *one == 1.0 => coefficient,
                _ => coefficient * term,
            };
            let sum = sums[c.output].take();
            sums[c.output] = Some(match sum {
                Some(sum) => sum + product,
                None => product,
            });
        }
        let zero = || b.constant(&[0.0]);
        Ok(sums.into_iter().map(|s| s.unwrap_or_else(zero)).collect())
    }
}

/// Returns the names of the library's terms, and their values at the points, `[term][point]`.
fn evaluate(
    library: &Library,
    template: &Template,
    inputs: &[(String, usize)],
    names: &[String],
    points: &[(usize, f64, Vec<f64>)],
) -> Result<(Vec<TermNames>, Vec<Vec<f64>>)> {
    let (mut all, mut columns) = (vec![], vec![]);
    // A field gives as many terms as it has equations, so the library is evaluated in parts.
    loop {
        let mut given = vec![];
        let mut n_terms = 0;
        let part = template.with_inputs_only(|b| {
            let terms = library.candidates(b, inputs)?;
            n_terms = terms.len();
            let rest = terms.into_iter().skip(all.len());
            let mut exprs = vec![];
            for term in rest.take(b.dof()) {
                given.push(term.name);
                exprs.push(term.expr);
            }
            exprs.resize_with(b.dof(), || b.constant(&[0.0]));
            Ok(b.concat(&exprs))
        })?;
        let evaluator = Evaluator::new(&part);
        let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; part.dof()]);
        let mut values = vec![Vec::with_capacity(points.len()); given.len()];
        for (sample, t, u) in points {
            evaluator.eval(*sample, *t, u, &mut slot, &mut out);
            (values.iter_mut().zip(&out)).for_each(|(column, x)| column.push(*x));
        }
        columns.extend(values);
        let print = |notation, i| Printer::new(&part, names, notation).component(i);
        for (i, given) in given.into_iter().enumerate() {
            all.push(TermNames {
                given,
                text: print(Notation::Text, i),
                script: print(Notation::Script, i),
            });
        }
        if all.len() >= n_terms {
            return Ok((all, columns));
        }
    }
}

/// Returns the terms that can be searched: finite, not zero, and not the multiple of one before.
fn usable(terms: &[TermNames], columns: &[Vec<f64>], notes: &mut Vec<String>) -> Vec<usize> {
    let mut usable: Vec<usize> = vec![];
    for (j, column) in columns.iter().enumerate() {
        let name = &terms[j].text;
        if column.iter().any(|x| !x.is_finite()) {
            notes.push(format!(
                "the term {name} was left out: it is not finite at every state of the data"
            ));
            continue;
        }
        if rms(column) == 0.0 {
            notes.push(format!(
                "the term {name} was left out: it is zero at every state of the data"
            ));
            continue;
        }
        let same = usable
            .iter()
            .find(|i| cosine(&columns[**i], column).abs() > SAME);
        match same {
            Some(i) if terms[*i].text == *name => {}
            Some(i) => notes.push(format!(
                "the term {name} was left out: at the states of the data it is a multiple of {}",
                terms[*i].text
            )),
            None => usable.push(j),
        }
    }
    usable
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|x| x * x).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    dot / (rms(a) * rms(b) * a.len() as f64)
}
