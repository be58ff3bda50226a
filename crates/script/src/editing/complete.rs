//! Completion of the word at the end of a text.

use super::cursor_call::CursorCall;
use super::infer;
use super::lexer::{BracketKind, LexerState, TokenKind, TokenizedText};
use super::option_keys;
use super::paths;
use super::symbols::{BUILTIN_FUNCTIONS, KEYWORDS, SymbolTable, is_identifier, receiver};
use crate::script::Doc;
use odesync_config::ConfigSource;

/// A candidate of the completion at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Text that replaces the word before the cursor.
    pub value: String,
    /// Short description, which the menu shows.
    pub description: String,
}

impl Candidate {
    /// Makes a candidate from its text and its description.
    pub fn new(value: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            description: what.into(),
        }
    }
}

/// Returns the candidates that begin with the typed text.
pub fn filter_by_prefix(typed: &str, mut offers: Vec<Candidate>) -> Vec<Candidate> {
    offers.retain(|offer| offer.value.starts_with(typed));
    offers
}

/// Returns the start of the word at the end of the code, and the candidates that may replace it.
pub fn code_candidates(symbols: &SymbolTable, text: &str) -> (usize, Vec<Candidate>) {
    let scan = TokenizedText::tokenize(text);
    match scan.end {
        LexerState::Comment | LexerState::LineComment => return (text.len(), Vec::new()),
        LexerState::Text | LexerState::ContinuedText => {
            return string_candidates(symbols, text, &scan);
        }
        LexerState::Plain => {}
    }
    if scan
        .open
        .last()
        .is_some_and(|frame| frame.kind == BracketKind::Template)
    {
        return (text.len(), Vec::new());
    }
    // The word that is being typed is at the end of the text, without a space after it.
    let word = scan.tokens.last().filter(|t| t.range.end == text.len());
    let (start, before) = match word {
        Some(word) if word.kind == TokenKind::Word => {
            (word.range.start, scan.tokens.len().checked_sub(2))
        }
        Some(word) if word.kind == TokenKind::Number => return (text.len(), Vec::new()),
        _ => (text.len(), scan.tokens.len().checked_sub(1)),
    };
    let typed = &text[start..];
    let before_text = before.map_or("", |i| scan.text(text, i));
    if matches!(before_text, "." | "?.") {
        let of = before.and_then(|i| i.checked_sub(1));
        let kind = of.and_then(|of| infer::infer_type(symbols, text, &scan, of));
        return (
            start,
            filter_by_prefix(typed, member_candidates(symbols, kind.as_deref())),
        );
    }
    if matches!(before_text, "#{" | ",")
        && scan
            .open
            .last()
            .is_some_and(|frame| frame.kind == BracketKind::Map)
    {
        return (
            start,
            filter_by_prefix(typed, key_candidates(symbols, text, &scan)),
        );
    }
    if let Some(key) = before.and_then(|i| option_keys::key_of(symbols, text, &scan, i + 1)) {
        let values = key
            .values()
            .map(|value| Candidate::new(value, ""))
            .collect();
        let values = filter_by_prefix(typed, values);
        // With nothing typed, only the values listed for the key are offered.
        if !values.is_empty() {
            return (start, values);
        }
    }
    if matches!(before_text, "let" | "const" | "fn") {
        return (text.len(), Vec::new());
    }
    (start, filter_by_prefix(typed, name_candidates(symbols)))
}

/// Returns candidates within a string: values of an option, names of experiments, or files.
fn string_candidates(
    symbols: &SymbolTable,
    text: &str,
    scan: &TokenizedText,
) -> (usize, Vec<Candidate>) {
    let Some(string) = scan.tokens.last() else {
        return (text.len(), Vec::new());
    };
    let start = string.range.start + 1;
    let typed = text.get(start..).unwrap_or_default();
    let call = CursorCall::innermost(symbols, text, scan).map(|call| call.name);
    if call == Some("config") {
        let names = ConfigSource::find(None).experiments().unwrap_or_default();
        let offers = names
            .into_iter()
            .map(|name| Candidate::new(name, "experiment"));
        return (start, filter_by_prefix(typed, offers.collect()));
    }
    let string = scan.tokens.len() - 1;
    if let Some(key) = option_keys::key_of(symbols, text, scan, string)
        && !key.choices.is_empty()
    {
        let names = key
            .choices
            .iter()
            .map(|name| Candidate::new(*name, key.name));
        return (start, filter_by_prefix(typed, names.collect()));
    }
    let (skip, offers) = paths::path_candidates(typed);
    (start + skip, offers)
}

fn member_candidates(symbols: &SymbolTable, kind: Option<&str>) -> Vec<Candidate> {
    let Some(kind) = kind else {
        return Vec::new();
    };
    let members = symbols.members(kind).into_iter();
    members
        .map(|member| {
            let what = member.doc.map_or(String::new(), first_sentence);
            let bracket = match member.doc.map(|doc| doc.signature) {
                _ if !member.is_function => "",
                Some(signature) if signature.contains(&format!("{}()", member.name)) => "()",
                _ => "(",
            };
            Candidate::new(format!("{}{bracket}", member.name), what)
        })
        .collect()
}

/// Returns the keys of the open option map that are not set in it yet.
fn key_candidates(symbols: &SymbolTable, text: &str, scan: &TokenizedText) -> Vec<Candidate> {
    let Some(map) = scan.open.last() else {
        return Vec::new();
    };
    let is_key = |i: usize| scan.text(text, i + 1) == ":";
    let there: Vec<&str> = (map.token..scan.tokens.len())
        .filter(|i| is_key(*i))
        .map(|i| scan.text(text, i))
        .collect();
    let keys = option_keys::keys(symbols, text, scan).into_iter();
    keys.filter(|key| !there.contains(&key.name))
        .map(|key| {
            let values: Vec<String> = key.values().collect();
            Candidate::new(format!("{}: ", key.name), values.join(" "))
        })
        .collect()
}

