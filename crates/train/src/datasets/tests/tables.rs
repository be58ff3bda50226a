//! Tables in the files of other programs, which `tools/make_tables.py` makes with them: equal to the same data as text.

use std::path::PathBuf;

use super::*;

fn fixture(name: &str) -> PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/data/tables").join(name)
}

/// Whether this build reads the file: Parquet and HDF5 need a feature.
fn is_read(name: &str) -> bool {
    let needs = [".parquet", ".h5", "v73.mat"]
        .iter()
        .any(|end| name.ends_with(end));
    cfg!(feature = "tables") || !needs
}

fn in_group(group: &str) -> TableOptions {
    TableOptions {
        group: Some(group.into()),
        ..TableOptions::default()
    }
}

fn in_sheet(sheet: impl Into<Column>) -> TableOptions {
    TableOptions {
        sheet: Some(sheet.into()),
        ..TableOptions::default()
    }
}

fn with_csv(csv: CsvOptions) -> TableOptions {
    csv.into()
}

fn reading(name: &str, options: &TableOptions) -> (Dataset, String) {
    let reading =
        read_table_with_notes(fixture(name), options).unwrap_or_else(|e| panic!("{name}: {e}"));
    (reading.data, reading.notes.join("; "))
}

fn text(name: &str, options: &CsvOptions) -> Dataset {
    read_csv(fixture(name), options).unwrap()
}

fn bits(data: &Dataset) -> Vec<Vec<u64>> {
    let bits = |x: &f64| if x.is_nan() { 1 } else { x.to_bits() };
    (data.trajectories())
        .map(|(t, u)| t.iter().map(bits).chain(u.iter().map(bits)).collect())
        .collect()
}

#[track_caller]
fn assert_same(data: &Dataset, want: &Dataset, context: &str) {
    match context.ends_with(".xlsx") {
        true => assert_sixteen_digits(data, want, context),
        false => assert_eq!(bits(data), bits(want), "{context}"),
    }
    assert_eq!(data.names(), want.names(), "{context}");
}

/// openpyxl writes numbers with sixteen digits, where seventeen would be exact.
#[track_caller]
fn assert_sixteen_digits(data: &Dataset, want: &Dataset, context: &str) {
    assert_eq!(data.samples(), want.samples(), "{context}");
    for ((t, u), (want_t, want_u)) in data.trajectories().zip(want.trajectories()) {
        assert_eq!(
            (t.len(), u.dim()),
            (want_t.len(), want_u.dim()),
            "{context}"
        );
        let pairs = t
            .iter()
            .chain(u.iter())
            .zip(want_t.iter().chain(want_u.iter()));
        for (a, b) in pairs {
            let is_near = (a - b).abs() <= 1e-15 * b.abs() || (a.is_nan() && b.is_nan());
            assert!(is_near, "{context}: {a:?} and {b:?}");
        }
    }
}

#[test]
fn every_format_has_the_data_of_the_text() {
    let defaults = TableOptions::default();
    let want = text("plain.csv", &CsvOptions::default());
    assert_eq!((want.len(), want.dof()), (12, 3));
    for name in ["plain.csv", "plain.parquet", "tables.xlsx"]
        .into_iter()
        .filter(|n| is_read(n))
    {
        assert_same(&reading(name, &defaults).0, &want, name);
    }
    // Structures are named after the file's order of the fields.
    assert_same(&reading("struct.mat", &defaults).0, &want, "struct.mat");
    // Two of the columns are a matrix there.
    for name in ["v5.mat", "v7.mat", "v73.mat", "arrays.h5"]
        .into_iter()
        .filter(|n| is_read(n))
    {
        let (data, notes) = reading(name, &defaults);
        let sorted = ["u[1]", "u[2]", "k"];
        let order = sorted.map(|n| data.names().iter().position(|own| own == n).unwrap());
        let columns: Vec<Column> = sorted.iter().map(|n| Column::from(*n)).collect();
        let state = Some(columns);
        let chosen = with_csv(CsvOptions {
            state,
            ..Default::default()
        });
        assert_eq!(
            bits(&reading(name, &chosen).0),
            bits(&want),
            "{name} {order:?}"
        );
        let whole = with_csv(CsvOptions {
            state: Some(vec!["u".into(), "k".into()]),
            ..Default::default()
        });
        assert_same(&reading(name, &whole).0, &reading(name, &chosen).0, name);
        let is_noted = notes.contains("left out") || name == "v73.mat";
        assert!(is_noted, "{name}: {notes}");
    }
    if is_read("arrays.h5") {
        assert_eq!(reading("arrays.h5", &defaults).0.units().time, "s");
    }
    let (matrix, notes) = reading("matrix.mat", &defaults);
    assert_eq!(bits(&matrix), bits(&want), "{notes}");
}

