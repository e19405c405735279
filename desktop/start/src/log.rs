//! What a kernel says while it starts.

use crate::StartError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;

/// Bytes that are kept before the file begins anew, and that are read for a reason.
const LOG_BYTES: u64 = 64 << 10;

/// Where the kernel's standard error goes: a file, since the kernel outlives whoever would read a pipe.
pub(crate) struct StartLog {
    file: File,
    /// What stood in it before.
    from: u64,
}

impl StartLog {
    pub(crate) fn open(folder: &Path) -> Result<Self, StartError> {
        let path = folder.join("kernel-start.log");
        let fault = |fault| StartError::Log { path: path.clone(), fault };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path).map_err(fault)?;
        if file.metadata().map_err(fault)?.len() > LOG_BYTES {
            file.set_len(0).map_err(fault)?;
        }
        let from = file.seek(SeekFrom::End(0)).map_err(fault)?;
        Ok(Self { file, from })
    }

    pub(crate) fn handle(&self) -> Result<Stdio, StartError> {
        Ok(self.file.try_clone()?.into())
    }

    /// What was written since, on one line; `None` for nothing.
    pub(crate) fn reason(&mut self) -> Option<String> {
        self.file.seek(SeekFrom::Start(self.from)).ok()?;
        let mut bytes = Vec::new();
        (&mut self.file).take(LOG_BYTES).read_to_end(&mut bytes).ok()?;
        let written = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        (!lines.is_empty()).then(|| lines.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_what_this_start_wrote_is_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("state/logs");
        StartLog::open(&logs).unwrap().file.write_all(b"an earlier reason\n").unwrap();
        let mut log = StartLog::open(&logs).unwrap();
        assert_eq!(log.reason(), None);
        log.file.write_all(b"no room\n\n on the disk\n").unwrap();
        assert_eq!(log.reason().as_deref(), Some("no room on the disk"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("state"), "a file").unwrap();
        let error = StartLog::open(&folder.path().join("state/logs")).err().unwrap();
        assert!(error.to_string().contains("state/logs/kernel-start.log cannot be written"), "{error}");
    }
}
