//! Every documented option with values at the ends of what can be written: each is taken, or refused with a message, and the session goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use odesync_base::permissions::Permissions;

use super::{CALLS, SCENE};
use crate::script::keys::{Keys, distinct};
use crate::script::{AccessRules, ErrorKind, InterruptHandle, Output, Session, SessionOptions};

/// What can be written as a value; LONG stands for a text of a hundred thousand letters.
const VALUES: [&str; 20] = [
    "0",
    "-1",
    "1000000000",
    "1000000000000000000",
    "9223372036854775807",
    "0.0",
    "-0.5",
    "1e308",
    "-1e308",
    "1e-300",
    "NAN",
    "INF",
    "\"\"",
    "LONG",
    "[]",
    "#{}",
    "()",
    "true",
    "[NAN, INF]",
    "[[1, 2], [3]]",
];

/// Of the values, every so many-th is tried in the gate, another one first for each option; all with `ODESYNC_EXTREMES=all`.
const STRIDE: usize = 7;

/// Time after which a call is told to stop: with these values it may be as long as it likes.
const PATIENCE: Duration = Duration::from_millis(200);
/// Times [`PATIENCE`] after which a call that was told to stop hangs: ten seconds.
const HANGS_AFTER: u32 = 50;

/// Options whose other values would be long, and what makes them short.
const SHORT: [(&str, &str); 4] = [
    ("train", "epochs: 1, "),
    ("cross_validate", "epochs: 1, folds: 2, "),
    ("discover", "hidden: [2], seeds: [1], equations: false, "),
    ("density_estimate", "probes: 2, steps: 2, "),
];

fn session() -> Session {
    let mut session = Session::new(SessionOptions {
        quiet: true,
        output: Output::captured().0,
        memory_limit: Some(256 << 20),
        // Some options are paths.
        access: Some(AccessRules {
            permissions: Permissions::none("odesync "),
            restricts_typed_code: true,
            allows_arguments: false,
        }),
        ..SessionOptions::default()
    })
    .unwrap();
    let long = "let LONG = \"\"; LONG.pad(100000, \"x\");";
    session.eval(&format!("{SCENE}{long}"), None).unwrap();
    session
}

/// Tells what runs for too long to stop, and ends the tests where it does not; odd numbers are those of calls that run.
fn watch(handle: InterruptHandle, begun: Arc<AtomicU64>, is_over: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let (mut seen, mut times) = (0, 0);
        while !is_over.load(Ordering::SeqCst) {
            std::thread::sleep(PATIENCE);
            let now = begun.load(Ordering::SeqCst);
            times = if now == seen { times + 1 } else { 0 };
            if now % 2 == 1 && now == seen {
                handle.stop();
            }
            if now % 2 == 1 && times > HANGS_AFTER {
                eprintln!("call {} does not stop", now / 2 + 1);
                std::process::abort();
            }
            seen = now;
        }
    });
}

/// Returns the call of a function with this option, beside those that make it short.
fn call_with(function: &str, call: &str, key: &str, value: &str) -> String {
    let short = SHORT.iter().find(|(name, _)| *name == function);
    // The key itself is given once.
    let others = short
        .map_or("", |(_, options)| options)
        .split_inclusive(", ")
        .filter(|option| !option.starts_with(&format!("{key}:")));
    let given = format!("{key}: {value}");
    match call.contains('Z') {
        true => call.replace(
            'Z',
            &format!("#{{ {}{given} }}", others.collect::<String>()),
        ),
        false => call.replace("zzz: 1", &given),
    }
}

#[test]
fn extreme_values_are_taken_or_refused() {
    let mut session = session();
    let begun = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    watch(session.interrupt(), begun.clone(), is_over.clone());
    let docs = session.catalogue().docs;
    let keys = |function: &str| -> Vec<Keys> {
        let of = docs.iter().filter(|doc| doc.name == function);
        of.map(|doc| doc.options).collect()
    };
    let is_all = std::env::var("ODESYNC_EXTREMES").is_ok_and(|all| all == "all");
    let stride = if is_all { 1 } else { STRIDE };
    let (mut refused, mut taken, mut number, mut defects) = (0, 0, 0, vec![]);
    for (function, call) in CALLS {
        for key in distinct(keys(function)) {
            number += 1;
            for value in VALUES.iter().skip(number % stride).step_by(stride) {
                let call = call_with(function, call, key.name, value);
                session.interrupt().clear();
                if is_all {
                    println!("{call}");
                }
                begun.fetch_add(1, Ordering::SeqCst);
                let result = session.eval(&format!("{call};"), None);
                begun.fetch_add(1, Ordering::SeqCst);
                match result {
                    Ok(_) => taken += 1,
                    Err(error) => {
                        if error.kind == ErrorKind::InternalError || error.message.is_empty() {
                            defects.push(format!("{call}: {error}"));
                        }
                        refused += 1;
                    }
                }
            }
        }
    }
    is_over.store(true, Ordering::SeqCst);
    println!("{refused} refused, {taken} taken");
    assert!(defects.is_empty(), "{}", defects.join("\n"));
    assert!(refused > 500 && taken > 100);
    session.interrupt().clear();
    assert_eq!(session.eval("1 + 1", None).unwrap().text, "2");
}
