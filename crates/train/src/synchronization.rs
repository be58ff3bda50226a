//! Synchronisation: the coupling of a model to data, f(t, u) + λ K (û(t) − u).
//!
//! With λ = 1 and K large enough, the model follows û whatever its parameters, and the loss has no irregular landscape; λ then
//! decreases to 0 (Ko, Koh, Park, Jhe, NeurIPS 2023, sections 3 and 4).

use std::sync::Arc;

use ndarray::Array2;

use crate::smoothing::SmoothingSpline;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::{Expr, FieldBuilder, VectorField};

/// Name of the block that holds λ in a synchronised field.
pub const LAMBDA: &str = "sync.lambda";
/// Name of the block that holds K in a synchronised field.
pub const COUPLING: &str = "sync.coupling";

/// Coupling strength K.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(
    untagged,
    expecting = "should be a number, a list of numbers or a matrix"
)]
pub enum Coupling {
    /// One number for all components.
    Scalar(f64),
    /// One number for each component, `[dof]`.
    Vector(Vec<f64>),
    /// A matrix, `[dof, dof]`.
    Matrix(Array2<f64>),
}

impl std::fmt::Display for Coupling {
    /// Formats the coupling as in scripts: `6`, `[6, 3]` or `[[6, 0], [0, 3]]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Coupling::Scalar(k) => write!(f, "{k}"),
            Coupling::Vector(k) => write!(f, "{k:?}"),
            Coupling::Matrix(k) => {
                let rows = k
                    .rows()
                    .into_iter()
                    .map(|row| format!("{:?}", row.to_vec()));
                write!(f, "[{}]", rows.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl From<f64> for Coupling {
    fn from(k: f64) -> Self {
        Coupling::Scalar(k)
    }
}

impl Coupling {
    /// Returns the numbers of the coupling, row by row.
    fn values(&self) -> Vec<f64> {
        match self {
            Coupling::Scalar(k) => vec![*k],
            Coupling::Vector(k) => k.clone(),
            Coupling::Matrix(k) => k.iter().copied().collect(),
        }
    }

    /// Checks that the coupling fits the number of state variables.
    ///
    /// # Errors
    /// A shape that does not fit, a number that is not finite, or one that pushes the model away from the data.
    pub fn check(&self, dof: usize) -> Result<()> {
        if let Some(k) = self.values().iter().find(|k| !k.is_finite()) {
            return Err(Error::invalid(format!(
                "the coupling must be finite, and it holds {k}"
            )));
        }
        let negative = |k: &f64| *k < 0.0;
        let repels = match self {
            Coupling::Scalar(k) => negative(k),
            Coupling::Vector(k) => k.iter().any(negative),
            Coupling::Matrix(k) => k.diag().iter().any(negative),
        };
        if repels {
            return Err(Error::invalid(
                "the coupling must not be negative: it would push the model away from the data",
            ));
        }
        let fits = match self {
            Coupling::Scalar(_) => true,
            Coupling::Vector(k) => k.len() == dof,
            Coupling::Matrix(k) => k.dim() == (dof, dof),
        };
        if fits {
            return Ok(());
        }
        let given = match self {
            Coupling::Matrix(k) => format!("a matrix of shape {:?}", k.shape()),
            other => count_of(other.values().len(), "number"),
        };
        Err(Error::invalid(format!(
            "the coupling of {} is a number, a list of {} or a {dof} x {dof} matrix, not {given}",
            count_of(dof, "state variable"),
            count_of(dof, "number")
        )))
    }
}

/// Creates the synchronised field f(t, u) + λ K (û(t) − u), with λ = 1. λ and K are parameter blocks that are never trained;
/// [`with_lambda`] sets λ.
///
/// # Errors
/// A spline with a different number of components, or a coupling that does not fit.
pub fn synchronize(
    field: &VectorField,
    spline: Arc<SmoothingSpline>,
    coupling: &Coupling,
) -> Result<VectorField> {
    let all: Vec<usize> = (0..field.dof()).collect();
    if spline.dof() != field.dof() {
        return Err(Error::invalid(format!(
            "the field has {}, the smoothing spline has {}",
            count_of(field.dof(), "state variable"),
            count_of(spline.dof(), "component")
        )));
    }
    synchronize_observed(field, spline, coupling, &all)
}

/// Creates the synchronised field of a model of which only some state variables were measured: û has one component for each of
/// them, K acts on their differences û(t) − u, and the other state variables are not coupled. `observe` is the state variable of
/// each component.
///
/// # Errors
/// State variables that do not exist or are named twice, a spline with a different number of components, or a coupling that does
/// not fit.
pub fn synchronize_observed(
    field: &VectorField,
    spline: Arc<SmoothingSpline>,
    coupling: &Coupling,
    observe: &[usize],
) -> Result<VectorField> {
    let (dof, observed) = (field.dof(), observe.len());
    coupling.check(observed)?;
    if spline.dof() != observed {
        return Err(Error::invalid(format!(
            "{} observed, and the smoothing spline has {}",
            match observed {
                1 => "1 state variable is".into(),
                n => format!("{n} state variables are"),
            },
            count_of(spline.dof(), "component")
        )));
    }
    if let Some((i, variable)) = observe
        .iter()
        .enumerate()
        .find(|(i, variable)| **variable >= dof || observe[..*i].contains(variable))
    {
        return Err(Error::invalid(format!(
            "component {i} is to be state variable {variable}: the field has {dof}, counted from 0, and each is observed once"
        )));
    }
    let all_observed = observe.iter().copied().eq(0..dof);
    let (b, f) = FieldBuilder::extend(field);
    let lambda = b.block(LAMBDA, &[], &[1.0], false).map_err(|_| {
        Error::invalid("the field is synchronised already; synchronise the model itself")
    })?;
    b.lock_block(lambda);
    let lambda = b.parameter(lambda);
    let u = b.state();
    let difference = match all_observed {
        true => b.signal(spline) - u,
        false => {
            let measured: Vec<Expr> = observe.iter().map(|variable| u.at(*variable)).collect();
            b.signal(spline) - b.concat(&measured)
        }
    };
    let shape = match coupling {
        Coupling::Scalar(_) => vec![],
        Coupling::Vector(_) => vec![observed],
        Coupling::Matrix(_) => vec![observed, observed],
    };
    let k = b.block(COUPLING, &shape, &coupling.values(), false)?;
    b.lock_block(k);
    let pull = match coupling {
        Coupling::Matrix(_) => lambda * b.affine(k, None, &difference),
        _ => lambda * b.parameter(k) * difference,
    };
    if all_observed {
        return b.finish(f + pull);
    }
    let parts: Vec<Expr> = (0..dof)
        .map(
            |variable| match observe.iter().position(|x| *x == variable) {
                Some(component) => pull.at(component),
                None => b.constant(&[0.0]),
            },
        )
        .collect();
    b.finish(f + b.concat(&parts))
}

/// Sets the homotopy parameter λ of a synchronised field.
///
/// # Errors
/// A field that is not synchronised, or a λ that is not finite.
pub fn with_lambda(field: &VectorField, lambda: f64) -> Result<VectorField> {
    if !lambda.is_finite() {
        return Err(Error::invalid(format!(
            "the homotopy parameter must be finite, not {lambda}"
        )));
    }
    field.with_param(LAMBDA, &[lambda]).map_err(|_| {
        Error::invalid("only a synchronised field has a homotopy parameter; see synchronize")
    })
}
