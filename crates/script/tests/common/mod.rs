//! Scripts that fail.

use odesync_script::script::{ScriptError, Session};

/// The error that a code ends with; the session must go on after it.
pub fn fails(mut session: Session, code: &str) -> ScriptError {
    let error = session.eval(code, None).expect_err(code);
    assert_eq!(
        session.eval("1 + 1", None).unwrap().text,
        "2",
        "the session goes on after {code}"
    );
    error
}
