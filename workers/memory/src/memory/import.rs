//! Import: JSON Lines in pieces of any size become messages, a batch to a transaction.
//!
//! A bad line is refused by its number and the rest is taken in: a file of a year's talk is not given up for one line. It
//! does *not* look at what the lines mean; [`butterfly_store::passages::import`] makes transcripts of them.

use crate::core::Core;
use butterfly_api::memory::ImportReport;
use butterfly_recall::moment;
use butterfly_store::passages::import::{Line, Taken, take};
use butterfly_store::transcripts::MESSAGE_BYTES;
use butterfly_store::{StoreError, facts};
use butterfly_wire::Failure;
use serde::Deserialize;
use std::sync::Arc;

/// Bytes of a line.
pub const LINE_BYTES: usize = 1 << 20;

/// Lines and bytes of a batch: a transaction of a tenth of a second, which is what somebody who talks meanwhile waits.
const BATCH_LINES: usize = 1_000;
const BATCH_BYTES: usize = 512 << 10;

/// Refused lines that are told.
const TOLD: usize = 100;

/// Bytes of a name: a conversation's, a speaker's or an id.
const NAME_BYTES: usize = 512;

/// A line as it is written.
#[derive(Deserialize)]
struct Written {
    id: Name,
    conversation: Name,
    #[serde(default)]
    speaker: String,
    text: String,
    at: String,
}

/// A name may be a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(i64),
}

impl Name {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Reads one line.
///
/// # Errors
/// Why it is refused.
pub fn read(line: &[u8]) -> Result<Line, String> {
    let written: Written = serde_json::from_slice(line).map_err(|fault| format!("no line of an import: {fault}"))?;
    let name = |what: &str, name: Name| {
        let name = name.into_text();
        let fits = !name.trim().is_empty() && name.len() <= NAME_BYTES && !name.contains('\0');
        if fits { Ok(name) } else { Err(format!("its {what} is empty or over {NAME_BYTES} bytes")) }
    };
    if written.text.trim().is_empty() {
        return Err("its text is empty".to_owned());
    }
    if written.text.len() > MESSAGE_BYTES {
        return Err(format!("its text has {} bytes, over the {MESSAGE_BYTES} of a message", written.text.len()));
    }
    if written.speaker.len() > NAME_BYTES {
        return Err(format!("its speaker is over {NAME_BYTES} bytes"));
    }
    Ok(Line {
        id: name("id", written.id)?,
        conversation: name("conversation", written.conversation)?,
        speaker: written.speaker,
        at_ms: moment::parse(&written.at)?,
        text: written.text,
    })
}

/// Cuts pieces of a file into lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    number: u64,
    /// The line is over the limit: it is skipped to its end.
    skipping: bool,
}

impl Lines {
    /// Takes a piece; gives the lines that end in it, by number. An overlong one comes as `Err`.
    fn push(&mut self, piece: &[u8], mut line: impl FnMut(u64, Result<Vec<u8>, String>)) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (part, ends) = part.strip_suffix(b"\n").map_or((part, false), |part| (part, true));
            if !self.skipping {
                self.rest.extend_from_slice(part);
                self.skipping = self.rest.len() > LINE_BYTES;
            }
            if ends {
                self.end(&mut line);
            }
        }
    }

    fn end(&mut self, line: &mut impl FnMut(u64, Result<Vec<u8>, String>)) {
        self.number += 1;
        let rest = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.skipping) {
            line(self.number, Err(format!("it is over {LINE_BYTES} bytes")));
        } else if !rest.trim_ascii().is_empty() {
            line(self.number, Ok(rest));
        }
    }
}

/// Takes in a file.
pub struct Importer {
    core: Arc<Core>,
    provenance: u16,
    extract: bool,
    lines: Lines,
    batch: Vec<(u64, Vec<u8>)>,
    bytes: usize,
    report: ImportReport,
}

impl Importer {
    /// `provenance`: the bits that the words carry; `extract`: whether facts are taken from them.
    #[must_use]
    pub fn new(core: Arc<Core>, provenance: u16, extract: bool) -> Self {
        Self {
            core,
            provenance,
            extract,
            lines: Lines::default(),
            batch: Vec::new(),
            bytes: 0,
            report: ImportReport::default(),
        }
    }

