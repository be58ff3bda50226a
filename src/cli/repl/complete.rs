//! Completion at the prompt: commands and settings, and code as every front end completes it.

use reedline::{Completer, CompletionResult, Span, Suggestion};

use super::commands::{self, CommandArgument};
use super::shared_symbols::SharedSymbols;
use crate::config::{ConfigSource, Value};
use odesync_script::editing::{
    Candidate, SymbolTable, code_candidates, filter_by_prefix, first_sentence, path_candidates,
};

/// The completer of the line editor.
pub(super) struct ReplCompleter(pub SharedSymbols);

impl Completer for ReplCompleter {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let text = line.get(..pos).unwrap_or(line);
        let (start, offers) = candidates(&self.0.get(), text);
        let suggestions: Vec<Suggestion> = offers
            .into_iter()
            .map(|offer| Suggestion {
                value: offer.value,
                description: Some(offer.description).filter(|what| !what.is_empty()),
                span: Span::new(start, text.len()),
                ..Suggestion::default()
            })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

/// Returns the start of the word before the cursor, and the candidates that may replace it.
fn candidates(symbols: &SymbolTable, text: &str) -> (usize, Vec<Candidate>) {
    let trimmed = text.trim_start();
    match trimmed.strip_prefix(':') {
        Some(command) => command_candidates(symbols, command, text.len() - command.len()),
        None => code_candidates(symbols, text),
    }
}

fn command_candidates(symbols: &SymbolTable, command: &str, at: usize) -> (usize, Vec<Candidate>) {
    let Some((name, rest)) = command.split_once(' ') else {
        let all = commands::COMMANDS.iter();
        let offers = all.map(|c| Candidate::new(c.name, c.text)).collect();
        return (at, filter_by_prefix(command, offers));
    };
    let typed = rest.trim_start();
    let start = at + command.len() - typed.len();
    let offers = match commands::find(name).map(|command| command.argument) {
        Some(CommandArgument::File) => {
            let (skip, offers) = path_candidates(typed);
            return (start + skip, offers);
        }
        Some(CommandArgument::Code) => {
            let (from, offers) = code_candidates(symbols, typed);
            return (start + from, offers);
        }
        Some(CommandArgument::Name) => {
            let docs = symbols.catalogue.docs.iter();
            let mut names: Vec<Candidate> = docs
                .map(|doc| Candidate::new(doc.name, first_sentence(doc)))
                .collect();
            names.sort_by(|a, b| a.value.cmp(&b.value));
            names.dedup_by(|a, b| a.value == b.value);
            names
        }
        Some(CommandArgument::Setting) => return setting_candidates(symbols, typed, start),
        _ => Vec::new(),
    };
    (start, filter_by_prefix(typed, offers))
}

/// Returns candidates for a setting: keys of the configuration, or after `=` the options of a group.
fn setting_candidates(symbols: &SymbolTable, typed: &str, start: usize) -> (usize, Vec<Candidate>) {
    if let Some((group, option)) = typed.split_once('=') {
        let options = ConfigSource::find(None).options(group).unwrap_or_default();
        let offers = options.into_iter().map(|o| Candidate::new(o, "")).collect();
        return (start + group.len() + 1, filter_by_prefix(option, offers));
    }
    let mut offers: Vec<Candidate> = symbols
        .arguments
        .iter()
        .map(|key| Candidate::new(format!("{key}="), "argument of the script"))
        .collect();
    if let Some(config) = &symbols.config {
        let groups = ConfigSource::find(None).groups().unwrap_or_default();
        let is_chosen = |group: &String| config.get(group).is_some();
        offers.extend(
            groups
                .into_iter()
                .filter(is_chosen)
                .map(|group| Candidate::new(format!("{group}="), "another option of this group")),
        );
        config_leaves("", config.value(), &mut offers);
    }
    (start, filter_by_prefix(typed, offers))
}

/// Adds every key of a configuration tree with its value to the candidates.
fn config_leaves(path: &str, value: &Value, offers: &mut Vec<Candidate>) {
    let Value::Mapping(map) = value else {
        offers.push(Candidate::new(format!("{path}="), one_line(value)));
        return;
    };
    for (key, value) in map {
        let Some(key) = key.as_str() else { continue };
        let path = match path {
            "" => key.to_string(),
            path => format!("{path}.{key}"),
        };
        config_leaves(&path, value, offers);
    }
}

/// Formats a value of a configuration on one line.
pub(super) fn one_line(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(x) => x.to_string(),
        Value::Number(x) => x.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(list) => {
            let items: Vec<String> = list.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(map) => {
            let item =
                |(key, value): (&Value, &Value)| format!("{}: {}", one_line(key), one_line(value));
            let items: Vec<String> = map.iter().map(item).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Tagged(tagged) => one_line(&tagged.value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::symbol_table;
    use super::*;

    #[test]
    fn commands_and_settings_are_offered() {
        let symbols = symbol_table(
            "let run = train(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), vanilla(), #{ epochs: 2 });
             let c = config(\"lotka_volterra\");",
        );
        for (text, start, wanted) in [
            (":h", 1, "help"),
            (":doc homo", 5, "homotopy"),
            (":time run.be", 10, "best_mse"),
            (":set training.l", 5, "training.lr="),
            (":set training", 5, "training="),
            (":set training=van", 14, "vanilla"),
        ] {
            let (from, offers) = candidates(&symbols, text);
            assert!(
                offers.iter().any(|o| o.value == wanted),
                "{text}: {offers:?}"
            );
            assert_eq!(from, start, "{text}");
        }
        assert!(candidates(&symbols, ":zzz").1.is_empty());
    }
}
