//! Ensembles: `train` over seeds and over variants of its options.

use std::sync::Arc;

use rhai::{Array as List, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::array::Array;
use super::convert;
use super::data::{Data, squeeze};
use super::error::Fallible;
use super::fields::Field;
use super::host::Host;
use super::kept::{Kept, interrupted};
use super::keys::Key;
use super::options::Options;
use super::registry::Registry;
use super::solving::room_for_solution;
use super::training::{TRAIN, TrainCall, Trained, Way, note_stiff_run, run};
use crate::{Error, Result};
use odesync_train::logging::CsvLogger;
use odesync_train::training::{Ensemble, Member, Observer, ensemble};

/// An ensemble as scripts hold it.
#[derive(Clone)]
pub struct Group(pub Arc<Ensemble>);

impl From<Group> for Kept {
    fn from(all: Group) -> Self {
        Kept::Ensemble(all.0)
    }
}

/// Where the models of the members come from.
enum Source<'a> {
    Model(&'a Field),
    Closure(&'a NativeCallContext<'a>, &'a FnPtr),
}

impl Source<'_> {
    /// A model; a closure makes another one at each call.
    fn model(&self) -> Fallible<Field> {
        match self {
            Source::Model(model) => Ok((*model).clone()),
            Source::Closure(context, closure) => {
                let made = closure.call_within_context::<Dynamic>(context, ())?;
                made.clone().try_cast::<Field>().ok_or_else(|| {
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
        return Err(options.wrong("seeds", "a list of seeds, such as [10, 20, 30]", &value));
    };
    let seed = |x: &Dynamic| {
        let seed = x.as_int().ok().and_then(|x| u64::try_from(x).ok());
        seed.ok_or_else(|| options.wrong_item("seeds", "whole numbers that are 0 or more", x))
    };
    list.iter().map(seed).collect::<Result<_>>().map(Some)
}

fn variants(options: &mut Options) -> Result<Option<Vec<Map>>> {
    let Some(value) = options.take("variants") else {
        return Ok(None);
    };
    let list = value.read_lock::<List>().and_then(|list| {
        let map = |x: &Dynamic| x.clone().try_cast::<Map>();
        list.iter().map(map).collect::<Option<Vec<Map>>>()
    });
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return Err(options.wrong(
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

/// A run, or an ensemble where there are seeds or variants.
fn train(host: &Host, source: &Source, data: &Data, way: &Way, map: Map) -> Fallible<Dynamic> {
    let mut own = Options::new("train", TRAIN, map.clone());
    let (seeds, variants) = (seeds(&mut own)?, variants(&mut own)?);
    if seeds.is_none() && variants.is_none() {
        return Ok(Dynamic::from(run(host, &source.model()?, data, way, map)?));
    }
    if seeds.is_some() && matches!(source, Source::Model(_)) {
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
    for seed in seeds {
        if let Some(seed) = seed {
            odesync_base::random::seed(seed);
        }
        let model = source.model()?;
        for (i, variant) in variants.iter().enumerate() {
            let seed = seed.map(|seed| format!("seed_{seed}"));
            let number = variant.as_ref().map(|_| format!("variant_{i}"));
            let label: Vec<String> = seed.into_iter().chain(number).collect();
            let label = label.join("_");
            let mut map = base.clone();
            map.extend(variant.clone().unwrap_or_default());
            let mut call = TrainCall::read(host, map)?;
            let named = variant.as_ref().is_some_and(|map| map.contains_key("out"));
            if let Some(out) = call.options.out.as_mut().filter(|_| !named) {
                out.push(&label);
            }
            progress = call.progress;
            members.push(Member {
                label,
                model: model.0.clone(),
                options: call.options,
            });
        }
    }
    let loggers = |member: &Member| -> Box<dyn Observer> {
        match &member.options.out {
            Some(out) => Box::new(CsvLogger::new(out)),
            None => Box::new(()),
        }
    };
    let mut observer: Box<dyn Observer> = match progress {
        true => host.progress(&format!("best of {}", members.len())),
        false => Box::new(()),
    };
    let all = ensemble(&members, &data.0, &way.0, &mut *observer, &loggers)?;
    let all = Group(Arc::new(all));
    note_stiff_run(host, all.0.runs().find_map(|run| run.stiff));
    if all.0.interrupted() {
        let runs = all.0.runs().count();
        let done = format!("stopped with {runs} of {} members begun", members.len());
        return Ok(Dynamic::from(interrupted(host, all, Some(&done))?));
    }
    Ok(Dynamic::from(all))
}

/// The keys of two quantiles.
pub(super) const QUANTILES: &[Key] = &[Key::new("low"), Key::new("high")];

/// The options `low` and `high`, two quantiles.
pub(super) fn quantiles(options: &mut Options) -> Result<(f64, f64)> {
    Ok((options.f64("low", 0.25)?, options.f64("high", 0.75)?))
}

fn predict(host: &Host, group: &Group, t: &Dynamic, options: Map) -> Fallible<Map> {
    let mut options = Options::new("predict", &[QUANTILES], options);
    let (low, high) = quantiles(&mut options)?;
    options.finish()?;
    let t = convert::to_vector(t, "predict: t")?;
    if let Some(best) = group.0.best() {
        let samples = best.u0.nrows() * (group.0.members.len() + 3);
        room_for_solution(host, "the predictions", t.len(), best.model.dof(), samples)?;
    }
    let band = group.0.predict(&t, low, high)?;
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

fn summary(group: &Ensemble) -> String {
    let mut text = format!("Ensemble: {} runs", group.members.len());
    for (label, run) in &group.members {
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

pub(super) fn register(reg: &mut Registry) {
    let hosts = [(); 4].map(|()| reg.host());
    let [a, b, c, d] = hosts;
    reg.add("train", move |f: Field, data: Data, m: Way| {
        train(&a, &Source::Model(&f), &data, &m, Map::new())
    });
    reg.add("train", move |f: Field, data: Data, m: Way, o: Map| {
        train(&b, &Source::Model(&f), &data, &m, o)
    });
    reg.add(
        "train",
        move |context: NativeCallContext, f: FnPtr, data: Data, m: Way| {
            train(&c, &Source::Closure(&context, &f), &data, &m, Map::new())
        },
    );
    reg.add(
        "train",
        move |context: NativeCallContext, f: FnPtr, data: Data, m: Way, o: Map| {
            train(&d, &Source::Closure(&context, &f), &data, &m, o)
        },
    );
    reg.kind::<Group>("Ensemble")
        .display::<Group>(|g| summary(&g.0));
    reg.get("runs", |g: &mut Group| {
        let runs =
            g.0.runs()
                .map(|run| Dynamic::from(Trained(Arc::new(run.clone()))));
        Ok(runs.collect::<List>())
    });
    reg.get("labels", |g: &mut Group| {
        let labels = g.0.members.iter().map(|(label, _)| label.clone().into());
        Ok(labels.collect::<List>())
    });
    reg.get("failed", |g: &mut Group| {
        let failed = g.0.failed().map(|(label, error)| {
            let map: Map = [
                ("label".into(), label.into()),
                ("error".into(), error.to_string().into()),
            ]
            .into_iter()
            .collect();
            Dynamic::from(map)
        });
        Ok(failed.collect::<List>())
    });
    reg.get("best", |g: &mut Group| match g.0.best() {
        Some(best) => Ok(Trained(Arc::new(best.clone()))),
        None => Err(Error::invalid("the ensemble has no runs").into()),
    });
    reg.add("len", |g: &mut Group| g.0.members.len() as i64);
    reg.engine()
        .register_indexer_get(|g: &mut Group, i: i64| -> Fallible<Trained> {
            let i = convert::to_index(i, g.0.members.len(), "the ensemble")?;
            match &g.0.members[i].1 {
                Ok(run) => Ok(Trained(Arc::new(run.clone()))),
                Err(error) => Err(error.clone().into()),
            }
        });
    reg.add(
        "median",
        |g: &mut Group, metric: ImmutableString| -> Fallible<Array> {
            Ok(Array::from_vec(g.0.quantile(&metric, 0.5)?))
        },
    );
    reg.add(
        "quantile",
        |g: &mut Group, metric: ImmutableString, q: Dynamic| -> Fallible<Array> {
            let q = convert::number(&q)
                .ok_or_else(|| Error::invalid("quantile: a number from 0 to 1 was expected"))?;
            Ok(Array::from_vec(g.0.quantile(&metric, q)?))
        },
    );
    const THREE: &str = "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let e = train(|| blackbox([2, 4, 2]), d, vanilla(), #{ epochs: 2, seeds: [1, 2] }); [e.best.best_mse, e.labels, e.failed.len(), e.runs.len()]";
    for (signature, text) in [
        (
            "ensemble.best -> Run",
            "The run with the smallest best_mse.",
        ),
        (
            "ensemble.runs -> list",
            "The runs that did not fail, in the order of the members.",
        ),
        (
            "ensemble.labels -> list",
            "What each member is called, for example \"seed 10\".",
        ),
        (
            "ensemble.failed -> list",
            "A map with label and error of each member that failed.",
        ),
    ] {
        reg.describe_property("Ensemble", signature, text, THREE);
    }
    reg.describe(
        "quantile",
        "ensemble.quantile(\"mse\", 0.25) -> Array",
        "A quantile over the runs of a metric by epoch; ensemble.median(\"mse\") is that of 0.5. More of an ensemble: runs, len(), \
         ensemble[i], labels, best (the run with the smallest best_mse), failed (label and error of the members that failed).",
        "train(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), vanilla(), \
         #{ epochs: 2, variants: [#{ lr: 0.02 }, #{ lr: 0.05 }] }).quantile(\"mse\", 0.25)",
    );
    let [host, with_options] = [(); 2].map(|()| reg.host());
    reg.add("predict", move |g: &mut Group, t: Dynamic| {
        predict(&host, g, &t, Map::new())
    });
    reg.add("predict", move |g: &mut Group, t: Dynamic, o: Map| {
        predict(&with_options, g, &t, o)
    });
}
