//! The command line: exit codes, streams, messages.

use std::io::Read;
use std::process::{Command, Stdio};

use assert_cmd::Command as Odesync;

fn odesync(args: &[&str]) -> (i32, String, String) {
    let output = Odesync::cargo_bin("odesync")
        .unwrap()
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn script(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rhai");
    std::fs::write(&path, text).unwrap();
    let name = path.to_str().unwrap().to_string();
    (folder, name)
}

#[test]
fn eval_prints_the_value_unless_there_is_none() {
    assert_eq!(odesync(&["eval", "1+1"]), (0, "2\n".into(), String::new()));
    assert_eq!(
        odesync(&["eval", "let x = 1;"]),
        (0, String::new(), String::new())
    );
    assert_eq!(odesync(&["eval", "print(\"a\"); \"b\""]).1, "a\nb\n");
    assert_eq!(
        odesync(&["--threads", "2", "--quiet", "eval", "sum(arange(4))"]).1,
        "6.0\n"
    );
}

#[test]
fn a_script_that_fails_ends_with_1_and_its_error_on_standard_error() {
    let (code, out, err) = odesync(&["eval", "print(1); mean([])"]);
    assert_eq!((code, out.as_str()), (1, "1\n"));
    assert!(
        err.starts_with("error: mean of an empty array\n --> <eval>:1:11\n"),
        "{err}"
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let (_folder, plain) = script("print(1)");
    for args in [
        &["bogus"][..],
        &["eval"],
        &["run"],
        &["run", "no/such/file.rhai"],
        &["run", &plain, "epochs"],
        &["run", &plain, "epochs=3"],
        &["--threads", "0", "eval", "1"],
        &["--memory", "-1", "eval", "1"],
        &["--bogus"],
    ] {
        let (code, out, err) = odesync(args);
        assert_eq!(code, 2, "{args:?}: {err}");
        assert!(
            out.is_empty() && err.contains("error: "),
            "{args:?}: {out}{err}"
        );
    }
    let (_, _, err) = odesync(&["run", &plain, "epochs=3"]);
    assert!(err.contains("takes no arguments, but epochs=3 is given") && err.contains("args(#{"));
}

#[test]
fn arguments_reach_the_script() {
    let (_folder, path) = script(
        "let opt = args(#{ epochs: 600, lr: 0.05, file: () });\nprint(`${opt.epochs} ${opt.lr} ${opt.file}`);",
    );
    assert_eq!(
        odesync(&["run", &path, "lr=1", "file=x=y.csv"]).1,
        "600 1.0 x=y.csv\n"
    );
    let (code, _, err) = odesync(&["run", &path, "epohcs=3"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("unknown argument \"epohcs\" (did you mean \"epochs\"?)"),
        "{err}"
    );
    assert!(err.contains("a.rhai:1:11"), "{err}");
    let (code, _, err) = odesync(&["run", &path, "epochs=many"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("argument epochs=many: should be a whole number"),
        "{err}"
    );
}

#[test]
fn help_and_version() {
    let (code, out, _) = odesync(&["--version"]);
    assert_eq!(
        (code, out),
        (0, format!("odesync {}\n", env!("CARGO_PKG_VERSION")))
    );
    for args in [
        &[][..],
        &["--help"],
        &["run", "--help"],
        &["eval", "--help"],
    ] {
        let (code, out, _) = odesync(args);
        assert_eq!(code, 0);
        assert!(
            out.contains("Examples:") && out.contains("Usage: odesync"),
            "{out}"
        );
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let bin = assert_cmd::cargo::cargo_bin("odesync");
    let mut child = Command::new(bin)
        .args(["eval", "let i = 0; loop { i += 1; print(i) }"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 16]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_script_with_130() {
    let bin = assert_cmd::cargo::cargo_bin("odesync");
    let mut child = Command::new(bin)
        .args(["eval", "print(\"on\"); loop {}"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The script runs once it has printed.
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 3])
        .unwrap();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("interrupted")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    for code in ["print(1)", "1"] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let bin = assert_cmd::cargo::cargo_bin("odesync");
        let output = Command::new(bin)
            .args(["eval", code])
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("cannot write the output")
        );
    }
}
