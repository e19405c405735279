//! How a vector store fails.

use thiserror::Error;

/// A fault of the store's, or of whoever asked it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VectorError {
    /// The caller's fault: a vector of another length, of no direction, or with something that is not a number.
    #[error("{0}")]
    Refused(String),
    /// What is on disk cannot be read: throw it away and make it again.
    #[error("the vector store is damaged ({0}); it is made again from the database")]
    Damaged(String),
    /// No room; what was stored before is as it was.
    #[error("the disk is full: no vectors were saved; make room, they are made again by themselves")]
    DiskFull,
    /// The system refused, which another try may not: no rights, too many open files, no memory.
    #[error("the vector store cannot be used ({0}); it is tried again later")]
    Failed(String),
}

impl VectorError {
    /// Sorts a fault by what it says, with all that it says of its causes.
    #[must_use]
    pub fn of(fault: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = fault.to_string();
        let mut cause = fault.source();
        while let Some(fault) = cause {
            let more = fault.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = fault.source();
        }
        Self::from_text(text)
    }

    /// LanceDB passes an error of the system's on as text, with its number (errno(3), Linux and macOS alike for these).
    pub(crate) fn from_text(text: String) -> Self {
        /// ENOSPC; EDQUOT on Linux and on macOS; EFBIG: a limit on the size of files.
        const FULL: [&str; 4] = ["(os error 28)", "(os error 122)", "(os error 69)", "(os error 27)"];
        /// EPERM, EACCES, ENFILE, EMFILE, ENOMEM, EROFS.
        const REFUSED: [&str; 6] =
            ["(os error 1)", "(os error 13)", "(os error 23)", "(os error 24)", "(os error 12)", "(os error 30)"];
        if FULL.iter().any(|mark| text.contains(mark)) {
            return Self::DiskFull;
        }
        if REFUSED.iter().any(|mark| text.contains(mark)) {
            return Self::Failed(text);
        }
        Self::Damaged(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refused_is_not_taken_for_damage() {
        let says = |text: &str| VectorError::from_text(text.to_owned());
        assert_eq!(says("LanceError(IO): No space left on device (os error 28), x.rs:1"), VectorError::DiskFull);
        assert!(matches!(says("Permission denied (os error 13)"), VectorError::Failed(_)));
        assert!(matches!(says("Too many open files (os error 24)"), VectorError::Failed(_)));
        assert!(matches!(says("No such file or directory (os error 2)"), VectorError::Damaged(_)));
        assert!(matches!(says("invalid footer"), VectorError::Damaged(_)));
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::from_raw_os_error(28);
        assert_eq!(VectorError::of(&std::io::Error::other(inner)), VectorError::DiskFull);
    }
}
