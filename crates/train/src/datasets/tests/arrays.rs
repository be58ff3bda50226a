//! Files of named arrays, compared with those written by `tests/fixtures/make_arrays.py` with numpy and the safetensors package.

use std::io::{Cursor, Write};

use ndarray::{Array2, Array3, ArrayD, array};
use ndarray_npy::WriteNpyExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const STORED: &[u8] = include_bytes!("../../../../../tests/fixtures/stored.npz");
const DEFLATED: &[u8] = include_bytes!("../../../../../tests/fixtures/deflated.npz");
const FLOAT64: &[u8] = include_bytes!("../../../../../tests/fixtures/float64.safetensors");
const NARROW: &[u8] = include_bytes!("../../../../../tests/fixtures/narrow.safetensors");

fn npz(bytes: &[u8], names: &ArrayNames) -> Result<Dataset> {
    let (_folder, path) = file("data.npz", bytes);
    read_npz(path, names)
}

fn tensors(bytes: &[u8], names: &ArrayNames) -> Result<Dataset> {
    let (_folder, path) = file("data.safetensors", bytes);
    read_safetensors(path, names)
}

/// Returns numpy.arange(8.0).reshape(4, 2) + 0.1.
fn x() -> Array2<f64> {
    Array2::from_shape_fn((4, 2), |(i, j)| (2 * i + j) as f64 + 0.1)
}

#[test]
fn reads_what_numpy_saves() {
    let data = npz(STORED, &ArrayNames::new().u("x").u0("x0")).unwrap();
    assert_eq!(data.t().to_vec(), [0.0, 0.25, 0.5, 0.75]);
    assert_eq!(data.sample(0).unwrap(), x());
    assert_eq!(data.u0(), array![[0.5, -0.5]]);
    assert_eq!(data.names(), ["prey", "räuber"]);
    // Without u0, the initial state is the first row.
    let data = npz(STORED, &ArrayNames::new().u("x")).unwrap();
    assert_eq!(data.u0(), array![[0.1, 1.1]]);
}

