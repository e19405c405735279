//! Taking in much and finding it again: the memory worker through the bus, against a bare database and a plain search in
//! it.

use crate::bare::Bare;
use crate::kept::{DIMENSIONS, Kept, line};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::talk::{Message, Talk};
use anyhow::bail;
use butterfly_api::memory::{Search, SearchRequest};
use butterfly_kit::harness::Which;
use std::time::{Duration, Instant};

/// Lines that the bare database takes into one transaction: what the memory worker does.
const TRANSACTION: usize = 1_000;

/// Questions of one size.
const QUESTIONS: usize = 300;

/// Questions before it counts: what is read for the first time comes from the disk, and LanceDB is opened.
const WARM_UP: usize = 20;

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
    let mut rows = Vec::new();
    for size in sizes {
        rows.extend(one_size(options, &talk, size).await?);
    }
    Ok(Section {
        title: "Keeping and finding",
        method: format!(
            "Made-up messages of 8 to 24 words whose frequencies follow Zipf's law, from a seeded generator, through the \
             bus into the memory worker; vectors of {DIMENSIONS} dimensions from a local server that makes them at once. \
             The baseline is the same database, tables and triggers in the benchmark's own process: rows are inserted by \
             prepared statements, {TRANSACTION} to a transaction. A plain search is FTS5's OR of all words of the question in its own order, {RESULTS} \
             results. A question has four words of some message and two common ones. Ours gives {RESULTS} results too, found \
             by words, meaning, links and neighbours with their texts and reasons; its time is the whole call through the bus \
             less the call for the question's vector. {QUESTIONS} questions, in turns.",
            RESULTS = LIMIT,
        ),
        rows,
    })
}

/// Results of a search.
const LIMIT: u32 = 50;

async fn one_size(options: &Options, talk: &Talk, size: usize) -> anyhow::Result<Vec<Row>> {
    let kept = Kept::start(Which::Production, &[]).await?;
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
