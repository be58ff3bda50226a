//! Tolerances of a step: the absolute one, of all state variables or of each, and the error norm that they define.

use ndarray::ArrayView1;

use super::vector_ops::with_length;
use crate::{Error, Result};
use odesync_base::options::{ListOf, Mismatch, OptionKind, Positive, Value};
use odesync_base::text::count_of;

/// The absolute tolerance of a step: one for all state variables, or one for each, in the unit of the variable.
///
/// ```
/// use odesync_ode::odesolve::{SolveOptions, solve};
/// // A population of 1e7 and a concentration of 1e-6.
/// let decay = odesync_ode::field::system(2, &[], |_, u, _| vec![-0.1 * u.at(0), -u.at(1)])?;
/// let options = SolveOptions::default().tolerances(1e-6, [1.0, 1e-12]);
/// let solution = solve(&decay, &[1e7, 1e-6], &[0.0, 2.0], &options)?;
/// assert!((solution.u[[1, 1]] / (1e-6 * (-2.0_f64).exp()) - 1.0).abs() < 1e-5);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum AbsoluteTolerance {
    /// The same for all state variables.
    Uniform(f64),
    /// One for each state variable, `[dof]`.
    Each(Vec<f64>),
}

impl From<f64> for AbsoluteTolerance {
    fn from(atol: f64) -> Self {
        AbsoluteTolerance::Uniform(atol)
    }
}

impl From<Vec<f64>> for AbsoluteTolerance {
    fn from(atol: Vec<f64>) -> Self {
        AbsoluteTolerance::Each(atol)
    }
}

impl From<&[f64]> for AbsoluteTolerance {
    fn from(atol: &[f64]) -> Self {
        AbsoluteTolerance::Each(atol.to_vec())
    }
}

impl<const N: usize> From<[f64; N]> for AbsoluteTolerance {
    fn from(atol: [f64; N]) -> Self {
        AbsoluteTolerance::Each(atol.to_vec())
    }
}

impl AbsoluteTolerance {
    /// Returns the tolerance of state variable `i`.
    #[inline]
    pub fn at(&self, i: usize) -> f64 {
        match self {
            AbsoluteTolerance::Uniform(atol) => *atol,
            // The length is checked before a solve; a variable without an entry gets the first one.
            AbsoluteTolerance::Each(each) => each.get(i).or(each.first()).copied().unwrap_or(1.0),
        }
    }

    /// Returns the tolerances, `[1]` or `[dof]`.
    pub fn as_slice(&self) -> &[f64] {
        match self {
            AbsoluteTolerance::Uniform(atol) => std::slice::from_ref(atol),
            AbsoluteTolerance::Each(each) => each,
        }
    }

