//! The equations that are tried against the network.

use super::{DiscoverOptions, ModelForm};
use crate::datasets::Dataset;
use crate::equations::{EquationSearch, Equations, Library};
use crate::training::{Callback, Run};
use crate::{Error, Result};
use odesync_ode::field::Signal;

/// Degrees of the polynomials that are tried, the next where one does not explain the data.
const DEGREES: [usize; 2] = [2, 3];
/// Most coefficients of a library; the time of a search grows with their cube.
const MAX_COEFFICIENTS: usize = 60;

/// Searches for equations in place of the networks of a run; inside is the reason where there are none.
///
/// # Errors
/// An interrupt.
pub(super) fn search(
    run: &Run,
    data: &Dataset,
    options: &DiscoverOptions,
    form: &ModelForm,
    callback: &mut dyn Callback,
) -> Result<std::result::Result<Equations, String>> {
    let variables = run.model.dof() + run.model.inputs().map(|(_, w)| w.dof()).sum::<usize>();
    let unknown = form.derivative_of.iter().filter(|j| j.is_none()).count();
    let mut best: std::result::Result<Equations, String> = Err(format!(
        "a polynomial of {variables} variables has too many terms to be tried"
    ));
    for degree in DEGREES {
        if unknown * monomials(variables, degree) > MAX_COEFFICIENTS {
            break;
        }
        let library = Library::polynomials(degree);
        let library = match options.input.is_some() {
            true => library.with_inputs(),
            false => library,
        };
        let search = EquationSearch::new(library)
            .with_method(options.method.clone())
            .with_observation(form.options(&options.train).observation);
        let mut check = |_| match options.train.interrupted() {
            true => Err(Error::Interrupted),
            false => Ok(()),
        };
        match search.search_run(run, data, &mut check) {
            Ok(found) => {
                callback.on_note(&format!(
                    "equations of degree {degree}: {} terms, log evidence {:.1}",
                    found.terms(),
                    found.log_evidence
                ));
                if best.as_ref().map_or(true, |best| found.score > best.score) {
                    best = Ok(found);
                }
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) if best.is_err() => best = Err(error.to_string()),
            Err(_) => {}
        }
        if best.as_ref().is_ok_and(Equations::are_preferred) {
            break;
        }
    }
    Ok(best)
}

/// Returns the number of monomials of n variables up to this degree, (n + degree choose degree).
fn monomials(n: usize, degree: usize) -> usize {
    (1..=degree).fold(1, |product, k| product * (n + k) / k)
}
