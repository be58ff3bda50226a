//! Files of data.

use odesync_train::datasets::arrays::ArrayNames;
use odesync_train::datasets::{
    Column, CsvOptions, Dataset, TableOptions, read_csv_with_notes, read_json, read_npy, read_npz,
    read_safetensors, read_schmidt_lipson, read_table, read_tensors,
};

use crate::file;

/// What was read keeps to what every data set does.
fn check(data: odesync_train::Result<Dataset>) {
    if let Ok(data) = data {
        for (t, u) in data.trajectories() {
            assert_eq!(t.len(), u.nrows());
            assert_eq!(u.ncols(), data.dof());
            assert!(t.iter().all(|t| t.is_finite()));
        }
        assert_eq!(data.u0().nrows(), data.samples());
    }
}

/// The first byte chooses options, the rest is the table.
pub fn csv(bytes: &[u8]) {
    let Some((options, table)) = bytes.split_first() else {
        return;
    };
    let has = |bit: u8| options & (1 << bit) != 0;
    let options = CsvOptions {
        time: has(0).then_some(Column::Index(0)),
        sample: has(1).then_some(Column::Index(1)),
        delimiter: has(2).then_some(';'),
        header: has(3).then_some(true),
        skip: usize::from(has(4)),
        decimal: has(5).then_some(','),
        dt: has(6).then_some(0.5),
        missing: match has(7) {
            true => vec!["x".into()],
            false => vec![],
        },
        ..CsvOptions::default()
    };
    let reading = read_csv_with_notes(file("a.csv", table), &options);
    check(reading.map(|reading| reading.data));
}

pub fn npy(bytes: &[u8]) {
    if let Ok(array) = read_npy(file("a.npy", bytes)) {
        assert_eq!(array.len(), array.shape().iter().product::<usize>());
    }
}

pub fn npz(bytes: &[u8]) {
    check(read_npz(file("a.npz", bytes), &ArrayNames::default()));
}

pub fn json(bytes: &[u8]) {
    check(read_json(file("a.json", bytes)));
}

pub fn schmidt_lipson(bytes: &[u8]) {
    let Some((trial, bytes)) = bytes.split_first() else {
        return;
    };
    check(read_schmidt_lipson(
        file("a.txt", bytes),
        (trial % 4).into(),
    ));
}

pub fn safetensors(bytes: &[u8]) {
    let path = file("a.safetensors", bytes);
    check(read_safetensors(&path, &ArrayNames::default()));
    let _ = read_tensors(&path);
}

fn table(name: &str, bytes: &[u8]) {
    check(read_table(file(name, bytes), &TableOptions::default()));
}

pub fn excel(bytes: &[u8]) {
    table("a.xlsx", bytes);
}

pub fn matlab(bytes: &[u8]) {
    table("a.mat", bytes);
}

pub fn hdf5(bytes: &[u8]) {
    table("a.h5", bytes);
}

pub fn parquet(bytes: &[u8]) {
    table("a.parquet", bytes);
}
