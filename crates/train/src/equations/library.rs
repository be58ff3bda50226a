//! The library of candidate terms.

use std::sync::Arc;

use odesync_base::text::count_of;
use odesync_ode::field::{Expr, FieldBuilder, Parameters, VectorField};

use super::template::copy_into;
use crate::{Error, Result};

/// Most candidate terms of one equation.
const MAX_TERMS: usize = 2000;

/// A library of candidate terms φ(u, t, inputs), of which equations are made.
///
/// ```
/// use odesync_train::equations::Library;
/// let library = Library::polynomials(2)
///     .with_trigonometric(1.0)
///     .with_term("drag", |_t, u, _p| Ok(u.at(1).abs() * u.at(1)));
/// # let _ = library;
/// ```
#[derive(Clone, Default)]
pub struct Library {
    families: Vec<TermFamily>,
    with_time: bool,
    with_inputs: bool,
    pub(super) fixed: Vec<FixedTerm>,
}

type TermClosure = dyn Fn(Expr, Expr, Parameters) -> Result<Expr> + Send + Sync;

/// A group of terms, expanded for the state variables and inputs of a model.
#[derive(Clone)]
enum TermFamily {
    Polynomials(usize),
    Trigonometric(f64),
    Rational(f64, usize),
    Term(String, Arc<TermClosure>),
    Traced(String, VectorField),
}

/// A term whose coefficient is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FixedTerm {
    pub output: usize,
    pub term: String,
    pub value: f64,
}

/// A candidate term of a field under construction.
pub(super) struct CandidateTerm {
    /// Name that the user gave it.
    pub name: Option<String>,
    pub expr: Expr,
}

impl Library {
    /// Returns the library of all products of at most `degree` state variables, the constant 1 among them.
    pub fn polynomials(degree: usize) -> Self {
        Library {
            families: vec![TermFamily::Polynomials(degree)],
            ..Library::default()
        }
    }

    /// Adds sin(k u_i) and cos(k u_i) of each state variable.
    #[must_use]
    pub fn with_trigonometric(mut self, k: f64) -> Self {
        self.families.push(TermFamily::Trigonometric(k));
        self
    }

    /// Adds, for each state variable u_i, 1/(Kⁿ + u_iⁿ), u_iⁿ/(Kⁿ + u_iⁿ), and u_j/(Kⁿ + u_iⁿ) with every other one: the terms of
    /// Michaelis-Menten (n = 1) and Hill, with the half saturation K.
    #[must_use]
    pub fn with_rational(mut self, half_saturation: f64, exponent: usize) -> Self {
        self.families
            .push(TermFamily::Rational(half_saturation, exponent));
        self
    }

    /// Makes the time t one of the variables of the polynomials.
    #[must_use]
    pub fn with_time(mut self) -> Self {
        self.with_time = true;
        self
    }

    /// Makes the external inputs of the model variables of the polynomials.
    #[must_use]
    pub fn with_inputs(mut self) -> Self {
        self.with_inputs = true;
        self
    }

    /// Adds a term of one component from a closure of time, state and the model's constants and inputs.
    #[must_use]
    pub fn with_term(
        mut self,
        name: &str,
        term: impl Fn(Expr, Expr, Parameters) -> Result<Expr> + Send + Sync + 'static,
    ) -> Self {
        self.families
            .push(TermFamily::Term(name.into(), Arc::new(term)));
        self
    }

    /// Adds a term that is the first equation of a field of as many state variables.
    #[must_use]
    pub fn with_traced_term(mut self, name: &str, term: &VectorField) -> Self {
        self.families
            .push(TermFamily::Traced(name.into(), term.clone()));
        self
    }

    /// Fixes the coefficient of a term: it is in the equations with this value and is not searched. `output` counts the unknown
    /// functions, those of a black box being the equations themselves; the term is called by its name, or written as in the
    /// equations (`"x y"`) or in a script (`"u[0] * u[1]"`).
    #[must_use]
    pub fn with_known_coefficient(mut self, output: usize, term: &str, value: f64) -> Self {
        self.fixed.push(FixedTerm {
            output,
            term: term.into(),
            value,
        });
        self
    }

