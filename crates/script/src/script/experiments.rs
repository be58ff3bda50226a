//! Experiments from a configuration: `experiment(config("lotka_volterra")).run()`.

use std::path::Path;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Position};

use super::data::Data;
use super::error::{Fallible, Stop};
use super::fields::Field;
use super::host::Host;
use super::kept::interrupted;
use super::registry::Registry;
use super::training::{Trained, Way};
use crate::experiments::{CONFIG, Experiment, Place, Results, RunRequest, fit_figure};
use crate::{Error, Result};
use odesync_config::{Config, Library, Override};
use odesync_ode::devices::Device;
use odesync_plot::Panel;
use odesync_train::training::{Observer, Stop as End};

/// A configuration as scripts hold it.
#[derive(Clone)]
pub struct Settings(pub Arc<Config>);

/// An example that begins with a short run.
macro_rules! ran {
    ($then:literal) => {
        concat!(
            "let c = config(\"lotka_volterra\"); c.set(\"training.epochs\", 2); let e = experiment(c); ",
            "let run = e.run(); ",
            $then
        )
    };
}

/// An experiment as scripts hold it.
#[derive(Clone)]
pub struct Lab(pub Arc<Experiment>);

/// The configuration that a script names, or the saved one that the command line names, with the command line's overrides.
pub(super) fn configuration(
    host: &Host,
    script: Option<&Path>,
    name: &str,
    overrides: &[String],
) -> Result<Config> {
    let library = Library::find(script);
    let overrides = overrides
        .iter()
        .map(|text| text.parse())
        .collect::<Result<Vec<Override>>>()?;
    let plan = host.runs();
    let saved = match (&plan.place, &plan.config) {
        (_, Some(file)) => Some(file.clone()),
        (Place::Resume(folder), None) => Some(folder.join(CONFIG)),
        _ => None,
    };
    let Some(file) = saved else {
        return Config::compose(&library, name, &overrides);
    };
    let config = Config::from_file(&file, &library, &overrides)?;
    if config.name() != name {
        return Err(Error::invalid(format!(
            "{} is a configuration of the experiment {}, and the script runs {name}",
            file.display(),
            config.name()
        )));
    }
    Ok(config)
}

fn config(host: &Host, name: &str) -> Fallible<Settings> {
    // Whatever is wrong with it was typed on the command line, or stands in the file that it names.
    let script = host.script_path();
    let mut config = configuration(host, script.as_deref(), name, &host.overrides())
        .map_err(|e| Error::Usage(e.to_string()))?;
    if let device @ Device::Cuda(_) = host.device() {
        config.set("trainer.engine", device.engine().into())?;
        config.set("trainer.device", device.to_string().into())?;
    }
    host.configure(&config);
    if host.runs().print_config {
        host.print(config.to_yaml().trim_end());
        return Err(Box::new(EvalAltResult::ErrorTerminated(
            Dynamic::from(Stop::Done),
            Position::NONE,
        )));
    }
    Ok(Settings(Arc::new(config)))
}

/// A value of a configuration as scripts have them.
fn to_script(value: &serde_yaml::Value) -> Fallible<Dynamic> {
    rhai::serde::to_dynamic(value)
}

fn run(host: &Host, lab: &mut Lab) -> Fallible<Trained> {
    let experiment = Arc::make_mut(&mut lab.0);
    let request = RunRequest {
        place: host.runs().place.clone(),
        interrupt: host.interrupt_flag(),
        ..RunRequest::default()
    };
    let progress: Box<dyn Observer> = match experiment.settings.trainer.progress {
        true => host.progress(""),
        false => Box::new(()),
    };
    let result = experiment.run(&request, progress);
    let folder = experiment.folder.as_ref().map(|f| f.display().to_string());
    let run = Trained(Arc::new(result?));
    if run.0.stop == End::Interrupted {
        let go_on = folder.map(|folder| match host.interactive() {
            true => format!("the run is in {folder}"),
            false => format!("the run can be gone on with: --resume {folder}"),
        });
        return interrupted(host, run, go_on.as_deref());
    }
    if let Some(folder) = folder {
        host.note(&format!("wrote {folder}"));
    }
    Ok(run)
}

