use ndarray::{Axis, array};

use super::*;

fn read(content: impl AsRef<[u8]>, options: &CsvOptions) -> Result<Dataset> {
    let (_folder, path) = file("data.csv", content);
    read_csv(path, options)
}

fn plain(content: impl AsRef<[u8]>) -> Result<Dataset> {
    read(content, &CsvOptions::default())
}

fn plain_file(path: &std::path::Path) -> Dataset {
    read_csv(path, &CsvOptions::default()).unwrap()
}

#[track_caller]
fn assert_reads(content: impl AsRef<[u8]>, names: [&str; 2]) {
    let data = plain(content).unwrap();
    assert_eq!(data.t(), array![0.0, 0.5, 1.0]);
    assert_eq!(
        data.u().index_axis(Axis(0), 0),
        array![[1.0, -2.0], [1.5, 2e-3], [3.0, 4.0]]
    );
    assert_eq!(data.names(), names);
}

#[test]
fn delimiter_and_header_are_found() {
    let named = ["x", "v"];
    let unnamed = ["u[0]", "u[1]"];
    assert_reads("t,x,v\n0,1,-2\n0.5,1.5,2e-3\n1,3,4\n", named);
    assert_reads("t;x;v\n0;1;-2\n0.5;1.5;2e-3\n1;3;4", named);
    assert_reads("t\tx\tv\n0\t1\t-2\n0.5\t1.5\t2e-3\n1\t3\t4\n", named);
    assert_reads("  t   x  v\n 0  1   -2\n0.5 1.5 2e-3 \n1 3 4\n", named);
    assert_reads("0, 1, -2\n0.5, 1.5, 2e-3\n1, 3, 4\n", unnamed);
    assert_reads("0 1 -2\n0.5 1.5 2e-3\n1 3 4\n", unnamed);
    assert_reads(
        "\u{feff}\"t\",\"x\",\"v\"\r\n0,1,-2\r\n0.5,1.5,2e-3\r\n1,3,4\r\n",
        named,
    );
    assert_reads(
        "# measured, by hand\n\nt,x,v\n0,1,-2\n# a pause\n0.5,1.5,2e-3\n\n1,3,4\n",
        named,
    );
    assert_reads("t,x,v,\n0,1,-2,\n0.5,1.5,2e-3,\n1,3,4,\n", named);
}

#[test]
fn columns_are_chosen_by_name_or_index() {
    let content = "note,v,time,x\nfirst,-2,0,1\n,2e-3,0.5,1.5\nlast one,4,1,3\n";
    let by_name = CsvOptions {
        time: Some("time".into()),
        state: Some(vec!["x".into(), "v".into()]),
        ..Default::default()
    };
    let data = read(content, &by_name).unwrap();
    assert_eq!(data.t(), array![0.0, 0.5, 1.0]);
    assert_eq!(data.u(), array![[[1.0, -2.0], [1.5, 2e-3], [3.0, 4.0]]]);
    assert_eq!(data.names(), ["x", "v"]);
    let by_index = CsvOptions {
        time: Some(2.into()),
        state: Some(vec![3.into()]),
        ..Default::default()
    };
    assert_eq!(read(content, &by_index).unwrap().names(), ["x"]);

    let choose = |time: &str, state: &[&str]| CsvOptions {
        time: Some(time.into()),
        state: Some(state.iter().map(|name| Column::from(*name)).collect()),
        ..Default::default()
    };
    let unknown = read(content, &choose("tmie", &["x"]));
    assert_refused(
        unknown,
        1,
        None,
        "unknown column \"tmie\" (did you mean \"time\"?); known: note, v, time, x",
    );
    assert_refused(
        read(content, &choose("time", &["x", "x"])),
        1,
        None,
        "used twice",
    );
    assert_refused(
        read(content, &choose("time", &["time"])),
        1,
        None,
        "used twice",
    );
    assert_refused(
        read("a,x,x\n0,1,2\n1,2,3\n", &choose("a", &["x"])),
        1,
        None,
        "both named \"x\"",
    );
    assert_refused(
        read("0,1\n1,2\n", &choose("t", &["x"])),
        None,
        None,
        "no header",
    );
    let beyond = CsvOptions {
        time: Some(4.into()),
        ..Default::default()
    };
    assert_refused(
        read(content, &beyond),
        1,
        None,
        "no column 4: the table has 4",
    );
    assert_refused(
        plain("t,x,x\n0,1,2\n1,2,3\n"),
        1,
        None,
        "two components are named \"x\"",
    );
}

