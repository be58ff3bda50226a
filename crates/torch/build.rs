//! Sets the run path of libtorch for this crate's tests, and passes its folder on to the build scripts of crates that link this
//! one.
//!
//! torch-sys links to libtorch but sets no run path: without one, every command would need LD_LIBRARY_PATH.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by torch-sys, so it is the folder that was linked.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        let folder =
            std::fs::canonicalize(&folder).map_or(folder, |path| path.display().to_string());
        println!("cargo::metadata=LIBTORCH={folder}");
        for argument in ["-Xlinker", "-rpath", "-Xlinker", &folder] {
            println!("cargo::rustc-link-arg={argument}");
        }
    }
}
