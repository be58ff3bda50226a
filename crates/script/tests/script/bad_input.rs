//! Mistakes that people make, one by one, as a script makes them: each ends in an error that says what is wrong, where, and
//! what to do, and none harms the process.

use std::path::Path;

use odesync_script::script::{Output, ScriptError, Session, SessionOptions};

fn run(code: &str) -> Result<String, ScriptError> {
    let mut session = Session::new(SessionOptions {
        quiet: true,
        output: Output::captured().0,
        memory_limit: Some(1 << 30),
        ..SessionOptions::default()
    })?;
    session.eval(code, None).map(|outcome| outcome.text)
}

/// The error of a code, which must hold every part, a place, and the line it happened in.
fn error(code: &str, parts: &[&str]) -> String {
    let error = run(code).expect_err(code);
    let text = error.to_string();
    for part in parts {
        assert!(
            text.contains(part),
            "`{part}` is missing in:\n{text}\nof\n{code}"
        );
    }
    let place = error
        .place
        .unwrap_or_else(|| panic!("no place in:\n{text}"));
    assert!(place.line >= 1 && place.text.is_some(), "{text}");
    assert!(
        !text.contains("Runtime error") && !text.contains("panicked"),
        "{text}"
    );
    text
}

const DATA: &str = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let model = blackbox([2, 4, 2]);\n";

fn with_data(code: &str) -> String {
    format!("{DATA}{code}")
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn unknown_option() {
    let text = error(
        &with_data("train(model, data, vanilla(), #{ epohcs: 3 })"),
        &["did you mean \"epochs\"?", "lr"],
    );
    assert!(text.contains(":2:"), "{text}");
    error(
        "solve(lorenz(), [1, 1, 1], [0, 1], #{ methd: \"rk4\" })",
        &["did you mean \"method\"?"],
    );
    error(
        "solve(lorenz(), [1, 1, 1], [0, 1], #{ method: \"rk5\" })",
        &["unknown method", "rk4"],
    );
    error(
        "homotopy(#{ coupling: 1, shedule: [1] })",
        &["did you mean \"schedule\"?"],
    );
    error("figure(#{ titel: \"x\" })", &["did you mean \"title\"?"]);
    error("blackbox([2, 4, 2], \"gleu\")", &["did you mean \"gelu\"?"]);
}

#[test]
fn wrong_shape() {
    error("solve(lorenz(), [1, 1], [0, 1])", &["3 state variables"]);
    error(
        &with_data("train(blackbox([3, 4, 3]), data, vanilla())"),
        &["3 state variables", "the data 2"],
    );
    error("blackbox([2, 4, 3])", &["must be 2"]);
    error("second_order([3, 4, 1])", &["even number"]);
    error("dataset([0, 1, 2], [[1, 2], [3, 4]])", &["3 times"]);
    error("dataset([0, 1], [[1, 2], [3]])", &["ragged"]);
    error("system(2, |t, u, p| [u[0]])", &["2 derivatives"]);
    error(
        "system(2, |t, u, p| [u[0], u + [1, 2, 3]])",
        &["u + [1, 2, 3]", "u has 2"],
    );
    error(
        &with_data("train(model, data, homotopy(#{ coupling: [1, 2, 3] }))"),
        &["2 x 2 matrix"],
    );
    error(
        "let f = lorenz().trainable([\"rho\"]); f.params = [1, 2];",
        &["1 trainable", "2 were given"],
    );
}

#[test]
fn nan_start() {
    error(
        "solve(lotka_volterra(), [NAN, 1], [0, 1])",
        &["not finite at t = 0", "initial state"],
    );
    error(
        "solve(system(1, |t, u| [sqrt(u[0])]), [-1], [0, 1])",
        &["not finite"],
    );
    error("dataset([0, 1, 2], [[NAN, 1], [1, 1], [2, 2]])", &["u0"]);
}

#[test]
fn a_field_that_blows_up() {
    error(
        "solve(system(1, |t, u| [u[0] * u[0]]), [1], [0, 3])",
        &["t = 1,", "blows up"],
    );
    error(
        "solve(system(1, |t, u| [u[0] * u[0]]), [1], [0, 3], #{ method: \"rk4\", substeps: 50 })",
        &["not finite"],
    );
    let code = "train(system(2, |t, u, p| [p.a * u[0] * u[0], u[1]], #{ a: 50 }).trainable([\"a\"]), data, vanilla())";
    error(
        &with_data(code),
        &["10 epochs in a row", "lower learning rate"],
    );
}

#[test]
fn negative_smoothing_and_unsorted_times() {
    error(
        "smoothing_spline([0, 1, 2], [1, 2, 3], -1)",
        &["-1", "not negative"],
    );
    error(
        &with_data("train(model, data, homotopy(#{ coupling: 6, smoothing: -0.5 }))"),
        &["smoothing", "-0.5"],
    );
    error("dataset([0, 2, 1], [1, 2, 3])", &["t[2] = 1", "sort"]);
    error("smoothing_spline([0, 2, 2], [1, 2, 3], 0)", &["2"]);
    error(
        "solve(lorenz(), [1, 1, 1], [0, 2, 1])",
        &["strictly increasing"],
    );
}

#[test]
fn files_with_mistakes_are_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let read =
        |name: &str, text: &str| format!("read_csv(\"{}\")", file(folder.path(), name, text));
    error(&read("empty.csv", ""), &["empty.csv", "empty"]);
    error(&read("header.csv", "t,x\n"), &["header.csv"]);
    error(
        &read("word.csv", "t,x,v\n0,1,2\n1,two,3\n2,3,4\n"),
        &["word.csv, line 3, column 2", "two"],
    );
    error(
        &read("ragged.csv", "t,x,v\n0,1,2\n1,2\n"),
        &["ragged.csv, line 3"],
    );
    error(
        &read("unsorted.csv", "t,x\n0,1\n2,1\n1,1\n"),
        &["unsorted.csv, line 4", "sort"],
    );
    error(
        &read("repeated.csv", "t,x\n0,1\n1,1\n1,2\n"),
        &["repeated.csv, line 4"],
    );
    let table = file(folder.path(), "names.csv", "time,hare,lynx\n0,1,2\n1,2,3\n");
    error(
        &format!("read_csv(\"{table}\", #{{ state: [\"hair\"] }})"),
        &["did you mean \"hare\"?"],
    );
    error(
        "read_csv(\"no/such/file.csv\")",
        &["cannot read no/such/file.csv"],
    );
    error(&format!("read_npy(\"{table}\")"), &["names.csv"]);
    error(&format!("read_json(\"{table}\")"), &["names.csv, line 1"]);
    error(&format!("read_schmidt_lipson(\"{table}\")"), &["names.csv"]);
}

