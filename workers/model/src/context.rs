//! How many tokens of context to ask for. Pure.
//!
//! Ollama drops what does not fit without a word, and a larger context than needed costs gigabytes; loading a model anew
//! because the context changed costs seconds. So: enough for the messages and a reply, in steps that double, never less
//! than what is loaded already, never more than the model can.

use butterfly_api::model::ChatRequest;
use butterfly_api::tokens::{PER_MESSAGE, of_messages, of_text};

/// The smallest step. Smaller ones save little memory and make for more reloads.
const STEP: u32 = 4096;

/// Room for the reply where the caller names none: a thinking model uses thousands of tokens before its first word.
const REPLY: u32 = 4096;

/// The conversation is longer than this many tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct Exceeded(pub u32);

/// A cautious estimate of the tokens of a request.
#[must_use]
pub fn estimate(request: &ChatRequest) -> u32 {
    let messages = of_messages(&request.messages);
    let tools = request.tools.iter().map(|tool| {
        of_text(&tool.name)
            .saturating_add(of_text(&tool.description))
            .saturating_add(of_text(&tool.parameters))
            .saturating_add(PER_MESSAGE)
    });
    let format = request.format.as_deref().map_or(0, of_text);
    tools.fold(messages, u32::saturating_add).saturating_add(format)
}

/// The context to ask for. `limit` is the model's own, 0 where unknown; `loaded` is what the model runs with now, 0
/// where it is not loaded.
///
/// # Errors
/// [`Exceeded`] when the messages alone do not fit.
pub fn tokens(request: &ChatRequest, limit: u32, loaded: u32) -> Result<u32, Exceeded> {
    let limit = if limit == 0 { u32::MAX } else { limit };
    let estimate = estimate(request);
    if let Some(asked) = request.context_tokens.filter(|asked| *asked > 0) {
        let given = asked.min(limit);
        return if estimate > given { Err(Exceeded(given)) } else { Ok(given) };
    }
    if estimate > limit {
        return Err(Exceeded(limit));
    }
    let need = estimate.saturating_add(request.max_tokens.unwrap_or(REPLY));
    let steps = need.div_ceil(STEP).max(1);
    let rounded = STEP.saturating_mul(steps.checked_next_power_of_two().unwrap_or(u32::MAX));
    Ok(rounded.max(loaded).min(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::{Message, Role, Think, ToolSpec};

    fn request(characters: usize) -> ChatRequest {
        ChatRequest {
            model: None,
            purpose: butterfly_api::model::Purpose::Chat,
            recalled: Vec::new(),
            messages: vec![Message::new(Role::User, "x".repeat(characters))],
            tools: Vec::new(),
            think: Think::Default,
            context_tokens: None,
            max_tokens: Some(1000),
            temperature: None,
            format: None,
        }
    }

    #[test]
    fn the_context_doubles_from_4096_and_stops_at_the_models_own() {
        assert_eq!(tokens(&request(10), 0, 0), Ok(4096));
        assert_eq!(tokens(&request(3500 * 3), 0, 0), Ok(4096), "3000 + 8 + 1000");
        assert_eq!(tokens(&request(3500 * 4), 0, 0), Ok(8192));
        assert_eq!(tokens(&request(35_000), 0, 0), Ok(16384));
        assert_eq!(tokens(&request(35_000), 12_000, 0), Ok(12_000));
        assert_eq!(tokens(&ChatRequest { max_tokens: None, ..request(10) }, 0, 0), Ok(8192), "a reply has room");
    }

    #[test]
    fn a_loaded_model_is_not_loaded_anew_for_less() {
        assert_eq!(tokens(&request(10), 0, 32_768), Ok(32_768));
        assert_eq!(tokens(&request(10), 16_384, 32_768), Ok(16_384));
    }

    #[test]
    fn messages_that_cannot_fit_are_refused_with_the_limit() {
        assert_eq!(tokens(&request(35_000), 8192, 0), Err(Exceeded(8192)));
        let asked = ChatRequest { context_tokens: Some(2048), ..request(35_000) };
        assert_eq!(tokens(&asked, 0, 32_768), Err(Exceeded(2048)));
        let asked = ChatRequest { context_tokens: Some(2048), ..request(10) };
        assert_eq!(tokens(&asked, 0, 32_768), Ok(2048), "who asks gets what they ask for");
        assert_eq!(tokens(&ChatRequest { max_tokens: Some(u32::MAX), ..request(10) }, 8192, 0), Ok(8192));
    }

    #[test]
    fn tools_count() {
        let plain = estimate(&request(0));
        let tool = ToolSpec { name: "t".to_owned(), description: "d".repeat(70), parameters: "{}".to_owned() };
        assert!(estimate(&ChatRequest { tools: vec![tool], ..request(0) }) >= plain + 20);
    }
}
