//! The bindings of phase portraits.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rhai::{Array as List, Dynamic, Map};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::fields::ScriptField;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::{Argument, ArgumentType, Call, Registry};
use super::super::solving::ScriptSolution;
use super::keys::FIGURE;
use super::options::apply_figure_options;
use crate::{Error, Result};
use odesync_base::impl_named;
use odesync_base::option_set;
use odesync_base::options::{Maybe, Number, NumberList, OneOf, TextList};
use odesync_base::text::count_of;
use odesync_plot::{Panel, builders};

/// An argument that is a solution or a list.
struct Solutions(Dynamic);

impl Argument for Solutions {
    fn types() -> Vec<ArgumentType> {
        [ScriptSolution::types(), List::types()].concat()
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        Dynamic::read(value, call).map(Solutions)
    }
}

/// Reads the trajectories of an argument: one, or a list.
fn solutions(value: &Dynamic) -> Result<Vec<Array2<f64>>> {
    let one = |x: &Dynamic| {
        x.clone()
            .try_cast::<ScriptSolution>()
            .map(|s| s.0.u.clone())
            .ok_or_else(|| {
                Error::invalid(format!(
                    "phase: a solution, or a list of solutions, was expected, not {}",
                    convert::describe(x)
                ))
            })
    };
    match value.read_lock::<List>() {
        Some(list) => list.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

/// Returns the indices of the state variables to draw.
fn components(values: Option<&[f64]>, dof: usize) -> Result<Vec<usize>> {
    let Some(values) = values else {
        return Ok((0..dof.min(3)).collect());
    };
    let chosen: Vec<usize> = values.iter().map(|v| *v as usize).collect();
    let in_range = values
        .iter()
        .all(|v| *v >= 0.0 && v.fract() == 0.0 && *v < dof as f64);
    match in_range && matches!(chosen.len(), 2 | 3) {
        true => Ok(chosen),
        false => Err(Error::invalid(format!(
            "phase: option \"components\" should be two or three of the state variables 0 to {}",
            dof.saturating_sub(1)
        ))),
    }
}

/// How the vector field of a phase portrait is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldLayer {
    Streamlines,
    Arrows,
}

impl_named!(
    FieldLayer,
    "field",
    Streamlines = "streamlines",
    Arrows = "arrows",
);

option_set! {
    /// Options of a phase portrait.
    #[derive(Debug)]
    struct PhaseOptions {
        /// Two or three state variables to draw, counted from 0; the others stay at their mean.
        components: Option<Vec<f64>> as Maybe<NumberList> = None, "the first three, or both";
        /// Names of the axes.
        names: Vec<String> as TextList = vec![], "u[0], u[1], …";
        /// How the vector field is drawn.
        field: FieldLayer as OneOf<FieldLayer> = FieldLayer::Streamlines;
        /// Time of the vector field.
        t: f64 as Number = 0.0;
    }
}

pub(super) const PHASE: &[Key] = PhaseOptions::OPTIONS;

/// The option keys of a phase portrait, with those of a figure.
const PORTRAIT: Keys = &[PHASE, FIGURE[0]];

fn portrait(field: &ScriptField, solved: &Dynamic, mut options: Options) -> Result<Panel> {
    let paths = solutions(solved)?;
    let dof = field.0.dof();
    let mut read = PhaseOptions::default();
    options.read_set(&mut read)?;
    let chosen = components(read.components.as_deref(), dof)?;
    let PhaseOptions { names, t, .. } = read;
    if chosen.len() < 2 {
        return Err(Error::invalid(
            "phase: the field has one state variable, and a portrait takes two or three; use plot(solution)",
        ));
    }
    if let Some(path) = paths.iter().find(|p| p.ncols() != dof) {
        return Err(Error::invalid(format!(
            "phase: the field has {} and a solution {}; give solutions of this field",
            count_of(dof, "state variable"),
            path.ncols()
        )));
    }
    // The other state variables have their mean over the trajectories.
    let mut state = Array1::zeros(dof);
    for path in &paths {
        let mean = path
            .mean_axis(Axis(0))
            .unwrap_or_else(|| Array1::zeros(dof));
        state += &(mean / paths.len() as f64);
    }
    let names: Vec<String> = match names.is_empty() {
        true => chosen.iter().map(|i| builders::default_name(*i)).collect(),
        false => names,
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let selected: Vec<Array2<f64>> = paths.iter().map(|p| p.select(Axis(1), &chosen)).collect();
    let views: Vec<ArrayView2<f64>> = selected.iter().map(|p| p.view()).collect();
    let at = |values: &[f64]| -> Result<Vec<f64>> {
        let mut u = state.to_vec();
        for (i, v) in chosen.iter().zip(values) {
            u[*i] = *v;
        }
        let slope = field.0.derivative(t, &u)?;
        Ok(chosen.iter().map(|i| slope[*i]).collect())
    };
    let figure = match chosen.len() {
        2 => builders::phase(
            &views,
            |x, y| at(&[x, y]).map(|s| (s[0], s[1])),
            &names,
            read.field == FieldLayer::Streamlines,
        )?,
        _ => builders::phase3(&views, |p| at(&p).map(|s| [s[0], s[1], s[2]]), &names)?,
    };
    apply_figure_options(figure, options)
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "phase(field, solution, #{ components: [0, 1] }) -> Figure",
        "A phase portrait: the trajectory of a solution (or of each in a list) with the vector field, in the plane of two state \
         variables or the space of three. It takes the options of figure too.",
        "phase(van_der_pol(), solve(van_der_pol(), [0.5, 0], linspace(0, 10, 200)), #{ names: [\"x\", \"v\"] })",
    )
    .options(PORTRAIT)
    .body(|f: ScriptField, s: Solutions, options: Options| portrait(&f, &s.0, options));
    reg.overload("plot")
        .body(|f: ScriptField, s: Solutions, options: Option<Map>| {
            let options = Options::new("phase", PORTRAIT, options.unwrap_or_default());
            portrait(&f, &s.0, options)
        });
}
