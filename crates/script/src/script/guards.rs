//! Bounded versions of rhai functions that could take all memory in a single step, or never end.
//!
//! The memory in use is checked between two steps of a script; these functions allocate as much as an argument says within one
//! step.

use std::time::{Duration, Instant};

use rhai::{Array as List, Blob, Dynamic, ImmutableString};

use crate::{Error, Result};

use super::error::RhaiResult;
use super::host::Host;
use super::memory;
use super::registry::Registry;

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

/// Registers the functions in place of rhai's own.
pub fn register(reg: &mut Registry) {
    lists(reg);
    texts(reg);
    let host = reg.host();
    reg.register_fn("sleep", move |seconds: f64| -> RhaiResult<()> {
        Ok(sleep(&host, seconds)?)
    });
    let host = reg.host();
    reg.register_fn("sleep", move |seconds: i64| -> RhaiResult<()> {
        Ok(sleep(&host, seconds as f64)?)
    });
    reg.describe(
        "sleep",
        "sleep(seconds)",
        "Waits. Ctrl-C ends the wait.",
        "sleep(0.01)",
    );
}

fn lists(reg: &mut Registry) {
    const ITEM: usize = size_of::<Dynamic>();
    let host = reg.host();
    reg.register_fn(
        "pad",
        move |list: &mut List, len: i64, item: Dynamic| -> RhaiResult<()> {
            check_memory(&host, "the list", to_length(len), ITEM)?;
            if to_length(len) > list.len() {
                list.resize(to_length(len), item);
            }
            Ok(())
        },
    );
    let host = reg.host();
    reg.register_fn("+", move |a: List, b: List| -> RhaiResult<List> {
        check_memory(&host, "the list", b.len(), ITEM)?;
        let mut joined = a;
        joined.extend(b);
        Ok(joined)
    });
    for name in ["+=", "append"] {
        let host = reg.host();
        reg.register_fn(name, move |a: &mut List, b: List| -> RhaiResult<()> {
            check_memory(&host, "the list", a.len() + b.len(), ITEM)?;
            a.extend(b);
            Ok(())
        });
    }
    let host = reg.host();
    reg.register_fn("blob", move |len: i64| -> RhaiResult<Blob> {
        check_memory(&host, "the blob", to_length(len), 1)?;
        Ok(vec![0; to_length(len)])
    });
    let host = reg.host();
    reg.register_fn("blob", move |len: i64, value: i64| -> RhaiResult<Blob> {
        check_memory(&host, "the blob", to_length(len), 1)?;
        Ok(vec![value as u8; to_length(len)])
    });
    let host = reg.host();
    reg.register_fn(
        "pad",
        move |blob: &mut Blob, len: i64, value: i64| -> RhaiResult<()> {
            check_memory(&host, "the blob", to_length(len), 1)?;
            if to_length(len) > blob.len() {
                blob.resize(to_length(len), value as u8);
            }
            Ok(())
        },
    );
    reg.describe(
        "append",
        "list.append(other)",
        "Appends the items of another list.",
        "let x = [1]; x.append([2, 3]); x",
    );
    reg.describe(
        "pad",
        "list.pad(length, item)",
        "Appends the item until the list has this length; of a string, the characters until it has so many.",
        "let x = [1]; x.pad(3, 0); x",
    );
    reg.describe(
        "blob",
        "blob(length, value) -> blob",
        "Bytes, all of this value, or 0.",
        "blob(3, 255)",
    );
}

fn texts(reg: &mut Registry) {
    type Text = ImmutableString;
    let host = reg.host();
    reg.register_fn(
        "pad",
        move |text: &mut Text, len: i64, pad: char| -> RhaiResult<()> {
            Ok(pad_text(&host, text, len, pad.encode_utf8(&mut [0; 4]))?)
        },
    );
    let host = reg.host();
    reg.register_fn(
        "pad",
        move |text: &mut Text, len: i64, pad: &str| -> RhaiResult<()> {
            Ok(pad_text(&host, text, len, pad)?)
        },
    );
    let host = reg.host();
    reg.register_fn(
        "replace",
        move |text: &mut Text, from: &str, to: &str| -> RhaiResult<()> {
            Ok(replace(&host, text, from, to)?)
        },
    );
    let host = reg.host();
    reg.register_fn(
        "replace",
        move |text: &mut Text, from: &str, to: char| -> RhaiResult<()> {
            Ok(replace(&host, text, from, to.encode_utf8(&mut [0; 4]))?)
        },
    );
    let host = reg.host();
    reg.register_fn(
        "replace",
        move |text: &mut Text, from: char, to: &str| -> RhaiResult<()> {
            Ok(replace(&host, text, from.encode_utf8(&mut [0; 4]), to)?)
        },
    );
    let host = reg.host();
    reg.register_fn(
        "replace",
        move |text: &mut Text, from: char, to: char| -> RhaiResult<()> {
            let (mut a, mut b) = ([0; 4], [0; 4]);
            Ok(replace(
                &host,
                text,
                from.encode_utf8(&mut a),
                to.encode_utf8(&mut b),
            )?)
        },
    );
    reg.describe(
        "replace",
        "text.replace(from, to)",
        "Replaces every occurrence in a string.",
        "let x = \"a-b-c\"; x.replace(\"-\", \"_\"); x",
    );
}
