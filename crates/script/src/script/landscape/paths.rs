//! The bindings of the parameter path of a run, and of its principal components.

use std::sync::Arc;

use rhai::{Array as List, Dynamic, Map};

use super::super::array::ScriptArray;
use super::super::error::RhaiResult;
use super::super::fields::ScriptField;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::training::ScriptRun;
use crate::Error;
use odesync_train::landscape::Pca;

/// The script type of principal components, `Pca`.
#[derive(Clone)]
pub struct ScriptPca(pub Arc<Pca>);

/// Prepends a run with a recorded parameter path to an example.
macro_rules! trajectory_example {
    ($then:literal) => {
        concat!(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            "let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 6, trajectory_every: 2 }); ",
            $then
        )
    };
}

fn to_list(epochs: &[usize]) -> List {
    epochs.iter().map(|e| Dynamic::from(*e as i64)).collect()
}

const PCA: Keys = &[&[Key::new("components")]];

fn pca(run: &ScriptRun, options: Map) -> RhaiResult<ScriptPca> {
    let mut options = Options::new("pca", PCA, options);
    let components = options.count("components", 2)?;
    options.finish()?;
    Ok(ScriptPca(Arc::new(Pca::from_run(&run.0, components)?)))
}

pub(super) fn register(reg: &mut Registry) {
    reg.register_get("path", |r: &mut ScriptRun| {
        Ok(ScriptArray::new(r.0.path()?.params.into_dyn()))
    });
    reg.register_get("path_epochs", |r: &mut ScriptRun| {
        Ok(to_list(&r.0.path()?.epochs))
    });
    reg.describe_property(
        "Run",
        "run.path -> Array",
        "The model's parameters at the beginning of every so many epochs and at the end, [point, n]; train with trajectory_every.",
        trajectory_example!("run.path.shape"),
    );
    reg.describe_property(
        "Run",
        "run.path_epochs -> list",
        "The number of epochs that were done at each point of the path.",
        trajectory_example!("run.path_epochs"),
    );
    reg.register_fn(
        "model_at",
        |r: &mut ScriptRun, epoch: i64| -> RhaiResult<ScriptField> {
            let epoch = usize::try_from(epoch).map_err(|_| {
                Error::invalid(format!(
                    "model_at: the epoch should be 0 or above, not {epoch}"
                ))
            })?;
            Ok(ScriptField(r.0.model_at(epoch)?))
        },
    );
    reg.describe(
        "model_at",
        "run.model_at(epoch) -> Field",
        "The model after this many epochs, one of run.path_epochs.",
        trajectory_example!(
            "for e in run.path_epochs { hessian(run.model_at(e), data).density(); }"
        ),
    );
    reg.register_type::<ScriptPca>("Pca")
        .display::<ScriptPca>(|p| {
            let parts: Vec<String> =
                p.0.explained_variance_ratio
                    .iter()
                    .map(|r| format!("{:.2} %", 100.0 * r))
                    .collect();
            format!(
                "Pca: {} points of {} parameters, explained variance {}",
                p.0.path.nrows(),
                p.0.origin.len(),
                parts.join(", ")
            )
        });
    reg.register_fn("pca", |r: ScriptRun| pca(&r, Map::new()));
    reg.register_fn("pca", |r: ScriptRun, options: Map| pca(&r, options));
    reg.describe(
        "pca",
        "pca(run, #{ components: 2 }) -> Pca",
        "The principal components of the model's parameters along a run that kept them (trajectory_every of train). The origin of \
         the coordinates is the last point (Li et al. 2018).",
        trajectory_example!("let p = pca(run); p.path; landscape(run.last, data, p, #{ points: 5 }).loss"),
    )
    .option_keys(PCA);
    reg.register_get("directions", |p: &mut ScriptPca| {
        Ok(ScriptArray::new(p.0.directions.clone().into_dyn()))
    });
    reg.register_get("explained_variance_ratio", |p: &mut ScriptPca| {
        Ok(ScriptArray::from_vec(p.0.explained_variance_ratio.clone()))
    });
    reg.register_get("path", |p: &mut ScriptPca| {
        Ok(ScriptArray::new(p.0.path.clone().into_dyn()))
    });
    reg.register_get("epochs", |p: &mut ScriptPca| Ok(to_list(&p.0.epochs)));
    reg.register_get("origin", |p: &mut ScriptPca| {
        Ok(ScriptArray::from_vec(p.0.origin.clone()))
    });
    for (signature, text, example) in [
        (
            "p.directions -> Array",
            "The components, of length 1, a row each, [k, n].",
            trajectory_example!("pca(run).directions.shape"),
        ),
        (
            "p.explained_variance_ratio -> Array",
            "The part of the variance along each component.",
            trajectory_example!("pca(run).explained_variance_ratio"),
        ),
        (
            "p.path -> Array",
            "The run's points in the components' coordinates, [point, k]; the last one is the origin.",
            trajectory_example!("pca(run).path"),
        ),
        (
            "p.epochs -> list",
            "The number of epochs that were done at each point.",
            trajectory_example!("pca(run).epochs"),
        ),
        (
            "p.origin -> Array",
            "The parameters at the origin, those after the last update.",
            trajectory_example!("pca(run).origin"),
        ),
    ] {
        reg.describe_property("Pca", signature, text, example);
    }
}
