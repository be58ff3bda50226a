//! What scripts may touch of the file system: the folders of the command line, and the flags that allow more.

use std::path::{Path, PathBuf};

use assert_cmd::Command as Odesync;

/// A script that reads the file it is told to.
const READER: &str =
    "let opt = args(#{ file: \"../outside/data.csv\" });\nprint(read_csv(opt.file).t.len());\n";
const WRITER: &str = "let opt = args(#{ out: \"../outside/new.csv\" });\ndataset([0, 1], [1, 2]).write_csv(opt.out);\n";

/// The folders `here`, `scripts` and `outside` beside each other.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene { folder };
        scene.write("outside/data.csv", "t,x\n0,1\n1,2\n2,3\n");
        scene.write("scripts/read.rhai", READER);
        scene.write("scripts/write.rhai", WRITER);
        std::fs::create_dir(scene.path("here")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs the program in the folder `here`; returns the exit code, and what it prints and says.
    fn odesync(&self, args: &[&str]) -> (i32, String) {
        self.with(&[], args, "")
    }

    fn with(&self, variables: &[(&str, &Path)], args: &[&str], input: &str) -> (i32, String) {
        let mut command = Odesync::cargo_bin("odesync").unwrap();
        command.current_dir(self.path("here")).args(args);
        for (name, value) in variables {
            command.env(name, value);
        }
        let output = command.write_stdin(input).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        (output.status.code().unwrap(), format!("{out}{err}"))
    }
}

fn denied(result: &(i32, String), flag: &str) -> bool {
    result.0 == 1 && result.1.contains("a script may") && result.1.contains(flag)
}

#[test]
fn a_script_reads_here_and_beside_itself_unless_it_is_allowed_more() {
    let scene = Scene::new();
    let script = "../scripts/read.rhai";
    assert!(denied(&scene.odesync(&["run", script]), "--allow-read="));
    let done = (0, "3\n".to_string());
    // What the message says helps.
    let outside = scene.path("outside").canonicalize().unwrap();
    let flag = format!("--allow-read={}", outside.display());
    let (_, message) = scene.odesync(&["run", script]);
    assert!(message.contains(&flag), "{message}");
    assert_eq!(scene.odesync(&["run", script, &flag]), done);
    assert_eq!(scene.odesync(&["run", script, "--allow-all"]), done);
    assert_eq!(
        scene.odesync(&["run", script, "--allow-write=../outside"]),
        done
    );
    assert_eq!(
        scene.with(&[("ODESYNC_ALLOW_READ", &outside)], &["run", script], ""),
        done
    );
    // A path that is given is allowed; that of the whole disk is none.
    assert_eq!(
        scene.odesync(&["run", script, "file=../outside/data.csv"]),
        done
    );
    scene.write(
        "scripts/two.rhai",
        "let o = args(#{ sep: \",\" }); read_csv(\"../outside/data.csv\");",
    );
    assert!(denied(
        &scene.odesync(&["run", "../scripts/two.rhai", "sep=/"]),
        "--allow-read="
    ));
    assert!(denied(
        &scene.odesync(&["run", "../scripts/two.rhai", "sep=.."]),
        "--allow-read="
    ));
    // Beside itself, and in the current folder.
    for place in ["scripts/data.csv", "here/data.csv"] {
        scene.write(place, "t,x\n0,1\n1,2\n2,3\n");
        let given = format!("print(read_csv(\"../{place}\").t.len())");
        scene.write("scripts/own.rhai", &given);
        assert_eq!(
            scene.odesync(&["run", "../scripts/own.rhai"]),
            done,
            "{place}"
        );
    }
    let missing = scene.odesync(&["run", script, "--allow-read=nowhere"]);
    assert_eq!(missing.0, 2, "{}", missing.1);
}

