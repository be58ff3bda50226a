//! The documentation of the script's functions as text: a list by topic, the page of one function, all of it as Markdown.

use std::fmt::Write;

use super::keys::{Key, distinct};
use super::registry::Doc;
use crate::{Error, Result};
use odesync_base::error::nearest;
use odesync_base::text::escape_html;

/// Largest number of columns of a line of text.
pub const WIDTH: usize = 100;

/// Returns the topics, in the order in which they first appear.
pub fn topics(docs: &[Doc]) -> Vec<&'static str> {
    let mut topics = Vec::new();
    for doc in docs {
        if !topics.contains(&doc.topic) {
            topics.push(doc.topic);
        }
    }
    topics
}

/// Lists everything by topic, in one or two lines each, of at most `width` columns where words allow it.
pub fn index(docs: &[Doc], width: usize) -> String {
    let topics = topics(docs).into_iter();
    let mut text: Vec<String> = topics.map(|topic| topic_page(docs, topic, width)).collect();
    text.push(
        "`odesync docs NAME` (`:doc NAME` in the REPL) shows one with an example, or a topic, or a type with its members.\n".into(),
    );
    text.join("\n")
}

fn topic_page(docs: &[Doc], topic: &str, width: usize) -> String {
    let here: Vec<&Doc> = docs.iter().filter(|doc| doc.topic == topic).collect();
    format!("{}\n{}", capitalize(topic), list(&here, width))
}

/// Lists these entries, in one or two lines each.
fn list(docs: &[&Doc], width: usize) -> String {
    let names = docs.iter().map(|doc| list_name(doc).chars().count()).max();
    let names = names.unwrap_or(0);
    let mut text = String::new();
    for doc in docs {
        let name = format!("  {:names$}  ", list_name(doc));
        let margin = " ".repeat(name.chars().count());
        text += &wrap_words(
            first_sentence(doc.text).split_whitespace(),
            [&name, &margin],
            width,
        );
    }
    text
}

/// Returns the name of an entry in a list: `slope` for a function, `run.predict` for a method, `run.best_mse` for a property.
fn list_name(doc: &Doc) -> &'static str {
    let name = doc.signature.split(['(', ' ']).next();
    name.filter(|name| name.ends_with(doc.name))
        .unwrap_or(doc.name)
}

/// Returns the name that a signature gives to the value before the dot; `None` for a function.
fn receiver(doc: &Doc) -> Option<&'static str> {
    list_name(doc).split_once('.').map(|(receiver, _)| receiver)
}

fn first_sentence(text: &str) -> &str {
    match text.find(". ") {
        Some(end) => &text[..=end],
        None => text,
    }
}

fn capitalize(topic: &str) -> String {
    let mut letters = topic.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Returns the page about a name: a function, a property (`best_mse` or `run.best_mse`), a constant or a topic. Lines have at
/// most `width` columns, where words allow it.
///
/// # Errors
/// [`Error::Invalid`] for an unknown name, with the similar ones.
pub fn page(docs: &[Doc], name: &str, width: usize) -> Result<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let matches: Vec<&Doc> = docs.iter().filter(|doc| doc.name == last).collect();
    // `data.slice` means the method of data; where no signature has the full name, as for `d.slice`, all entries of the last name
    // are meant.
    let mut exact = matches.clone();
    exact.retain(|doc| {
        let kind = doc.receiver_type.map(|of| format!("{of}.{last}"));
        doc.signature.starts_with(name) || kind.as_deref() == Some(name)
    });
    let chosen = if last != name && !exact.is_empty() {
        exact
    } else {
        matches
    };
    let mut pages: Vec<String> = chosen.into_iter().map(|doc| entry(doc, width)).collect();
    pages.extend(type_page(docs, name, width));
    let topic = name.to_lowercase();
    if topics(docs).contains(&topic.as_str()) {
        pages.push(topic_page(docs, &topic, width));
    }
    if pages.is_empty() {
        return Err(unknown_name(docs, name));
    }
    Ok(pages.join("\n"))
}

