//! Tests of data, inputs and ensembles in scripts.

use odesync_script::script::{Output, Session, SessionOptions};

fn session() -> Session {
    Session::new(SessionOptions {
        output: Output::captured().0,
        quiet: true,
        ..SessionOptions::default()
    })
    .unwrap()
}

#[track_caller]
fn gives(code: &str, want: &str) {
    let value = session()
        .eval(code, None)
        .unwrap_or_else(|e| panic!("{code}: {e}"));
    assert_eq!(value.text, want, "{code}");
}

#[test]
fn data_are_joined_and_taken_apart() {
    let joined = "let a = dataset([0.0, 1.0], [[1, 2], [3, 4]]); let b = dataset([0.5, 1.0, 2.0], [[5, 6], [7, 8], [9, 10]]); \
                  let d = dataset([a, b]); ";
    gives(&format!("{joined} d.samples"), "2");
    gives(&format!("{joined} d.sample(1).t"), "Array[3] [0.5, 1, 2]");
    gives(&format!("{joined} d.sample(-1).u == b.u"), "true");
    gives(&format!("{joined} d.t"), "Array[4] [0, 0.5, 1, 2]");
    gives(&format!("{joined} d.u.shape"), "[2, 4, 2]");
    gives(
        &format!("{joined} d.head(2).sample(1).t"),
        "Array[2] [0.5, 1]",
    );
}

#[test]
fn inputs_stand_among_the_constants() {
    let field =
        "let f = system(1, |t, u, p| [p.k * p.w - u[0]], #{ k: 2.0, w: input([0, 1], [0, 1]) }); ";
    gives(
        &format!("{field} f.derivative(0.5, [0.25])"),
        "Array[1] [0.75]",
    );
    gives(
        &format!("{field} f.with_input(input([0, 1], [3, 3])).derivative(0.5, [0.25])"),
        "Array[1] [5.75]",
    );
    gives(
        &format!(
            "{field} f.with_input(\"w\", input([0, 1], [[3], [3]], \"spline\")).derivative(9, [0])"
        ),
        "Array[1] [6]",
    );
    gives("input([0, 2], [[0, 1], [4, 1]]).at(0.5)", "Array[2] [1, 1]");
    gives(
        "let g = graybox([2, 3, 2], \"tanh\", |t, u, nn, p| [nn[0] + p.w[1], nn[1]], #{ w: input([0, 1], [[0, 1], [1, 0]]) }); g.dof",
        "2",
    );
    gives(
        "blackbox([3, 4, 2], #{ input: input([0, 1], [0, 1]) }).dof",
        "2",
    );
    gives(
        "second_order([5, 4, 2], #{ activation: \"tanh\", input: input([0, 1], [0, 1]) }).dof",
        "4",
    );
    // One sample of the data for each input.
    gives(
        "let f = system(1, |t, u, p| [p.w], #{ w: input([input([0, 1], [1, 1]), input([0, 1], [2, 2])]) }); \
         let d = dataset(f, [[0.0], [0.0]], [0.0, 1.0]); abs(d.sample(1).u[1][0] - 2) < 1e-9",
        "true",
    );
}

