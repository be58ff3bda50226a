//! The error type of the library. Every message says what is wrong, where, and what to do about it.

use std::path::PathBuf;

use crate::failure::{FailureReason, SolveFailure};
use crate::permissions::AccessDenied;

/// The result of a function of odesync, with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of any part of the library. Nothing that a user, a file or a script supplies ever causes a panic.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An argument, option or shape that does not fit; the message says how to correct it.
    #[error("{0}")]
    Invalid(String),
    /// A wrong call of the program; the message says how to correct it.
    #[error("{0}")]
    Usage(String),
    /// A solve that could not be finished.
    #[error(transparent)]
    Solve(SolveFailure),
    /// A data file that cannot be understood; lines and columns count from 1.
    #[error("{}{message}", data_location(file, *line, *column))]
    Data {
        /// The file, as the user named it.
        file: PathBuf,
        /// Line in the file, where the error has one.
        line: Option<usize>,
        /// Column (field) in that line, where the error has one.
        column: Option<usize>,
        /// What is wrong, and what would be correct.
        message: String,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}", io_failure(path, reason))]
    Io {
        /// The action that failed: "read", "write", "create the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Message of the operating system.
        reason: String,
    },
    /// A checkpoint that cannot be used: the file is no checkpoint, is damaged, or belongs to another model.
    #[error("{} is not a usable checkpoint: {reason}", path.display())]
    Checkpoint {
        /// The file of the checkpoint.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// A file or folder outside of what the script may touch.
    #[error(transparent)]
    AccessDenied(Box<AccessDenied>),
    /// A folder with a run that would be lost, where nobody said that it may be.
    #[error("{} holds {run}: {cure}", folder.display())]
    RunExists {
        /// The folder.
        folder: PathBuf,
        /// What it holds, in words.
        run: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// Training that cannot continue; the message contains advice.
    #[error("{0}")]
    Training(String),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A failure of the torch engine or its device.
    #[error("torch: {0}")]
    Torch(String),
}

impl From<SolveFailure> for Error {
    fn from(failure: SolveFailure) -> Self {
        match failure.reason {
            FailureReason::Interrupted => Error::Interrupted,
            _ => Error::Solve(failure),
        }
    }
}

impl From<AccessDenied> for Error {
    fn from(refusal: AccessDenied) -> Self {
        Error::AccessDenied(Box::new(refusal))
    }
}

impl Error {
    /// Creates an [`Error::Invalid`] with this message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::Invalid(message.into())
    }

    /// Creates an [`Error::Io`] from an error of the operating system.
    ///
    /// A refusal of [`crate::permissions`] stays one.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, reason: &std::io::Error) -> Self {
        let refusal = reason
            .get_ref()
            .and_then(|e| e.downcast_ref::<AccessDenied>());
        if let Some(refusal) = refusal {
            return refusal.clone().into();
        }
        Error::Io {
            action,
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}

impl Error {
    /// Returns an error of the operating system with another path, the one that the user knows; other errors as they are.
    pub fn at(self, path: &std::path::Path) -> Self {
        match self {
            Error::Io { action, reason, .. } => Error::Io {
                action,
                path: path.into(),
                reason,
            },
            other => other,
        }
    }
}

/// Returns the file and the reason for which it cannot be read or written.
fn io_failure(path: &std::path::Path, reason: &str) -> String {
    match path.as_os_str().is_empty() {
        true => "a file whose name is empty".into(),
        false => format!("{}: {reason}", path.display()),
    }
}

fn data_location(file: &std::path::Path, line: Option<usize>, column: Option<usize>) -> String {
    let mut location = file.display().to_string();
    if let Some(line) = line {
        location.push_str(&format!(", line {line}"));
    }
    if let Some(column) = column {
        location.push_str(&format!(", column {column}"));
    }
    location + ": "
}

/// Returns the candidate most similar to `name`, if one is similar enough for `name` to be a misspelling of it.
///
/// ```
/// assert_eq!(odesync_base::error::nearest("epohcs", ["lr", "epochs"]), Some("epochs"));
/// assert_eq!(odesync_base::error::nearest("roh", ["beta", "rho"]), Some("rho"));
/// assert_eq!(odesync_base::error::nearest("zzz", ["lr", "epochs"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Similar enough: one typing error in three letters, where two exchanged letters count as one error; or a common beginning.
    let score = |c: &str| {
        let edits = strsim::damerau_levenshtein(name, c);
        let similarity = strsim::jaro_winkler(name, c);
        if 3 * edits <= name.chars().count() {
            similarity.max(0.9)
        } else {
            similarity
        }
    };
    candidates
        .into_iter()
        .map(|c| (score(c), c))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// Returns the error for a name that is not among the known ones; the message lists these and suggests the nearest.
pub fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Error {
    let list: Vec<&str> = known.clone().into_iter().collect();
    let hint = match nearest(name, known) {
        Some(near) => format!(" (did you mean \"{near}\"?)"),
        None => String::new(),
    };
    let known = if list.is_empty() {
        "there are none".into()
    } else {
        format!("known: {}", list.join(", "))
    };
    Error::Invalid(format!("unknown {what} \"{name}\"{hint}; {known}"))
}