#[test]
fn reads_what_numpy_compresses() {
    let data = npz(DEFLATED, &ArrayNames::new()).unwrap();
    assert_eq!(data.t().to_vec(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    let sines = Array3::from_shape_fn((2, 5, 3), |(i, j, k)| {
        f64::from(((15 * i + 3 * j + k) as f64).sin() as f32)
    });
    assert_eq!(data.u(), sines);
    assert_eq!(data.u0(), Array2::<f64>::ones((2, 3)));
    assert_eq!(data.names(), ["u[0]", "u[1]", "u[2]"]);
}

#[test]
fn reads_safetensors_of_every_width() {
    let data = tensors(FLOAT64, &ArrayNames::new()).unwrap();
    assert_eq!(data.t().to_vec(), [0.0, 0.25, 0.5, 0.75]);
    assert_eq!(data.sample(0).unwrap(), x());
    assert_eq!(data.names(), ["prey", "predators"]);
    // Relative rounding: 2⁻¹¹ of float16, 2⁻⁸ of bfloat16, 2⁻²⁴ of float32.
    for (name, rounding) in [
        ("half", 2f64.powi(-11)),
        ("brain", 2f64.powi(-8)),
        ("single", 2f64.powi(-24)),
    ] {
        let data = tensors(NARROW, &ArrayNames::new().u(name)).unwrap();
        assert_eq!(data.t().to_vec(), [0.0, 1.0, 2.0, 3.0]);
        for (got, want) in data.u().iter().zip(&x()) {
            assert!(
                (got - want).abs() <= rounding * want,
                "{name}: {got} {want}"
            );
        }
        assert_ne!(data.u()[[0, 0, 0]], 0.1, "{name}");
    }
    assert_refused(
        tensors(NARROW, &ArrayNames::new().u("eight")),
        None,
        None,
        "array \"eight\": numbers of type F8_E4M3 cannot be read",
    );
}

#[test]
fn what_is_written_reads_back_exactly() {
    let several = Dataset::new(
        array![0.0, 0.1, 0.3],
        Array3::from_shape_fn((2, 3, 2), |(i, j, k)| {
            if (i, j, k) == (1, 2, 0) {
                f64::NAN
            } else {
                (i + j) as f64 / 3.0 - k as f64
            }
        }),
        Some(array![[1.0, 2.0], [3.0, 1e-300]]),
    )
    .unwrap();
    let single = Dataset::single(array![0.0, 1.0], array![[1.0], [f64::NAN]], None)
        .unwrap()
        .with_names(["höhe"])
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/data");
    for data in [several, single] {
        write_npz(&path, &data).unwrap();
        let first = std::fs::read(&path).unwrap();
        write_npz(&path, &data).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        let from_npz = read_npz(&path, &ArrayNames::new()).unwrap();
        write_safetensors(&path, &data).unwrap();
        let from_tensors = read_safetensors(&path, &ArrayNames::new()).unwrap();
        for read in [from_npz, from_tensors] {
            let bits = |u: ndarray::ArrayView3<f64>| u.mapv(f64::to_bits);
            assert_eq!(read.t(), data.t());
            assert_eq!(bits(read.u()), bits(data.u()));
            assert_eq!(read.u0(), data.u0());
            assert_eq!(read.names(), data.names());
        }
    }
}

#[test]
fn samples_with_times_of_their_own_are_not_written() {
    let part = |t, u| Dataset::single(t, u, None).unwrap();
    let data = Dataset::join(&[
        part(array![0.0, 1.0], array![[1.0], [2.0]]),
        part(array![0.5, 2.0], array![[1.0], [2.0]]),
    ])
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    for written in [write_npz(&path, &data), write_safetensors(&path, &data)] {
        let message = written.unwrap_err().to_string();
        assert!(message.contains("write_csv keeps them"), "{message}");
    }
    assert!(!path.exists());
}

#[test]
fn arrays_that_are_not_there_are_named_with_those_that_are() {
    let refused = |bytes: &[u8], names: &ArrayNames, part: &str| {
        assert_refused(npz(bytes, names), None, None, part);
    };
    let there =
        "there are time [4] float64, x [4, 2] float64, x0 [2] float64, names [2], not real numbers";
    refused(STORED, &ArrayNames::new(), there);
    refused(STORED, &ArrayNames::new(), "name it as u: \"…\"");
    refused(
        STORED,
        &ArrayNames::new().u("x").t("tiem"),
        "no array \"tiem\" (did you mean \"time\"?); there are time [4]",
    );
    refused(
        STORED,
        &ArrayNames::new().u("x").u0("u0"),
        "there is no array \"u0\"",
    );
    refused(
        STORED,
        &ArrayNames::new().u("names"),
        "array \"names\": numbers of type '<U6' cannot be read",
    );
    refused(
        DEFLATED,
        &ArrayNames::new().u("phase"),
        "array \"phase\": numbers of type '<c16'",
    );
    refused(
        DEFLATED,
        &ArrayNames::new().u("label"),
        "numbers of type '<U8'",
    );
    refused(DEFLATED, &ArrayNames::new().t("u"), "must be one vector");
    let (t, u) = (array![0.0, 1.0].into_dyn(), array![1.0, 2.0].into_dyn());
    let both = archive(&[("time", &t), ("t", &t), ("u", &u)]);
    refused(&both, &ArrayNames::new(), "t and time may all be the times");
    assert!(npz(&both, &ArrayNames::new().t("time")).is_ok());
    refused(&archive(&[("u", &u)]), &ArrayNames::new(), "no times");
    refused(&archive(&[]), &ArrayNames::new(), "no arrays in this file");
    let long = array![1.0, 2.0, 3.0].into_dyn();
    refused(
        &archive(&[("t", &t), ("u", &long)]),
        &ArrayNames::new(),
        "2 times but u has",
    );
    assert_refused(
        tensors(NARROW, &ArrayNames::new()),
        None,
        None,
        "no array \"u\" with the values",
    );
}

/// Returns the `.npy` file of an array.
fn npy(array: &ArrayD<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// Returns a deflated archive of these files.
fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn archive(arrays: &[(&str, &ArrayD<f64>)]) -> Vec<u8> {
    let names: Vec<String> = arrays
        .iter()
        .map(|(name, _)| format!("{name}.npy"))
        .collect();
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .map(String::as_str)
        .zip(arrays.iter().map(|(_, x)| npy(x)))
        .collect();
    zipped(&files)
}

#[test]
fn an_archive_can_not_take_more_memory_than_allowed() {
    let zeros = ArrayD::<f64>::zeros(vec![1 << 20]);
    let bytes = archive(&[("t", &zeros), ("u", &zeros)]);
    assert!(bytes.len() < 40_000, "{}", bytes.len());
    let names = ArrayNames {
        memory: Some(20 << 20),
        ..ArrayNames::new()
    };
    assert_refused(
        npz(&bytes, &names),
        None,
        None,
        "array \"t\": it takes 24 MiB to read and there are 20 MiB",
    );
    // A header that promises less than the archive unpacks to, and one that promises a terabyte.
    let mut short = npy(&array![0.0, 1.0].into_dyn());
    short.resize(1 << 22, 0);
    // Eleven digits more in the header, eleven spaces less.
    let mut long = npy(&array![0.0, 1.0, 2.0].into_dyn());
    let at = long.windows(4).position(|w| w == b"(3,)").unwrap();
    long.splice(at..at + 4, *b"(300000000000,)");
    let spaces = long.windows(11).position(|w| w == [b' '; 11]).unwrap();
    long.drain(spaces..spaces + 11);
    for (t, part) in [
        (
            short,
            "the file is damaged: shape [2] takes 16 bytes, the file holds",
        ),
        (long, "it takes"),
    ] {
        let bytes = zipped(&[("t.npy", t.clone()), ("u.npy", t)]);
        assert_refused(npz(&bytes, &names), None, None, part);
    }
    let names = ArrayNames {
        memory: Some(100),
        ..ArrayNames::new()
    };
    assert_refused(tensors(FLOAT64, &names), None, None, "it takes 344 B");
}

#[test]
fn other_files_are_refused() {
    for bytes in [&b""[..], b"t,u\n0,1\n", b"\x93NUMPY\x01\x00", FLOAT64] {
        assert_refused(npz(bytes, &ArrayNames::new()), None, None, "not an .npz");
    }
    for bytes in [&b""[..], b"t,u\n0,1\n", STORED] {
        let read = tensors(bytes, &ArrayNames::new());
        assert_refused(read, None, None, "not a safetensors file");
    }
    let text = zipped(&[("t.npy", b"0, 1".to_vec()), ("u.npy", b"1, 2".to_vec())]);
    assert_refused(
        npz(&text, &ArrayNames::new()),
        None,
        None,
        "array \"t\": this is not an .npy file",
    );
    // A truncated file is never readable.
    for length in 0..STORED.len() {
        let names = ArrayNames::new().u("x");
        assert_refused(npz(&STORED[..length], &names), None, None, "");
    }
    for length in 0..FLOAT64.len() {
        let names = ArrayNames::new();
        assert_refused(tensors(&FLOAT64[..length], &names), None, None, "damaged");
    }
}

proptest::proptest! {
    #[test]
    fn damage_is_an_error_or_sound_data(
        which in 0..4usize,
        changes in proptest::collection::vec((0..1200usize, proptest::num::u8::ANY), 1..4),
    ) {
        let mut bytes = [STORED, DEFLATED, FLOAT64, NARROW][which].to_vec();
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[at % length] = byte;
        }
        let names = ArrayNames { memory: Some(1 << 20), ..ArrayNames::new() };
        let read = match which {
            0 => npz(&bytes, &names.u("x").u0("x0")),
            1 => npz(&bytes, &names),
            2 => tensors(&bytes, &names),
            _ => tensors(&bytes, &names.u("half")),
        };
        match read {
            Ok(data) => assert!(data.len() >= 2 && data.u0().iter().all(|v| v.is_finite())),
            Err(error) => assert!(matches!(error, Error::Data { .. }), "{error}"),
        }
    }
}

proptest::proptest! {
    #[test]
    fn numbers_in_an_archive_are_guarded_by_its_checksum(bit in 0..8u32, at in 0..64usize) {
        // The stored file contains the values of x uncompressed.
        let start = STORED.windows(8).position(|w| w == 0.1f64.to_le_bytes()).unwrap();
        let mut bytes = STORED.to_vec();
        bytes[start + at] ^= 1 << bit;
        assert_refused(npz(&bytes, &ArrayNames::new().u("x")), None, None, "array \"x\": the file is damaged");
    }
}
