//! The function `args(#{ … })`: the arguments of `odesync run SCRIPT KEY=VALUE …`, as a script reads them.

use rhai::{Array as List, Dynamic, Map};

use crate::{Error, Result};
use odesync_base::error;

use super::convert;
use super::registry::Registry;

/// Replaces the defaults by the `KEY=VALUE` arguments that are given; each value is parsed as the type of its default. An
/// argument without a default is passed to `on_unknown`.
///
/// # Errors
/// [`Error::Invalid`] for a text that is not of the default's type; every error that `on_unknown` returns.
pub fn merge_arguments(
    defaults: Map,
    arguments: &[String],
    mut on_unknown: impl FnMut(&str) -> Result<()>,
) -> Result<Map> {
    let mut result = defaults.clone();
    for argument in arguments {
        let (key, text) = argument.split_once('=').unwrap_or((argument, ""));
        let Some(default) = defaults.get(key) else {
            on_unknown(argument)?;
            continue;
        };
        let value = parse(text, default).ok_or_else(|| {
            Error::invalid(format!(
                "argument {key}={text}: should be {}, as the default {key}: {default} is",
                expected_type(default)
            ))
        })?;
        result.insert(key.into(), value);
    }
    Ok(result)
}

fn expected_type(default: &Dynamic) -> String {
    match default.type_name() {
        "i64" => "a whole number".into(),
        "f64" => "a number".into(),
        "bool" => "true or false".into(),
        "array" => "a list such as [1,2]".into(),
        _ => format!("a {}", convert::type_name(default)),
    }
}

fn parse(text: &str, default: &Dynamic) -> Option<Dynamic> {
    match default.type_name() {
        "i64" => text.parse::<i64>().ok().map(Dynamic::from),
        "f64" => text.parse::<f64>().ok().map(Dynamic::from),
        "bool" => text.parse::<bool>().ok().map(Dynamic::from),
        "string" | "()" => Some(text.to_string().into()),
        "array" => {
            let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
            if inside.is_empty() {
                return Some(List::new().into());
            }
            let model = default.read_lock::<List>()?.first().cloned();
            let items = inside.split(',').map(|item| match &model {
                Some(model) => parse(item.trim(), model),
                None => Some(parse_untyped(item.trim())),
            });
            items.collect::<Option<List>>().map(Dynamic::from)
        }
        _ => None,
    }
}

/// Parses an item for a default list that is empty: a number if it reads as one, else a string.
fn parse_untyped(text: &str) -> Dynamic {
    if let Ok(n) = text.parse::<i64>() {
        return n.into();
    }
    match text.parse::<f64>() {
        Ok(x) => x.into(),
        Err(_) => text.to_string().into(),
    }
}

/// Registers the function `args`.
pub fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "args(#{ key: default, … }) -> map",
        "The defaults, overridden by the KEY=VALUE pairs of `odesync run SCRIPT KEY=VALUE …`. Each value has the type of \
         its default; a default of () is an optional string.",
        "let opt = args(#{ epochs: 600, lr: 0.05, out: \"runs/demo\", file: () }); opt.epochs",
    )
    .body(move |defaults: Map| -> Result<Map> {
        let known: Vec<String> = defaults.keys().map(ToString::to_string).collect();
        let names = || known.iter().map(String::as_str);
        let map = merge_arguments(defaults.clone(), &host.arguments(), |argument| {
            if host.accepts_overrides() {
                return Ok(());
            }
            let key = argument.split_once('=').map_or(argument, |(key, _)| key);
            Err(error::unknown("argument", key, names()))
        })
        .map_err(|e| Error::Usage(e.to_string()))?;
        host.declare_arguments(&known);
        Ok(map)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[(&str, &str)]) -> Result<Map> {
        let code = r#"#{ epochs: 600, lr: 0.05, out: "runs", file: (), hidden: [2, 3], on: true }"#;
        let defaults = rhai::Engine::new().eval::<Map>(code).unwrap();
        let arguments: Vec<_> = arguments.iter().map(|(k, v)| format!("{k}={v}")).collect();
        merge_arguments(defaults, &arguments, |argument| {
            Err(Error::invalid(format!("no default for {argument}")))
        })
    }

    #[test]
    fn values_have_the_type_of_their_default() {
        let map = run(&[
            ("epochs", "3"),
            ("lr", "1"),
            ("file", "12"),
            ("hidden", "[4, 5,6]"),
            ("on", "false"),
        ])
        .unwrap();
        assert_eq!(map["epochs"].as_int(), Ok(3));
        assert_eq!(map["lr"].as_float(), Ok(1.0));
        assert_eq!(map["file"].clone().into_string().unwrap(), "12");
        assert_eq!(map["hidden"].to_string(), "[4, 5, 6]");
        assert_eq!(map["on"].as_bool(), Ok(false));
        assert_eq!(map["out"].clone().into_string().unwrap(), "runs");
    }

    #[test]
    fn a_key_without_a_default_is_handed_on() {
        let message = run(&[("epohcs", "3")]).unwrap_err().to_string();
        assert_eq!(message, "no default for epohcs=3");
    }
}
