use ndarray::array;

use super::*;
use odesync_testing::measured_data;

fn read(content: &str, trial: usize) -> Result<Dataset> {
    let (_folder, path) = file("pendulum.txt", content);
    read_schmidt_lipson(path, trial)
}

const TWO: &str = "% o v\r\n 0 5.0 1 2 9 \r\n 0 5.5 1.5 2.5 9 \r\n0 6.5 nan 3 9\r\n1 2 10 20 9\r\n1 3 11 21 9\r\n";

#[test]
fn trials_are_kept_apart_and_begin_at_zero() {
    let first = read(TWO, 0).unwrap();
    assert_eq!(first.t(), array![0.0, 0.5, 1.5]);
    assert_eq!(first.names(), ["o", "v"]);
    assert_eq!(first.u0(), array![[1.0, 2.0]]);
    assert!(first.u()[[0, 2, 0]].is_nan());
    let second = read(TWO, 1).unwrap();
    assert_eq!(second.u(), array![[[10.0, 20.0], [11.0, 21.0]]]);
    let named = read("% trial time o v\n0 1 2 3\n0 2 3 4\n", 0).unwrap();
    assert_eq!(named.names(), ["o", "v"]);
}

#[test]
fn the_measured_files() {
    // Rows of each trial as counted by awk, the second time and the last value by eye.
    let cases = [
        (
            "real_double_pend_h_1.txt",
            0,
            819,
            vec!["o1", "o2", "w1", "w2"],
        ),
        (
            "real_double_pend_h_1.txt",
            1,
            701,
            vec!["o1", "o2", "w1", "w2"],
        ),
        ("double_pend_h_1.txt", 0, 1301, vec!["o1", "o2", "w1", "w2"]),
        ("double_pend_h_1.txt", 1, 1215, vec!["o1", "o2", "w1", "w2"]),
        ("real_pend_h_1.txt", 0, 556, vec!["o", "v"]),
    ];
    for (name, trial, rows, names) in cases {
        let Some(path) = measured_data(name) else {
            return;
        };
        let data = read_schmidt_lipson(&path, trial).unwrap();
        assert_eq!((data.len(), data.samples()), (rows, 1), "{name}");
        assert_eq!(data.names(), names);
        assert_eq!(data.t()[0], 0.0);
        assert!(!data.has_missing());
        let beyond = read_schmidt_lipson(&path, 7);
        assert_refused(beyond, None, None, "trial 7 has 0 row(s)");
    }
    let Some(path) = measured_data("real_double_pend_h_1.txt") else {
        return;
    };
    let data = read_schmidt_lipson(path, 0).unwrap();
    assert_eq!(data.t()[1], 0.010000228881835937);
    assert_eq!(
        data.u0(),
        array![[
            -1.1336150169372559,
            -1.3008047342300415,
            -0.5385388135910034,
            -6.15505838394165
        ]]
    );
}

#[test]
fn lines_and_columns_at_fault_are_named() {
    assert_refused(read("", 0), None, None, "empty");
    assert_refused(read("% o v\n", 0), None, None, "no rows");
    assert_refused(read("0 1 2 3\n", 0), 1, None, "must begin with %");
    assert_refused(read("%\n0 1 2 3\n", 0), 1, None, "names no state");
    assert_refused(
        read("% o v\n0 1 2 3\n0 2 3\n", 0),
        3,
        None,
        "3 columns where the header asks for 4",
    );
    assert_refused(
        read("% o v\n0 1 2 3\n\n0 2 x 3\n", 0),
        4,
        3,
        "\"x\" is not a number",
    );
    assert_refused(
        read("% o v\n0 1 2 inf\n0 2 3 4\n", 0),
        2,
        4,
        "not a finite number",
    );
    assert_refused(
        read("% o v\n0 1 2 3\n0 1 3 4\n", 0),
        3,
        2,
        "the time 1 repeats",
    );
    assert_refused(
        read("% o v\n0 1 2 3\n1 9 0 0\n0 0.5 3 4\n", 0),
        4,
        2,
        "the time 0.5 comes after 1",
    );
    assert_refused(
        read("% o v\n0 nan 2 3\n0 1 3 4\n", 0),
        2,
        2,
        "times must be finite",
    );
    assert_refused(read("% o v\n0.5 1 2 3\n", 0), 2, 1, "trials are numbered");
    assert_refused(
        read(TWO, 2),
        None,
        None,
        "trials in this file: 0 (3 rows), 1 (2 rows)",
    );
    assert_refused(
        read("% o v\n0 1 2 3\n", 0),
        None,
        None,
        "at least two are needed",
    );
}
