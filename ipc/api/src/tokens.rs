//! How many tokens a text has, before a model has counted them. Whoever fits a conversation into a context and whoever
//! asks a server for one must reckon alike, or what the one fits in the other refuses.

use crate::model::Message;

/// Tokens that a chat template puts around one message: role, separators.
pub const PER_MESSAGE: u32 = 8;

/// Tokens of one image: what common vision models make of one tile.
pub const PER_IMAGE: u32 = 768;

/// Tokens of a text: one per 3.5 ASCII characters (English 4, source code 3), one per other character (CJK about 1,
/// Cyrillic about half).
#[must_use]
pub fn of_text(text: &str) -> u32 {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let other = text.chars().count() - ascii;
    u32::try_from((ascii * 2).div_ceil(7) + other).unwrap_or(u32::MAX)
}

/// Tokens of messages, with what stands around each.
#[must_use]
pub fn of_messages(messages: &[Message]) -> u32 {
    messages.iter().map(of_message).fold(0, u32::saturating_add)
}

fn of_message(message: &Message) -> u32 {
    let calls = message.tool_calls.iter().map(|call| of_text(&call.name).saturating_add(of_text(&call.arguments)));
    let images = u32::try_from(message.images.len()).unwrap_or(u32::MAX).saturating_mul(PER_IMAGE);
    calls
        .fold(of_text(&message.content), u32::saturating_add)
        .saturating_add(of_text(&message.thinking))
        .saturating_add(images)
        .saturating_add(PER_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, ToolCall};

    #[test]
    fn scripts_are_estimated_each_by_its_own_measure() {
        assert_eq!(of_text(""), 0);
        assert_eq!(of_text(&"word ".repeat(70)), 100);
        assert_eq!(of_text("記憶"), 2);
        assert_eq!(of_text("日本語"), 3);
    }

    #[test]
    fn thinking_calls_and_images_count_and_so_does_what_stands_around_a_message() {
        let mut message = Message::new(Role::Assistant, "x".repeat(35));
        assert_eq!(of_messages(std::slice::from_ref(&message)), 10 + PER_MESSAGE);
        message.thinking = "x".repeat(7);
        message.tool_calls.push(ToolCall { id: "c1".into(), name: "x".repeat(7), arguments: "x".repeat(14) });
        message.images.push(String::new());
        let one = 10 + 2 + 2 + 4 + PER_IMAGE + PER_MESSAGE;
        assert_eq!(of_messages(&[message.clone(), message]), 2 * one);
    }
}
