//! `odesync log push RUN… --to TRACKER`

use std::path::PathBuf;

use crate::Error;
use crate::experiments::{PushTarget, push};
use crate::script::{ErrorKind, ScriptError};
use crate::tracking::{MlflowSettings, WandbSettings};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A run is a folder with last.safetensors; of another folder (an ensemble, a multirun, an experiment's) all runs in it are handed
over, as one group. wandb and MLflow need their Python packages: odesync doctor says what is there.

Examples:
  odesync log push runs/lotka_volterra/2026-03-09_14-05-59 --to tensorboard
  odesync log push runs/multirun/train_lotka_volterra/2026-03-09_14-05-59 --to wandb --project pendulum
  odesync log push runs/lotka_volterra --to mlflow --tracking-uri sqlite:///mlflow.db")]
pub(super) struct LogArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Hand over finished runs
    Push {
        /// Folders of runs, or of many runs
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Where to
        #[arg(long, value_enum)]
        to: Tracker,
        /// Project of wandb, experiment of MLflow [default: odesync]
        #[arg(long)]
        project: Option<String>,
        /// User or team of wandb
        #[arg(long)]
        entity: Option<String>,
        /// Store or server of MLflow [default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db]
        #[arg(long, value_name = "URI")]
        tracking_uri: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Tracker {
    Tensorboard,
    Wandb,
    Mlflow,
}

impl LogArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let Action::Push {
            runs,
            to,
            project,
            entity,
            tracking_uri,
        } = &self.action;
        let target = match to {
            Tracker::Tensorboard => PushTarget::TensorBoard,
            Tracker::Wandb => {
                let mut settings = WandbSettings {
                    entity: entity.clone(),
                    ..WandbSettings::default()
                };
                settings.project = project.clone().unwrap_or(settings.project);
                PushTarget::Wandb(settings)
            }
            Tracker::Mlflow => {
                let mut settings = MlflowSettings {
                    tracking_uri: tracking_uri.clone(),
                    ..MlflowSettings::default()
                };
                settings.experiment_name = project.clone().unwrap_or(settings.experiment_name);
                PushTarget::Mlflow(settings)
            }
        };
        let pushed = push(runs, &target).map_err(|error| {
            let kind = match error {
                Error::Usage(_) => ErrorKind::Usage,
                _ => ErrorKind::Runtime,
            };
            ScriptError::new(kind, error.to_string())
        })?;
        for (folder, reason) in &pushed.skipped {
            if !common.quiet {
                super::print_error(&format!("skipped {}: {reason}", folder.display()));
            }
        }
        for (folder, place) in &pushed.done {
            super::print(&format!("{}: {place}\n", folder.display()))?;
        }
        Ok(())
    }
}
