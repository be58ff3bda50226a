//! The bindings of experiments from a configuration: `experiment(config("lotka_volterra")).run()`.

use std::path::Path;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Position};

use super::data::ScriptDataset;
use super::error::{RhaiResult, Termination};
use super::fields::ScriptField;
use super::host::Host;
use super::interrupted_training::finish_interrupted;
use super::registry::{Registry, ScriptType};
use super::training::{ScriptMethod, ScriptRun};
use crate::experiments::{CONFIG_FILE, Experiment, RunDir, RunRequest, RunResults, fit_figure};
use crate::{Error, Result};
use odesync_base::paths::to_text;
use odesync_config::{Config, ConfigSource, Override};
use odesync_ode::devices::Device;
use odesync_plot::Panel;
use odesync_train::training::{Callback, StopReason as End};

/// The script type of a configuration, `Config`.
#[derive(Clone)]
pub struct ScriptConfig(pub Arc<Config>);

/// Prepends a short experiment's run to an example.
macro_rules! experiment_example {
    ($then:literal) => {
        concat!(
            "let c = config(\"lotka_volterra\"); c.set(\"training.epochs\", 2); let e = experiment(c); ",
            "let run = e.run(); ",
            $then
        )
    };
}

/// The script type of an experiment, `Experiment`.
#[derive(Clone)]
pub struct ScriptExperiment(pub Arc<Experiment>);

/// Composes the configuration that a script names, or the saved one that the command line names, with the command line's
/// overrides.
pub(super) fn compose_config(
    host: &Host,
    script: Option<&Path>,
    name: &str,
    overrides: &[String],
) -> Result<Config> {
    let library = ConfigSource::find(script);
    let overrides = overrides
        .iter()
        .map(|text| text.parse())
        .collect::<Result<Vec<Override>>>()?;
    let plan = host.runs();
    let saved = match (&plan.run_dir, &plan.config) {
        (_, Some(file)) => Some(file.clone()),
        (RunDir::Resume(folder), None) => Some(folder.join(CONFIG_FILE)),
        _ => None,
    };
    let config = match &saved {
        None => Config::compose(&library, name, &overrides)?,
        Some(file) => Config::from_file(file, &library, &overrides)?,
    };
    for note in config.notes() {
        host.note(note);
    }
    if let Some(file) = saved.filter(|_| config.name() != name) {
        return Err(Error::invalid(format!(
            "{} is a configuration of the experiment {}, and the script runs {name}",
            file.display(),
            config.name()
        )));
    }
    Ok(config)
}

fn config(host: &Host, name: &str) -> RhaiResult<ScriptConfig> {
    // Every mistake here was typed on the command line or is in the configuration file that it names.
    let script = host.script_path();
    let mut config = compose_config(host, script.as_deref(), name, &host.overrides())
        .map_err(|e| Error::Usage(e.to_string()))?;
    if let device @ Device::Cuda(_) = host.device() {
        config.set("trainer.engine", device.engine().into())?;
        config.set("trainer.device", device.to_string().into())?;
    }
    host.record_config(&config);
    if host.runs().print_config {
        host.print(config.to_yaml().trim_end());
        return Err(Box::new(EvalAltResult::ErrorTerminated(
            Dynamic::from(Termination::Exit),
            Position::NONE,
        )));
    }
    Ok(ScriptConfig(Arc::new(config)))
}

/// Converts a value of a configuration to a script's value.
fn to_script(value: &serde_yaml::Value) -> RhaiResult<Dynamic> {
    rhai::serde::to_dynamic(value)
}

