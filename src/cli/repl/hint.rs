//! Hints after the cursor: the signature of the call that is being typed, otherwise the continuation of an earlier input.

use nu_ansi_term::{Color, Style};
use reedline::{Hinter, History, SearchQuery};

use super::commands;
use super::shared_symbols::SharedSymbols;
use odesync_script::editing::{CursorCall, SymbolTable, TokenizedText};

/// The hinter of the line editor.
pub(super) struct ReplHinter {
    symbols: SharedSymbols,
    /// Rest of an earlier input, which the right arrow inserts.
    suffix: String,
}

impl ReplHinter {
    pub fn new(symbols: SharedSymbols) -> Self {
        Self {
            symbols,
            suffix: String::new(),
        }
    }
}

impl Hinter for ReplHinter {
    fn handle(
        &mut self,
        line: &str,
        pos: usize,
        history: &dyn History,
        colour: bool,
        _cwd: &str,
    ) -> String {
        self.suffix.clear();
        let faint = |text: &str| match colour {
            true => Style::new().fg(Color::DarkGray).paint(text).to_string(),
            false => text.to_string(),
        };
        if pos < line.len() || line.is_empty() {
            return String::new();
        }
        if let Some(command) = line.trim_start().strip_prefix(':') {
            let found = commands::find(command.trim_end());
            let usage = found.map_or(String::new(), |found| match command.ends_with(' ') {
                true => found.usage.to_string(),
                false => format!(" {}", found.usage),
            });
            return faint(usage.trim_end());
        }
        if let Some((before, current, after)) = signature(&self.symbols.get(), line) {
            let room = max_signature_width();
            let whole = format!("  {before}{current}{after}");
            if whole.chars().count() > room {
                let cut: String = whole.chars().take(room.saturating_sub(1)).collect();
                return faint(&format!("{cut}…"));
            }
            return match colour {
                true => format!(
                    "{}{}{}",
                    faint(&format!("  {before}")),
                    Style::new()
                        .fg(Color::DarkGray)
                        .bold()
                        .underline()
                        .paint(&current),
                    faint(&after)
                ),
                false => whole,
            };
        }
        let found = history.search(SearchQuery::last_with_prefix(
            line.to_string(),
            history.session(),
        ));
        let earlier = found
            .ok()
            .and_then(|found| Some(found.first()?.command_line.clone()));
        self.suffix = earlier
            .and_then(|earlier| Some(earlier.get(line.len()..)?.to_string()))
            .unwrap_or_default();
        faint(&self.suffix)
    }

    fn complete_hint(&self) -> String {
        self.suffix.clone()
    }

    fn next_hint_token(&self) -> String {
        let start = self.suffix.len() - self.suffix.trim_start().len();
        let word = self.suffix[start..].find(char::is_whitespace);
        let end = word.map_or(self.suffix.len(), |word| start + word);
        self.suffix[..end].to_string()
    }
}

/// Returns the largest width of a signature in characters: two lines of the terminal.
fn max_signature_width() -> usize {
    let columns = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    (2 * columns).clamp(40, 240)
}

/// Returns the signature of the call around the cursor in three parts: before the current argument, the argument, and after it.
pub(super) fn signature(symbols: &SymbolTable, text: &str) -> Option<(String, String, String)> {
    let scan = TokenizedText::tokenize(text);
    let call = CursorCall::innermost(symbols, text, &scan)?;
    if let Some(function) = symbols
        .functions
        .iter()
        .find(|f| f.name == call.name && !call.is_method)
    {
        return Some(split_at_argument(
            &format!("{}({})", function.name, function.parameters.join(", ")),
            function.name.len(),
            call.argument,
        ));
    }
    let doc = call.doc(symbols)?;
    let forms = overloads(doc.signature);
    // The first overload with enough parameters for the current argument.
    let fits = |form: &&&str| parameters(form, doc.name).is_some_and(|p| p.len() > call.argument);
    let form = forms.iter().find(fits).or(forms.last())?;
    let name = form.find(&format!("{}(", doc.name))? + doc.name.len();
    Some(split_at_argument(form, name, call.argument))
}