/// Returns candidates for a name: variables, functions, constants and keywords of the language.
fn name_candidates(symbols: &SymbolTable) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = symbols
        .variables
        .iter()
        .map(|v| Candidate::new(v.name.clone(), format!("{} {}", v.kind, v.short)))
        .collect();
    let user_functions = symbols.functions.iter();
    all.extend(user_functions.map(|f| {
        let call = if f.parameters.is_empty() { "()" } else { "(" };
        Candidate::new(
            format!("{}{call}", f.name),
            format!("fn({})", f.parameters.join(", ")),
        )
    }));
    for doc in &symbols.catalogue.docs {
        if doc.receiver_type.is_some() || receiver(doc).is_some() || !is_identifier(doc.name) {
            continue;
        }
        let value = if symbols.catalogue.constants.contains(&doc.name) {
            doc.name.to_string()
        } else if doc.signature.contains(&format!("{}()", doc.name)) {
            format!("{}()", doc.name)
        } else {
            format!("{}(", doc.name)
        };
        all.push(Candidate::new(value, first_sentence(doc)));
    }
    all.extend(
        BUILTIN_FUNCTIONS
            .iter()
            .map(|name| Candidate::new(format!("{name}("), "")),
    );
    all.extend(KEYWORDS.iter().map(|word| Candidate::new(*word, "")));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|offer| seen.insert(offer.value.trim_end_matches(['(', ')']).to_string()));
    all
}

/// Returns the first sentence of a description.
pub fn first_sentence(doc: &Doc) -> String {
    let end = doc.text.find(". ").map_or(doc.text.len(), |end| end + 1);
    doc.text[..end].to_string()
}

#[cfg(test)]
mod tests {
    use super::super::symbols::symbol_table;
    use super::*;

    const BEFORE: &str = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1));
        let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 });
        fn twice(x) { 2 * x }
        let x = linspace(0, 1, 5); let list = [1, 2]; let text = \"a\"; let c = config(\"lotka_volterra\");";

    fn values(symbols: &SymbolTable, text: &str) -> (usize, Vec<String>) {
        let (start, offers) = code_candidates(symbols, text);
        (start, offers.into_iter().map(|offer| offer.value).collect())
    }

    #[test]
    fn names_members_and_keys_are_offered_where_they_fit() {
        let symbols = symbol_table(BEFORE);
        for (text, start, wanted) in [
            ("homo", 0, "homotopy("),
            ("let a = tw", 8, "twice("),
            ("1 + ru", 4, "run"),
            ("ret", 0, "return"),
            ("2 * P", 4, "PI"),
            ("vani", 0, "vanilla()"),
            ("run.", 4, "best_mse"),
            ("run.pre", 4, "predict("),
            ("run.model.par", 10, "params"),
            ("print(run.model.", 16, "n_params"),
            ("data.add", 5, "add_noise("),
            ("dataset(f, u0, t).add", 18, "add_noise("),
            ("solve(f, u, t).st", 15, "stats"),
            ("x.sh", 2, "shape"),
            ("x[0].sh", 5, "shape"),
            ("list.pu", 5, "push("),
            ("text.to_u", 5, "to_upper("),
            ("[1, 2].le", 7, "len("),
            ("plot(run).sa", 10, "save("),
            ("c.ge", 2, "get("),
            ("train(m, d, v, #{ ep", 18, "epochs: "),
            ("train(m, d, v, #{ lr: 0.1, ", 27, "epochs: "),
            ("train(m, d, v, #{ variants: [#{ l", 32, "lr: "),
            ("homotopy(#{ ", 12, "coupling: "),
            ("homotopy(#{ schedule: ", 22, "power_law("),
            ("homotopy(#{ schedule: st", 22, "stepwise("),
            ("solve(f, u, t, #{ solver: ", 26, "\"radau\""),
            ("solve(f, u, t, #{ solver: \"ra", 27, "radau"),
            ("solve(f, u, t, #{ controller: ", 30, "\"pi\""),
            ("train(m, d, v, #{ resume: t", 26, "true"),
            ("train(m, d, v, #{ adjoint: ", 27, "\"symplectic\""),
            ("figure().heatmap(x, y, z, #{ map: \"ci", 35, "cividis"),
            ("train(m, d, v, #{ resume: ru", 26, "run"),
            ("f(1)\nrun.be", 9, "best_mse"),
            ("`a ${run.be", 9, "best_mse"),
            ("config(\"lor", 8, "lorenz3d"),
        ] {
            let (from, values) = values(&symbols, text);
            assert!(values.iter().any(|v| v == wanted), "{text}: {values:?}");
            assert_eq!(from, start, "{text}");
        }
    }

    #[test]
    fn nothing_is_offered_where_nothing_fits() {
        let symbols = symbol_table(BEFORE);
        for text in [
            "// ru", "\"zzq", "let ru", "1.5", "run.zzz", "`ru", "zzz", "zzz.", "/* ru",
        ] {
            assert_eq!(values(&symbols, text).1, Vec::<String>::new(), "{text}");
        }
        let (_, keys) = values(&symbols, "train(m, d, v, #{ lr: 0.1, ");
        assert!(!keys.contains(&"lr: ".to_string()));
        // A value is no key.
        let (_, names) = values(&symbols, "train(m, d, v, #{ lr: ");
        assert!(names.contains(&"run".to_string()) && !names.contains(&"epochs: ".to_string()));
        let (_, members) = values(&symbols, "run.");
        assert!(
            !members.iter().any(|m| m.starts_with("add_noise")),
            "{members:?}"
        );
    }
}
