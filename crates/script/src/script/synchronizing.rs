//! The bindings of smoothing splines, couplings and schedules.

use std::sync::Arc;

use ndarray::{Array3, Axis, Ix2};
use rhai::{Array as List, Dynamic};

use super::array::ScriptArray;
use super::convert;
use super::data::squeeze;
use super::fields::ScriptField;
use super::keys::Keys;
use super::observation::{OBSERVE, observation};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use crate::{Error, Result};
use odesync_train::datasets::arrays::trajectories;
use odesync_train::schedules::Schedule;
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::synchronization::{Coupling, synchronize, synchronize_observed, with_lambda};

const SYNCHRONIZE: Keys = &[OBSERVE];

/// The script type of a smoothing spline, with the number of axes of the data it was made from.
#[derive(Clone)]
pub struct ScriptSmoothingSpline {
    /// The spline.
    pub(super) spline: Arc<SmoothingSpline>,
    pub(super) rank: usize,
}

/// The script type of a schedule, `Schedule`.
#[derive(Clone)]
pub struct ScriptSchedule(pub Schedule);

impl ScriptSmoothingSpline {
    /// Returns the wrapped spline.
    pub(super) fn spline(&self) -> &SmoothingSpline {
        &self.spline
    }

    /// Converts values to the shape of the data: `[time]`, `[time, dof]` or `[sample, time, dof]`.
    fn to_data_shape(&self, values: &Array3<f64>) -> ScriptArray {
        match self.rank {
            1 => ScriptArray::new(
                values
                    .index_axis(Axis(2), 0)
                    .index_axis(Axis(0), 0)
                    .to_owned()
                    .into_dyn(),
            ),
            2 => squeeze(values.view()),
            _ => ScriptArray::new(values.clone().into_dyn()),
        }
    }

    /// Evaluates at a vector of times, or at one time; in the latter case the result has no time axis.
    fn evaluate(
        &self,
        t: &Dynamic,
        f: fn(&SmoothingSpline, &[f64]) -> Array3<f64>,
    ) -> Result<Dynamic> {
        if let Some(t) = convert::to_number(t) {
            let all = self.to_data_shape(&f(&self.spline, &[t]));
            let axis = Axis(all.data().ndim().saturating_sub(self.rank.clamp(1, 2)));
            return Ok(ScriptArray::new(all.data().index_axis(axis, 0).to_owned()).into_dynamic());
        }
        let t = convert::to_vector(t, "the spline's times")?;
        Ok(self.to_data_shape(&f(&self.spline, &t)).into_dynamic())
    }
}

/// Reads a coupling from a number, a vector or a matrix.
///
/// # Errors
/// An array of another rank.
pub fn coupling(value: &Dynamic) -> Result<Coupling> {
    let k = convert::to_array(value, "the coupling")?;
    match k.ndim() {
        0 => Ok(Coupling::Scalar(k.first().copied().unwrap_or(f64::NAN))),
        1 => Ok(Coupling::Vector(k.iter().copied().collect())),
        2 => Ok(Coupling::Matrix(
            k.into_dimensionality::<Ix2>()
                .map_err(|e| Error::invalid(e.to_string()))?,
        )),
        _ => Err(Error::invalid(format!(
            "the coupling is a number, a vector [dof] or a matrix [dof, dof], not of shape {:?}",
            k.shape()
        ))),
    }
}

/// Reads a schedule, or a list of one λ for each epoch.
///
/// # Errors
/// A value of any other type.
pub fn schedule(value: &Dynamic) -> Result<Schedule> {
    if let Some(schedule) = value.read_lock::<ScriptSchedule>() {
        return Ok(schedule.0.clone());
    }
    Schedule::list(convert::to_vector(value, "the schedule")?)
}

fn to_whole(n: i64, what: &str) -> Result<usize> {
    usize::try_from(n).map_err(|_| Error::invalid(format!("{what} should be 0 or above, not {n}")))
}

impl ScriptType for ScriptSmoothingSpline {
    const NAME: &'static str = "SmoothingSpline";

