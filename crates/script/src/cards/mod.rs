//! Values as notebooks show them: a [`Card`] is a value's description as text and as HTML.
//!
//! | file | content |
//! |---|---|
//! | `card` | [`Card`]: title, lines, table, preformatted text, figure |
//! | `values` | the cards of arrays, data, fields, runs … |

mod card;
mod values;

pub use card::{Card, figure_html};
pub use values::{
    array, dataset, density, discovery, eigenpairs, ensemble, equations, field, hessian, landscape,
    pca, run, schedule, solution, spline, table, trace,
};
