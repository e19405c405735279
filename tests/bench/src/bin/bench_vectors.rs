//! Fills a vector store, searches it, and tells what that took as one object of JSON; a process of its own, so that what
//! stays resident is the store's alone.
//!
//! `bench_vectors search ROWS QUERIES` and `bench_vectors singles ROWS`.

use anyhow::{Context, bail};
use butterfly_bench::samples::Samples;
use butterfly_bench::talk::mix;
use butterfly_vectors::{Lance, Near, Row, VectorStore, VectorStores};
use std::collections::HashSet;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The length of what small embedding models make.
const DIMENSIONS: usize = 384;

/// Rows of one batch: what the memory worker stores at once.
const BATCH: usize = 64;

/// Rows that speak of one thing. Passages of a person's life come in threads of about this length.
const OF_ONE_THING: usize = 40;

/// Neighbours that are asked for, and of which recall is told.
const K: usize = 10;

/// Conversations that the rows are spread over.
const CONVERSATIONS: i64 = 50;

/// A quiet time after which the store's threads that wait for files have ended.
const REST: Duration = Duration::from_secs(4);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| -> anyhow::Result<usize> {
        Ok(arguments.get(place).context("a number is missing")?.replace('_', "").parse()?)
    };
    let home = tempfile::tempdir()?;
    // As in the memory worker: one thread for the event loop, and the store's own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = match arguments.first().map(String::as_str) {
        Some("search") => runtime.block_on(search(home.path(), number(1)?, number(2)?))?,
        Some("singles") => runtime.block_on(singles(home.path(), number(1)?))?,
        _ => bail!("usage: bench_vectors search ROWS QUERIES | singles ROWS"),
    };
    println!("{told}");
    Ok(())
}

/// Directions as texts have them: subjects, things within a subject, passages around a thing. The same for every run.
struct Texts {
    subjects: Vec<Vec<f32>>,
}

impl Texts {
    fn new() -> Self {
        let subjects = (0..64).map(|n| gaussian(0x5eed_0000 + n)).collect();
        Self { subjects }
    }

    /// What speaks of this thing, in its own way.
    fn vector(&self, thing: u64, way: u64) -> Vec<f32> {
        let subject = &self.subjects[(mix(thing) % self.subjects.len() as u64) as usize];
        let own = gaussian(mix(thing).wrapping_add(1));
        let way = gaussian(mix(way).wrapping_add(2));
        let sum = subject.iter().zip(&own).zip(&way).map(|((subject, own), way)| 0.7 * subject + own + 0.8 * way);
        sum.collect()
    }

    fn row(&self, n: usize, rows: usize) -> Row {
        let things = (rows / OF_ONE_THING).max(1) as u64;
        let vector = self.vector(n as u64 % things, n as u64);
        Row { id: n as i64 + 1, conversation: n as i64 % CONVERSATIONS + 1, vector }
    }
}

