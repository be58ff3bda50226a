//! Tests of the command line: exit codes, streams, `odesync doctor`. The messages of wrong calls are tested in `snapshots`.

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
fn arguments_reach_the_script() {
    let (_folder, path) = script(
        "let opt = args(#{ epochs: 600, lr: 0.05, file: () });\nprint(`${opt.epochs} ${opt.lr} ${opt.file}`);",
    );
    assert_eq!(
        odesync(&["run", &path, "lr=1", "file=x=y.csv"]).1,
        "600 1.0 x=y.csv\n"
    );
}

#[test]
fn version() {
    let (code, out, _) = odesync(&["--version"]);
    assert_eq!(
        (code, out),
        (0, format!("odesync {}\n", env!("CARGO_PKG_VERSION")))
    );
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
    // Its first output shows that the script is running.
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

#[test]
fn a_device_that_is_not_there() {
    assert_eq!(odesync(&["--device", "cpu", "eval", "1"]).1, "1\n");
    // No machine has that many.
    let (code, out, err) = odesync(&["--device", "cuda:99", "eval", "print(1)"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.starts_with("error: torch: "), "{err}");
    let (code, out, err) = odesync(&["--device", "cuda:99", "doctor"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("✗ CUDA"), "{out}");
    assert_eq!(err, "error: needed and broken: CUDA\n");
}

/// Returns what `odesync doctor` prints in an empty folder, with programs only from `bin` and with these environment variables.
#[cfg(unix)]
fn doctor(bin: &std::path::Path, variables: &[(&str, &str)]) -> (i32, String) {
    let here = tempfile::tempdir().unwrap();
    let output = Odesync::cargo_bin("odesync")
        .unwrap()
        .arg("doctor")
        .current_dir(here.path())
        .env("PATH", bin)
        .env("CARGO_HOME", bin)
        .env_remove("ODESYNC_ISA")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

/// Creates a program that prints `answer` if its first argument is `to`, for each pair `(to, answer)`, and fails otherwise.
#[cfg(unix)]
fn program(bin: &std::path::Path, name: &str, answers: &[(&str, &str)]) {
    use std::os::unix::fs::PermissionsExt;

    let mut text = String::from("#!/bin/sh\n");
    for (to, answer) in answers {
        text += &format!("if [ \"$1\" = '{to}' ]; then printf '%s\\n' '{answer}'; exit 0; fi\n");
    }
    text += "exit 1\n";
    let path = bin.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn doctor_names_what_is_missing_and_the_cure() {
    let bin = tempfile::tempdir().unwrap();
    let (code, text) = doctor(bin.path(), &[]);
    assert_eq!(code, 0, "{text}");
    let line = |what: &str| {
        let mut lines = text.lines().skip_while(|line| !line[3..].starts_with(what));
        (
            lines.next().unwrap_or_else(|| panic!("no {what}: {text}")),
            lines.next().unwrap_or_default(),
        )
    };
    assert!(line(" odesync").0.contains(env!("CARGO_PKG_VERSION")));
    assert!(line(" instruction set").0.contains("portable"));
    assert!(line(" memory").0.contains("iB for a script"));
    assert!(line(" configs").0.contains("lorenz3d"));
    for (what, fix) in [
        (" Jupyter", "→ make notebook"),
        (" evcxr_jupyter", "→ make notebook"),
        (" kernels", "→ make notebook"),
        (" notebooks", "→ make notebook"),
    ] {
        let (found, next) = line(what);
        assert!(found.starts_with('–') && next.contains(fix), "{text}");
    }
    let libtorch = line(" libtorch").0;
    if cfg!(feature = "torch") {
        assert!(
            libtorch.starts_with('✓') && libtorch.contains("libtorch_cpu"),
            "{text}"
        );
    } else {
        assert!(
            libtorch.starts_with('–') && text.contains("has no torch engine"),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn doctor_says_what_there_is() {
    let bin = tempfile::tempdir().unwrap();
    let versions = "Selected Jupyter core packages...\njupyter_core     : 5.7.2\njupyterlab       : 4.2.5\nnotebook         : not installed";
    let kernels = |name: &str, language: &str| {
        format!(
            "{{\"kernelspecs\": {{\"{name}\": {{\"spec\": {{\"language\": \"{language}\"}}}}}}}}"
        )
    };
    let rust = kernels("odesync", "rust");
    let jupyter = [("--version", versions), ("kernelspec", rust.as_str())];
    program(bin.path(), "jupyter", &jupyter);
    program(bin.path(), "evcxr_jupyter", &[]);
    let (code, text) = doctor(bin.path(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("✓ Jupyter         jupyter_core 5.7.2, jupyterlab 4.2.5 ("),
        "{text}"
    );
    assert!(text.contains("✓ evcxr_jupyter   /"), "{text}");
    assert!(text.contains("✓ kernels         odesync\n"), "{text}");

    let other = kernels("rust", "rust");
    let jupyter = [("--version", versions), ("kernelspec", other.as_str())];
    program(bin.path(), "jupyter", &jupyter);
    let (code, text) = doctor(bin.path(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("– kernels         rust; not the one of this checkout"),
        "{text}"
    );

    let python = kernels("k", "python");
    let jupyter = [("--version", versions), ("kernelspec", python.as_str())];
    program(bin.path(), "jupyter", &jupyter);
    let (code, text) = doctor(bin.path(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("– kernels         k; none for Rust\n"),
        "{text}"
    );

    program(bin.path(), "jupyter", &[]);
    let (code, text) = doctor(bin.path(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("✗ Jupyter") && text.contains("--version fails"),
        "{text}"
    );

    // Every script needs an instruction set, so an invalid one is a failure.
    let (code, text) = doctor(bin.path(), &[("ODESYNC_ISA", "mmx")]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("✗ instruction set") && text.contains("→ unset ODESYNC_ISA"),
        "{text}"
    );
}

/// `odesync doctor` distinguishes a libtorch_cuda.so that is not a library, of the right and of the wrong build, from a missing
/// one.
#[cfg(all(feature = "torch", target_os = "linux"))]
#[test]
fn doctor_tells_a_broken_cuda_from_a_missing_one() {
    let libtorch = odesync::torch::library::loaded_path().unwrap();
    if libtorch.with_file_name("libtorch_cuda.so").exists() {
        println!("skipped: the libtorch of this build has CUDA of its own");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let bin = root.path().join("bin");
    let own = root.path().join("own");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::create_dir_all(own.join("lib")).unwrap();
    std::fs::write(own.join("lib/libtorch_cuda.so"), "text").unwrap();
    let run = || doctor(&bin, &[("LIBTORCH", own.to_str().unwrap())]).1;
    let text = run();
    // A matching library from the setup is used where there is one.
    let fits = text.contains("libraries are loaded") || text.contains("✓ CUDA");
    assert!(
        fits || text.contains("✗ CUDA") && text.contains("belongs to another build of libtorch"),
        "{text}"
    );
    let size = std::fs::metadata(libtorch).unwrap().len();
    std::fs::write(own.join(".complete"), format!("libtorch_cpu.so {size}\n")).unwrap();
    let text = run();
    assert!(
        text.contains("✗ CUDA") && text.contains("libtorch_cuda.so does not load: "),
        "{text}"
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
