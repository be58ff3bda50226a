//! Bounded versions of rhai functions that could take all memory in a single step, or never end.
//!
//! The memory in use is checked between two steps of a script; these functions allocate as much as an argument says within one
//! step.

use std::time::{Duration, Instant};

use rhai::{Array as List, Blob, Dynamic, ImmutableString, NativeCallContext};

use crate::{Error, Result};

use super::error::RhaiResult;
use super::host::Host;
use super::memory;
use super::registry::{Argument, ArgumentType, Call, Number, Registry};

/// Time between two checks for an interrupt while a script sleeps.
const SLEEP_INTERVAL: Duration = Duration::from_millis(20);

fn check_memory(host: &Host, what: &str, items: usize, size: usize) -> Result<()> {
    memory::check_memory(what, items, size, host.memory_limit())
}

fn to_length(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

fn sleep(host: &Host, seconds: f64) -> Result<()> {
    let wait = Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::invalid(format!("can't sleep for {seconds} seconds")))?;
    let start = Instant::now();
    while let Some(left) = wait
        .checked_sub(start.elapsed())
        .filter(|left| !left.is_zero())
    {
        host.check_interrupt()?;
        std::thread::sleep(left.min(SLEEP_INTERVAL));
    }
    Ok(())
}

/// Replaces every occurrence of `from` in `text` by `to`, if the result fits in memory.
fn replace(host: &Host, text: &mut ImmutableString, from: &str, to: &str) -> Result<()> {
    let growth = text.matches(from).count().saturating_mul(to.len());
    check_memory(host, "the string", growth.saturating_add(text.len()), 1)?;
    *text = text.replace(from, to).into();
    Ok(())
}

/// Appends `pad` until the text has `characters` characters.
fn pad_text(host: &Host, text: &mut ImmutableString, characters: i64, pad: &str) -> Result<()> {
    let (wanted, has) = (to_length(characters), text.chars().count());
    if wanted <= has || pad.is_empty() {
        return Ok(());
    }
    check_memory(host, "the string", wanted, 4)?;
    text.make_mut()
        .extend(pad.chars().cycle().take(wanted - has));
    Ok(())
}

/// Bytes of a piece of a string, as an item of a list.
const PIECE: usize = 80;
/// Bytes that are taken while a letter of JSON is read, at most: that of a number between commas.
const JSON_LETTER: usize = 64;

/// Returns pieces of a string as a list, if they fit in memory; the empty string is one piece.
fn pieces<'a>(
    host: &Host,
    text: &'a str,
    parts: impl Iterator<Item = &'a str> + Clone,
) -> Result<List> {
    if text.is_empty() {
        return Ok(vec![text.into()]);
    }
    let count = parts.clone().count();
    check_memory(host, "the list", count * PIECE + text.len(), 1)?;
    let mut list = List::with_capacity(count);
    list.extend(parts.map(|part| part.into()));
    Ok(list)
}

/// Returns `a` followed by `b`, if they fit in memory with what adding to them copies.
fn joined(host: &Host, a: &str, b: &str) -> Result<ImmutableString> {
    let bytes = a.len().saturating_add(b.len());
    check_memory(host, "the string", bytes.saturating_mul(2), 1)?;
    Ok([a, b].concat().into())
}

/// Appends `b` to `a`, if that fits in memory.
fn append(host: &Host, a: &mut ImmutableString, b: &str) -> Result<()> {
    let bytes = a.len().saturating_add(b.len());
    check_memory(host, "the string", bytes.saturating_mul(2), 1)?;
    a.make_mut().push_str(b);
    Ok(())
}

/// An argument that is a string or a character.
struct CharOrString(ImmutableString);

impl Argument for CharOrString {
    fn types() -> Vec<ArgumentType> {
        [ImmutableString::types(), char::types()].concat()
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        match value.as_ref().and_then(|value| value.as_char().ok()) {
            Some(letter) => Ok(Self(letter.to_string().into())),
            None => ImmutableString::read(value, call).map(Self),
        }
    }
}

/// Registers the functions in place of rhai's own.
pub fn register(reg: &mut Registry) {
    lists(reg);
    strings(reg);
    let host = reg.host();
    reg.function(
        "text.replace(from, to)",
        "Replaces every occurrence in a string.",
        "let x = \"a-b-c\"; x.replace(\"-\", \"_\"); x",
    )
    .body(
        move |text: &mut ImmutableString, from: CharOrString, to: CharOrString| {
            replace(&host, text, &from.0, &to.0)
        },
    );
    let host = reg.host();
    reg.function(
        "sleep(seconds)",
        "Waits. Ctrl-C ends the wait.",
        "sleep(0.01)",
    )
    .body(move |seconds: Number| sleep(&host, seconds.0));
}

