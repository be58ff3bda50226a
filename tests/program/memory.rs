//! No call takes much more memory than it may: every function that takes a size is called with sizes around the limit and far beyond it,
//! and the peak of resident memory is what the operating system says.
//!
//! Which functions there are comes from the catalogue: a new one has a call here, or is named among those whose memory is that of what
//! they are given. In the gate each is called with a large part of a limit of 0.25 GiB and with what no machine has, and some of them with
//! a part of 1 GiB; `ODESYNC_MEMORY=all` has all sizes at both limits. The program is that without libtorch, whose code and whose own
//! memory would be most of what is measured.

#![cfg(all(target_os = "linux", not(feature = "torch")))]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use odesync::script::{Session, SessionOptions};

/// What a process may hold beyond the limit.
const BEYOND: usize = 64 << 20;

/// In the gate every so many-th call is made at the larger limit too.
const SOME: usize = 25;

/// Small values that calls are made of.
const SCENE: &[&str] = &[
    "let f = lotka_volterra().trainable([\"a\"])",
    "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1))",
    "let m = blackbox([2, 4, 2])",
    "let run = train(m, d, vanilla(), #{ epochs: 2, trajectory_every: 1 })",
    "let weak = train(f, d, weak_constraint(), #{ epochs: 2 })",
    "let h = hessian(f, d)",
    "let s = smoothing_spline([0, 1, 2], [1, 2, 1], 0.1)",
    "let eq = equations(d)",
    "let fig = figure().line([0, 1], [0, 1])",
    "let dn = h.density(#{ sigma: 0.1 })",
];

