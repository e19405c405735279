//! What ends a command early: one sentence for people, names for programs, and the exit code.

use crate::exit::Exit;
use butterfly_api::model::ModelError;
use butterfly_client::ConnectError;
use butterfly_start::StartError;
use butterfly_wire::{ErrorCode, Failure};
use serde::Serialize;
use std::io;

/// A command could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub exit: Exit,
    /// A name from [`ErrorCode`], or one of the command line's own: `no_kernel`, `usage`, `io`, `interrupted`, `failed`.
    pub code: String,
    /// What the model worker declares as its cause, such as `server_not_running`.
    pub cause: Option<Box<serde_json::Value>>,
    /// What happened, why, what to do next. Empty where nobody is there to read it.
    pub message: String,
}

/// The last line of `--json` output when a command fails.
#[derive(Serialize)]
struct ErrorLine<'a> {
    r#type: &'static str,
    code: &'a str,
    cause: Option<&'a serde_json::Value>,
    message: &'a str,
}

impl Fault {
    #[must_use]
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, code: code.to_owned(), cause: None, message: message.into() }
    }

    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "failed", message)
    }

    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    #[must_use]
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, "interrupted", message)
    }

    /// The object that `--json` prints for it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let line =
            ErrorLine { r#type: "error", code: &self.code, cause: self.cause.as_deref(), message: &self.message };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let exit = match failure.code {
            ErrorCode::PeerDied | ErrorCode::Disconnected | ErrorCode::DeadlineExceeded | ErrorCode::Cancelled => {
                Exit::CutOff
            }
            ErrorCode::Denied => Exit::Refused,
            ErrorCode::Busy
            | ErrorCode::Unavailable
            | ErrorCode::UnknownMethod
            | ErrorCode::BadPayload
            | ErrorCode::TooLarge
            | ErrorCode::StaleEndpoint
            | ErrorCode::NoTrace
            | ErrorCode::Internal
            | ErrorCode::Declared
            | ErrorCode::Protocol => Exit::Failed,
        };
        Self {
            exit,
            code: failure.code.name().to_owned(),
            cause: cause(&failure).map(Box::new),
            message: failure.message,
        }
    }
}

/// The model worker's cause inside a failure: its name, or an object where it carries figures.
fn cause(failure: &Failure) -> Option<serde_json::Value> {
    let error = ModelError::from_failure(failure)?;
    let value = serde_json::to_value(&error.cause).ok()?;
    match value.as_object() {
        Some(fields) if fields.len() == 1 => fields.get("cause").cloned(),
        _ => Some(value),
    }
}

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        let (exit, code) = match &error {
            ConnectError::NotRunning(_) => (Exit::NoKernel, "no_kernel"),
            ConnectError::Foreign { .. } | ConnectError::Unreadable { .. } => (Exit::Refused, "denied"),
            ConnectError::Refused(failure) => (Exit::Refused, failure.code.name()),
            ConnectError::Token { .. } => (Exit::Failed, "token"),
            ConnectError::Silent(_) => (Exit::Failed, "silent"),
            ConnectError::Broken(_) => (Exit::Failed, "disconnected"),
            ConnectError::Stranger(_) => (Exit::Failed, "protocol"),
        };
        Self::new(exit, code, error.to_string())
    }
}

impl From<StartError> for Fault {
    fn from(error: StartError) -> Self {
        match error {
            StartError::EmptyHome | StartError::UnusableHome { .. } | StartError::NoText(_) | StartError::Place(_) => {
                Self::usage(error.to_string())
            }
            StartError::Connect(error) => error.into(),
            StartError::Answer(failure) => failure.into(),
            StartError::Io(fault) => fault.into(),
            StartError::Lost => Self::new(Exit::CutOff, "disconnected", error.to_string()),
            StartError::NoProgram(_)
            | StartError::NotStartable { .. }
            | StartError::Log { .. }
            | StartError::Ended { .. }
            | StartError::NoSocket { .. }
            | StartError::NotReady { .. } => Self::failed(error.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Self {
        if fault.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::OutputClosed, "output_closed", "");
        }
        Self::new(Exit::Failed, "io", format!("reading or writing failed: {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Cause;

    #[test]
    fn a_declared_cause_is_named_for_programs() {
        let fault = Fault::from(Failure::from(ModelError::new(Cause::ServerNotRunning, "start it")));
        assert_eq!(
            fault.to_json(),
            r#"{"type":"error","code":"declared","cause":"server_not_running","message":"start it"}"#
        );
        let fault = Fault::from(Failure::from(ModelError::new(Cause::ModelMissing { model: "m".into() }, "pull it")));
        assert_eq!(fault.cause.as_deref(), Some(&serde_json::json!({"cause": "model_missing", "model": "m"})));
    }

    #[test]
    fn each_failure_has_the_exit_code_that_the_page_promises() {
        let exit = |code| Fault::from(Failure::new(code, "")).exit;
        assert_eq!(exit(ErrorCode::PeerDied), Exit::CutOff);
        assert_eq!(exit(ErrorCode::Disconnected), Exit::CutOff);
        assert_eq!(exit(ErrorCode::Denied), Exit::Refused);
        assert_eq!(exit(ErrorCode::Declared), Exit::Failed);
        assert_eq!(Fault::from(ConnectError::NotRunning("/s".into())).exit, Exit::NoKernel);
        let foreign = ConnectError::Foreign { path: "/s".into(), owner: 7 };
        assert_eq!(Fault::from(foreign).exit, Exit::Refused);
        assert_eq!(Fault::from(StartError::EmptyHome).exit, Exit::Usage);
        assert_eq!(Fault::from(StartError::NoText("/h".into())).exit, Exit::Usage);
        assert_eq!(Fault::from(StartError::from(ConnectError::NotRunning("/s".into()))).exit, Exit::NoKernel);
        assert_eq!(Fault::from(StartError::Lost).exit, Exit::CutOff);
        assert_eq!(Fault::from(StartError::NotReady { seconds: 90 }).exit, Exit::Failed);
        assert_eq!(Fault::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit, Exit::OutputClosed);
    }
}
