//! The bindings of ensembles: `train` over seeds and over variants of its options.

use std::sync::Arc;

use rhai::{Array as List, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::array::ScriptArray;
use super::convert;
use super::data::{ScriptDataset, squeeze};
use super::error::RhaiResult;
use super::fields::ScriptField;
use super::host::Host;
use super::interrupted_training::{InterruptedTraining, finish_interrupted};
use super::keys::Key;
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::runs::{BANDS, prediction_map};
use super::solving::check_solution_memory;
use super::training::{
    ScriptMethod, ScriptRun, TRAIN, TrainCall, check_options_of, note_sink, note_stiff_run, run,
};
use crate::tracking::{RunLoggers, RunRecord};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::Number;
use odesync_train::training::{Callback, Callbacks, Ensemble, EnsembleMember, Run, train_ensemble};

/// The script type of an ensemble, `Ensemble`.
#[derive(Clone)]
pub struct ScriptEnsemble(pub Arc<Ensemble>);

impl From<ScriptEnsemble> for InterruptedTraining {
    fn from(all: ScriptEnsemble) -> Self {
        InterruptedTraining::Ensemble(all.0)
    }
}

/// The source of the members' models: one model, or a closure that makes them.
pub(super) enum ModelSource<'a> {
    Model(&'a ScriptField),
    Closure(&'a FnPtr),
}

impl ModelSource<'_> {
    /// Returns a model; a closure is called, and makes another model at each call.
    fn model(&self, context: &NativeCallContext) -> RhaiResult<ScriptField> {
        match self {
            ModelSource::Model(model) => Ok((*model).clone()),
            ModelSource::Closure(closure) => {
                let made = closure.call_within_context::<Dynamic>(context, ())?;
                made.clone().try_cast::<ScriptField>().ok_or_else(|| {
                    Error::invalid(format!(
                        "train: the closure should give a model, for example || blackbox([2, 32, 2]), and it gives {}",
                        convert::describe(&made)
                    ))
                    .into()
                })
            }
        }
    }
}

fn seeds(options: &mut Options) -> Result<Option<Vec<u64>>> {
    let Some(value) = options.take("seeds") else {
        return Ok(None);
    };
    let Some(list) = value.read_lock::<List>().filter(|list| !list.is_empty()) else {
        return Err(options.invalid_value(
            "seeds",
            "a list of seeds, such as [10, 20, 30]",
            &value,
        ));
    };
    let seed = |x: &Dynamic| {
        let seed = x.as_int().ok().and_then(|x| u64::try_from(x).ok());
        seed.ok_or_else(|| options.invalid_item("seeds", "whole numbers that are 0 or more", x))
    };
    list.iter().map(seed).collect::<Result<_>>().map(Some)
}

fn variants(options: &mut Options) -> Result<Option<Vec<Map>>> {
    let Some(value) = options.take("variants") else {
        return Ok(None);
    };
    if let Some(list) = value.read_lock::<List>()
        && let Some(item) = list.iter().find(|item| !item.is_map())
    {
        return Err(options.invalid_item("variants", "option maps, such as #{ lr: 0.02 }", item));
    }
    let list = value.read_lock::<List>().map(|list| {
        let map = |x: &Dynamic| x.clone().try_cast::<Map>();
        list.iter().filter_map(map).collect::<Vec<Map>>()
    });
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Err(options.invalid_value(
            "variants",
            "a list of option maps, such as [#{ lr: 0.02 }, #{ lr: 0.05 }]",
            &value,
        ));
    };
    for key in ["seeds", "variants", "progress"] {
        if list.iter().any(|map| map.contains_key(key)) {
            return Err(Error::invalid(format!(
                "train: a variant can't hold {key}; give it beside variants"
            )));
        }
    }
    Ok(Some(list))
}

