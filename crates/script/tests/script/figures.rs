//! Tests of figures in scripts: files, layers, options, notes.

use odesync_script::script::{Output, Session, SessionOptions};

use super::support::check_errors;

/// Runs a script; returns its notes.
fn notes(code: &str) -> String {
    let (output, notes) = Output::captured();
    let options = SessionOptions {
        output,
        ..SessionOptions::default()
    };
    Session::new(options).unwrap().eval(code, None).unwrap();
    notes.lock().unwrap().clone()
}

#[test]
fn a_figure_goes_to_paper() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    notes(&format!(
        "let fig = figure(#{{ size_mm: [85, 60], font: 8, dpi: 300 }}).line([0, 1], [[0, 1], [1, 2]], #{{ labels: [\"$u_1$\", \"b\"] }});
         fig.save(`{}`); fig.save(`{}`); fig.save(`{}`);",
        path("a.pdf"),
        path("a.svg"),
        path("a.png"),
    ));
    let pdf = std::fs::read(path("a.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let svg = std::fs::read_to_string(path("a.svg")).unwrap();
    assert!(
        svg.starts_with("<svg width=\"85mm\" height=\"60mm\""),
        "{}",
        &svg[..80]
    );
    assert!(svg.contains("font-style=\"italic\""));
    // Width and height of a PNG stand at its bytes 16 to 23.
    let png = std::fs::read(path("a.png")).unwrap();
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (1004, 709));
}

#[test]
fn a_grid_has_a_page_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svg").display().to_string();
    notes(&format!(
        "let f = figure(#{{ dark: true }}).line([0, 1], [0, 1]);
         grid(2, [f, f], #{{ style: \"paper\" }}).save(`{path}`);"
    ));
    let svg = std::fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg width=\"180mm\""), "{}", &svg[..80]);
    assert!(
        svg.contains("#1C1C1E"),
        "the ground is that of the first figure"
    );
}

#[test]
fn what_is_left_out_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svg").display().to_string();
    let said = notes(&format!(
        "let fig = figure(#{{ log_y: true, title: \"温度\" }}).line([0, 1, 2], [1, 0, 2]);
         fig.save(`{path}`); fig.save(`{path}`);"
    ));
    assert_eq!(said.matches("1 value is not positive").count(), 1, "{said}");
    assert_eq!(said.matches("U+6E29").count(), 1, "{said}");
}

#[test]
fn samples_and_variables_have_panels() {
    let scene = "seed(1);
        let d = dataset(lotka_volterra(), [[1, 1], [2, 1], [0.5, 2]], linspace(0, 1, 6));
        let run = train(blackbox([2, 4, 2]), d, vanilla(), #{ epochs: 1, progress: false });";
    let mut session = super::support::session();
    session.eval(scene, None).unwrap();
    let mut shown = |options: &str| {
        let code = format!("plot(d, run, #{{ {options} }})");
        session.eval(&code, None).unwrap().text
    };
    assert!(shown("panels: \"samples\"").contains("3 panels"));
    assert!(shown("panels: \"variables\"").contains("4 panels"));
    assert!(shown("panels: \"one\"").contains("2 panels"));
    assert!(shown("panels: \"variables\", residuals: false").contains("2 panels"));
}

#[test]
fn mistakes_say_what_would_be_right() {
    check_errors(&[
        (
            "figure().line([0, 1, 2], [[0, 1, 2], [1, 2, 3]])",
            "transpose it",
        ),
        (
            "figure().line([0, 1], [[[0, 1]]])",
            "a column for each line",
        ),
        ("figure().bar([\"a\", \"b\"], [1])", "a row for each x"),
        (
            "figure().bar([\"a\"], [1]).bar([\"b\"], [1])",
            "other names already",
        ),
        (
            "figure().error_bars([0], [1], [[1], [2], [3]])",
            "below and above",
        ),
        ("figure().error_bars([0], [1], -1)", "cannot be -1"),
        ("figure().histogram([], #{ bins: 0 })", "above 0"),
        ("figure().annotate(\"a\", [1])", "a point [x, y]"),
        (
            "figure().inset(figure(), [0, 0, 2, 1])",
            "no place in the frame",
        ),
        ("figure().inset(figure(), [0, 0])", "four numbers"),
        (
            "figure().twin(figure()).twin(figure())",
            "one second vertical axis",
        ),
        ("figure(#{ x_date: \"soon\" })", "a date like"),
        ("figure(#{ style: \"papre\" })", "paper"),
        ("figure(#{ size_mm: [8500, 60] })", "2000 mm"),
        ("figure(#{ font_file: \"no.ttf\" })", "no.ttf"),
        (
            "figure(#{ size_mm: [20, 20], font: 40 }).line([0, 1], [0, 1]).save(\"a.svg\")",
            "40 points",
        ),
    ]);
}
