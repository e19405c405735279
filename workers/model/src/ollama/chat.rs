//! `/api/chat`: the request's body, and the NDJSON lines of its answer.

use crate::conversation::{Ending, Foreign, Word};
use crate::http::Complaint;
use crate::request::{Told, Tool, arguments, raw, role, told, tools};
use crate::trouble::Trouble;
use butterfly_api::model::{ChatRequest, Message, Think, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What is asked for beyond the caller's request, as the model at hand allows.
pub struct Fit<'a> {
    pub context_tokens: u32,
    pub tools: bool,
    pub thinking: bool,
    /// The model thinks at levels (gpt-oss), and cannot be told not to.
    pub levels: bool,
    pub keep_alive: Option<&'a str>,
}

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    stream: bool,
    /// What does not fit is an error and not silently dropped (servers from 0.13 on; older ones ignore it).
    truncate: bool,
    shift: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Thought>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a str>,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    num_ctx: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

#[derive(Serialize, Debug, PartialEq, Eq)]
#[serde(untagged)]
enum Thought {
    Switch(bool),
    Level(&'static str),
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    images: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    function: CalledFunction<'a>,
}

#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

/// The body of a request.
///
/// # Errors
/// When the caller's JSON texts (schema, arguments, format) are none.
pub fn body<'a>(model: &'a str, request: &'a ChatRequest, fit: &Fit<'a>) -> Result<Body<'a>, Trouble> {
    let tools = if fit.tools { tools(request)? } else { Vec::new() };
    let messages = told(&request.messages).map(|told| said(told, &request.messages)).collect::<Result<_, _>>()?;
    Ok(Body {
        model,
        messages,
        tools,
        stream: true,
        truncate: false,
        shift: false,
        think: thought(request.think, fit),
        format: request.format.as_deref().map(|format| raw(format, "the format")).transpose()?,
        keep_alive: fit.keep_alive,
        options: Options {
            num_ctx: fit.context_tokens,
            num_predict: request.max_tokens,
            temperature: request.temperature,
        },
    })
}

fn said<'a>(told: Told<'a>, all: &'a [Message]) -> Result<Said<'a>, Trouble> {
    let message = told.message;
    let called = |call: &'a ToolCall| {
        let arguments = raw(arguments(call), &format!("the arguments of the call {}", call.id))?;
        Ok(Called { id: &call.id, function: CalledFunction { name: &call.name, arguments } })
    };
    let answered = message.tool_call_id.as_deref();
    let name_of = |id: &str| {
        let mut calls = all.iter().flat_map(|message| &message.tool_calls);
        calls.find(|call| call.id == id).map(|call| call.name.as_str())
    };
    Ok(Said {
        role: role(message.role),
        content: told.content,
        thinking: told.thinking,
        images: &message.images,
        tool_calls: message.tool_calls.iter().map(called).collect::<Result<_, Trouble>>()?,
        tool_name: answered.and_then(name_of),
        tool_call_id: answered,
    })
}

fn thought(think: Think, fit: &Fit<'_>) -> Option<Thought> {
    if !fit.thinking {
        return None;
    }
    match (think, fit.levels) {
        (Think::Default, _) => None,
        (Think::Off | Think::Low, true) => Some(Thought::Level("low")),
        (Think::Medium, true) => Some(Thought::Level("medium")),
        (Think::High, true) => Some(Thought::Level("high")),
        (Think::Off, false) => Some(Thought::Switch(false)),
        (Think::Low | Think::Medium | Think::High, false) => Some(Thought::Switch(true)),
    }
}

/// Reads the answer.
pub struct Decoder {
    calls: usize,
}

impl Decoder {
    /// `calls`: tool calls that the conversation holds already; ids that are made up count on from there.
    pub fn new(calls: usize) -> Self {
        Self { calls }
    }
}

#[derive(Deserialize)]
struct Line {
    message: Option<Part>,
    done: Option<bool>,
    done_reason: Option<String>,
    prompt_eval_count: Option<u32>,
    eval_count: Option<u32>,
    /// In ns.
    load_duration: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Part {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Deserialize)]
struct CallPart {
    id: Option<String>,
    function: FunctionPart,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: String,
    arguments: Option<Box<RawValue>>,
}

