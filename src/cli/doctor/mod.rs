//! `odesync doctor`: checks which optional parts are installed, and says how to install those that are missing.

mod cuda;
mod jupyter;
mod programs;
mod trackers;

use std::fmt::Write as _;

use crate::config::ConfigSource;
use crate::devices::Device;
use crate::engines::engine;
use crate::field::Isa;
use crate::script::{ErrorKind, ScriptError, memory};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each line says what is there (✓), what is not and is not needed either (–), or what is broken (✗), and what to do.
The exit code is 1 if something is broken that every script needs, or that --device asks for.

Examples:
  odesync doctor
  odesync --device cuda doctor")]
pub(super) struct DoctorArgs {}

/// A finding: the result of the check of one topic.
struct Finding {
    status: FindingStatus,
    /// Topic of the check.
    topic: &'static str,
    /// Result of the check.
    text: String,
    /// Remedy, a command where there is one.
    fix: Option<String>,
    /// Whether the program cannot be used while this is broken.
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingStatus {
    Present,
    Missing,
    Broken,
}

impl Finding {
    fn present(topic: &'static str, text: impl Into<String>) -> Self {
        Self::new(FindingStatus::Present, topic, text)
    }

    fn missing(topic: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..Self::new(FindingStatus::Missing, topic, text)
        }
    }

    fn broken(topic: &'static str, text: impl Into<String>) -> Self {
        Self::new(FindingStatus::Broken, topic, text)
    }

    fn new(status: FindingStatus, topic: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            topic,
            text: text.into(),
            fix: None,
            required: false,
        }
    }

    fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    fn write(&self, to: &mut String) {
        let mark = match self.status {
            FindingStatus::Present => '✓',
            FindingStatus::Missing => '–',
            FindingStatus::Broken => '✗',
        };
        // Writing to a string does not fail.
        let _ = writeln!(to, "{mark} {:<16}{}", self.topic, self.text);
        if let Some(fix) = &self.fix {
            let _ = writeln!(to, "  {:<16}→ {fix}", "");
        }
    }
}

impl DoctorArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let mut findings = vec![build(), instruction_set(), threads(), memory_limit(common)];
        findings.push(libtorch());
        findings.push(cuda::check_cuda(common.device));
        findings.push(configs());
        findings.extend(jupyter::check_notebooks());
        findings.extend(trackers::check_trackers());
        let mut text = String::new();
        for finding in &findings {
            finding.write(&mut text);
        }
        super::print(&text)?;
        let broken: Vec<&str> = findings
            .iter()
            .filter(|f| f.required && f.status == FindingStatus::Broken)
            .map(|f| f.topic)
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        let message = format!("needed and broken: {}", broken.join(", "));
        Err(ScriptError::new(ErrorKind::Runtime, message))
    }
}

fn build() -> Finding {
    let engines = if cfg!(feature = "torch") {
        "engines native and torch"
    } else {
        "engine native (built without the feature torch)"
    };
    let packaged = std::env::current_exe()
        .ok()
        .filter(|p| super::torch_package::is_packaged(p));
    let from = packaged.map_or_else(String::new, |program| {
        format!(", of the package odesync-torch ({})", program.display())
    });
    Finding::present(
        "odesync",
        format!("{}, {engines}{from}", env!("CARGO_PKG_VERSION")),
    )
}

fn instruction_set() -> Finding {
    let topic = "instruction set";
    let here = Isa::ALL.into_iter().rev().filter(|isa| isa.available());
    let available: Vec<&str> = here.map(Isa::name).collect();
    let available = available.join(", ");
    match Isa::pinned() {
        Ok(None) => Finding::present(
            topic,
            format!("{}; this processor has {available}", Isa::current().name()),
        ),
        Ok(Some(isa)) => Finding::present(
            topic,
            format!(
                "{}, pinned by ODESYNC_ISA; this processor has {available}",
                isa.name()
            ),
        ),
        Err(error) => Finding {
            fix: Some("unset ODESYNC_ISA".into()),
            ..Finding::broken(topic, error.to_string()).required()
        },
    }
}

fn threads() -> Finding {
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    let used = rayon::current_num_threads();
    Finding::present("threads", format!("{used}; {machine} processors"))
}

fn memory_limit(common: &GlobalArgs) -> Finding {
    let (limit, why) = match common.memory {
        Some(limit) => (limit, "--memory"),
        None => (memory::default_limit(), "a quarter of what there is"),
    };
    let limit = memory::format_bytes(limit);
    Finding::present("memory", format!("{limit} for a script ({why})"))
}

#[cfg(feature = "torch")]
fn libtorch() -> Finding {
    use crate::torch::library::{loaded_path, version};

    let topic = "libtorch";
    if let Err(error) = engine("torch", "cpu") {
        return Finding::broken(topic, error.to_string()).required();
    }
    Finding::present(
        topic,
        match loaded_path() {
            Some(library) => format!(
                "{} {}",
                version(&library).unwrap_or_else(|| "of unknown version,".into()),
                library.display()
            ),
            None => "loaded".into(),
        },
    )
}

#[cfg(not(feature = "torch"))]
fn libtorch() -> Finding {
    use super::torch_package::{State, state};

    let topic = "libtorch";
    let state = state();
    let text = state.to_string();
    match state {
        State::Absent => Finding::missing(
            topic,
            text,
            "install the package odesync-torch beside this one, or make setup && cargo install --path .",
        ),
        State::Off(_) => Finding::missing(topic, text, "unset ODESYNC_TORCH"),
        State::Ready(_) | State::Unusable { .. } => Finding {
            fix: Some("mend it, or pip uninstall odesync-torch; all else works without".into()),
            ..Finding::broken(topic, text)
        },
    }
}

/// Returns the finding about the source of the configurations that scripts name.
fn configs() -> Finding {
    let library = ConfigSource::find(None);
    let place = match &library {
        ConfigSource::Folder(folder) => format!("in {}", folder.display()),
        ConfigSource::BuiltIn => "built in, as there is no folder configs here".into(),
    };
    match library.experiments() {
        Ok(names) => Finding::present("configs", format!("{} ({place})", names.join(", "))),
        Err(error) => Finding::missing(
            "configs",
            error.to_string(),
            "cd into the checkout of odesync, for scripts that name a configuration",
        ),
    }
}
