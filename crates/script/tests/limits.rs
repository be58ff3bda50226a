//! Tests of the limits: whatever a script does, it ends with an error and the process goes on.

mod common;

use std::alloc::System;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use odesync_script::script::{ErrorKind, Output, ScriptError, Session, SessionOptions, memory};

#[global_allocator]
static ALLOCATOR: cap::Cap<System> = cap::Cap::new(System, usize::MAX);
static INSTALLED: Once = Once::new();

fn session() -> Session {
    INSTALLED.call_once(|| memory::install_gauge(|| ALLOCATOR.allocated()));
    Session::new(SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap()
}

fn fails(code: &str) -> ScriptError {
    common::fails(session(), code)
}

fn limit(code: &str, text: &str) {
    let error = fails(code);
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn recursion_without_end() {
    limit("fn f(n) { f(n + 1) } f(1)", "does the recursion end?");
    limit("fn f(n) { let y = 1 + (2 + f(n + 1)); y } f(1)", "256 deep");
    limit("let f = |g, x| g.call(g, x); f.call(f, 1)", "256 deep");
    limit("fn f(x) { x.map(|y| f([y])) } f([1])", "256 deep");
}

#[test]
fn the_deepest_recursion_allowed_fits_the_stack() {
    let terms = format!("f(n + 1) {}", "+ 1".repeat(180));
    limit(&format!("fn f(n) {{ {terms} }} f(1)"), "256 deep");
    let blocks = format!("{}f(n + 1){}", "if n > 0 { ".repeat(60), "}".repeat(60));
    limit(&format!("fn f(n) {{ {blocks} }} f(1)"), "256 deep");
}

#[test]
fn lists_in_lists_without_end() {
    for code in [
        "let x = []; for i in 0..1000000 { x = [x]; }",
        "let x = []; loop { x = [take(x)]; }",
        "let x = []; loop { x = [1, 2, x, 3]; }",
        "let x = []; loop { x = [[x.pop()]]; }",
        "let x = #{}; loop { x = #{ a: x }; }",
        "let x = #{}; loop { x = [#{ a: [], b: x, c: [] }]; }",
    ] {
        limit(code, "256 deep");
    }
}

#[test]
fn lists_nested_in_the_hidden_middle_are_held_by_the_stack() {
    let mut session = session();
    let code = "let x = []; for i in 0..3000 { x = [0,0,0,0,0,0,0,0,0, take(x), 0,0,0,0,0,0,0,0,0]; } x = ();";
    session.eval(code, None).unwrap();
}

#[test]
fn expressions_nested_too_deeply() {
    let n = 100_000;
    for code in [
        format!("{}1{}", "(".repeat(n), ")".repeat(n)),
        format!("{}1{}", "[".repeat(n), "]".repeat(n)),
        format!("{}1{}", "#{a:".repeat(n), "}".repeat(n)),
        format!("{}{}", "{".repeat(n), "}".repeat(n)),
        format!("let x = true; {}x", "!".repeat(n)),
        format!("let x = 1; x{}", " + x".repeat(n)),
        format!("let x = 1; x{}", ".abs()".repeat(n)),
        format!("let x = 1; x{}", " ** x".repeat(n)),
        format!("let x = []; x{}", "[0]".repeat(n)),
        format!("let f = {}1", "|x| ".repeat(n)),
        format!("if false {{}} {}", "else if false {}".repeat(n)),
        format!("{}1{}", "`${".repeat(n), "}`".repeat(n)),
    ] {
        let error = fails(&code);
        assert_eq!(error.kind, ErrorKind::Syntax);
        assert!(
            error.message.contains("nested too deeply"),
            "{}",
            error.message
        );
        assert!(error.to_string().len() < 1000, "a long line is cut");
    }
}

#[test]
fn sums_and_blocks_of_a_normal_script_are_not_too_deep() {
    let mut session = session();
    let sum = vec!["1"; 400].join(" + ");
    assert_eq!(session.eval(&sum, None).unwrap().text, "400");
    let function = format!("fn f() {{ {} }} f()", vec!["1"; 150].join(" + "));
    assert_eq!(session.eval(&function, None).unwrap().text, "150");
}

#[test]
fn an_endless_loop_is_interrupted() {
    for code in [
        "loop {}",
        "sleep(1000)",
        "try { sleep(1000.5) } catch { }",
        "while true { let x = 1; }",
    ] {
        let mut session = session();
        let interrupt = session.interrupt();
        let waiter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            interrupt.stop();
        });
        let error = session.eval(code, None).expect_err(code);
        waiter.join().unwrap();
        assert_eq!(error.kind, ErrorKind::Interrupted);
        assert_eq!(error.exit_code(), 130);
        assert_eq!(
            session.eval("2", None).unwrap().text,
            "2",
            "the request is used up"
        );
    }
}

#[test]
fn a_session_moves_between_threads_and_keeps_variables_and_functions() {
    let mut session = session();
    let scale = "let k = 2; let scale = |x| k * x; fn double(x) { x + x }";
    session.eval(scale, Some(Path::new("one"))).unwrap();
    let text = std::thread::spawn(move || {
        session
            .eval("k = 5; scale.call(3) + double(1)", None)
            .unwrap()
            .text
    });
    assert_eq!(text.join().unwrap(), "17");
}

#[test]
fn output_is_captured_in_order() {
    let (output, text) = Output::captured();
    let options = SessionOptions {
        output,
        ..SessionOptions::default()
    };
    let mut session = Session::new(options).unwrap();
    let outcome = session
        .eval("print(1); debug(\"two\"); print([3.0])", None)
        .unwrap();
    assert!(outcome.is_unit);
    assert_eq!(*text.lock().unwrap(), "1\n<eval>:1:11: \"two\"\n[3.0]\n");
}

#[test]
fn counts_that_no_memory_holds() {
    let base = "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let h = hessian(lotka_volterra().trainable([\"a\"]), d); ";
    for code in [
        "h.trace_estimate(#{ probes: N })",
        "h.density_estimate(#{ probes: N, steps: 1 })",
        "random_directions(blackbox([2, 4, 2]), N)",
    ] {
        for n in ["100000000000", "4611686018427387904", "9223372036854775807"] {
            let error = fails(&format!("{base}{}", code.replace('N', n)));
            assert!(error.message.contains("ask for fewer"), "{code}: {error}");
        }
    }
    let grid = "let f = figure().line([0, 1], [0, 1]); grid(1, [f, f], #{ row_heights: [1.7976931348623157e308, 9e15] }).text()";
    assert!(fails(grid).message.contains("relative height"));
}

/// The equations of a system of many bodies have as many terms.
#[test]
fn long_equations_are_ready_soon() {
    let code = "let f = system(1, |t, u, p| { let x = u[0]; for i in 0..60000 { x = sin(x); } [x] }); f.dof";
    assert_eq!(session().eval(code, None).unwrap().text, "1");
}
