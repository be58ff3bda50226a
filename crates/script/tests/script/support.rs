//! What the tests of values share: a session, and pieces of code with what they give.

use odesync_script::script::{Output, Session, SessionOptions};

/// Starts a session whose output is captured.
pub fn session() -> Session {
    Session::new(SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap()
}

/// Evaluates each piece of code, in one session, and compares its value's text.
pub fn check(cases: &[(&str, &str)]) {
    let mut session = session();
    for (code, value) in cases {
        let outcome = session
            .eval(code, None)
            .unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(outcome.text, *value, "{code}");
    }
}

/// Checks that each piece of code ends in an error that contains the text.
pub fn check_errors(cases: &[(&str, &str)]) {
    let mut session = session();
    for (code, message) in cases {
        let error = session.eval(code, None).expect_err(code).to_string();
        assert!(error.contains(message), "{code}: {error}");
    }
}
