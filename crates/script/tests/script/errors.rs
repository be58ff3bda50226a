//! Tests of code that works although it resembles a mistake; the messages of mistakes are tested in `messages`.

use odesync_script::script::{Output, Session, SessionOptions};

fn quiet() -> SessionOptions {
    SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    }
}

#[test]
fn exact_divisions_and_mixed_ones_work() {
    let mut session = Session::new(quiet()).unwrap();
    for (code, value) in [
        ("6/3", "2"),
        ("let n = 12; n /= 4; n", "3"),
        ("8.0/3 == 8/3.0", "true"),
        ("1/2.0", "0.5"),
        ("-7 % 3", "-1"),
        ("2 ** 10", "1024"),
        ("2.0 ** -1", "0.5"),
    ] {
        assert_eq!(session.eval(code, None).unwrap().text, value, "{code}");
    }
}

#[test]
fn a_minus_before_a_power_in_parentheses_or_of_another_term_works() {
    let mut session = Session::new(quiet()).unwrap();
    session
        .eval("let x = 3; let u = [2]; let f = |x| x;", None)
        .unwrap();
    for (code, value) in [
        ("-(x ** 2)", "-9"),
        ("(-x) ** 2", "9"),
        ("(-2) ** 2", "4"),
        ("1 - x ** 2", "-8"),
        ("1 -x ** 2", "-8"),
        ("-x * x ** 2", "-27"),
        ("-u[x ** 2 - 9] + 2 ** 2", "2"),
        ("[-x, x ** 2][1]", "9"),
        ("-f.call(x ** 2)", "-9"),
        ("x ** 2 - -x", "12"),
        ("2 ** 3 ** 2", "512"),
    ] {
        assert_eq!(session.eval(code, None).unwrap().text, value, "{code}");
    }
}

#[test]
fn a_branch_on_symbols_is_written_as_where() {
    let mut session = Session::new(quiet()).unwrap();
    let code = "system(1, |t, u, p| [where(u[0] > 0.0, 1.0, -1.0)]).derivative(0, [-3])";
    assert_eq!(session.eval(code, None).unwrap().text, "Array[1] [-1]");
}

#[test]
fn what_is_caught_is_the_message() {
    let mut session = Session::new(quiet()).unwrap();
    let code = "let said = 0; try { mean([]) } catch (e) { said = \"caught \" + e; } said";
    assert_eq!(
        session.eval(code, None).unwrap().text,
        "caught mean of an empty array"
    );
}

#[test]
fn imports_are_found_beside_the_script_and_named_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write(
        "lib.rhai",
        "fn twice(x) { 2 * x * PI }\nfn half(x) {\n    x / 2\n}\n",
    );
    let good = write(
        "good.rhai",
        "#!/usr/bin/env -S odesync run\nimport \"lib\" as lib;\nlib::twice(1.0)",
    );
    let bad = write("bad.rhai", "import \"lib\" as lib;\nlib::half(3)");
    let mut session = Session::new(quiet()).unwrap();
    assert_eq!(session.run_file(&good).unwrap().text, "6.283185307179586");
    let error = session.run_file(&bad).unwrap_err().to_string();
    assert!(
        error.contains("lib.rhai:3:7") && error.contains("3 |     x / 2"),
        "{error}"
    );
    assert!(
        error.contains("in function half, used at") && error.contains("bad.rhai:2:6"),
        "{error}"
    );
}

#[test]
fn modules_that_import_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let own = write("own.rhai", "import \"own\" as s;");
    let first = write("first.rhai", "import \"second\" as s;");
    write("second.rhai", "import \"third\" as t;");
    write("third.rhai", "import \"second\" as s;");
    for i in 0..40 {
        write(
            &format!("m{i}.rhai"),
            &format!("import \"m{}\" as m;", i + 1),
        );
    }
    write("m40.rhai", "");
    let mut session = Session::new(quiet()).unwrap();
    let mut fail = |file: &std::path::Path| session.run_file(file).unwrap_err().to_string();
    let error = fail(&own);
    assert!(error.contains("import each other in a circle"), "{error}");
    let error = fail(&first);
    assert!(
        error.contains("second.rhai → ") && error.contains("third.rhai → "),
        "{error}"
    );
    let error = fail(&folder.path().join("m0.rhai"));
    assert!(error.contains("no chain may be longer"), "{error}");
    // One module by two ways is no circle, and the session goes on.
    write("left.rhai", "import \"base\" as b; fn one() { b::one() }");
    write("base.rhai", "fn one() { 1 }");
    let both = write(
        "both.rhai",
        "import \"left\" as l; import \"base\" as b; b::one() + 1",
    );
    assert_eq!(session.run_file(&both).unwrap().text, "2");
}

/// Escape codes in names, cells and texts could do as they like with a terminal.
#[test]
fn nothing_is_shown_with_its_control_characters() {
    let (output, printed) = Output::captured();
    let mut session = Session::new(SessionOptions { output, ..quiet() }).unwrap();
    let code = "let d = dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).with_names([\"x\\x1b[2J\"]); print(d); print(d.names); d";
    let shown = session.eval(code, None).unwrap().text;
    let error = session
        .eval("throw \"no \\x1b]0;title\\x07\"", None)
        .unwrap_err();
    for text in [shown, printed.lock().unwrap().clone(), error.to_string()] {
        assert!(
            !text.contains(['\x1b', '\x07']) && text.contains('␛'),
            "{text:?}"
        );
    }
}

/// A caught error shows the text that the script would have ended with; the parts of rhai's own errors stay readable.
#[test]
fn a_caught_error_shows_its_text() {
    let cases = [
        (
            "let a = zeros(2); a.size2",
            "an Array has no property \"size2\"",
        ),
        ("[1, 2][7]", "out of range"),
        (
            "solve(lorenz(), [1, 1, 1], [0, 1], #{ rtl: 1e-3 })",
            "unknown option \"rtl\"",
        ),
        ("1 / 0", "1/0 divides by zero"),
        ("lorens()", "lorenz"),
        ("let m = #{ a: 1 }; m.b", "the map has no property \"b\""),
        (
            "let n = 3; let y = if n { 1 } else { 2 }; y",
            "a condition should be true or false",
        ),
    ];
    let mut session = Session::new(quiet()).unwrap();
    for (code, text) in cases {
        let uncaught = session.eval(code, None).expect_err(code).to_string();
        assert!(uncaught.contains(text), "{code}: {uncaught}");
        let caught =
            format!("let text = \"\"; try {{ {code}; }} catch (e) {{ text = \"\" + e; }} text");
        let caught = session.eval(&caught, None).unwrap().text;
        assert!(
            caught.contains(text) && !caught.contains("Error"),
            "{code}: {caught}"
        );
    }
    let parts = "let parts = \"\"; try { zeros(2).size2 } catch (e) { parts = e.error; } parts";
    assert_eq!(session.eval(parts, None).unwrap().text, "ErrorDotExpr");
    let map = session
        .eval("\"\" + #{ error: 1, x: [1, \"a\"] }", None)
        .unwrap()
        .text;
    assert_eq!(map, "#{\"error\": 1, \"x\": [1, \"a\"]}");
}

#[test]
fn an_assignment_without_let_names_let() {
    let error = Session::new(quiet())
        .unwrap()
        .eval("x3 = 3", None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("let x3 = …"), "{error}");
}