    /// Returns the smallest tolerance.
    pub fn smallest(&self) -> f64 {
        match self {
            AbsoluteTolerance::Uniform(atol) => *atol,
            AbsoluteTolerance::Each(each) => each.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }

    /// Checks that there is one tolerance for all or one for each of `dof` state variables.
    ///
    /// # Errors
    /// A list of another length.
    pub fn check(&self, dof: usize) -> Result<()> {
        match self {
            AbsoluteTolerance::Each(each) if each.len() != dof => Err(Error::invalid(format!(
                "atol has {}, one for each state variable, and there {} {dof}; give {dof} numbers, or one for all",
                count_of(each.len(), "number"),
                if dof == 1 { "is" } else { "are" },
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the state variables that never leave the tolerance although they are not zero, so that nothing controls their
    /// error; `rows` are the states, `[dof]`, at all output times.
    pub fn unresolved<'a>(&self, rows: impl Iterator<Item = ArrayView1<'a, f64>>) -> Vec<usize> {
        let mut largest: Vec<f64> = vec![];
        for row in rows {
            largest.resize(row.len().max(largest.len()), 0.0);
            for (largest, u) in largest.iter_mut().zip(row) {
                *largest = largest.max(u.abs());
            }
        }
        let is_below = |(i, u): (usize, f64)| (u > 0.0 && u < self.at(i)).then_some(i);
        largest
            .into_iter()
            .enumerate()
            .filter_map(is_below)
            .collect()
    }
}

/// A number above 0, or one for each state variable.
#[derive(Debug, Clone, Copy)]
pub struct PositiveOrEach;

impl OptionKind for PositiveOrEach {
    type Field = AbsoluteTolerance;
    const EXPECTED: &'static str = "a number above 0, or a list with one for each state variable";

    fn read(value: &Value) -> std::result::Result<AbsoluteTolerance, Mismatch> {
        match value {
            Value::List(_) => ListOf::<Positive>::read(value).map(AbsoluteTolerance::Each),
            value => Positive::read(value).map(AbsoluteTolerance::Uniform),
        }
    }

    fn write(field: &AbsoluteTolerance) -> Value {
        match field {
            AbsoluteTolerance::Uniform(atol) => Positive::write(atol),
            AbsoluteTolerance::Each(each) => ListOf::<Positive>::write(each),
        }
    }

    fn is_in_range(field: &AbsoluteTolerance) -> bool {
        match field {
            AbsoluteTolerance::Uniform(atol) => Positive::is_in_range(atol),
            AbsoluteTolerance::Each(each) => {
                !each.is_empty() && ListOf::<Positive>::is_in_range(each)
            }
        }
    }
}

/// Returns the error norm: the root mean square of `x / (atol + rtol max(|u|, |v|))`. At most 1 for an acceptable error.
#[inline(always)]
pub fn error_norm(x: &[f64], u: &[f64], v: &[f64], rtol: f64, atol: &AbsoluteTolerance) -> f64 {
    let square = |x: f64, u: f64, v: f64, atol: f64| {
        let r = x / (atol + rtol * u.abs().max(v.abs()));
        r * r
    };
    let sum = with_length!(x.len(), |n| {
        let (x, u, v) = (&x[..n], &u[..n], &v[..n]);
        let mut sum = 0.0;
        for i in 0..n {
            sum += square(x[i], u[i], v[i], atol.at(i));
        }
        sum
    });
    (sum / x.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equal_entries_are_one_tolerance_to_the_bit() {
        let (x, u, v) = ([1e-7, -3e-5, 2e-9], [1.0, -2.0, 0.0], [1.5, 0.3, 1e-12]);
        let one = error_norm(&x, &u, &v, 1e-6, &1e-9.into());
        assert_eq!(one, error_norm(&x, &u, &v, 1e-6, &[1e-9; 3].into()));
        let first = (1e-7_f64 / (0.5 + 1e-6 * 1.5)).powi(2);
        let by_hand =
            ((first + (3e-5_f64 / 2e-6).powi(2) + (2e-9_f64 / 1e-8).powi(2)) / 3.0).sqrt();
        let atol = [0.5, 0.0, 1e-8].into();
        assert!((error_norm(&x, &u, &v, 1e-6, &atol) / by_hand - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_wrong_length_is_an_error_that_says_both() {
        let atol = AbsoluteTolerance::from([1e-9, 1e-6]);
        assert!(atol.check(2).is_ok());
        let message = atol.check(3).unwrap_err().to_string();
        assert!(
            message.contains("2 numbers") && message.contains("are 3"),
            "{message}"
        );
        assert!(AbsoluteTolerance::from(1e-9).check(3).is_ok());
        assert!(!PositiveOrEach::is_in_range(&vec![1e-9, 0.0].into()));
        assert!(!PositiveOrEach::is_in_range(&vec![].into()));
    }

    #[test]
    fn a_variable_below_its_tolerance_all_along_is_found() {
        let u = array![[1e-12, 0.0, 1.0], [-3e-10, 0.0, 1e-12]];
        let atol = AbsoluteTolerance::from(1e-9);
        assert_eq!(atol.unresolved(u.outer_iter()), [0]);
        let each = AbsoluteTolerance::from([1e-13, 1.0, 2.0]);
        assert_eq!(each.unresolved(u.outer_iter()), [2]);
    }
}
