use super::*;

#[test]
fn groups_then_own_keys_then_references() {
    assert_eq!(
        fixture(&[]).yaml(&[]),
        "experiment: lotka
model:
  kind: blackbox
  width: 32
training:
  method: homotopy
  lr: 0.05
  coupling: 6.0
  schedule:
    n_steps: 6
    rate: 0.6
  clip: null
random_seed: 10
suggested:
  lr: 0.05
  steps: 6
"
    );
}

#[test]
fn options_are_chosen_before_values_are_set() {
    let fixture = fixture(&[]);
    let config = fixture
        .compose(&[
            "training.epochs=7",
            "model.width=10",
            "training=vanilla",
            "model=graybox",
        ])
        .unwrap();
    assert_eq!(
        get(&config, "training"),
        "{method: vanilla, lr: 0.02, epochs: 7, verbose: false}"
    );
    assert_eq!(
        get(&config, "model"),
        "{kind: graybox, width: 10, linear: [1.3, -1.8]}"
    );
    // Of two choices the last one wins.
    let config = fixture.compose(&[
        "training=none",
        "training=vanilla",
        "random_seed=1",
        "random_seed=2",
    ]);
    let config = config.unwrap();
    assert_eq!(get(&config, "training.method"), "vanilla");
    assert_eq!(get(&config, "random_seed"), "2");
    assert_eq!(
        get(&fixture.compose(&["training=none"]).unwrap(), "training"),
        "{}"
    );
}

#[test]
fn own_keys_win_where_self_stands() {
    let own = "training:\n  lr: 0.5\n  schedule:\n    rate: 0.9\n";
    let last = fixture(&[(
        "lotka.yaml",
        &format!("defaults:\n  - training: vanilla\n{own}"),
    )]);
    let expected =
        "{method: vanilla, lr: 0.5, epochs: 4000, verbose: false, schedule: {rate: 0.9}}";
    assert_eq!(get(&last.compose(&[]).unwrap(), "training"), expected);
    // The keys of the file itself override those of another choice, too.
    let config = last
        .compose(&[
            "training=homotopy",
            "++suggested.lr=1.0",
            "++suggested.steps=2",
        ])
        .unwrap();
    assert_eq!(
        get(&config, "training"),
        "{method: homotopy, lr: 0.5, coupling: 6.0, schedule: {n_steps: 2, rate: 0.9}, clip: null}"
    );

    let first = fixture(&[(
        "lotka.yaml",
        &format!("defaults:\n  - _self_\n  - training: vanilla\n{own}"),
    )]);
    assert_eq!(get(&first.compose(&[]).unwrap(), "training.lr"), "0.02");
    assert_eq!(
        get(&first.compose(&[]).unwrap(), "training.schedule"),
        "{rate: 0.9}"
    );
}

#[test]
fn options_build_on_options() {
    let fixture = fixture(&[
        (
            "training/slow.yaml",
            "defaults: [vanilla]\nlr: 0.001\nextra: {a: 1}\n",
        ),
        (
            "training/slower.yaml",
            "defaults:\n  - _self_\n  - slow\nepochs: 9000\nmine: true\n",
        ),
    ]);
    assert_eq!(
        get(&fixture.compose(&["training=slow"]).unwrap(), "training"),
        "{method: vanilla, lr: 0.001, epochs: 4000, verbose: false, extra: {a: 1}}"
    );
    assert_eq!(
        get(&fixture.compose(&["training=slower"]).unwrap(), "training"),
        "{epochs: 4000, mine: true, method: vanilla, lr: 0.001, verbose: false, extra: {a: 1}}"
    );
}

#[test]
fn experiments_build_on_experiments() {
    let fixture = fixture(&[(
        "variant.yaml",
        "defaults:\n  - lotka\n  - training: vanilla\nexperiment: named\nrandom_seed: 3\n",
    )]);
    let config = Config::compose(&fixture.library, "variant", &[]).unwrap();
    assert_eq!(config.name(), "named");
    assert_eq!(get(&config, "training.method"), "vanilla");
    assert_eq!(get(&config, "model.kind"), "blackbox");
    assert_eq!(get(&config, "random_seed"), "3");
    let config = Config::compose(
        &fixture.library,
        "variant",
        &parse(&["training=homotopy"]).unwrap(),
    );
    assert_eq!(get(&config.unwrap(), "training.method"), "homotopy");
}