fn run(host: &Host, wrapper: &mut ScriptExperiment) -> RhaiResult<ScriptRun> {
    let experiment = Arc::make_mut(&mut wrapper.0);
    let request = RunRequest {
        run_dir: host.runs().run_dir.clone(),
        interrupt: host.interrupt_flag(),
        notes: super::training::note_sink(host),
        ..RunRequest::default()
    };
    let progress: Box<dyn Callback> = match experiment.settings.progress {
        true => host.progress(""),
        false => Box::new(()),
    };
    let result = experiment.run(&request, progress);
    let folder = experiment.folder.as_ref().map(|f| f.display().to_string());
    let run = ScriptRun(Arc::new(result?));
    if run.0.stop == End::Interrupted {
        let go_on = folder.map(|folder| match host.interactive() {
            true => format!("the run is in {folder}"),
            false => format!("the run can be gone on with: --resume {folder}"),
        });
        return finish_interrupted(host, run, go_on.as_deref());
    }
    if let Some(folder) = folder {
        host.note(&format!("wrote {folder}"));
    }
    Ok(run)
}

fn results_map(results: &RunResults) -> RhaiResult<Map> {
    let value = rhai::serde::to_dynamic(results)?;
    Ok(value.try_cast::<Map>().unwrap_or_default())
}

impl ScriptType for ScriptExperiment {
    const NAME: &'static str = "Experiment";

