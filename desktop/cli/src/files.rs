//! Files of the person's own: read whole, or written so that a half-written one is never found.

use crate::fault::Fault;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `-` stands for standard input.
#[must_use]
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A file, or standard input, and its size in bytes where it has one.
///
/// # Errors
/// Names the file and why it cannot be read.
pub fn open(path: &Path) -> Result<(Box<dyn Read>, Option<u64>), Fault> {
    if is_standard(path) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path).map_err(|fault| unreadable(path, &fault))?;
    let meta = file.metadata().map_err(|fault| unreadable(path, &fault))?;
    if meta.is_dir() {
        return Err(Fault::usage(format!("{} is a folder; name a file", path.display())));
    }
    Ok((Box::new(file), meta.is_file().then_some(meta.len())))
}

/// The text of a file, or of standard input, of at most `limit` bytes.
///
/// # Errors
/// Names the file: it cannot be read, is larger, or is no UTF-8.
pub fn read_text(path: &Path, limit: usize) -> Result<String, Fault> {
    let (file, _) = open(path)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|fault| unreadable(path, &fault))?;
    let name = if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() };
    if bytes.len() > limit {
        return Err(Fault::failed(format!("{name} is larger than {}", crate::render::units::bytes(limit as u64))));
    }
    String::from_utf8(bytes).map_err(|_| Fault::failed(format!("{name} is no text in UTF-8")))
}

/// A file could not be read.
#[must_use]
pub fn unreadable(path: &Path, fault: &io::Error) -> Fault {
    Fault::new(crate::exit::Exit::Failed, "io", format!("{} cannot be read: {fault}", path.display()))
}

/// A file that is being written beside the one that it becomes. Dropped before [`Beside::keep`], it was never there.
///
/// What is no file, such as a device or a pipe, is written to as it is: a file must never take its place.
pub struct Beside {
    target: PathBuf,
    /// `None`: the target itself is written to.
    part: Option<PathBuf>,
    file: Option<File>,
}

impl Beside {
    /// Begins a file that its owner alone can read.
    ///
    /// # Errors
    /// Names the file and why it cannot be written.
    pub fn create(target: &Path) -> Result<Self, Fault> {
        // Where a link leads is where the file is.
        let target = &target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let Some(name) = target.file_name().filter(|_| !target.is_dir()) else {
            return Err(Fault::usage(format!("{} is a folder; name a file", target.display())));
        };
        if target.metadata().is_ok_and(|there| !there.is_file()) {
            let file = OpenOptions::new().write(true).open(target).map_err(|fault| unwritable(target, &fault))?;
            return Ok(Self { target: target.to_owned(), part: None, file: Some(file) });
        }
        let part = target.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = file.map_err(|fault| unwritable(target, &fault))?;
        Ok(Self { target: target.to_owned(), part: Some(part), file: Some(file) })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// As [`Beside::create`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(|fault| unwritable(&self.target, &fault)),
            None => Ok(()),
        }
    }

    /// Puts it in its place, durably.
    ///
    /// # Errors
    /// As [`Beside::create`].
    pub fn keep(mut self) -> Result<(), Fault> {
        let Some(file) = self.file.take() else { return Ok(()) };
        // What went to a device or a pipe is there.
        let Some(part) = self.part.take() else { return Ok(()) };
        let folder = match part.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let kept = file
            .sync_all()
            .and_then(|()| std::fs::rename(&part, &self.target))
            .and_then(|()| File::open(folder)?.sync_all());
        kept.map_err(|fault| {
            let _ = std::fs::remove_file(&part);
            unwritable(&self.target, &fault)
        })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let (Some(_), Some(part)) = (self.file.take(), self.part.take()) {
            // Nobody knows the name; what cannot be removed is at least not taken for the file.
            let _ = std::fs::remove_file(part);
        }
    }
}

fn unwritable(path: &Path, fault: &io::Error) -> Fault {
    Fault::new(crate::exit::Exit::Failed, "io", format!("{} cannot be written: {fault}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("copy");
        std::fs::write(&target, "before").unwrap();
        let mut beside = Beside::create(&target).unwrap();
        beside.write(b"half").unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "before");
        drop(beside);
        assert_eq!(names(folder.path()), ["copy"], "what was not kept leaves nothing");
        let mut beside = Beside::create(&target).unwrap();
        beside.write(b"wh").unwrap();
        beside.write(b"ole").unwrap();
        beside.keep().unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "whole");
        assert_eq!(names(folder.path()), ["copy"]);
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_stays_a_link_and_what_is_no_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::fs::write(&target, "before").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut beside = Beside::create(&link).unwrap();
        beside.write(b"after").unwrap();
        beside.keep().unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "after");

        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe).unwrap()
        });
        let mut beside = Beside::create(&pipe).unwrap();
        beside.write(b"through").unwrap();
        beside.keep().unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        assert!(!pipe.metadata().unwrap().is_file());
        let mut names = names(folder.path());
        names.sort();
        assert_eq!(names, ["link", "pipe", "target"]);
    }

    #[test]
    fn folders_and_missing_folders_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Beside::create(folder.path()).err().unwrap().message.contains("name a file"));
        let missing = folder.path().join("no-such/copy");
        assert!(Beside::create(&missing).err().unwrap().message.contains("no-such/copy cannot be written"));
        assert!(open(folder.path()).err().unwrap().message.contains("name a file"));
        assert!(open(&missing).err().unwrap().message.contains("cannot be read"));
    }

    #[test]
    fn text_has_a_limit_and_an_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_text(&file, 5).unwrap(), "12345");
        assert!(read_text(&file, 4).unwrap_err().message.contains("larger than 4 B"));
        std::fs::write(&file, [0xff]).unwrap();
        assert!(read_text(&file, 5).unwrap_err().message.contains("UTF-8"));
    }
}