#[test]
fn groups_are_added_left_out_and_deleted() {
    let fixture = fixture(&[
        ("logger/csv.yaml", "every: 1\n"),
        ("logger/2.yaml", "every: 2\n"),
    ]);
    let config = fixture.compose(&["+logger=csv", "logger.every=5"]).unwrap();
    assert_eq!(get(&config, "logger.every"), "5");
    assert_eq!(
        get(&fixture.compose(&["++logger=2"]).unwrap(), "logger.every"),
        "2"
    );
    assert_eq!(
        get(
            &fixture.compose(&["++training=vanilla"]).unwrap(),
            "training.method"
        ),
        "vanilla"
    );
    for gone in ["training=null", "~training", "~training=homotopy"] {
        assert!(
            fixture.compose(&[gone]).unwrap().get("training").is_none(),
            "{gone}"
        );
    }
    let error = fixture.error(&["logger=csv"]);
    assert_eq!(
        error,
        "override `logger=csv`: configs/lotka.yaml chooses no logger; to add one write +logger=csv"
    );
    assert_holds(
        &fixture.error(&["+training=vanilla"]),
        &["has its training already", "drop the +: training=vanilla"],
    );
    assert_holds(
        &fixture.error(&["~training=vanilla"]),
        &["training is homotopy"],
    );
    assert_holds(&fixture.error(&["~logger"]), &["unknown key \"logger\""]);
    // Where no option of the group is chosen, there is nothing to set.
    assert_holds(
        &fixture.error(&["~training", "training.lr=1"]),
        &["unknown key \"training.lr\""],
    );
}

#[test]
fn a_section_in_place_of_an_option() {
    let fixture = fixture(&[]);
    let error = fixture.error(&["training={lr: 1}"]);
    assert_holds(
        &error,
        &[
            "training is chosen by name, training=OPTION (known: homotopy, none, vanilla), not by {lr: 1}",
            "training.KEY=VALUE",
            "++training={lr: 1}",
        ],
    );
    assert_holds(
        &fixture.error(&["training=[vanilla, {lr: 1}]"]),
        &["chosen by name"],
    );
    // Several options are merged in order, as by hydra.
    let config = fixture.compose(&["training=[homotopy, vanilla]"]).unwrap();
    let (one, last) = (
        fixture.compose(&["training=homotopy"]),
        fixture.compose(&["training=vanilla"]),
    );
    assert_eq!(
        get(&config, "training.method"),
        get(&last.unwrap(), "training.method")
    );
    assert_eq!(
        get(&config, "training.coupling"),
        get(&one.unwrap(), "training.coupling")
    );
    let config = fixture.compose(&["++training={lr: 1}"]).unwrap();
    assert_eq!(get(&config, "training"), "{lr: 1}");
}

#[test]
fn unknown_experiments_and_options() {
    let fixture = fixture(&[("training/renamed.yml", "lr: 1\n")]);
    assert_eq!(
        fixture.error(&["training=hommotopy"]),
        "no training called \"hommotopy\" (it would be configs/training/hommotopy.yaml); did you mean \"homotopy\"?; \
         known: homotopy, none, vanilla"
    );
    assert_holds(
        &fixture.error(&["training=renamed"]),
        &["rename it to .yaml"],
    );
    let error = Config::compose(&fixture.library, "lotak", &[]).unwrap_err();
    assert_eq!(
        fixture.shorten(&error.to_string()),
        "no experiment called \"lotak\" (it would be configs/lotak.yaml); did you mean \"lotka\"?; known: lotka"
    );
    for name in [
        "../lotka",
        "training/vanilla",
        "",
        ".",
        "..",
        ".hidden",
        "a\\b",
        "a/../lotka",
        "C:x",
        "a b",
        "a\0b",
    ] {
        let error = Config::compose(&fixture.library, name, &[]).unwrap_err();
        assert_holds(&error.to_string(), &["cannot be the name of experiment"]);
    }
    assert_holds(
        &fixture.error(&["training=../lotka"]),
        &["cannot be the name of training"],
    );
    let empty = ConfigSource::Folder(fixture.path("model"));
    assert_holds(
        &empty.options("training").unwrap_err().to_string(),
        &[
            "unknown group of configurations \"training\"; there are none",
            "its folder would be",
        ],
    );
    assert_holds(
        &fixture.library.options("trainig").unwrap_err().to_string(),
        &["did you mean \"training\"?", "known: model, training"],
    );
}

