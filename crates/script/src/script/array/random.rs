//! Random arrays, drawn by the generator that `seed` sets.

use ndarray::{ArrayD, IxDyn};
use rhai::Dynamic;

use odesync_base::random::{Generator, with_default_generator};

use crate::{Error, Result};

use super::super::convert;
use super::super::host::Host;
use super::super::registry::Registry;
use super::ScriptArray;

/// Makes an array of this shape of as many draws.
fn draws(
    host: &Host,
    name: &str,
    shape: &Dynamic,
    draw: impl FnOnce(&mut Generator, usize) -> Vec<f64>,
) -> Result<Dynamic> {
    let shape = convert::to_shape(shape, &format!("{name}: the shape"))?;
    host.check_memory_for_shape(&format!("{name} of shape {shape:?}"), &shape)?;
    let values = with_default_generator(|generator| draw(generator, shape.iter().product()));
    let array = ArrayD::from_shape_vec(IxDyn(&shape), values)
        .map_err(|e| Error::invalid(format!("{name}: {e}")))?;
    Ok(ScriptArray::new(array).into_dynamic())
}

fn widen(draws: Vec<f32>) -> Vec<f64> {
    draws.into_iter().map(f64::from).collect()
}

/// Draws whole numbers from `low` up to but without `high`, as `torch.randint`: a remainder of 32 random bits.
fn randint(host: &Host, low: i64, high: i64, shape: &Dynamic) -> Result<Dynamic> {
    let range = high
        .checked_sub(low)
        .and_then(|range| u32::try_from(range).ok())
        .filter(|range| *range > 0)
        .ok_or_else(|| {
            Error::invalid(format!(
                "randint({low}, {high}, shape): the second number must be above the first, by less than 2^32"
            ))
        })?;
    draws(host, "randint", shape, |generator, n| {
        (0..n)
            .map(|_| (low + i64::from(generator.random() % range)) as f64)
            .collect()
    })
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "rand(shape) -> Array",
        "Random numbers, uniform in [0, 1): the draws of torch.rand after torch.manual_seed(n), for seed(n).",
        "seed(10); rand([2, 3])",
    )
    .body(move |shape: Dynamic| {
        draws(&host, "rand", &shape, |g, n| widen(g.uniform(0.0, 1.0, n)))
    });
    let host = reg.host();
    reg.function(
        "randn(shape) -> Array",
        "Random numbers of the normal distribution with mean 0 and standard deviation 1, as torch.randn draws them after \
         torch.manual_seed(n), for seed(n).",
        "seed(10); 1.5 + 0.1 * randn(20)",
    )
    .body(move |shape: Dynamic| {
        draws(&host, "randn", &shape, |g, n| widen(g.normal(0.0, 1.0, n)))
    });
    let host = reg.host();
    reg.function(
        "randint(low, high, shape) -> Array",
        "Random whole numbers from low up to but without high, as torch.randint draws them.",
        "seed(10); randint(0, 6, 5)",
    )
    .body(move |low: i64, high: i64, shape: Dynamic| randint(&host, low, high, &shape));
}
