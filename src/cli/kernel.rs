//! `odesync kernel install`, `run`, `uninstall`: the script language in Jupyter.

use std::path::PathBuf;

use odesync_kernel::kernelspec::{self, DEFAULT_NAME, Destination};

use crate::script::{AccessRules, ErrorKind, RunPlan, ScriptError};

use super::GlobalArgs;

/// What stands before the flags that allow the cells more.
const ACCESS_COMMAND: &str = "odesync kernel install ";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync kernel install
  odesync kernel install --prefix .venv
  odesync kernel install --allow-read=/data     cells may read there too, besides the folder of Jupyter
  odesync kernel uninstall")]
pub(super) struct KernelArgs {
    #[command(subcommand)]
    command: KernelCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KernelCommand {
    /// Register the kernel of the script language with Jupyter
    Install(PlaceArgs),
    /// Run a kernel; Jupyter does this
    Run {
        /// File with the addresses at which Jupyter looks for the kernel
        #[arg(long, value_name = "FILE")]
        connection_file: PathBuf,
    },
    /// Take the registration away
    Uninstall(PlaceArgs),
}

#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// For this user [default]
    #[arg(long, conflicts_with = "prefix")]
    user: bool,
    /// For the Jupyter in this folder, such as a virtual environment
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Name of the kernel
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    name: String,
}

impl PlaceArgs {
    fn destination(&self) -> Destination {
        match &self.prefix {
            Some(prefix) => Destination::Prefix(prefix.clone()),
            None => Destination::User,
        }
    }
}

impl KernelArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let failed = |e: crate::Error| ScriptError::new(ErrorKind::Runtime, e.to_string());
        match &self.command {
            KernelCommand::Install(place) => {
                let program = super::torch_package::own_path().map_err(|error| {
                    let message = format!("the path of this program is not known: {error}");
                    ScriptError::new(ErrorKind::Runtime, message)
                })?;
                // A folder that cannot be allowed is an error now, not in Jupyter.
                common.access.rules(ACCESS_COMMAND)?;
                let flags = [common.access.flags(), common.limits.flags()].concat();
                let folder =
                    kernelspec::install(&place.destination(), &place.name, &program, &flags)
                        .map_err(failed)?;
                super::print(&format!(
                    "the kernel {} is in {}; choose \"odesync\" in Jupyter\n",
                    place.name,
                    folder.display()
                ))
            }
            KernelCommand::Uninstall(place) => {
                let folder =
                    kernelspec::uninstall(&place.destination(), &place.name).map_err(failed)?;
                super::print(&format!("removed {}\n", folder.display()))
            }
            KernelCommand::Run { connection_file } => {
                let mut options = super::session_options(common, Vec::new(), RunPlan::default())?;
                super::watchdog::guard_memory();
                options.access = common
                    .access
                    .rules(ACCESS_COMMAND)?
                    .map(|rules| AccessRules {
                        restricts_typed_code: true,
                        ..rules
                    });
                odesync_kernel::run(connection_file, options).map_err(failed)
            }
        }
    }
}
