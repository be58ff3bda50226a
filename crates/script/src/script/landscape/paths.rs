//! The bindings of the parameter path of a run, and of its principal components.

use std::sync::Arc;

use rhai::{Array as List, Dynamic};

use super::super::array::ScriptArray;
use super::super::fields::ScriptField;
use super::super::keys::Keys;
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
use super::super::training::ScriptRun;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::Count;
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

option_set! {
    /// Options of the principal components of a run.
    #[derive(Debug)]
    struct PcaOptions {
        /// Number of principal components.
        components: usize as Count = 2;
    }
}

const PCA: Keys = &[PcaOptions::OPTIONS];

fn pca(run: &ScriptRun, mut options: Options) -> Result<ScriptPca> {
    let mut read = PcaOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    Ok(ScriptPca(Arc::new(Pca::from_run(&run.0, read.components)?)))
}

impl ScriptType for ScriptPca {
    const NAME: &'static str = "Pca";

    fn show(&self) -> String {
        let parts = self.0.explained_variance_ratio.iter();
        let parts: Vec<String> = parts.map(|r| format!("{:.2} %", 100.0 * r)).collect();
        format!(
            "Pca: {} points of {} parameters, explained variance {}",
            self.0.path.nrows(),
            self.0.origin.len(),
            parts.join(", ")
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.property(
        "run.path -> Array",
        "The model's parameters at the beginning of every so many epochs and at the end, [point, n]; train with trajectory_every.",
        trajectory_example!("run.path.shape"),
    )
    .get(|r: &mut ScriptRun| r.0.path().map(|path| ScriptArray::new(path.params.into_dyn())));
    reg.property(
        "run.path_epochs -> list",
        "The number of epochs that were done at each point of the path.",
        trajectory_example!("run.path_epochs"),
    )
    .get(|r: &mut ScriptRun| r.0.path().map(|path| to_list(&path.epochs)));
    reg.function(
        "run.model_at(epoch) -> Field",
        "The model after this many epochs, one of run.path_epochs.",
        trajectory_example!(
            "for e in run.path_epochs { hessian(run.model_at(e), data).density(); }"
        ),
    )
    .body(|r: &mut ScriptRun, epoch: i64| -> Result<ScriptField> {
        let epoch = usize::try_from(epoch).map_err(|_| {
            Error::invalid(format!(
                "model_at: the epoch should be 0 or above, not {epoch}"
            ))
        })?;
        Ok(ScriptField(r.0.model_at(epoch)?))
    });
    reg.script_type::<ScriptPca>();
    reg.function(
        "pca(run, #{ components: 2 }) -> Pca",
        "The principal components of the model's parameters along a run that kept them (trajectory_every of train). The origin of \
         the coordinates is the last point (Li et al. 2018).",
        trajectory_example!("let p = pca(run); p.path; landscape(run.last, data, p, #{ points: 5 }).loss"),
    )
    .options(PCA)
    .body(|r: ScriptRun, options: Options| pca(&r, options));
    reg.property(
        "p.directions -> Array",
        "The components, of length 1, a row each, [k, n].",
        trajectory_example!("pca(run).directions.shape"),
    )
    .get(|p: &mut ScriptPca| ScriptArray::new(p.0.directions.clone().into_dyn()));
    reg.property(
        "p.explained_variance_ratio -> Array",
        "The part of the variance along each component.",
        trajectory_example!("pca(run).explained_variance_ratio"),
    )
    .get(|p: &mut ScriptPca| ScriptArray::from_vec(p.0.explained_variance_ratio.clone()));
    reg.property(
        "p.path -> Array",
        "The run's points in the components' coordinates, [point, k]; the last one is the origin.",
        trajectory_example!("pca(run).path"),
    )
    .get(|p: &mut ScriptPca| ScriptArray::new(p.0.path.clone().into_dyn()));
    reg.property(
        "p.epochs -> list",
        "The number of epochs that were done at each point.",
        trajectory_example!("pca(run).epochs"),
    )
    .get(|p: &mut ScriptPca| to_list(&p.0.epochs));
    reg.property(
        "p.origin -> Array",
        "The parameters at the origin, those after the last update.",
        trajectory_example!("pca(run).origin"),
    )
    .get(|p: &mut ScriptPca| ScriptArray::from_vec(p.0.origin.clone()));
}
