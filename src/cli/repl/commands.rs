//! The commands that begin with a colon, in one table that help, completion and hints use.

/// The kind of argument of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandArgument {
    Nothing,
    /// The name of a function, or a topic.
    Name,
    File,
    Code,
    /// A setting `a.b=value`.
    Setting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandId {
    Help,
    Doc,
    Vars,
    Load,
    Save,
    Time,
    Set,
    Unset,
    Run,
    Quit,
}

/// A command of the REPL.
#[derive(Debug)]
pub(super) struct ReplCommand {
    pub id: CommandId,
    pub name: &'static str,
    pub argument: CommandArgument,
    /// Argument part of the usage, after the name.
    pub usage: &'static str,
    pub text: &'static str,
}

const fn command(
    id: CommandId,
    name: &'static str,
    takes: CommandArgument,
    usage: &'static str,
    text: &'static str,
) -> ReplCommand {
    ReplCommand {
        id,
        name,
        argument: takes,
        usage,
        text,
    }
}

pub(super) const COMMANDS: [ReplCommand; 10] = [
    command(
        CommandId::Help,
        "help",
        CommandArgument::Nothing,
        "",
        "what can be typed here",
    ),
    command(
        CommandId::Doc,
        "doc",
        CommandArgument::Name,
        "NAME",
        "what a function does, with an example; without a name the list",
    ),
    command(
        CommandId::Vars,
        "vars",
        CommandArgument::Nothing,
        "",
        "the variables: type, shape, value",
    ),
    command(
        CommandId::Load,
        "load",
        CommandArgument::File,
        "FILE",
        "run a script here; its variables and functions stay",
    ),
    command(
        CommandId::Time,
        "time",
        CommandArgument::Code,
        "CODE",
        "evaluate code and say how long it took",
    ),
    command(
        CommandId::Save,
        "save",
        CommandArgument::File,
        "FILE",
        "write what was typed, without the mistakes, as a script",
    ),
    command(
        CommandId::Set,
        "set",
        CommandArgument::Setting,
        "a.b=value",
        "change the configuration; without a value show it",
    ),
    command(
        CommandId::Unset,
        "unset",
        CommandArgument::Setting,
        "a.b",
        "take a change back; without a key all of them",
    ),
    command(
        CommandId::Run,
        "run",
        CommandArgument::Nothing,
        "",
        "run again, with the changed configuration",
    ),
    command(
        CommandId::Quit,
        "quit",
        CommandArgument::Nothing,
        "",
        "leave; so does Ctrl-D",
    ),
];

/// Returns the command of a name, or the only command with this prefix.
pub(super) fn find(name: &str) -> Option<&'static ReplCommand> {
    let exact = COMMANDS.iter().find(|command| command.name == name);
    let mut like = COMMANDS
        .iter()
        .filter(|command| !name.is_empty() && command.name.starts_with(name));
    exact.or_else(|| like.next().filter(|_| like.next().is_none()))
}

/// Returns the text of `:help`.
pub(super) fn help() -> String {
    let mut text = String::from(
        "Type code to evaluate it; the last value is ans. An unfinished bracket goes on in the\n\
         next line, Alt-Enter begins a line in any case. A semicolon at the end keeps the value\n\
         from being shown.\n\n",
    );
    for command in &COMMANDS {
        let usage = format!(":{} {}", command.name, command.usage);
        text.push_str(&format!("  {usage:16} {}\n", command.text));
    }
    text.push_str(
        "\nTab completes, the right arrow takes the hint over, the up arrow and Ctrl-R look into the\n\
         history. Ctrl-C clears the line; it stops a training, whose run so far is kept. Ctrl-D leaves.\n\n\
         To vary an experiment: :load scripts/train_lotka_volterra.rhai, :set training.lr=0.03, :run\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_enough_where_it_is_the_only_one() {
        assert_eq!(find("q").map(|c| c.id), Some(CommandId::Quit));
        assert_eq!(find("set").map(|c| c.id), Some(CommandId::Set));
        assert!(find("s").is_none() && find("").is_none() && find("zzz").is_none());
        assert!(help().contains(":set a.b=value"));
    }
}
