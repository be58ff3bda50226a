//! Helpers for scripts that fail.

use odesync_script::script::{ScriptError, Session};

/// Returns the error that the code ends with, and checks that the session is usable after it.
pub fn fails(mut session: Session, code: &str) -> ScriptError {
    let error = session.eval(code, None).expect_err(code);
    assert_eq!(
        session.eval("1 + 1", None).unwrap().text,
        "2",
        "the session goes on after {code}"
    );
    error
}
