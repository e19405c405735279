//! Ollama's native protocol: NDJSON.

use super::answer::{Gone, Pen, Stream, Writer, open};
use super::library::{Installed, LAYERS, REPORT_BYTES, digest, rfc3339};
use super::scenario::{Ending, Step};
use super::state::{Progress, State};
use super::vectors;
use hyper::Response;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

pub(super) const NDJSON: &str = "application/x-ndjson";

pub(super) fn line(value: &Value) -> Vec<u8> {
    let mut bytes = value.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// Writes the answer of `/api/chat`.
pub(super) struct Chat {
    model: String,
    began: Instant,
    input: usize,
    output: usize,
}

impl Chat {
    pub(super) fn new(body: &Value) -> Self {
        Self {
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            began: Instant::now(),
            input: body["messages"].to_string().len() / 4,
            output: 0,
        }
    }

    fn say(&self, message: &Value) -> Vec<u8> {
        line(&json!({
            "model": self.model, "created_at": rfc3339(SystemTime::now()), "message": message, "done": false,
        }))
    }
}

impl Writer for Chat {
    fn step(&mut self, step: &Step) -> Vec<u8> {
        self.output += 1;
        match step {
            Step::Thinking(text) => self.say(&json!({ "role": "assistant", "content": "", "thinking": text })),
            Step::Text(text) => self.say(&json!({ "role": "assistant", "content": text })),
            Step::Call { id, name, arguments } => {
                let mut call = json!({ "function": { "index": 0, "name": name, "arguments": arguments } });
                if let Some(id) = id {
                    call["id"] = json!(id);
                }
                self.say(&json!({ "role": "assistant", "content": "", "tool_calls": [call] }))
            }
            Step::Raw(bytes) => bytes.clone(),
            Step::Hold => Vec::new(),
        }
    }

    fn end(&mut self, length: bool) -> Vec<u8> {
        let total = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        line(&json!({
            "model": self.model, "created_at": rfc3339(SystemTime::now()),
            "message": { "role": "assistant", "content": "" },
            "done": true, "done_reason": if length { "length" } else { "stop" },
            "total_duration": total, "load_duration": 25_000_000, "prompt_eval_count": self.input,
            "prompt_eval_duration": total / 4, "eval_count": self.output, "eval_duration": total / 2,
        }))
    }

    fn error(&self, message: &str) -> Vec<u8> {
        line(&json!({ "error": message }))
    }
}

/// `/api/embed`: a vector per text, that depends on the text alone.
pub(super) fn embed(body: &Value) -> Value {
    json!({
        "model": body["model"], "embeddings": vectors::of(body, &texts(body)),
        "total_duration": 14_143_917, "load_duration": 1_019_500, "prompt_eval_count": 8,
    })
}

pub(super) fn texts(body: &Value) -> Vec<String> {
    match &body["input"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// `/api/pull`: the layers, resumed where they were left; `cut` ends it early after so many new bytes.
pub(super) fn pull(
    progress: Progress,
    state: Arc<State>,
    model: &str,
    cut: Option<(u64, Ending)>,
) -> io::Result<Response<Stream>> {
    let (pen, response) = open(progress, NDJSON, None)?;
    let model = model.to_owned();
    tokio::spawn(async move {
        let _ = fetch(&state, &model, cut, &pen).await;
    });
    Ok(response)
}

async fn fetch(state: &State, model: &str, cut: Option<(u64, Ending)>, pen: &Pen) -> Result<(), Gone> {
    let mut left = cut.as_ref().map(|(bytes, _)| *bytes);
    pen.write(line(&json!({ "status": "pulling manifest" }))).await?;
    for (at, total) in LAYERS.into_iter().enumerate() {
        let digest = digest(model, at);
        let status = format!("pulling {}", &digest["sha256:".len()..][..12]);
        let mut completed = state.library().fetched.get(&digest).copied().unwrap_or_default();
        let report = |completed: u64| {
            let mut report = json!({ "status": status, "digest": digest, "total": total });
            // Go leaves a zero out.
            if completed > 0 {
                report["completed"] = json!(completed);
            }
            line(&report)
        };
        pen.write(report(completed)).await?;
        while completed < total {
            let step = REPORT_BYTES.min(total - completed).min(left.unwrap_or(u64::MAX));
            if step == 0 {
                match cut {
                    Some((_, Ending::Stall)) => pen.stall().await,
                    _ => pen.cut().await,
                }
                return Ok(());
            }
            left = left.map(|left| left - step);
            completed += step;
            state.library().fetched.insert(digest.clone(), completed);
            pen.write(report(completed)).await?;
        }
    }
    for status in ["verifying sha256 digest", "writing manifest"] {
        pen.write(line(&json!({ "status": status }))).await?;
    }
    state.library().install(Installed::chat(model));
    pen.write(line(&json!({ "status": "success" }))).await
}
