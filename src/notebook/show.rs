//! The display of a value that a notebook's cell ends with.

use std::fmt::Display;

use ndarray::{ArrayBase, Data, Dimension};

use crate::datasets::Dataset;
use crate::discovery::Discovery;
use crate::equations::Equations;
use crate::field::VectorField;
use crate::landscape::{Density, Eigenpairs, Hessian, Landscape, Pca, TraceEstimate};
use crate::odesolve::Solution;
use crate::plotting::{Figure, Grid, Panel};
use crate::schedules::Schedule;
use crate::smoothing::SmoothingSpline;
use crate::tables::AlignedTable;
use crate::training::{Ensemble, Run};
use odesync_script::cards::{self, Card};

/// The display of a value that a notebook's cell ends with: evcxr calls [`NotebookDisplay::evcxr_display`]. A value without this
/// method is shown by `Debug`, for which evcxr builds the cell a second time.
pub trait NotebookDisplay {
    /// Writes the value to standard output, in the form that evcxr reads.
    fn evcxr_display(&self);
}

/// Writes a card to standard output with the markers by which evcxr recognizes content.
pub(super) fn show_card(card: &Card) {
    println!(
        "EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT",
        card.text(),
        card.html()
    );
}

/// Implements [`NotebookDisplay`] for types by functions that return their cards.
macro_rules! display_as_card {
    ($($type:ty, $card:ident;)*) => {$(
        impl NotebookDisplay for $type {
            fn evcxr_display(&self) {
                show_card(&cards::$card(self));
            }
        }
    )*};
}

display_as_card! {
    Dataset, dataset;
    VectorField, field;
    Solution, solution;
    Run, run;
    Ensemble, ensemble;
    Hessian, hessian;
    Eigenpairs, eigenpairs;
    TraceEstimate, trace;
    Density, density;
    Landscape, landscape;
    Pca, pca;
    Schedule, schedule;
    SmoothingSpline, spline;
    AlignedTable, table;
    Discovery, discovery;
    Equations, equations;
}

impl<S: Data<Elem = f64>, D: Dimension> NotebookDisplay for ArrayBase<S, D> {
    fn evcxr_display(&self) {
        show_card(&cards::array(self.view().into_dyn()));
    }
}

impl NotebookDisplay for Vec<f64> {
    fn evcxr_display(&self) {
        ndarray::aview1(self).evcxr_display();
    }
}

/// Implements [`NotebookDisplay`] for types that are shown as text.
macro_rules! display_as_text {
    ($($type:ty)*) => {$(
        impl NotebookDisplay for $type {
            fn evcxr_display(&self) {
                println!("EVCXR_BEGIN_CONTENT text/plain\n{self}\nEVCXR_END_CONTENT");
            }
        }
    )*};
}

display_as_text! { f64 usize u64 i32 i64 bool str String }

/// Implements [`NotebookDisplay`] for figures by their inherent method, so that a result of a figure has it too.
macro_rules! display_as_figure {
    ($($type:ty)*) => {$(
        impl NotebookDisplay for $type {
            fn evcxr_display(&self) {
                <$type>::evcxr_display(self);
            }
        }
    )*};
}

display_as_figure! { Figure Grid Panel }

/// Shows the value, or the error in its place.
impl<T: NotebookDisplay, E: Display> NotebookDisplay for std::result::Result<T, E> {
    fn evcxr_display(&self) {
        match self {
            Ok(value) => value.evcxr_display(),
            // As evcxr reports an error that `?` returns.
            Err(error) => eprintln!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude;

    #[test]
    fn a_run_and_a_model_are_described() {
        let data = prelude::dataset(
            &prelude::lotka_volterra().unwrap(),
            &[1.0, 1.0],
            &[0.0, 0.5, 1.0],
        )
        .unwrap();
        let model = prelude::blackbox(&[2, 3, 2]).unwrap();
        assert!(
            cards::field(&model)
                .text()
                .contains("trainable parameters  17")
        );
        let done = prelude::train(
            &model,
            &data,
            prelude::vanilla(),
            prelude::TrainOptions::default().epochs(2),
        )
        .unwrap();
        let text = cards::run(&done).text();
        assert!(
            text.contains("vanilla training, finished") && text.contains("epochs       2"),
            "{text}"
        );
    }
}