#[test]
fn dates_words_and_samples_are_those_of_the_text() {
    for (name, table) in [("dated", in_sheet("dated")), ("long", in_sheet(2))] {
        let csv = format!("{name}.csv");
        let want = read_csv_with_notes(fixture(&csv), &CsvOptions::default()).unwrap();
        for (file, options) in [
            (format!("{name}.parquet"), TableOptions::default()),
            ("tables.xlsx".to_string(), table),
        ]
        .into_iter()
        .filter(|(file, _)| is_read(file))
        {
            let (data, notes) = reading(&file, &options);
            assert_same(&data, &want.data, &file);
            // The same is guessed; a moment may be written in another way.
            let kind = |note: &str| note.split(" 2024").next().unwrap().to_string();
            let want: Vec<String> = want.notes.iter().map(|note| kind(note)).collect();
            let got: Vec<String> = notes.split("; ").map(kind).collect();
            assert_eq!(got, want, "{file}");
        }
    }
    if !is_read("zoned.parquet") {
        return;
    }
    let (zoned, _) = reading("zoned.parquet", &TableOptions::default());
    assert_same(
        &zoned,
        &text("dated.csv", &CsvOptions::default()),
        "zoned.parquet",
    );
}

#[test]
fn options_are_those_of_the_text() {
    let named = || CsvOptions {
        time: Some("k".into()),
        state: Some(vec!["v".into(), "x".into()]),
        u0: Some(vec![1.0, 2.0]),
        ..CsvOptions::default()
    };
    let numbered = || CsvOptions {
        state: Some(vec![3.into(), 1.into()]),
        missing: vec!["11".into(), "4".into()],
        ..CsvOptions::default()
    };
    for options in [named, numbered] {
        let want = read_csv(fixture("plain.csv"), &options());
        for name in ["plain.parquet", "tables.xlsx", "struct.mat"]
            .into_iter()
            .filter(|n| is_read(n))
        {
            let got = read_table(fixture(name), &with_csv(options()));
            match (&got, &want) {
                (Ok(got), Ok(want)) => {
                    assert_same(got, want, name);
                    assert_eq!(got.u0(), want.u0());
                }
                _ => panic!("{name}: {got:?} and {want:?}"),
            }
        }
    }
    let timed = with_csv(CsvOptions {
        state: Some(vec!["x".into()]),
        dt: Some(0.5),
        ..CsvOptions::default()
    });
    for name in ["plain.parquet", "tables.xlsx", "v5.mat", "plain.csv"]
        .into_iter()
        .filter(|n| is_read(n))
    {
        let message = read_table(fixture(name), &timed).unwrap_err().to_string();
        assert!(
            message.contains("dt is given too") || message.contains("unknown column"),
            "{message}"
        );
    }
}

#[test]
#[cfg(feature = "tables")]
fn a_shape_too_large_for_a_number_spoils_no_other_array() {
    // The file is made up: one of its arrays claims more elements than a number can count.
    let (data, _) = reading("huge_shape.mat", &TableOptions::default());
    assert_eq!(data.t().len(), 12);
}