    fn show(&self) -> String {
        format!(
            "SmoothingSpline: {} samples, {} components, {} times, alpha {}",
            self.spline.samples(),
            self.spline.dof(),
            self.spline.times().len(),
            self.spline.alpha()
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    splines(reg);
    reg.function(
        "synchronize(field, spline, K, #{ observe: [0] }) -> Field",
        "The field f(t, u) + λ K (û(t) − u) with λ = 1; K is a number, a vector or a matrix. With observe the spline is of these state \
         variables alone, and the others are not coupled.",
        "synchronize(lotka_volterra(), smoothing_spline([0, 1, 2], [[1], [2], [1]], 0), 6.0, #{ observe: [1] }).with_lambda(0.3)",
    )
    .options(SYNCHRONIZE)
    .body(
        |f: ScriptField,
         s: ScriptSmoothingSpline,
         k: Dynamic,
         mut options: Options|
         -> Result<ScriptField> {
            let observe = observation(&mut options)?.observe;
            options.finish()?;
            let k = coupling(&k)?;
            Ok(ScriptField(match observe {
                Some(observe) => synchronize_observed(&f.0, s.spline, &k, &observe)?,
                None => synchronize(&f.0, s.spline, &k)?,
            }))
        },
    );
    reg.function(
        "field.with_lambda(x) -> Field",
        "The synchronised field with another homotopy parameter λ.",
        "synchronize(lotka_volterra(), smoothing_spline([0, 1, 2], [[1, 1], [2, 1], [1, 2]], 0), 6.0).with_lambda(0.3)",
    )
    .body(|f: &mut ScriptField, lambda: Dynamic| -> Result<ScriptField> {
        let lambda = convert::number(&lambda, "with_lambda: λ")?;
        Ok(ScriptField(with_lambda(&f.0, lambda)?))
    });
    schedules(reg);
}

fn splines(reg: &mut Registry) {
    reg.script_type::<ScriptSmoothingSpline>();
    reg.function(
        "smoothing_spline(t, u, alpha) -> SmoothingSpline",
        "The natural cubic spline that minimises the sum of squares plus alpha times the integral of its squared second derivative; \
         alpha = 0 interpolates.",
        "smoothing_spline([0, 1, 2, 4], [1, 2, 0, 1], 0.001).at([0.5, 3])",
    )
    .body(
        |t: Dynamic, u: Dynamic, alpha: Dynamic| -> Result<ScriptSmoothingSpline> {
            let t = convert::to_vector(&t, "smoothing_spline: t")?;
            let u = convert::to_array(&u, "smoothing_spline: u")?;
            let alpha = convert::number(&alpha, "smoothing_spline: alpha")?;
            let rank = u.ndim();
            let u = trajectories("u", u)?;
            Ok(ScriptSmoothingSpline {
                spline: Arc::new(SmoothingSpline::new(&t, u.view(), alpha)?),
                rank,
            })
        },
    );
    reg.function(
        "spline.at(t)",
        "The spline's values at a time or at several; outside the data it goes on linearly.",
        "smoothing_spline([0, 1, 2], [1, 2, 0], 0).at(0.5)",
    )
    .body(|s: &mut ScriptSmoothingSpline, t: Dynamic| s.evaluate(&t, SmoothingSpline::at));
    reg.function(
        "spline.derivative(t)",
        "The spline's first derivative at a time or at several.",
        "smoothing_spline([0, 1, 2], [1, 2, 0], 0).derivative([0.5, 1.5])",
    )
    .body(|s: &mut ScriptSmoothingSpline, t: Dynamic| {
        s.evaluate(&t, SmoothingSpline::derivative_at)
    });
    reg.function(
        "spline.second_derivative(t)",
        "The spline's second derivative at a time or at several.",
        "smoothing_spline([0, 1, 2], [1, 2, 0], 0).second_derivative(0.5)",
    )
    .body(|s: &mut ScriptSmoothingSpline, t: Dynamic| {
        s.evaluate(&t, SmoothingSpline::second_derivative_at)
    });
    reg.property(
        "spline.g -> Array",
        "The spline's values at the data's times.",
        "smoothing_spline([0, 1, 2], [1, 2, 0], 0).g",
    )
    .get(|s: &mut ScriptSmoothingSpline| s.to_data_shape(&s.spline.g()));
    reg.property(
        "spline.g_ddot -> Array",
        "Its second derivatives there.",
        "smoothing_spline([0, 1, 2], [1, 2, 0], 0).g_ddot",
    )
    .get(|s: &mut ScriptSmoothingSpline| s.to_data_shape(&s.spline.g_ddot()));
}

impl ScriptType for ScriptSchedule {
    const NAME: &'static str = "Schedule";

    fn show(&self) -> String {
        let first = self.0.values().iter().take(12);
        let steps: Vec<String> = first.map(|x| format!("{x:.4}")).collect();
        let more = if self.0.values().len() > 12 {
            ", …"
        } else {
            ""
        };
        format!(
            "Schedule: λ = {}{more}; {} epochs",
            steps.join(", "),
            self.0.epochs()
        )
    }
}

fn schedules(reg: &mut Registry) {
    reg.script_type::<ScriptSchedule>();
    reg.function(
        "power_law(n_steps, epochs_per_step, rate) -> Schedule",
        "λ falls from 1 to 0 in n_steps values; each decrement is rate times the one before.",
        "power_law(6, 100, 0.6).values",
    )
    .body(
        |n: i64, per: i64, rate: Dynamic| -> Result<ScriptSchedule> {
            let rate = convert::number(&rate, "power_law: the rate")?;
            Ok(ScriptSchedule(Schedule::power_law(
                to_whole(n, "power_law: n_steps")?,
                to_whole(per, "power_law: epochs_per_step")?,
                rate,
            )?))
        },
    );
    reg.function(
        "stepwise(decrement, epochs_per_step) -> Schedule",
        "λ falls from 1 to 0 by equal decrements.",
        "stepwise(0.2, 100).values",
    )
    .body(|step: Dynamic, per: i64| -> Result<ScriptSchedule> {
        let step = convert::number(&step, "stepwise: the decrement")?;
        Ok(ScriptSchedule(Schedule::stepwise(
            step,
            to_whole(per, "stepwise: epochs_per_step")?,
        )?))
    });
    reg.function(
        "cosine(n_steps, epochs_per_step) -> Schedule",
        "λ falls from 1 to 0 along half a cosine.",
        "cosine(5, 10).values",
    )
    .body(|n: i64, per: i64| -> Result<ScriptSchedule> {
        Ok(ScriptSchedule(Schedule::cosine(
            to_whole(n, "cosine: n_steps")?,
            to_whole(per, "cosine: epochs_per_step")?,
        )?))
    });
    reg.function(
        "schedule.lambda(epoch) -> float",
        "λ in an epoch, counted from 0.",
        "power_law(6, 100, 0.6).lambda(150)",
    )
    .body(|s: &mut ScriptSchedule, epoch: i64| -> Result<f64> {
        Ok(s.0.lambda(to_whole(epoch, "the epoch")?))
    });
    reg.property(
        "schedule.values -> Array",
        "λ of each step.",
        "stepwise(0.5, 10).values",
    )
    .get(|s: &mut ScriptSchedule| ScriptArray::from_vec(s.0.values().to_vec()));
    reg.property(
        "schedule.epochs -> int",
        "The number of epochs of all steps.",
        "power_law(6, 100, 0.6).epochs",
    )
    .get(|s: &mut ScriptSchedule| s.0.epochs() as i64);
    // A plain list serves as a schedule of one value for each epoch.
    reg.function(
        "schedule([1, 0.5, 0]) -> Schedule",
        "One λ for each epoch, the last one held; a list alone is taken wherever a schedule is.",
        "schedule([1, 0.5, 0]).lambda(7)",
    )
    .body(|list: List| schedule(&Dynamic::from(list)).map(ScriptSchedule));
}
