//! `/chat/completions`: the request's body, and the events of its answer.

use super::sse::Events;
use crate::conversation::{Ending, Foreign, Word};
use crate::http::Complaint;
use crate::request::{Told, Tool, arguments, raw, role, told, tools};
use crate::trouble::Trouble;
use butterfly_api::model::{ChatRequest, Think, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Value,
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning_content: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

/// Here arguments are text that holds JSON.
#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    json_schema: Schema<'a>,
}

#[derive(Serialize)]
struct Schema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a RawValue,
}

/// The body of a request.
///
/// # Errors
/// When the caller's JSON texts (schema, format) are none.
pub fn body<'a>(model: &'a str, request: &'a ChatRequest) -> Result<Body<'a>, Trouble> {
    let tools = tools(request)?;
    let format = request.format.as_deref().map(|format| raw(format, "the format")).transpose()?;
    Ok(Body {
        model,
        messages: told(&request.messages).map(said).collect(),
        tools,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        reasoning_effort: effort(request.think),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        response_format: format.map(|schema| Format {
            r#type: "json_schema",
            json_schema: Schema { name: "answer", strict: true, schema },
        }),
    })
}

fn said(told: Told<'_>) -> Said<'_> {
    let message = told.message;
    let content = if message.images.is_empty() {
        Value::String(told.content.into_owned())
    } else {
        let text = json!({"type": "text", "text": told.content});
        let images = message.images.iter().map(|image| {
            json!({"type": "image_url", "image_url": {"url": format!("data:{};base64,{image}", media_type(image))}})
        });
        Value::Array(std::iter::once(text).chain(images).collect())
    };
    Said {
        role: role(message.role),
        content,
        reasoning_content: told.thinking,
        tool_calls: message.tool_calls.iter().map(called).collect(),
        tool_call_id: message.tool_call_id.as_deref(),
    }
}

fn called(call: &ToolCall) -> Called<'_> {
    let function = CalledFunction { name: &call.name, arguments: arguments(call) };
    Called { id: &call.id, r#type: "function", function }
}

/// The kind of an image, by how its first bytes look in base64.
fn media_type(image: &str) -> &'static str {
    match image.get(..4) {
        Some("/9j/") => "image/jpeg",
        Some("R0lG") => "image/gif",
        Some("UklG") => "image/webp",
        Some(_) | None => "image/png",
    }
}

/// `none` is not understood everywhere; the least that is understood everywhere comes closest to off.
const fn effort(think: Think) -> Option<&'static str> {
    match think {
        Think::Default => None,
        Think::Off | Think::Low => Some("low"),
        Think::Medium => Some("medium"),
        Think::High => Some("high"),
    }
}

/// Reads the answer. Tool calls come in pieces, and are passed on whole at the end mark.
pub struct Decoder {
    events: Events,
    /// Calls that the conversation holds already; ids that are made up count on from there.
    before: usize,
    calls: Vec<Piece>,
    ending: Ending,
}

/// A tool call as far as it has come.
struct Piece {
    index: Option<u32>,
    call: ToolCall,
}

impl Decoder {
    pub fn new(before: usize) -> Self {
        Self { events: Events::default(), before, calls: Vec::new(), ending: Ending::default() }
    }
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
    /// Ollama, newer vLLM, LM Studio.
    reasoning: Option<String>,
    /// llama.cpp, DeepSeek, older vLLM.
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<u32>,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

impl crate::conversation::Decoder for Decoder {
    fn line(&mut self, line: &[u8], words: &mut Vec<Word>) -> Result<(), Foreign> {
        let data = match self.events.line(line) {
            Ok(Some(data)) => data,
            Ok(None) => return Ok(()),
            // Some servers report an error under status 200 as bare JSON.
            Err(Foreign) => {
                words.push(Word::Error(Complaint::parse(line).ok_or(Foreign)?));
                return Ok(());
            }
        };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            words.extend(self.calls.drain(..).map(|piece| Word::ToolCall(piece.call)));
            words.push(Word::Done(self.ending.clone()));
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| Foreign)?;
        self.chunk(chunk, words)
    }
}

