//! Searching by meaning: the vector store alone, against looking at every vector.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use anyhow::{Context, bail};
use butterfly_kit::harness::{ALLOCATION, program};
use serde_json::Value;
use std::process::{Command, Stdio};

/// Queries of one size.
const QUERIES: usize = 400;

/// Single additions whose files are counted.
const SINGLES: usize = 10_000;

/// # Errors
/// When the program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let queries = options.times(QUERIES);
    let mut sizes = vec![10_000];
    if !options.quick {
        sizes.push(100_000);
    }
    if options.large {
        sizes.push(1_000_000);
    }
    let mut rows = Vec::new();
    for size in sizes {
        let told = run(&["search".to_owned(), size.to_string(), queries.to_string()])?;
        let number = |name: &str| told[name].as_f64().with_context(|| format!("{name} is missing"));
        let index = told["index"].as_str().unwrap_or_default();
        let name = |what: &str| format!("{what}, {} k ({index})", size / 1000);
        let (scan, scan_slow) = (number("scan_p50_ms")?, number("scan_p95_ms")?);
        let of = "looking at all";
        rows.push(Row::new(name("search, p50"), Unit::Milliseconds, number("p50_ms")?, scan, of));
        rows.push(Row::new(name("search, p95"), Unit::Milliseconds, number("p95_ms")?, scan_slow, of));
        rows.push(Row::new(
            name("search in one conversation, p95"),
            Unit::Milliseconds,
            number("conversation_p95_ms")?,
            scan_slow,
            of,
        ));
        let recall = Row::new(name("recall@10"), Unit::Share, number("recall")?, 1.0, of);
        rows.push(recall.target(Target::RatioAtLeast(0.98)));
        let resident = |name: &str| number(name).map(|kib| kib / 1024.0);
        let plain = size as f64 * 384.0 * 4.0 / f64::from(1 << 20);
        rows.push(Row::new(name("resident while open"), Unit::Mebibytes, resident("open_kib")?, plain, "the vectors"));
        rows.push(Row::new(name("resident at its peak"), Unit::Mebibytes, resident("peak_kib")?, plain, "the vectors"));
        rows.push(Row::new(
            name("resident when let go"),
            Unit::Mebibytes,
            resident("closed_kib")?,
            plain,
            "the vectors",
        ));
        let bytes = number("bytes")? / f64::from(1 << 20);
        rows.push(Row::new(name("on disk"), Unit::Mebibytes, bytes, plain, "the vectors"));
    }
    let singles = options.times(SINGLES);
    let told = run(&["singles".to_owned(), singles.to_string()])?;
    let mebibytes = |name: &str| -> anyhow::Result<f64> {
        Ok(told[name].as_f64().with_context(|| format!("{name} is missing"))? / f64::from(1 << 20))
    };
    let plain = mebibytes("plain_bytes")?;
    for (what, name) in [("at the most", "most_bytes"), ("when put in order", "bytes")] {
        let row = Row::new(
            format!("on disk after {singles} single additions, {what}"),
            Unit::Mebibytes,
            mebibytes(name)?,
            plain,
            "the vectors",
        );
        rows.push(row.target(Target::RatioAtMost(3.0)));
    }
    Ok(Section {
        title: "Vectors",
        method: format!(
            "Unit vectors of 384 dimensions around things within subjects, from a seeded generator; stored {BATCH} at a \
             time as the memory worker does; {queries} searches for the 10 nearest, none of them a stored vector. The \
             baseline looks at every vector in memory on one core and keeps the best. Recall is against that. A small \
             store is held in memory and searched in the same way, a larger one a byte a number, the best of which are \
             compared again in full, and a still larger one through LanceDB's index."
        ),
        rows,
    })
}

/// Vectors that are stored at once.
const BATCH: usize = 64;

fn run(arguments: &[String]) -> anyhow::Result<Value> {
    let output = Command::new(program("bench_vectors")?)
        .args(arguments)
        .env(ALLOCATION.0, ALLOCATION.1)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("bench_vectors {} ended with {}", arguments.join(" "), output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
