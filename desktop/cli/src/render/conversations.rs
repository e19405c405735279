//! Conversations: the list, a transcript, what was found.

use crate::paint::{Paint, Role};
use crate::render::table::{Align, Cell, Table};
use crate::render::units;
use crate::text;
use butterfly_api::conversations::{Conversation, Hit, MessageState, StoredMessage, Transcript};
use butterfly_api::model;

/// A table of conversations. `now_unix_ms` is the present.
#[must_use]
pub fn list(conversations: &[Conversation], now_unix_ms: u64, paint: Paint, columns: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("ID", Align::Right),
        ("TITLE", Align::Flexible),
        ("MESSAGES", Align::Right),
        ("LAST", Align::Left),
        ("PROFILE", Align::Left),
    ]);
    for conversation in conversations {
        table.row(vec![
            if conversation.pinned { Cell::of(Role::Accent, "*") } else { Cell::new("") },
            conversation.id.to_string().into(),
            Cell::of(Role::Strong, title(conversation)),
            conversation.messages.to_string().into(),
            units::ago(conversation.updated_unix_ms, now_unix_ms).into(),
            conversation
                .profile
                .as_deref()
                .map_or_else(|| Cell::of(Role::Muted, "–"), |name| Cell::new(text::escaped(name))),
        ]);
    }
    table.render(paint, columns)
}

/// A conversation's title on one line; one that says nothing is named by its number.
#[must_use]
pub fn title(conversation: &Conversation) -> String {
    match conversation.title.trim() {
        "" => format!("conversation {}", conversation.id),
        title => text::escaped(title),
    }
}

/// What was said, oldest first.
#[must_use]
pub fn transcript(transcript: &Transcript, paint: Paint) -> String {
    let conversation = &transcript.conversation;
    let mut facts =
        vec![format!("conversation {}", conversation.id), units::count(u64::from(conversation.messages), "message")];
    facts.extend(conversation.external_id.as_deref().map(|name| format!("imported as {}", text::escaped(name))));
    facts.extend(conversation.profile.as_deref().map(|name| format!("profile {}", text::escaped(name))));
    facts.extend(conversation.pinned.then(|| "pinned".to_owned()));
    facts.extend(conversation.trashed_unix_ms.map(|_| "in the trash".to_owned()));
    let mut blocks = vec![format!(
        "{}\n{}",
        paint.apply(Role::Strong, &title(conversation)),
        paint.apply(Role::Muted, &facts.join(", "))
    )];
    if transcript.more {
        blocks.push(paint.apply(Role::Muted, "… earlier messages are left out; --all shows them").into_owned());
    }
    blocks.extend(transcript.messages.iter().map(|stored| message(stored, paint)));
    blocks.join("\n\n")
}

fn message(message: &StoredMessage, paint: Paint) -> String {
    let role = match message.role {
        model::Role::User => Role::Accent,
        model::Role::Assistant => Role::Good,
        model::Role::System | model::Role::Tool => Role::Muted,
    };
    let mut facts = vec![units::minute(message.at_unix_ms), format!("#{}", message.id)];
    if message.role == model::Role::Assistant && !message.model.is_empty() {
        facts.push(text::escaped(&message.model));
    }
    if let Some(place) = message.versions.iter().position(|id| *id == message.id).filter(|_| message.versions.len() > 1)
    {
        let others = message.versions.iter().filter(|id| **id != message.id).map(|id| format!("#{id}"));
        let others = others.collect::<Vec<_>>().join(" ");
        facts.push(format!("version {} of {}, beside {others}", place + 1, message.versions.len()));
    }
    let head = format!(
        "{}  {}",
        paint.apply(role, &text::escaped(&message.speaker)),
        paint.apply(Role::Muted, &facts.join("  "))
    );
    let mut lines = vec![head];
    let said = text::Stripper::default().strip(message.text.trim_end());
    lines.extend(said.lines().map(|line| format!("  {line}")));
    lines.extend(
        message
            .tool_calls
            .iter()
            .map(|call| format!("  asks for {}({})", text::escaped(&call.name), text::escaped(&call.arguments))),
    );
    let state = match message.state {
        MessageState::Complete => None,
        MessageState::Streaming => Some("is being said"),
        MessageState::Interrupted => Some("was broken off here"),
        MessageState::Failed => Some("failed"),
    };
    if let Some(state) = state {
        let why = message.error.as_deref().map(|why| format!(": {}", text::escaped(why))).unwrap_or_default();
        lines.push(format!("  {}", paint.apply(Role::Warning, &format!("[{state}{why}]"))));
    }
    lines.join("\n")
}

