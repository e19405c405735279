//! Taking in and finding again: the memory worker through the bus, against a bare database and a plain search in it.

use crate::bare::Bare;
use crate::first_token::model_server;
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::talk::{Message, Talk};
use anyhow::{Context, bail};
use butterfly_api::Chunk;
use butterfly_api::memory::{Add, AddRequest, Import, Index, Search, SearchRequest};
use butterfly_client::{Bus, Next};
use butterfly_kit::harness::{Instance, Which, status};
use jiff::civil::date;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// The fake server's model: it makes vectors of this many dimensions at once, so that what is measured is ours.
const EMBEDDING: &str = "kit-embed:384";
const DIMENSIONS: usize = 384;

/// Lines that the bare database takes into one transaction: what the memory worker does.
const TRANSACTION: usize = 1_000;

/// Bytes of one piece of an upload.
const PIECE: usize = 32 << 10;

/// Questions of one size.
const QUESTIONS: usize = 300;

/// Questions before it counts: what is read for the first time comes from the disk, and LanceDB is opened.
const WARM_UP: usize = 20;

/// Messages of the one-by-one comparison, and of one round of it.
const TURNS: usize = 1_000;
const ROUND: usize = 25;

/// Single additions whose files are counted.
const SINGLES: usize = 10_000;

/// A quiet time after which an idle store has been let go.
const REST: Duration = Duration::from_secs(90);

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let mut sizes = vec![10_000];
    if !options.quick {
        sizes.push(100_000);
    }
    if options.large {
        sizes.push(1_000_000);
    }
    let talk = Talk::default();
    let mut rows = turns(options, &talk).await?;
    for size in sizes {
        rows.extend(one_size(options, &talk, size).await?);
    }
    rows.extend(singles(options, &talk).await?);
    Ok(Section {
        title: "Keeping and finding",
        method: format!(
            "Made-up messages of 8 to 24 words whose frequencies follow Zipf's law, from a seeded generator, through the \
             bus into the memory worker; vectors of {DIMENSIONS} dimensions from a local server that makes them at once. \
             The baseline is the same database, tables and triggers in the benchmark's own process: rows are inserted by \
             prepared statements, {TRANSACTION} to a transaction (bulk) or a commit for each (single messages, each of \
             which is an import of one line for us: only `brains` may write turns, in the same way). A plain search is FTS5's OR of all words of the question in its own order, {RESULTS} \
             results. A question has four words of some message and two common ones. Ours gives {RESULTS} results too, found \
             by words, meaning, links and neighbours with their texts and reasons; its time is the whole call through the bus \
             less the call for the question's vector. {QUESTIONS} questions, in turns. Disk is all of the data folder \
             against the texts and vectors alone.",
            RESULTS = LIMIT,
        ),
        rows,
    })
}

/// Results of a search.
const LIMIT: u32 = 50;

/// A kernel whose vectors come from the fake server.
struct Kept {
    kernel: Instance,
    bus: Bus,
    _server: crate::sides::Running,
}

impl Kept {
    async fn start() -> anyhow::Result<Self> {
        let (server, url) = model_server(&["--embedding", EMBEDDING])?;
        let environment = [
            ("BUTTERFLY_MODEL_PROVIDER", "ollama"),
            ("BUTTERFLY_MODEL_URL", url.as_str()),
            ("BUTTERFLY_MODEL_EMBEDDING", EMBEDDING),
            // Facts are taken by rules alone: the fake server has no model that could.
            ("BUTTERFLY_MEMORY_EXTRACT", "false"),
        ];
        let (kernel, bus) = Instance::start(Which::Production, &[], &environment).await?;
        Ok(Self { kernel, bus, _server: server })
    }

    async fn import(&self, lines: &[u8]) -> anyhow::Result<()> {
        let mut upload = self.bus.upload::<Import>(&()).await?;
        for piece in lines.chunks(PIECE) {
            upload.send(&Chunk { bytes: piece.to_vec() }).await?;
        }
        let report = upload.finish().await?;
        if report.refused_count > 0 {
            bail!("{} lines were refused: {:?}", report.refused_count, report.refused);
        }
        Ok(())
    }

    /// Waits until every passage has its vector.
    async fn settle(&self) -> anyhow::Result<()> {
        let mut progress = self.bus.stream::<Index>(&()).await?;
        loop {
            match progress.next().await? {
                Next::Item(_) => {}
                Next::End(indexed) => match indexed.degraded {
                    None => return Ok(()),
                    Some(why) => bail!("vectors are missing: {why}"),
                },
            }
        }
    }

    /// Resident memory of the memory worker in MiB.
    async fn resident(&self) -> anyhow::Result<f64> {
        let status = status(&self.bus).await?;
        let memory = status.workers.iter().find(|worker| worker.name == "memory").context("memory is not there")?;
        Ok(memory.rss_bytes as f64 / f64::from(1 << 20))
    }
}

fn line(message: &Message) -> String {
    let at = message.at_unix_ms / 1000;
    let object = json!({
        "id": message.id, "conversation": message.conversation, "speaker": message.speaker, "text": message.text,
        "at": rfc3339(at),
    });
    format!("{object}\n")
}

