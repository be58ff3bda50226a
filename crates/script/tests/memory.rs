//! Tests of values that grow without end: they run into the memory limit.

mod common;

use std::alloc::System;
use std::sync::{Mutex, Once, PoisonError};

use odesync_script::script::{ErrorKind, Output, ScriptError, Session, SessionOptions, memory};

#[global_allocator]
static ALLOCATOR: cap::Cap<System> = cap::Cap::new(System, usize::MAX);
static INSTALLED: Once = Once::new();
const LIMIT: usize = 192 << 20;
/// Lock that runs one test at a time, because the memory of the whole process is counted.
static TURN: Mutex<()> = Mutex::new(());

fn session() -> Session {
    INSTALLED.call_once(|| {
        memory::install_gauge(|| ALLOCATOR.allocated());
        odesync_base::memory::set_limit(LIMIT);
    });
    Session::new(SessionOptions {
        output: Output::captured().0,
        memory_limit: Some(LIMIT),
        ..SessionOptions::default()
    })
    .unwrap()
}

fn fails(code: &str) -> ScriptError {
    common::fails(session(), code)
}

#[test]
fn values_that_grow_without_end() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for code in [
        "let x = [1]; loop { x.append(x); }",
        "let x = arange(10); loop { x = concat([x, x]); }",
        "let x = arange(10); loop { x = stack([x, x]); }",
        "let x = []; x.pad(1000000000000, 0)",
        "let x = \"\"; x.pad(1000000000000, \"ab\")",
        "blob(1000000000000)",
        "let x = \"a\"; x.pad(1000000, \"a\"); let y = x; x.replace(\"a\", y); x",
        "zeros([1000000, 1000000])",
        "zeros([9223372036854775807, 9223372036854775807])",
        "arange(0.0, 1e300, 1e-300)",
        "arange(1000000000000)",
        "linspace(0, 1, 9223372036854775807)",
        "identity(1000000)",
        "outer(arange(1000000), arange(1000000))",
        "arange(1000000).reshape([-1, 1]) + arange(1000000)",
        "let x = #{ a: 1 }; loop { x = #{ a: x, b: x }; }",
        "let x = []; loop { x.push(x); }",
        "let f = |x, y| x; loop { f = f.curry(f); }",
        "let x = []; loop { x.push(zeros(10000)); }",
        "let x = []; loop { x.push(1.5); }",
        "let x = []; x.pad(7000000, 1.5); array(x)",
        "let x = zeros(9000000); x.filter(x < 1.0)",
        "let x = zeros(9000000); concat([x, x])",
        "let x = zeros(9000000); let y = x; y[0] = 1; y = -y; x + y",
        "let x = zeros(9000000); x.to_list()",
        "let x = zeros(9000000); median(x) + quantile(x, 0.5)",
        "let x = \"\"; x.pad(6000000, \"a,\"); x.split(\",\")",
        "let x = \"\"; x.pad(12000000, \"a\"); x.to_chars()",
        "blob(12000000).to_array()",
        "let x = \"[\"; x.pad(5000000, \"1,\"); x += \"1]\"; parse_json(x)",
        "let x = blob(60000000); let y = x; y",
    ] {
        let text = fails(code).to_string();
        assert!(text.contains("may use"), "{code}: {text}");
    }
    for code in [
        "let x = \"a\"; loop { x += x; }",
        "let x = \"a\"; loop { x = `${x}${x}`; }",
    ] {
        let error = fails(code);
        assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    }
}

/// What asks before it copies does what it did.
#[test]
fn strings_and_blobs_are_taken_apart() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for (code, value) in [
        ("\"a,b,,c\".split(\",\")", r#"["a", "b", "", "c"]"#),
        ("\"a,b,c\".split(',', 2)", r#"["a", "b,c"]"#),
        ("\" a  b \".split()", r#"["a", "b"]"#),
        ("\"abc\".split(1)", r#"["a", "bc"]"#),
        ("\"\".split(\",\")", r#"[""]"#),
        ("\"\".split()", r#"[""]"#),
        ("\"a,b,c\".split_rev(\",\")", r#"["c", "b", "a"]"#),
        ("\"a,b,c\".split_rev(\",\", 2)", r#"["c", "a,b"]"#),
        ("\"aπ\".to_chars().len()", "2"),
        ("blob(2, 7).to_array()", "[7, 7]"),
        ("parse_json(`{\"a\": [1, 2.5]}`).a", "[1, 2.5]"),
        ("let x = \"a\"; x += \"b\"; x + \"c\"", "abc"),
    ] {
        assert_eq!(session().eval(code, None).unwrap().text, value, "{code}");
    }
}

#[test]
fn memory_is_free_again_after_the_error() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut session = session();
    session.eval("let big = [];", None).unwrap();
    assert!(
        session
            .eval("loop { big.push(zeros(10000)); }", None)
            .is_err()
    );
    assert_eq!(
        session.eval("sum(ones(1000))", None).unwrap().text,
        "1000.0"
    );
}