#[test]
fn missing_values() {
    let data = plain("t,x,v\n0,1,1\n1,,NA\n2,nan,null\n3,?,N/A\n").unwrap();
    assert_eq!(data.u().iter().filter(|v| v.is_nan()).count(), 6);
    let options = CsvOptions {
        missing: vec!["-99".into(), "x".into()],
        ..Default::default()
    };
    let data = read("t,x\n0,1\n1,-99\n2,\n", &options).unwrap();
    assert_eq!(data.u().iter().filter(|v| v.is_nan()).count(), 2);
    // Markers of one's own come to the known ones.
    let data = read("t,x,v\n0,1,1\n1,?,x\n2,-99,#N/A\n#N/A comment\n", &options);
    assert_refused(data, 5, None, "1 column where line 1 has 3");
    let data = read("t,x,v\n0,1,1\n1,?,x\n2,-99,#N/A\n", &options).unwrap();
    assert_eq!(data.u().iter().filter(|v| v.is_nan()).count(), 4);
    assert_refused(
        plain("t,x\n0,1\n1,gone\n"),
        3,
        2,
        "name it, missing: [\"gone\"]",
    );
    assert_refused(plain("t,x\n0,1\n,2\n"), 3, 1, "the time is missing");

    let unknown = "t,x\n0,NA\n1,2\n";
    assert_refused(
        plain(unknown),
        None,
        None,
        "missing (NaN) at the first time",
    );
    let with_u0 = |u0: Vec<f64>| CsvOptions {
        u0: Some(u0),
        ..Default::default()
    };
    assert_eq!(
        read(unknown, &with_u0(vec![1.5])).unwrap().u0(),
        array![[1.5]]
    );
    let short = read(unknown, &with_u0(vec![])).unwrap_err().to_string();
    assert!(
        short.contains("u0 has 0 values for 1 column of state"),
        "{short}"
    );
}

#[test]
fn empty_files_are_refused() {
    assert_refused(plain(""), None, None, "empty");
    assert_refused(plain("\n  \n# nothing\n"), None, None, "empty");
    assert_refused(plain("# about\nt,x\n"), 2, None, "a header but no data");
    assert_refused(plain("t,x\n0,1\n"), None, None, "at least two");
    assert_refused(plain("t\n0\n1\n"), 1, None, "only one column");
}

#[test]
fn lines_and_columns_at_fault_are_named() {
    assert_refused(
        plain("t,x\n0,1\n# fine\n\n1,2,3\n"),
        5,
        None,
        "3 columns where line 1 has 2",
    );
    assert_refused(
        plain("0 1\n1\n2 3\n"),
        2,
        None,
        "1 column where line 1 has 2",
    );
    assert_refused(plain("t,x\n0,1\n1,two\n"), 3, 2, "\"two\" is not a number");
    assert_refused(
        plain("t,x\n# a comment\n0,1\nnow,2\n"),
        4,
        1,
        "\"now\" is not a number",
    );
    assert_refused(plain("t,x\n0,1\n1,inf\n"), 3, 2, "not a finite number");
    assert_refused(plain("t,x\n0,1\n1,1e999\n"), 3, 2, "not a finite number");
    assert_refused(
        plain("t,x\n0,1\n2,1\n1,1\n"),
        4,
        1,
        "the time 1 comes after 2",
    );
    let repeated = "t,x\n0,1\n1,1\n1,1\n";
    assert_refused(plain(repeated), 4, 1, "the time 1 repeats");
    assert_refused(plain(repeated), 4, 1, "sample: \"column\"");
    assert_refused(
        plain("t,x\n0,2024-01-01\n1,3\n"),
        2,
        2,
        "dates and times of day are read in the column of the time only",
    );
    assert_refused(plain("0,1\n1,2x\n2,3\n"), 2, 2, "\"2x\"");
    assert_refused(plain("0,one\n1,2\n"), 1, None, "mixes numbers with \"one\"");
    let no_header = CsvOptions {
        header: Some(false),
        ..Default::default()
    };
    assert_refused(
        read("t,x\n0,1\n1,2\n", &no_header),
        1,
        1,
        "\"t\" is not a number",
    );
    let header = CsvOptions {
        header: Some(true),
        ..Default::default()
    };
    assert_eq!(read("0,1\n0,5\n1,6\n", &header).unwrap().names(), ["1"]);
}

#[test]
fn a_decimal_comma_is_found() {
    for content in [
        "t;x\n0;1,5\n1;2,5\n",
        "t\tx\n0\t1,5\n1\t2,5\n",
        "t x\n0 1,5\n1 2,5\n",
        "0,0;1,5\n1,0;2,5\n",
        "t,x\n0,\"1,5\"\n1,\"2,5\"\n",
    ] {
        let data = plain(content).unwrap();
        assert_eq!(data.t(), array![0.0, 1.0], "{content}");
        assert_eq!(data.u(), array![[[1.5], [2.5]]], "{content}");
    }
    assert_refused(
        plain("0.5;1,5\n1;1,5\n2;2\n"),
        1,
        None,
        "if it should be a comma, say decimal: \",\"",
    );
    assert_refused(
        plain("t;x\n0.5;1,5\n1;1,5\n"),
        2,
        2,
        "if it should be a comma, say decimal: \",\"",
    );
    let point = CsvOptions {
        decimal: Some('.'),
        ..Default::default()
    };
    // Where all numbers could be either, semicolons speak for a decimal comma.
    let content = "t;x\n0;1,234\n1;2,345\n";
    assert_eq!(plain(content).unwrap().u(), array![[[1.234], [2.345]]]);
    assert_eq!(
        read(content, &point).unwrap().u(),
        array![[[1234.0], [2345.0]]]
    );
}