    /// Returns the terms in a field under construction. `inputs` are the names and numbers of components of its inputs.
    pub(super) fn candidates(
        &self,
        b: &FieldBuilder,
        inputs: &[(String, usize)],
    ) -> Result<Vec<CandidateTerm>> {
        let (t, u, dof) = (b.time(), b.state(), b.dof());
        let mut all: Vec<CandidateTerm> = vec![];
        for family in &self.families {
            match family {
                TermFamily::Polynomials(degree) => {
                    let mut variables: Vec<Expr> = (0..dof).map(|i| u.at(i)).collect();
                    if self.with_time {
                        variables.push(t.clone());
                    }
                    for (name, n) in inputs.iter().filter(|_| self.with_inputs) {
                        let input = b.named_parameter(name);
                        variables.extend((0..*n).map(|i| input.at(i)));
                    }
                    for powers in monomials(variables.len(), *degree)? {
                        all.push(product(b, &variables, &powers).into());
                    }
                }
                TermFamily::Trigonometric(k) => {
                    if !k.is_finite() || *k == 0.0 {
                        return Err(Error::invalid(format!(
                            "the factor of the angles in the library is {k}: it must be a number other than 0"
                        )));
                    }
                    for i in 0..dof {
                        let angle = if *k == 1.0 { u.at(i) } else { *k * u.at(i) };
                        all.push(angle.sin().into());
                        all.push(angle.cos().into());
                    }
                }
                TermFamily::Rational(k, exponent) => {
                    if !(k.is_finite() && *k > 0.0) || *exponent == 0 {
                        return Err(Error::invalid(format!(
                            "rational terms of the library need a half saturation above 0 and an exponent from 1, not {k} and {exponent}"
                        )));
                    }
                    for i in 0..dof {
                        let power = product(b, &[u.at(i)], &vec![0; *exponent]);
                        let below = k.powi(*exponent as i32) + power.clone();
                        all.push((1.0 / &below).into());
                        all.push((power / &below).into());
                        let others = (0..dof).filter(|j| *j != i);
                        all.extend(others.map(|j| CandidateTerm::from(u.at(j) / &below)));
                    }
                }
                TermFamily::Term(name, closure) => {
                    let expr = closure(t.clone(), u.clone(), Parameters::new(b))?.checked()?;
                    if expr.len() != 1 {
                        return Err(Error::invalid(format!(
                            "the term \"{name}\" of the library has {}, and must have one",
                            count_of(expr.len(), "component")
                        )));
                    }
                    all.push(CandidateTerm {
                        name: Some(name.clone()),
                        expr,
                    });
                }
                TermFamily::Traced(name, field) => {
                    if field.dof() != dof {
                        return Err(Error::invalid(format!(
                            "the term \"{name}\" of the library is made for {}, and the model has {dof}",
                            count_of(field.dof(), "state variable")
                        )));
                    }
                    all.push(CandidateTerm {
                        name: Some(name.clone()),
                        expr: copy_into(b, field)?.at(0),
                    });
                }
            }
            if all.len() > MAX_TERMS {
                return Err(too_many());
            }
        }
        if all.is_empty() {
            return Err(Error::invalid(
                "the library has no terms; Library::polynomials(2) has those of second degree",
            ));
        }
        Ok(all)
    }
}

impl From<Expr> for CandidateTerm {
    fn from(expr: Expr) -> Self {
        CandidateTerm { name: None, expr }
    }
}

fn too_many() -> Error {
    Error::invalid(format!(
        "the library has more than {MAX_TERMS} terms; take polynomials of a lower degree"
    ))
}

/// Returns all products of at most `degree` of `n` variables, each as the list of its variables; lower degrees first.
fn monomials(n: usize, degree: usize) -> Result<Vec<Vec<usize>>> {
    let mut all: Vec<Vec<usize>> = vec![vec![]];
    let mut from = 0;
    for _ in 0..degree {
        let to = all.len();
        for at in from..to {
            let first = all[at].last().copied().unwrap_or(0);
            for variable in first..n {
                let mut next = all[at].clone();
                next.push(variable);
                all.push(next);
                if all.len() > MAX_TERMS {
                    return Err(too_many());
                }
            }
        }
        from = to;
    }
    Ok(all)
}

fn product(b: &FieldBuilder, variables: &[Expr], factors: &[usize]) -> Expr {
    let expr = factors.iter().map(|i| variables[*i].clone());
    expr.reduce(|a, b| a * b)
        .unwrap_or_else(|| b.constant(&[1.0]))
}
