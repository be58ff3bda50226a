//! What this program was built from.

/// The commit that the program was built from. The program has it, and no library: a commit would else build all of them anew.
#[derive(Debug, Clone, Copy)]
pub struct Commit(pub Option<&'static str>);

inventory::collect!(Commit);

/// The commit that this program was built from; none where it was not built in a git repository, or is another program than
/// `odesync`.
pub fn commit() -> Option<&'static str> {
    inventory::iter::<Commit>
        .into_iter()
        .find_map(|commit| commit.0)
}