/// Trains one run, or an ensemble where the options hold seeds or variants.
pub(super) fn train(
    host: &Host,
    (context, source): (&NativeCallContext, &ModelSource),
    data: &ScriptDataset,
    method: &ScriptMethod,
    mut map: Map,
) -> RhaiResult<Dynamic> {
    check_options_of(host, method, &mut map)?;
    let mut options = Options::new("train", TRAIN, map.clone());
    let (seeds, variants) = (seeds(&mut options)?, variants(&mut options)?);
    if seeds.is_none() && variants.is_none() {
        let model = source.model(context)?;
        let run = run((context, host), &model, data, method, map)?;
        return Ok(Dynamic::from(run));
    }
    if seeds.is_some() && matches!(source, ModelSource::Model(_)) {
        return Err(Error::invalid(
            "train: seeds draw the weights of each member anew, so they need a closure that makes the model: \
             train(|| blackbox([2, 32, 2]), data, method, #{ seeds: [10, 20, 30] })",
        )
        .into());
    }
    let mut base = map;
    base.remove("seeds");
    base.remove("variants");
    let seeds: Vec<Option<u64>> = match seeds {
        Some(seeds) => seeds.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let variants: Vec<Option<Map>> = match variants {
        Some(variants) => variants.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let mut members = vec![];
    let mut progress = true;
    let mut loggers = RunLoggers::default();
    for seed in seeds {
        if let Some(seed) = seed {
            odesync_base::random::seed(seed);
        }
        let model = source.model(context)?;
        for (i, variant) in variants.iter().enumerate() {
            let of_seed = seed.map(|seed| format!("seed_{seed}"));
            let number = variant.as_ref().map(|_| format!("variant_{i}"));
            let label: Vec<String> = of_seed.into_iter().chain(number).collect();
            let label = label.join("_");
            let mut map = base.clone();
            map.extend(variant.clone().unwrap_or_default());
            let mut call = TrainCall::read((context, host), &model, map)?;
            let has_out = variant.as_ref().is_some_and(|map| map.contains_key("out"));
            if let Some(out) = call.options.out.as_mut().filter(|_| !has_out) {
                out.push(&label);
            }
            call.options.shuffle_seed = seed;
            progress = call.progress;
            loggers = call.loggers;
            members.push(EnsembleMember {
                label,
                model: model.0.clone(),
                options: call.options,
            });
        }
    }
    let (notes, group) = (note_sink(host), group_name(&base));
    let loggers = |member: &EnsembleMember| -> Box<dyn Callback> {
        let mut observers = Callbacks::default();
        let of_run = (&method.0, &member.options);
        loggers.attach(of_run, &data.0, &group, &notes, &mut observers);
        Box::new(observers)
    };
    let mut observer: Box<dyn Callback> = match progress {
        true => host.progress(&format!("best of {}", members.len())),
        false => Box::new(()),
    };
    let all = train_ensemble(&members, &data.0, &method.0, &mut *observer, &loggers)?;
    let all = ScriptEnsemble(Arc::new(all));
    note_stiff_run(host, all.0.runs().find_map(|run| run.first_stiff));
    if all.0.interrupted() {
        let runs = all.0.runs().count();
        let done = format!("stopped with {runs} of {} members begun", members.len());
        return Ok(Dynamic::from(finish_interrupted(host, all, Some(&done))?));
    }
    Ok(Dynamic::from(all))
}

/// Returns the name under which trackers keep the members of an ensemble together: that of its folder.
fn group_name(options: &Map) -> String {
    let out = options.get("out").and_then(convert::to_text);
    out.map_or_else(String::new, |out| RunRecord::new(out).name)
}

option_set! {
    /// Two quantiles of an ensemble.
    #[derive(Debug)]
    struct Quantiles {
        /// Lower quantile of the band of an ensemble.
        low: f64 as Number = 0.25;
        /// Upper quantile of the band of an ensemble.
        high: f64 as Number = 0.75;
    }
}

/// The option keys of two quantiles.
pub(super) const QUANTILES: &[Key] = Quantiles::OPTIONS;

/// Reads the options `low` and `high`, two quantiles.
pub(super) fn quantiles(options: &mut Options) -> Result<(f64, f64)> {
    let mut read = Quantiles::default();
    options.read_set(&mut read)?;
    Ok((read.low, read.high))
}

fn predict(
    host: &Host,
    ensemble: &ScriptEnsemble,
    t: &Dynamic,
    mut options: Options,
) -> Result<Map> {
    let bands = options.bool("bands", false)?;
    let (low, high) = quantiles(&mut options)?;
    options.finish()?;
    let t = convert::to_vector(t, "predict: t")?;
    if let Some(best) = ensemble.0.best() {
        let samples = best.u0.nrows() * (ensemble.0.members.len() + 3);
        check_solution_memory(host, "the predictions", t.len(), best.model.dof(), samples)?;
    }
    if bands {
        return Ok(prediction_map(&ensemble.0.predict_with_bands(&t)?));
    }
    let band = ensemble.0.predict(&t, low, high)?;
    let array = |x: &ndarray::Array3<f64>| Dynamic::from(squeeze(x.view()));
    Ok([
        ("median", array(&band.median)),
        ("low", array(&band.low)),
        ("high", array(&band.high)),
        ("members", Dynamic::from(band.members as i64)),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value))
    .collect())
}

fn summary(ensemble: &Ensemble) -> String {
    let mut text = format!("Ensemble: {} runs", ensemble.members.len());
    for (label, run) in &ensemble.members {
        text.push_str(&match run {
            Ok(run) => format!(
                "\n  {label}: best mse {:.6e} at epoch {} of {}",
                run.best_mse,
                run.best_epoch,
                run.history.len()
            ),
            Err(error) => format!("\n  {label}: failed, {error}"),
        });
    }
    text
}

impl ScriptType for ScriptEnsemble {
    const NAME: &'static str = "Ensemble";

    fn show(&self) -> String {
        summary(&self.0)
    }
}

const PROPERTIES_EXAMPLE: &str = "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let e = train(|| blackbox([2, 4, 2]), d, vanilla(), #{ epochs: 2, seeds: [1, 2] }); [e.best.best_mse, e.labels, e.failed.len(), e.runs.len()]";

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptEnsemble>();
    reg.property(
        "ensemble.best -> Run",
        "The run with the smallest best_validation where data are held out, the highest evidence, or the smallest best_mse.",
        PROPERTIES_EXAMPLE,
    )
    .get(|g: &mut ScriptEnsemble| match g.0.best() {
        Some(best) => Ok(ScriptRun(Arc::new(best.clone()))),
        None => Err(Error::invalid("the ensemble has no runs")),
    });
    reg.property(
        "ensemble.runs -> list",
        "The runs that did not fail, in the order of the members.",
        PROPERTIES_EXAMPLE,
    )
    .get(|g: &mut ScriptEnsemble| {
        let run = |run: &Run| Dynamic::from(ScriptRun(Arc::new(run.clone())));
        g.0.runs().map(run).collect::<List>()
    });
    reg.property(
        "ensemble.labels -> list",
        "What each member is called, for example \"seed 10\".",
        PROPERTIES_EXAMPLE,
    )
    .get(|g: &mut ScriptEnsemble| {
        let labels = g.0.members.iter().map(|(label, _)| label.clone().into());
        labels.collect::<List>()
    });
    reg.property(
        "ensemble.failed -> list",
        "A map with label and error of each member that failed.",
        PROPERTIES_EXAMPLE,
    )
    .get(|g: &mut ScriptEnsemble| {
        let failed = g.0.failed().map(|(label, error)| {
            Dynamic::from(Map::from([
                ("label".into(), label.into()),
                ("error".into(), error.to_string().into()),
            ]))
        });
        failed.collect::<List>()
    });
    reg.overload("len")
        .body(|g: &mut ScriptEnsemble| g.0.members.len() as i64);
    reg.engine()
        .register_indexer_get(|g: &mut ScriptEnsemble, i: i64| -> RhaiResult<ScriptRun> {
            let i = convert::to_index(i, g.0.members.len(), "the ensemble")?;
            match &g.0.members[i].1 {
                Ok(run) => Ok(ScriptRun(Arc::new(run.clone()))),
                Err(error) => Err(error.clone().into()),
            }
        });
    reg.overload("median").body(
        |g: &mut ScriptEnsemble, metric: ImmutableString| -> Result<ScriptArray> {
            Ok(ScriptArray::from_vec(g.0.quantile(&metric, 0.5)?))
        },
    );
    reg.function(
        "ensemble.quantile(\"mse\", 0.25) -> Array",
        "A quantile over the runs of a metric by epoch; ensemble.median(\"mse\") is that of 0.5. More of an ensemble: runs, len(), \
         ensemble[i], labels, best (the run with the smallest best_mse), failed (label and error of the members that failed).",
        "train(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), vanilla(), \
         #{ epochs: 2, variants: [#{ lr: 0.02 }, #{ lr: 0.05 }] }).quantile(\"mse\", 0.25)",
    )
    .body(
        |g: &mut ScriptEnsemble, metric: ImmutableString, q: Dynamic| -> Result<ScriptArray> {
            let q = convert::to_number(&q)
                .ok_or_else(|| Error::invalid("quantile: a number from 0 to 1 was expected"))?;
            Ok(ScriptArray::from_vec(g.0.quantile(&metric, q)?))
        },
    );
    let host = reg.host();
    reg.overload("predict").body_with(
        &[BANDS, QUANTILES],
        move |g: &mut ScriptEnsemble, t: Dynamic, options: Options| predict(&host, g, &t, options),
    );
}