fn results_map(results: &Results) -> Fallible<Map> {
    let value = rhai::serde::to_dynamic(results)?;
    Ok(value.try_cast::<Map>().unwrap_or_default())
}

pub(super) fn register(reg: &mut Registry) {
    configurations(reg);
    reg.kind::<Lab>("Experiment").display::<Lab>(|lab| {
        let e = &lab.0;
        format!(
            "Experiment {}: {} training of {} parameters on {} times of {} state variables",
            e.settings.experiment,
            e.method.name().replace('_', " "),
            e.model.n_params(),
            e.data.train.len(),
            e.data.train.dof()
        )
    });
    reg.add("experiment", |config: Settings| -> Fallible<Lab> {
        let experiment = Experiment::new((*config.0).clone()).map_err(|e| match e {
            Error::Invalid(message) => Error::Usage(message),
            other => other,
        })?;
        Ok(Lab(Arc::new(experiment)))
    });
    reg.describe(
        "experiment",
        "experiment(config) -> Experiment",
        "Data, untrained model, method and options of a configuration.",
        "experiment(config(\"lotka_volterra\")).model.n_params",
    );
    properties(reg);
    let host = reg.host();
    reg.add("run", move |lab: &mut Lab| run(&host, lab));
    reg.describe(
        "run",
        "experiment.run() -> Run",
        "Trains into a folder of its own, runs/EXPERIMENT/DATE_TIME unless the command line says otherwise (--out, --resume).",
        ran!("run.best_mse"),
    );
    reports(reg);
}

fn configurations(reg: &mut Registry) {
    reg.kind::<Settings>("Config")
        .display::<Settings>(|c| c.0.to_yaml().trim_end().to_string());
    let host = reg.host();
    reg.add("config", move |name: ImmutableString| config(&host, &name));
    reg.describe(
        "config",
        "config(\"lotka_volterra\") -> Config",
        "The configuration of configs/NAME.yaml with the overrides of the command line: group=option, a.b=value, +a.b=value, \
         ~a.b. Read a value by config.get(\"training.lr\"), change one by config.set(\"training.lr\", 0.01).",
        "config(\"lotka_volterra\").get(\"training.lr\")",
    );
    reg.add(
        "get",
        |config: &mut Settings, key: ImmutableString| -> Fallible<Dynamic> {
            match config.0.get(&key) {
                Some(value) => to_script(value),
                None => Err(Error::invalid(format!("the configuration has no {key}")).into()),
            }
        },
    );
    reg.describe(
        "get",
        "config.get(\"training.lr\") -> value",
        "A value of a configuration.",
        "config(\"lorenz3d\").get(\"dataset.u0\")",
    );
    reg.add(
        "set",
        |config: &mut Settings, key: ImmutableString, value: Dynamic| -> Fallible<()> {
            let value: serde_yaml::Value = rhai::serde::from_dynamic(&value)?;
            Ok(Arc::make_mut(&mut config.0).set(&key, value)?)
        },
    );
    reg.describe(
        "set",
        "config.set(\"training.lr\", 0.01)",
        "Changes a value of a configuration; the key must exist.",
        "let c = config(\"lorenz3d\"); c.set(\"training.lr\", 0.01); c.get(\"training.lr\")",
    );
}

