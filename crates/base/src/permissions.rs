//! What a script may touch of the file system: one place decides, at the moment of opening.
//!
//! A session gives its thread [`Permissions`] while it runs code that is not trusted ([`Permissions::enter`]); what opens, lists or
//! writes a file in [`crate::files`] asks [`check`] for the path to use. Links are resolved before the decision. Without permissions, as
//! in a program in Rust, every path is as it is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::paths::from_text;

/// What is done to a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read, or listed.
    Read,
    /// It is created, replaced, changed or removed.
    Write,
}

impl Access {
    /// Returns what is done, as a verb.
    pub fn verb(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
        }
    }

    /// Returns the flag of the command line that allows it.
    pub fn flag(self) -> &'static str {
        match self {
            Access::Read => "--allow-read",
            Access::Write => "--allow-write",
        }
    }
}

/// The folders that a script may read, and those that it may write; each stands for what is below it.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    command: &'static str,
}

/// The refusal of a path that lies outside of what a script may touch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot {} {}{}: a script may {} below {}; where you trust this one, `{command}{}={}` allows more",
    access.verb(),
    path.display(),
    led_to(path, resolved),
    access.verb(),
    listed(folders),
    access.flag(),
    granted.display()
)]
pub struct AccessDenied {
    /// What was to be done.
    pub access: Access,
    /// The path, as the script has it.
    pub path: PathBuf,
    /// The path without links.
    pub resolved: PathBuf,
    /// The folders in which it is allowed.
    pub folders: Vec<PathBuf>,
    /// The folder that would have to be allowed.
    pub granted: PathBuf,
    /// What stands before the flag on the command line.
    pub command: &'static str,
}

/// Returns where a path leads, in words, where it is another than the path says.
fn led_to(path: &Path, resolved: &Path) -> String {
    let plain = |path: &Path| path.components().all(|part| part != Component::ParentDir);
    match resolved.ends_with(path) && plain(path) {
        true => String::new(),
        false => format!(" (which is {})", resolved.display()),
    }
}

