//! Completion of file names.

use std::path::Path;

use super::complete::Candidate;

/// Largest number of files of a folder that are offered.
const MAX_CANDIDATES: usize = 200;

/// Returns the start of the last part of the typed path, and the files and folders that begin with it.
pub fn path_candidates(typed: &str) -> (usize, Vec<Candidate>) {
    let start = typed.rfind('/').map_or(0, |at| at + 1);
    let (folder, name) = typed.split_at(start);
    let directory = if folder.is_empty() {
        Path::new(".")
    } else {
        Path::new(folder)
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut offers: Vec<Candidate> = entries
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let hidden = file.starts_with('.') && !name.starts_with('.');
            if hidden || !file.starts_with(name) {
                return None;
            }
            Some(match entry.path().is_dir() {
                true => Candidate::new(file + "/", ""),
                false => Candidate::new(file, ""),
            })
        })
        .take(MAX_CANDIDATES)
        .collect();
    offers.sort_by(|a, b| a.value.cmp(&b.value));
    (start, offers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_end_with_a_slash_and_hidden_files_wait_for_their_point() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        for file in ["day.csv", ".dot", "other"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let base = format!("{}/", folder.path().display());
        let of = |typed: &str| {
            let (start, offers) = path_candidates(&format!("{base}{typed}"));
            assert_eq!(start, base.len());
            offers.into_iter().map(|o| o.value).collect::<Vec<_>>()
        };
        assert_eq!(of("da"), ["data/", "day.csv"]);
        assert_eq!(of(""), ["data/", "day.csv", "other"]);
        assert_eq!(of("."), [".dot"]);
        assert!(path_candidates("/no/such/folder/x").1.is_empty());
    }
}