#[test]
fn files_of_arrays_with_mistakes_are_named() {
    let fixtures = odesync_testing::repository().join("tests/fixtures");
    let fixtures = fixtures.display();
    error(
        &format!("read_npz(\"{fixtures}/stored.npz\", #{{ u: \"x\", u0: \"xo\" }})"),
        &["stored.npz: there is no array \"xo\"", "x0 [2] float64"],
    );
    error(
        &format!("read_npz(\"{fixtures}/stored.npz\", #{{ time: \"time\" }})"),
        &["unknown option \"time\"", "t, u, u0"],
    );
    error(
        &format!("read_npz(\"{fixtures}/deflated.npz\", #{{ u: \"phase\" }})"),
        &["numbers of type '<c16' cannot be read"],
    );
    error(
        &format!("read_npz(\"{fixtures}/float64.safetensors\")"),
        &["not an .npz file"],
    );
    error(
        &format!("read_safetensors(\"{fixtures}/narrow.safetensors\", #{{ u: \"eight\" }})"),
        &["narrow.safetensors", "F8_E4M3"],
    );
    error(
        &format!("read_safetensors(\"{fixtures}/stored.npz\")"),
        &["not a safetensors file"],
    );
    error(
        "read_npz(\"no/such/file.npz\")",
        &["cannot read no/such/file.npz"],
    );
    error(&with_data("data.write_npz(\"\")"), &["cannot"]);
}

#[test]
fn corrupted_checkpoint_and_unwritable_folder() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("run");
    std::fs::create_dir(&damaged).unwrap();
    for name in ["best.safetensors", "last.safetensors", "metrics.csv"] {
        file(&damaged, name, "neither one nor the other");
    }
    error(
        &format!("load(\"{}\")", damaged.display()),
        &["not a usable checkpoint", "last.safetensors"],
    );
    error(
        "load(\"no/such/run\")",
        &["cannot read no/such/run/last.safetensors"],
    );
    for call in [
        "load(\"\")",
        "train(model, data, vanilla(), #{ epochs: 1 }).save(\" \")",
        "train(model, data, vanilla(), #{ epochs: 1, out: \"\" })",
    ] {
        error(&with_data(call), &["the folder's name is empty"]);
    }
    let plain = file(folder.path(), "plain", "a file");
    let code = format!("train(model, data, vanilla(), #{{ epochs: 1, out: \"{plain}/run\" }})");
    error(&with_data(&code), &["cannot create the folder"]);
    let code = format!("plot(data).save(\"{plain}/figure.svg\")");
    error(&with_data(&code), &["cannot"]);
    error(
        &with_data("plot(data).save(\"figure.pdf\")"),
        &[".svg", ".png"],
    );
}

#[test]
fn branches_on_symbols() {
    for code in [
        "system(1, |t, u, p| [if u[0] > 0.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| { let x = 0.0; while u[0] > x { x += 1.0; } [x] })",
        "system(1, |t, u, p| [if u[0] > 0.0 && u[0] < 1.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| [if u[0] == 0.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| [if 0.0 != u[0] { 1 } else { -1 }])",
        "system(1, |t, u, p| [if !(u[0] > 0.0) { 1 } else { -1 }])",
        "system(1, |t, u, p| [switch u[0] { 1.0 => 5.0, _ => u[0] }])",
        "system(1, |t, u, p| [if 1.0 in [u[0], 2.0] { 5.0 } else { u[0] }])",
        "system(1, |t, u, p| [if [u[0], 2.0].contains(1.0) { 5.0 } else { u[0] }])",
        "system(2, |t, u, p| if [u[0], u[1]] == [1.0, 1.0] { [5.0, 5.0] } else { [u[0], u[1]] })",
        "graybox([1, 4, 1], |t, u, nn| [switch nn[0] { 0.3 => 5.0, _ => nn[0] }])",
    ] {
        error(code, &["where(condition, a, b)", "max", "abs"]);
    }
    // What is meant instead.
    assert!(run("system(1, |t, u, p| [where(u[0] > 0.0, 1.0, -1.0)])").is_ok());
}

