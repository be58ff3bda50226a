use std::sync::Arc;

use super::super::frontend::Output;
use super::*;
use odesync_plot::Panel;

#[test]
fn a_panic_on_the_thread_is_an_error_and_the_session_lives_on() {
    let mut session = Session::new(SessionOptions::default()).unwrap();
    session.eval("let x = 2;", None).unwrap();
    let result: Result<(), _> = session.run_on_thread(|_| panic!("a binding's mistake"));
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InternalError);
    let text = error.to_string();
    assert!(
        text.contains("a binding's mistake") && text.contains("please report it"),
        "{text}"
    );
    assert_eq!(session.eval("x", None).unwrap().text, "2");
}

fn interactive() -> (Session, Arc<std::sync::Mutex<String>>) {
    let (output, text) = Output::captured();
    let session = Session::new(SessionOptions {
        interactive: true,
        output,
        ..SessionOptions::default()
    });
    (session.unwrap(), text)
}

#[test]
fn rust_and_scripts_share_variables() {
    let (mut session, _) = interactive();
    session.set("x", vec![1.0, 2.0, 3.0]).unwrap();
    session.set("n", 3usize).unwrap();
    session
        .set("f", odesync_ode::dynamics::lotka_volterra().unwrap())
        .unwrap();
    let code = "x += n; let a = zeros([2, 3]); let y = x; let fig = figure().line(x, y); f.dof";
    assert_eq!(session.eval(code, None).unwrap().text, "2");
    assert_eq!(session.get::<Vec<f64>>("y").unwrap(), [4.0, 5.0, 6.0]);
    assert_eq!(
        session.get::<ndarray::Array2<f64>>("a").unwrap().dim(),
        (2, 3)
    );
    assert_eq!(session.get::<f64>("n").unwrap(), 3.0);
    assert!(session.get::<Panel>("fig").unwrap().to_svg().is_ok());
    let field: odesync_ode::field::VectorField = session.get("f").unwrap();
    assert_eq!(field.dof(), 2);

    let says = |error: ScriptError, text: &str| {
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(text), "{}", error.message);
    };
    says(
        session.get::<f64>("y").unwrap_err(),
        "y: a number was expected",
    );
    says(
        session.get::<ndarray::Array2<f64>>("y").unwrap_err(),
        "two axes",
    );
    says(session.get::<f64>("nn").unwrap_err(), "did you mean \"n\"?");
    says(session.set("PI", 3.0).unwrap_err(), "PI is a constant");
    says(
        session.set("x y", 3.0).unwrap_err(),
        "can't be a variable's name",
    );
    says(
        session.set("let", 3.0).unwrap_err(),
        "can't be a variable's name",
    );
}

#[test]
fn the_last_value_and_the_variables_are_known() {
    let (mut session, _) = interactive();
    session
        .eval("let x = arange(4); let x = 2 * x;", None)
        .unwrap();
    assert_eq!(session.eval("sum(x)", None).unwrap().text, "12.0");
    assert_eq!(session.eval("ans + 1", None).unwrap().text, "13.0");
    let all = session.variable_infos();
    let names: Vec<&str> = all.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["ans", "x"]);
    assert_eq!((&*all[1].kind, &*all[1].shape), ("Array", "[4]"));
    assert_eq!(all[0].kind, "float");
    session.eval("fn twice(x) { 2 * x }", None).unwrap();
    assert_eq!(session.functions()[0].parameters, ["x"]);
    assert!(
        session
            .eval("figure().line([0, 1], [1, 2])", None)
            .unwrap()
            .figure
            .is_some()
    );
}

#[test]
fn a_figure_that_is_shown_says_what_it_leaves_out_once() {
    let (mut session, shown) = interactive();
    let code = "figure(#{ log_y: true }).line([0, 1, 2], [1, -2, 4])";
    session.eval(code, None).unwrap();
    session.eval(code, None).unwrap();
    let shown = shown.lock().unwrap();
    assert_eq!(shown.matches("not positive").count(), 1, "{shown}");
}

/// A front end that stops the session in the third epoch of a training.
struct Stopper(Arc<std::sync::Mutex<Option<InterruptHandle>>>);

impl crate::script::Frontend for Stopper {
    fn print(&self, _text: &str) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&self, _label: &str) -> Box<dyn odesync_train::training::Callback> {
        Box::new(Stopper(Arc::clone(&self.0)))
    }
}

impl odesync_train::training::Callback for Stopper {
    fn on_epoch_end(
        &mut self,
        record: &odesync_train::training::EpochRecord,
        _best: f64,
    ) -> crate::Result<()> {
        if record.epoch == 2
            && let Some(interrupt) = self.0.lock().unwrap().as_ref()
        {
            interrupt.stop();
        }
        Ok(())
    }
}

