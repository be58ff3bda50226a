//! What a script's errors look like.

use std::path::Path;

use odesync_script::script::{Output, Session, SessionOptions};

fn quiet() -> SessionOptions {
    SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    }
}

fn error(code: &str) -> String {
    let mut session = Session::new(quiet()).unwrap();
    session
        .eval(code, Some(Path::new("a.rhai")))
        .expect_err(code)
        .to_string()
}

/// Each of the texts is in the error, and the place is `line:column`.
fn says(code: &str, place: &str, texts: &[&str]) {
    let error = error(code);
    assert!(
        error.contains(&format!("--> a.rhai:{place}\n")),
        "{code}\n{error}"
    );
    for text in texts {
        assert!(error.contains(text), "{code}\nlacks {text}\n{error}");
    }
}

#[test]
fn the_whole_of_an_error() {
    assert_eq!(
        error("let x = 1;\nlet y = mean([]);"),
        "error: mean of an empty array\n --> a.rhai:2:9\n  |\n2 | let y = mean([]);\n  |         ^"
    );
}

#[test]
fn the_innermost_place_and_the_calls_that_led_there() {
    let code = "fn inner(x) {\n    zeros([2]) + x\n}\nfn outer(x) { inner(x) }\n[arange(3)].map(|x| outer(x));";
    assert_eq!(
        error(code),
        "error: +: shapes [2] and [3] do not fit together
 --> a.rhai:2:16
  |
2 |     zeros([2]) + x
  |                ^
  in function inner, used at a.rhai:4:15
  in function outer, used at a.rhai:5:21
  in a closure of map, used at a.rhai:5:13"
    );
}

#[test]
fn unknown_names_point_at_the_nearest() {
    says(
        "let epochs = 1;\nprint(epohcs)",
        "2:7",
        &["unknown variable \"epohcs\"", "\"epochs\""],
    );
    says(
        "let f = |width| widht;",
        "1:17",
        &["did you mean \"width\""],
    );
    says(
        "armax([1])",
        "1:1",
        &["unknown function \"armax\" (did you mean \"argmax\"?)"],
    );
    says(
        "fn energy(x) { x }\nenergie(1)",
        "2:1",
        &["did you mean \"energy\""],
    );
    says(
        "arange(3).shpe",
        "1:11",
        &["an Array has no property \"shpe\"", "\"shape\"", "known:"],
    );
    says(
        "let m = #{ epochs: 1 }; m.epohcs",
        "1:27",
        &["no property \"epohcs\"", "\"epochs\""],
    );
    says(
        "let x = 1;\nfn f() { x }\nf()",
        "2:10",
        &["unknown variable \"x\"", "its own arguments"],
    );
}

#[test]
fn known_functions_with_other_arguments_show_their_signatures() {
    says(
        "mean(\"a\")",
        "1:1",
        &["mean can't be called with (string)", "mean(x, axis)"],
    );
    says(
        "fn f(a, b) { a }\nf(1)",
        "2:1",
        &["f can't be called with (int)", "hint: f(a, b)"],
    );
    says(
        "\"a\" - arange(3)",
        "1:5",
        &["- is not defined for string and Array"],
    );
    says(
        "arange(3)[\"a\"]",
        "1:10",
        &["an Array can't be indexed by a string"],
    );
    says("let x = arange(3); x.shape = 2", "1:22", &["can't be set"]);
}

#[test]
fn divisions_of_integers_that_are_not_exact() {
    says(
        "let x = 8/3;",
        "1:10",
        &["8/3 is not a whole number: write 8.0/3"],
    );
    says("let n = 7;\nn /= 2;", "2:3", &["write 7.0/2"]);
    says("const N = 8; N / 3", "1:16", &["write 8.0/3"]);
    says(
        "let f = |x| x * (1/2); f.call(1.0)",
        "1:19",
        &["write 1.0/2"],
    );
    says("if 8/3 == 2 { print(1) }", "1:5", &["write 8.0/3"]);
    says("1/0", "1:2", &["divides by zero"]);
    says("2 ** -1", "1:3", &["write 2.0 ** -1"]);
    says("9223372036854775807 + 1", "1:21", &["overflow", "64 bits"]);
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
fn a_minus_before_a_power_asks_for_parentheses() {
    for (code, place) in [
        ("let u = [2.0]; -u[0] ** 2", "1:16"),
        ("let x = 2; let y = 1 + -x ** 2;", "1:24"),
        ("-2 ** 2", "1:1"),
        ("let x = 2; -(x + 1) ** 2", "1:12"),
        ("let x = 2; -x.abs() ** 2", "1:12"),
        ("let f = |t, u| [u[1], -u[0] ** 3];", "1:23"),
        ("let p = #{ g: 1.0 }; sin(-p.g ** 2)", "1:26"),
        ("let u = [[1.0]]; - -u[0][0] ** 2", "1:18"),
        ("`${1} is ${-2 ** 2}`", "1:12"),
        ("print(-abs(\n  3\n) ** 2)", "1:7"),
    ] {
        says(code, place, &["write -(x ** n)", "(-x) ** n"]);
    }
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
fn syntax_errors_have_a_place_and_plain_words() {
    says("let x = \"abc", "1:9", &["a string is not closed"]);
    says("let x = (1 +\n", "1:12", &["ends in the middle"]);
    says("let a = 1 let b = 2", "1:11", &["';'"]);
    says("eval(\"1\")", "1:1", &["eval is not available"]);
    assert!(error("let f = |x| x + k;").contains("unknown variable \"k\""));
}

#[test]
fn conditions_must_be_true_or_false() {
    says(
        "if arange(2) > 0 { print(1) }",
        "1:14",
        &["expected bool, not Array", "any(…)"],
    );
}

#[test]
fn what_a_script_throws_and_catches() {
    says("throw \"too bad\"", "1:1", &["error: too bad"]);
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
    let none = write("none.rhai", "import \"libb\" as lib;");
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
    let error = session.run_file(&none).unwrap_err().to_string();
    assert!(error.contains("there is no file libb.rhai"), "{error}");
}
