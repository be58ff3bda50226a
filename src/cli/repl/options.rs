//! The option keys of a function, as its description names them: in the map of its signature and behind "Options:" in its text.

use super::known::Known;

/// What the text says before a list of keys.
const LEADS: [&str; 4] = [
    "ptions:",
    "ptions of the last:",
    "Also takes ",
    "ptions are ",
];

/// The keys of a call, in the order of the description.
pub(super) fn keys(known: &Known, function: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for doc in known.docs(function) {
        for map in maps(doc.signature) {
            keys.extend(listed(map));
        }
        for lead in LEADS {
            for (at, _) in doc.text.match_indices(lead) {
                let named = listed(sentence(&doc.text[at + lead.len()..]));
                // One letter is a quantity that the text speaks of.
                keys.extend(named.into_iter().filter(|key| key.len() > 1));
            }
        }
        if doc.text.contains("the solver's options") && function != "solve" {
            let own = ["event", "direction", "terminal", "events"];
            keys.extend(
                self::keys(known, "solve")
                    .into_iter()
                    .filter(|key| !own.contains(&key.as_str())),
            );
        }
    }
    let mut seen: Vec<String> = Vec::new();
    keys.retain(|key| {
        let new = !seen.contains(key);
        seen.push(key.clone());
        new
    });
    keys
}

/// The insides of the maps `#{ … }` of a signature.
fn maps(signature: &str) -> Vec<&str> {
    let parts = signature.split("#{").skip(1);
    parts.map(|rest| balanced(rest, '}')).collect()
}

/// Up to the end of the sentence, which stands outside of brackets.
fn sentence(text: &str) -> &str {
    let mut end = text.len();
    let mut depth = 0i32;
    for (i, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            '.' if depth <= 0
                && (i + 1 == text.len() || text[i + 1..].starts_with([' ', '\n'])) =>
            {
                end = i;
                break;
            }
            _ => {}
        }
    }
    &text[..end]
}

/// Up to the closing bracket.
fn balanced(text: &str, close: char) -> &str {
    let mut depth = 0i32;
    for (i, c) in text.char_indices() {
        match c {
            c if c == close && depth == 0 => return &text[..i],
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// The first word of each part between commas, semicolons, "and" and "with" outside of brackets.
fn listed(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0i32;
    for c in text.chars() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            ',' | ';' if depth == 0 => parts.push(String::new()),
            c if depth == 0 => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
            _ => {}
        }
    }
    let split = |part: String| {
        let part = part
            .replace(" and ", ",")
            .replace(" with ", ",")
            .replace(" or ", ",");
        part.split(',').map(str::to_string).collect::<Vec<_>>()
    };
    parts
        .into_iter()
        .flat_map(split)
        .filter_map(|part| key(&part))
        .collect()
}

/// The key at the beginning of `lr: 0.02`, `out` or `and momentum`.
fn key(part: &str) -> Option<String> {
    let part = part.trim().trim_start_matches("and ").trim_start();
    let end = part
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(part.len());
    let (word, rest) = part.split_at(end);
    // A word that others follow is a sentence's.
    let alone = rest.is_empty() || rest.starts_with(':') || rest.trim().is_empty();
    let is_key = word.starts_with(|c: char| c.is_ascii_lowercase());
    (alone && is_key).then(|| word.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::known;
    use super::*;

    #[test]
    fn keys_stand_in_signatures_and_texts() {
        let known = known("");
        let of = |function: &str| keys(&known, function);
        let has = |function: &str, wanted: &[&str]| {
            let keys = of(function);
            for key in wanted {
                assert!(
                    keys.iter().any(|k| k == key),
                    "{function}: {key} is not in {keys:?}"
                );
            }
        };
        has(
            "train",
            &[
                "lr",
                "epochs",
                "optimizer",
                "clip",
                "resume",
                "seeds",
                "variants",
                "rtol",
                "progress",
                "solver",
            ],
        );
        has(
            "solve",
            &[
                "method",
                "rtol",
                "atol",
                "step_size",
                "event",
                "direction",
                "terminal",
                "events",
                "device",
            ],
        );
        has("homotopy", &["coupling", "schedule", "smoothing"]);
        has("figure", &["title", "log_x", "y_range", "size"]);
        has(
            "loss_and_gradient",
            &["lambda", "engine", "observe", "rtol", "u0"],
        );
        assert!(of("vanilla").is_empty());
        for word in [
            "constant", "with", "that", "and", "factor", "a", "of", "fixed",
        ] {
            assert!(!of("train").iter().any(|key| key == word), "{word}");
        }
    }

    /// What a call says that it knows is what is offered.
    #[test]
    fn the_keys_are_those_that_the_calls_know() {
        let mut session =
            super::super::tests::session("let d = dataset([0, 1, 2], [[1.0], [2.0], [1.0]]);");
        let known = known("");
        for (function, call) in [
            (
                "train",
                "train(blackbox([1, 2, 1]), d, vanilla(), #{ zzz: 1 })",
            ),
            (
                "solve",
                "solve(lotka_volterra(), [1, 1], [0, 1], #{ zzz: 1 })",
            ),
            ("homotopy", "homotopy(#{ coupling: 1.0, zzz: 1 })"),
            ("multiple_shooting", "multiple_shooting(#{ zzz: 1 })"),
            (
                "loss_and_gradient",
                "loss_and_gradient(blackbox([1, 2, 1]), d, vanilla(), #{ zzz: 1 })",
            ),
            ("add_noise", "d.add_noise(0.1, #{ zzz: 1 })"),
        ] {
            let message = session.eval(call, None).unwrap_err().message;
            let wanted = message
                .split("known: ")
                .nth(1)
                .unwrap_or_else(|| panic!("{message}"));
            let offered = keys(&known, function);
            for key in wanted.split(", ") {
                assert!(
                    offered.iter().any(|k| k == key),
                    "{function}: {key} is not in {offered:?}"
                );
            }
        }
    }
}
