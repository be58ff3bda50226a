//! External inputs: functions of time, given by values at discrete times.

use ndarray::{Array2, ArrayView2};

use super::signal::Signal;
use crate::{Error, Result};
use odesync_base::text::count_of;

/// An external input w(t) of a field, for example the force on a pendulum: piecewise linear or cubic through values at given
/// times, or held from each time to the next, the same for every sample or one for each. Before the first time it has the first
/// value, after the last time the last value.
///
/// The times are breakpoints of the field. The field owns the input, and is saved with it.
///
/// ```
/// use ndarray::array;
/// use odesync_ode::field::{FieldBuilder, InputSignal};
///
/// let push = InputSignal::linear(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [0.0]].view())?;
/// let b = FieldBuilder::new(1);
/// let w = b.input("w", push);
/// let field = b.finish(w - b.state())?;
/// assert_eq!(field.derivative(2.0, &[0.25])?, [0.75]);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "InputSignalRepr", into = "InputSignalRepr")]
pub struct InputSignal {
    name: String,
    dof: usize,
    curves: Vec<InputCurve>,
}

/// The input of one sample: values and second derivatives at its times, `[time][component]`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct InputCurve {
    t: Vec<f64>,
    values: Vec<f64>,
    /// Second derivatives at the times; empty where the input is piecewise linear.
    #[serde(default, rename = "bends", skip_serializing_if = "Vec::is_empty")]
    second_derivatives: Vec<f64>,
    /// Whether each value is held up to the next time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hold: bool,
    /// Times just before and at each jump, where values are held; they follow from the other fields.
    #[serde(skip)]
    jumps: Vec<f64>,
}

impl InputCurve {
    /// Returns the coefficients [a, b, c, d] of the cubic a + b s + c s² + d s³ of a component between the times i and i + 1, s being
    /// the time since the first of them.
    fn cubic(&self, i: usize, component: usize, dof: usize) -> [f64; 4] {
        let h = self.t[i + 1] - self.t[i];
        let at = |list: &[f64], i: usize| list.get(i * dof + component).copied().unwrap_or(0.0);
        let (g, g2) = (at(&self.values, i), at(&self.second_derivatives, i));
        let next_g2 = at(&self.second_derivatives, i + 1);
        let slope = (at(&self.values, i + 1) - g) / h - h * (2.0 * g2 + next_g2) / 6.0;
        [g, slope, g2 / 2.0, (next_g2 - g2) / (6.0 * h)]
    }
}

/// Returns the times just before and at each jump of values that are held: a step across the short distance between them is not
/// divided, and every other evaluation lies on one side.
fn times_of_jumps(t: &[f64]) -> Vec<f64> {
    let (Some(first), Some(last)) = (t.first(), t.last()) else {
        return vec![];
    };
    let around = t.windows(2).flat_map(|pair| {
        let width = 4.0 * f64::EPSILON * pair[1].abs().max(last - first);
        [pair[1] - width.min(0.25 * (pair[1] - pair[0])), pair[1]]
    });
    std::iter::once(*first).chain(around).collect()
}

/// The saved form of an [`InputSignal`].
#[derive(serde::Serialize, serde::Deserialize)]
struct InputSignalRepr {
    name: String,
    dof: usize,
    curves: Vec<InputCurve>,
}

impl From<InputSignal> for InputSignalRepr {
    fn from(input: InputSignal) -> Self {
        let InputSignal { name, dof, curves } = input;
        InputSignalRepr { name, dof, curves }
    }
}

impl TryFrom<InputSignalRepr> for InputSignal {
    type Error = Error;

    fn try_from(saved: InputSignalRepr) -> Result<Self> {
        let InputSignalRepr {
            name,
            dof,
            mut curves,
        } = saved;
        let fits = |n: usize, curve: &InputCurve| curve.t.len().checked_mul(dof) == Some(n);
        for curve in &mut curves {
            check_times(&curve.t)?;
            if curve.hold {
                curve.jumps = times_of_jumps(&curve.t);
            }
            let curve = &*curve;
            let derivatives_fit =
                curve.second_derivatives.is_empty() || fits(curve.second_derivatives.len(), curve);
            let numbers = || curve.values.iter().chain(&curve.second_derivatives);
            if dof == 0 || !fits(curve.values.len(), curve) || !derivatives_fit {
                return Err(Error::invalid(
                    "an input needs one value for each time and component",
                ));
            }
            if numbers().any(|x| !x.is_finite()) {
                return Err(Error::invalid("the values of an input must be finite"));
            }
        }
        if curves.is_empty() {
            return Err(Error::invalid("an input needs at least one sample"));
        }
        Ok(InputSignal { name, dof, curves })
    }
}

