//! How the jail ends when it cannot start the program.

use thiserror::Error;

/// Exit codes of `butterfly-jail`. They lie above what workers use and below the shell's 126 and up, so that the
/// supervisor can tell a failed confinement from a failed worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum JailExit {
    /// The launch message on descriptor 0 was missing, too long or malformed.
    Launch = 64,
    /// No session of its own could be started.
    Session = 65,
    /// Inherited descriptors could not be closed.
    Descriptors = 66,
    /// A resource limit could not be set.
    Limits = 67,
    /// Capabilities could not be dropped.
    Capabilities = 68,
    /// The kernel process ended before the start was complete.
    ParentGone = 69,
    /// `no_new_privs` could not be set.
    NoNewPrivileges = 70,
    /// This system offers less than the least that is acceptable.
    BelowFloor = 71,
    /// A granted path does not exist, cannot be opened, or leads through a symbolic link.
    Grant = 72,
    /// Landlock did not take full effect.
    Landlock = 73,
    /// The system-call filter did not take effect.
    Seccomp = 74,
    /// The program could not be executed.
    Program = 75,
    /// There is no confinement for this operating system.
    Unsupported = 76,
    /// The process was not single-threaded when it was to be confined.
    Threads = 77,
}

impl JailExit {
    pub const ALL: [Self; 14] = [
        Self::Launch,
        Self::Session,
        Self::Descriptors,
        Self::Limits,
        Self::Capabilities,
        Self::ParentGone,
        Self::NoNewPrivileges,
        Self::BelowFloor,
        Self::Grant,
        Self::Landlock,
        Self::Seccomp,
        Self::Program,
        Self::Unsupported,
        Self::Threads,
    ];

    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason behind an exit code, if the jail uses it.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// What happened, for people. The details stand in the last line that the jail wrote to standard error.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Launch => {
                "the launch message was not readable; kernel and jail are probably of different versions, reinstall both"
            }
            Self::Session => {
                "the process could not start a session of its own; it must be started by the kernel, not by hand"
            }
            Self::Descriptors => "inherited descriptors could not be closed; Linux 5.9 or newer is needed",
            Self::Limits => {
                "a resource limit could not be set; the limit of the session is probably lower, raise it with ulimit"
            }
            Self::Capabilities => "capabilities could not be dropped, so it was not started",
            Self::ParentGone => "the kernel process had ended before the start was complete",
            Self::NoNewPrivileges => "the system refused no_new_privs, so it was not started",
            Self::BelowFloor => {
                "this system has no Landlock, or too old a one; Linux 6.1 or newer with Landlock enabled at boot is needed"
            }
            Self::Grant => "a granted path does not exist, cannot be opened or is a symbolic link; correct the grant",
            Self::Landlock => "Landlock did not take full effect, so it was not started",
            Self::Seccomp => "the system-call filter did not take effect, so it was not started",
            Self::Program => "the program could not be executed; is the installation complete?",
            Self::Unsupported => "there is no confinement for this operating system, and nothing runs unconfined",
            Self::Threads => "the process had more than one thread when it was to be confined, so it was not started",
        }
    }
}

/// The program was not started: which step failed, and on what.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{}: {detail}", exit.sentence())]
pub struct JailError {
    pub exit: JailExit,
    /// What failed, with the system's error.
    pub detail: String,
}

impl JailError {
    #[must_use]
    pub fn new(exit: JailExit, detail: impl Into<String>) -> Self {
        Self { exit, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::JailExit;

    #[test]
    fn codes_lead_back_to_their_reason_and_to_nothing_else() {
        for exit in JailExit::ALL {
            assert_eq!(JailExit::from_code(i32::from(exit.code())), Some(exit));
            assert!((64..=79).contains(&exit.code()));
        }
        for code in [-1, 0, 1, 63, 78, 79, 101, 127, 134, 64 + 256] {
            assert_eq!(JailExit::from_code(code), None);
        }
    }
}
