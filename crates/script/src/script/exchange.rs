//! The conversions of values that Rust and scripts share: [`Session::set`](super::Session::set) and
//! [`Session::get`](super::Session::get).

use std::sync::Arc;

use ndarray::{Array1, Array2, Array3, ArrayD, Dimension};
use rhai::{Array as List, Dynamic};

use super::array::ScriptArray;
use super::convert;
use super::data::ScriptDataset;
use super::ensembles::ScriptEnsemble;
use super::experiments::{ScriptConfig, ScriptExperiment};
use super::fields::ScriptField;
use super::landscape::ScriptHessian;
use super::solving::ScriptSolution;
use super::synchronizing::{ScriptSchedule, ScriptSmoothingSpline};
use super::training::{ScriptMethod, ScriptRun};
use crate::experiments::Experiment;
use crate::{Error, Result};
use odesync_config::Config;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::Solution;
use odesync_plot::{Figure, Grid, Panel};
use odesync_train::datasets::Dataset;
use odesync_train::landscape::Hessian;
use odesync_train::schedules::Schedule;
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::training::{Ensemble, Homotopy, MultipleShooting, Run, TrainingMethod};

/// A Rust type whose values can be set as a script's variable.
pub trait IntoScript: Send + 'static {
    /// Converts into the script's value.
    fn into_script(self) -> Dynamic;
}

/// A Rust type whose values can be read from a script's variable.
pub trait FromScript: Sized + Send + 'static {
    /// Reads the Rust value from a script's value.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says what was expected and what is there.
    fn from_script(value: &Dynamic) -> Result<Self>;
}

fn mismatch(expected: &str, value: &Dynamic) -> Error {
    Error::invalid(format!(
        "{expected} was expected, not {}",
        convert::describe(value)
    ))
}

/// Implements both conversions for types of the library that scripts hold in a wrapper type.
macro_rules! impl_for_wrapped {
    ($($type:ty, $wrapper:ty, $expected:literal, |$value:ident| $wrap:expr, |$wrapped:ident| $unwrap:expr;)*) => {$(
        impl IntoScript for $type {
            fn into_script(self) -> Dynamic {
                let $value = self;
                Dynamic::from($wrap)
            }
        }

        impl FromScript for $type {
            fn from_script(value: &Dynamic) -> Result<Self> {
                match value.read_lock::<$wrapper>() {
                    Some($wrapped) => Ok($unwrap),
                    None => Err(mismatch($expected, value)),
                }
            }
        }
    )*};
}

impl_for_wrapped! {
    VectorField, ScriptField, "a field", |x| ScriptField(x), |x| x.0.clone();
    Dataset, ScriptDataset, "a dataset", |x| ScriptDataset(Arc::new(x)), |x| (*x.0).clone();
    Solution, ScriptSolution, "a solution", |x| ScriptSolution(Arc::new(x)), |x| (*x.0).clone();
    TrainingMethod, ScriptMethod, "a method", |x| ScriptMethod(x), |x| x.0.clone();
    Schedule, ScriptSchedule, "a schedule", |x| ScriptSchedule(x), |x| x.0.clone();
    SmoothingSpline, ScriptSmoothingSpline, "a smoothing spline",
        |x| ScriptSmoothingSpline { spline: Arc::new(x), rank: 3 }, |x| (*x.spline).clone();
    Run, ScriptRun, "a run", |x| ScriptRun(Arc::new(x)), |x| (*x.0).clone();
    Arc<Run>, ScriptRun, "a run", |x| ScriptRun(x), |x| x.0.clone();
    Ensemble, ScriptEnsemble, "an ensemble", |x| ScriptEnsemble(Arc::new(x)), |x| (*x.0).clone();
    Arc<Hessian>, ScriptHessian, "a Hessian", |x| ScriptHessian(x), |x| x.0.clone();
    Config, ScriptConfig, "a configuration", |x| ScriptConfig(Arc::new(x)), |x| (*x.0).clone();
    Experiment, ScriptExperiment, "an experiment", |x| ScriptExperiment(Arc::new(x)), |x| (*x.0).clone();
    Panel, Panel, "a figure", |x| x, |x| x.clone();
}