#[test]
fn a_sheet_by_hand_is_read_as_it_looks() {
    let (data, notes) = reading("by_hand.xlsx", &TableOptions::default());
    assert_eq!(data.names(), ["x < y", "z"]);
    assert_eq!(data.t().to_vec(), [0.0, 0.5, 1.0, 1.5]);
    let x: Vec<f64> = data.u().iter().copied().collect();
    let want = [1.5, 1.25, f64::NAN, 2.5, -3e-7, f64::NAN, 4.0, 3.75];
    assert!(
        x.iter()
            .zip(want)
            .all(|(a, b)| *a == b || (a.is_nan() && b.is_nan())),
        "{x:?}"
    );
    assert_eq!(data.units().of_component(0), "mm");
    for part in [
        "the sheet is \"By hand & more\"; \"Empty\" can be chosen by sheet",
        "1 row with a single cell above the table",
        "the decimal mark is a comma",
        "the second row holds units",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
    // What is given needs no note.
    let skipped = TableOptions {
        sheet: Some(0.into()),
        ..with_csv(CsvOptions {
            skip: 2,
            decimal: Some(','),
            ..Default::default()
        })
    };
    let (again, notes) = reading("by_hand.xlsx", &skipped);
    assert_same(&again, &data, "skip");
    assert_eq!(notes, "the second row holds units");
    assert_refused(
        read_table(fixture("by_hand.xlsx"), &in_sheet("Empty")),
        None,
        None,
        "is empty",
    );
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let wrong = [
        ("tables.xlsx", in_sheet("plian"), "did you mean \"plain\"?"),
        ("tables.xlsx", in_sheet(3), "\"plain\", \"dated\", \"long\""),
        ("arrays.h5", in_group("uu"), "image [3, 4, 5]"),
        ("groups.h5", TableOptions::default(), "group: \"a\""),
        ("v5.mat", in_group("x"), "u [12, 2]"),
        ("v5.mat", in_group("title"), "title [1, 7] of characters"),
        (
            "zstd.parquet",
            TableOptions::default(),
            "compression=\"snappy\"",
        ),
    ];
    for (name, options, part) in wrong.into_iter().filter(|(n, ..)| is_read(n)) {
        assert_refused(read_table(fixture(name), &options), None, None, part);
    }
    if !is_read("groups.h5") {
        return;
    }
    let (inner, _) = reading("groups.h5", &in_group("b/inner"));
    let (outer, notes) = reading("groups.h5", &in_group("a"));
    assert_eq!(inner.u(), -&outer.u());
    assert!(
        notes.contains("left out: \"label\", which holds words"),
        "{notes}"
    );
    let untimed = TableOptions {
        csv: CsvOptions {
            dt: Some(0.5),
            ..CsvOptions::default()
        },
        ..in_group("/u")
    };
    let (matrix, _) = reading("arrays.h5", &untimed);
    assert_eq!((matrix.len(), matrix.dof()), (12, 2));
    assert_eq!(matrix.t()[3], 1.5);
}

#[test]
fn options_of_another_format_are_refused() {
    let delimiter = with_csv(CsvOptions {
        delimiter: Some(';'),
        ..Default::default()
    });
    let skip = with_csv(CsvOptions {
        skip: 1,
        ..Default::default()
    });
    for (name, options, part) in [
        (
            "plain.parquet",
            in_sheet(0),
            "sheet has no meaning here, because the file is a Parquet file",
        ),
        ("plain.csv", in_group("a"), "the file is text"),
        ("tables.xlsx", delimiter, "delimiter has no meaning"),
        ("v5.mat", skip, "skip has no meaning"),
    ] {
        let message = read_table(fixture(name), &options).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn readers_of_text_name_the_reader_of_tables() {
    for (name, what) in [
        ("tables.xlsx", "an Excel workbook"),
        ("plain.parquet", "a Parquet file"),
        ("v7.mat", "a MATLAB file"),
        ("v73.mat", "an HDF5 file"),
        ("arrays.h5", "an HDF5 file"),
    ] {
        let part = format!("this is {what}, not text: read_table reads it");
        assert_refused(
            read_csv(fixture(name), &CsvOptions::default()),
            None,
            None,
            &part,
        );
    }
}

#[cfg(not(feature = "tables"))]
#[test]
fn what_this_build_does_not_read_names_the_feature() {
    for name in ["plain.parquet", "arrays.h5", "v73.mat"] {
        let read = read_table(fixture(name), &TableOptions::default());
        assert_refused(read, None, None, "build it with `--features tables`");
    }
}

#[test]
fn packed_tables_are_unpacked() {
    use std::io::Write;
    for name in ["plain.csv", "v5.mat", "plain.parquet"]
        .into_iter()
        .filter(|n| is_read(n))
    {
        let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packer
            .write_all(&std::fs::read(fixture(name)).unwrap())
            .unwrap();
        let (_folder, path) = file("packed.gz", packer.finish().unwrap());
        let data = read_table(&path, &TableOptions::default()).unwrap();
        assert_same(&data, &reading(name, &TableOptions::default()).0, name);
    }
}

/// Files to be damaged, with the options that read them.
fn whole_files() -> Vec<(&'static str, TableOptions, Vec<u8>)> {
    let defaults = TableOptions::default;
    [
        ("tables.xlsx", defaults()),
        ("by_hand.xlsx", defaults()),
        ("plain.parquet", defaults()),
        ("zoned.parquet", defaults()),
        ("v5.mat", defaults()),
        ("v7.mat", defaults()),
        ("struct.mat", defaults()),
        ("v73.mat", defaults()),
        ("arrays.h5", defaults()),
        ("groups.h5", in_group("a")),
    ]
    .into_iter()
    .filter(|(name, _)| is_read(name))
    .map(|(name, options)| (name, options, std::fs::read(fixture(name)).unwrap()))
    .collect()
}

#[test]
fn files_that_are_cut_short_are_refused() {
    for (name, options, bytes) in whole_files() {
        let step = (bytes.len() / 60).max(1);
        for end in (0..bytes.len()).step_by(step) {
            let (_folder, path) = file("cut", &bytes[..end]);
            // Where the end is no part of what is read, the data are those of the whole file, or some of its arrays.
            if let Ok(data) = read_table(&path, &options) {
                assert!(data.len() >= 2, "{name} up to {end}");
            }
        }
        let (_folder, path) = file("cut", &bytes[..bytes.len() / 2]);
        assert!(read_table(&path, &options).is_err(), "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]
    #[test]
    fn damaged_files_are_never_a_panic(
        which in 0..10_usize,
        changes in proptest::collection::vec((0.0..1.0_f64, proptest::num::u8::ANY), 1..5),
    ) {
        let mut files = whole_files();
        let (_, options, mut bytes) = files.swap_remove(which % files.len());
        for (at, byte) in changes {
            let at = (at * bytes.len() as f64) as usize;
            bytes[at] = byte;
        }
        let (_folder, path) = file("damaged", &bytes);
        if let Ok(data) = read_table(&path, &options) {
            assert!(data.len() >= 2 && data.u0().iter().all(|v| v.is_finite()));
        }
    }
}