#[test]
fn samples_are_told_apart_by_a_column() {
    let by = |column: Column| CsvOptions {
        sample: Some(column),
        ..Default::default()
    };
    let content = "id,t,x\na,0,1\nb,0,2\na,1,3\nb,1,4\n";
    let data = read(content, &by("id".into())).unwrap();
    assert_eq!(data.u(), array![[[1.0], [3.0]], [[2.0], [4.0]]]);
    assert_eq!(data.u0(), array![[1.0], [2.0]]);
    let last = read("t,x,id\n0,1,7\n1,3,7\n0,2,8\n1,4,8\n", &by(2.into())).unwrap();
    assert_eq!(last.u(), data.u());

    let longer = "id,t,x\na,0,1\na,1,3\nb,0.5,2\nb,1,4\nb,2,5\n";
    let ragged = read(longer, &by("id".into())).unwrap();
    assert_eq!(ragged.times(0).unwrap(), array![0.0, 1.0]);
    assert_eq!(ragged.times(1).unwrap(), array![0.5, 1.0, 2.0]);
    assert_eq!(ragged.sample(1).unwrap(), array![[2.0], [4.0], [5.0]]);
    assert_eq!(ragged.u0(), array![[1.0], [2.0]]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    write_csv(&path, &ragged).unwrap();
    let reread = read_csv(&path, &by("sample".into())).unwrap();
    assert_eq!(reread.times(1), ragged.times(1));
    assert_eq!(reread.sample(1), ragged.sample(1));
    assert_eq!(reread.sample(0), ragged.sample(0));
    let short = "id,t,x\na,0,1\nb,0,2\n";
    assert_refused(
        read(short, &by("id".into())),
        2,
        None,
        "sample \"a\": 1 time: a trajectory needs at least two",
    );
    let nameless = "id,t,x\na,0,1\n,1,3\n";
    assert_refused(
        read(nameless, &by("id".into())),
        3,
        1,
        "the sample is missing",
    );
    let both = CsvOptions {
        time: Some("id".into()),
        ..by("id".into())
    };
    assert_refused(read(content, &both), 1, None, "the same column");
}

#[test]
fn a_delimiter_can_be_given() {
    let with = |delimiter| CsvOptions {
        delimiter: Some(delimiter),
        ..Default::default()
    };
    assert_eq!(read("t|x\n0|1\n1|2\n", &with('|')).unwrap().dof(), 1);
    assert_eq!(read("t x\n0  1\n1 2\n", &with(' ')).unwrap().dof(), 1);
    assert_refused(
        read("t,x\n0,1\n1,2\n", &with(';')),
        1,
        None,
        "no column is left for the state",
    );
    let message = read("t,x\n0,1\n", &with('→')).unwrap_err().to_string();
    assert!(message.contains("one ASCII character"), "{message}");
}

#[test]
fn what_is_written_reads_back_exactly() {
    let t = array![0.1, 1.0 / 3.0, 1e300];
    let u = array![
        [
            [1.0, -0.0],
            [f64::MIN_POSITIVE, f64::NAN],
            [2.0 / 3.0, 1e-17]
        ],
        [[5.0, 6.0], [f64::NAN, 0.1 + 0.2], [7.0, -8.5e22]],
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let same = |a: &Dataset, b: &Dataset| {
        assert_eq!(a.t(), b.t());
        assert_eq!(a.names(), b.names());
        let bits = |d: &Dataset| d.u().mapv(|v| if v.is_nan() { 1 } else { v.to_bits() });
        assert_eq!(bits(a), bits(b));
    };
    let several = Dataset::new(t.clone(), u.clone(), None)
        .unwrap()
        .with_names(["x, m", "v"])
        .unwrap();
    write_csv(&path, &several).unwrap();
    same(&plain_file(&path), &several);

    let single = Dataset::single(t, u.index_axis(Axis(0), 0).to_owned(), None).unwrap();
    write_csv(&path, &single).unwrap();
    same(&plain_file(&path), &single);

    // Names that could be those of other columns, and units.
    let units = DataUnits {
        time: "d".into(),
        state: vec!["mm".into(), String::new()],
    };
    for names in [
        ["run", "id"],
        ["time", "t"],
        ["variable", "value"],
        ["sample", "x"],
    ] {
        let named = single.clone().with_names(names).unwrap();
        let named = named.with_units(units.clone()).unwrap();
        write_csv(&path, &named).unwrap();
        let read = plain_file(&path);
        same(&read, &named);
        assert_eq!(read.units(), &units);
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "a temporary file is left"
    );

    // A file in place of a folder.
    let message = write_csv(path.join("out.csv"), &single)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("cannot") && message.contains("out.csv"),
        "{message}"
    );
}

#[test]
fn the_time_is_found_by_its_name() {
    let (_folder, path) = file("swapped.csv", "x,Time,v\n1,0,5\n2,1,6\n");
    let data = read_csv(&path, &CsvOptions::default()).unwrap();
    assert_eq!(data.t().to_vec(), [0.0, 1.0]);
    assert_eq!(data.names(), ["x", "v"]);
}
