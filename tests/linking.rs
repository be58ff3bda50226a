//! Which shared libraries the program needs, and that it finds them with nothing exported.
#![cfg(target_os = "linux")]

use std::process::Command;

/// What `ldd` says of the program: each library and where it was found.
fn libraries() -> String {
    let answer = Command::new("ldd")
        .arg(env!("CARGO_BIN_EXE_odesync"))
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .expect("ldd runs");
    assert!(answer.status.success());
    String::from_utf8(answer.stdout).expect("ldd prints UTF-8")
}

#[test]
fn every_library_is_found_without_ld_library_path() {
    let libraries = libraries();
    assert!(libraries.contains("libc.so"), "{libraries}");
    assert!(!libraries.contains("not found"), "{libraries}");
}

#[test]
#[cfg(not(feature = "torch"))]
fn without_the_torch_engine_there_is_no_libtorch() {
    let libraries = libraries();
    assert!(!libraries.contains("libtorch"), "{libraries}");
    assert!(!libraries.contains("libc10"), "{libraries}");
}
