//! The command line: one file for each command.
//!
//! Exit codes: 0 done, 1 the script failed, 2 wrong usage, 124 its time limit was over, 130 interrupted. Results go to standard output, errors and progress to
//! standard error.

mod access;
mod compare;
mod completions;
mod discover;
mod docs;
mod doctor;
mod eval;
mod export;
mod graphics;
mod kernel;
mod limits;
mod log;
mod multirun;
mod question;
mod repl;
mod report;
mod run;
mod terminal;
mod torch_package;
mod watchdog;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};

use crate::devices::Device;
use crate::script::{self, EvalResult, Output, RunPlan, ScriptError, Session, SessionOptions};

use terminal::TerminalFrontend;

const EXAMPLES: &str = "\
Examples:
  odesync                                     type code, see values
  odesync run scripts/homotopy_by_hand.rhai
  odesync run scripts/homotopy_by_hand.rhai epochs=100 lr=0.01
  odesync discover measured.csv
  odesync eval 'mean(arange(0.0, 1.0, 0.1))'
  odesync export runs/measured model.py
  odesync docs smoothing_spline
  odesync compare runs/lotka_volterra
  odesync report runs/measured
  odesync doctor

Exit codes: 0 done, 1 the script failed, 2 wrong usage, 124 its time limit was over, 130 interrupted (Ctrl-C; twice to end at once).";

/// Discover dynamics from time series: Neural ODEs trained by homotopy, in short scripts.
#[derive(Debug, Parser)]
#[command(name = "odesync", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: GlobalArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Args)]
struct GlobalArgs {
    /// No progress and no remarks, only what the script prints
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Threads for parallel work [default: one for each processor]
    #[arg(long, global = true, value_name = "N", value_parser = parse_threads, allow_negative_numbers = true)]
    threads: Option<u16>,
    /// Memory that a script may use, in GiB [default: a quarter of the machine's]
    #[arg(long, global = true, value_name = "GIB", value_parser = parse_gibibytes, allow_negative_numbers = true)]
    memory: Option<usize>,
    /// Device of solves and trainings that name none: cpu, cuda, cuda:N; cuda brings the torch engine [default: cpu]
    #[arg(long, global = true, value_name = "DEVICE")]
    device: Option<Device>,
    #[command(flatten)]
    limits: limits::LimitArgs,
    #[command(flatten)]
    access: access::AccessArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a script
    Run(run::RunArgs),
    /// Find a model and equations of data, with no setting
    Discover(discover::DiscoverArgs),
    /// Evaluate code and print its value
    Eval(eval::EvalArgs),
    /// Write a model for other programs: Python, Julia, C, LaTeX, ONNX, PyTorch
    Export(export::ExportArgs),
    /// Show the functions of the script language
    Docs(docs::DocsArgs),
    /// Show runs side by side
    Compare(compare::CompareArgs),
    /// Write a page about a run: results, fit, losses, equations
    Report(report::ReportArgs),
    /// Hand finished runs to TensorBoard, wandb or MLflow
    Log(log::LogArgs),
    /// Go on with many runs, ask for their state, make their summary
    Multirun(multirun::MultirunArgs),
    /// Print a script that completes commands and options in a shell
    Completions(completions::CompletionsArgs),
    /// The script language in Jupyter: register the kernel, or run one
    Kernel(kernel::KernelArgs),
    /// Say what is there and what is missing: libtorch, CUDA, Jupyter
    Doctor(doctor::DoctorArgs),
}

fn parse_gibibytes(text: &str) -> Result<usize, String> {
    match text.parse::<f64>() {
        // The cast saturates, so a value beyond the address space means no limit.
        Ok(value) if value > 0.0 => Ok((value * (1u64 << 30) as f64) as usize),
        _ => Err("should be a number above 0".into()),
    }
}

fn parse_threads(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("should be a whole number from 1 to {}", u16::MAX)),
    }
}

/// Adds the command that was likely meant to an error for which clap found none; clap misses exchanged letters, for example.
fn suggest_command(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand).cloned()
    else {
        return error;
    };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let command = Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let meant = match given.ends_with(".rhai") {
        true => Some(format!("run {given}")),
        false => crate::error::nearest(&given, names).map(String::from),
    };
    if let Some(meant) = meant {
        let meant = ContextValue::Strings(vec![meant]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
    error
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    #[cfg(not(feature = "torch"))]
    torch_package::hand_over();
    // clap prints its own errors and ends with 2, or with 0 after --help and --version.
    let cli = Cli::try_parse().unwrap_or_else(|error| suggest_command(error).exit());
    if let Some(threads) = cli.common.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads));
        if let Err(error) = pool.build_global() {
            return usage_exit(&format!("cannot start {threads} threads: {error}"));
        }
    }
    let result = run_command(&cli);
    watchdog::has_stopped();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.exit_code() != 0 {
                print_error(&error.to_string());
            }
            ExitCode::from(match error.kind {
                script::ErrorKind::Interrupted => limits::exit_code_of_stop(),
                _ => error.exit_code(),
            })
        }
    }
}

