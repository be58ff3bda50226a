//! The one error type of the library. Every message says what is wrong, where, and what to do about it.

use std::path::PathBuf;

use crate::failure::{FailureReason, SolveFailure};

/// `Result` with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong. Nothing that a user, a file or a script supplies is ever a panic.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An argument, option or shape that does not fit; the message names the cure.
    #[error("{0}")]
    Invalid(String),
    /// The program was called in a way that it doesn't allow; the message names the cure.
    #[error("{0}")]
    Usage(String),
    /// A solve that could not be finished.
    #[error(transparent)]
    Solve(SolveFailure),
    /// A data file that cannot be understood; lines and columns count from 1.
    #[error("{}{message}", data_location(file, *line, *column))]
    Data {
        /// The file as the user named it.
        file: PathBuf,
        /// Line in the file, where one is to blame.
        line: Option<usize>,
        /// Column (field) in that line, where one is to blame.
        column: Option<usize>,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}", io_failure(path, reason))]
    Io {
        /// What was tried: "read", "write", "create the folder".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        reason: String,
    },
    /// A checkpoint that is not one, is damaged, or belongs to another model.
    #[error("{} is not a usable checkpoint: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Training that cannot go on; the message carries advice.
    #[error("{0}")]
    Training(String),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The torch engine or its device failed.
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

impl Error {
    /// An [`Error::Invalid`] from anything printable.
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::Invalid(message.into())
    }

    /// An [`Error::Io`] from the operating system's error.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, reason: &std::io::Error) -> Self {
        Error::Io {
            action,
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}

/// The file and why it cannot be read or written.
fn io_failure(path: &std::path::Path, reason: &str) -> String {
    match path.as_os_str().is_empty() {
        true => "a file whose name is empty".into(),
        false => format!("{}: {reason}", path.display()),
    }
}

fn data_location(file: &std::path::Path, line: Option<usize>, column: Option<usize>) -> String {
    let mut place = file.display().to_string();
    if let Some(line) = line {
        place.push_str(&format!(", line {line}"));
    }
    if let Some(column) = column {
        place.push_str(&format!(", column {column}"));
    }
    place + ": "
}

/// The candidate most like `name`, if one is close enough to be a slip of the keyboard.
///
/// ```
/// assert_eq!(odesync_base::error::nearest("epohcs", ["lr", "epochs"]), Some("epochs"));
/// assert_eq!(odesync_base::error::nearest("roh", ["beta", "rho"]), Some("rho"));
/// assert_eq!(odesync_base::error::nearest("zzz", ["lr", "epochs"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in three letters, letters exchanged counting as one; or a common beginning.
    let score = |c: &str| {
        let slips = strsim::damerau_levenshtein(name, c);
        let likeness = strsim::jaro_winkler(name, c);
        if 3 * slips <= name.chars().count() {
            likeness.max(0.9)
        } else {
            likeness
        }
    };
    candidates
        .into_iter()
        .map(|c| (score(c), c))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// The error for a name that is not among the known ones: lists them and points at the nearest.
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