    fn show(&self) -> String {
        let e = &self.0;
        format!(
            "Experiment {}: {} training of {} parameters on {} times of {} state variables",
            e.settings.experiment,
            e.method.name().replace('_', " "),
            e.model.n_params(),
            e.data.train.len(),
            e.data.train.dof()
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    configurations(reg);
    reg.script_type::<ScriptExperiment>();
    reg.function(
        "experiment(config) -> Experiment",
        "Data, untrained model, method and options of a configuration.",
        "experiment(config(\"lotka_volterra\")).model.n_params",
    )
    .body(|config: ScriptConfig| -> Result<ScriptExperiment> {
        let experiment = Experiment::new((*config.0).clone()).map_err(|e| match e {
            Error::Invalid(message) => Error::Usage(message),
            other => other,
        })?;
        Ok(ScriptExperiment(Arc::new(experiment)))
    });
    properties(reg);
    let host = reg.host();
    reg.function(
        "experiment.run() -> Run",
        "Trains into a folder of its own, runs/EXPERIMENT/DATE_TIME unless the command line says otherwise (--out, --resume).",
        experiment_example!("run.best_mse"),
    )
    .body(move |experiment: &mut ScriptExperiment| run(&host, experiment));
    reports(reg);
}

impl ScriptType for ScriptConfig {
    const NAME: &'static str = "Config";

    fn show(&self) -> String {
        self.0.to_yaml().trim_end().to_string()
    }

    const CHANGES_IN_PLACE: bool = true;

    fn is_same(&self, other: &Self) -> bool {
        self.0.to_yaml() == other.0.to_yaml()
    }
}

fn configurations(reg: &mut Registry) {
    reg.script_type::<ScriptConfig>();
    let host = reg.host();
    reg.function(
        "config(\"lotka_volterra\") -> Config",
        "The configuration of configs/NAME.yaml with the overrides of the command line: group=option, a.b=value, +a.b=value, \
         ~a.b. Read a value by config.get(\"training.lr\"), change one by config.set(\"training.lr\", 0.01).",
        "config(\"lotka_volterra\").get(\"training.lr\")",
    )
    .body(move |name: ImmutableString| config(&host, &name));
    reg.function(
        "config.get(\"training.lr\") -> value",
        "A value of a configuration.",
        "config(\"lorenz3d\").get(\"dataset.u0\")",
    )
    .body(
        |config: &mut ScriptConfig, key: ImmutableString| -> RhaiResult<Dynamic> {
            match config.0.get(&key) {
                Some(value) => to_script(value),
                None => Err(Error::invalid(format!("the configuration has no {key}")).into()),
            }
        },
    );
    reg.function(
        "config.set(\"training.lr\", 0.01)",
        "Changes a value of a configuration; the key must exist.",
        "let c = config(\"lorenz3d\"); c.set(\"training.lr\", 0.01); c.get(\"training.lr\")",
    )
    .body(
        |config: &mut ScriptConfig, key: ImmutableString, value: Dynamic| -> RhaiResult<()> {
            let value: serde_yaml::Value = rhai::serde::from_dynamic(&value)?;
            Ok(Arc::make_mut(&mut config.0).set(&key, value)?)
        },
    );
}

fn properties(reg: &mut Registry) {
    reg.property(
        "experiment.name -> string",
        "Its name, as the folder under runs/ is called.",
        "experiment(config(\"lotka_volterra\")).name",
    )
    .get(|experiment: &mut ScriptExperiment| experiment.0.settings.experiment.clone());
    reg.property(
        "experiment.config -> Config",
        "Its configuration.",
        "experiment(config(\"lotka_volterra\")).config.get(\"training.lr\")",
    )
    .get(|experiment: &mut ScriptExperiment| ScriptConfig(Arc::new(experiment.0.config.clone())));
    reg.property(
        "experiment.dataset -> Dataset",
        "The data trained on.",
        "experiment(config(\"lotka_volterra\")).dataset",
    )
    .get(|experiment: &mut ScriptExperiment| {
        ScriptDataset(Arc::new(experiment.0.data.train.clone()))
    });
    reg.property(
        "experiment.truth -> Dataset",
        "What the model is measured against, beyond the data too.",
        "experiment(config(\"lotka_volterra\")).truth",
    )
    .get(|experiment: &mut ScriptExperiment| {
        ScriptDataset(Arc::new(experiment.0.data.truth.clone()))
    });
    reg.property(
        "experiment.model -> Field",
        "The untrained model. It may be assigned.",
        "experiment(config(\"lotka_volterra\")).model.n_params",
    )
    .get(|experiment: &mut ScriptExperiment| ScriptField(experiment.0.model.clone()))
    .set(|experiment: &mut ScriptExperiment, model: ScriptField| {
        Arc::make_mut(&mut experiment.0).model = model.0;
    });
    reg.property(
        "experiment.method -> Method",
        "The training method. It may be assigned.",
        "experiment(config(\"lotka_volterra\")).method",
    )
    .get(|experiment: &mut ScriptExperiment| ScriptMethod(experiment.0.method.clone()))
    .set(|experiment: &mut ScriptExperiment, method: ScriptMethod| {
        Arc::make_mut(&mut experiment.0).method = method.0;
    });
    reg.property(
        "experiment.folder -> string",
        "The folder of its run; () before it runs.",
        "experiment(config(\"lotka_volterra\")).folder",
    )
    .get(
        |experiment: &mut ScriptExperiment| match &experiment.0.folder {
            Some(folder) => Dynamic::from(to_text(folder)),
            None => Dynamic::UNIT,
        },
    );
}

fn reports(reg: &mut Registry) {
    reg.function(
        "experiment.results(run) -> map",
        "best_mse, best_mse_at_zero (λ = 0), interpolation_mse and extrapolation_mse against the truth, epochs, evaluations, \
         seconds and more; () for what could not be measured.",
        experiment_example!("e.results(run).extrapolation_mse"),
    )
    .body(|experiment: &mut ScriptExperiment, run: ScriptRun| {
        results_map(&experiment.0.results(&run.0))
    });
    reg.function(
        "experiment.table(run) -> string",
        "The results as lines of a table.",
        experiment_example!("print(e.table(run))"),
    )
    .body(|experiment: &mut ScriptExperiment, run: ScriptRun| {
        experiment.0.results(&run.0).to_string()
    });
    reg.function(
        "experiment.figure(name) -> string",
        "Where a figure of the run belongs: the path of this name in its folder figures/, or in the current folder before it runs.",
        "experiment(config(\"lotka_volterra\")).figure(\"fit.svg\")",
    )
    .body(|experiment: &mut ScriptExperiment, name: ImmutableString| {
        to_text(experiment.0.figure_path(&name))
    });
    reg.function(
        "plot(experiment, run) -> Figure",
        "Data, truth and the best model's trajectory.",
        experiment_example!("plot(e, run).save(e.figure(\"fit.svg\"))"),
    )
    .body(|experiment: ScriptExperiment, run: ScriptRun| {
        fit_figure(&experiment.0, &run.0).map(Panel::Figure)
    });
}
