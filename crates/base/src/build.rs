//! What this program was built from.

/// The commit that odesync was built from. The crate `odesync`, the program and the library's front, submits it; the crates below
/// it are not built anew at each commit.
#[derive(Debug, Clone, Copy)]
pub struct Commit(pub Option<&'static str>);

inventory::collect!(Commit);

/// The commit that odesync was built from; none where it was not built in a git repository, or the program does without the
/// crate `odesync`.
pub fn commit() -> Option<&'static str> {
    inventory::iter::<Commit>
        .into_iter()
        .find_map(|commit| commit.0)
}
