//! `odesync completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::script::ScriptError;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The script goes where the shell looks for it:
  bash        odesync completions bash > ~/.local/share/bash-completion/completions/odesync
  zsh         odesync completions zsh > ~/.zfunc/_odesync
              with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  fish        odesync completions fish > ~/.config/fish/completions/odesync.fish
  elvish      odesync completions elvish >> ~/.config/elvish/rc.elv
  powershell  odesync completions powershell >> $PROFILE

Examples:
  source <(odesync completions bash)      for this shell only")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self) -> Result<(), ScriptError> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut super::Cli::command(),
            "odesync",
            &mut script,
        );
        super::print(&String::from_utf8_lossy(&script))
    }
}
