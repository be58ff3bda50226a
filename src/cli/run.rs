//! `odesync run SCRIPT [KEY=VALUE …]`

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use odesync_base::paths::to_text;

use crate::experiments::RunDir;
use crate::script::{ErrorKind, RunPlan, ScriptError};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync run scripts/my_data.rhai file=measured.csv
  odesync run scripts/train_lotka_volterra.rhai training=vanilla random_seed=20 training.lr=0.01
  odesync run scripts/train_lotka_volterra.rhai --print-config
  odesync run scripts/train_lotka_volterra.rhai --resume runs/lotka_volterra/2026-03-09_14-05-59
  odesync run scripts/train_lotka_volterra.rhai -m training=vanilla,homotopy random_seed=10,20,30

A script declares the keys it takes, with defaults, by `let opt = args(#{ epochs: 600, out: \"runs/demo\" });`.
The other arguments are overrides of its configuration, `config(\"NAME\")`:
  group=option   another file of configs/GROUP/, for example training=multishoot
  a.b=value      another value of a key; lists [1, 2] and maps {a: 1} are quoted for the shell
  +a.b=value     a new key
  ~a.b           a key less

With -m a value may be a,b  choice(a,b)  range(1,5)  range(0,1,0.25)  glob(*)  sort(…)  shuffle(…), as in hydra. With
sweeper=random sweeper.n=50 the runs are drawn, from interval(0,1) and tag(log,interval(1e-4,1e-1)) too; with sweeper=optuna
n=50 Optuna chooses them by the results of those before. --launcher slurm submits the runs as an array of jobs
(launcher.partition=…, launcher.time=…, launcher.members_per_task=…).")]
pub(super) struct RunArgs {
    /// The script, a .rhai file
    pub(super) script: PathBuf,
    /// Arguments of the script and overrides of its configuration
    #[arg(value_name = "KEY=VALUE", value_parser = OsStringValueParser::new().try_map(|text| parse_argument(&to_text(text))))]
    pub(super) arguments: Vec<String>,
    /// Run for every combination of the values: KEY=VALUE,VALUE,…
    #[arg(long, short)]
    multirun: bool,
    /// What starts the runs of -m: parallel, slurm or script [default: parallel]
    #[arg(long, value_name = "NAME")]
    pub(super) launcher: Option<String>,
    /// With --launcher slurm: stay until all runs have ended
    #[arg(long)]
    pub(super) wait: bool,
    /// The folder of the run [default: runs/EXPERIMENT/DATE_TIME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(super) out: Option<PathBuf>,
    /// Replace the runs that are in the folders which the script trains into
    #[arg(long, conflicts_with_all = ["resume", "multirun"])]
    overwrite: bool,
    /// Go on with the run, or the multirun, of this folder
    #[arg(long, value_name = "DIR")]
    pub(super) resume: Option<PathBuf>,
    /// Use a saved config.yaml instead of the script's configuration
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) config: Option<PathBuf>,
    /// Print the configuration with its overrides, and end
    #[arg(long, conflicts_with_all = ["multirun", "resume"])]
    print_config: bool,
    /// The arguments come from a file: that they name a path does not allow it
    #[arg(long, hide = true)]
    stored_arguments: bool,
    /// Stop as after Ctrl-C when the standard input ends
    #[arg(long, hide = true)]
    stop_at_eof: bool,
}

fn parse_argument(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.into()),
        None if text.len() > 1 && text.starts_with('~') => Ok(text.into()),
        _ => Err("arguments are written KEY=VALUE, without spaces around the =".into()),
    }
}

impl RunArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        if self.launcher.is_some() || self.wait {
            return Err(usage_error(
                "--launcher and --wait are those of many runs: add -m, with KEY=VALUE,VALUE",
            ));
        }
        let run_dir = match (&self.out, &self.resume) {
            (Some(folder), _) if self.overwrite => RunDir::Replace(folder.clone()),
            (Some(folder), _) => RunDir::At(folder.clone()),
            (None, Some(folder)) => RunDir::Resume(folder.clone()),
            (None, None) => RunDir::New,
        };
        let runs = RunPlan {
            run_dir,
            config: self.config.clone(),
            print_config: self.print_config,
            overwrite: self.overwrite,
        };
        let mut options = super::session_options(common, self.arguments.clone(), runs)?;
        if let Some(rules) = &mut options.access {
            rules.allows_arguments = !self.stored_arguments;
            super::access::allow_plan(rules, &options.runs, !self.stored_arguments);
        }
        let mut session = super::session_of(options)?;
        if self.stop_at_eof {
            let interrupt = session.interrupt();
            std::thread::spawn(move || {
                // The input and any error are ignored: only the end of the input matters.
                let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
                interrupt.stop();
                super::watchdog::end_soon();
            });
        }
        session.run_file(&self.script)?;
        Ok(())
    }

    /// Whether many runs are asked for, or those of the folder are to go on.
    pub(super) fn is_multirun(&self) -> bool {
        self.multirun || self.resumes_multirun()
    }

    fn resumes_multirun(&self) -> bool {
        self.resume.as_ref().is_some_and(|folder| {
            folder
                .join(crate::experiments::multirun::MULTIRUN_FILE)
                .is_file()
        })
    }
}

/// Returns a usage error.
pub(super) fn usage_error(message: impl Into<String>) -> ScriptError {
    ScriptError::new(ErrorKind::Usage, message)
}