/// Calls of the functions that take a size or make something larger than what they are given, by the beginning of the signature. N is the size, in
/// numbers; M its square root.
const CALLS: &[(&str, &str)] = &[
    ("list.append(", "let l = []; l.pad(N, 0); l.append([1])"),
    ("list.pad(", "let l = []; l.pad(N, 0)"),
    ("list.append(", "let l = []; l.pad(N, 0); l.append(l)"),
    (
        "list.append(",
        "let l = []; l.pad(N, 0); let m = l; l = [m, l]",
    ),
    ("list.append(", "let l = []; loop { l.push([1.5]); }"),
    (
        "list.append(",
        "let m = #{}; let i = 0; loop { m[`${i}`] = i; i += 1; }",
    ),
    ("blob(", "blob(N)"),
    ("blob(", "let b = blob(8 * N); let c = b; b.append(c)"),
    ("blob.to_array(", "let b = blob(N); b.to_array()"),
    ("text.split(", "let s = \"\"; s.pad(N, \"a \"); s.split()"),
    (
        "text.split(",
        "let s = \"\"; s.pad(N, \"a,\"); s.split(\",\")",
    ),
    (
        "text.split_rev(",
        "let s = \"\"; s.pad(N, \"a,\"); s.split_rev(\",\", N)",
    ),
    (
        "text.to_chars(",
        "let s = \"\"; s.pad(N, \"a\"); s.to_chars()",
    ),
    (
        "text.to_chars(",
        "let s = \"\"; s.pad(8 * N, \"a\"); (s + s) + (s + s)",
    ),
    (
        "text.to_chars(",
        "let s = \"\"; s.pad(2 * N, \"a\"); `${s}${s}${s}${s}${s}${s}`",
    ),
    (
        "parse_json(",
        "let s = \"[\"; s.pad(N, \"1,\"); s += \"1]\"; parse_json(s)",
    ),
    (
        "text.replace(",
        "let s = \"\"; s.pad(M, \"a\"); s.replace(\"a\", s)",
    ),
    ("format(", "format(1.5, \".999999999f\")"),
    ("arange(", "arange(N)"),
    ("arange(", "arange(0.0, 1.0, 1.0 / N)"),
    ("linspace(", "linspace(0, 1, N)"),
    ("zeros(", "zeros(N)"),
    ("zeros(", "zeros([M, M])"),
    ("ones(", "ones([1, N])"),
    ("full(", "full(N, 2.5)"),
    ("identity(", "identity(M)"),
    ("array(", "let l = []; l.pad(N, 1.5); array(l)"),
    ("x.to_list(", "zeros(N).to_list()"),
    ("x.slice(", "zeros(N).slice(0, 1, -1)"),
    ("x.filter(", "let x = zeros(N); x.filter(x < 1.0)"),
    (
        "x.filter(",
        "let x = zeros(N); let m = x < 1.0; x[m & !m] = x",
    ),
    (
        "x.filter(",
        "let x = zeros(N); let y = x; y[0] = 1; y[0..2] = 1",
    ),
    ("transpose(", "transpose(zeros([M, M]))"),
    ("reshape(", "reshape(zeros(N), [-1, 1])"),
    ("flatten(", "flatten(zeros([M, M]))"),
    ("concat(", "let x = zeros(N); concat([x, x, x])"),
    ("stack(", "let x = zeros(N); stack([x, x, x])"),
    ("outer(", "outer(zeros(M), zeros(M))"),
    ("dot(", "dot(zeros([N, 1]), ones([1, 2]))"),
    ("matmul(", "matmul(zeros([N, 1]), ones([1, 2]))"),
    ("inverse(", "inverse(identity(M))"),
    ("eigenvalues(", "eigenvalues(identity(M))"),
    ("eigh(", "eigh(identity(M))"),
    ("least_squares(", "least_squares(identity(M), zeros(M))"),
    (
        "where(condition, a, b) -> Array",
        "let x = zeros(N); where(x < 1.0, x, 2.0)",
    ),
    ("interp(", "interp(zeros(N), [0, 1], [0, 1])"),
    ("rand(", "rand(N)"),
    ("randn(", "randn([M, M])"),
    ("randint(", "randint(0, 9, N)"),
    ("pow(", "zeros(N) ** 2.5"),
    ("median(", "median(zeros(N))"),
    ("quantile(", "quantile(zeros([2, N]), 0.5, 0)"),
    ("input(t", "input(arange(N), arange(N))"),
    ("system(", "system(N, |t, u| u)"),
    (
        "system(",
        "system(1, |t, u| { let x = u[0]; for i in 0..N { x = sin(x); } [x] })",
    ),
    ("blackbox(", "blackbox([2, N, 2])"),
    ("blackbox(", "blackbox([M, M])"),
    ("second_order(", "second_order([4, N, 2])"),
    ("graybox(", "graybox([2, N, 2], |t, u, nn| nn)"),
    ("solve(", "solve(f, [1, 1], linspace(0, 1, N))"),
    ("solve(", "solve(f, zeros([N, 2]), [0, 1])"),
    (
        "solve(",
        "solve(blackbox([M, 2, M]), zeros(M), [0, 1], #{ solver: \"radau\" })",
    ),
    ("jvp(", "jvp(f, [1, 1], linspace(0, 1, N), #{ u0: [1, 0] })"),
    ("dataset(", "dataset(f, [1, 1], linspace(0, 1, N))"),
    ("dataset(", "let t = arange(N); dataset(t, t)"),
    (
        "data.add_noise(",
        "let t = arange(N); dataset(t, t).add_noise(0.1)",
    ),
    (
        "data.scaled(",
        "let t = arange(N); dataset(t, t).scaled(2.0)",
    ),
    (
        "data.slice(",
        "let t = arange(N); dataset(t, t).slice(1, N - 1)",
    ),
    (
        "smoothing_spline(",
        "let t = arange(N); smoothing_spline(t, t, 0.1)",
    ),
    ("spline.at(", "s.at(linspace(0, 2, N))"),
    ("spline.derivative(", "s.derivative(linspace(0, 2, N))"),
    (
        "spline.second_derivative(",
        "s.second_derivative(linspace(0, 2, N))",
    ),
    ("power_law(", "power_law(N, 2, 0.6).values"),
    ("power_law(", "power_law(2, N, 0.6).values"),
    ("stepwise(", "stepwise(1.0 / N, 1).values"),
    ("cosine(", "cosine(N, N).values"),
    ("schedule(", "let l = []; l.pad(N, 0.5); schedule(l)"),
    (
        "multiple_shooting(",
        "train(m, d, multiple_shooting(#{ segments: N }), #{ epochs: 1 })",
    ),
    (
        "homotopy(",
        "train(m, d, homotopy(#{ coupling: 1.0, schedule: power_law(N, N, 0.5) }), #{ epochs: 1 })",
    ),
    (
        "train(",
        "train(m, d, vanilla(), #{ epochs: N, trajectory_every: 1 })",
    ),
    (
        "train(",
        "train(blackbox([2, N, 2]), d, vanilla(), #{ epochs: 1 })",
    ),
    (
        "train(",
        "train(blackbox([2, M, 2]), d, vanilla(), #{ epochs: 1, optimizer: \"lm\" })",
    ),
    ("train(", "train(m, d, vanilla(), #{ epochs: 1, batch: N })"),
    (
        "loss_and_gradient(",
        "loss_and_gradient(blackbox([2, N, 2]), d, vanilla())",
    ),
    (
        "loss_and_gradient(",
        "loss_and_gradient(blackbox([2, 1000, 2]), d, vanilla(), #{ solver: \"rk4\", step: 1.0 / N })",
    ),
    ("run.predict(", "run.predict(linspace(0, 1, N))"),
    ("run.profile(", "weak.profile(\"a\", #{ points: N })"),
    (
        "cross_validate(",
        "cross_validate(m, d, #{ folds: N, epochs: 1 })",
    ),
    (
        "discover(",
        "discover(d, #{ hidden: [N], seeds: [1], equations: false })",
    ),
    ("equations(", "equations(d, #{ library: polynomials(N) })"),
    ("polynomials(", "equations(d, #{ library: polynomials(M) })"),
    (
        "library.trigonometric(",
        "equations(d, #{ library: polynomials(1).trigonometric(N) })",
    ),
    ("hessian(", "hessian(blackbox([2, M, 2]), d).matrix()"),
    ("h.eigenpairs(", "h.eigenpairs(N)"),
    ("h.trace_estimate(", "h.trace_estimate(#{ probes: N })"),
    (
        "h.density(",
        "h.density(#{ sigma: 0.1, grid: linspace(0, 1, N) })",
    ),
    (
        "h.density_estimate(",
        "h.density_estimate(#{ probes: 2, steps: N })",
    ),
    ("d.on(", "dn.on(linspace(0, 1, N), 0.1)"),
    (
        "landscape(",
        "landscape(m, d, [ones(m.n_params)], [linspace(0, 1, N)])",
    ),
    (
        "landscape(",
        "landscape(m, d, random_directions(m, 2), [linspace(0, 1, M), linspace(0, 1, M)])",
    ),
    ("random_directions(", "random_directions(m, N)"),
    ("pca(", "pca(run, #{ components: N })"),
    (
        "figure(",
        "figure(#{ width: N, height: N }).line([0, 1], [0, 1]).to_png()",
    ),
    (
        "figure.line(",
        "let x = arange(N); figure().line(x, x).text()",
    ),
    (
        "figure.bar(",
        "let x = arange(N); figure().bar(x, x).text()",
    ),
    (
        "figure.error_bars(",
        "let x = arange(N); figure().error_bars(x, x, x).text()",
    ),
    ("figure.histogram(", "figure().histogram(arange(N)).text()"),
    (
        "figure.histogram(",
        "figure().histogram([0, 1], #{ bins: N }).text()",
    ),
    (
        "figure.scatter(",
        "let x = arange(N); figure().scatter(x, x).text()",
    ),
    (
        "figure.heatmap(",
        "let x = arange(M); figure().heatmap(x, x, zeros([M, M])).text()",
    ),
    (
        "figure.contour(",
        "figure().contour([0, 1], [0, 1], [[0, 1], [1, 0]], #{ levels: N }).text()",
    ),
    (
        "figure.surface(",
        "let x = arange(M); figure().surface(x, x, zeros([M, M])).text()",
    ),
    (
        "figure.streamlines(",
        "figure().streamlines([0, 1], [0, 1], [[1, 1], [1, 1]], [[1, 1], [1, 1]], #{ density: N }).text()",
    ),
    ("figure.text(", "fig.text(N, N)"),
    ("figure.text(", "fig.text(M, M)"),
    ("grid(", "grid(N, [fig, fig])"),
    ("table(", "table([#{ x: 1.5 }], #{ digits: N })"),
];

