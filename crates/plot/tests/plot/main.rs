//! Tests that draw every kind of figure and compare it with its reference image in `tests/images`.
//!
//! Images are compared with a tolerance, so that different rounding on another processor is no difference. After an intended
//! change, `ODESYNC_BLESS=1 cargo test -p odesync-plot --test plot` replaces the reference images: check each of them before you
//! commit it.

mod compare;
mod fonts;
mod gallery;
mod gallery_print;
mod pdf;

use compare::check;

fn all_figures() -> impl Iterator<Item = &'static gallery::Drawn> {
    gallery::FIGURES.iter().chain(gallery_print::FIGURES)
}

#[test]
fn every_kind_of_figure_looks_like_its_kept_picture() {
    let mut faults = Vec::new();
    for (name, draw) in all_figures() {
        let panel = draw().unwrap_or_else(|e| panic!("{name}: {e}"));
        if let Err(fault) = check(name, &panel) {
            faults.push(fault);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_kept_picture_is_of_a_figure() {
    let entries = std::fs::read_dir(compare::reference_path("")).expect("the folder");
    for entry in entries {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy().replace(".png", "");
        assert!(all_figures().any(|(known, _)| *known == name), "{name}");
    }
}
