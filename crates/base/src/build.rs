//! The commit that this program was built from.

/// The commit that odesync was built from. Only the crate `odesync`, the program and the library's front end, submits it, so that
/// the crates it depends on are not rebuilt at each commit.
#[derive(Debug, Clone, Copy)]
pub struct SourceCommit(pub Option<&'static str>);

inventory::collect!(SourceCommit);

/// Returns the commit that odesync was built from; `None` where it was not built in a git repository, or the program does not
/// link the crate `odesync`.
pub fn commit() -> Option<&'static str> {
    inventory::iter::<SourceCommit>
        .into_iter()
        .find_map(|commit| commit.0)
}
