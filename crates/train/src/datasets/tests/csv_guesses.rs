//! What the reader of tables finds by itself, what it says of that, and what it leaves out.

use std::io::Write;

use ndarray::array;

use super::*;

fn reading(content: impl AsRef<[u8]>, options: &CsvOptions) -> CsvReading {
    let (_folder, path) = file("data.csv", content);
    read_csv_with_notes(path, options).unwrap()
}

/// Reads a table without options and returns the data and the notes in one line.
fn plain(content: &str) -> (Dataset, String) {
    let reading = reading(content, &CsvOptions::default());
    (reading.data, reading.notes.join("; "))
}

#[test]
fn a_plain_table_needs_no_note() {
    let (data, notes) = plain("t,x,v\n0,1,2\n1,2,3\n");
    assert_eq!(
        (data.names(), &*notes),
        (&["x".to_string(), "v".into()][..], "")
    );
    assert_eq!(plain("0,1\n1,2\n").1, "");
}

/// A cell with the largest number that there is, found by a fuzz test.
#[test]
fn the_largest_number_has_no_next_row() {
    let (_folder, path) = file("data.csv", ",x,y\n9223372036854775807,0,0.5\n1,1.5,8\n");
    let read = read_csv_with_notes(path, &CsvOptions::default());
    let notes = read.map_or_else(|error| error.to_string(), |read| read.notes.join("; "));
    assert!(!notes.contains("the rows' numbers"), "{notes}");
}

#[test]
fn the_numbers_of_rows_are_left_out() {
    let (data, notes) = plain(",t,x\n0,0.5,1\n1,1.5,2\n");
    assert_eq!(
        (data.t().to_vec(), data.names()),
        (vec![0.5, 1.5], &["x".to_string()][..])
    );
    assert_eq!(notes, "left out: column 0, which holds the rows' numbers");
    // Without a name that says so, the next column is the time where it increases …
    let (data, notes) = plain("\"\",\"tau\",\"x\"\n\"1\",0.5,1\n\"2\",1.5,2\n\"3\",2.5,1\n");
    assert_eq!(data.t().to_vec(), [0.5, 1.5, 2.5]);
    assert_eq!(
        notes,
        "the time is \"tau\"; left out: column 0, which holds the rows' numbers"
    );
    // … else they are the times.
    let (data, _) = plain(",x,v\n0,3,1\n1,2,2\n2,4,2\n");
    assert_eq!((data.t().to_vec(), data.dof()), (vec![0.0, 1.0, 2.0], 2));
    // Times as an index are none.
    let (data, _) = plain(",x\n0.0,3\n0.1,2\n0.2,4\n");
    assert_eq!(data.t().to_vec(), [0.0, 0.1, 0.2]);
    // Columns that pandas has numbered, and names of rows.
    assert_eq!(plain(",0,1\n0,0.5,7\n1,1.5,8\n").0.names(), ["1"]);
    assert_eq!(
        plain("\"\",\"t\",\"x\"\n\"a\",0,1\n\"b\",1,2\n").0.names(),
        ["x"]
    );
}

#[test]
fn dates_are_seconds_since_the_first() {
    let (data, notes) =
        plain("when,x\n2024-01-01 12:00,1\n2024-01-01 12:01,2\n2024-01-02 12:00,4\n");
    assert_eq!(data.t().to_vec(), [0.0, 60.0, 86400.0]);
    assert_eq!(data.units().time, "s");
    assert_eq!(
        notes,
        "the time is \"when\"; times are seconds since 2024-01-01 12:00"
    );
    let (data, _) = plain("x,date\n1,2024-03-31T01:30:00+01:00\n2,2024-03-31T03:30:00+02:00\n");
    assert_eq!(
        (data.t().to_vec(), data.names()),
        (vec![0.0, 3600.0], &["x".to_string()][..])
    );
    // Samples that begin at different times.
    let (data, _) =
        plain("id,t,x\nb,2024-01-02,1\nb,2024-01-03,1\na,2024-01-01,2\na,2024-01-02,2\n");
    assert_eq!(data.t0(), [86400.0, 0.0]);
    for (content, line, part) in [
        (
            "t,x\n2024-01-01T00:00:00Z,1\n2024-01-02,2\n",
            3,
            "give all of them a zone, or none",
        ),
        ("t,x\n2024-01-01,1\n2024-01-01,2\n", 3, "repeats"),
        (
            "t,x\n1/2/2024,1\n2/2/2024,2\n",
            2,
            "write dates as 2024-12-31",
        ),
        ("t,x\n2024-01-01,1\n,2\n", 3, "the time is missing"),
    ] {
        let (_folder, path) = file("data.csv", content);
        assert_refused(read_csv(&path, &CsvOptions::default()), line, 1, part);
    }
}