impl Decoder {
    fn chunk(&mut self, chunk: Chunk, words: &mut Vec<Word>) -> Result<(), Foreign> {
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            words.push(Word::Error(Complaint::of(&error)));
            return Ok(());
        }
        if chunk.choices.is_none() && chunk.usage.is_none() {
            return Err(Foreign);
        }
        if let Some(usage) = chunk.usage {
            self.ending.input_tokens = usage.prompt_tokens.or(self.ending.input_tokens);
            self.ending.output_tokens = usage.completion_tokens.or(self.ending.output_tokens);
        }
        // One answer was asked for; of several choices only the first could be it.
        let Some(choice) = chunk.choices.unwrap_or_default().into_iter().next() else { return Ok(()) };
        let delta = choice.delta.unwrap_or_default();
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(thinking) = text(delta.reasoning).or(text(delta.reasoning_content)) {
            words.push(Word::Thinking(thinking));
        }
        if let Some(content) = text(delta.content) {
            words.push(Word::Text(content));
        }
        for piece in delta.tool_calls.unwrap_or_default() {
            self.piece(piece);
        }
        if choice.finish_reason.as_deref() == Some("length") {
            self.ending.length = true;
        }
        Ok(())
    }

    /// A new id is a new call, whatever its index: some servers give all parallel calls index 0. A piece without an id
    /// belongs to the last call of its index, or to the last call at all.
    fn piece(&mut self, piece: CallDelta) {
        let id = piece.id.filter(|id| !id.is_empty());
        let known = match &id {
            Some(id) => self.calls.iter().rposition(|known| known.call.id == *id),
            None => {
                let same = self.calls.iter().rposition(|known| piece.index.is_some() && known.index == piece.index);
                if piece.index.is_some() { same } else { self.calls.len().checked_sub(1) }
            }
        };
        let at = known.unwrap_or_else(|| {
            let id = id.unwrap_or_else(|| format!("call-{}", self.before + self.calls.len() + 1));
            let call = ToolCall { id, name: String::new(), arguments: String::new() };
            self.calls.push(Piece { index: piece.index, call });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at].call;
        let Some(function) = piece.function else { return };
        if let Some(name) = function.name
            && call.name.is_empty()
        {
            call.name = name;
        }
        match function.arguments {
            Some(Value::String(text)) => call.arguments.push_str(&text),
            Some(Value::Null) | None => {}
            // Against the protocol, and seen all the same: the object itself.
            Some(object) => call.arguments.push_str(&object.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Decoder as _;
    use butterfly_api::model::{Message, Role};

    fn words(events: &[&str]) -> Result<Vec<Word>, Foreign> {
        let mut decoder = Decoder::new(0);
        let mut words = Vec::new();
        for event in events {
            decoder.line(format!("data: {event}").as_bytes(), &mut words)?;
            decoder.line(b"", &mut words)?;
        }
        Ok(words)
    }

    fn call(id: &str, name: &str, arguments: &str) -> Word {
        Word::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
    }

    #[test]
    fn reasoning_text_and_usage_are_read() {
        let found = words(&[
            r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"so"}}]}"#,
            r#"{"choices":[{"delta":{"content":"Blue"}}],"usage":null}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#,
            "[DONE]",
        ]);
        let ending = Ending { length: true, input_tokens: Some(7), output_tokens: Some(3), load_ms: 0 };
        let expected =
            [Word::Thinking("hm".into()), Word::Thinking("so".into()), Word::Text("Blue".into()), Word::Done(ending)];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn calls_are_joined_by_id_and_index() {
        let found = words(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}},{"index":0,"function":{"arguments":"1}"}}]}}]}"#,
            "[DONE]",
        ]);
        let expected = [call("a", "f", r#"{"x":1}"#), call("b", "g", "{}"), Word::Done(Ending::default())];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_new_id_is_a_new_call_even_with_index_0() {
        let found = words(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"2}"}}]}}]}"#,
            "[DONE]",
        ]);
        let expected = [call("a", "f", r#"{"x":1}"#), call("b", "f", r#"{"x":2}"#), Word::Done(Ending::default())];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn calls_without_an_id_get_one() {
        let found = words(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{"x":1}}},{"index":1,"function":{"name":"g"}}]}}]}"#,
            "[DONE]",
        ]);
        let expected = [call("call-1", "f", r#"{"x":1}"#), call("call-2", "g", ""), Word::Done(Ending::default())];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn an_error_event_is_no_end_and_a_foreign_one_is_refused() {
        let error = Word::Error(Complaint { text: "boom".into(), limit_tokens: 0 });
        assert_eq!(words(&[r#"{"error":{"message":"boom","type":"server_error"}}"#]).unwrap(), [error]);
        for event in ["<html>", r#"{"hello":1}"#, "[1]"] {
            assert_eq!(words(&[event]), Err(Foreign), "{event}");
        }
    }

    #[test]
    fn the_body_keeps_calls_images_and_thinking() {
        let mut seen = Message::new(Role::User, "What is this?");
        seen.images.push("/9j/4AAQ".into());
        let mut asked = Message::new(Role::Assistant, "");
        asked.thinking = "let me look".into();
        asked.tool_calls.push(ToolCall { id: "c1".into(), name: "look".into(), arguments: String::new() });
        let mut result = Message::new(Role::Tool, "a cat");
        result.tool_call_id = Some("c1".into());
        let request = ChatRequest {
            model: None,
            purpose: butterfly_api::model::Purpose::Chat,
            recalled: Vec::new(),
            messages: vec![seen, asked, result],
            tools: Vec::new(),
            think: Think::Medium,
            context_tokens: None,
            max_tokens: Some(9),
            temperature: None,
            format: Some(r#"{"type":"object"}"#.into()),
        };
        let found = serde_json::to_value(body("m", &request).unwrap()).unwrap();
        let expected = json!({
            "model": "m",
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQ"}}]},
                {"role": "assistant", "content": "", "reasoning_content": "let me look",
                 "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
                {"role": "tool", "content": "a cat", "tool_call_id": "c1"},
            ],
            "stream": true, "stream_options": {"include_usage": true}, "reasoning_effort": "medium", "max_tokens": 9,
            "response_format": {"type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}}},
        });
        assert_eq!(found, expected);
    }
}
