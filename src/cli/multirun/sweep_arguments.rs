//! The arguments of a multirun: what is swept, by which sweeper and by which launcher.

use crate::config::{Config, ConfigSource, Override, RandomSearch, sweep};
use crate::experiments::multirun::LauncherSettings;
use crate::script::ScriptError;

use super::super::run::{RunArgs, usage_error};

/// The arguments of a multirun.
pub(super) struct SweepArguments {
    /// Arguments of the script, with their sweeps.
    pub swept: Vec<String>,
    /// What starts the members.
    pub launcher: LauncherSettings,
    /// Random search; `None` for all combinations.
    random: Option<RandomSearch>,
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
        // `sweeper=random n=50` is short for `sweeper.n=50`.
        let named_n = of_sweeper.iter().any(|o| o.key() == "sweeper.n");
        if sweeper.as_deref() == Some("random")
            && !named_n
            && let Some(place) = swept.iter().position(|a| a.starts_with("n="))
        {
            of_sweeper.push(parse(&format!("sweeper.{}", swept.remove(place)))?);
        }
        let invalid = |e: crate::Error| usage_error(e.to_string());
        let name = sweeper.unwrap_or_else(|| "grid".into());
        let config = Config::compose_option(&library, "sweeper", &name, &of_sweeper);
        let config = config.map_err(invalid)?;
        let kind: String = config.section("sweeper.kind").map_err(invalid)?;
        let random = match kind.as_str() {
            "grid" => None,
            "random" => Some(RandomSearch {
                n: config.section("sweeper.n").map_err(invalid)?,
                seed: config.section("sweeper.seed").map_err(invalid)?,
            }),
            other => {
                let error = crate::error::unknown("sweeper.kind", other, ["grid", "random"]);
                return Err(usage_error(error.to_string()));
            }
        };
        let launcher =
            LauncherSettings::read(&library, &launcher, &of_launcher).map_err(invalid)?;
        Ok(SweepArguments {
            swept,
            launcher,
            random,
        })
    }

    /// Returns the arguments of each member.
    pub fn members(&self, library: &ConfigSource) -> Result<Vec<Vec<String>>, ScriptError> {
        let members = match self.random {
            Some(search) => search.draw(&self.swept, library),
            None => sweep(&self.swept, library),
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
