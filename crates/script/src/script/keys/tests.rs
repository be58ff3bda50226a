//! The declared option keys and those that the functions accept are the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Keys, distinct, find};
use crate::script::{Doc, Output, Session, SessionOptions};

mod extremes;

const SCENE: &str = "
    let d = dataset([0, 1, 2], [[1.0], [2.0], [1.0]]);
    let m = blackbox([1, 2, 1]);
    let f = lotka_volterra();
    let sol = solve(f, [1, 1], [0, 1, 2]);
    let run = train(m, d, vanilla(), #{ epochs: 2, trajectory_every: 1 });
    let e = train(|| blackbox([1, 2, 1]), d, vanilla(), #{ epochs: 1, seeds: [1, 2] });
    let h = hessian(m, d);
    let spline = smoothing_spline([0, 1, 2], [1, 2, 0], 0);
    let l = landscape(f, dataset(f, [1, 1], [0, 0.1, 0.2]), \"a\", [1.0, 1.5]);
    let plane = landscape(run.last, d, pca(run), #{ points: 3 });
    let found = discover(dataset(f, [1, 1], arange(0, 2, 0.1)), #{ hidden: [2], seeds: [1], equations: false });
    let fig = figure();";

/// A call of every form that takes options, with an option that no function has; the function's name comes before the bracket.
const CALLS: &[(&str, &str)] = &[
    ("train", "train(m, d, vanilla(), Z)"),
    ("cross_validate", "cross_validate(m, d, Z)"),
    ("loss_and_gradient", "loss_and_gradient(m, d, vanilla(), Z)"),
    ("multiple_shooting", "multiple_shooting(Z)"),
    ("homotopy", "homotopy(#{ coupling: 1.0, zzz: 1 })"),
    ("homotopy", "homotopy(#{ loss: \"huber\", zzz: 1 })"),
    ("weak_constraint", "weak_constraint(Z)"),
    ("trainable", "f.trainable(#{ a: Z })"),
    ("discover", "discover(d, Z)"),
    ("equations", "equations(d, Z)"),
    ("predict", "e.predict([0, 1], Z)"),
    ("predict", "run.predict([0, 1], Z)"),
    ("save", "run.save(\"a\", Z)"),
    ("save", "found.save(\"a\", Z)"),
    ("profile", "run.profile(\"a\", Z)"),
    ("export_model", "export_model(f, \"a.py\", Z)"),
    ("export_model", "export_model(run, \"a.py\", Z)"),
    ("from_torch", "from_torch(\"a.safetensors\", Z)"),
    ("solve", "solve(f, [1, 1], [0, 1], Z)"),
    ("jvp", "jvp(f, [1, 1], [0, 1], Z)"),
    ("dataset", "dataset(f, [1, 1], [0, 1], Z)"),
    ("add_noise", "d.add_noise(0.1, Z)"),
    ("scaled", "d.scaled(2, Z)"),
    ("read_csv", "read_csv(\"a.csv\", Z)"),
    ("read_table", "read_table(\"a.xlsx\", Z)"),
    ("read_npz", "read_npz(\"a.npz\", Z)"),
    ("read_safetensors", "read_safetensors(\"a.safetensors\", Z)"),
    ("read_schmidt_lipson", "read_schmidt_lipson(\"a.txt\", Z)"),
    (
        "synchronize",
        "synchronize(blackbox([1, 2, 1]), spline, 1.0, Z)",
    ),
    ("table", "table([], Z)"),
    ("input", "input([0, 1], [0, 1], Z)"),
    ("blackbox", "blackbox([1, 2, 1], Z)"),
    ("second_order", "second_order([2, 4, 1], Z)"),
    ("lotka_volterra", "lotka_volterra(Z)"),
    ("lorenz", "lorenz(Z)"),
    ("van_der_pol", "van_der_pol(Z)"),
    ("robertson", "robertson(Z)"),
    ("double_pendulum", "double_pendulum(Z)"),
    ("hessian", "hessian(m, d, Z)"),
    ("hessian", "hessian(|p| p[0] ** 2, [1], Z)"),
    ("landscape", "landscape(f, d, \"a\", [1], Z)"),
    ("landscape", "landscape(run.last, d, pca(run), Z)"),
    ("landscape", "landscape(|p| p[0] ** 2, [1], [1], [0], Z)"),
    ("random_directions", "random_directions(m, 1, Z)"),
    ("pca", "pca(run, Z)"),
    ("density", "h.density(Z)"),
    ("density_estimate", "h.density_estimate(Z)"),
    ("trace_estimate", "h.trace_estimate(Z)"),
    ("figure", "figure(Z)"),
    ("grid", "grid(1, [fig], Z)"),
    ("line", "fig.line([0, 1], [0, 1], Z)"),
    ("scatter", "fig.scatter([0, 1], [0, 1], Z)"),
    ("band", "fig.band([0, 1], [0, 1], 1, Z)"),
    ("vline", "fig.vline(0, Z)"),
    ("hline", "fig.hline(0, Z)"),
    ("error_bars", "fig.error_bars([0, 1], [0, 1], 1, Z)"),
    ("bar", "fig.bar([0, 1], [0, 1], Z)"),
    ("histogram", "fig.histogram([0, 1], Z)"),
    ("annotate", "fig.annotate(\"a\", [0, 1], Z)"),
    (
        "heatmap",
        "fig.heatmap([0, 1], [0, 1], [[1, 2], [3, 4]], Z)",
    ),
    (
        "contour",
        "fig.contour([0, 1], [0, 1], [[1, 2], [3, 4]], Z)",
    ),
    (
        "surface",
        "fig.surface([0, 1], [0, 1], [[1, 2], [3, 4]], Z)",
    ),
    ("waterfall", "fig.waterfall([0, 1], [[1, 2], [3, 4]], Z)"),
    ("quiver", "fig.quiver([0], [0], [[1]], [[1]], Z)"),
    ("streamlines", "fig.streamlines([0], [0], [[1]], [[1]], Z)"),
    ("line3", "fig.line3([0, 1], [0, 1], [0, 1], Z)"),
    ("scatter3", "fig.scatter3([0, 1], [0, 1], [0, 1], Z)"),
    ("quiver3", "fig.quiver3([[0, 0, 0]], [[1, 1, 1]], Z)"),
    ("phase", "phase(f, sol, Z)"),
    ("plot", "plot(f, sol, Z)"),
    ("plot", "plot(d, run, Z)"),
    ("plot", "plot(d, e, Z)"),
    ("plot", "plot([sol], Z)"),
    ("plot", "plot(l, Z)"),
    ("plot", "plot([l], Z)"),
    ("plot", "plot(plane, Z)"),
    ("plot", "plot(plane, #{ surface: true, zzz: 1 })"),
    ("plot", "plot([plane, plane], Z)"),
    ("plot", "plot([plane], #{ surface: true, zzz: 1 })"),
    ("plot", "plot(d, spline, Z)"),
    ("plot", "plot(run, Z)"),
    ("plot", "plot([h.density()], Z)"),
];

/// Functions whose map holds names that the user chooses.
const OWN: [&str; 5] = ["system", "graybox", "args", "print", "interact"];

fn scene() -> Session {
    let mut session = Session::new(SessionOptions {
        quiet: true,
        interactive: true,
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap();
    session.eval(SCENE, None).unwrap();
    session
}

/// Returns the option keys that the error message of a call lists as known.
fn known(session: &mut Session, call: &str) -> BTreeSet<String> {
    let call = call.replace('Z', "#{ zzz: 1 }");
    let message = match session.eval(&call, None) {
        Ok(outcome) => panic!("{call}: {}", outcome.text),
        Err(error) => error.message,
    };
    let list = message.split("known: ").nth(1);
    let list = list.unwrap_or_else(|| panic!("{call}: {message}"));
    list.split(", ").map(str::to_string).collect()
}

fn declared(keys: Keys) -> BTreeSet<String> {
    distinct([keys])
        .iter()
        .map(|key| key.name.to_string())
        .collect()
}

#[test]
fn every_call_knows_the_keys_that_are_declared_for_it() {
    let mut session = scene();
    let docs = session.catalogue().docs;
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (function, call) in CALLS {
        let keys = known(&mut session, call);
        found.entry(function).or_default().extend(keys);
    }
    let with_keys = |doc: &&Doc| !doc.options.is_empty();
    for doc in docs.iter().filter(with_keys) {
        assert_eq!(
            found.get(doc.name),
            Some(&declared(doc.options)),
            "{}",
            doc.name
        );
    }
    for function in found.keys() {
        let mut entries = docs.iter().filter(|doc| doc.name == *function);
        assert!(entries.any(|doc| with_keys(&doc)), "{function}");
    }
    // Every other map among the arguments is a map of options.
    for doc in docs.iter().filter(|doc| doc.options.is_empty()) {
        let arguments = doc.signature.split("->").next().unwrap_or_default();
        assert!(
            !arguments.contains("#{") || OWN.contains(&doc.name),
            "{}",
            doc.signature
        );
    }
}

#[test]
fn maps_within_maps_have_keys_of_their_own() {
    let mut session = scene();
    let docs = session.catalogue().docs;
    for (function, key, call) in [
        (
            "solve",
            "events",
            "solve(f, [1, 1], [0, 1], #{ events: [#{ event: |t, u, p| u[0], zzz: 1 }] })",
        ),
        (
            "solve",
            "doses",
            "solve(f, [1, 1], [0, 1], #{ doses: #{ at: [0], jump: |t, u, p| u, zzz: 1 } })",
        ),
        (
            "train",
            "lr_schedule",
            "train(m, d, vanilla(), #{ lr_schedule: #{ rate: 0.9, zzz: 1 } })",
        ),
    ] {
        let doc = docs.iter().find(|doc| doc.name == function).unwrap();
        let key = find(doc.options, key).unwrap();
        assert_eq!(
            known(&mut session, call),
            declared(key.nested),
            "{function}"
        );
    }
}

#[test]
fn what_is_listed_for_a_key_is_taken() {
    let mut session = scene();
    let docs = session.catalogue().docs;
    let of = |function: &str, key: &str| {
        let doc = docs.iter().find(|doc| doc.name == function).unwrap();
        find(doc.options, key).unwrap().choices
    };
    for method in of("solve", "solver") {
        let steps = if odesync_ode::odesolve::solvers::by_name(method)
            .unwrap()
            .is_adaptive()
        {
            ""
        } else {
            ", substeps: 2"
        };
        let call = format!("solve(f, [1, 1], [0, 0.1], #{{ solver: \"{method}\"{steps} }})");
        assert!(session.eval(&call, None).is_ok(), "{call}");
    }
    for key in ["optimizer", "lr_schedule", "adjoint"] {
        for name in of("train", key) {
            let options = format!("#{{ epochs: 1, {key}: \"{name}\" }}");
            let call = format!("train(m, d, vanilla(), {options})");
            assert!(session.eval(&call, None).is_ok(), "{call}");
        }
    }
    // Code with arguments begins with the name of an existing function.
    for key in docs.iter().flat_map(|doc| distinct([doc.options])) {
        for code in key.literals.iter().filter(|code| code.contains('(')) {
            let function = code.split('(').next().unwrap_or_default();
            assert!(docs.iter().any(|doc| doc.name == function), "{code}");
        }
    }
}
