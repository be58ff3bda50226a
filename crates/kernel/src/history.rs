//! The inputs of a kernel, as clients ask for them: the last ones, a range, or those that match a pattern.

use serde::Deserialize;
use serde_json::{Value, json};

/// The number of the session in history entries; there is one of a kernel, which begins anew with it.
const SESSION: u64 = 1;

/// The inputs so far.
#[derive(Default)]
pub(crate) struct History(Vec<HistoryEntry>);

struct HistoryEntry {
    line: usize,
    input: String,
    output: Option<String>,
}

/// A request for entries, as clients write it.
#[derive(Debug, Deserialize)]
#[serde(tag = "hist_access_type", rename_all = "lowercase")]
enum HistoryQuery {
    Tail {
        n: Option<usize>,
    },
    Range {
        /// 0 means this session, a negative number one before it.
        #[serde(default)]
        session: i64,
        start: Option<i64>,
        stop: Option<i64>,
    },
    Search {
        pattern: Option<String>,
        n: Option<usize>,
        #[serde(default)]
        unique: bool,
    },
}

impl History {
    /// Adds an input with the number of its cell and the text of its value.
    pub fn push(&mut self, line: usize, input: &str, output: Option<String>) {
        let input = input.to_string();
        self.0.push(HistoryEntry {
            line,
            input,
            output,
        });
    }

    /// Returns the content of the reply to a request.
    ///
    /// # Errors
    /// A message about a request that cannot be understood.
    pub fn reply(&self, request: &Value) -> Result<Value, String> {
        let query: HistoryQuery = serde_json::from_value(request.clone())
            .map_err(|error| format!("the request for history cannot be read: {error}"))?;
        let with_output = request["output"].as_bool().unwrap_or(false);
        let entries: Vec<Value> = self
            .select(&query)
            .into_iter()
            .map(|entry| match with_output {
                true => json!([SESSION, entry.line, [entry.input, entry.output]]),
                false => json!([SESSION, entry.line, entry.input]),
            })
            .collect();
        Ok(json!({ "status": "ok", "history": entries }))
    }

    fn select(&self, query: &HistoryQuery) -> Vec<&HistoryEntry> {
        match query {
            HistoryQuery::Tail { n } => last(self.0.iter().collect(), *n),
            HistoryQuery::Range {
                session,
                start,
                stop,
            } => {
                if *session != 0 && *session != SESSION as i64 {
                    return Vec::new();
                }
                let range = start.unwrap_or(0)..stop.unwrap_or(i64::MAX);
                let within = |entry: &&HistoryEntry| {
                    i64::try_from(entry.line).is_ok_and(|line| range.contains(&line))
                };
                self.0.iter().filter(within).collect()
            }
            HistoryQuery::Search { pattern, n, unique } => {
                let pattern = match_pattern(pattern.as_deref().unwrap_or("*"));
                let mut found: Vec<&HistoryEntry> = self
                    .0
                    .iter()
                    .filter(|entry| pattern.as_ref().is_some_and(|p| p.matches(&entry.input)))
                    .collect();
                if *unique {
                    // Of equal inputs the last stays.
                    let mut seen = std::collections::HashSet::new();
                    found.reverse();
                    found.retain(|entry| seen.insert(&entry.input));
                    found.reverse();
                }
                last(found, *n)
            }
        }
    }
}

/// Returns the last `n` entries; all without a number.
fn last(mut entries: Vec<&HistoryEntry>, n: Option<usize>) -> Vec<&HistoryEntry> {
    let rest = entries.len().saturating_sub(n.unwrap_or(usize::MAX));
    entries.split_off(rest)
}

/// Reads a pattern of `*`, `?` and `[…]`; `None` where it is not one, which then matches nothing.
fn match_pattern(pattern: &str) -> Option<glob::Pattern> {
    // Two stars are a path of folders to the library, and one star here.
    let mut stars = pattern.to_string();
    while stars.contains("**") {
        stars = stars.replace("**", "*");
    }
    glob::Pattern::new(&stars).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: Value) -> Vec<String> {
        let mut history = History::default();
        for (line, input) in ["let x = 1", "x + 1", "plot(x)", "x + 1"]
            .iter()
            .enumerate()
        {
            history.push(line + 1, input, (line == 1).then(|| "2".into()));
        }
        let reply = history.reply(&query).unwrap();
        let entries = reply["history"].as_array().unwrap();
        entries
            .iter()
            .map(|e| format!("{} {}", e[1], e[2]))
            .collect()
    }

    #[test]
    fn tail_range_and_search() {
        let tail = json!({ "hist_access_type": "tail", "n": 2, "output": false, "raw": true });
        assert_eq!(ask(tail), ["3 \"plot(x)\"", "4 \"x + 1\""]);
        let range = json!({ "hist_access_type": "range", "session": 0, "start": 2, "stop": 4, "output": true });
        assert_eq!(ask(range), ["2 [\"x + 1\",\"2\"]", "3 [\"plot(x)\",null]"]);
        let other = json!({ "hist_access_type": "range", "session": -1, "start": 0, "stop": 9 });
        assert!(ask(other).is_empty());
        let search = |pattern: &str, unique: bool| {
            ask(
                json!({ "hist_access_type": "search", "pattern": pattern, "unique": unique, "n": 3 }),
            )
        };
        assert_eq!(search("x*", true), ["4 \"x + 1\""]);
        assert_eq!(search("*x**", false).len(), 3);
        assert_eq!(search("plot(?)", false), ["3 \"plot(x)\""]);
        assert_eq!(search("[lp]*", false).len(), 2);
        assert!(search("[", false).is_empty());
    }

    #[test]
    fn a_request_that_is_none_is_an_error() {
        assert!(History::default().reply(&json!({})).is_err());
        let unknown = json!({ "hist_access_type": "all" });
        assert!(History::default().reply(&unknown).is_err());
    }
}