fn strings(reg: &mut Registry) {
    let host = reg.host();
    reg.overload("+")
        .body(move |a: ImmutableString, b: ImmutableString| joined(&host, &a, &b));
    let host = reg.host();
    reg.overload("+=")
        .body(move |a: &mut ImmutableString, b: ImmutableString| append(&host, a, &b));
    let [of_words, of_parts, of_some] = [(); 3].map(|()| reg.host());
    reg.function(
        "text.split(separator, n) -> list",
        "The parts of a string between the separators, at most n of them; between white space without a separator. split(i) cuts it at a place.",
        "\"a,b,c\".split(\",\")",
    )
    .body(move |text: &mut ImmutableString| pieces(&of_words, text, text.split_whitespace()))
    .body(move |text: &mut ImmutableString, at: CharOrString| pieces(&of_parts, text, text.split(&*at.0)))
    .body(
        move |text: &mut ImmutableString, at: CharOrString, n: i64| {
            pieces(&of_some, text, text.splitn(to_length(n).max(1), &*at.0))
        },
    );
    let [of_parts, of_some] = [(); 2].map(|()| reg.host());
    reg.function(
        "text.split_rev(separator, n) -> list",
        "The parts of a string as split returns them, from the last to the first.",
        "\"a,b,c\".split_rev(\",\")",
    )
    .body(move |text: &mut ImmutableString, at: CharOrString| {
        pieces(&of_parts, text, text.rsplit(&*at.0))
    })
    .body(
        move |text: &mut ImmutableString, at: CharOrString, n: i64| {
            pieces(&of_some, text, text.rsplitn(to_length(n).max(1), &*at.0))
        },
    );
    let host = reg.host();
    reg.function(
        "text.to_chars() -> list",
        "The characters of a string.",
        "\"abc\".to_chars()",
    )
    .body(move |text: &mut ImmutableString| -> Result<List> {
        check_memory(&host, "the list", text.len(), size_of::<Dynamic>())?;
        Ok(text.chars().map(Dynamic::from).collect())
    });
    let host = reg.host();
    reg.function(
        "parse_json(text)",
        "The value that a text in JSON stands for: a map, a list, a number, a string, true, false or ().",
        "parse_json(`{\"a\": [1, 2]}`).a",
    )
    .body(
        move |context: NativeCallContext, text: ImmutableString| -> RhaiResult<Dynamic> {
            check_memory(&host, "the value of JSON", text.len(), JSON_LETTER)?;
            context.engine().parse_json(&*text, true).map(Dynamic::from)
        },
    );
}

fn lists(reg: &mut Registry) {
    const ITEM: usize = size_of::<Dynamic>();
    // rhai joins two lists, while a list and a number are added element by element: neither is meant for certain.
    for name in ["+", "+="] {
        reg.overload(name)
            .body(|_: &mut List, _: List| -> Result<Dynamic> {
                Err(Error::invalid(
                    "+ of two lists could mean either: array(x) + y adds their elements, x.append(y) puts y at the end of x",
                ))
            });
    }
    let host = reg.host();
    let append = move |a: &mut List, b: List| -> Result<()> {
        check_memory(&host, "the list", a.len() + b.len(), ITEM)?;
        a.extend(b);
        Ok(())
    };
    reg.function(
        "list.append(other)",
        "Appends the items of another list.",
        "let x = [1]; x.append([2, 3]); x",
    )
    .body(append);
    let [of_list, of_blob, of_text] = [(); 3].map(|()| reg.host());
    reg.function(
        "list.pad(length, item)",
        "Appends the item until the list has this length; of a string, the characters until it has so many.",
        "let x = [1]; x.pad(3, 0); x",
    )
    .body(move |list: &mut List, len: i64, item: Dynamic| -> Result<()> {
        check_memory(&of_list, "the list", to_length(len), ITEM)?;
        if to_length(len) > list.len() {
            list.resize(to_length(len), item);
        }
        Ok(())
    })
    .body(move |blob: &mut Blob, len: i64, value: i64| -> Result<()> {
        check_memory(&of_blob, "the blob", to_length(len), 1)?;
        if to_length(len) > blob.len() {
            blob.resize(to_length(len), value as u8);
        }
        Ok(())
    })
    .body(move |text: &mut ImmutableString, len: i64, pad: CharOrString| {
        pad_text(&of_text, text, len, &pad.0)
    });
    let host = reg.host();
    reg.function(
        "blob.to_array() -> list",
        "The bytes as a list of ints.",
        "blob(2, 7).to_array()",
    )
    .body(move |blob: &mut Blob| -> Result<List> {
        check_memory(&host, "the list", blob.len(), ITEM)?;
        Ok(blob.iter().map(|byte| i64::from(*byte).into()).collect())
    });
    let host = reg.host();
    reg.function(
        "blob(length, value) -> blob",
        "Bytes, all of this value, or 0.",
        "blob(3, 255)",
    )
    .body(move |len: i64, value: Option<i64>| -> Result<Blob> {
        check_memory(&host, "the blob", to_length(len), 1)?;
        Ok(vec![value.unwrap_or(0) as u8; to_length(len)])
    });
}
