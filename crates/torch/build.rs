//! Lets this crate's tests find libtorch when they start, and hands the place on to the build script of whoever links this crate.
//!
//! torch-sys links to libtorch but leaves no run path behind: without one, every command would need LD_LIBRARY_PATH.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by torch-sys, so it is the very folder that was linked.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        let folder =
            std::fs::canonicalize(&folder).map_or(folder, |path| path.display().to_string());
        println!("cargo::metadata=LIBTORCH={folder}");
        for argument in ["-Xlinker", "-rpath", "-Xlinker", &folder] {
            println!("cargo::rustc-link-arg={argument}");
        }
    }
}
