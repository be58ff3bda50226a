//! Tests of multiruns that are drawn, handed to Slurm or to another queue, stopped, killed and summed up.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
const SHORT: [&str; 3] = [
    "training=vanilla",
    "training.epochs=200",
    "trainer.checkpoint_every=5",
];

/// A folder with stand-ins for the programs of Slurm.
struct Cluster(tempfile::TempDir);

impl Cluster {
    fn new() -> Self {
        let cluster = Cluster(tempfile::tempdir().unwrap());
        std::fs::create_dir(cluster.path("bin")).unwrap();
        // Runs the tasks of an array one after the other when asked to wait, else only takes the job.
        cluster.program(
            "sbatch",
            r#"for script; do :; done
last=$(sed -n 's/^#SBATCH --array=0-\([0-9]*\).*/\1/p' "$script")
echo "4711;local"
case " $* " in *" --wait "*) ;; *) exit 0 ;; esac
code=0
for i in $(seq 0 "$last"); do
  SLURM_ARRAY_JOB_ID=4711 SLURM_ARRAY_TASK_ID=$i SLURM_CPUS_PER_TASK=2 sh "$script" >>slurm.log 2>&1 || code=1
done
exit $code"#,
        );
        cluster.program("scontrol", "echo \"$@\" >>scontrol.log");
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap();
        command
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()));
        command
    }

    fn odesync(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_odesync"));
        command.arg("--quiet").args(arguments).output().unwrap()
    }

    fn multirun(&self, arguments: &[&str]) -> Output {
        let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
        self.odesync(&[&["run", &script, "-m"], arguments, &SHORT].concat())
    }

    /// Starts a task of the batch script of a multirun in a process group of its own.
    fn task(&self, folder: &str, task: usize) -> Child {
        self.command("sh")
            .arg(self.path(folder).join("launch.sh"))
            .env("SLURM_ARRAY_JOB_ID", "4711")
            .env("SLURM_ARRAY_TASK_ID", task.to_string())
            .env("SLURM_CPUS_PER_TASK", "2")
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn code(output: &Output, expected: i32) -> String {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(expected), "{said}");
    said
}

/// Returns the rows of a summary without what no two runs share.
fn summary(folder: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(folder.join("summary.csv"))
        .unwrap()
        .deserialize()
        .map(|row| {
            let mut row: BTreeMap<String, String> = row.unwrap();
            row.remove("seconds");
            row
        })
        .collect()
}

