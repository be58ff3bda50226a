//! The parameters along a run, and their principal components.

use std::sync::Arc;

use rhai::{Array as List, Dynamic, Map};

use super::super::array::Array;
use super::super::error::Fallible;
use super::super::fields::Field;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::training::Trained;
use crate::Error;
use odesync_train::landscape::Pca;

/// Principal components as scripts hold them.
#[derive(Clone)]
pub struct Components(pub Arc<Pca>);

/// An example that begins with a run that kept its parameters.
macro_rules! kept {
    ($then:literal) => {
        concat!(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            "let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 6, trajectory_every: 2 }); ",
            $then
        )
    };
}

fn list(epochs: &[usize]) -> List {
    epochs.iter().map(|e| Dynamic::from(*e as i64)).collect()
}

const PCA: Keys = &[&[Key::new("components")]];

fn pca(run: &Trained, options: Map) -> Fallible<Components> {
    let mut options = Options::new("pca", PCA, options);
    let components = options.count("components", 2)?;
    options.finish()?;
    Ok(Components(Arc::new(Pca::of_run(&run.0, components)?)))
}

pub(super) fn register(reg: &mut Registry) {
    reg.get("path", |r: &mut Trained| {
        Ok(Array::new(r.0.path()?.params.into_dyn()))
    });
    reg.get("path_epochs", |r: &mut Trained| {
        Ok(list(&r.0.path()?.epochs))
    });
    reg.describe_property(
        "Run",
        "run.path -> Array",
        "The model's parameters at the beginning of every so many epochs and at the end, [point, n]; train with trajectory_every.",
        kept!("run.path.shape"),
    );
    reg.describe_property(
        "Run",
        "run.path_epochs -> list",
        "The number of epochs that were done at each point of the path.",
        kept!("run.path_epochs"),
    );
    reg.add(
        "model_at",
        |r: &mut Trained, epoch: i64| -> Fallible<Field> {
            let epoch = usize::try_from(epoch).map_err(|_| {
                Error::invalid(format!(
                    "model_at: the epoch should be 0 or above, not {epoch}"
                ))
            })?;
            Ok(Field(r.0.model_at(epoch)?))
        },
    );
    reg.describe(
        "model_at",
        "run.model_at(epoch) -> Field",
        "The model after this many epochs, one of run.path_epochs.",
        kept!("for e in run.path_epochs { hessian(run.model_at(e), data).density(); }"),
    );
    reg.kind::<Components>("Pca").display::<Components>(|p| {
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
    reg.add("pca", |r: Trained| pca(&r, Map::new()));
    reg.add("pca", |r: Trained, options: Map| pca(&r, options));
    reg.describe(
        "pca",
        "pca(run, #{ components: 2 }) -> Pca",
        "The principal components of the model's parameters along a run that kept them (trajectory_every of train). The origin of \
         the coordinates is the last point (Li et al. 2018).",
        kept!("let p = pca(run); p.path; landscape(run.last, data, p, #{ points: 5 }).loss"),
    )
    .options(PCA);
    reg.get("directions", |p: &mut Components| {
        Ok(Array::new(p.0.directions.clone().into_dyn()))
    });
    reg.get("explained_variance_ratio", |p: &mut Components| {
        Ok(Array::from_vec(p.0.explained_variance_ratio.clone()))
    });
    reg.get("path", |p: &mut Components| {
        Ok(Array::new(p.0.path.clone().into_dyn()))
    });
    reg.get("epochs", |p: &mut Components| Ok(list(&p.0.epochs)));
    reg.get("origin", |p: &mut Components| {
        Ok(Array::from_vec(p.0.origin.clone()))
    });
    for (signature, text, example) in [
        (
            "p.directions -> Array",
            "The components, of length 1, a row each, [k, n].",
            kept!("pca(run).directions.shape"),
        ),
        (
            "p.explained_variance_ratio -> Array",
            "The part of the variance along each component.",
            kept!("pca(run).explained_variance_ratio"),
        ),
        (
            "p.path -> Array",
            "The run's points in the components' coordinates, [point, k]; the last one is the origin.",
            kept!("pca(run).path"),
        ),
        (
            "p.epochs -> list",
            "The number of epochs that were done at each point.",
            kept!("pca(run).epochs"),
        ),
        (
            "p.origin -> Array",
            "The parameters at the origin, those after the last update.",
            kept!("pca(run).origin"),
        ),
    ] {
        reg.describe_property("Pca", signature, text, example);
    }
}
