//! What a caller's request says to a model, whatever the protocol: the tools, and each message's words.

use crate::trouble::Trouble;
use butterfly_api::model::{ChatRequest, Message, Role, ToolCall};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A tool as both protocols write it.
#[derive(Serialize)]
pub struct Tool<'a> {
    r#type: &'static str,
    function: ToolFunction<'a>,
}

#[derive(Serialize)]
struct ToolFunction<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
}

/// The tools of a request.
///
/// # Errors
/// When the parameters of one are no JSON.
pub fn tools(request: &ChatRequest) -> Result<Vec<Tool<'_>>, Trouble> {
    let mut tools = Vec::with_capacity(request.tools.len());
    for tool in &request.tools {
        let parameters = raw(&tool.parameters, &format!("the parameters of tool {}", tool.name))?;
        let function = ToolFunction { name: &tool.name, description: &tool.description, parameters };
        tools.push(Tool { r#type: "function", function });
    }
    Ok(tools)
}

/// A message as a model is told it.
pub struct Told<'a> {
    pub message: &'a Message,
    pub content: Cow<'a, str>,
    /// Empty where it is of an earlier turn: only the one at hand needs its thinking again, since gpt-oss goes on from it
    /// after a tool's result.
    pub thinking: &'a str,
}

/// The messages of a request, without those that stand inside another.
pub fn told(messages: &[Message]) -> impl Iterator<Item = Told<'_>> {
    let asked = messages.iter().rposition(|message| message.role == Role::User).unwrap_or_default();
    messages.iter().enumerate().filter_map(move |(at, message)| {
        let thinking = if at > asked { message.thinking.as_str() } else { "" };
        Some(Told { message, content: content(messages, at)?, thinking })
    })
}

/// What a message says to a model; `None` where it is an aside: a system message in the middle, which many chat templates
/// refuse or lose, stands before the words of the person's message that it precedes.
fn content(messages: &[Message], at: usize) -> Option<Cow<'_, str>> {
    let message = &messages[at];
    match message.role {
        Role::System if at > 0 => {
            let next = messages[at..].iter().find(|message| message.role != Role::System);
            next.is_none_or(|next| next.role != Role::User).then_some(Cow::Borrowed(message.content.as_str()))
        }
        Role::User => {
            let before = messages.get(1..at).unwrap_or_default();
            let asides = before.iter().rev().take_while(|message| message.role == Role::System).count();
            let mut parts: Vec<_> =
                before[before.len() - asides..].iter().map(|aside| aside.content.as_str()).collect();
            if parts.is_empty() {
                return Some(Cow::Borrowed(message.content.as_str()));
            }
            parts.push(&message.content);
            Some(Cow::Owned(parts.join("\n\n")))
        }
        Role::System | Role::Assistant | Role::Tool => Some(Cow::Borrowed(message.content.as_str())),
    }
}

/// The protocol's word for a role; OpenAI's is the same.
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

/// The arguments of a call as JSON: a call without any has an empty object.
pub fn arguments(call: &ToolCall) -> &str {
    if call.arguments.trim().is_empty() { "{}" } else { &call.arguments }
}

/// A caller's JSON text, passed on as it is.
pub fn raw<'a>(text: &'a str, what: &str) -> Result<&'a RawValue, Trouble> {
    serde_json::from_str(text).map_err(|fault| Trouble::argument(format!("{what} is no JSON: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_in_the_middle_stands_before_the_persons_words() {
        let said = |role, text: &str| Message::new(role, text);
        let messages = [
            said(Role::System, "Be kind."),
            said(Role::User, "Hi."),
            said(Role::Assistant, "Hello."),
            said(Role::System, "Quotes."),
            said(Role::System, "More."),
            said(Role::User, "Where?"),
            said(Role::System, "The end."),
        ];
        let found: Vec<_> = told(&messages).map(|told| told.content).collect();
        assert_eq!(found, ["Be kind.", "Hi.", "Hello.", "Quotes.\n\nMore.\n\nWhere?", "The end."]);
    }
}
