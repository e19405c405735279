//! OpenAI's protocol, as Ollama, vLLM, llama.cpp and LM Studio speak it: server-sent events.

use super::answer::Writer;
use super::api::texts;
use super::scenario::{Play, Step};
use super::vectors;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn event(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

/// Writes the answer of `/v1/chat/completions`.
pub(super) struct Chat {
    model: String,
    created: u64,
    begun: bool,
    calls: usize,
    input: usize,
    output: usize,
    include_usage: bool,
    reasoning: &'static str,
    same_index: bool,
}

impl Chat {
    pub(super) fn new(body: &Value, play: &Play) -> Self {
        Self {
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            created: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            begun: false,
            calls: 0,
            input: body["messages"].to_string().len() / 4,
            output: 0,
            include_usage: body["stream_options"]["include_usage"] == true && !play.without_usage,
            reasoning: if play.reasoning_content { "reasoning_content" } else { "reasoning" },
            same_index: play.same_index,
        }
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "system_fingerprint": "fp_kit", "choices": choices,
        })
    }

    fn delta(&mut self, mut delta: Value) -> Vec<u8> {
        if !self.begun {
            self.begun = true;
            delta["role"] = json!("assistant");
        }
        event(&self.chunk(&json!([{ "index": 0, "delta": delta, "finish_reason": null }])))
    }

    /// The name first, then the arguments in two pieces without an id, as OpenAI sends them.
    fn call(&mut self, id: Option<&str>, name: &str, arguments: &Value) -> Vec<u8> {
        let index = if self.same_index { 0 } else { self.calls };
        self.calls += 1;
        let arguments = arguments.to_string();
        let (head, tail) = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
        let mut first = json!({ "index": index, "type": "function", "function": { "name": name, "arguments": "" } });
        if let Some(id) = id {
            first["id"] = json!(id);
        }
        let mut bytes = self.delta(json!({ "tool_calls": [first] }));
        for piece in [head, tail] {
            let piece = json!({ "index": index, "function": { "arguments": piece } });
            bytes.extend(self.delta(json!({ "tool_calls": [piece] })));
        }
        bytes
    }
}

impl Writer for Chat {
    fn step(&mut self, step: &Step) -> Vec<u8> {
        self.output += 1;
        match step {
            Step::Thinking(text) => self.delta(json!({ self.reasoning: text })),
            Step::Text(text) => self.delta(json!({ "content": text })),
            Step::Call { id, name, arguments } => self.call(id.as_deref(), name, arguments),
            Step::Raw(bytes) => bytes.clone(),
            Step::Hold => Vec::new(),
        }
    }

    fn end(&mut self, length: bool) -> Vec<u8> {
        let reason = match (self.calls > 0, length) {
            (true, _) => "tool_calls",
            (false, true) => "length",
            (false, false) => "stop",
        };
        let mut bytes = event(&self.chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": reason }])));
        if self.include_usage {
            let mut usage = self.chunk(&json!([]));
            usage["usage"] = json!({
                "prompt_tokens": self.input, "completion_tokens": self.output,
                "total_tokens": self.input + self.output,
            });
            bytes.extend(event(&usage));
        }
        bytes.extend_from_slice(b"data: [DONE]\n\n");
        bytes
    }

    fn error(&self, message: &str) -> Vec<u8> {
        event(&json!({ "error": { "message": message, "type": "server_error", "code": null } }))
    }
}

/// `/v1/embeddings`, in the reverse order, which the protocol's index allows.
pub(super) fn embed(body: &Value) -> Value {
    let texts = texts(body);
    let data: Vec<_> = vectors::of(body, &texts)
        .into_iter()
        .enumerate()
        .rev()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }))
        .collect();
    json!({
        "object": "list", "data": data, "model": body["model"],
        "usage": { "prompt_tokens": 8, "total_tokens": 8 },
    })
}
