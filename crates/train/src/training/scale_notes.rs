//! The note on data whose sizes, offsets or times are far from those that an optimiser and a network expect.

use crate::datasets::{Dataset, mean_variance};
use crate::weak_constraint::affine_layers::affine_layers;
use odesync_base::tables::format_number;
use odesync_ode::field::VectorField;

/// Spreads of data between which an optimiser works as it is, and how often they may differ.
const SPREADS: (f64, f64) = (1.0 / 30.0, 30.0);
const MAX_RATIO: f64 = 100.0;
/// Largest mean of an input of a network, and how often it may be the spread about it.
const MAX_MEAN: f64 = 30.0;
const MAX_MEAN_RATIO: f64 = 10.0;
/// Times in which data change by their spread between which an optimiser works as it is.
const TIMES: (f64, f64) = (0.01, 100.0);

/// A component of the data, with what a training sees of it.
struct Component<'a> {
    name: &'a str,
    mean: f64,
    /// Standard deviation.
    spread: f64,
    /// Sum of the absolute changes between two samples.
    variation: f64,
}

/// Returns the note on data that vary by far more or less than 1, by very different amounts, about a mean far away (where the model
/// has a network, whose inputs they are) or over times far from 1; `None` where a training without `scale` has no trouble with them.
pub(super) fn note_on_scales(model: &VectorField, data: &Dataset) -> Option<String> {
    let all: Vec<Component> = (0..data.dof())
        .map(|j| component(data, j))
        .filter(|c| c.spread > 0.0 && c.spread.is_finite())
        .collect();
    let what = note_on_spreads(&all)
        .or_else(|| note_on_means(&all).filter(|_| !affine_layers(model).is_empty()))
        .or_else(|| note_on_times(&all, data))?;
    Some(format!(
        "{what}; scale: \"auto\" in the options of train scales the data, as weak_constraint() does by itself"
    ))
}

fn component(data: &Dataset, j: usize) -> Component<'_> {
    let trajectories: Vec<Vec<f64>> = data
        .trajectories()
        .map(|(_, u)| {
            u.column(j)
                .iter()
                .copied()
                .filter(|x| !x.is_nan())
                .collect()
        })
        .collect();
    let (mean, variance) = mean_variance(ndarray::aview1(&trajectories.concat()));
    let changes = trajectories.iter().flat_map(|u| u.windows(2));
    Component {
        name: &data.names()[j],
        mean,
        spread: variance.sqrt(),
        variation: changes.map(|pair| (pair[1] - pair[0]).abs()).sum(),
    }
}

fn note_on_spreads(all: &[Component]) -> Option<String> {
    let by_size = |a: &&Component, b: &&Component| a.spread.total_cmp(&b.spread);
    let (least, most) = (all.iter().min_by(by_size)?, all.iter().max_by(by_size)?);
    let varies = |c: &Component| {
        let spread = format_number(c.spread, 2);
        format!("{} varies by {spread} about its mean", c.name)
    };
    if most.spread > MAX_RATIO * least.spread {
        return Some(format!(
            "{}, and {}: the loss sees the larger alone",
            varies(least),
            varies(most)
        ));
    }
    (most.spread < SPREADS.0 || most.spread > SPREADS.1).then(|| {
        format!(
            "{}, and a network and its optimiser expect numbers around 1",
            varies(most)
        )
    })
}

fn note_on_means(all: &[Component]) -> Option<String> {
    let is_far = |c: &&Component| {
        let mean = c.mean.abs();
        mean > MAX_MEAN && mean > MAX_MEAN_RATIO * c.spread
    };
    let far = all.iter().find(is_far)?;
    Some(format!(
        "{} lies around {} and varies by {} only, and a network expects inputs around 0",
        far.name,
        format_number(far.mean, 2),
        format_number(far.spread, 2)
    ))
}

/// The changes from sample to sample hold the noise too, so that the data are at least as slow as they say.
fn note_on_times(all: &[Component], data: &Dataset) -> Option<String> {
    let duration = |(t, _): (ndarray::ArrayView1<f64>, _)| match (t.first(), t.last()) {
        (Some(first), Some(last)) => last - first,
        _ => 0.0,
    };
    let durations: Vec<f64> = data.trajectories().map(duration).collect();
    let longest = durations.iter().copied().fold(0.0, f64::max);
    if longest < TIMES.0 {
        return Some(format!(
            "all data lie within {} of time, and a network and its optimiser expect rates around 1",
            format_number(longest, 2)
        ));
    }
    let rates = all.iter().map(|c| c.variation / c.spread);
    let time = durations.iter().sum::<f64>() / rates.fold(0.0, f64::max);
    (time > TIMES.1 && time.is_finite()).then(|| {
        format!(
            "the data change by their spread in {} of time, and a network and its optimiser expect rates around 1",
            format_number(time, 2)
        )
    })
}
