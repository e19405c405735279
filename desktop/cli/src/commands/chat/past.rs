//! The conversation that a chat goes on with.

use crate::fault::Fault;
use crate::paint::{Paint, Role};
use crate::render::conversations;
use crate::text::{Stripper, escaped};
use butterfly_api::conversations::{
    Conversation, List, ListRequest, MessageState, Show, ShowRequest, StoredMessage, Transcript,
};
use butterfly_api::model;
use butterfly_client::Bus;

/// Conversations asked for at once: more than anybody pins.
const PAGE: u32 = 50;

/// Messages asked for: the last turn with its tools, and the one before.
const MESSAGES: u32 = 12;

/// Turns that are shown again: enough to know where one was.
const TURNS: usize = 2;

/// Lines of one message that are shown again. The rest is one `/history` away.
const LINES: usize = 8;

/// The person's last message: what an edit and another answer are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastMessage {
    pub id: u64,
    pub text: String,
}

/// The conversation that was spoken in last, if there is one.
///
/// # Errors
/// What the memory worker answers.
pub async fn last(bus: &Bus) -> Result<Option<Conversation>, Fault> {
    let mut found: Option<Conversation> = None;
    let mut offset = 0;
    loop {
        let page = bus.call::<List>(&ListRequest { offset, limit: PAGE, trash: false }).await?;
        offset += PAGE;
        // Pinned ones come first, whenever they were spoken in; of the others the first is the last.
        let ends = page.conversations.is_empty() || page.conversations.iter().any(|it| !it.pinned);
        found = found.into_iter().chain(page.conversations).max_by_key(|it| it.updated_unix_ms);
        if ends {
            return Ok(found);
        }
    }
}

/// The end of a conversation.
///
/// # Errors
/// What the memory worker answers.
pub async fn end(bus: &Bus, conversation: u64) -> Result<Transcript, Fault> {
    Ok(bus.call::<Show>(&ShowRequest { conversation, before: None, limit: MESSAGES }).await?)
}

/// The person's last message in it.
#[must_use]
pub fn last_message(transcript: &Transcript) -> Option<LastMessage> {
    let asked = transcript.messages.iter().rev().find(|message| message.role == model::Role::User)?;
    Some(LastMessage { id: asked.id, text: asked.text.clone() })
}

/// The last turns, as a reminder of where one was.
#[must_use]
pub fn render(transcript: &Transcript, paint: Paint) -> String {
    let starts: Vec<_> = transcript
        .messages
        .iter()
        .enumerate()
        .filter(|(_, message)| message.role == model::Role::User)
        .map(|(at, _)| at)
        .collect();
    let from = starts.iter().rev().nth(TURNS - 1).or(starts.first()).copied().unwrap_or_default();
    let title = format!(
        "going on with \u{201c}{}\u{201d}; /new begins another",
        conversations::title(&transcript.conversation)
    );
    let mut blocks = vec![paint.apply(Role::Muted, &title).into_owned()];
    if from > 0 || transcript.more {
        blocks.push(paint.apply(Role::Muted, "… /history shows what came before").into_owned());
    }
    blocks.extend(transcript.messages[from..].iter().filter_map(|it| message(it, paint)));
    blocks.join("\n")
}

fn message(message: &StoredMessage, paint: Paint) -> Option<String> {
    let sign = match message.role {
        model::Role::User => format!("{} ", paint.apply(Role::Accent, "\u{203a}")),
        model::Role::Assistant => String::new(),
        model::Role::System | model::Role::Tool => return None,
    };
    let said = Stripper::default().strip(message.text.trim());
    let mut lines: Vec<_> = said.lines().take(LINES).map(str::to_owned).collect();
    if said.lines().count() > LINES {
        lines.push(paint.apply(Role::Muted, "…").into_owned());
    }
    let state = match message.state {
        MessageState::Complete => None,
        MessageState::Streaming => Some("· is being said"),
        MessageState::Interrupted => Some("· was broken off here; /retry has it answered again"),
        MessageState::Failed => Some("· failed; /retry has it answered again"),
    };
    if let Some(state) = state.filter(|_| message.role == model::Role::Assistant) {
        let why = message.error.as_deref().map(|why| format!(" ({})", escaped(why))).unwrap_or_default();
        lines.push(paint.apply(Role::Muted, &format!("{state}{why}")).into_owned());
    }
    if lines.is_empty() {
        return None;
    }
    Some(format!("{sign}{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: u64, role: model::Role, text: &str, state: MessageState) -> StoredMessage {
        StoredMessage {
            id,
            external_id: None,
            parent: None,
            turn: id,
            role,
            speaker: "user".to_owned(),
            text: text.to_owned(),
            thinking: String::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            state,
            error: None,
            model: String::new(),
            provenance: 0,
            usage: None,
            at_unix_ms: 0,
            versions: vec![id],
        }
    }

    fn transcript(messages: Vec<StoredMessage>) -> Transcript {
        let conversation = Conversation {
            id: 1,
            external_id: None,
            title: "Plans".to_owned(),
            created_unix_ms: 0,
            updated_unix_ms: 0,
            messages: 0,
            pinned: false,
            draft: String::new(),
            profile: None,
            trashed_unix_ms: None,
        };
        Transcript { conversation, messages, more: false }
    }

    #[test]
    fn the_last_two_turns_are_shown_and_what_was_broken_off_is_said() {
        use model::Role::{Assistant, Tool, User};
        let shown = transcript(vec![
            stored(1, User, "first", MessageState::Complete),
            stored(2, Assistant, "one", MessageState::Complete),
            stored(3, User, "second", MessageState::Complete),
            stored(4, Tool, "hidden", MessageState::Complete),
            stored(5, Assistant, &"line\n".repeat(20), MessageState::Complete),
            stored(6, User, "third\u{1b}[2J", MessageState::Complete),
            stored(7, Assistant, "half", MessageState::Interrupted),
        ]);
        let text = render(&shown, Paint::new(false));
        assert!(text.starts_with("going on with “Plans”; /new begins another\n… /history"), "{text}");
        assert!(!text.contains("first") && !text.contains("hidden") && !text.contains('\u{1b}'), "{text}");
        assert!(
            text.contains("› second\nline\n") && text.contains("line\n…\n› third\nhalf\n· was broken off here"),
            "{text}"
        );
        assert_eq!(last_message(&shown).map(|message| message.id), Some(6));
        assert_eq!(last_message(&transcript(vec![])), None);
    }
}
