//! Tests of scripts that are killed or interrupted during a training, and run again.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use odesync::random::Generator;
use odesync::training::{Run, StopReason};

const SCRIPT: &str = r#"
let opt = args(#{ out: "", epochs: 120, extra: 0 });
seed(10);
let model = blackbox([2, 8, 2], "tanh");
let data = dataset(lotka_volterra(), [0.44, 4.6], arange(0.0, 2.1, 0.1));
for i in 0..opt.extra { blackbox([1, 1]); }
let method = homotopy(#{ coupling: 6.0, schedule: power_law(4, 25, 0.6) });
let run = train(model, data, method, #{ out: opt.out, epochs: opt.epochs, lr: 0.05, checkpoint_every: 3, resume: true });
print([run.best_mse, run.best_epoch, run.best_mse_at_lambda_zero, run.evaluations, run.epochs]);
print(run.last.params);
print(blackbox([1, 2, 1]).params);
"#;

struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rhai"), SCRIPT).unwrap();
        Program { folder }
    }

    fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("odesync"));
        command
            .current_dir(self.folder.path())
            .args(["run", "a.rhai", &format!("out={out}")])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn out(&self, out: &str) -> std::path::PathBuf {
        self.folder.path().join(out)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("metrics.csv")).map_or(0, |text| text.lines().count())
}

/// Waits until the table of metrics has `target` lines, or the program has ended.
fn wait_for(child: &mut Child, folder: &Path, target: usize) {
    while lines(folder) < target && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(300));
    }
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn killed_again_and_again_it_ends_as_if_nothing_had_been() {
    let program = Program::new();
    let want = succeeds(&program.command("whole", &[]).output().unwrap());
    let out = program.out("killed");
    let mut random = Generator::manual_seed(5);
    let (mut kills, mut done) = (0, 0);
    let got = loop {
        let mut child = program.command("killed", &[]).spawn().unwrap();
        match kills % 4 {
            // Kills the program while it starts, reads the checkpoint, or truncates the table.
            3 => std::thread::sleep(Duration::from_millis(u64::from(random.random() % 40))),
            _ => {
                // Removed, so that rows of the killed process, which resumption truncates first, are not counted.
                let _ = std::fs::remove_file(out.join("metrics.csv"));
                wait_for(&mut child, &out, done + 1 + random.random() as usize % 20);
            }
        }
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            break text(&output.stdout);
        }
        assert_eq!(output.status.code(), None, "{}", text(&output.stderr));
        kills += 1;
        if out.join("last.safetensors").exists() {
            done = Run::load(&out).unwrap().history.len();
        }
        assert!(kills < 500, "it does not get on");
    };
    assert!(kills > 3, "killed {kills} times only");
    assert_eq!(got, want, "killed {kills} times");
    let best = |out: &Path| std::fs::read(out.join("best.safetensors")).unwrap();
    assert!(best(&out) == best(&program.out("whole")));
    let table = |out: &Path| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(out.join("metrics.csv")).unwrap();
        let cells = |line: &str| line.split(',').map(String::from).collect::<Vec<_>>();
        let mut rows: Vec<_> = text.lines().map(cells).collect();
        rows.iter_mut().for_each(|row| drop(row.remove(5)));
        rows
    };
    assert_eq!(table(&out), table(&program.out("whole")));
}

#[test]
fn an_interrupted_program_says_how_to_go_on() {
    let program = Program::new();
    let mut child = program.command("run", &["epochs=1000000"]).spawn().unwrap();
    let out = program.out("run");
    wait_for(&mut child, &out, 8);
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(
        error.contains("of 1000000 epochs")
            && error.contains("kept in run")
            && error.contains("resume: true"),
        "{error}"
    );
    let run = Run::load(&out).unwrap();
    assert_eq!(run.stop, StopReason::Interrupted);
    let done = run.history.len();
    assert_eq!(lines(&out), done + 1, "the table and the checkpoint agree");

    let epochs = format!("epochs={}", done + 4);
    let output = program.command("run", &[&epochs]).output().unwrap();
    succeeds(&output);
    let error = text(&output.stderr);
    assert!(
        error.contains(&format!("going on at epoch {done} ")),
        "{error}"
    );
    assert_eq!(Run::load(&out).unwrap().history.len(), done + 4);
}

/// Random numbers that a script draws after a resumed training are the same as without the interruption.
#[test]
fn the_generator_goes_on_as_well() {
    let program = Program::new();
    let first = succeeds(&program.command("run", &["epochs=5"]).output().unwrap());
    let again = succeeds(
        &program
            .command("run", &["epochs=5", "extra=3"])
            .output()
            .unwrap(),
    );
    assert_eq!(first, again);
    let other = succeeds(
        &program
            .command("other", &["epochs=5", "extra=3"])
            .output()
            .unwrap(),
    );
    assert_ne!(first, other);
}

#[test]
fn another_instruction_set_is_said() {
    let program = Program::new();
    let mut first = program.command("run", &["epochs=5"]);
    succeeds(&first.env("ODESYNC_ISA", "portable").output().unwrap());
    let mut again = program.command("run", &["epochs=8"]);
    let output = again.env_remove("ODESYNC_ISA").output().unwrap();
    succeeds(&output);
    let error = text(&output.stderr);
    let same = odesync::field::Isa::current() == odesync::field::Isa::Portable;
    assert_eq!(error.contains("instruction set portable"), !same, "{error}");
    assert_eq!(Run::load(program.out("run")).unwrap().history.len(), 8);
}