/// Returns the page of a type: the functions that return a value of it, and its members.
fn type_page(docs: &[Doc], kind: &str, width: usize) -> Option<String> {
    let receivers: Vec<_> = docs
        .iter()
        .filter(|doc| doc.receiver_type == Some(kind))
        .filter_map(receiver)
        .collect();
    let gives = |doc: &&Doc| {
        let (_, result) = doc.signature.rsplit_once(" -> ").unwrap_or_default();
        result
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == kind)
    };
    let makers = docs.iter().filter(|doc| receiver(doc).is_none());
    let makers: Vec<&Doc> = makers.filter(gives).collect();
    let members = docs.iter();
    let members: Vec<&Doc> = members
        .filter(|doc| receiver(doc).is_some_and(|r| receivers.contains(&r)))
        .collect();
    let part = |title: &str, docs: &[&Doc]| match docs {
        [] => String::new(),
        _ => format!("{title}\n{}", list(docs, width)),
    };
    let page = part(&format!("{kind}, made by"), &makers)
        + part(&format!("Members of {kind}"), &members).as_str();
    (!page.is_empty()).then_some(page)
}

/// Returns the entry of one function, property or constant: its signature, text, options and example.
pub fn entry(doc: &Doc, width: usize) -> String {
    let keys = match distinct([doc.options]) {
        keys if keys.is_empty() || keys.iter().any(|key| key.doc.is_empty()) => keys_line(doc, "")
            .map_or(String::new(), |keys| {
                format!(
                    "\n{}",
                    wrap_words(keys.split_whitespace(), ["  "; 2], width)
                )
            }),
        keys => {
            let options: Vec<String> = keys.iter().map(|key| option(key, width)).collect();
            format!("\nOptions:\n{}", options.concat())
        }
    };
    format!(
        "{}{}{keys}\nExample:\n{}",
        wrap_words(doc.signature.split_whitespace(), ["", "  "], width),
        wrap_words(doc.text.split_whitespace(), ["  "; 2], width),
        wrap_code(doc.example, width)
    )
}

/// Returns the entry of one function, property or constant as HTML.
pub fn entry_html(doc: &Doc) -> String {
    let options: String = distinct([doc.options])
        .iter()
        .map(|key| {
            let values = [
                &listed_values(key)[..],
                &[key.default_text().replace('`', "")],
            ]
            .concat();
            let cells = [
                key.name.into(),
                values.join(", "),
                key.meaning().replace('`', ""),
            ];
            let cells = cells
                .iter()
                .map(|cell| format!("<td style=\"text-align:left\">{}</td>", escape_html(cell)));
            format!("<tr>{}</tr>", cells.collect::<String>())
        })
        .collect();
    let table = match options.as_str() {
        "" => String::new(),
        rows => format!("<table>{rows}</table>"),
    };
    format!(
        "<div><code><b>{}</b></code><p>{}</p>{table}<pre>{}</pre></div>",
        escape_html(doc.signature),
        escape_html(doc.text),
        escape_html(&statements(doc.example).join("\n"))
    )
}

/// Largest number of a key's values that are all listed; of more, only the first few are.
const MAX_VALUES_SHOWN: usize = 8;

/// Returns the entry of an option: its name, values and default, and what it means.
pub fn option(key: &Key, width: usize) -> String {
    let plain = |markdown: &str| markdown.replace('`', "");
    let values = match listed_values(key) {
        values if values.is_empty() => String::new(),
        values => format!(" ({})", values.join(", ")),
    };
    let head = format!(
        "{}{values}, default: {}",
        key.name,
        plain(&key.default_text())
    );
    let meaning = plain(&key.meaning());
    let mut text = wrap_words(head.split_whitespace(), ["  ", "      "], width);
    text.push_str(&wrap_words(
        meaning.split_whitespace(),
        ["      "; 2],
        width,
    ));
    text
}

/// Returns the rows of a table of options in Markdown: name, default and meaning of each.
pub fn option_rows(keys: &[&Key]) -> Vec<String> {
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |key: &&Key| {
        let (default, meaning) = (cell(&key.default_text()), cell(&key.meaning()));
        format!("| `{}` | {default} | {meaning} |", key.name)
    };
    keys.iter().map(row).collect()
}

