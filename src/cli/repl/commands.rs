//! The commands that begin with a colon, described once: help, completion and hints come from here.

/// What a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// The name of a function, or a topic.
    Name,
    File,
    Code,
    /// `a.b=value`
    Setting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
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

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    pub id: Name,
    pub name: &'static str,
    pub takes: Takes,
    /// What follows the name.
    pub usage: &'static str,
    pub text: &'static str,
}

const fn command(
    id: Name,
    name: &'static str,
    takes: Takes,
    usage: &'static str,
    text: &'static str,
) -> Command {
    Command {
        id,
        name,
        takes,
        usage,
        text,
    }
}

pub(super) const ALL: [Command; 10] = [
    command(
        Name::Help,
        "help",
        Takes::Nothing,
        "",
        "what can be typed here",
    ),
    command(
        Name::Doc,
        "doc",
        Takes::Name,
        "NAME",
        "what a function does, with an example; without a name the list",
    ),
    command(
        Name::Vars,
        "vars",
        Takes::Nothing,
        "",
        "the variables: type, shape, value",
    ),
    command(
        Name::Load,
        "load",
        Takes::File,
        "FILE",
        "run a script here; its variables and functions stay",
    ),
    command(
        Name::Time,
        "time",
        Takes::Code,
        "CODE",
        "evaluate code and say how long it took",
    ),
    command(
        Name::Save,
        "save",
        Takes::File,
        "FILE",
        "write what was typed, without the mistakes, as a script",
    ),
    command(
        Name::Set,
        "set",
        Takes::Setting,
        "a.b=value",
        "change the configuration; without a value show it",
    ),
    command(
        Name::Unset,
        "unset",
        Takes::Setting,
        "a.b",
        "take a change back; without a key all of them",
    ),
    command(
        Name::Run,
        "run",
        Takes::Nothing,
        "",
        "run again, with the changed configuration",
    ),
    command(
        Name::Quit,
        "quit",
        Takes::Nothing,
        "",
        "leave; so does Ctrl-D",
    ),
];

/// The command of a name, or the only one that begins so.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    let exact = ALL.iter().find(|command| command.name == name);
    let mut like = ALL
        .iter()
        .filter(|command| !name.is_empty() && command.name.starts_with(name));
    exact.or_else(|| like.next().filter(|_| like.next().is_none()))
}

/// The text of `:help`.
pub(super) fn help() -> String {
    let mut text = String::from(
        "Type code to evaluate it; the last value is ans. An unfinished bracket goes on in the\n\
         next line, Alt-Enter begins a line in any case. A semicolon at the end keeps the value\n\
         from being shown.\n\n",
    );
    for command in &ALL {
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
        assert_eq!(find("q").map(|c| c.id), Some(Name::Quit));
        assert_eq!(find("set").map(|c| c.id), Some(Name::Set));
        assert!(find("s").is_none() && find("").is_none() && find("zzz").is_none());
        assert!(help().contains(":set a.b=value"));
    }
}
