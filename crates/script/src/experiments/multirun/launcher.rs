//! How the processes of a multirun are started: group `launcher` of the configurations.

use serde::Deserialize;

use crate::{Error, Result};
use odesync_base::error;
use odesync_config::{Config, ConfigSource, Override};

/// The settings of a launcher: `configs/launcher/NAME.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub enum LauncherSettings {
    /// Processes on this machine, side by side: `kind: parallel`.
    Parallel,
    /// An array of jobs of Slurm: `kind: slurm`.
    Slurm(Box<SlurmLauncher>),
    /// A file with a command line for each task, for GNU parallel or any other queue: `kind: script`.
    Script(ScriptLauncher),
}

/// The settings of the launcher `slurm`; what is null is left to the cluster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlurmLauncher {
    #[allow(dead_code, reason = "read before the rest")]
    kind: String,
    /// Name of the job.
    pub job_name: Option<String>,
    /// Partition, `--partition`.
    pub partition: Option<String>,
    /// Account, `--account`.
    pub account: Option<String>,
    /// Longest duration of a task, `--time`: minutes or `HH:MM:SS`.
    pub time: Option<NumberOrText>,
    /// Processors of a task, `--cpus-per-task`; its members share them.
    pub cpus_per_task: usize,
    /// Memory of a task, `--mem`: MiB or `4G`.
    pub mem: Option<NumberOrText>,
    /// Generic resources, `--gres`: `gpu:1`.
    pub gres: Option<String>,
    /// Number of members of one task.
    pub members_per_task: usize,
    /// Most tasks of one array, the cluster's `MaxArraySize`; of more, each has more members.
    pub max_array_size: usize,
    /// Most tasks at a time.
    pub array_parallelism: Option<usize>,
    /// Seconds before the end of the time at which a task writes its checkpoints and is queued again.
    pub signal_delay_s: u32,
    /// Lines of the batch script before the members: `module load …`.
    pub setup: Vec<String>,
    /// Further options of sbatch by name: `{constraint: avx2}`.
    pub additional_parameters: std::collections::BTreeMap<String, NumberOrText>,
}

/// The settings of the launcher `script`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptLauncher {
    #[allow(dead_code, reason = "read before the rest")]
    kind: String,
    /// Number of members of one command line.
    pub members_per_task: usize,
    /// Threads of one command line; its members share them.
    pub cpus_per_task: usize,
}

/// A setting that may be a number or a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "should be a whole number or a text")]
pub enum NumberOrText {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for NumberOrText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NumberOrText::Number(n) => write!(f, "{n}"),
            NumberOrText::Text(text) => f.write_str(text),
        }
    }
}

impl LauncherSettings {
    /// Reads the settings of a launcher, with overrides such as `launcher.partition=gpu`.
    ///
    /// # Errors
    /// A launcher that does not exist; a setting that does not fit.
    pub fn read(library: &ConfigSource, name: &str, overrides: &[Override]) -> Result<Self> {
        let config = Config::compose_option(library, "launcher", name, overrides)?;
        let settings = match config.section::<String>("launcher.kind")?.as_str() {
            "parallel" => LauncherSettings::Parallel,
            "slurm" => LauncherSettings::Slurm(Box::new(config.section("launcher")?)),
            "script" => LauncherSettings::Script(config.section("launcher")?),
            other => {
                let known = ["parallel", "slurm", "script"];
                return Err(error::unknown("launcher.kind", other, known));
            }
        };
        for (key, value) in settings.counts() {
            if value == 0 {
                return Err(Error::invalid(format!(
                    "launcher.{key} should be 1 or more"
                )));
            }
        }
        Ok(settings)
    }

    fn counts(&self) -> Vec<(&'static str, usize)> {
        match self {
            LauncherSettings::Parallel => vec![],
            LauncherSettings::Slurm(s) => vec![
                ("members_per_task", s.members_per_task),
                ("cpus_per_task", s.cpus_per_task),
                ("max_array_size", s.max_array_size),
                ("array_parallelism", s.array_parallelism.unwrap_or(1)),
            ],
            LauncherSettings::Script(s) => vec![
                ("members_per_task", s.members_per_task),
                ("cpus_per_task", s.cpus_per_task),
            ],
        }
    }
}