#[test]
fn samples_are_found_by_the_name_of_their_column() {
    let (data, notes) = plain("Subject,t,x\n1,0,1\n1,1,2\n2,0,3\n2,1,4\n3,0,5\n");
    assert_eq!(data.u(), array![[[1.0], [2.0]], [[3.0], [4.0]]]);
    assert_eq!(
        notes,
        "samples are told apart by \"Subject\"; left out: the sample \"3\" with a single time"
    );
    // A state variable of such a name.
    let (data, _) = plain("t,run\n0,1\n1,1\n2,1\n");
    assert_eq!(data.names(), ["run"]);
    let (data, notes) = plain("t,x,id\n0,1,7\n1,2,5\n2,3,6\n");
    assert_eq!((data.samples(), data.dof(), &*notes), (1, 2, ""));
}

#[test]
fn a_table_in_long_form_becomes_wide() {
    let content =
        "id,t,variable,value\na,0,x,1\na,1,x,2\na,0,v,3\na,1,v,4\nb,0,x,5\nb,0,v,6\nb,2,v,7\n";
    let (data, notes) = plain(content);
    assert_eq!(data.names(), ["x", "v"]);
    assert_eq!(data.sample(0).unwrap(), array![[1.0, 3.0], [2.0, 4.0]]);
    assert_eq!(data.times(1).unwrap(), array![0.0, 2.0]);
    assert!(data.sample(1).unwrap()[[1, 0]].is_nan());
    assert!(
        notes.contains("a row for each value: names in \"variable\", values in \"value\""),
        "{notes}"
    );
    let chosen = CsvOptions {
        state: Some(vec!["v".into()]),
        variable: Some("variable".into()),
        value: Some("value".into()),
        ..Default::default()
    };
    let data = reading(content, &chosen).data;
    assert_eq!((data.names(), data.dof()), (&["v".to_string()][..], 1));
    let (_folder, path) = file("data.csv", content);
    let unknown = CsvOptions {
        state: Some(vec!["w".into()]),
        ..chosen
    };
    assert_refused(
        read_csv(&path, &unknown),
        None,
        None,
        "unknown variable \"w\"",
    );
}

#[test]
fn names_units_and_times_come_from_where_they_are() {
    let (data, notes) = plain("# made by hand\n# t x y\n0 1 2\n1 2 3\n");
    assert_eq!(data.names(), ["x", "y"]);
    assert_eq!(
        notes,
        "columns are separated by blanks; names in the comment of line 2"
    );
    let (data, notes) = plain("Zeit;x\n[s];[mm]\n0;1,5\n1;2,5\n");
    assert_eq!(
        (&*data.units().time, data.units().of_component(0)),
        ("s", "mm")
    );
    assert_eq!(data.names(), ["x"]);
    assert_eq!(
        notes,
        "columns are separated by \";\"; the decimal mark is a comma; the second row holds units"
    );
    let untimed = CsvOptions {
        dt: Some(0.5),
        ..Default::default()
    };
    let data = reading("x,v\n3,1\n2,1\n1,1\n", &untimed).data;
    assert_eq!((data.t().to_vec(), data.dof()), (vec![0.0, 0.5, 1.0], 2));
    let data = reading("id,x\na,3\na,2\nb,1\nb,1\nb,4\n", &untimed).data;
    assert_eq!(
        (data.samples(), data.times(1).unwrap().to_vec()),
        (2, vec![0.0, 0.5, 1.0])
    );
    let (_folder, path) = file("data.csv", "t,x\n0,1\n1,2\n");
    assert_refused(read_csv(&path, &untimed), 1, None, "leave out one of them");
    let (_folder, path) = file("data.csv", "x,v\n3,1\n2,1\n");
    assert_refused(read_csv(&path, &CsvOptions::default()), 3, 1, "dt: 0.1");
    assert_eq!(plain("sep=|\nt|x\n0|1\n1|2\n").0.names(), ["x"]);
}

#[test]
fn lines_and_columns_without_data_are_left_out() {
    let (_folder, path) = file("data.csv", "Export\nof today\nt;x;v\n0;1;2\n1;2;3\n");
    assert_refused(
        read_csv(&path, &CsvOptions::default()),
        3,
        None,
        "say skip: 2",
    );
    let skip = CsvOptions {
        skip: 2,
        ..Default::default()
    };
    assert_eq!(read_csv(&path, &skip).unwrap().names(), ["x", "v"]);
    let (data, notes) = plain("t,x,note,gap\n0,1,begin,\n1,2,,\n,,,\n");
    assert_eq!(data.names(), ["x"]);
    assert_eq!(
        notes,
        "1 empty row left out; left out: \"note\", which holds words; left out: \"gap\", which holds nothing"
    );
}

#[test]
fn a_packed_table_is_unpacked() {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    packed.write_all(b"t,x\n0,1\n1,2\n").unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(reading(&packed, &CsvOptions::default()).data.names(), ["x"]);
    let (_folder, path) = file("data.csv.gz", &packed[..packed.len() - 9]);
    let message = read_csv(path, &CsvOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("cannot unpack"), "{message}");
}