impl InputSignal {
    /// Returns the piecewise linear input through the values `[time, component]` at the times `t`.
    ///
    /// # Errors
    /// Times that do not increase, values that are not finite, or lengths that differ.
    pub fn linear(t: &[f64], values: ArrayView2<f64>) -> Result<Self> {
        Self::cubic(t, values, None)
    }

    /// Returns the piecewise cubic input with these values and second derivatives, `[time, component]`, at the times `t`;
    /// piecewise linear without second derivatives. `smoothing::spline_input` of odesync-train gives the natural cubic spline.
    ///
    /// # Errors
    /// Times that do not increase, numbers that are not finite, or shapes that differ.
    pub fn cubic(
        t: &[f64],
        values: ArrayView2<f64>,
        second_derivatives: Option<ArrayView2<f64>>,
    ) -> Result<Self> {
        Self::of_curve(t, values, second_derivatives, false)
    }

    /// Returns the input that holds each of the values `[time, component]` from its time up to the next (zero-order hold):
    /// w(t) = values\[i\] for t\[i\] ≤ t < t\[i+1\]. It jumps at the times; its derivative is 0.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_ode::field::InputSignal;
    ///
    /// let command = InputSignal::hold(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [-1.0]].view())?;
    /// let values = command.values_at(0, &[0.9, 1.0, 2.9, 3.0, 9.0]);
    /// assert_eq!(values, array![[0.0], [2.0], [2.0], [-1.0], [-1.0]]);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`InputSignal::linear`].
    pub fn hold(t: &[f64], values: ArrayView2<f64>) -> Result<Self> {
        Self::of_curve(t, values, None, true)
    }

    fn of_curve(
        t: &[f64],
        values: ArrayView2<f64>,
        second_derivatives: Option<ArrayView2<f64>>,
        hold: bool,
    ) -> Result<Self> {
        let shape = values.dim();
        if shape.0 != t.len() || second_derivatives.is_some_and(|x| x.dim() != shape) {
            return Err(Error::invalid(format!(
                "the input has {} and {} of values: give one row for each time",
                count_of(t.len(), "time"),
                count_of(shape.0, "row")
            )));
        }
        if let Some(((time, component), x)) = values.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(Error::invalid(format!(
                "value [{time}, {component}] of the input is {x}: an input must be known at each of its times"
            )));
        }
        let flat = |x: ArrayView2<f64>| x.iter().copied().collect::<Vec<f64>>();
        InputSignalRepr {
            name: "input".into(),
            dof: shape.1,
            curves: vec![InputCurve {
                t: t.to_vec(),
                values: flat(values),
                second_derivatives: second_derivatives.map(flat).unwrap_or_default(),
                hold,
                jumps: vec![],
            }],
        }
        .try_into()
    }

    /// Returns an input with a function of time for each sample of the data: `inputs[i]` is that of sample i.
    ///
    /// # Errors
    /// No inputs, or inputs of different numbers of components.
    pub fn per_sample(inputs: &[InputSignal]) -> Result<Self> {
        let Some(first) = inputs.first() else {
            return Err(Error::invalid("there are no inputs to put together"));
        };
        if let Some(i) = inputs.iter().position(|input| input.dof != first.dof) {
            return Err(Error::invalid(format!(
                "input {i} has {}, those before it {}",
                count_of(inputs[i].dof, "component"),
                first.dof
            )));
        }
        Ok(InputSignal {
            name: first.name.clone(),
            dof: first.dof,
            curves: inputs
                .iter()
                .flat_map(|input| input.curves.clone())
                .collect(),
        })
    }

    /// Returns the input of these samples, in this order; one that is the same for every sample is returned as it is.
    ///
    /// # Errors
    /// A sample that it does not have.
    pub fn select_samples(&self, samples: &[usize]) -> Result<Self> {
        if self.curves.len() == 1 {
            return Ok(self.clone());
        }
        let curve = |i: &usize| {
            self.curves.get(*i).cloned().ok_or_else(|| {
                Error::invalid(format!(
                    "input \"{}\" is given for {}, and there is none for sample {i}",
                    self.name,
                    count_of(self.curves.len(), "sample")
                ))
            })
        };
        Ok(InputSignal {
            name: self.name.clone(),
            dof: self.dof,
            curves: samples.iter().map(curve).collect::<Result<_>>()?,
        })
    }

    /// Sets the name of the input in equations and printed text.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the values at the times `t` for one sample, `[time, component]`.
    pub fn values_at(&self, sample: usize, t: &[f64]) -> Array2<f64> {
        let mut all = Array2::zeros((t.len(), self.dof));
        let mut row = vec![0.0; self.dof];
        for (t, mut out) in t.iter().zip(all.outer_iter_mut()) {
            self.value(sample, *t, &mut row);
            out.iter_mut().zip(&row).for_each(|(out, x)| *out = *x);
        }
        all
    }

    /// Returns the times at which the input of one sample is given, increasing.
    pub fn times(&self, sample: usize) -> &[f64] {
        &self.curve(sample).t
    }

    /// Whether the input of one sample holds each value up to the next time.
    pub fn is_held(&self, sample: usize) -> bool {
        self.curve(sample).hold
    }

    /// Returns the input of one sample as cubics, `[time][component]`: the coefficients [a, b, c, d] of a + b s + c s² + d s³, with the
    /// time s since that time, up to the next one. Those of the last time are the value that is kept from there on; before the first
    /// time s is taken as 0.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_ode::field::InputSignal;
    ///
    /// let push = InputSignal::linear(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [1.0]].view())?;
    /// assert_eq!(push.cubics(0), [[[0.0, 2.0, 0.0, 0.0]], [[2.0, -0.5, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]]]);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    pub fn cubics(&self, sample: usize) -> Vec<Vec<[f64; 4]>> {
        let curve = self.curve(sample);
        let is_last = |i: usize| i + 1 == curve.t.len();
        let of_time = |(i, values): (usize, &[f64])| match curve.hold || is_last(i) {
            true => values.iter().map(|x| [*x, 0.0, 0.0, 0.0]).collect(),
            false => (0..self.dof)
                .map(|component| curve.cubic(i, component, self.dof))
                .collect(),
        };
        let values = curve.values.chunks_exact(self.dof);
        values.enumerate().map(of_time).collect()
    }

    fn curve(&self, sample: usize) -> &InputCurve {
        // There is at least one curve.
        &self.curves[sample.min(self.curves.len() - 1)]
    }

    /// Evaluates every component at t into `out`: inside an interval by `polynomial`, which gets the coefficients [a, b, c, d]
    /// of the cubic a + b s + c s² + d s³ and the time s since the start of the interval; before the first and after the last
    /// time, and everywhere where values are held, by `outside`, which gets the value held there.
    fn evaluate(
        &self,
        (sample, t): (usize, f64),
        out: &mut [f64],
        polynomial: impl Fn([f64; 4], f64) -> f64,
        outside: impl Fn(f64) -> f64,
    ) {
        let curve = self.curve(sample);
        let InputCurve {
            t: times,
            values,
            hold,
            ..
        } = curve;
        let (dof, last) = (self.dof, times.len() - 1);
        let after = times.partition_point(|knot| *knot <= t);
        let held = match after {
            0 => Some(0),
            after if *hold => Some(after - 1),
            _ if t > times[last] || last == 0 => Some(last),
            _ => None,
        };
        if let Some(i) = held {
            for (out, x) in out.iter_mut().zip(&values[i * dof..]) {
                *out = outside(*x);
            }
            return;
        }
        let i = (after - 1).min(last - 1);
        for (component, out) in out.iter_mut().enumerate() {
            let cubic = curve.cubic(i, component, dof);
            *out = polynomial(cubic, t - times[i]);
        }
    }
}