#[test]
fn a_script_writes_here_and_beside_itself_unless_it_is_allowed_more() {
    let scene = Scene::new();
    let script = "../scripts/write.rhai";
    let file = scene.path("outside/new.csv");
    assert!(denied(&scene.odesync(&["run", script]), "--allow-write="));
    // To read is not to write.
    assert!(denied(
        &scene.odesync(&["run", script, "--allow-read=../outside"]),
        "--allow-write="
    ));
    assert!(!file.exists());
    let outside = scene.path("outside");
    type Variables<'a> = &'a [(&'a str, &'a Path)];
    let calls: [(Variables, &[&str]); 4] = [
        (&[], &["run", script, "--allow-write=../outside"]),
        (&[], &["run", script, "--allow-all"]),
        (&[], &["run", script, "out=../outside/new.csv"]),
        (&[("ODESYNC_ALLOW_WRITE", &outside)], &["run", script]),
    ];
    for (variables, args) in calls {
        let (code, text) = scene.with(variables, args, "");
        assert_eq!(code, 0, "{text}");
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn what_is_typed_is_free_and_what_it_loads_is_not() {
    let scene = Scene::new();
    let read = "read_csv(\"../outside/data.csv\").t.len()";
    assert_eq!(scene.odesync(&["eval", read]), (0, "3\n".into()));
    let (code, text) = scene.with(&[], &[], &format!("{read}\n"));
    assert!(code == 0 && text.contains('3'), "{text}");
    let (_, text) = scene.with(&[], &[], ":load ../scripts/read.rhai\n");
    assert!(text.contains("a script may read"), "{text}");
    let (_, text) = scene.with(
        &[],
        &[],
        ":set file=../outside/data.csv\n:load ../scripts/read.rhai\n",
    );
    assert!(!text.contains("a script may read"), "{text}");
    // A discovery reads the file and writes the folder that are named, and nothing else.
    scene.write("outside/short.csv", "t,x\n0,1\n1,2\n");
    let (_, text) = scene.odesync(&[
        "discover",
        "../outside/short.csv",
        "--out",
        "../outside/found",
    ]);
    assert!(text.contains("at least three"), "{text}");
}

#[test]
fn configurations_may_not_lead_outside() {
    let scene = Scene::new();
    scene.write(
        "scripts/weather.rhai",
        "let e = experiment(config(\"weather\")); print(e.dataset.t.len())",
    );
    let run = |extra: &[&str]| {
        let args = [&["run", "../scripts/weather.rhai", "dataset=file"], extra].concat();
        scene.odesync(&args)
    };
    let given = run(&["dataset.path=../outside/data.csv"]);
    assert_eq!(given, (0, "3\n".into()));
    // The same path in a configuration that the script brings is not typed by anyone.
    let (_, config) = run(&["dataset.path=../outside/data.csv", "--print-config"]);
    scene.write("here/saved.yaml", &config);
    assert!(denied(&run_saved(&scene), "--allow-read="));
    // A link to a file elsewhere is not read, and no line of it is shown.
    #[cfg(unix)]
    {
        scene.write("outside/secret.yaml", "xyzzy: [");
        std::fs::create_dir(scene.path("here/configs")).unwrap();
        let link = scene.path("here/configs/weather.yaml");
        std::os::unix::fs::symlink("../../outside/secret.yaml", link).unwrap();
        let refused = run(&["dataset.path=../outside/data.csv"]);
        assert!(
            refused.0 != 0 && refused.1.contains("a script may read"),
            "{}",
            refused.1
        );
        assert!(!refused.1.contains("xyzzy"), "{}", refused.1);
    }
}

fn run_saved(scene: &Scene) -> (i32, String) {
    scene.odesync(&["run", "../scripts/weather.rhai", "--config", "saved.yaml"])
}

#[test]
fn a_kernel_is_installed_with_what_its_cells_may_read() {
    let scene = Scene::new();
    let (code, text) = scene.odesync(&[
        "kernel",
        "install",
        "--prefix",
        "env",
        "--allow-read=../outside",
    ]);
    assert_eq!(code, 0, "{text}");
    let spec = scene.path("here/env/share/jupyter/kernels/odesync-script/kernel.json");
    let spec: serde_json::Value = serde_json::from_slice(&std::fs::read(spec).unwrap()).unwrap();
    let outside = scene.path("outside").canonicalize().unwrap();
    let argv: Vec<&str> = spec["argv"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|a| a.as_str())
        .collect();
    assert_eq!(
        argv.last(),
        Some(&&*format!("--allow-read={}", outside.display()))
    );
}

#[test]
fn a_run_is_replaced_only_where_somebody_says_so() {
    let scene = Scene::new();
    scene.write(
        "here/train.rhai",
        "let o = args(#{ again: false, epochs: 2 });
         let d = dataset([0, 1, 2], [[1.0], [2.0], [1.0]]);
         train(blackbox([1, 2, 1]), d, vanilla(), #{ epochs: o.epochs, out: \"run\", overwrite: o.again });",
    );
    assert_eq!(scene.odesync(&["run", "train.rhai"]).0, 0);
    let best = scene.path("here/run/best.safetensors");
    let before = std::fs::read(&best).unwrap();
    let (code, text) = scene.odesync(&["run", "train.rhai", "epochs=3"]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("run holds a finished run (2 epochs): `overwrite: true` replaces it"),
        "{text}"
    );
    assert!(text.contains("another folder keeps both"), "{text}");
    assert_eq!(std::fs::read(&best).unwrap(), before);
    for cure in [["epochs=3", "again=true"], ["epochs=4", "--overwrite"]] {
        let (code, text) = scene.odesync(&["run", "train.rhai", cure[0], cure[1]]);
        assert_eq!(code, 0, "{text}");
    }
    // A discovery says so before it begins.
    scene.write("here/d.csv", "t,x\n0,1\n1,2\n2,3\n");
    let (code, text) = scene.odesync(&["discover", "d.csv", "--out", "run"]);
    assert!(code == 1 && text.contains("--overwrite"), "{text}");
    assert!(!scene.path("here/run/discover.rhai").exists());
}
