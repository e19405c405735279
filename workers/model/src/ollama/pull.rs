//! `/api/pull`: fetching a model, with progress. The server keeps what it has of a layer, so asking again resumes.

use crate::http::{Complaint, Http, Stop, encode};
use crate::sentence::{self, About};
use crate::trouble::{Again, Trouble};
use butterfly_api::model::{Cause, ModelError, PullProgress, Pulled};
use butterfly_client::Outlet;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

/// Attempts in a row that may bring nothing new.
const FRUITLESS: u32 = 5;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
}

#[derive(Deserialize)]
struct Line {
    status: Option<String>,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    total: u64,
    /// Absent until the first byte of a layer has come.
    #[serde(default)]
    completed: u64,
    error: Option<Value>,
}

/// Fetches a model.
pub async fn pull(http: &Http, model: &str, out: &mut Outlet<PullProgress>) -> Result<Pulled, Trouble> {
    let about = http.about(model, 0);
    let body = encode(&Body { model, stream: true })?;
    let mut report = Report::new(http, out);
    let mut fruitless = 0;
    loop {
        let before = report.farthest;
        let trouble = match attempt(http, &about, &body, &mut report).await {
            Ok(()) => return Ok(Pulled { model: model.to_owned() }),
            Err(trouble) => trouble,
        };
        fruitless = if report.farthest > before { 0 } else { fruitless + 1 };
        let again = match &trouble {
            Trouble::Call(_) => Again::Never,
            // A server that was there is being restarted.
            Trouble::Model { error, .. } if error.cause == Cause::ServerNotRunning && report.farthest > 0 => {
                Again::Backoff
            }
            Trouble::Model { again, .. } => *again,
        };
        if again == Again::Never || fruitless >= FRUITLESS {
            return Err(trouble);
        }
        report.resuming().await?;
        tokio::time::sleep(http.timeouts().backoff * (1 << fruitless)).await;
    }
}

async fn attempt(http: &Http, about: &About<'_>, body: &[u8], report: &mut Report<'_>) -> Result<(), Trouble> {
    let mut lines = report.wait(about, http.open(about, "/api/pull", body.to_vec())).await??;
    loop {
        let more = match report.wait(about, lines.fill()).await? {
            Ok(more) => more,
            Err(Stop::Broken) => return Err(cut_short(about)),
            Err(Stop::TooLong) => {
                return Err(sentence::not_the_protocol(about, "it sent a line longer than 1 MiB").into());
            }
        };
        while let Some(line) = lines.next() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Ok(line) = serde_json::from_slice::<Line>(line) else {
                return Err(sentence::not_the_protocol(about, "a line of its answer is not JSON").into());
            };
            if let Some(error) = line.error {
                return Err(refused(about, &Complaint::of(&error)));
            }
            let status = line.status.unwrap_or_default();
            let done = status == "success";
            let progress = PullProgress {
                status,
                digest: line.digest,
                total_bytes: line.total,
                completed_bytes: line.completed.min(line.total),
            };
            report.take(progress).await?;
            if done {
                return Ok(());
            }
        }
        if !more {
            return Err(cut_short(about));
        }
    }
}

fn cut_short(about: &About<'_>) -> Trouble {
    Trouble::from(sentence::truncated(about)).again(Again::Backoff)
}

/// What the server could not do. That the registry is out of reach passes; that it has no such model does not.
fn refused(about: &About<'_>, complaint: &Complaint) -> Trouble {
    let text = complaint.text.to_ascii_lowercase();
    if text.contains("does not exist") || text.contains("not found") || text.contains("no such model") {
        let message = format!(
            "There is no model named {} to fetch; look the name up at https://ollama.com/library.",
            about.model
        );
        return ModelError::new(Cause::ModelMissing { model: about.model.to_owned() }, message).into();
    }
    if text.contains("no space left") || text.contains("newer version") || text.contains("requires a newer") {
        return sentence::mid_stream(about, &complaint.text).into();
    }
    Trouble::from(sentence::mid_stream(about, &complaint.text)).again(Again::Backoff)
}

/// Passes progress on, not more often than a person can see, and keeps the stream alive while nothing comes.
struct Report<'a> {
    http: &'a Http,
    out: &'a mut Outlet<PullProgress>,
    last: PullProgress,
    sent: Instant,
    /// Bytes of all layers that have come, over all attempts: whether there is any progress.
    farthest: u64,
    layers: Vec<(String, u64)>,
}

impl<'a> Report<'a> {
    fn new(http: &'a Http, out: &'a mut Outlet<PullProgress>) -> Self {
        let last = PullProgress {
            status: "asking the server".to_owned(),
            digest: String::new(),
            total_bytes: 0,
            completed_bytes: 0,
        };
        Self { http, out, last, sent: Instant::now(), farthest: 0, layers: Vec::new() }
    }

    async fn take(&mut self, progress: PullProgress) -> Result<(), Trouble> {
        self.count(&progress);
        let same = self.last.status == progress.status && self.last.digest == progress.digest;
        let whole = progress.completed_bytes == progress.total_bytes && self.last != progress;
        let due = self.sent.elapsed() >= self.http.timeouts().pull_report;
        self.last = progress;
        if same && !whole && !due { Ok(()) } else { self.send().await }
    }

    fn count(&mut self, progress: &PullProgress) {
        if progress.digest.is_empty() {
            return;
        }
        let at = self.layers.iter().position(|(digest, _)| *digest == progress.digest);
        let at = at.unwrap_or_else(|| {
            self.layers.push((progress.digest.clone(), 0));
            self.layers.len() - 1
        });
        let had = &mut self.layers[at].1;
        if progress.completed_bytes > *had {
            self.farthest += progress.completed_bytes - *had;
            *had = progress.completed_bytes;
        }
    }

    async fn resuming(&mut self) -> Result<(), Trouble> {
        "the connection was lost, resuming".clone_into(&mut self.last.status);
        self.send().await
    }

    async fn send(&mut self) -> Result<(), Trouble> {
        self.sent = Instant::now();
        Ok(self.out.send(&self.last).await?)
    }

    /// Waits for the server; meanwhile the last progress is repeated now and then, so that the call is seen to live.
    async fn wait<T>(&mut self, about: &About<'_>, work: impl Future<Output = T>) -> Result<T, Trouble> {
        let mut work = std::pin::pin!(work);
        let limit = self.http.timeouts().pull_idle;
        let end = Instant::now() + limit;
        loop {
            let next = Instant::now() + self.http.timeouts().next_notice;
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = tokio::time::sleep_until(end) => {
                    let error = sentence::timed_out(about, "no progress", limit);
                    return Err(Trouble::from(error).again(Again::Backoff));
                }
                () = tokio::time::sleep_until(next) => self.send().await?,
            }
        }
    }
}
