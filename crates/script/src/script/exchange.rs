//! Values that Rust and scripts share: [`Session::set`](super::Session::set) and [`Session::get`](super::Session::get).

use std::sync::Arc;

use ndarray::{Array1, Array2, Array3, ArrayD, Dimension};
use rhai::{Array as List, Dynamic};

use super::array::Array;
use super::convert;
use super::data::Data;
use super::ensembles::Group;
use super::experiments::{Lab, Settings};
use super::fields::Field;
use super::landscape::Curvature;
use super::solving::Solved;
use super::synchronizing::{Lambda, Spline};
use super::training::{Trained, Way};
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
use odesync_train::training::{Ensemble, Homotopy, Method, MultipleShooting, Run};

/// A Rust value that can become a script's variable.
pub trait IntoScript: Send + 'static {
    /// The script's value.
    fn into_script(self) -> Dynamic;
}

/// A Rust value that can be read from a script's variable.
pub trait FromScript: Sized + Send + 'static {
    /// The value, or why it is none of this type.
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

/// A type of the library beside the type that scripts hold it by.
macro_rules! shared {
    ($($type:ty, $wrapper:ty, $expected:literal, |$own:ident| $wrap:expr, |$held:ident| $unwrap:expr;)*) => {$(
        impl IntoScript for $type {
            fn into_script(self) -> Dynamic {
                let $own = self;
                Dynamic::from($wrap)
            }
        }

        impl FromScript for $type {
            fn from_script(value: &Dynamic) -> Result<Self> {
                match value.read_lock::<$wrapper>() {
                    Some($held) => Ok($unwrap),
                    None => Err(mismatch($expected, value)),
                }
            }
        }
    )*};
}

shared! {
    VectorField, Field, "a field", |x| Field(x), |x| x.0.clone();
    Dataset, Data, "a dataset", |x| Data(Arc::new(x)), |x| (*x.0).clone();
    Solution, Solved, "a solution", |x| Solved(Arc::new(x)), |x| (*x.0).clone();
    Method, Way, "a method", |x| Way(x), |x| x.0.clone();
    Schedule, Lambda, "a schedule", |x| Lambda(x), |x| x.0.clone();
    SmoothingSpline, Spline, "a smoothing spline",
        |x| Spline { spline: Arc::new(x), rank: 3 }, |x| (*x.spline).clone();
    Run, Trained, "a run", |x| Trained(Arc::new(x)), |x| (*x.0).clone();
    Arc<Run>, Trained, "a run", |x| Trained(x), |x| x.0.clone();
    Ensemble, Group, "an ensemble", |x| Group(Arc::new(x)), |x| (*x.0).clone();
    Arc<Hessian>, Curvature, "a Hessian", |x| Curvature(x), |x| x.0.clone();
    Config, Settings, "a configuration", |x| Settings(Arc::new(x)), |x| (*x.0).clone();
    Experiment, Lab, "an experiment", |x| Lab(Arc::new(x)), |x| (*x.0).clone();
    Panel, Panel, "a figure", |x| x, |x| x.clone();
}

/// A type that scripts hold as another one of the library.
macro_rules! held_as {
    ($($type:ty, $other:ty;)*) => {$(
        impl IntoScript for $type {
            fn into_script(self) -> Dynamic {
                <$other>::from(self).into_script()
            }
        }
    )*};
}

held_as! {
    Homotopy, Method;
    MultipleShooting, Method;
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
        convert::number(value).ok_or_else(|| mismatch("a number", value))
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
    /// Numbers beyond 2⁶³ are floats.
    fn into_script(self) -> Dynamic {
        i64::try_from(self).map_or_else(|_| (self as f64).into(), Dynamic::from)
    }
}

impl FromScript for usize {
    fn from_script(value: &Dynamic) -> Result<Self> {
        let whole = value.as_int().ok().and_then(|n| usize::try_from(n).ok());
        whole.ok_or_else(|| mismatch("a whole number that is 0 or above", value))
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
        convert::text(value).ok_or_else(|| mismatch("a string", value))
    }
}

impl IntoScript for Vec<f64> {
    fn into_script(self) -> Dynamic {
        Dynamic::from(Array::from_vec(self))
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
        let texts = list.and_then(|list| list.iter().map(convert::text).collect());
        texts.ok_or_else(|| mismatch("a list of strings", value))
    }
}

impl<D: Dimension + 'static> IntoScript for ndarray::Array<f64, D> {
    fn into_script(self) -> Dynamic {
        Array::new(self.into_dyn()).into_dynamic()
    }
}

impl FromScript for ArrayD<f64> {
    fn from_script(value: &Dynamic) -> Result<Self> {
        convert::to_array(value, "the value")
    }
}

/// An array of a known rank.
macro_rules! ranked {
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

ranked! {
    Array1<f64>, "one axis";
    Array2<f64>, "two axes";
    Array3<f64>, "three axes";
}
