//! Equations from data: the sparse set of known terms that explains the dynamics.
//!
//! | file | content |
//! |---|---|
//! | `library` | [`Library`]: the candidate terms |
//! | `equation_search` | [`EquationSearch`]: the settings, and the way from data to [`Equations`] |
//! | `equations_found` | [`Equations`]: the result as a field, text, LaTeX and script |
//! | `template` | a model's networks as unknown functions, in place of which terms are put |
//! | `candidates` | the coefficients that are searched, their scales and first guesses |
//! | `search` | the search for the set of largest evidence |
//! | `linear_evidence` | the gain of every change of a set, from one linearised problem |
//! | `doubts` | what the data do not tell |
//! | `field_latex` | any field as LaTeX, its networks as formulas |
//! | `notation`, `number`, `component` | expressions and numbers as text; what a component of a node is |

mod candidates;
mod component;
mod doubts;
mod equation_search;
mod equations_found;
mod field_latex;
mod library;
mod linear_evidence;
mod notation;
mod number;
mod search;
mod template;
#[cfg(test)]
mod tests;

pub use equation_search::{EquationSearch, SearchProgress};
pub use equations_found::{Coefficient, Equations, input_script};
pub use field_latex::field_latex;
pub use library::Library;
pub use number::script_number;