#[test]
fn a_branch_is_reported_where_the_closure_stands() {
    let error =
        run("let c = 1;\nlet f = system(1,\n  |t, u, p| [switch u[0] { 1.0 => 5.0, _ => u[0] }]);")
            .unwrap_err();
    assert_eq!(error.place.unwrap().line, 3);
}

#[test]
fn integer_quotients_and_powers_after_a_minus() {
    error("system(1, |t, u, p| [8/3 * u[0]])", &["8.0/3"]);
    error("let x = 8/3;", &["8.0/3"]);
    error("system(1, |t, u, p| [-u[0] ** 2])", &["-(", "**"]);
}

#[test]
fn a_misspelt_parameter() {
    error(
        "system(1, |t, u, p| [p.gravty * u[0]], #{ gravity: 9.81 })",
        &["did you mean \"gravity\"?"],
    );
    error("lorenz(#{ sgma: 1 })", &["did you mean \"sigma\"?"]);
    error("lorenz().param(\"roh\")", &["did you mean \"rho\"?"]);
    error(
        "lotka_volterra().trainable([\"e\"])",
        &["unknown parameter", "a, b, c, d"],
    );
    error(
        "graybox([1, 4, 1], |t, u, nn, p| [nn[0] * p.scal], #{ scale: 2 })",
        &["did you mean \"scale\"?"],
    );
}

#[test]
fn what_belongs_to_the_coupling_is_not_trained() {
    let field = "synchronize(lotka_volterra(), smoothing_spline([0, 1, 2], [[1, 1], [2, 1], [1, 2]], 0), 6)";
    error(
        &format!("{field}.trainable([\"sync.lambda\"])"),
        &["never trained"],
    );
    error(
        &format!(
            "synchronize({field}, smoothing_spline([0, 1, 2], [[1, 1], [2, 1], [1, 2]], 0), 6)"
        ),
        &["already"],
    );
    error(
        &with_data("train(model, data, homotopy(#{ coupling: -6 }))"),
        &["must not be negative"],
    );
}

#[test]
fn without_end() {
    error("fn f(x) { f(x + 1) } f(0)", &["deep"]);
    error("let x = []; for i in 0..1000000 { x = [x]; }", &["deep"]);
    error("let x = [1.0]; loop { x += x; }", &["large"]);
    error(
        "let x = zeros(8); loop { x = concat([x, x]); }",
        &["a script may use"],
    );
    error("zeros([1000000, 1000000])", &["a script may use"]);
    error(
        "solve(lotka_volterra(), [1, 1], linspace(0, 1, 50000000))",
        &["a script may use"],
    );
    for step in [
        "sin(x)",
        "ln(x)",
        "log2(x)",
        "sum(x)",
        "mean(x)",
        "norm(x)",
        "dot(x, x)",
    ] {
        error(
            &format!("system(1, |t, u, p| {{ let x = u[0]; loop {{ x = {step}; }} [x] }})"),
            &["without end"],
        );
    }
}

#[test]
fn items_of_lists_and_initial_states_are_named() {
    let train = |options: &str| with_data(&format!("train(model, data, vanilla(), {options})"));
    let numbers = "whole numbers that are 0 or more";
    error(
        &with_data("train(|| blackbox([2, 4, 2]), data, vanilla(), #{ seeds: [1, -1] })"),
        &["seeds", numbers, "-1 (int)"],
    );
    error(
        &train("#{ observe: [-1] }"),
        &["observe", numbers, "-1 (int)"],
    );
    error(&train("#{ observe: [0.5, 1] }"), &[numbers, "0.5 (float)"]);
    error(&train("#{ observe: 1 }"), &["a list of state variables"]);
    error(
        &train("#{ u0: [1.0, NAN] }"),
        &["train: u0 is NaN at state variable 1", "leave u0 out"],
    );
    let several = "let two = dataset([data, data]); train(model, two, vanilla(), #{ u0: [[1, 1], [NAN, 1]] })";
    error(
        &with_data(several),
        &["u0 is NaN at state variable 0 of sample 1"],
    );
    let h = "let h = hessian(model, data); ";
    error(
        &with_data(&format!("{h}h.apply(zeros([0, h.n]))")),
        &["shape [22]", "[m, 22]", "m at least 1", "shape [0, 22]"],
    );
    error(
        &with_data(&format!("{h}h.gauss_newton(zeros([1, 1, h.n]))")),
        &["gauss_newton", "[m, 22]", "[1, 1, 22]"],
    );
}