#[test]
fn an_interrupted_training_gives_the_run_so_far() {
    let stop = Arc::default();
    let mut session = Session::new(SessionOptions {
        interactive: true,
        output: Output::new(Stopper(Arc::clone(&stop))),
        ..SessionOptions::default()
    })
    .unwrap();
    *stop.lock().unwrap() = Some(session.interrupt());
    let before = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let model = blackbox([2, 4, 2]);
        fn fitted(model, data) { let run = train(model, data, vanilla(), #{ epochs: 50 }); run.best_mse }";
    session.eval(before, None).unwrap();
    let train = "train(model, data, vanilla(), #{ epochs: 50 })";
    session.eval(&format!("let run = {train};"), None).unwrap();
    assert_eq!(session.eval("run.epochs", None).unwrap().text, "3");
    assert_eq!(
        session.eval("run.stopped", None).unwrap().text,
        "interrupted"
    );
    // A training without `let` shows its value; the code after an interrupted training does not run; a run inside a function is
    // not lost.
    let text = session.eval(train, None).unwrap().text;
    assert!(text.contains("interrupted"), "{text}");
    let error = session
        .eval(&format!("let later = {train}; let after = 1;"), None)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    assert_eq!(
        error.hint.as_deref(),
        Some("later holds the 3 epochs that were done")
    );
    assert_eq!(session.eval("later.epochs", None).unwrap().text, "3");
    assert!(session.eval("after", None).is_err());
    session.eval("ans = 0;", None).unwrap();
    assert!(session.eval("fitted(model, data)", None).is_err());
    assert_eq!(session.eval("ans.epochs", None).unwrap().text, "3");
    let ensemble =
        "let all = train(|| blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 50, seeds: [1, 2] });";
    session.eval(ensemble, None).unwrap();
    assert!(session.variables().contains(&"all".into()));
    let run: odesync_train::training::Run = session.get("run").unwrap();
    assert_eq!(run.history.len(), 3);
}
/// A front end that records the reported progress of a computation.
#[derive(Clone, Default)]
struct RecordingFrontend(Arc<std::sync::Mutex<Vec<String>>>, String);

impl crate::script::Frontend for RecordingFrontend {
    fn print(&self, _text: &str) -> std::io::Result<()> {
        Ok(())
    }

    fn progress_bar(
        &self,
        label: &str,
        unit: &'static str,
    ) -> Box<dyn odesync_train::progress::ProgressSink> {
        Box::new(RecordingFrontend(
            Arc::clone(&self.0),
            format!("{label} {unit}"),
        ))
    }
}

impl odesync_train::progress::ProgressSink for RecordingFrontend {
    fn update(&self, done: usize, all: usize) {
        let mut updates = self.0.lock().unwrap();
        updates.push(format!("{} {done}/{all}", self.1));
    }
}

#[test]
fn the_front_end_hears_of_the_parts_of_a_long_computation() {
    let reported = |quiet: bool, code: &str| {
        let frontend = RecordingFrontend::default();
        let mut session = Session::new(SessionOptions {
            quiet,
            output: Output::new(frontend.clone()),
            ..SessionOptions::default()
        })
        .unwrap();
        session.eval(code, None).unwrap();
        let mut updates = frontend.0.lock().unwrap().clone();
        updates.sort();
        updates
    };
    let surface = |options: &str| {
        format!("landscape(|p| p[0] ** 2 + p[1], [1, 1], [[1, 0]], [[-1, 0, 1]], {options})")
    };
    let three = ["1/3", "2/3", "3/3"].map(|n| format!("landscape points {n}"));
    assert_eq!(reported(false, &surface("#{}")), three);
    assert!(reported(true, &surface("#{}")).is_empty());
    assert!(reported(false, &surface("#{ progress: false }")).is_empty());
    let updates = reported(
        false,
        "hessian(|p| p[0] ** 2, [1], #{ derivatives: \"differences\" })",
    );
    assert!(
        updates
            .iter()
            .all(|line| line.starts_with("Hessian values "))
    );
    assert!(!updates.is_empty());
}

#[test]
fn every_call_that_solves_says_once_that_it_changed_to_a_stiff_method() {
    let (mut session, text) = interactive();
    let mut count_notes = |code: &str| {
        text.lock().unwrap().clear();
        session.eval(code, None).unwrap();
        let text = text.lock().unwrap();
        text.matches("changed to a stiff method there").count()
    };
    count_notes("let f = van_der_pol(#{ mu: 1000 }).trainable([\"mu\"]); let t = [0, 1, 100];");
    assert_eq!(count_notes("solve(f, [2, 0], t, #{ solver: \"auto\" })"), 1);
    assert_eq!(
        count_notes("let d = dataset(f, [2, 0], t, #{ solver: \"auto\" });"),
        1
    );
    let two = "dataset(f, [[2, 0], [1.9, 0]], t, #{ solver: \"auto\" });";
    assert_eq!(count_notes(two), 1);
    let options = "#{ solver: \"auto\", epochs: 3, lr: 1e-9 }";
    assert_eq!(
        count_notes(&format!("train(f, d, vanilla(), {options})")),
        1
    );
    let members = "#{ solver: \"auto\", epochs: 2, variants: [#{ lr: 1e-9 }, #{ lr: 1e-10 }] }";
    assert_eq!(
        count_notes(&format!("train(f, d, vanilla(), {members})")),
        1
    );
    assert_eq!(
        count_notes("dataset(lotka_volterra(), [1, 1], t, #{ solver: \"auto\" })"),
        0
    );
}

/// The error of a function is located in the text that the function was defined in.
#[test]
fn errors_point_into_the_text_of_an_earlier_evaluation() {
    let (mut session, _) = interactive();
    let library =
        "// A library.\n\nfn broken(x) {\n    x + nope(1)\n}\nlet c = |x| x.frobnicate();";
    session.eval(library, Some(Path::new("lib.rhai"))).unwrap();
    session
        .eval("fn through(x) {\n  broken(x) }", Some(Path::new("input 2")))
        .unwrap();
    for (code, location, text, used) in [
        (
            "let aaaaaaaa = 2; broken(1)",
            "lib.rhai:4:9",
            "    x + nope(1)",
            &["in function broken, used at input 3:1:19"][..],
        ),
        (
            "1;\n  through(2)",
            "lib.rhai:4:9",
            "    x + nope(1)",
            &[
                "broken, used at input 2:2:3",
                "through, used at input 3:2:3",
            ],
        ),
        (
            "c.call(1)",
            "lib.rhai:6:15",
            "let c = |x| x.frobnicate();",
            &[],
        ),
        ("\n\nhere(1)", "input 3:3:1", "here(1)", &[]),
        ("let x = (1,", "input 3:1:11", "let x = (1,", &[]),
    ] {
        let error = session.eval(code, Some(Path::new("input 3"))).unwrap_err();
        let found = error.location.as_ref().unwrap();
        assert_eq!(found.to_string(), location, "{code}: {error}");
        assert_eq!(found.text.as_deref(), Some(text), "{code}");
        for used in used {
            assert!(error.to_string().contains(used), "{code}: {error}");
        }
    }
    // More lines than positions can count: the location in the latest text is still right.
    session.eval(&"\n".repeat(65_000), None).unwrap();
    session.eval(&"\n".repeat(600), None).unwrap();
    let error = session.eval("\nhere(1)", None).unwrap_err();
    assert_eq!(error.location.unwrap().to_string(), "<eval>:2:1");
}

/// The counterpart of the options without effect, which are errors.
#[test]
fn options_with_an_effect_are_taken() {
    let (mut session, _) = interactive();
    session.eval("let f = lotka_volterra();", None).unwrap();
    for options in [
        "controller: \"pi\"",
        "solver: \"radau\", controller: \"pi\"",
        "solver: \"bdf\", controller: \"gustafsson\"",
        "solver: \"auto\", controller: \"i\"",
        "solver: \"radau\", first_step: 0.1",
    ] {
        let code = format!("solve(f, [1, 1], [0, 1], #{{ {options} }})");
        session.eval(&code, None).unwrap();
    }
}

#[test]
fn an_interaction_is_drawn_once_where_there_are_no_controls() {
    let (output, shown) = Output::captured();
    let mut session = Session::new(SessionOptions {
        output,
        ..SessionOptions::default()
    })
    .unwrap();
    let code = "fn twice(x) { 2 * x } let k = 1; interact(|b, a| { print(a); twice(b) + k + PI }, #{ a: [\"x\", \"y\"], b: [0, 10] })";
    assert!(session.eval(code, None).unwrap().is_unit);
    let text = shown.lock().unwrap().clone();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("x"));
    assert!(lines.next().unwrap().starts_with("14.14159"), "{text}");
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("interact: drawn once, with b = 5, a = x;"),
        "{text}"
    );
    // Nobody can be asked, and the list of what input takes is not affected.
    let error = session.eval("input(\"name? \")", None).unwrap_err();
    assert!(error.to_string().contains("nobody can be asked"), "{error}");
    let gone = session.run_interaction(1, vec![]).unwrap_err();
    assert!(gone.to_string().contains("no longer connected"), "{gone}");
}