/// Functions of one array, called with zeros.
const OF_ONE_ARRAY: &[&str] = &[
    "sqrt",
    "cbrt",
    "exp",
    "expm1",
    "log",
    "ln",
    "log10",
    "log2",
    "log1p",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "abs",
    "floor",
    "ceil",
    "round",
    "sign",
    "square",
    "isnan",
    "sum",
    "prod",
    "mean",
    "variance",
    "std",
    "argmin",
    "argmax",
    "cumsum",
    "any",
    "all",
    "norm",
    "diff",
    "trapezoid",
    "cumulative_trapezoid",
    "erf",
    "gelu",
    "relu",
    "silu",
    "softplus",
    "sigmoid",
];

/// Functions of two arrays.
const OF_TWO_ARRAYS: &[&str] = &["atan2", "hypot", "min", "max", "mse", "nmse"];

/// Functions that make nothing larger than what they are given.
const WITHOUT_SIZE: &[&str] = &[
    "sleep(",
    "args(",
    "x.len(",
    "x.is_empty(",
    "x.col(",
    "x.row(",
    "x.contains(",
    "u.iter(",
    "where(condition, a, b)",
    "input.at(",
    "field.with_input(",
    "lotka_volterra(",
    "lorenz(",
    "van_der_pol(",
    "robertson(",
    "double_pendulum(",
    "seed(",
    "field.param(",
    "field.with_param(",
    "field.trainable(",
    "field.frozen(",
    "field.derivative(",
    "show(field)",
    "data.sample(",
    "read_csv(",
    "read_table(",
    "read_json(",
    "read_npy(",
    "read_schmidt_lipson(",
    "read_npz(",
    "data.write_npz(",
    "read_safetensors(",
    "data.write_safetensors(",
    "data.write_csv(",
    "data.with_names(",
    "data.head(",
    "data.up_to(",
    "data.len(",
    "synchronize(",
    "field.with_lambda(",
    "schedule.lambda(",
    "vanilla(",
    "weak_constraint(",
    "run.history(",
    "run.save(",
    "load(",
    "ensemble.quantile(",
    "found.save(",
    "export_model(",
    "from_torch(",
    "report(",
    "h.apply(",
    "h.gauss_newton(",
    "h.matrix(",
    "h.spectrum(",
    "h.trace(",
    "d.moment(",
    "run.model_at(",
    "figure.band(",
    "figure.vline(",
    "figure.hline(",
    "figure.annotate(",
    "figure.twin(",
    "figure.inset(",
    "figure.waterfall(",
    "figure.quiver(",
    "figure.line3(",
    "figure.scatter3(",
    "figure.quiver3(",
    "plot(x) -> Figure",
    "phase(",
    "show(figure)",
    "figure.save(",
    "interact(",
    "config(",
    "config.get(",
    "config.set(",
    "experiment(",
    "experiment.run(",
    "experiment.results(",
    "experiment.table(",
    "experiment.figure(",
    "plot(experiment, run) -> Figure",
];

