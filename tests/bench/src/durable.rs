//! One after the other: turns and memories, each on the disk before the next one comes, against bare commits; and what they
//! leave on the disk.

use crate::bare::Bare;
use crate::kept::{DIMENSIONS, Kept};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::talk::{Talk, mix};
use butterfly_api::conversations::{Begin, BeginTurn, MessageState, Save, SaveMessage};
use butterfly_api::memory::{Add, AddRequest};
use butterfly_api::model::{Message, Role};
use butterfly_api::session::Place;
use butterfly_kit::harness::Which;
use std::path::Path;
use std::time::{Duration, Instant};

/// Turns, or memories, of one comparison, and of one round of it.
const TURNS: usize = 1_000;
const ROUND: usize = 25;

/// Memories that are noted in a row, whose files are counted.
const SINGLES: usize = 10_000;

/// A quiet time after which small files are merged and logs are cut.
const REST: Duration = Duration::from_secs(15);

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let talk = Talk::default();
    let mut rows = Vec::new();
    rows.push(turns(options, &talk).await?);
    rows.push(memories(options, &talk).await?);
    rows.extend(many(options, &talk).await?);
    Ok(Section {
        title: "Single durable turns",
        method: format!(
            "The bulk section's messages, one call at a time through the bus; the next one begins when the last one is on \
             the disk. A turn is what a chat keeps of one: the question (`conversations.begin`, whose reply carries what was \
             said before) and the whole answer (`conversations.save`), two calls and two commits; {ROUND} turns make a \
             conversation. A memory is one `memory.add`, which looks for the same memory and takes facts by rules, all in \
             one commit. The baseline is the same database, tables and triggers in the benchmark's own process, in which \
             prepared statements write the rows that ours leaves, with as many commits, synchronous=FULL; it looks for \
             nothing and returns nothing. In rounds of {ROUND} on either side. What follows in the background (vectors, facts, \
             summaries) waits until nothing is stored for 0.3 s, at the most 3 s: the rounds are mostly without it. The row \
             \"in a row\" is of {SINGLES} memories without a pause, the background's work included, from the first call until \
             the last reply, against as many bare commits. Disk is all of the data folder, {rest} s after the last vector \
             was stored, against the texts and vectors alone.",
            rest = REST.as_secs(),
        ),
        rows,
    })
}

async fn turns(options: &Options, talk: &Talk) -> anyhow::Result<Row> {
    let kept = Kept::start(Which::Kit, &["--talking-table", "yes"]).await?;
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::open(folder.path())?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..options.times(TURNS) / ROUND {
        let said: Vec<(String, String)> = (round * ROUND..(round + 1) * ROUND)
            .map(|n| (talk.message(2 * n).text, talk.message(2 * n + 1).text))
            .collect();
        let since = Instant::now();
        let mut conversation = None;
        for (n, (question, answer)) in said.iter().enumerate() {
            conversation = Some(bare.turn(conversation, key(round, n).cast_signed(), question, answer)?);
        }
        theirs.push(ROUND as f64 / since.elapsed().as_secs_f64());
        let since = Instant::now();
        let mut conversation = None;
        for (n, (question, answer)) in said.into_iter().enumerate() {
            let begin = Begin { key: key(round, n), conversation, place: Place::End, text: question, provenance: 0 };
            let begun = kept.bus.call::<BeginTurn>(&begin).await?;
            conversation = Some(begun.conversation);
            let save = Save {
                turn: begun.turn,
                part: 0,
                message: Message::new(Role::Assistant, answer),
                state: MessageState::Complete,
                model: String::new(),
                usage: None,
                error: None,
                shown: None,
            };
            kept.bus.call::<SaveMessage>(&save).await?;
        }
        ours.push(ROUND as f64 / since.elapsed().as_secs_f64());
    }
    let row = Row::new("turns", Unit::PerSecond, ours.median(), theirs.median(), "bare commits");
    Ok(row.target(Target::RatioAtLeast(0.6)))
}

/// A turn's own key.
fn key(round: usize, n: usize) -> u64 {
    mix((round * ROUND + n) as u64)
}

async fn memories(options: &Options, talk: &Talk) -> anyhow::Result<Row> {
    let kept = Kept::start(Which::Production, &[]).await?;
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::open(folder.path())?;
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..options.times(TURNS) / ROUND {
        let texts: Vec<String> = (round * ROUND..(round + 1) * ROUND).map(|n| talk.message(n).text).collect();
        let since = Instant::now();
        for text in &texts {
            bare.note(text)?;
        }
        theirs.push(ROUND as f64 / since.elapsed().as_secs_f64());
        let since = Instant::now();
        for text in texts {
            kept.bus.call::<Add>(&AddRequest { text, ..AddRequest::default() }).await?;
        }
        ours.push(ROUND as f64 / since.elapsed().as_secs_f64());
    }
    let row = Row::new("memories", Unit::PerSecond, ours.median(), theirs.median(), "bare commits");
    Ok(row.target(Target::RatioAtLeast(0.6)))
}

/// Memories without a pause, and what they take on the disk.
async fn many(options: &Options, talk: &Talk) -> anyhow::Result<Vec<Row>> {
    let kept = Kept::start(Which::Production, &[]).await?;
    let count = options.times(SINGLES);
    let texts: Vec<String> = (0..count).map(|n| talk.message(n).text).collect();
    let plain: usize = texts.iter().map(|text| text.len() + DIMENSIONS * size_of::<f32>()).sum();
    let folder = tempfile::tempdir()?;
    let mut bare = Bare::open(folder.path())?;
    let since = Instant::now();
    for text in &texts {
        bare.note(text)?;
    }
    let theirs = count as f64 / since.elapsed().as_secs_f64();
    let since = Instant::now();
    for text in texts {
        kept.bus.call::<Add>(&AddRequest { text, ..AddRequest::default() }).await?;
    }
    let ours = count as f64 / since.elapsed().as_secs_f64();
    kept.settle().await?;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let disk = |when: &str, bytes: u64| {
        let name = format!("disk after {count} memories, {when}");
        Row::new(name, Unit::Mebibytes, mebibytes(bytes), mebibytes(plain as u64), "texts and vectors")
            .target(Target::RatioAtMost(3.0))
    };
    let at_once = size(&kept.kernel.place.data)?;
    tokio::time::sleep(REST).await;
    let quiet = size(&kept.kernel.place.data)?;
    Ok(vec![
        Row::new(format!("{count} memories in a row"), Unit::PerSecond, ours, theirs, "bare commits"),
        disk("at once", at_once),
        disk("when quiet", quiet),
    ])
}

/// Bytes of all files below.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A file may go while it is looked at.
        let Ok(about) = entry.metadata() else { continue };
        sum += if about.is_dir() { size(&entry.path()).unwrap_or_default() } else { about.len() };
    }
    Ok(sum)
}