impl crate::conversation::Decoder for Decoder {
    fn line(&mut self, line: &[u8], words: &mut Vec<Word>) -> Result<(), Foreign> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let line: Line = serde_json::from_slice(line).map_err(|_| Foreign)?;
        if let Some(error) = line.error {
            words.push(Word::Error(Complaint::of(&error)));
            return Ok(());
        }
        if line.message.is_none() && line.done.is_none() {
            return Err(Foreign);
        }
        if let Some(part) = line.message {
            if let Some(thinking) = part.thinking.filter(|text| !text.is_empty()) {
                words.push(Word::Thinking(thinking));
            }
            if let Some(text) = part.content.filter(|text| !text.is_empty()) {
                words.push(Word::Text(text));
            }
            for call in part.tool_calls.unwrap_or_default() {
                self.calls += 1;
                let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call-{}", self.calls));
                let arguments = call.function.arguments.map_or("{}".to_owned(), |raw| raw.get().to_owned());
                words.push(Word::ToolCall(ToolCall { id, name: call.function.name, arguments }));
            }
        }
        if line.done == Some(true) {
            words.push(Word::Done(Ending {
                length: line.done_reason.as_deref() == Some("length"),
                input_tokens: line.prompt_eval_count,
                output_tokens: line.eval_count,
                load_ms: u32::try_from(line.load_duration.unwrap_or_default() / 1_000_000).unwrap_or(u32::MAX),
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Decoder as _;
    use butterfly_api::model::{Role, ToolSpec};

    fn words(lines: &[&str]) -> Result<Vec<Word>, Foreign> {
        let mut decoder = Decoder::new(1);
        let mut words = Vec::new();
        for line in lines {
            decoder.line(line.as_bytes(), &mut words)?;
        }
        Ok(words)
    }

    #[test]
    fn thinking_text_tool_calls_and_the_end_are_read() {
        let found = words(&[
            r#"{"model":"m","created_at":"x","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
            "",
            r#"{"message":{"role":"assistant","content":"gr\u00fcn"},"done":false}"#,
            r#"{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a": 1}}},{"id":"call_9","function":{"name":"g"}}]},"done":false}"#,
            r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","load_duration":1500000000,"prompt_eval_count":7,"eval_count":3}"#,
        ]);
        let call = |id: &str, name: &str, arguments: &str| {
            Word::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
        };
        assert_eq!(
            found.unwrap(),
            [
                Word::Thinking("hm".into()),
                Word::Text("grün".into()),
                call("call-2", "f", r#"{"a": 1}"#),
                call("call_9", "g", "{}"),
                Word::Done(Ending { length: false, input_tokens: Some(7), output_tokens: Some(3), load_ms: 1500 }),
            ]
        );
    }

    #[test]
    fn an_error_line_is_no_end_and_a_foreign_line_is_refused() {
        let error = Word::Error(Complaint { text: "boom".into(), limit_tokens: 0 });
        assert_eq!(words(&[r#"{"error":"boom"}"#]).unwrap(), [error]);
        for line in ["<html>", "data: {}", "{\"hello\":1}", "[1]", "\u{fffd}"] {
            assert_eq!(words(&[line]), Err(Foreign), "{line}");
        }
    }

    #[test]
    fn the_body_says_all_that_ollama_needs() {
        let mut asked = Message::new(Role::Assistant, "");
        asked.thinking = "let me look".into();
        asked.tool_calls.push(ToolCall { id: "c1".into(), name: "look".into(), arguments: r#"{"at":"sky"}"#.into() });
        let mut result = Message::new(Role::Tool, "blue");
        result.tool_call_id = Some("c1".into());
        let mut earlier = Message::new(Role::Assistant, "Yes.");
        earlier.thinking = "old".into();
        let mut seen = Message::new(Role::User, "What colour?");
        seen.images.push("aGk=".into());
        let request = ChatRequest {
            model: None,
            purpose: butterfly_api::model::Purpose::Chat,
            recalled: Vec::new(),
            messages: vec![Message::new(Role::System, "Be kind."), earlier, seen, asked, result],
            tools: vec![ToolSpec {
                name: "look".into(),
                description: "Looks.".into(),
                parameters: r#"{"type":"object"}"#.into(),
            }],
            think: Think::High,
            context_tokens: None,
            max_tokens: Some(99),
            temperature: Some(0.5),
            format: Some(r#"{"type":"string"}"#.into()),
        };
        let fit = Fit { context_tokens: 8192, tools: true, thinking: true, levels: true, keep_alive: Some("10m") };
        let found = serde_json::to_value(body("gpt-oss:20b", &request, &fit).unwrap()).unwrap();
        let expected = serde_json::json!({
            "model": "gpt-oss:20b",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "assistant", "content": "Yes."},
                {"role": "user", "content": "What colour?", "images": ["aGk="]},
                {"role": "assistant", "content": "", "thinking": "let me look",
                 "tool_calls": [{"id": "c1", "function": {"name": "look", "arguments": {"at": "sky"}}}]},
                {"role": "tool", "content": "blue", "tool_name": "look", "tool_call_id": "c1"},
            ],
            "tools": [{"type": "function",
                "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}],
            "stream": true, "truncate": false, "shift": false, "think": "high", "format": {"type": "string"},
            "keep_alive": "10m", "options": {"num_ctx": 8192, "num_predict": 99, "temperature": 0.5},
        });
        assert_eq!(found, expected);

        let bad = ChatRequest { format: Some("{".into()), ..request };
        assert!(matches!(body("m", &bad, &fit), Err(Trouble::Call(_))));
    }

    #[test]
    fn thinking_is_asked_for_as_the_model_understands_it() {
        let fit = |thinking, levels| Fit { context_tokens: 1, tools: true, thinking, levels, keep_alive: None };
        assert_eq!(thought(Think::High, &fit(false, false)), None, "a model that cannot think is not asked to");
        assert_eq!(thought(Think::Default, &fit(true, true)), None);
        assert_eq!(thought(Think::Off, &fit(true, true)), Some(Thought::Level("low")));
        assert_eq!(thought(Think::Off, &fit(true, false)), Some(Thought::Switch(false)));
        assert_eq!(thought(Think::Medium, &fit(true, false)), Some(Thought::Switch(true)));
    }
}