/// Unix seconds as RFC 3339 in UTC.
fn rfc3339(at: u64) -> String {
    date(1970, 1, 1).at(0, 0, 0, 0).saturating_add(Duration::from_secs(at)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn one_size(options: &Options, talk: &Talk, size: usize) -> anyhow::Result<Vec<Row>> {
    let kept = Kept::start().await?;
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::open(folder.path())?;
    // In ten pieces, in turns: each a file for us and as many transactions as it takes for the baseline.
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let piece = size / 10;
    for begin in (0..size).step_by(piece) {
        let messages: Vec<Message> = (begin..begin + piece).map(|n| talk.message(n)).collect();
        let since = Instant::now();
        for transaction in messages.chunks(TRANSACTION) {
            bare.keep(transaction)?;
        }
        theirs.push(piece as f64 / since.elapsed().as_secs_f64());
        let lines: String = messages.iter().map(line).collect();
        let since = Instant::now();
        kept.import(lines.as_bytes()).await?;
        ours.push(piece as f64 / since.elapsed().as_secs_f64());
        // What follows an import (vectors, facts) is not to meet the next piece of either side.
        kept.settle().await?;
    }
    let thousands = size / 1000;
    let bulk = Row::new(format!("bulk, {thousands} k"), Unit::PerSecond, ours.median(), theirs.median(), "bare SQLite");
    let mut rows = vec![bulk.target(Target::RatioAtLeast(0.6))];
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for n in 0..WARM_UP + options.times(QUESTIONS) {
        let question = talk.question(n, size);
        let since = Instant::now();
        let found = bare.search(&question)?;
        let plain = since.elapsed().as_secs_f64() * 1e3;
        let since = Instant::now();
        let request = SearchRequest { query: question, limit: LIMIT, ..SearchRequest::default() };
        let results = kept.bus.call::<Search>(&request).await?;
        let whole = since.elapsed().as_secs_f64() * 1e3;
        if results.results.is_empty() || found == 0 {
            bail!("nothing was found for {:?}", request.query);
        }
        if let Some(why) = results.degraded {
            bail!("meaning was not searched: {why}");
        }
        if n >= WARM_UP {
            theirs.push(plain);
            ours.push(whole - results.embed_us as f64 / 1e3);
        }
    }
    let row = |what: &str, share: f64| {
        Row::new(
            format!("search, {what}, {thousands} k"),
            Unit::Milliseconds,
            ours.quantile(share),
            theirs.quantile(share),
            "plain FTS5",
        )
    };
    rows.push(row("p50", 0.5));
    rows.push(row("p95", 0.95).target(Target::RatioAtMost(if size >= 100_000 { 0.5 } else { 1.0 })));
    let plain = size as f64 * DIMENSIONS as f64 * 4.0 / f64::from(1 << 20);
    let resident = |what: &str, mebibytes: f64| {
        Row::new(format!("resident {what}, {thousands} k"), Unit::Mebibytes, mebibytes, plain, "the vectors alone")
    };
    rows.push(resident("after searches", kept.resident().await?).target(Target::AtMost(250.0)));
    if !options.quick {
        tokio::time::sleep(REST).await;
        rows.push(resident("at rest", kept.resident().await?));
    }
    Ok(rows)
}

/// Messages, each durable before the next one comes, in rounds on either side.
async fn turns(options: &Options, talk: &Talk) -> anyhow::Result<Vec<Row>> {
    let kept = Kept::start().await?;
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::open(folder.path())?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..options.times(TURNS) / ROUND {
        let messages: Vec<Message> = (round * ROUND..(round + 1) * ROUND).map(|n| talk.message(n)).collect();
        let since = Instant::now();
        for message in &messages {
            bare.keep(std::slice::from_ref(message))?;
        }
        theirs.push(ROUND as f64 / since.elapsed().as_secs_f64());
        let since = Instant::now();
        for message in &messages {
            kept.import(line(message).as_bytes()).await?;
        }
        ours.push(ROUND as f64 / since.elapsed().as_secs_f64());
    }
    let row = Row::new("single durable messages", Unit::PerSecond, ours.median(), theirs.median(), "bare commits");
    Ok(vec![row.target(Target::RatioAtLeast(0.6))])
}

/// Memories that are noted one by one, and what they take on the disk.
async fn singles(options: &Options, talk: &Talk) -> anyhow::Result<Vec<Row>> {
    let kept = Kept::start().await?;
    let count = options.times(SINGLES);
    let mut plain = 0;
    for n in 0..count {
        let text = talk.message(n).text;
        plain += text.len() + DIMENSIONS * 4;
        kept.bus.call::<Add>(&AddRequest { text, ..AddRequest::default() }).await?;
    }
    kept.settle().await?;
    let bytes = size(&kept.kernel.place.data)?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let row = Row::new(
        format!("disk after {count} single additions"),
        Unit::Mebibytes,
        mebibytes(bytes),
        mebibytes(plain as u64),
        "texts and vectors",
    );
    Ok(vec![row.target(Target::RatioAtMost(3.0))])
}

/// Bytes of all files below.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_rfc_3339() {
        assert_eq!(rfc3339(1_704_067_200), "2024-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
