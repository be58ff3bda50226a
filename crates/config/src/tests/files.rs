use super::*;
use crate::Error;

/// Returns the location and the message of the error for a file of this content.
fn fault(content: &[u8]) -> (Option<usize>, Option<usize>, String) {
    let fixture = fixture(&[]);
    let path = fixture.path("lotka.yaml");
    std::fs::write(&path, content).unwrap();
    match fixture.compose(&[]) {
        Err(Error::Data {
            file,
            line,
            column,
            message,
        }) => {
            assert_eq!(file, path);
            (line, column, message)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_yaml_is_refused_with_the_place() {
    let cases: [(&str, usize, usize, &str); 15] = [
        (
            "a: 1\nb: [1, 2\nc: 3\n",
            3,
            2,
            "did not find expected ',' or ']'",
        ),
        ("a: 1\nb: \"x\n", 3, 1, "unexpected end"),
        ("a: 1\n\tb: 2\n", 2, 1, "with spaces, not with tabs"),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "with spaces, not with tabs"),
        ("a: 1\n b: 2\n", 2, 3, "mapping values are not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "the key \"a\" is there twice"),
        ("a:\n  b: 1\n  b: 2\n", 3, 3, "the key \"b\" is there twice"),
        ("a: 1\n1: 2\n", 2, 1, "expected a key that is text"),
        ("a: 1\nnull: 2\n", 2, 1, "expected a key that is text"),
        ("a: 1\n? [x]\n: 2\n", 2, 3, "expected a key that is text"),
        ("a: 1\nb: *c\n", 2, 4, "unknown anchor"),
        ("a: 1\nb: !tag x\n", 2, 4, "without a tag"),
        (
            "a: 1\nb: {<<: {c: 1}}\n",
            2,
            4,
            "merge keys (<<) are not known",
        ),
        (
            "a: 1\nb: 99999999999999999999\n",
            2,
            4,
            "invalid type: integer",
        ),
        ("a: @x\n", 1, 4, "cannot start any token"),
    ];
    for (content, line, column, part) in cases {
        let (l, c, message) = fault(content.as_bytes());
        assert_eq!((l, c), (Some(line), Some(column)), "{content}: {message}");
        assert_holds(&message, &[part]);
        assert!(
            !message.contains("at line") || message.contains(", while"),
            "{message}"
        );
    }
}

#[test]
fn what_is_not_a_configuration() {
    let cases: [(&[u8], &str); 8] = [
        (
            b"- 1\n- 2\n",
            "a configuration is a map, lines of `key: value`, not a list",
        ),
        (b"text\n", "not a text"),
        (b"3\n", "not a number"),
        (b"a: 1\n---\nb: 2\n", "more than one document"),
        (b"a: 1\nb: \xff\xfe\n", "not UTF-8"),
        (b"a: \x01\n", "control characters"),
        (&[b' '; 3 << 20], "longer than 2 MiB"),
        (&[b'['; 200_000], "more than 100000 brackets"),
    ];
    for (content, part) in cases {
        assert_holds(&fault(content).2, &[part]);
    }
    assert_eq!(fault(b"a: 1\nb: \xff\n").0, Some(2));
    assert_holds(&fault("[".repeat(5000).as_bytes()).2, &["32 levels"]);
    assert_holds(&fault("- ".repeat(500).as_bytes()).2, &["32 levels"]);
    assert_holds(&fault("a: x\n".repeat(2).as_bytes()).2, &["twice"]);
    let long = format!("{}: 1\n", "k".repeat(101));
    assert_holds(&fault(long.as_bytes()).2, &["longer than 100 characters"]);
}

#[test]
fn aliases_are_read_but_do_not_explode() {
    let fixture = fixture(&[("lotka.yaml", "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n")]);
    let config = fixture.compose(&[]).unwrap();
    assert_eq!(get(&config, "d"), "[{b: [1, 2]}, {b: [1, 2]}]");

    // Each level contains the one below ten times.
    let mut bomb = "k0: &k0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for i in 1..12 {
        let below = vec![format!("*k{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("k{i}: &k{i} [{below}]\n"));
    }
    assert_holds(&fault(bomb.as_bytes()).2, &["more than 20000 values"]);
    // Long texts, each repeated many times.
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(5000),
        vec!["*a"; 100].join(", ")
    );
    assert_holds(&fault(long.as_bytes()).2, &["longer than 65536 bytes"]);
    assert_holds(&fault(b"a: &a [*a]\n").2, &["32 levels"]);
}

#[test]
fn empty_files_and_byte_order_marks() {
    for content in [
        "",
        "\n",
        "# only a remark\n",
        "---\n",
        "\u{feff}",
        "{}\n",
        "null\n",
    ] {
        let fixture = fixture(&[("lotka.yaml", content)]);
        assert_eq!(fixture.yaml(&[]), "experiment: lotka\n", "{content:?}");
    }
    let fixture = fixture(&[("lotka.yaml", "\u{feff}a: 1\n")]);
    assert_eq!(fixture.yaml(&[]), "experiment: lotka\na: 1\n");
}

#[test]
fn folders_and_missing_files() {
    let fixture = fixture(&[]);
    std::fs::create_dir(fixture.path("training/folder.yaml")).unwrap();
    assert_holds(
        &fixture.error(&["training=folder"]),
        &["cannot read configs/training/folder.yaml"],
    );
    let missing = Config::from_file(&fixture.path("nothing.yaml"), &fixture.library, &[]);
    assert_holds(
        &missing.unwrap_err().to_string(),
        &["cannot read", "nothing.yaml"],
    );
    let folder = Config::from_file(&fixture.path("model"), &fixture.library, &[]);
    assert_holds(&folder.unwrap_err().to_string(), &["cannot read", "model"]);
    let nowhere = ConfigSource::Folder(fixture.path("nowhere"));
    let error = Config::compose(&nowhere, "lotka", &[])
        .unwrap_err()
        .to_string();
    assert_holds(&error, &["cannot read the folder", "nowhere"]);
}