#[test]
fn a_hidden_state_in_a_script() {
    let code = "
        let f = system(2, |t, u, p| [u[1], -p.g * u[0]], #{ g: 4.0 });
        let d = dataset(f, [1, 0], arange(0, 2, 0.1));
        let seen = dataset(d.t, d.u.slice(1, 0, 1), d.u0.slice(0, 0, 1));
        let guess = f.with_param(\"g\", 3.0).trainable([\"g\"]);
        let at = loss_and_gradient(guess, seen, vanilla(), #{ observe: [0], u0: [1, 0], train_u0: true });
        let run = train(guess, seen, vanilla(), #{ observe: [0], train_u0: true, epochs: 3 });
        plot(seen, run);
        [at.gradient.len(), run.predict([0.5]).shape, run.u0.shape]";
    gives(code, "[3, [1, 2], [2]]");
}

#[test]
fn an_ensemble_is_the_same_runs_one_at_a_time() {
    let data = "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let o = #{ epochs: 3, lr: 0.03 }; ";
    let seeds = format!(
        "{data} o.seeds = [10, 20, 30]; let e = train(|| blackbox([2, 4, 2]), d, vanilla(), o); o.remove(\"seeds\"); \
         let same = true; for i in 0..3 {{ seed([10, 20, 30][i]); let run = train(blackbox([2, 4, 2]), d, vanilla(), o); \
         same = same && run.model.params == e[i].model.params && run.history(\"mse\") == e[i].history(\"mse\"); }} "
    );
    gives(&format!("{seeds} same"), "true");
    gives(
        &format!("{seeds} [e.len(), e.runs.len(), e.failed.len(), e.labels[1]]"),
        "[3, 3, 0, \"seed_20\"]",
    );
    gives(
        &format!("{seeds} e.best.best_mse == min(e.runs.map(|r| r.best_mse))"),
        "true",
    );
    gives(
        &format!("{seeds} [e.median(\"mse\").len(), e.quantile(\"mse\", 1).len()]"),
        "[3, 3]",
    );
    gives(
        &format!(
            "{seeds} let p = e.predict([0.0, 2.0], #{{ low: 0, high: 1 }}); [p.median.shape, min(p.high - p.low) >= 0.0, p.members]"
        ),
        "[[2, 2], true, 3]",
    );
    gives(
        &format!("{seeds} plot(d, e, #{{ t_end: 2.0 }}); plot(e); 1"),
        "1",
    );
    let variants = format!(
        "{data} o.variants = [#{{ lr: 0.01 }}, #{{ epochs: 5 }}]; let m = blackbox([2, 4, 2]); "
    );
    gives(
        &format!(
            "{variants} let e = train(m, d, vanilla(), o); [e[0].epochs, e[1].epochs, e.labels[1]]"
        ),
        "[3, 5, \"variant_1\"]",
    );
    gives(
        &format!(
            "{variants} o.seeds = [1, 2]; let e = train(|| blackbox([2, 4, 2]), d, vanilla(), o); e.labels[2]"
        ),
        "seed_2_variant_0",
    );
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    gives(
        &format!(
            "{data} o.seeds = [1, 2]; o.out = \"{out}\"; train(|| blackbox([2, 4, 2]), d, vanilla(), o); load(\"{out}/seed_2\").epochs"
        ),
        "3",
    );
}

/// A component by its name, of one sample and of several; reading a property in any way stays possible.
#[test]
fn columns_by_name() {
    let three = "let d = dataset([0, 1, 2], [[1.0], [NAN], [3.0]]); ";
    gives(&format!("{three} d[\"u[0]\"][2]"), "3.0");
    gives(
        "dataset(lotka_volterra(), [[1, 1], [2, 1]], arange(0, 3, 0.5))[\"u[1]\"].shape",
        "[2, 6]",
    );
    gives(&format!("{three} d.u.to_list().len()"), "3");
    gives(&format!("{three} d.names.contains(\"u[0]\")"), "true");
}

#[test]
fn names_stay_with_data_in_other_units() {
    let data = "let d = dataset([1900, 1901], [[30.0, 4.0], [60.0, 8.0]], [27.0, 2.0]).with_names([\"hare\", \"lynx\"]); ";
    for (code, want) in [
        ("(d / 3.0).names", "[\"hare\", \"lynx\"]"),
        ("(d / 3.0).u0", "Array[2] [9, 0.666667]"),
        ("(d / [30, 4]).u == [[1, 1], [2, 2]]", "true"),
        ("(2 * d).u[0]", "Array[2] [60, 8]"),
        ("(d * [2, 1]).u[0]", "Array[2] [60, 4]"),
        ("(d - [30, 4]).u[0]", "Array[2] [0, 0]"),
        ("(1 + d - 1).u == d.u", "true"),
        ("d.scaled(30).u == (d / 30).u", "true"),
        ("d.scaled(30, #{ t0: 1900, t: 0.5 }).t", "Array[2] [0, 2]"),
        ("d.scaled(30)[\"lynx\"]", "Array[2] [0.133333, 0.266667]"),
        ("d.units.state", "[\"\", \"\"]"),
    ] {
        gives(&format!("{data}{code}"), want);
    }
}

#[test]
fn what_was_guessed_of_a_table_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    std::fs::write(&path, "Zeit;x\n0;1,5\n1;2,5\n").unwrap();
    let (output, text) = Output::captured();
    let mut session = Session::new(SessionOptions {
        output,
        ..SessionOptions::default()
    })
    .unwrap();
    let code = format!("read_csv({:?})", path.display().to_string());
    session.eval(&code, None).unwrap();
    session.eval(&code, None).unwrap();
    let text = text.lock().unwrap().clone();
    let note = "columns are separated by \";\"; the decimal mark is a comma";
    assert_eq!(text.matches(note).count(), 1, "{text}");
}

#[test]
fn a_workbook_is_the_same_as_text_in_scripts_and_experiments() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../train/tests/data/tables");
    let folder = folder.display().to_string();
    let (output, text) = Output::captured();
    let path = format!("dataset.path={folder}/struct.mat");
    let arguments = [
        "dataset=file",
        &path,
        "+dataset.group=run",
        "dataset.state=[x, v, k]",
    ];
    let mut session = Session::new(SessionOptions {
        output,
        arguments: arguments.map(String::from).into(),
        ..SessionOptions::default()
    })
    .unwrap();
    let code = format!(
        "let f = {folder:?}; let a = read_csv(f + \"/plain.csv\"); let b = read_table(f + \"/tables.xlsx\");
         let d = experiment(config(\"lotka_volterra\")).dataset;
         print([a.names == b.names, max(abs(a.t - b.t)) < 1e-15, a.u[0][1] == b.u[0][1], d.names == a.names, d.len() == a.len()]);"
    );
    session
        .eval(&code, None)
        .unwrap_or_else(|e| panic!("{}", e.message));
    let text = text.lock().unwrap().clone();
    assert!(text.contains("[true, true, true, true, true]"), "{text}");
    assert!(
        text.contains("read_table: ") && text.contains("the sheet is \"plain\""),
        "{text}"
    );
}
