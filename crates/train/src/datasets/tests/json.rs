use ndarray::array;

use super::*;

fn read(content: &str) -> Result<Dataset> {
    let (_folder, path) = file("data.json", content);
    read_json(path)
}

#[test]
fn one_sample_or_several() {
    let data =
        read(r#"{"t": [0, 0.5, 1], "u": [[1, 2], [3, null], [5, 6.5]], "names": ["x", "v"]}"#)
            .unwrap();
    assert_eq!((data.samples(), data.len(), data.dof()), (1, 3, 2));
    assert!(data.u()[[0, 1, 1]].is_nan());
    assert_eq!(data.u()[[0, 2, 1]], 6.5);
    assert_eq!(data.names(), ["x", "v"]);

    let data =
        read(r#"{"t": [0, 1], "u": [[[1], [2]], [[3], [4]]], "u0": [[0.9], [2.9]]}"#).unwrap();
    assert_eq!(data.u(), array![[[1.0], [2.0]], [[3.0], [4.0]]]);
    assert_eq!(data.u0(), array![[0.9], [2.9]]);

    let data = read(r#"{"u": [1, 2, 3], "t": [0, 1, 2], "u0": [7]}"#).unwrap();
    assert_eq!(data.u(), array![[[1.0], [2.0], [3.0]]]);
    assert_eq!(data.u0(), array![[7.0]]);
}

#[test]
fn syntax_and_types_are_refused_with_the_place() {
    assert_refused(read(""), None, None, "empty");
    assert_refused(read("\n t,x\n0,1\n"), 2, 2, "this is not JSON: \"t,x\"");
    assert_refused(read("[1, 2]"), 1, 1, "\"[1, 2]\" stands where {");
    assert_refused(read("[1, 2"), 1, 5, "cut short");
    assert_refused(read("{\"t\": [0, 1],\n\"u\": [[1], [2]"), 2, 14, "EOF");
    assert_refused(
        read("{\"t\": [0, 1],\n \"u\": [[1], [\"two\"]]}"),
        2,
        18,
        "expected a number, null",
    );
    assert_refused(
        read("{\"t\": [0, null], \"u\": [1, 2]}"),
        None,
        None,
        "t[1] is NaN",
    );
    let nan = read("{\"t\": [0, 1],\n \"u\": [1, NaN]}");
    let (line, _, message) = refusal(nan);
    assert_eq!(line, Some(2));
    assert!(message.contains("write null"), "{message}");
    let (_, _, message) = refusal(read(r#"{"t": [0, 1], "u": [1, 2], "x0": [1]}"#));
    assert!(
        message.contains("unknown field \"x0\"") && message.contains("\"u0\""),
        "{message}"
    );
    let (_, _, message) = refusal(read(r#"{"t": [0, 1]}"#));
    assert!(message.contains("missing field \"u\""), "{message}");
    let deep = format!("{{\"t\": [0, 1], \"u\": {}", "[".repeat(100_000));
    let (_, _, message) = refusal(read(&deep));
    assert!(message.contains("recursion limit"), "{message}");
}

#[test]
fn shapes_are_refused_with_the_index() {
    let with = |u: &str| read(&format!("{{\"t\": [0, 1], \"u\": {u}}}"));
    assert_refused(
        with("[[1, 2], [3]]"),
        None,
        None,
        "different lengths: u[1] has 1 entry, those before it 2",
    );
    assert_refused(
        with("[[[1], [2]], [[1], []]]"),
        None,
        None,
        "u[1][1] has 0 entries",
    );
    assert_refused(
        with("[[1], 2]"),
        None,
        None,
        "u[1] is a number, those before it are each a list",
    );
    assert_refused(
        with("[1, [2]]"),
        None,
        None,
        "u[1] is a list, those before it are each a number",
    );
    assert_refused(with("3"), None, None, "nested 0 deep");
    assert_refused(with("[[[[1]]]]"), None, None, "nested 4 deep");
    assert_refused(with("[]"), None, None, "2 times but u has 0 rows");
    assert_refused(with("[1, 2, 3]"), None, None, "2 times but u has 3 rows");
    assert_refused(with("[null, 2]"), None, None, "give u0");
    assert_refused(
        read(r#"{"t": [1, 0], "u": [1, 2]}"#),
        None,
        None,
        "t[1] = 0 is less",
    );
    assert_refused(
        read(r#"{"t": [1, 1], "u": [1, 2]}"#),
        None,
        None,
        "t[1] = 1 repeats",
    );
    assert_refused(
        read(r#"{"t": [0, 1], "u": [1, 2], "u0": [1, 2]}"#),
        None,
        None,
        "u0 has shape [2]",
    );
    assert_refused(
        read(r#"{"t": [0, 1], "u": [1, 2], "names": []}"#),
        None,
        None,
        "0 names for 1 component",
    );
}

#[test]
fn samples_with_times_of_their_own() {
    let data = read(
        r#"{"t": [[0, 1, 2], [0.5, 1.5]], "u": [[[1], [2], [null]], [[5], [6]]], "u0": [[1.1], [5.5]]}"#,
    )
    .unwrap();
    assert_eq!(data.times(1).unwrap(), array![0.5, 1.5]);
    assert_eq!(data.sample(1).unwrap(), array![[5.0], [6.0]]);
    assert_eq!(data.u0(), array![[1.1], [5.5]]);
    assert!(data.has_missing());
    for (content, part) in [
        (
            r#"{"t": [[0, 1]], "u": [[1, 2], [3, 4]]}"#,
            "1 sample and u the values of 2",
        ),
        (r#"{"t": [[0, 1], 2], "u": [[1, 2], [3, 4]]}"#, "sample 1"),
        (
            r#"{"t": [[0, 1], [0, 1, 2]], "u": [[1, 2], [3, 4]]}"#,
            "sample 1: 3 times",
        ),
        (
            r#"{"t": [[0, 1], [0, 2]], "u": [[1, 2], [[3, 4], [5, 6]]]}"#,
            "part 0 has 1, part 1 2",
        ),
    ] {
        assert_refused(read(content), None, None, part);
    }
}
