//! Lets this package's programs, tests, doc tests and benchmarks find libtorch when they start.
//!
//! torch-sys links to libtorch but leaves no run path behind: without one, every command would need LD_LIBRARY_PATH.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Built into the program; a new file there would not be noticed otherwise.
    println!("cargo::rerun-if-changed=configs");
    // Set by torch-sys, so it is the very folder that was linked; absent without the feature `torch`.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        let folder =
            std::fs::canonicalize(&folder).map_or(folder, |path| path.display().to_string());
        for argument in ["-Xlinker", "-rpath", "-Xlinker", &folder] {
            println!("cargo::rustc-link-arg={argument}");
        }
    }
}
