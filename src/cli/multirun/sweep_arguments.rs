//! The arguments of a multirun: what is swept, by which sweeper and by which launcher.

use crate::config::{Config, ConfigSource, Override, RandomSearch, SearchSpace, sweep};
use crate::experiments::multirun::{LauncherSettings, Multirun, StudyRecord};
use crate::script::ScriptError;
use crate::tracking::StudySettings;

use super::super::run::{RunArgs, usage_error};

/// The arguments of a multirun.
pub(super) struct SweepArguments {
    /// Arguments of the script, with their sweeps.
    pub swept: Vec<String>,
    /// What starts the members.
    pub launcher: LauncherSettings,
    /// What chooses the members.
    sweeper: Sweeper,
    /// Keys of the sweeper's settings that were typed.
    typed: Vec<String>,
}

/// What chooses the members.
enum Sweeper {
    /// All combinations.
    Grid,
    /// Draws.
    Random(RandomSearch),
    /// Optuna.
    Optuna(StudySettings),
}

impl SweepArguments {
    /// Reads the arguments `sweeper=…`, `sweeper.KEY=…`, `launcher=…` and `launcher.KEY=…`; the others are those of the script.
    pub fn read(run: &RunArgs) -> Result<Self, ScriptError> {
        let library = ConfigSource::find(Some(&run.script));
        let mut swept = run.arguments.clone();
        let (sweeper, mut of_sweeper) = take_group("sweeper", &mut swept)?;
        let (launcher, of_launcher) = take_group("launcher", &mut swept)?;
        let launcher = match (launcher, &run.launcher) {
            (Some(one), Some(other)) if one != *other => {
                return Err(usage_error(format!(
                    "launcher={one} and --launcher {other} are two launchers: leave one out"
                )));
            }
            (Some(name), _) => name,
            (None, name) => name.clone().unwrap_or_else(|| "parallel".into()),
        };
        // A study goes on as one.
        let resumed = run
            .resume
            .as_ref()
            .and_then(|folder| Multirun::read(folder).ok());
        let is_study = resumed.is_some_and(|multirun| multirun.study.is_some());
        let name = sweeper.unwrap_or_else(|| if is_study { "optuna" } else { "grid" }.into());
        // `sweeper=random n=50` is short for `sweeper.n=50`.
        let n = match name.as_str() {
            "random" => Some("n"),
            "optuna" => Some("n_trials"),
            _ => None,
        };
        if let Some(n) = n.filter(|n| of_sweeper.iter().all(|o| o.key() != format!("sweeper.{n}")))
            && let Some(place) = swept.iter().position(|a| a.starts_with("n="))
        {
            let argument = swept.remove(place);
            of_sweeper.push(parse(&format!("sweeper.{}", argument.replacen('n', n, 1)))?);
        }
        let invalid = |e: crate::Error| usage_error(e.to_string());
        let config = Config::compose_option(&library, "sweeper", &name, &of_sweeper);
        let config = config.map_err(invalid)?;
        let kind: String = config.section("sweeper.kind").map_err(invalid)?;
        let sweeper = match kind.as_str() {
            "grid" => Sweeper::Grid,
            "random" => Sweeper::Random(RandomSearch {
                n: config.section("sweeper.n").map_err(invalid)?,
                seed: config.section("sweeper.seed").map_err(invalid)?,
            }),
            "optuna" => {
                let settings: StudySettings = config.section("sweeper").map_err(invalid)?;
                settings.check().map_err(invalid)?;
                Sweeper::Optuna(settings)
            }
            other => {
                let known = ["grid", "random", "optuna"];
                let error = crate::error::unknown("sweeper.kind", other, known);
                return Err(usage_error(error.to_string()));
            }
        };
        let launcher =
            LauncherSettings::read(&library, &launcher, &of_launcher).map_err(invalid)?;
        if let (Sweeper::Optuna(_), LauncherSettings::Script(_)) = (&sweeper, &launcher) {
            return Err(usage_error(
                "sweeper=optuna chooses runs by the results of those before, which the launcher script leaves to you: use --launcher \
                 parallel or slurm, or sweeper=random",
            ));
        }
        Ok(SweepArguments {
            swept,
            launcher,
            sweeper,
            typed: of_sweeper.iter().map(|o| o.key().to_string()).collect(),
        })
    }

    /// Returns the study that chooses the arguments of members; `None` where they are known before.
    pub fn study(&self, library: &ConfigSource) -> Result<Option<StudyRecord>, ScriptError> {
        let Sweeper::Optuna(settings) = &self.sweeper else {
            return Ok(None);
        };
        let space = SearchSpace::read(&self.swept, library);
        let space = space.map_err(|e| usage_error(e.to_string()))?;
        Ok(Some(StudyRecord {
            settings: settings.clone(),
            arguments: self.swept.clone(),
            keys: space.searched().map(|(key, _)| key.to_string()).collect(),
            trials: vec![],
        }))
    }

    /// Changes what may be changed of a study that goes on: the number of its runs.
    pub fn change(&self, study: &mut StudyRecord) -> Result<(), ScriptError> {
        if let Some(other) = self.typed.iter().find(|key| *key != "sweeper.n_trials") {
            return Err(usage_error(format!(
                "a study goes on with the settings it was begun with, but for sweeper.n_trials; leave out {other}"
            )));
        }
        if let Sweeper::Optuna(settings) = &self.sweeper
            && !self.typed.is_empty()
        {
            study.settings.n_trials = settings.n_trials;
        }
        Ok(())
    }

    /// Returns the arguments of each member; none where a study chooses them.
    pub fn members(&self, library: &ConfigSource) -> Result<Vec<Vec<String>>, ScriptError> {
        let members = match self.sweeper {
            Sweeper::Optuna(_) => return Ok(vec![]),
            Sweeper::Random(search) => search.draw(&self.swept, library),
            Sweeper::Grid => sweep(&self.swept, library),
        };
        let members = members.map_err(|e| usage_error(e.to_string()))?;
        let texts = |member: &Vec<Override>| member.iter().map(ToString::to_string).collect();
        Ok(members.iter().map(texts).collect())
    }
}

fn parse(argument: &str) -> Result<Override, ScriptError> {
    argument
        .parse()
        .map_err(|e: crate::Error| usage_error(e.to_string()))
}

/// Takes the choice `GROUP=option` and the overrides `GROUP.key=value` out of the arguments.
fn take_group(
    group: &str,
    arguments: &mut Vec<String>,
) -> Result<(Option<String>, Vec<Override>), ScriptError> {
    let (mut choice, mut overrides, mut others) = (None, vec![], vec![]);
    for argument in arguments.drain(..) {
        let rest = argument.trim_start_matches('+').strip_prefix(group);
        match rest.map(|rest| (rest.strip_prefix('='), rest.starts_with('.'))) {
            Some((Some(option), _)) => choice = Some(option.to_string()),
            Some((None, true)) => overrides.push(parse(&argument)?),
            _ => others.push(argument),
        }
    }
    *arguments = others;
    Ok((choice, overrides))
}