/// Waits until a file is there.
fn wait_for(path: &Path, child: &mut Child) {
    for _ in 0..12_000 {
        if path.exists() {
            return;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "ended without {path:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no {path:?} after a minute");
}

fn signal(name: &str, to: &str) {
    let sent = Command::new("kill").args(["-s", name, "--", to]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn slurm_comes_to_the_summary_of_this_machine_though_a_task_is_killed() {
    let cluster = Cluster::new();
    let sweep = ["model.nodes_per_layer=4,0,5,6"];
    let said = code(
        &cluster.multirun(&[&sweep[..], &["--out", "here"]].concat()),
        1,
    );
    assert!(said.contains("1 of 4 runs failed"), "{said}");

    let slurm = [
        "--launcher",
        "slurm",
        "launcher.members_per_task=2",
        "launcher.partition=long",
        "launcher.time=\"01:30:00\"",
        "launcher.setup=[\"export GREETING='hello there'\"]",
        "--out",
        "queue",
    ];
    let said = code(&cluster.multirun(&[&sweep[..], &slurm].concat()), 0);
    for part in [
        "4 runs as 2 tasks of the job 4711",
        "squeue --job 4711",
        "odesync multirun status queue",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let script = std::fs::read_to_string(cluster.path("queue/launch.sh")).unwrap();
    for line in [
        "#SBATCH --array=0-1",
        "#SBATCH --partition=long",
        "#SBATCH --time=01:30:00",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "export GREETING='hello there'",
    ] {
        assert!(script.lines().any(|l| l == line), "{line} in {script}");
    }
    let said = code(&cluster.odesync(&["multirun", "status", "queue"]), 0);
    assert!(said.contains("4 runs: 4 waiting"), "{said}");

    // The first task fails with its second member; the second one is killed with everything in it, and begins again.
    assert_eq!(cluster.task("queue", 0).wait().unwrap().code(), Some(1));
    let mut task = cluster.task("queue", 1);
    let begun = cluster.path("queue/2_model.nodes_per_layer=5/last.safetensors");
    wait_for(&begun, &mut task);
    signal("KILL", &format!("-{}", task.id()));
    task.wait().unwrap();
    let said = code(&cluster.odesync(&["multirun", "status", "queue"]), 0);
    assert!(said.contains("1 failed"), "{said}");
    assert!(cluster.task("queue", 1).wait().unwrap().success());

    let said = code(&cluster.odesync(&["multirun", "collect", "queue"]), 0);
    assert!(said.contains("3 of 4 runs done, 1 failed"), "{said}");
    assert_eq!(
        summary(&cluster.path("here")),
        summary(&cluster.path("queue"))
    );
    let picture = |of: &str| std::fs::read(cluster.path(of).join("summary.svg")).unwrap();
    assert_eq!(picture("here"), picture("queue"));
    let said = code(&cluster.odesync(&["multirun", "status", "queue"]), 0);
    assert!(said.contains("4 runs: 3 done, 1 failed"), "{said}");
    // The best member comes first, the failed one last.
    let mse: Vec<f64> = summary(&cluster.path("queue"))
        .iter()
        .filter_map(|row| row["best_mse"].parse().ok())
        .collect();
    let best = (0..mse.len()).min_by(|a, b| mse[*a].total_cmp(&mse[*b]));
    let widths = ["4", "5", "6"];
    let first = said.lines().find(|line| line.contains(" done")).unwrap();
    assert_eq!(
        first.split_whitespace().nth(1),
        Some(widths[best.unwrap()]),
        "{said}"
    );
}

#[test]
fn slurm_can_be_waited_for_and_a_queue_of_command_lines_gives_the_same() {
    let cluster = Cluster::new();
    let sweep = ["random_seed=range(1,4)"];
    let waited = ["--launcher", "slurm", "--wait", "--out", "waited"];
    let said = code(&cluster.multirun(&[&sweep[..], &waited].concat()), 0);
    assert!(said.contains("3 of 3 runs done"), "{said}");

    let lines = [
        "launcher=script",
        "launcher.members_per_task=2",
        "--out",
        "lines",
    ];
    let said = code(&cluster.multirun(&[&sweep[..], &lines].concat()), 0);
    assert!(said.contains("3 runs as 2 command lines"), "{said}");
    let run = cluster
        .command("sh")
        .arg(cluster.path("lines/launch.sh"))
        .output();
    code(&run.unwrap(), 0);
    code(&cluster.odesync(&["multirun", "collect", "lines"]), 0);
    assert_eq!(
        summary(&cluster.path("waited")),
        summary(&cluster.path("lines"))
    );
}

#[test]
fn more_runs_than_an_array_takes_share_its_tasks() {
    let cluster = Cluster::new();
    let sweep = ["random_seed=range(1,6)"];
    code(
        &cluster.multirun(&[&sweep[..], &["--out", "here"]].concat()),
        0,
    );
    // Five runs, one for a task as asked, would be five tasks where the cluster takes two.
    let slurm = ["--launcher", "slurm", "--wait", "--out", "queue"];
    let limit = ["launcher.max_array_size=2"];
    let said = code(&cluster.multirun(&[&sweep[..], &slurm, &limit].concat()), 0);
    assert!(said.contains("5 of 5 runs done"), "{said}");
    let script = std::fs::read_to_string(cluster.path("queue/launch.sh")).unwrap();
    let array = script.lines().find(|line| line.contains("--array="));
    assert_eq!(array, Some("#SBATCH --array=0-1"));
    // Each task ran its share, with nothing left out and nothing twice.
    let rows = summary(&cluster.path("queue"));
    assert_eq!(rows, summary(&cluster.path("here")));
    assert_eq!(rows.len(), 5);
    let log = std::fs::read_to_string(cluster.path("slurm.log")).unwrap();
    for member in 0..5 {
        let done = format!("done: {member}_random_seed={}\n", member + 1);
        assert_eq!(log.matches(&done).count(), 1, "{done} in {log}");
    }
}

#[test]
fn a_task_near_the_end_of_its_time_stops_at_a_checkpoint_and_is_queued_again() {
    let cluster = Cluster::new();
    let endless = [
        "--launcher",
        "slurm",
        "training.epochs=1000000",
        "random_seed=3,4",
        "--out",
        "queue",
    ];
    code(
        &cluster.odesync(
            &[
                &["run", &format!("{SCRIPTS}/train_lotka_volterra.rhai"), "-m"],
                &endless[..],
                &[SHORT[0], SHORT[2]],
            ]
            .concat(),
        ),
        0,
    );
    let mut task = cluster.task("queue", 1);
    let begun = cluster.path("queue/1_random_seed=4/last.safetensors");
    wait_for(&begun, &mut task);
    signal("USR1", &task.id().to_string());
    assert_eq!(task.wait().unwrap().code(), Some(130));
    let asked = std::fs::read_to_string(cluster.path("scontrol.log")).unwrap();
    assert_eq!(asked, "requeue 4711_1\n");
    let said = code(&cluster.odesync(&["multirun", "status", "queue"]), 0);
    assert!(said.contains("2 runs: 1 waiting, 1 interrupted"), "{said}");

    // Who is stopped by scancel stays so.
    let mut task = cluster.task("queue", 0);
    wait_for(
        &cluster.path("queue/0_random_seed=3/last.safetensors"),
        &mut task,
    );
    signal("TERM", &task.id().to_string());
    assert_eq!(task.wait().unwrap().code(), Some(130));
    let asked = std::fs::read_to_string(cluster.path("scontrol.log")).unwrap();
    assert_eq!(asked, "requeue 4711_1\n");
}

#[test]
fn random_search_draws_the_same_members_again() {
    let cluster = Cluster::new();
    let draw = |out: &str, seed: &str| {
        let search = [
            "sweeper=random",
            "n=4",
            seed,
            "training.lr=tag(log,interval(1e-3,1e-1))",
            "model.nodes_per_layer=int(interval(3,6))",
            "launcher=script",
            "--out",
            out,
        ];
        code(&cluster.multirun(&search), 0);
        std::fs::read_to_string(cluster.path(out).join("multirun.json")).unwrap()
    };
    let first = draw("a", "sweeper.seed=5");
    assert_eq!(first, draw("b", "sweeper.seed=5"));
    assert_ne!(first, draw("c", "sweeper.seed=6"));
    let multirun: serde_json::Value = serde_json::from_str(&first).unwrap();
    let members = multirun["members"].as_array().unwrap();
    assert_eq!(members.len(), 4);
    for member in members {
        let argument = |i: usize| member[i].as_str().unwrap().split_once('=').unwrap();
        let lr: f64 = argument(0).1.parse().unwrap();
        assert!(argument(0).0 == "training.lr" && (1e-3..=1e-1).contains(&lr));
        assert!((3..=6).contains(&argument(1).1.parse::<i64>().unwrap()));
    }
}

#[test]
fn what_cannot_be_launched_is_said() {
    let cluster = Cluster::new();
    let wrong = |arguments: &[&str], exit: i32, part: &str| {
        let said = code(&cluster.multirun(arguments), exit);
        assert!(said.contains(part), "{part} in {said}");
    };
    wrong(&["launcher=slrum"], 2, "did you mean \"slurm\"");
    wrong(
        &["launcher=slurm", "launcher.partiton=a"],
        2,
        "did you mean \"launcher.partition\"",
    );
    wrong(
        &["launcher=slurm", "launcher.members_per_task=0"],
        2,
        "should be 1 or more",
    );
    wrong(&["random_seed=interval(0,1)"], 2, "sweeper=random");
    wrong(&["sweeper=randm", "n=3"], 2, "did you mean \"random\"");
    std::fs::write(
        cluster.path("bin/sbatch"),
        "#!/bin/sh\necho 'no partition x' >&2; exit 1\n",
    )
    .unwrap();
    wrong(&["launcher=slurm", "random_seed=1,2"], 1, "no partition x");
    let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
    let said = code(
        &cluster.odesync(&["run", &script, "--launcher", "slurm"]),
        2,
    );
    assert!(said.contains("add -m"), "{said}");
    let said = code(&cluster.odesync(&["multirun", "status", "."]), 2);
    assert!(said.contains("run SCRIPT -m"), "{said}");
}

#[test]
fn many_runs_are_compared_by_rows_the_best_first() {
    let cluster = Cluster::new();
    let sweep = [
        "random_seed=range(1,5)",
        "training.lr=0.01,0.02",
        "training.epochs=2",
        "--out",
        "many",
    ];
    let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
    let vanilla = ["run", &script, "-m", "training=vanilla"];
    code(&cluster.odesync(&[&vanilla[..], &sweep].concat()), 0);
    let said = code(&cluster.odesync(&["compare", "many"]), 0);
    let (head, rows) = said.split_once('─').unwrap();
    let rows: Vec<&str> = rows.trim_matches(['─', '\n']).lines().collect();
    assert_eq!(rows.len(), 8, "{said}");
    for (shown, part) in [
        (true, "random_seed"),
        (true, "lr"),
        (false, "epochs"),
        (false, "dataset"),
    ] {
        assert_eq!(head.contains(part), shown, "{said}");
    }
    // The number of the run, its seed and rate, and its best mse.
    let summary = summary(&cluster.path("many"));
    let mse: Vec<f64> = rows
        .iter()
        .map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            let member = &summary[words[0].parse::<usize>().unwrap()];
            assert_eq!(words[1], member["random_seed"]);
            assert_eq!(words[2], member["training.lr"]);
            member["best_mse"].parse().unwrap()
        })
        .collect();
    assert!(mse.is_sorted(), "{said}");
}