/// Returns the values of a key that can be listed; of many, only the first few.
fn listed_values(key: &Key) -> Vec<String> {
    if key.literals == ["true", "false"] {
        return vec![];
    }
    // The arguments of a call are left out.
    let with_ellipsis = |value: String| match value.ends_with('(') {
        true => value + "…)",
        false => value,
    };
    let mut values: Vec<String> = key.values().map(with_ellipsis).collect();
    if values.len() > MAX_VALUES_SHOWN {
        values.truncate(3);
        values.push("…".into());
    }
    values
}

/// Lists the keys of the options with their possible values, each key between `marks`.
fn keys_line(doc: &Doc, marks: &str) -> Option<String> {
    let all: Vec<String> = distinct([doc.options])
        .into_iter()
        .map(|key| {
            let values = listed_values(key);
            let name = format!("{marks}{}{marks}", key.name);
            match values.is_empty() {
                true => name,
                false => format!("{name} ({})", values.join(", ")),
            }
        })
        .collect();
    (!all.is_empty()).then(|| format!("Keys of the options: {}.", all.join(", ")))
}

/// Wraps words into lines of at most `width` columns; the two margins are those of the first line and of the others.
fn wrap_words<'a>(
    words: impl IntoIterator<Item = &'a str>,
    [first, other]: [&str; 2],
    width: usize,
) -> String {
    let mut lines = String::from(first);
    let (mut column, mut empty) = (first.chars().count(), true);
    for word in words {
        let length = word.chars().count();
        if !empty && column + 1 + length > width {
            lines = lines + "\n" + other;
            (column, empty) = (other.chars().count(), true);
        }
        if !empty {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        (column, empty) = (column + length, false);
    }
    lines + "\n"
}

/// Formats code with one statement per line, or on several lines where it is long.
fn wrap_code(code: &str, width: usize) -> String {
    let lines = statements(code);
    let lines = lines.iter().map(|line| {
        // Break only outside strings.
        let mut quoted = false;
        let words = line.split(|c| {
            quoted ^= c == '"';
            c == ' ' && !quoted
        });
        wrap_words(words, ["  ", "      "], width)
    });
    lines.collect()
}

/// Splits an example into its statements, each with its semicolon.
fn statements(code: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut depth = 0i32;
    let mut quoted = false;
    for c in code.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if let Some(line) = lines.last_mut()
            && !(line.is_empty() && c == ' ')
        {
            line.push(c);
        }
        if c == ';' && depth == 0 && !quoted {
            lines.push(String::new());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn unknown_name(docs: &[Doc], name: &str) -> Error {
    let mut left: Vec<&str> = docs
        .iter()
        .map(|doc| doc.name)
        .chain(topics(docs))
        .collect();
    left.sort_unstable();
    left.dedup();
    let mut near = Vec::new();
    while near.len() < 3
        && let Some(found) = nearest(name, left.iter().copied())
    {
        near.push(found);
        left.retain(|n| *n != found);
    }
    // Also names that have the unknown one as a part, such as "spline".
    let lower = name.to_lowercase();
    let within = left
        .iter()
        .filter(|n| lower.len() > 2 && n.contains(&lower));
    near.extend(within.take(3));
    let hint = match near[..] {
        [] => ";".into(),
        _ => format!("; did you mean {}?", near.join(", ")),
    };
    Error::invalid(format!(
        "nothing is called \"{name}\"{hint} `odesync docs` (`:doc` in the REPL) lists everything by topic"
    ))
}

/// Renders the documentation as one page of Markdown.
pub fn markdown(docs: &[Doc]) -> String {
    let mut text = String::from("# Functions of the script language\n");
    for topic in topics(docs) {
        text.push_str(&format!("\n## {}\n", capitalize(topic)));
        for doc in docs.iter().filter(|doc| doc.topic == topic) {
            // Writing into a string cannot fail.
            let keys = keys_line(doc, "`").map_or(String::new(), |keys| format!("\n\n{keys}"));
            let _ = write!(
                text,
                "\n### `{}`\n\n{}{keys}\n\n```rhai\n{}\n```\n",
                doc.signature,
                escape_markdown(doc.text),
                statements(doc.example).join("\n")
            );
        }
    }
    text
}

/// Escapes text so that only code between backticks is Markdown.
fn escape_markdown(text: &str) -> String {
    let mut code = false;
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        code ^= c == '`';
        if !code && matches!(c, '*' | '_' | '<' | '[' | '#' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCS: [Doc; 4] = [
        Doc {
            topic: "arrays",
            receiver_type: None,
            name: "slice",
            signature: "x.slice(axis, from, to) -> Array",
            text: "A part. To the end without `to`.",
            example: "let x = [1; 2]; x.slice(0, 1)",
            options: &[],
        },
        Doc {
            topic: "data",
            receiver_type: None,
            name: "slice",
            signature: "data.slice(from, to) -> Dataset",
            text: "The times of a_b.",
            example: "d",
            options: &[],
        },
        Doc {
            topic: "data",
            receiver_type: Some("Dataset"),
            name: "dof",
            signature: "data.dof -> int",
            text: "How many.",
            example: "data.dof",
            options: &[],
        },
        Doc {
            topic: "data",
            receiver_type: None,
            name: "read_csv",
            signature: "read_csv(path) -> Dataset",
            text: "Reads.",
            example: "read_csv(\"a;b.csv\")",
            options: &[],
        },
    ];

    #[test]
    fn a_list_by_topic() {
        assert_eq!(
            index(&DOCS, WIDTH).split("\n`odesync").next(),
            Some(
                "Arrays\n  x.slice  A part.\n\nData\n  data.slice  The times of a_b.\n  data.dof    How many.\n  read_csv    Reads.\n"
            )
        );
    }

    #[test]
    fn a_name_may_have_several_meanings() {
        let both = page(&DOCS, "slice", WIDTH).unwrap();
        assert!(both.contains("x.slice(axis") && both.contains("data.slice(from"));
        let one = page(&DOCS, "data.slice", WIDTH).unwrap();
        assert!(!one.contains("x.slice(axis") && one.contains("data.slice(from"));
        assert_eq!(page(&DOCS, "d.slice", WIDTH).unwrap(), both);
        let property = page(&DOCS, "dof", WIDTH).unwrap();
        assert_eq!(
            property,
            "data.dof -> int\n  How many.\n\nExample:\n  data.dof\n"
        );
        assert_eq!(page(&DOCS, "Dataset.dof", WIDTH).unwrap(), property);
        assert!(
            page(&DOCS, "Data", WIDTH)
                .unwrap()
                .starts_with("Data\n  data.slice")
        );
    }

    #[test]
    fn a_type_has_a_page_of_what_makes_it_and_of_its_members() {
        assert_eq!(
            page(&DOCS, "Dataset", WIDTH).unwrap(),
            "Dataset, made by\n  read_csv  Reads.\nMembers of Dataset\n  data.slice  The times of a_b.\n  data.dof    How many.\n"
        );
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(
            list(&[&DOCS[1]], 24),
            "  data.slice  The times\n              of a_b.\n"
        );
        let code = "let a = f(1, \"b c d e f\");";
        assert_eq!(
            wrap_code(code, 20),
            "  let a = f(1,\n      \"b c d e f\");\n"
        );
    }

    #[test]
    fn unknown_names_have_neighbours() {
        let message = |name| page(&DOCS, name, WIDTH).unwrap_err().to_string();
        assert!(message("raed_csv").contains("did you mean read_csv?"));
        assert!(message("csv").contains("did you mean read_csv?"));
        assert!(message("zzz").starts_with("nothing is called \"zzz\""));
        assert!(!message("zzz").contains("did you mean"));
    }

    #[test]
    fn markdown_shows_texts_as_they_are() {
        let text = markdown(&DOCS);
        assert!(
            text.contains(
                "## Data\n\n### `data.slice(from, to) -> Dataset`\n\nThe times of a\\_b.\n"
            )
        );
        assert!(text.contains("```rhai\nlet x = [1; 2];\nx.slice(0, 1)\n```\n"));
        assert!(text.contains("read_csv(\"a;b.csv\")"));
    }
}