#[test]
fn mistakes_in_defaults() {
    let cases = [
        (
            "defaults: homotopy\n",
            "`defaults` should be a list, not homotopy",
        ),
        (
            "defaults: [{training: [[a]]}]\n",
            "should give training the name of an option, not [[a]]",
        ),
        (
            "defaults: [{training: [vanilla, a]}]\n",
            "no training called \"a\"",
        ),
        (
            "defaults: [{training: vanilla}, {training: none}]\n",
            "chooses training twice",
        ),
        ("defaults: [_self_, _self_]\n", "holds _self_ twice"),
        ("defaults: [{a: b, c: d}]\n", "should hold `group: option`"),
        ("defaults: [3]\n", "should hold `group: option`"),
        (
            "defaults: [{trainig: vanilla}]\n",
            "unknown group of configurations \"trainig\" (did you mean \"training\"?)",
        ),
        (
            "defaults: [{training: vanila}]\n",
            "did you mean \"vanilla\"?",
        ),
        (
            "defaults: [{training: vanila}]\n",
            "known: circle, homotopy, none, vanilla, wrong (chosen in configs/lotka.yaml)",
        ),
        ("defaults: [lotka]\n", "go in a circle: lotka → lotka"),
        (
            "defaults: [other]\n",
            "go in a circle: lotka → other → lotka",
        ),
        ("defaults: [../lotka]\n", "cannot be the name of experiment"),
        (
            "defaults: [{training: circle}]\n",
            "configs/training/circle.yaml: `defaults` go in a circle: circle → circle",
        ),
        (
            "defaults: [{training: wrong}]\n",
            "should hold names of options of training",
        ),
        ("experiment: 5\n", "experiment should be a name"),
        ("experiment: ../x\n", "experiment should be a name"),
    ];
    for (content, part) in cases {
        let fixture = fixture(&[
            ("lotka.yaml", content),
            ("other.yaml", "defaults: [lotka]\n"),
            ("training/circle.yaml", "defaults: [circle]\n"),
            ("training/wrong.yaml", "defaults: [{model: x}]\n"),
        ]);
        assert_holds(&fixture.error(&[]), &[part]);
    }
}

#[test]
fn defaults_have_an_end() {
    // Files that double at every level, and a long chain of files.
    let doubling: Vec<(String, String)> = (0..20)
        .map(|i| {
            (
                format!("training/d{i}.yaml"),
                format!("defaults: [d{0}, e{0}]\n", i + 1),
            )
        })
        .chain((1..20).map(|i| {
            (
                format!("training/e{i}.yaml"),
                format!("defaults: [d{0}, e{0}]\n", i + 1),
            )
        }))
        .chain([20].map(|_| ("training/d20.yaml".into(), String::new())))
        .chain([20].map(|_| ("training/e20.yaml".into(), String::new())))
        .chain((0..40).map(|i| {
            (
                format!("training/c{i}.yaml"),
                format!("defaults: [c{}]\n", i + 1),
            )
        }))
        .collect();
    let files: Vec<(&str, &str)> = doubling
        .iter()
        .map(|(n, c)| (n.as_str(), c.as_str()))
        .collect();
    let fixture = fixture(&files);
    assert_holds(
        &fixture.error(&["training=d0"]),
        &["made of more than 500 files"],
    );
    assert_holds(
        &fixture.error(&["training=c0"]),
        &["more than 32 files that build on each other"],
    );
}

#[test]
fn the_library_is_found_beside_the_script() {
    let fixture = fixture(&[]);
    let root = fixture.folder.path();
    let elsewhere = root.join("elsewhere");
    let beside = |script: &str| ConfigSource::find_from(&elsewhere, Some(&root.join(script)));
    assert_eq!(beside("scripts/train.rhai"), fixture.library);
    assert_eq!(beside("train.rhai"), fixture.library);
    assert_eq!(ConfigSource::find_from(root, None), fixture.library);
    assert_eq!(
        ConfigSource::find_from(&elsewhere, None),
        ConfigSource::BuiltIn
    );
    // The working folder comes first; a folder without YAML files is skipped.
    let here = elsewhere.join("configs");
    std::fs::create_dir_all(here.join("training")).unwrap();
    assert_eq!(beside("train.rhai"), fixture.library);
    std::fs::write(here.join("mine.yaml"), "").unwrap();
    assert_eq!(beside("train.rhai"), ConfigSource::Folder(here));
    assert_eq!(fixture.library.experiments().unwrap(), ["lotka"]);
    assert_eq!(fixture.library.groups().unwrap(), ["model", "training"]);
    assert_eq!(
        fixture.library.options("training").unwrap(),
        ["homotopy", "none", "vanilla"]
    );
}