    /// Takes the next piece of the file.
    ///
    /// # Errors
    /// The database's; what was taken in before stays.
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let mut overlong = Vec::new();
        let (batch, bytes) = (&mut self.batch, &mut self.bytes);
        self.lines.push(piece, |number, line| match line {
            Ok(line) => {
                *bytes += line.len();
                batch.push((number, line));
            }
            Err(why) => overlong.push((number, why)),
        });
        overlong.into_iter().for_each(|(number, why)| refuse(&mut self.report, number, why));
        if self.batch.len() >= BATCH_LINES || self.bytes >= BATCH_BYTES {
            self.store().await?;
        }
        Ok(())
    }

    /// Takes the last line, which may end without a newline.
    ///
    /// # Errors
    /// As [`Importer::push`].
    pub async fn finish(mut self) -> Result<ImportReport, Failure> {
        self.push(b"\n").await?;
        self.store().await?;
        self.report.refused.sort_unstable_by_key(|(number, _)| *number);
        Ok(self.report)
    }

    async fn store(&mut self) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        let (provenance, extract) = (self.provenance, self.extract);
        let (taken, refused) = self.core.write(move |db| keep(db, &batch, provenance, extract)).await?;
        self.report.added += taken.added;
        self.report.known += taken.known;
        refused.into_iter().for_each(|(number, why)| refuse(&mut self.report, number, why));
        Ok(())
    }
}

type Refused = Vec<(u64, String)>;

fn keep(
    db: &mut diesel::SqliteConnection,
    batch: &[(u64, Vec<u8>)],
    provenance: u16,
    extract: bool,
) -> Result<(Taken, Refused), StoreError> {
    let mut refused = Vec::new();
    let mut lines = Vec::with_capacity(batch.len());
    for (number, bytes) in batch {
        match read(bytes) {
            Ok(line) => lines.push(line),
            Err(why) => refused.push((*number, why)),
        }
    }
    let taken = take(db, &lines, provenance)?;
    if extract {
        for passage in &taken.passages {
            facts::enqueue(db, *passage)?;
        }
    }
    Ok((taken, refused))
}

fn refuse(report: &mut ImportReport, number: u64, why: String) {
    report.refused_count += 1;
    if report.refused.len() < TOLD {
        report.refused.push((number, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_store::Store;

    fn line(id: u32) -> String {
        format!(r#"{{"id":"{id}","conversation":"c","speaker":"Ana","text":"line {id}","at":"2023-05-08T13:56:00Z"}}"#)
    }

    async fn import(file: &[u8], size: usize) -> (ImportReport, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let core = Core::new(Arc::new(Store::open(folder.path()).unwrap()));
        let mut importer = Importer::new(core, 0, true);
        for piece in file.chunks(size) {
            importer.push(piece).await.unwrap();
        }
        (importer.finish().await.unwrap(), folder)
    }

    #[tokio::test]
    async fn file_is_taken_in_whatever_pieces_it_comes_in() {
        let file: String = (0..50).map(|id| line(id) + "\r\n").collect::<String>() + "\n" + &line(50);
        for size in [1, 7, 1000, file.len()] {
            let (report, _folder) = import(file.as_bytes(), size).await;
            assert_eq!((report.added, report.known, report.refused_count), (51, 0, 0), "{size}");
        }
    }

    #[tokio::test]
    async fn bad_lines_are_refused_by_number_and_the_rest_is_taken() {
        let long = format!(
            r#"{{"id":"9","conversation":"c","text":"{}","at":"2023-05-08T13:56:00Z"}}"#,
            "x".repeat(LINE_BYTES)
        );
        let file = [
            line(1),
            "{".to_owned(),
            long,
            r#"{"id":"2","conversation":"c","text":" ","at":"2023-05-08T13:56:00Z"}"#.to_owned(),
            r#"{"id":"3","conversation":"c","text":"x","at":"soon"}"#.to_owned(),
            r#"{"id":"","conversation":"c","text":"x","at":"2023-05-08"}"#.to_owned(),
            line(1),
            line(2),
        ]
        .join("\n");
        let (report, _folder) = import(file.as_bytes(), 60_000).await;
        assert_eq!((report.added, report.known, report.refused_count), (2, 1, 5));
        let numbers: Vec<u64> = report.refused.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [2, 3, 4, 5, 6]);
        assert!(report.refused[1].1.contains("over 1048576 bytes"));
        assert!(report.refused[3].1.contains("no time"));
    }

    #[tokio::test]
    async fn refusals_that_are_told_are_bounded() {
        let (report, _folder) = import("x\n".repeat(500).as_bytes(), 64).await;
        assert_eq!((report.refused_count, report.refused.len()), (500, TOLD));
    }
}
