//! What processes write to their standard error: kept as opaque lines in bounded files.

use butterfly_wire::control::LogLine;
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a log file before it becomes `NAME.log.1`, which replaces the one before: two per process, 2 MiB together.
const FILE_BYTES: u64 = 1 << 20;

/// The longest line that is kept, in bytes; the rest of a longer one is dropped and marked.
pub const LINE_BYTES: usize = 8 << 10;

/// Lines kept in memory for a crash report.
const TAIL_LINES: usize = 40;

/// Bytes of a log that a `logs` call looks at, from the end.
const READ_BACK_BYTES: u64 = 512 << 10;

struct Log {
    file: File,
    bytes: u64,
    tail: VecDeque<String>,
}

/// The logs of all processes, by name.
pub struct Logs {
    folder: PathBuf,
    open: HashMap<String, Log>,
}

/// Unix time in ms.
#[must_use]
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Logs {
    /// Keeps logs in this folder, which exists.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, open: HashMap::new() }
    }

    /// Appends one line.
    ///
    /// # Errors
    /// When the file cannot be written; the line is still in the tail.
    pub fn append(&mut self, name: &str, line: &str) -> io::Result<LogLine> {
        let at_unix_ms = unix_ms();
        let path = self.folder.join(format!("{name}.log"));
        let log = match self.open.get_mut(name) {
            Some(log) => log,
            None => {
                let file = open(&path)?;
                let bytes = file.metadata()?.len();
                self.open.entry(name.to_owned()).or_insert(Log { file, bytes, tail: VecDeque::new() })
            }
        };
        if log.tail.len() == TAIL_LINES {
            log.tail.pop_front();
        }
        log.tail.push_back(line.to_owned());
        let text = format!("{at_unix_ms} {line}\n");
        if log.bytes + text.len() as u64 > FILE_BYTES {
            std::fs::rename(&path, self.folder.join(format!("{name}.log.1")))?;
            log.file = open(&path)?;
            log.bytes = 0;
        }
        log.file.write_all(text.as_bytes())?;
        log.bytes += text.len() as u64;
        Ok(LogLine { worker: name.to_owned(), at_unix_ms, line: line.to_owned() })
    }

    /// The last lines of one process.
    #[must_use]
    pub fn tail(&self, name: &str) -> Vec<String> {
        self.open.get(name).map(|log| log.tail.iter().cloned().collect()).unwrap_or_default()
    }

    /// The newest lines of one log, or of all, oldest first.
    #[must_use]
    pub fn read(&self, name: Option<&str>, most: usize) -> Vec<LogLine> {
        let names: Vec<String> = match name {
            Some(name) if is_plain(name) => vec![name.to_owned()],
            Some(_) => Vec::new(),
            None => std::fs::read_dir(&self.folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".log").map(str::to_owned))
                .collect(),
        };
        let mut lines: Vec<LogLine> = names.iter().flat_map(|name| self.read_one(name, most)).collect();
        lines.sort_by_key(|line| line.at_unix_ms);
        let from = lines.len().saturating_sub(most);
        lines.split_off(from)
    }

    fn read_one(&self, name: &str, most: usize) -> Vec<LogLine> {
        let mut lines = read_back(&self.folder.join(format!("{name}.log"))).unwrap_or_default();
        if lines.len() < most {
            let mut older = read_back(&self.folder.join(format!("{name}.log.1"))).unwrap_or_default();
            older.append(&mut lines);
            lines = older;
        }
        let from = lines.len().saturating_sub(most);
        lines
            .split_off(from)
            .into_iter()
            .map(|(at_unix_ms, line)| LogLine { worker: name.to_owned(), at_unix_ms, line })
            .collect()
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn read_back(path: &std::path::Path) -> io::Result<Vec<(u64, String)>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(READ_BACK_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(READ_BACK_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line is cut unless the file was read from its start.
    let lines = text.lines().skip(usize::from(from > 0));
    Ok(lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(at, line)| Some((at.parse().ok()?, line.to_owned())))
        .collect())
}

/// Cuts bytes into lines of bounded length.
#[derive(Default)]
pub struct Lines {
    partial: Vec<u8>,
    overlong: bool,
}

impl Lines {
    /// Takes more bytes; returns the lines that are now complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                lines.extend(self.end());
            } else if self.partial.len() < LINE_BYTES {
                self.partial.push(*byte);
            } else {
                self.overlong = true;
            }
        }
        lines
    }

    /// The line that has begun, if any.
    pub fn end(&mut self) -> Option<String> {
        let overlong = std::mem::take(&mut self.overlong);
        let bytes = std::mem::take(&mut self.partial);
        if bytes.is_empty() {
            return None;
        }
        let mut line = String::from_utf8_lossy(&bytes).into_owned();
        if overlong {
            line.push_str(" …");
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bounded_and_the_newest_lines_survive() {
        let folder = tempfile::tempdir().unwrap();
        let mut logs = Logs::new(folder.path().to_owned());
        let line = "x".repeat(1000);
        for n in 0..4000 {
            logs.append("model", &format!("{n} {line}")).unwrap();
        }
        let on_disk: u64 =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
        assert!(on_disk <= 2 * FILE_BYTES);
        let newest = logs.read(Some("model"), 3);
        assert_eq!(newest.len(), 3);
        assert!(newest[2].line.starts_with("3999 "));
        assert_eq!(logs.tail("model").len(), TAIL_LINES);
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret.log"), "1 no\n").unwrap();
        let inner = folder.path().join("logs");
        std::fs::create_dir(&inner).unwrap();
        assert!(Logs::new(inner).read(Some("../secret"), 9).is_empty());
    }

    #[test]
    fn lines_are_cut_and_bounded() {
        let mut lines = Lines::default();
        assert!(lines.take(b"ab").is_empty());
        assert_eq!(lines.take(b"c\nd\n"), ["abc", "d"]);
        let long = lines.take(&[vec![b'x'; LINE_BYTES + 5], b"\n".to_vec()].concat());
        assert!(long[0].len() <= LINE_BYTES + " …".len() && long[0].ends_with('…'));
        assert_eq!(lines.end(), None);
    }
}