/// Numbers that are normally distributed (Box and Muller).
fn gaussian(seed: u64) -> Vec<f32> {
    let uniform = |n: u64| ((mix(seed ^ mix(n)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    let pair = |n: u64| {
        let (length, turn) = ((-2.0 * uniform(2 * n).ln()).sqrt(), std::f64::consts::TAU * uniform(2 * n + 1));
        [(length * turn.cos()) as f32, (length * turn.sin()) as f32]
    };
    (0..DIMENSIONS as u64 / 2).flat_map(pair).collect()
}

async fn search(home: &Path, rows: usize, queries: usize) -> anyhow::Result<serde_json::Value> {
    let texts = Texts::new();
    let stores = Lance::new(home);
    let store = stores.open("bench", DIMENSIONS).await?;
    let filling = Instant::now();
    for start in (0..rows).step_by(BATCH) {
        store.put((start..rows.min(start + BATCH)).map(|n| texts.row(n, rows)).collect()).await?;
    }
    let filled_s = filling.elapsed().as_secs_f64();
    let peak_kib = status("VmHWM:")?;
    let optimizing = Instant::now();
    store.optimize().await?;
    let optimized_s = optimizing.elapsed().as_secs_f64();
    let about = store.summary().await?;
    drop(store);
    tokio::time::sleep(REST).await;
    let closed_kib = status("VmRSS:")?;
    let opening = Instant::now();
    let store = stores.open("bench", DIMENSIONS).await?;
    let open_ms = opening.elapsed().as_secs_f64() * 1e3;
    let things = (rows / OF_ONE_THING).max(1) as u64;
    let asked: Vec<Vec<f32>> = (0..queries as u64).map(|n| texts.vector(mix(n) % things, u64::MAX - n)).collect();
    // The first ones read what the system has not cached yet.
    for query in asked.iter().take(10) {
        store.nearest(query.clone(), K, None).await?;
    }
    let (all, found) = timed(&store, &asked, None).await?;
    let (one, _) = timed(&store, &asked, Some(7)).await?;
    let open_kib = status("VmRSS:")?;
    let (exact, _) = {
        let few = &asked[..asked.len().min(20)];
        let mut took = Samples::default();
        for query in few {
            let since = Instant::now();
            store.exact(query.clone(), K, None).await?;
            took.push(millis(since));
        }
        (took, ())
    };
    // The plain scan: every vector in memory, one after the other, on one core.
    let plain: Vec<f32> = (0..rows).flat_map(|n| unit(texts.row(n, rows).vector)).collect();
    let (mut scans, mut recalled) = (Samples::default(), 0);
    for (query, found) in asked.iter().zip(&found) {
        let query = unit(query.clone());
        let since = Instant::now();
        let best = scan(&plain, &query);
        scans.push(millis(since));
        recalled += found.iter().filter(|near| best.contains(&near.id)).count();
    }
    Ok(serde_json::json!({
        "rows": rows, "index": about.index, "bytes": about.bytes, "filled_s": filled_s, "optimized_s": optimized_s,
        "open_ms": open_ms, "p50_ms": all.median(), "p95_ms": all.quantile(0.95),
        "conversation_p50_ms": one.median(), "conversation_p95_ms": one.quantile(0.95),
        "exact_p50_ms": exact.median(), "scan_p50_ms": scans.median(), "scan_p95_ms": scans.quantile(0.95),
        "recall": recalled as f64 / (K * asked.len()) as f64,
        "open_kib": open_kib, "closed_kib": closed_kib, "peak_kib": peak_kib,
    }))
}

async fn timed(
    store: &Arc<dyn VectorStore>,
    asked: &[Vec<f32>],
    conversation: Option<i64>,
) -> anyhow::Result<(Samples, Vec<Vec<Near>>)> {
    let (mut took, mut found) = (Samples::default(), Vec::new());
    for query in asked {
        let query = query.clone();
        let since = Instant::now();
        found.push(store.nearest(query, K, conversation).await?);
        took.push(millis(since));
    }
    Ok((took, found))
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// The ids of the best, by looking at all.
fn scan(vectors: &[f32], query: &[f32]) -> HashSet<i64> {
    let similarity = |vector: &[f32]| -> f32 {
        let (lanes, _) = vector.as_chunks::<16>();
        let (others, _) = query.as_chunks::<16>();
        let mut sums = [0.0f32; 16];
        for (one, other) in lanes.iter().zip(others) {
            for lane in 0..16 {
                sums[lane] += one[lane] * other[lane];
            }
        }
        sums.iter().sum()
    };
    let mut all: Vec<(f32, i64)> = black_box(vectors)
        .chunks_exact(DIMENSIONS)
        .enumerate()
        .map(|(n, vector)| (similarity(vector), n as i64 + 1))
        .collect();
    all.select_nth_unstable_by(K - 1, |one, other| other.0.total_cmp(&one.0));
    all[..K].iter().map(|(_, id)| *id).collect()
}

async fn singles(home: &Path, rows: usize) -> anyhow::Result<serde_json::Value> {
    let texts = Texts::new();
    let store = Lance::new(home).open("bench", DIMENSIONS).await?;
    let (mut took, mut most) = (Samples::default(), 0);
    for n in 0..rows {
        let row = texts.row(n, rows);
        let since = Instant::now();
        store.put(vec![row]).await?;
        took.push(millis(since));
        if n % 50 == 49 {
            most = most.max(store.summary().await?.bytes);
        }
    }
    let bytes_at_once = store.summary().await?.bytes;
    store.optimize().await?;
    let bytes = store.summary().await?.bytes;
    Ok(serde_json::json!({
        "rows": rows, "p50_ms": took.median(), "p95_ms": took.quantile(0.95), "most_bytes": most,
        "bytes_at_once": bytes_at_once, "bytes": bytes, "plain_bytes": rows * DIMENSIONS * size_of::<f32>(),
        "peak_kib": status("VmHWM:")?,
    }))
}

/// A line of what the system tells of this process, in KiB.
fn status(line: &str) -> anyhow::Result<u64> {
    let found = std::fs::read_to_string("/proc/self/status").context("the system does not say")?;
    let value = found.lines().find_map(|found| found.strip_prefix(line)).context("the system does not say")?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}