fn run_command(cli: &Cli) -> Result<(), ScriptError> {
    let waits_for_user = matches!(cli.command, None | Some(Command::Kernel(_)));
    cli.common.limits.begin(waits_for_user)?;
    match &cli.command {
        None => repl::run(&cli.common),
        Some(Command::Run(many)) if many.is_multirun() => multirun::run(many, &cli.common),
        Some(Command::Run(run)) => run.run(&cli.common),
        Some(Command::Discover(discover)) => discover.run(&cli.common),
        Some(Command::Eval(eval)) => eval.run(&cli.common),
        Some(Command::Export(export)) => export.run(&cli.common),
        Some(Command::Docs(docs)) => docs.run(&cli.common),
        Some(Command::Compare(compare)) => compare.run(&cli.common),
        Some(Command::Report(report)) => report.run(&cli.common),
        Some(Command::Log(log)) => log.run(&cli.common),
        Some(Command::Multirun(multirun)) => multirun.run(&cli.common),
        Some(Command::Completions(completions)) => completions.run(),
        Some(Command::Kernel(kernel)) => kernel.run(&cli.common),
        Some(Command::Doctor(doctor)) => doctor.run(&cli.common),
    }
}

/// Returns the options of a session from the command line.
fn session_options(
    common: &GlobalArgs,
    arguments: Vec<String>,
    runs: RunPlan,
) -> Result<SessionOptions, ScriptError> {
    let access = common.access.rules("")?;
    if let Some(limit) = common.memory {
        crate::memory::set_limit(limit);
    }
    crate::field::Isa::pinned()
        .map_err(|e| ScriptError::new(script::ErrorKind::Usage, e.to_string()))?;
    let device = common.device.unwrap_or_default();
    // Checked now, because a script may run for an hour before it uses the device.
    crate::engines::engine(device.engine(), &device.to_string())
        .map_err(|e| ScriptError::new(script::ErrorKind::Runtime, e.to_string()))?;
    Ok(SessionOptions {
        quiet: common.quiet,
        arguments,
        runs,
        output: Output::new(TerminalFrontend::new()?),
        memory_limit: common.memory,
        access,
        device,
        ..SessionOptions::default()
    })
}

/// Creates a session that Ctrl-C stops.
fn session(
    common: &GlobalArgs,
    arguments: Vec<String>,
    runs: RunPlan,
) -> Result<Session, ScriptError> {
    session_of(session_options(common, arguments, runs)?)
}

/// Creates a session of these options that Ctrl-C stops.
fn session_of(options: SessionOptions) -> Result<Session, ScriptError> {
    watchdog::guard_memory();
    let session = Session::new(options)?;
    let interrupt = session.interrupt();
    on_interrupt(move || interrupt.stop());
    Ok(session)
}

/// Installs the signal handler: the first Ctrl-C (or SIGTERM, SIGHUP) calls `stop`, and ends the program where what runs does not end
/// within a second; the second ends it at once.
fn on_interrupt(stop: impl Fn() + Send + Sync + 'static) {
    on_interrupt_without_end(move || {
        stop();
        watchdog::end_soon();
    });
}

/// Installs the signal handler: the first Ctrl-C (or SIGTERM, SIGHUP) calls `stop`, the second ends the program. The end of the time limit
/// calls `stop` too.
fn on_interrupt_without_end(stop: impl Fn() + Send + Sync + 'static) {
    let stop = std::sync::Arc::new(stop);
    let at_end = std::sync::Arc::clone(&stop);
    limits::at_deadline(move || at_end());
    let before = AtomicBool::new(false);
    on_signal(move || {
        if before.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        print_error("stopping; press Ctrl-C again to end at once");
        stop();
    });
}

/// Installs a handler of Ctrl-C, SIGTERM and SIGHUP.
fn on_signal(act: impl FnMut() + Send + 'static) {
    if let Err(error) = ctrlc::set_handler(act) {
        // Not fatal: Ctrl-C then ends the program at once.
        print_error(&format!("Ctrl-C can't be caught: {error}"));
    }
}

/// Whether to use colours: the terminal has them, and `NO_COLOR` is not set.
fn use_color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !set("NO_COLOR") && !dumb
}

/// Prints the value of an evaluation, unless there is none.
fn show(outcome: &EvalResult) -> Result<(), ScriptError> {
    if outcome.is_unit {
        return Ok(());
    }
    print(&format!("{}\n", outcome.text))
}

fn print(text: &str) -> Result<(), ScriptError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A broken pipe (`odesync … | head`) is no error: the reader has what it wanted.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(ScriptError::new(
            script::ErrorKind::Runtime,
            format!("cannot write the output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Returns the width of lines of text in columns: that of the terminal, up to a readable maximum.
fn text_width() -> usize {
    let most = script::reference::WIDTH;
    crossterm::terminal::size().map_or(most, |(columns, _)| usize::from(columns).clamp(30, most))
}

fn print_error(text: &str) {
    // An error is ignored: with standard error closed it cannot be reported.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn usage_exit(text: &str) -> ExitCode {
    print_error(&format!("error: {text}"));
    ExitCode::from(2)
}
