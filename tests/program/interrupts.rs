//! Ctrl-C, SIGTERM and SIGHUP end the program with 130, whatever runs; memory that may not be used ends it with 1.

use std::io::Read;
use std::process::{Command, Stdio};

/// Code that runs for far longer than a test, in one call of the library.
const LONG_CALLS: &[(&str, &str, &str)] = &[
    ("a loop", "loop {}", "INT"),
    ("a loop, SIGTERM", "loop {}", "TERM"),
    ("a loop, SIGHUP", "loop {}", "HUP"),
    (
        "an epoch of a large network",
        "train(blackbox([2, 4096, 4096, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 30, 0.1)), vanilla(), #{ epochs: 99 })",
        "INT",
    ),
    (
        "a stiff solve of many states",
        "solve(blackbox([2000, 2, 2000]), zeros(2000), [0, 1], #{ solver: \"radau\" })",
        "INT",
    ),
    (
        "equations from a large library",
        "equations(dataset(lorenz(), [1, 1, 1], arange(0, 3, 0.05)), #{ library: polynomials(6) })",
        "INT",
    ),
    (
        "a product of matrices",
        "let a = ones([9000, 9000]); dot(a, a)",
        "INT",
    ),
    (
        "contour lines",
        "let x = arange(0, 6000); let z = randn([6000, 6000]); figure().contour(x, x, z).save(\"c.png\")",
        "INT",
    ),
    (
        "a surface",
        "let x = arange(0, 4000); let z = randn([4000, 4000]); figure().surface(x, x, z).save(\"s.png\")",
        "INT",
    ),
];

#[test]
fn a_signal_ends_every_call() {
    let folder = tempfile::tempdir().unwrap();
    for (name, code, signal) in LONG_CALLS {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("odesync"))
            .args(["--quiet", "--memory", "8", "eval"])
            .arg(format!("print(\"on\"); {code}"))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut on = [0; 3];
        child.stdout.as_mut().unwrap().read_exact(&mut on).unwrap();
        // Until the call has begun; the answer is the same before.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let id = child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &id])
            .status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}: {said}");
        assert!(said.contains("interrupted"), "{name}: {said}");
    }
}

#[test]
fn a_training_takes_no_more_memory_than_it_may() {
    let output = Command::new(assert_cmd::cargo::cargo_bin("odesync"))
        .args(["--memory", "0.025", "eval"])
        .arg(
            "let d = dataset(lotka_volterra(), [1, 1], arange(0, 20, 0.5)); \
             train(blackbox([2, 5000, 2]), d, vanilla(), #{ epochs: 1, rtol: 1e-12, atol: 1e-12 }).history(\"failed\")[0]",
        )
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0.0\n", "{said}");
    assert!(
        said.contains("going on with adjoint \"adaptive_ckpt\""),
        "{said}"
    );
}
