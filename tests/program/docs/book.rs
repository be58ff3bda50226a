//! Tests that the book is complete: pages, links, the page of functions.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::markdown::{anchors, blocks, links, spans};
use super::{everything, odesync, pages, read, root};

const FUNCTIONS: &str = "docs/src/functions.md";

#[test]
fn the_page_of_functions_is_up_to_date() {
    let output = odesync(&["docs", "--markdown"], root(), "");
    assert!(output.status.success() && output.stderr.is_empty());
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        read(FUNCTIONS) == page,
        "{FUNCTIONS} is not what the functions' descriptions say; renew it: make functions"
    );
    // An example for every entry.
    let fences = page.lines().filter(|line| line.starts_with("```")).count();
    let entries = page.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(fences, 2 * entries);
}

#[test]
fn the_summary_lists_every_page_once() {
    let summary = read("docs/src/SUMMARY.md");
    let listed = links(&summary);
    let set: BTreeSet<PathBuf> = listed
        .iter()
        .map(|l| Path::new("docs/src").join(l))
        .collect();
    assert_eq!(listed.len(), set.len(), "a page is listed twice");
    let mut pages: BTreeSet<PathBuf> = pages().into_iter().collect();
    pages.remove(Path::new("docs/src/SUMMARY.md"));
    assert_eq!(set, pages);
}

/// Returns a path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leaves", path.display()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let (mut count, mut used) = (0, BTreeSet::new());
    let other_pages = ["CONTRIBUTING.md", "CHANGELOG.md", "crates/ode/README.md"];
    let other_pages = other_pages.map(PathBuf::from);
    for page in everything().into_iter().chain(other_pages) {
        for link in links(&read(&page)) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => plain(&page.parent().unwrap().join(path)),
            };
            let shown = format!("{}: {link}", page.display());
            assert!(root().join(&target).exists(), "{shown}");
            if !anchor.is_empty() {
                let known = anchors(&read(&target));
                assert!(known.iter().any(|a| a == anchor), "{shown}; {known:?}");
            }
            // A rendered book can link only to files in the folder of its sources.
            if page.starts_with("docs/src") {
                assert!(target.starts_with("docs/src"), "{shown} leaves the book");
            }
            used.insert(target);
            count += 1;
        }
    }
    assert!(count > 60, "{count} links");
    for entry in std::fs::read_dir(root().join("docs/src/images")).unwrap() {
        let entry = entry.unwrap();
        let image = Path::new("docs/src/images").join(entry.file_name());
        assert!(
            used.contains(&image),
            "{} is shown nowhere",
            image.display()
        );
        let size = entry.metadata().unwrap().len();
        assert!(size < 200_000, "{}: {size} bytes", image.display());
    }
}

#[test]
fn every_place_in_the_code_that_is_named_is_there() {
    let mut count = 0;
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/src/architecture.md",
        "docs/src/words.md",
    ] {
        for place in spans(&read(page)) {
            let inside = ["crates/", "src/", "tests/", "configs/"];
            let named = inside.iter().any(|folder| place.starts_with(folder));
            // NAME stands for a file that the reader of a recipe writes.
            if !named || place.contains("NAME") {
                continue;
            }
            assert!(root().join(&place).exists(), "{page}: {place}");
            count += 1;
        }
    }
    assert!(count > 60, "{count} places");
}

#[test]
fn rust_on_a_page_is_a_doc_test() {
    let library = read("src/lib.rs");
    for page in everything() {
        let has = blocks(&read(&page)).iter().any(|b| b.language == "rust");
        let run = library.contains(&format!("include_str!(\"../{}\")", page.display()));
        assert_eq!(has, run, "{}: include_str in src/lib.rs", page.display());
    }
}
