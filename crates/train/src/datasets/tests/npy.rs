use ndarray::{Array2, Array3, ArrayD, ShapeBuilder, array};
use ndarray_npy::WriteNpyExt;

use super::*;
use odesync_testing::measured_data;

fn parse(bytes: &[u8]) -> Result<ArrayD<f64>> {
    let (_folder, path) = file("array.npy", bytes);
    read_npy(path)
}

/// Returns what the ndarray-npy crate writes.
fn written(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// Returns a version 1 file with this header.
fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [
        b"\x93NUMPY\x01\x00".as_slice(),
        &length,
        header.as_bytes(),
        data,
    ]
    .concat()
}

#[test]
fn reads_what_another_library_writes() {
    let a = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| {
        i as f64 * 0.1 + j as f64 - k as f64 / 3.0
    });
    assert_eq!(parse(&written(&a)).unwrap(), a.clone().into_dyn());
    let columns = Array2::from_shape_vec((2, 3).f(), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(parse(&written(&columns)).unwrap(), columns.into_dyn());
    let narrow = a.mapv(|x| x as f32);
    assert_eq!(
        parse(&written(&narrow)).unwrap(),
        narrow.mapv(f64::from).into_dyn()
    );
    assert_eq!(
        parse(&written(&array![[i32::MIN, -1], [0, i32::MAX]])).unwrap()[[0, 0]],
        -2147483648.0
    );
    assert_eq!(
        parse(&written(&array![-1i64, i64::MIN])).unwrap()[1],
        -9223372036854775808.0
    );
    assert_eq!(parse(&written(&array![-3i8, 5])).unwrap()[0], -3.0);
    assert_eq!(parse(&written(&array![-3i16, 500])).unwrap()[0], -3.0);
    assert_eq!(parse(&written(&array![200u8, 5])).unwrap()[0], 200.0);
    assert_eq!(
        parse(&written(&array![u64::MAX])).unwrap()[0],
        18446744073709551615.0
    );
    assert_eq!(
        parse(&written(&array![true, false])).unwrap(),
        array![1.0, 0.0].into_dyn()
    );
    let scalar = parse(&with_header(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
        &2.5f64.to_le_bytes(),
    ));
    assert_eq!(scalar.unwrap().sum(), 2.5);
    let big = parse(&with_header(
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
        &2.5f32.to_be_bytes(),
    ));
    assert_eq!(big.unwrap().sum(), 2.5);
}

#[test]
fn the_measured_file() {
    let Some(path) = measured_data("weather_delay_embedding.npy") else {
        return;
    };
    let array = read_npy(path).unwrap();
    assert_eq!(array.shape(), [5900, 5]);
    // a = numpy.load(…); a[0, 1], a[5899, 4]
    assert_eq!(
        (array[[0, 1]], array[[5899, 4]]),
        (1.1330389337772284, -0.22111726602883128)
    );
}

#[test]
fn damaged_files_are_refused() {
    assert_refused(parse(b""), None, None, "not an .npy file");
    assert_refused(parse(b"t,x\n0,1\n"), None, None, "not an .npy file");
    assert_refused(parse(b"PK\x03\x04rest"), None, None, ".npz archive");
    let bytes = written(&array![1.0, 2.0, 3.0]);
    for length in 6..bytes.len() {
        assert_refused(parse(&bytes[..length]), None, None, "damaged");
    }
    assert_refused(
        parse(&[bytes.clone(), vec![0]].concat()),
        None,
        None,
        "takes 24 bytes, the file holds 25",
    );
    let mut version = bytes;
    version[6] = 9;
    assert_refused(parse(&version), None, None, "version 9");
    let header = |text: &str| parse(&with_header(text, &[0; 16]));
    for (text, part) in [
        (
            "{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }",
            "'<c16'",
        ),
        (
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "cannot be read",
        ),
        (
            "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (2,), }",
            "cannot be read",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999,), }",
            "damaged",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
            "damaged",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
            "damaged",
        ),
        ("{'descr': '<f8', 'shape': (2,), }", "damaged"),
        ("((((((((", "damaged"),
    ] {
        assert_refused(header(text), None, None, part);
    }
}
