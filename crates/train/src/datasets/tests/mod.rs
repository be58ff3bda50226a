mod arrays;
mod csv;
mod csv_dialects;
mod csv_guesses;
mod csv_round_trip;
mod dataset;
mod json;
mod npy;
mod scaled;
mod schmidt_lipson;
mod tables;

use super::*;

/// Writes a file with the given content into a temporary folder, which is deleted with the guard.
fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// Returns line, column and message of the error of a reader.
fn refusal<T: std::fmt::Debug>(result: Result<T>) -> (Option<usize>, Option<usize>, String) {
    match result.expect_err("should be refused") {
        Error::Data {
            file,
            line,
            column,
            message,
        } => {
            assert!(
                file.is_absolute(),
                "{} is not the file that was given",
                file.display()
            );
            (line, column, message)
        }
        other => panic!("not an error about data: {other}"),
    }
}

/// Asserts line, column and a part of the message of an error.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(
    result: Result<T>,
    line: impl Into<Option<usize>>,
    column: impl Into<Option<usize>>,
    part: &str,
) {
    let (at_line, at_column, message) = refusal(result);
    assert!(message.contains(part), "{message}");
    assert_eq!(
        (at_line, at_column),
        (line.into(), column.into()),
        "{message}"
    );
}

#[test]
fn a_missing_file_is_named() {
    for error in [
        read_csv("no/such/file.csv", &CsvOptions::default()).map(drop),
        read_npy("no/such/file.csv").map(drop),
        read_json("no/such/file.csv").map(drop),
        read_schmidt_lipson("no/such/file.csv", 0).map(drop),
    ] {
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("cannot read no/such/file.csv"),
            "{message}"
        );
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_line() {
    let (_folder, path) = file("latin1.csv", b"t,x\n0,1\n1,\xb5\n");
    assert_refused(
        read_csv(&path, &CsvOptions::default()),
        3,
        None,
        "save it as UTF-8",
    );
    let (_folder, path) = file("utf16.csv", b"\xff\xfet\0,\0");
    assert_refused(
        read_csv(&path, &CsvOptions::default()),
        None,
        None,
        "UTF-16",
    );
}

/// Complete files of every format, to be damaged.
const WHOLE: [&[u8]; 5] = [
    b"t,x,v\n0,1,-2\n0.5,\"1.5\",NA\n1,3,4\n",
    b"0 1\n0.5 2,5\n1; 3\n",
    br#"{"t": [0, 1], "u": [[[1], [2]], [[3], [null]]], "u0": [[1], [2]], "names": ["x"]}"#,
    b"% o v\n0 0.1 2 3 9\n0 0.2 3 4 9\n1 7 1 2 9\n",
    b"\x93NUMPY\x01\x00\x36\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}AAAAAAAA",
];

proptest::proptest! {
    #[test]
    fn damage_is_never_a_panic(
        which in 0..WHOLE.len(),
        cut in 0..120usize,
        changes in proptest::collection::vec((0..120usize, proptest::num::u8::ANY), 0..6),
        insert in proptest::collection::vec(proptest::sample::select(b"\",;[]{}()\n\r\t -.0e%#'\xff".to_vec()), 0..6),
    ) {
        let mut bytes = WHOLE[which].to_vec();
        let at = cut.min(bytes.len());
        bytes.splice(at..at, insert);
        for (at, byte) in changes {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        let (_folder, path) = file("damaged", &bytes);
        // No reader panics, and accepted data are sound.
        let read = [
            read_csv(&path, &CsvOptions::default()),
            read_csv(&path, &CsvOptions { sample: Some(0.into()), ..Default::default() }),
            read_json(&path),
            read_schmidt_lipson(&path, 0),
        ];
        for data in read.into_iter().flatten() {
            assert!(data.len() >= 2 && data.u0().iter().all(|v| v.is_finite()));
        }
        let _ = read_npy(&path);
    }
}