/// What was found, best first.
#[must_use]
pub fn hits(hits: &[Hit], paint: Paint) -> String {
    hits.iter().map(|found| hit(found, paint)).collect::<Vec<_>>().join("\n\n")
}

fn hit(hit: &Hit, paint: Paint) -> String {
    let title = if hit.title.trim().is_empty() { "untitled".to_owned() } else { text::escaped(&hit.title) };
    let mut head = format!("{}  {}", hit.conversation, paint.apply(Role::Strong, &title));
    if let Some(message) = hit.message {
        let facts = format!("{}  {}  #{message}", text::escaped(&hit.speaker), units::minute(hit.at_unix_ms));
        head = format!("{head}  {}", paint.apply(Role::Muted, &facts));
    }
    format!("{head}\n  {}", marked(&hit.snippet, &hit.matches, paint))
}

/// A snippet with what matched made visible. Ranges that do not fit it mark nothing.
fn marked(snippet: &str, matches: &[(u32, u32)], paint: Paint) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for (from, to) in matches {
        let (from, to) = (*from as usize, *to as usize);
        let (Some(before), Some(found)) = (snippet.get(at..from), snippet.get(from..to)) else { continue };
        shown.push_str(&text::escaped(before));
        shown.push_str(&paint.apply(Role::Accent, &text::escaped(found)));
        at = to;
    }
    shown.push_str(&text::escaped(snippet.get(at..).unwrap_or_default()));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> Conversation {
        Conversation {
            id: 7,
            external_id: None,
            title: "The \x1b[2Jtide".into(),
            created_unix_ms: 0,
            updated_unix_ms: 60_000,
            messages: 3,
            pinned: true,
            draft: String::new(),
            profile: Some("work".into()),
            trashed_unix_ms: None,
        }
    }

    fn stored(id: u64, role: model::Role, text: &str) -> StoredMessage {
        StoredMessage {
            id,
            external_id: None,
            parent: None,
            turn: 1,
            role,
            speaker: if role == model::Role::User { "user" } else { "assistant" }.into(),
            text: text.into(),
            thinking: String::new(),
            tool_calls: vec![],
            tool_call_id: None,
            state: MessageState::Complete,
            error: None,
            model: "kit:latest".into(),
            provenance: 0,
            usage: None,
            at_unix_ms: 1_763_820_916_123,
            versions: vec![id],
        }
    }

    #[test]
    fn a_list_shows_pins_and_ages() {
        let mut other = conversation();
        (other.id, other.title, other.pinned, other.profile) = (12, String::new(), false, None);
        insta::assert_snapshot!(list(&[conversation(), other], 120_000, Paint::new(false), None), @r"
           ID  TITLE            MESSAGES  LAST           PROFILE
        *   7  The \x1b[2Jtide         3  1 min 0 s ago  work
           12  conversation 12         3  1 min 0 s ago  –
        ");
    }

    #[test]
    fn a_transcript_shows_who_when_and_how_it_ended() {
        let mut answer = stored(3, model::Role::Assistant, "At six\x1b[31m.\nPerhaps.\n");
        (answer.state, answer.error, answer.versions) = (MessageState::Interrupted, Some("it died".into()), vec![2, 3]);
        let transcript = Transcript {
            conversation: conversation(),
            messages: vec![stored(1, model::Role::User, "When does the tide turn?"), answer],
            more: true,
        };
        insta::assert_snapshot!(super::transcript(&transcript, Paint::new(false)), @r"
        The \x1b[2Jtide
        conversation 7, 3 messages, profile work, pinned

        … earlier messages are left out; --all shows them

        user  2025-11-22 14:15  #1
          When does the tide turn?

        assistant  2025-11-22 14:15  #3  kit:latest  version 2 of 2, beside #2
          At six.
          Perhaps.
          [was broken off here: it died]
        ");
    }

    #[test]
    fn what_matched_is_marked_and_wrong_ranges_mark_nothing() {
        let paint = Paint::new(true);
        assert_eq!(marked("the tide turns", &[(4, 8)], paint), "the \x1b[36mtide\x1b[0m turns");
        assert_eq!(marked("tide", &[(2, 99), (3, 1)], paint), "tide");
        assert_eq!(marked("été", &[(1, 2)], paint), "été");
        let found = Hit {
            conversation: 7,
            title: "Tides".into(),
            message: Some(3),
            speaker: "user".into(),
            at_unix_ms: 0,
            snippet: "the tide".into(),
            matches: vec![],
        };
        assert_eq!(hits(&[found], Paint::new(false)), "7  Tides  user  1970-01-01 00:00  #3\n  the tide");
    }
}
