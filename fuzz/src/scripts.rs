//! Code: its tokens, completion and documentation while it is typed; and what happens when it runs.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use odesync_base::permissions::Permissions;
use odesync_script::editing::{SymbolTable, TokenizedText, code_candidates, inspect};
use odesync_script::script::{
    AccessRules, ErrorKind, InterruptHandle, Output, Session, SessionOptions,
};

/// Time after which code is asked to stop; libFuzzer takes what goes on for ten seconds for a hang.
const PATIENCE: Duration = Duration::from_millis(200);

/// Number of inputs that one session runs.
const INPUTS: usize = 2000;

fn session() -> Session {
    crate::limit_memory();
    // Nothing may be read or written.
    let access = AccessRules {
        permissions: Permissions::none("odesync "),
        restricts_typed_code: true,
        allows_arguments: false,
    };
    let options = SessionOptions {
        quiet: true,
        output: Output::captured().0,
        memory_limit: Some(crate::MEMORY),
        access: Some(access),
        ..SessionOptions::default()
    };
    Session::new(options).expect("a session")
}

/// The first byte is the place of the cursor.
pub fn script_parse(bytes: &[u8]) {
    thread_local! {
        static SYMBOLS: RefCell<Option<SymbolTable>> = const { RefCell::new(None) };
    }
    let Some((cursor, code)) = bytes.split_first() else {
        return;
    };
    let Ok(code) = std::str::from_utf8(code) else {
        return;
    };
    let tokens = TokenizedText::tokenize(code);
    let _ = tokens.is_unfinished(code);
    let mut at = (usize::from(*cursor) * code.len()) / 255;
    while !code.is_char_boundary(at) {
        at -= 1;
    }
    SYMBOLS.with_borrow_mut(|symbols| {
        let symbols = symbols.get_or_insert_with(|| {
            SymbolTable::of_session(&mut session(), &SymbolTable::default())
        });
        let _ = code_candidates(symbols, &code[..at]);
        let _ = inspect(symbols, code, at);
    });
}

/// Stops what runs for too long: the number of the input that began last, and of the one that was stopped.
fn watch(handle: InterruptHandle, begun: &'static AtomicU64) {
    std::thread::spawn(move || {
        let mut seen = 0;
        loop {
            std::thread::sleep(PATIENCE);
            let now = begun.load(Ordering::SeqCst);
            // An even number: nothing runs.
            if now % 2 == 1 && now == seen {
                handle.stop();
            }
            seen = now;
        }
    });
}

pub fn script_run(bytes: &[u8]) {
    thread_local! {
        static SESSION: RefCell<Option<(Session, usize)>> = const { RefCell::new(None) };
    }
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let Ok(code) = std::str::from_utf8(bytes) else {
        return;
    };
    // What sleeps or trains says nothing new about code.
    if code.contains("sleep") || code.contains("input") {
        return;
    }
    SESSION.with_borrow_mut(|kept| {
        let (session, inputs) = kept.get_or_insert_with(|| {
            let session = session();
            watch(session.interrupt(), &BEGUN);
            (session, 0)
        });
        session.interrupt().clear();
        BEGUN.fetch_add(1, Ordering::SeqCst);
        let result = session.eval(code, None);
        BEGUN.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = result {
            assert!(error.kind != ErrorKind::InternalError, "{error}");
            let _ = error.to_string();
        }
        *inputs += 1;
        if *inputs == INPUTS {
            *kept = None;
        }
    });
}