impl Signal for InputSignal {
    fn dof(&self) -> usize {
        self.dof
    }

    fn n_samples(&self) -> usize {
        self.curves.len()
    }

    fn value(&self, sample: usize, t: f64, out: &mut [f64]) {
        let value = |[a, b, c, d]: [f64; 4], s: f64| a + s * (b + s * (c + s * d));
        self.evaluate((sample, t), out, value, |x| x);
    }

    fn derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        let slope = |[_, b, c, d]: [f64; 4], s: f64| b + s * (2.0 * c + s * 3.0 * d);
        self.evaluate((sample, t), out, slope, |_| 0.0);
    }

    fn second_derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        let second = |[_, _, c, d]: [f64; 4], s: f64| 2.0 * c + s * 6.0 * d;
        self.evaluate((sample, t), out, second, |_| 0.0);
    }

    /// Times of the input, at which it or one of its derivatives jumps; where it jumps itself also the times just before.
    fn breakpoints(&self, sample: usize) -> &[f64] {
        let curve = self.curve(sample);
        match curve.hold {
            true => &curve.jumps,
            false => &curve.t,
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn as_input(&self) -> Option<&InputSignal> {
        Some(self)
    }
}

fn check_times(t: &[f64]) -> Result<()> {
    if t.is_empty() {
        return Err(Error::invalid("an input needs at least one time"));
    }
    if let Some(i) = t.iter().position(|x| !x.is_finite()) {
        return Err(Error::invalid(format!(
            "time {i} of the input is {}: times must be finite",
            t[i]
        )));
    }
    match (1..t.len()).find(|i| t[*i] <= t[i - 1]) {
        None => Ok(()),
        Some(i) => Err(Error::invalid(format!(
            "the times of an input must increase, but t[{}] = {} is followed by {}",
            i - 1,
            t[i - 1],
            t[i]
        ))),
    }
}
