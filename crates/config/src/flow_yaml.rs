//! The parser of overrides' values: YAML in one line, read as hydra reads it.
//!
//! A YAML parser is not suitable: to it `{a:1}` is a key "a:1" without a value, and it does not read `12:30`, `#3`, `*x` or `@x`
//! as the texts that are meant on a command line.

use serde_yaml::{Mapping, Number, Value};

use super::tree::MAX_DEPTH;

type Parsed<T> = Result<T, String>;

/// Parses a whole text as a value. The message of an error continues "the value …".
pub(super) fn parse(text: &str) -> Parsed<Value> {
    let text = text.trim();
    match text.chars().next() {
        None => Ok(Value::String(String::new())),
        Some('[' | '{' | '"' | '\'') => {
            let mut parser = Parser {
                rest: text,
                depth: 0,
            };
            let value = parser.value(&[])?;
            match parser.rest.trim() {
                "" => Ok(value),
                rest => Err(format!(
                    "goes on with `{rest}` after its end; put a text with such characters in quotes as a whole"
                )),
            }
        }
        Some(_) => scalar(text),
    }
}

/// Parses a value without quotes or brackets: a number, true, false, null or text.
pub(super) fn scalar(text: &str) -> Parsed<Value> {
    match text {
        "null" | "Null" | "NULL" | "~" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if let Ok(number) = text.parse::<Number>() {
        return Ok(Value::Number(number));
    }
    let special = match text.to_lowercase().as_str() {
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    };
    if let Some(special) = special {
        return Ok(Value::Number(special.into()));
    }
    // To YAML, digits after a leading zero are text; any other digits that did not parse as a number are too many.
    let digits = text.trim_start_matches(['-', '+']);
    if digits.starts_with(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok()
        && !(digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(format!(
            "`{text}` is too large a number; a text of digits goes in quotes"
        ));
    }
    Ok(Value::String(text.to_string()))
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Parses one value; an unquoted text in it ends before one of `ends`.
    fn value(&mut self, ends: &[char]) -> Parsed<Value> {
        self.skip_space();
        match self.rest.chars().next() {
            Some('[') => self.nested(Self::list),
            Some('{') => self.nested(Self::map),
            Some('"' | '\'') => self.quoted().map(Value::String),
            _ => scalar(self.plain(ends)?),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("is nested more than {MAX_DEPTH} levels deep"));
        }
        self.depth += 1;
        self.rest = &self.rest[1..];
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Parsed<Value> {
        let mut list = Vec::new();
        while !self.eat(']') {
            list.push(self.value(&[',', ']'])?);
            if !self.eat(',') && !self.rest.starts_with(']') {
                return Err(self.unfinished("list", ']'));
            }
        }
        Ok(Value::Sequence(list))
    }

    fn map(&mut self) -> Parsed<Value> {
        let mut map = Mapping::new();
        while !self.eat('}') {
            let key = match self.rest.chars().next() {
                Some('"' | '\'') => self.quoted()?,
                _ => self.plain(&[':', ',', '}'])?.to_string(),
            };
            if !self.eat(':') {
                return Err(match self.rest.chars().next() {
                    Some(',' | '}') => format!("has the key `{key}` without a value: {{{key}: 1}}"),
                    _ => self.unfinished("map", '}'),
                });
            }
            let value = self.value(&[',', '}'])?;
            if map.insert(Value::String(key.clone()), value).is_some() {
                return Err(format!("has the key `{key}` twice"));
            }
            if !self.eat(',') && !self.rest.starts_with('}') {
                return Err(self.unfinished("map", '}'));
            }
        }
        Ok(Value::Mapping(map))
    }

    fn unfinished(&self, what: &str, end: char) -> String {
        match self.rest {
            "" => format!("is a {what} without its closing `{end}`"),
            rest => {
                format!("is a {what} that goes on with `{rest}` where `,` or `{end}` should be")
            }
        }
    }

    /// Reads an unquoted text up to one of `ends`, which do not end it within `${…}`.
    fn plain(&mut self, ends: &[char]) -> Parsed<&'a str> {
        let mut end = self.rest.len();
        let mut inside = false;
        let mut previous = ' ';
        for (i, c) in self.rest.char_indices() {
            match c {
                '{' if previous == '$' => inside = true,
                '}' if inside => inside = false,
                _ if inside => {}
                c if ends.contains(&c) => {
                    end = i;
                    break;
                }
                '[' | ']' | '{' | '}' | '"' | '\'' => {
                    return Err(format!("has `{c}` within a text: put the text in quotes"));
                }
                _ => {}
            }
            previous = c;
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        match text.trim() {
            "" if rest.is_empty() => Err("ends too early: a bracket is not closed".into()),
            "" => Err("has an empty place: an empty text is \"\"".into()),
            text => Ok(text),
        }
    }

    /// Reads a text in quotes, with YAML's escapes.
    fn quoted(&mut self) -> Parsed<String> {
        let mut characters = self.rest.char_indices();
        let quote = characters.next().map_or('"', |(_, c)| c);
        let end = loop {
            match characters.next() {
                None => return Err(format!("is a text without its closing {quote}")),
                Some((_, '\\')) if quote == '"' => drop(characters.next()),
                Some((i, c)) if c == quote => {
                    // Within single quotes, '' is a single quote.
                    if c == '\'' && self.rest[i + 1..].starts_with('\'') {
                        characters.next();
                    } else {
                        break i + 1;
                    }
                }
                Some(_) => {}
            }
        };
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_space();
        serde_yaml::from_str(text).map_err(|e| format!("has {text}, which cannot be read: {e}"))
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                self.skip_space();
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}
