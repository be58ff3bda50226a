//! Tables of names and their values.

use odesync_base::error::{Result, unknown};

/// Returns the names in a table of names.
pub(super) const fn names<T, const N: usize>(table: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = table[i].0;
        i += 1;
    }
    names
}

/// Returns the value of `name` in a table of names, or an error that lists them.
pub(super) fn lookup<T: Copy>(what: &str, name: &str, table: &[(&str, T)]) -> Result<T> {
    let wanted = name.trim().to_lowercase();
    match table.iter().find(|(known, _)| *known == wanted) {
        Some((_, value)) => Ok(*value),
        None => Err(unknown(what, name, table.iter().map(|(known, _)| *known))),
    }
}