/// Returns the overloads of a signature such as `plot(a), plot(b) or plot(c) -> Figure`.
fn overloads(signature: &str) -> Vec<&str> {
    let mut forms = Vec::new();
    let mut depth = 0i32;
    let mut start = 0;
    let mut skip = 0;
    for (i, c) in signature.char_indices() {
        if i < skip {
            continue;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if depth == 0 => {
                let joint = [", or ", " or ", ", "]
                    .into_iter()
                    .find(|j| signature[i..].starts_with(j));
                if let Some(joint) = joint {
                    forms.push(&signature[start..i]);
                    start = i + joint.len();
                    skip = start;
                }
            }
            _ => {}
        }
    }
    forms.push(&signature[start..]);
    forms
}

/// Returns the ranges of the parameters of an overload.
fn parameters(form: &str, name: &str) -> Option<Vec<std::ops::Range<usize>>> {
    let open = form.find(&format!("{name}("))? + name.len() + 1;
    Some(argument_ranges(form, open))
}

/// Returns the ranges between the commas from `open` to the closing bracket.
fn argument_ranges(form: &str, open: usize) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut depth = 0i32;
    let mut bars = false;
    let mut start = open;
    for (i, c) in form[open..].char_indices() {
        let at = open + i;
        match c {
            ')' if depth == 0 => {
                if start < at {
                    ranges.push(start..at);
                }
                return ranges;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '|' => bars = !bars,
            ',' if depth == 0 && !bars => {
                ranges.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    ranges
}

/// Splits an overload at the parameter of index `argument`; `name` is the end of its name.
fn split_at_argument(form: &str, name: usize, argument: usize) -> (String, String, String) {
    let ranges = argument_ranges(form, name + 1);
    let Some(range) = ranges.get(argument).or(ranges.last()) else {
        return (form.to_string(), String::new(), String::new());
    };
    let spaces = form[range.clone()].len() - form[range.clone()].trim_start().len();
    let start = range.start + spaces;
    (
        form[..start].to_string(),
        form[start..range.end].to_string(),
        form[range.end..].to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::symbol_table;
    use super::*;

    #[test]
    fn the_signature_of_the_innermost_call_with_its_argument() {
        let symbols = symbol_table(
            "fn own(a, b) { a + b } let run = 1; let d = dataset([0, 1], [[1.0], [2.0]]);",
        );
        for (text, before, current) in [
            ("arange(", "arange(", "start"),
            ("arange(0, ", "arange(start, ", "stop"),
            ("print(arange(0, sin(1), ", "arange(start, stop, ", "step"),
            ("own(1, ", "own(a, ", "b"),
            ("train(m, ", "train(model, ", "data"),
            ("system(2, |t, u| [u[0]], ", "", "#{"),
            ("dataset(f, u0, ", "dataset(field, u0, ", "t"),
            ("d.add_noise(", "data.add_noise(", "amplitude"),
            (
                "train(m, d, v, #{ lr: ",
                "train(model, data, method, ",
                "#{ lr",
            ),
        ] {
            let (b, c, _) = signature(&symbols, text).unwrap_or_else(|| panic!("{text}"));
            assert!(
                b.starts_with(before) && c.starts_with(current),
                "{text}: {b} {c}"
            );
        }
        for text in ["x", "arange(0, 1, 2)", "(1 + ", "[1, "] {
            assert!(signature(&symbols, text).is_none(), "{text}");
        }
    }

    #[test]
    fn forms_are_told_apart() {
        assert_eq!(
            overloads("f(a, b) -> X, or f(c) -> Y"),
            ["f(a, b) -> X", "f(c) -> Y"]
        );
        assert_eq!(
            overloads("f(a), f(b) or f(c, #{ d: 1 }) -> Y"),
            ["f(a)", "f(b)", "f(c, #{ d: 1 }) -> Y"]
        );
    }
}
