//! Every function that takes a path keeps to what a script may touch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use odesync_base::permissions::Permissions;
use odesync_script::script::{AccessRules, ErrorKind, Output, Session, SessionOptions, distinct};

/// What stands in files outside, and must not be in any message.
const SECRET: &str = "xyzzy";

const SCENE: &str = "
    let d = dataset([0, 1, 2], [[1.0], [2.0], [1.0]]);
    let m = blackbox([1, 2, 1]);
    let fig = plot(d);
    let run = train(m, d, vanilla(), #{ epochs: 1 });
    let found = discover(dataset(lotka_volterra(), [1, 1], arange(0, 2, 0.1)), #{ hidden: [4], seeds: [1], equations: false });
    let c = config(\"weather\");
    c.set(\"training.epochs\", 1);";

/// A call of every function that takes a path, by the signature of the function; P is the path.
const CALLS: &[(&str, &str)] = &[
    ("read_csv(", "read_csv(P)"),
    ("read_table(", "read_table(P)"),
    ("read_json(", "read_json(P)"),
    ("read_npy(", "read_npy(P)"),
    ("read_npz(", "read_npz(P)"),
    ("read_safetensors(", "read_safetensors(P)"),
    ("read_schmidt_lipson(", "read_schmidt_lipson(P)"),
    ("data.write_csv(", "d.write_csv(P)"),
    ("data.write_npz(", "d.write_npz(P)"),
    ("data.write_safetensors(", "d.write_safetensors(P)"),
    ("figure.save(", "fig.save(P + \".svg\")"),
    ("figure.save(", "fig.save(P + \".png\")"),
    ("figure.save(", "fig.save(P + \".pdf\")"),
    ("figure(", "figure(#{ font_file: P })"),
    ("run.save(", "run.save(P)"),
    ("run.save(", "run.save(P, #{ overwrite: true })"),
    ("found.save(", "found.save(P)"),
    ("load(", "load(P)"),
    ("train(", "train(m, d, vanilla(), #{ epochs: 1, out: P })"),
    (
        "train(",
        "train(m, d, vanilla(), #{ epochs: 1, out: P, overwrite: true })",
    ),
    (
        "train(",
        "train(m, d, vanilla(), #{ epochs: 1, out: P, resume: true })",
    ),
    (
        "train(",
        "train(|| blackbox([1, 2, 1]), d, vanilla(), #{ epochs: 1, seeds: [1, 2], out: P })",
    ),
    (
        "train(",
        "train(m, d, vanilla(), #{ epochs: 1, variants: [#{ out: P }] })",
    ),
    (
        "cross_validate(",
        "cross_validate(m, d, #{ method: vanilla(), folds: 2, epochs: 1, out: P })",
    ),
    (
        "config(",
        "c.set(\"dataset.path\", P + \".csv\"); experiment(c)",
    ),
];

/// Calls that open files without a path in their signature or among the options that are looked at. The names of configurations, groups and
/// experiments are checked to be no paths. The `font_file` of every figure is read where its text becomes an option, so that one call that
/// takes it stands for all.
const WITHOUT_PATH: [&str; 2] = ["config(", "figure("];

/// A folder to work in, another beside it, and links between them.
struct Scene {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["work", "outside/run"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in [
            "secret",
            "secret.csv",
            "secret.svg",
            "secret.png",
            "secret.pdf",
            "secret.rhai",
            "run/last.safetensors",
            "run/metrics.csv",
        ] {
            let text = format!("{SECRET} = 1; {SECRET}(\n");
            std::fs::write(root.join("outside").join(name), text).unwrap();
        }
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(root.join("outside").join(from), root.join("work").join(to))
                .unwrap();
        };
        link("", "folder");
        for name in [
            "secret",
            "secret.csv",
            "secret.svg",
            "secret.png",
            "secret.pdf",
            "new",
            "new.svg",
            "new.png",
            "new.pdf",
            "new.csv",
            "new.rhai",
            "secret.rhai",
        ] {
            link(name, name);
        }
        Scene {
            _folder: folder,
            root,
        }
    }

    fn session(&self, access: impl FnOnce(&Path) -> Permissions) -> Session {
        let mut session = Session::new(SessionOptions {
            quiet: true,
            interactive: true,
            output: Output::captured().0,
            access: Some(AccessRules {
                permissions: access(&self.root.join("work")),
                restricts_typed_code: true,
                allows_arguments: true,
            }),
            ..SessionOptions::default()
        })
        .unwrap();
        session.eval(SCENE, None).unwrap();
        session
    }

    /// Returns everything in the folder outside: paths with their contents and times of the last change.
    fn outside(&self) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
        let mut found = BTreeMap::new();
        let mut left = vec![self.root.join("outside")];
        while let Some(path) = left.pop() {
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                left.extend(entries.map(|entry| entry.unwrap().path()));
            }
            let content = std::fs::read(&path).unwrap_or_default();
            found.insert(path, (content, metadata.modified().unwrap()));
        }
        found
    }
}

fn work_only(work: &Path) -> Permissions {
    let mut permissions = Permissions::none("");
    permissions.allow_write(work);
    // The current folder of a test has no configurations; those of the program are read.
    permissions.allow_read("configs");
    permissions
}

#[test]
fn the_calls_are_those_of_all_functions_with_paths() {
    let mut session = Session::new(SessionOptions::default()).unwrap();
    for doc in session.docs() {
        let words = ["(path", "runs/", ".svg\"", "folder"];
        let options = distinct([doc.options]);
        let takes_path = doc.receiver_type.is_none()
            && (words.iter().any(|word| doc.signature.contains(word))
                || options.iter().any(|key| key.name == "out"));
        let head = doc
            .signature
            .split_inclusive('(')
            .next()
            .unwrap_or_default();
        let is_called = CALLS.iter().any(|(of, _)| *of == head);
        assert_eq!(
            takes_path || WITHOUT_PATH.contains(&head),
            is_called,
            "{}",
            doc.signature
        );
    }
}

#[test]
fn every_function_refuses_what_lies_outside() {
    let scene = Scene::new();
    let mut session = scene.session(work_only);
    let work = scene.root.join("work");
    let before = scene.outside();
    let inside = |path: &str| work.join(path).display().to_string();
    let paths = [
        "/etc/passwd".into(),
        "../x".into(),
        inside("../outside/secret"),
        inside("../outside/not/there"),
        inside("folder/secret"),
        inside("folder/new"),
        inside("folder/run"),
        inside("secret"),
        inside("new"),
        "/proc/self/cwd/x".into(),
        "/proc/self/root/etc/passwd".into(),
    ];
    for path in paths {
        for (_, call) in CALLS {
            let code = call.replace('P', &format!("{path:?}"));
            let Err(error) = session.eval(&code, None) else {
                panic!("{code}: nothing was refused");
            };
            let text = error.to_string();
            assert!(
                text.contains("a script may read below")
                    || text.contains("a script may write below"),
                "{code}: {text}"
            );
            assert!(
                text.contains("--allow-read=") || text.contains("--allow-write="),
                "{text}"
            );
            assert!(
                !text.contains(SECRET) && !text.contains("root:"),
                "{code}: {text}"
            );
            assert_eq!(error.kind, ErrorKind::Runtime, "{code}: {text}");
        }
        // A module is a file of the script too.
        let text = session
            .eval(&format!("import {path:?} as other;"), None)
            .unwrap_err()
            .to_string();
        assert!(text.contains("a script may read below"), "{path}: {text}");
        assert!(!text.contains(SECRET), "{path}: {text}");
    }
    assert!(scene.outside() == before);
    assert!(!Path::new("../x").exists());
}

#[test]
fn a_file_in_a_folder_may_not_lead_outside_either() {
    let scene = Scene::new();
    let work = scene.root.join("work");
    std::fs::create_dir_all(work.join("run")).unwrap();
    for name in [
        "last.safetensors",
        "metrics.csv",
        "best.safetensors",
        ".lock",
        "data.csv",
    ] {
        let target = scene.root.join("outside/run").join(name);
        std::os::unix::fs::symlink(target, work.join("run").join(name)).unwrap();
    }
    let mut session = scene.session(work_only);
    let before = scene.outside();
    let run = work.join("run");
    for call in [
        "load(P)",
        "run.save(P, #{ overwrite: true })",
        "found.save(P, #{ overwrite: true })",
        "train(m, d, vanilla(), #{ epochs: 1, out: P, overwrite: true })",
        "train(m, d, vanilla(), #{ epochs: 1, out: P, resume: true })",
    ] {
        let code = call.replace('P', &format!("{run:?}"));
        let text = session.eval(&code, None).unwrap_err().to_string();
        assert!(text.contains("a script may"), "{code}: {text}");
    }
    assert!(scene.outside() == before);
}

#[test]
fn what_is_allowed_works() {
    let scene = Scene::new();
    let outside = scene.root.join("outside");
    std::fs::write(outside.join("data.csv"), "t,x\n0,1\n1,2\n2,3\n").unwrap();
    let mut session = scene.session(|work| {
        let mut permissions = work_only(work);
        permissions.allow_read(work.join("../outside"));
        permissions
    });
    let work = scene.root.join("work");
    let path = |name: &str| format!("{:?}", work.join(name));
    let code = format!(
        "d.write_csv({0}); read_csv({0}); read_csv({1}); fig.save({2}); run.save({3}); load({3}); \
         train(|| blackbox([1, 2, 1]), d, vanilla(), #{{ epochs: 1, seeds: [1, 2], out: {4} }}); load({5});",
        path("own/d.csv"),
        path("folder/data.csv"),
        path("own/fig.svg"),
        path("own/run"),
        path("own/all"),
        path("own/all/seed_1"),
    );
    session.eval(&code, None).unwrap();
    // To read is not to write.
    let error = session.eval(&format!("d.write_csv({})", path("folder/new.csv")), None);
    assert!(error.unwrap_err().to_string().contains("--allow-write="));
}

/// Whatever opens a file below the script language goes through `odesync_base::files`, where permissions are asked for.
#[test]
fn no_other_place_opens_files() {
    // What reads where the system or the program says, not the script; and the processes of a multirun, which no script begins.
    const OTHERS: [&str; 5] = [
        "script/src/editing/paths.rs",
        "script/src/experiments/multirun/",
        "script/src/experiments/environment.rs",
        "script/src/experiments/run_dir.rs",
        "script/src/experiments/compare.rs",
    ];
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut left: Vec<PathBuf> = ["config", "export", "ode", "plot", "script", "train"]
        .iter()
        .map(|name| crates.join(name).join("src"))
        .collect();
    let mut looked_at = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.strip_prefix(crates).unwrap().display().to_string();
        if name.contains("tests") || OTHERS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        looked_at += 1;
        for word in [
            "fs::",
            "File::open",
            "File::create",
            "OpenOptions",
            "tempfile",
            ".is_file()",
            ".is_dir()",
            ".exists()",
        ] {
            let found = code
                .lines()
                .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            let is_harmless = |line: &str| line.contains("fs::File;") || line.contains("files::");
            assert!(
                found.is_none_or(is_harmless),
                "{name}: {}",
                found.unwrap_or_default()
            );
        }
    }
    assert!(looked_at > 200, "{looked_at}");
}