fn listed(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    match names.split_last() {
        None => "no folder".into(),
        Some((one, [])) => one.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

impl Permissions {
    /// Allows nothing; `command` is what stands before the flags in messages, such as `odesync kernel install `.
    pub fn none(command: &'static str) -> Self {
        Permissions {
            command,
            ..Permissions::default()
        }
    }

    /// Allows to read a file, or a folder and what is below it. A path that cannot be resolved is left out.
    pub fn allow_read(&mut self, path: impl AsRef<Path>) {
        add(&mut self.read, path.as_ref());
    }

    /// Allows to write a file, or a folder and what is below it, and to read it.
    pub fn allow_write(&mut self, path: impl AsRef<Path>) {
        add(&mut self.write, path.as_ref());
    }

    /// Decides whether a path may be used, and returns it without links.
    ///
    /// # Errors
    /// A path outside of the folders, or one that cannot be resolved.
    pub fn check(&self, access: Access, path: &Path) -> Result<PathBuf, AccessDenied> {
        let resolved = resolve(path);
        let granted = match access {
            // What a script writes, it may read again.
            Access::Read => self.read.iter().chain(&self.write),
            Access::Write => self.write.iter().chain(&[]),
        };
        let mut folders: Vec<PathBuf> = granted.cloned().collect();
        if let Some(resolved) = &resolved
            && folders.iter().any(|folder| resolved.starts_with(folder))
        {
            return Ok(resolved.clone());
        }
        folders.sort();
        folders.dedup();
        let resolved = resolved.unwrap_or_else(|| path.to_path_buf());
        Err(AccessDenied {
            access,
            path: path.to_path_buf(),
            granted: resolved.parent().unwrap_or(&resolved).to_path_buf(),
            resolved,
            folders,
            command: self.command,
        })
    }

    /// Restricts this thread to these permissions until the value that is returned is dropped.
    #[must_use = "the permissions end when this is dropped"]
    pub fn enter(permissions: Option<Arc<Permissions>>) -> EnteredPermissions {
        EnteredPermissions {
            before: CURRENT.replace(permissions),
            here: PhantomData,
        }
    }

    /// Returns the permissions of this thread. A thread that works for it takes them over by [`Permissions::enter`].
    pub fn current() -> Option<Arc<Permissions>> {
        CURRENT.with_borrow(Clone::clone)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Permissions>>> = const { RefCell::new(None) };
}

/// The permissions of a thread, which end when this is dropped: those before hold again.
#[derive(Debug)]
pub struct EnteredPermissions {
    before: Option<Arc<Permissions>>,
    /// It belongs to the thread that entered.
    here: PhantomData<*const ()>,
}

impl Drop for EnteredPermissions {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// Decides whether this thread may use a path, and returns the path to use: without links where there are permissions, else as it is.
///
/// # Errors
/// A path outside of what the thread may touch.
pub fn check(access: Access, path: &Path) -> Result<PathBuf, AccessDenied> {
    let path = from_text(path);
    match Permissions::current() {
        None => Ok(path.into_owned()),
        Some(permissions) => permissions.check(access, &path),
    }
}

impl From<AccessDenied> for std::io::Error {
    fn from(refusal: AccessDenied) -> Self {
        std::io::Error::new(std::io::ErrorKind::PermissionDenied, refusal)
    }
}

fn add(folders: &mut Vec<PathBuf>, path: &Path) {
    if let Some(path) = resolve(&from_text(path))
        && !folders.contains(&path)
    {
        folders.push(path);
    }
}

/// Most links on the way to one file; the system's limit is the same.
const MAX_LINKS: usize = 40;

/// Returns the absolute path without links and without `..`, of a file that need not exist; `None` for links in a circle, and where the
/// current folder is gone.
pub fn resolve(path: &Path) -> Option<PathBuf> {
    /// A part of a path that is still to be walked.
    enum Part {
        Root(PathBuf),
        Up,
        Down(OsString),
    }
    let parts = |path: &Path| -> VecDeque<Part> {
        let part = |component: Component| match component {
            Component::Prefix(_) | Component::RootDir => {
                Some(Part::Root(component.as_os_str().into()))
            }
            Component::CurDir => None,
            Component::ParentDir => Some(Part::Up),
            Component::Normal(name) => Some(Part::Down(name.into())),
        };
        path.components().filter_map(part).collect()
    };
    let mut at = match path.is_absolute() {
        true => PathBuf::new(),
        false => std::env::current_dir().ok()?,
    };
    let (mut left, mut links) = (parts(path), 0);
    while let Some(part) = left.pop_front() {
        match part {
            // A root replaces all that is before it; what follows a drive is added to it.
            Part::Root(root) => at.push(root),
            Part::Up => {
                at.pop();
            }
            Part::Down(name) => {
                at.push(name);
                // What is not there, or is no link, stays.
                let Ok(target) = std::fs::read_link(&at) else {
                    continue;
                };
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                at.pop();
                let mut of_link = parts(&target);
                of_link.append(&mut left);
                left = of_link;
            }
        }
    }
    Some(at)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn scene() -> (tempfile::TempDir, Permissions, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["in", "out", "read"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let mut allowed = Permissions::none("");
        allowed.allow_write(root.join("in"));
        allowed.allow_read(root.join("read"));
        (folder, allowed, root)
    }

    #[test]
    fn paths_are_resolved_as_the_system_does() {
        let (_folder, _, root) = scene();
        std::fs::write(root.join("in/file"), "").unwrap();
        symlink("../out", root.join("in/link")).unwrap();
        symlink("link/../in/file", root.join("in/chain")).unwrap();
        for path in [
            "in/file",
            "in/link",
            "in/link/..",
            "in/chain",
            "in/../read/.",
        ] {
            let path = root.join(path);
            assert_eq!(resolve(&path), path.canonicalize().ok(), "{path:?}");
        }
        symlink("b", root.join("in/a")).unwrap();
        symlink("a", root.join("in/b")).unwrap();
        assert_eq!(resolve(&root.join("in/a")), None);
    }

    #[test]
    fn only_what_lies_below_the_folders_is_allowed() {
        let (_folder, allowed, root) = scene();
        symlink(root.join("out"), root.join("in/link")).unwrap();
        symlink(root.join("out/new"), root.join("in/dangling")).unwrap();
        symlink(root.join("in"), root.join("out/back")).unwrap();
        let may = |access, path: &str| allowed.check(access, &root.join(path)).is_ok();
        for path in ["in/new/file", "in/../in/x", "out/back/x", "in"] {
            assert!(
                may(Access::Read, path) && may(Access::Write, path),
                "{path}"
            );
        }
        assert!(may(Access::Read, "read/x") && !may(Access::Write, "read/x"));
        for path in [
            "out/x",
            "in/../out/x",
            "in/link/x",
            "in/link",
            "in/dangling",
            "inside",
            ".",
        ] {
            assert!(
                !may(Access::Read, path) && !may(Access::Write, path),
                "{path}"
            );
        }
        let refusal = allowed
            .check(Access::Write, &root.join("in/link/x"))
            .unwrap_err();
        let text = refusal.to_string();
        let (folder, out) = (root.join("in"), root.join("out"));
        assert!(
            text.contains(&format!("may write below {};", folder.display())),
            "{text}"
        );
        assert!(
            text.contains(&format!("`--allow-write={}`", out.display())),
            "{text}"
        );
    }

    #[test]
    fn permissions_hold_for_their_thread_until_they_end() {
        let (_folder, allowed, root) = scene();
        let outside = root.join("out/x");
        let denied = || check(Access::Read, &outside).is_err();
        assert!(!denied());
        {
            let _entered = Permissions::enter(Some(Arc::new(allowed)));
            assert!(denied());
            {
                let _none = Permissions::enter(None);
                assert!(!denied());
            }
            assert!(denied());
            assert!(!std::thread::scope(|scope| scope
                .spawn(denied)
                .join()
                .unwrap()));
        }
        assert!(!denied());
    }
}
