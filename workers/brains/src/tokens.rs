//! How many tokens a text has, before a model has counted them.

use butterfly_api::model::Message;

/// Tokens that a message takes beside its text: role, separators.
const MESSAGE_TOKENS: u32 = 8;

/// Tokens of messages.
pub(crate) fn tokens_of(messages: &[Message]) -> u32 {
    messages.iter().map(|message| tokens(message).saturating_add(MESSAGE_TOKENS)).fold(0, u32::saturating_add)
}

fn tokens(message: &Message) -> u32 {
    let calls = message.tool_calls.iter().map(|call| estimate(&call.name) + estimate(&call.arguments));
    estimate(&message.content) + estimate(&message.thinking) + calls.sum::<u32>()
}

/// Tokens of a text: one per 3.5 ASCII characters (English 4, source code 3), one per other character (CJK about 1,
/// Cyrillic about half). What is off is learned from the model's own count.
pub(crate) fn estimate(text: &str) -> u32 {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let other = text.chars().count() - ascii;
    u32::try_from((ascii * 2).div_ceil(7) + other).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_estimated_each_by_its_own_measure() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate(&"word ".repeat(70)), 100);
        assert_eq!(estimate("記憶"), 2);
    }
}