fn properties(reg: &mut Registry) {
    reg.get("name", |lab: &mut Lab| {
        Ok(lab.0.settings.experiment.clone())
    });
    reg.get("config", |lab: &mut Lab| {
        Ok(Settings(Arc::new(lab.0.config.clone())))
    });
    reg.get("dataset", |lab: &mut Lab| {
        Ok(Data(Arc::new(lab.0.data.train.clone())))
    });
    reg.get("truth", |lab: &mut Lab| {
        Ok(Data(Arc::new(lab.0.data.truth.clone())))
    });
    reg.get("model", |lab: &mut Lab| Ok(Field(lab.0.model.clone())));
    reg.set("model", |lab: &mut Lab, model: Field| {
        Arc::make_mut(&mut lab.0).model = model.0;
        Ok(())
    });
    reg.get("method", |lab: &mut Lab| Ok(Way(lab.0.method.clone())));
    reg.set("method", |lab: &mut Lab, method: Way| {
        Arc::make_mut(&mut lab.0).method = method.0;
        Ok(())
    });
    reg.get("folder", |lab: &mut Lab| {
        Ok(match &lab.0.folder {
            Some(folder) => Dynamic::from(folder.display().to_string()),
            None => Dynamic::UNIT,
        })
    });
    reg.describe_property(
        "Experiment",
        "experiment.name -> string",
        "Its name, as the folder under runs/ is called.",
        "experiment(config(\"lotka_volterra\")).name",
    );
    reg.describe_property(
        "Experiment",
        "experiment.config -> Config",
        "Its configuration.",
        "experiment(config(\"lotka_volterra\")).config.get(\"training.lr\")",
    );
    reg.describe_property(
        "Experiment",
        "experiment.dataset -> Dataset",
        "The data trained on.",
        "experiment(config(\"lotka_volterra\")).dataset",
    );
    reg.describe_property(
        "Experiment",
        "experiment.truth -> Dataset",
        "What the model is measured against, beyond the data too.",
        "experiment(config(\"lotka_volterra\")).truth",
    );
    reg.describe_property(
        "Experiment",
        "experiment.model -> Field",
        "The untrained model. It may be assigned.",
        "experiment(config(\"lotka_volterra\")).model.n_params",
    );
    reg.describe_property(
        "Experiment",
        "experiment.method -> Method",
        "The training method. It may be assigned.",
        "experiment(config(\"lotka_volterra\")).method",
    );
    reg.describe_property(
        "Experiment",
        "experiment.folder -> string",
        "The folder of its run; () before it runs.",
        "experiment(config(\"lotka_volterra\")).folder",
    );
}

fn reports(reg: &mut Registry) {
    reg.add("results", |lab: &mut Lab, run: Trained| {
        results_map(&lab.0.results(&run.0))
    });
    reg.describe(
        "results",
        "experiment.results(run) -> map",
        "best_mse, best_mse_at_zero (λ = 0), interpolation_mse and extrapolation_mse against the truth, epochs, evaluations, \
         seconds and more; () for what could not be measured.",
        ran!("e.results(run).extrapolation_mse"),
    );
    reg.add("table", |lab: &mut Lab, run: Trained| {
        lab.0.results(&run.0).to_string()
    });
    reg.describe(
        "table",
        "experiment.table(run) -> string",
        "The results as lines of a table.",
        ran!("print(e.table(run))"),
    );
    reg.add(
        "figure",
        |lab: &mut Lab, name: ImmutableString| -> Fallible<String> {
            let path = lab.0.figure_path(&name);
            Ok(path.display().to_string())
        },
    );
    reg.add("plot", |lab: Lab, run: Trained| -> Fallible<Panel> {
        Ok(Panel::Figure(fit_figure(&lab.0, &run.0)?))
    });
    reg.describe(
        "figure",
        "experiment.figure(name) -> string",
        "Where a figure of the run belongs: the path of this name in its folder figures/, or in the current folder before it runs.",
        "experiment(config(\"lotka_volterra\")).figure(\"fit.svg\")",
    );
    reg.describe(
        "plot",
        "plot(experiment, run) -> Figure",
        "Data, truth and the best model's trajectory.",
        ran!("plot(e, run).save(e.figure(\"fit.svg\"))"),
    );
}