/// Implements [`IntoScript`] for types that scripts hold as another type of the library.
macro_rules! impl_by_conversion {
    ($($type:ty, $other:ty;)*) => {$(
        impl IntoScript for $type {
            fn into_script(self) -> Dynamic {
                <$other>::from(self).into_script()
            }
        }
    )*};
}

impl_by_conversion! {
    Homotopy, TrainingMethod;
    MultipleShooting, TrainingMethod;
    Figure, Panel;
    Grid, Panel;
    Hessian, Arc<Hessian>;
    f32, f64;
    i32, i64;
    u32, i64;
    &'static str, String;
}

impl IntoScript for f64 {
    fn into_script(self) -> Dynamic {
        self.into()
    }
}

impl FromScript for f64 {
    fn from_script(value: &Dynamic) -> Result<Self> {
        convert::to_number(value).ok_or_else(|| mismatch("a number", value))
    }
}

impl IntoScript for i64 {
    fn into_script(self) -> Dynamic {
        self.into()
    }
}

impl FromScript for i64 {
    fn from_script(value: &Dynamic) -> Result<Self> {
        value
            .as_int()
            .map_err(|_| mismatch("a whole number", value))
    }
}

impl IntoScript for usize {
    /// Converts to an integer; numbers of 2⁶³ and above become floats.
    fn into_script(self) -> Dynamic {
        i64::try_from(self).map_or_else(|_| (self as f64).into(), Dynamic::from)
    }
}

impl FromScript for usize {
    fn from_script(value: &Dynamic) -> Result<Self> {
        let number = value.as_int().ok().and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| mismatch("a whole number that is 0 or above", value))
    }
}

impl IntoScript for bool {
    fn into_script(self) -> Dynamic {
        self.into()
    }
}

impl FromScript for bool {
    fn from_script(value: &Dynamic) -> Result<Self> {
        value
            .as_bool()
            .map_err(|_| mismatch("true or false", value))
    }
}

impl IntoScript for String {
    fn into_script(self) -> Dynamic {
        self.into()
    }
}

impl FromScript for String {
    fn from_script(value: &Dynamic) -> Result<Self> {
        convert::to_text(value).ok_or_else(|| mismatch("a string", value))
    }
}

impl IntoScript for Vec<f64> {
    fn into_script(self) -> Dynamic {
        Dynamic::from(ScriptArray::from_vec(self))
    }
}

impl FromScript for Vec<f64> {
    fn from_script(value: &Dynamic) -> Result<Self> {
        convert::to_vector(value, "the value")
    }
}

impl IntoScript for Vec<String> {
    fn into_script(self) -> Dynamic {
        Dynamic::from_array(self.into_iter().map(Dynamic::from).collect())
    }
}

impl FromScript for Vec<String> {
    fn from_script(value: &Dynamic) -> Result<Self> {
        let list = value.read_lock::<List>();
        let texts = list.and_then(|list| list.iter().map(convert::to_text).collect());
        texts.ok_or_else(|| mismatch("a list of strings", value))
    }
}

impl<D: Dimension + 'static> IntoScript for ndarray::Array<f64, D> {
    fn into_script(self) -> Dynamic {
        ScriptArray::new(self.into_dyn()).into_dynamic()
    }
}

impl FromScript for ArrayD<f64> {
    fn from_script(value: &Dynamic) -> Result<Self> {
        convert::to_array(value, "the value")
    }
}

/// Implements both conversions for arrays of a known rank.
macro_rules! impl_for_rank {
    ($($type:ty, $rank:literal;)*) => {$(
        impl FromScript for $type {
            fn from_script(value: &Dynamic) -> Result<Self> {
                let array = convert::to_array(value, "the value")?;
                let shape = array.shape().to_vec();
                array.into_dimensionality().map_err(|_| {
                    Error::invalid(format!(
                        concat!("an array of ", $rank, " was expected, not one of shape {:?}"),
                        shape
                    ))
                })
            }
        }
    )*};
}

impl_for_rank! {
    Array1<f64>, "one axis";
    Array2<f64>, "two axes";
    Array3<f64>, "three axes";
}
