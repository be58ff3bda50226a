//! Functions that create arrays.

use ndarray::{ArrayD, IxDyn};
use rhai::{Array as List, Dynamic};

use crate::{Error, Result};

use super::super::convert;
use super::super::host::Host;
use super::super::registry::Registry;
use super::ScriptArray;

/// Returns the numbers start, start + step, … below stop: numpy's arange, which makes ceil((stop − start)/step) elements.
fn arange(host: &Host, start: f64, stop: f64, step: f64) -> Result<ScriptArray> {
    if step == 0.0 || ![start, stop, step].iter().all(|x| x.is_finite()) {
        return Err(Error::invalid(format!(
            "arange({start}, {stop}, {step}): the numbers must be finite and the step not 0"
        )));
    }
    // The conversion saturates, and `check_memory` then returns an error.
    let n = ((stop - start) / step).ceil().max(0.0) as usize;
    host.check_memory("arange", n)?;
    Ok(ScriptArray::from_vec(
        (0..n).map(|i| start + i as f64 * step).collect(),
    ))
}

/// Returns n numbers from a to b, both included: numpy's linspace.
fn linspace(host: &Host, a: f64, b: f64, n: i64) -> Result<ScriptArray> {
    let n = usize::try_from(n).map_err(|_| {
        Error::invalid(format!(
            "linspace: the number of points should be 0 or more, not {n}"
        ))
    })?;
    host.check_memory("linspace", n)?;
    let step = if n > 1 { (b - a) / (n - 1) as f64 } else { 0.0 };
    let mut points: Vec<f64> = (0..n).map(|i| a + i as f64 * step).collect();
    if let [_, .., last] = &mut points[..] {
        *last = b;
    }
    Ok(ScriptArray::from_vec(points))
}

/// Makes an array of equal elements.
fn full(host: &Host, name: &str, shape: &Dynamic, value: f64) -> Result<ScriptArray> {
    let shape = convert::to_shape(shape, &format!("{name}: the shape"))?;
    host.check_memory_for_shape(&format!("{name} of shape {shape:?}"), &shape)?;
    Ok(ScriptArray::new(ArrayD::from_elem(IxDyn(&shape), value)))
}

fn identity(host: &Host, n: i64) -> Result<ScriptArray> {
    let size = List::from([n.into(), n.into()]).into();
    let mut matrix = full(host, "identity", &size, 0.0)?.into_data();
    matrix.diag_mut().fill(1.0);
    Ok(ScriptArray::new(matrix))
}

pub(super) fn register(reg: &mut Registry) {
    let (host, from_zero) = (reg.host(), reg.host());
    reg.function(
        "arange(start, stop, step) -> Array",
        "start, start + step, … up to but without stop. The step is 1 and the start 0 unless given.",
        "arange(0.0, 1.0, 0.25)",
    )
    .body(
        move |start: Dynamic, stop: Dynamic, step: Option<Dynamic>| -> Result<ScriptArray> {
            let step = step.map(|step| convert::number(&step, "arange: step"));
            arange(
                &host,
                convert::number(&start, "arange: start")?,
                convert::number(&stop, "arange: stop")?,
                step.unwrap_or(Ok(1.0))?,
            )
        },
    )
    .body(move |stop: Dynamic| -> Result<ScriptArray> {
        arange(&from_zero, 0.0, convert::number(&stop, "arange: stop")?, 1.0)
    });
    let host = reg.host();
    reg.function(
        "linspace(a, b, n) -> Array",
        "n evenly spaced numbers from a to b, both included.",
        "linspace(0.0, 1.0, 5)",
    )
    .body(
        move |a: Dynamic, b: Dynamic, n: i64| -> Result<ScriptArray> {
            linspace(
                &host,
                convert::number(&a, "linspace: a")?,
                convert::number(&b, "linspace: b")?,
                n,
            )
        },
    );
    let host = reg.host();
    reg.function(
        "zeros(shape) -> Array",
        "Zeros; the shape is a length or a list of sizes.",
        "zeros([2, 3])",
    )
    .body(move |shape: Dynamic| full(&host, "zeros", &shape, 0.0));
    let host = reg.host();
    reg.function(
        "ones(shape) -> Array",
        "Ones; the shape is a length or a list of sizes.",
        "ones(4)",
    )
    .body(move |shape: Dynamic| full(&host, "ones", &shape, 1.0));
    let host = reg.host();
    reg.function(
        "full(shape, value) -> Array",
        "An array that holds one value everywhere.",
        "full([2, 2], 0.5)",
    )
    .body(
        move |shape: Dynamic, value: Dynamic| -> Result<ScriptArray> {
            full(
                &host,
                "full",
                &shape,
                convert::number(&value, "full: the value")?,
            )
        },
    );
    let host = reg.host();
    reg.function(
        "identity(n) -> Array",
        "The n × n unit matrix.",
        "identity(2)",
    )
    .body(move |n: i64| identity(&host, n));
    reg.function(
        "array(list) -> Array",
        "An Array from a list of numbers, or of lists of the same length to any depth.",
        "array([[1, 2], [3, 4]])",
    )
    .body(|x: Dynamic| -> Result<ScriptArray> {
        if convert::to_number(&x).is_some() {
            return Err(Error::invalid(format!(
                "array needs a list: write array([{x}])"
            )));
        }
        Ok(convert::to_array(&x, "array")?.into())
    });
}