/// Returns the beginning of a signature and a call of it, of every function that is tried.
fn calls() -> Vec<(String, String)> {
    let written = CALLS
        .iter()
        .map(|(head, call)| (head.to_string(), call.to_string()));
    let of_one = OF_ONE_ARRAY
        .iter()
        .map(|f| (format!("{f}("), format!("{f}(zeros(N))")));
    let of_two = OF_TWO_ARRAYS
        .iter()
        .map(|f| (format!("{f}("), format!("let x = zeros(N); {f}(x, x)")));
    written.chain(of_one).chain(of_two).collect()
}

/// A program that runs calls one after the other.
struct Calls {
    child: Child,
    lines: Receiver<String>,
    /// Time after which a call is stopped: it has taken by then the most of what it takes.
    patience: Duration,
}

impl Calls {
    fn start(gib: f64, calls: &[String], patience: Duration) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_odesync"))
            .args(["--quiet", "--memory", &gib.to_string(), "--threads", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut code = SCENE.join(";\n") + ";\n";
        // After each there is time to read the peak.
        code += "print(\"begin\"); sleep(0.1);\n";
        for call in calls {
            code += &format!("try {{ {call}; }} catch {{ }} print(\"it is over\"); sleep(0.02);\n");
        }
        let mut input = child.stdin.take().unwrap();
        // A program that is gone is noticed by its lines.
        let _ = input.write_all(code.as_bytes());
        drop(input);
        let out: ChildStdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let calls = Calls {
            child,
            lines,
            patience,
        };
        let begun = calls.lines.iter().any(|line| line.contains("begin"));
        assert!(begun, "the calls do not begin");
        calls.forget_peak();
        calls
    }

    /// Waits until the next call is over, which is stopped where it takes long. Returns the largest resident memory, and how it ended.
    fn next(&self) -> (usize, Ended) {
        let begun = Instant::now();
        let (mut is_stopped, mut peak) = (false, 0);
        loop {
            // A program that ends takes its peak with it.
            peak = peak.max(self.peak());
            match self.lines.recv_timeout(Duration::from_millis(20)) {
                Ok(line) if line.contains("it is over") => {
                    peak = peak.max(self.peak());
                    self.forget_peak();
                    return (peak, Ended::Over);
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if is_stopped => return (peak, Ended::Stopped),
                Err(RecvTimeoutError::Disconnected) => return (peak, Ended::Gone),
            }
            if begun.elapsed() > self.patience && !is_stopped {
                is_stopped = true;
                let id = self.child.id().to_string();
                Command::new("kill").args(["-INT", &id]).status().unwrap();
            }
        }
    }

    /// Returns the largest resident memory since the last [`Calls::forget_peak`], in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        kib.unwrap_or(0) << 10
    }

    fn forget_peak(&self) {
        // A program that is gone has none.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ended {
    /// It returned, or failed.
    Over,
    /// It took long and was stopped, and the program with it.
    Stopped,
    /// It ran into a limit, which ends the program.
    Gone,
}

impl Drop for Calls {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the sizes to try, in numbers of eight bytes: parts of the limit, and what no machine has.
fn sizes(limit: usize, all: bool) -> Vec<usize> {
    let numbers = limit / 8;
    let part = |percent: usize| numbers * percent / 100;
    match all {
        true => vec![
            part(8),
            part(20),
            part(45),
            part(95),
            part(300),
            1_000_000_000,
            1 << 40,
            i64::MAX as usize,
        ],
        false => vec![part(45), 1 << 40],
    }
}

/// Runs the calls, and returns those that took more than they may.
fn faults_of(gib: f64, codes: &[String], patience: Duration) -> Vec<String> {
    let limit = (gib * f64::from(1 << 30)) as usize;
    let mut faults = vec![];
    let mut done = 0;
    while done < codes.len() {
        let calls = Calls::start(gib, &codes[done..], patience);
        while done < codes.len() {
            let (peak, ended) = calls.next();
            let (mib, code) = (peak >> 20, &codes[done]);
            done += 1;
            println!("{mib:6} MiB {ended:?} {code}");
            // On a machine that does other work the process may be looked at late; what happens twice is a fault.
            let is_beyond = |peak: usize| peak > limit + BEYOND;
            if is_beyond(peak)
                && is_beyond(
                    Calls::start(gib, std::slice::from_ref(code), patience)
                        .next()
                        .0,
                )
            {
                faults.push(format!("{gib} GiB: {mib} MiB by {code}"));
            }
            if ended != Ended::Over {
                break;
            }
        }
    }
    faults
}

#[test]
fn no_call_takes_more_memory_than_it_may() {
    let is_all = std::env::var("ODESYNC_MEMORY").is_ok_and(|asked| asked == "all");
    let patience = Duration::from_millis(if is_all { 3000 } else { 400 });
    let mut faults = vec![];
    for (gib, stride) in [(0.25, 1), (1.0, if is_all { 1 } else { SOME })] {
        let mut codes: Vec<String> = vec![];
        for (_, call) in calls().into_iter().step_by(stride) {
            for size in sizes((gib * f64::from(1 << 30)) as usize, is_all) {
                let root = (size as f64).sqrt() as usize;
                let code = call.replace('N', &size.to_string());
                let code = code.replace('M', &root.to_string());
                // Some calls have no size and grow without end.
                if codes.last() != Some(&code) {
                    codes.push(code);
                }
            }
        }
        let (one, other) = codes.split_at(codes.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| faults_of(gib, other, patience));
            faults.extend(faults_of(gib, one, patience));
            faults.extend(other.join().unwrap());
        });
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_function_that_takes_a_size_is_tried() {
    let mut session = Session::new(SessionOptions::default()).unwrap();
    let docs = session.docs();
    let functions = docs.iter().filter(|doc| doc.signature.contains('('));
    let functions: Vec<&str> = functions.map(|doc| doc.signature).collect();
    let known =
        |list: &[&str], signature: &str| list.iter().any(|head| signature.starts_with(head));
    let calls = calls();
    let calls: Vec<&str> = calls.iter().map(|(head, _)| &**head).collect();
    let missing: Vec<&&str> = functions
        .iter()
        .filter(|signature| !known(&calls, signature) && !known(WITHOUT_SIZE, signature))
        .collect();
    assert!(
        missing.is_empty(),
        "neither called nor without a size: {missing:#?}"
    );
    let heads: BTreeSet<&str> = calls.iter().chain(WITHOUT_SIZE).copied().collect();
    for head in heads {
        assert!(
            functions.iter().any(|f| f.starts_with(head)),
            "there is no {head}"
        );
        let both = calls.contains(&head) && WITHOUT_SIZE.contains(&head);
        assert!(!both, "{head} is in both lists");
    }
}
