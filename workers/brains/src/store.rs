//! Where conversations are kept: in memory, bounded, gone with the process.
//!
//! This is the one place to replace when turns are kept elsewhere: [`Store::begin`] hands out what was said before,
//! [`Store::close`] takes in what was said now.

use crate::turn::OpenTurn;
use butterfly_api::model::Message;
use butterfly_api::session::Conversation;
use butterfly_wire::{ErrorCode, Failure};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::sync::watch;

/// Conversations kept at once. With [`CONVERSATION_BYTES`] each, the worst case is 16 MiB.
pub const CONVERSATIONS: usize = 32;

/// Bytes of turns kept per conversation; the oldest go first, the newest stays whatever its size. Half a frame: the
/// whole history travels in one request to the model worker.
pub const CONVERSATION_BYTES: usize = 512 << 10;

/// Bytes that one message of a person's may have. A quarter of a frame: with the answer to it, it still leaves room.
pub const TEXT_LIMIT: usize = 256 << 10;

/// Bytes that a turn is charged for beside its text: its share of the tables, and a bound on the number of turns.
const TURN_BYTES: usize = 512;

/// Characters of a conversation's title.
const TITLE_CHARS: usize = 60;

/// How a turn ended, as far as later turns need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnState {
    /// The answer is whole.
    Complete,
    /// Stopped by a person, or broken off after something was said.
    Interrupted,
    /// Nothing was said to it because of a failure: later turns go on as if it had not been asked.
    Unanswered,
}

/// One turn that is over.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) number: u32,
    pub(crate) user: String,
    /// What followed: the assistant's messages and tools' results, in order.
    pub(crate) exchange: Vec<Message>,
    pub(crate) state: TurnState,
}

impl Turn {
    fn bytes(&self) -> usize {
        TURN_BYTES + self.user.len() + self.exchange.iter().map(message_bytes).sum::<usize>()
    }
}

/// Bytes that a message is charged for.
pub(crate) fn message_bytes(message: &Message) -> usize {
    let calls = message.tool_calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.len());
    message.content.len() + message.thinking.len() + calls.sum::<usize>()
}

/// What was found out about the model's context in this conversation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    /// The model as it was asked for; with another one all of this is void.
    pub(crate) model: Option<String>,
    /// The first turn that still fits.
    pub(crate) first: u32,
    /// Tokens counted by the model per token estimated; at least 1.
    pub(crate) scale: f32,
}

/// What was said before a turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier {
    pub(crate) turns: Vec<Turn>,
    /// Turns that are no longer kept.
    pub(crate) gone: u32,
    pub(crate) fit: Option<Fit>,
}

/// Why a turn cannot begin.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("there is nothing to answer: the message is empty; say something")]
    Empty,
    #[error("the message has {0} bytes, more than the {TEXT_LIMIT} that are accepted; say it in several messages")]
    TooLong(usize),
    #[error(
        "there is no conversation {0} here: it was lost with a restart or made room for newer ones; begin a new one"
    )]
    Unknown(u64),
    #[error("an answer is already running in this conversation; wait for its end or stop it first")]
    Running,
    #[error("answers are running in all {CONVERSATIONS} conversations that are kept; wait for one of them to end")]
    Full,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Empty | Refusal::Unknown(_) => ErrorCode::BadPayload,
            Refusal::TooLong(_) => ErrorCode::TooLarge,
            Refusal::Running | Refusal::Full => ErrorCode::Busy,
        };
        Self::new(code, refusal.to_string())
    }
}

struct Entry {
    title: String,
    /// Turns begun so far.
    begun: u32,
    turns: VecDeque<Turn>,
    bytes: usize,
    gone: u32,
    fit: Option<Fit>,
    /// Ordinal of the last use: the smallest one is the one unused for longest.
    used: u64,
    /// Tells the running turn to stop; `None` while idle.
    running: Option<watch::Sender<bool>>,
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<u64, Entry>,
    last_id: u64,
    uses: u64,
}

/// All conversations.
#[derive(Default)]
pub(crate) struct Store {
    shelf: Mutex<Shelf>,
}

impl Store {
    /// Begins a turn, in a new conversation when `conversation` is `None`, and returns what was said before it.
    pub(crate) fn begin(
        self: &Arc<Self>,
        conversation: Option<u64>,
        text: String,
    ) -> Result<(OpenTurn, Earlier), Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::Empty);
        }
        if text.len() > TEXT_LIMIT {
            return Err(Refusal::TooLong(text.len()));
        }
        let mut shelf = self.shelf();
        let id = match conversation {
            Some(id) => id,
            None => shelf.open(&text)?,
        };
        shelf.uses += 1;
        let used = shelf.uses;
        let entry = shelf.entries.get_mut(&id).ok_or(Refusal::Unknown(id))?;
        if entry.running.is_some() {
            return Err(Refusal::Running);
        }
        let (stop, stopped) = watch::channel(false);
        entry.running = Some(stop);
        entry.used = used;
        entry.begun += 1;
        let turn = OpenTurn::new(Arc::clone(self), id, entry.begun, text, stopped);
        let earlier =
            Earlier { turns: entry.turns.iter().cloned().collect(), gone: entry.gone, fit: entry.fit.clone() };
        Ok((turn, earlier))
    }

    /// Takes in a turn that is over, and what it found out about the model's context.
    pub(crate) fn close(&self, conversation: u64, turn: Turn, fit: Option<Fit>) {
        let mut shelf = self.shelf();
        let Some(entry) = shelf.entries.get_mut(&conversation) else { return };
        entry.running = None;
        entry.fit = fit;
        entry.bytes += turn.bytes();
        entry.turns.push_back(turn);
        while entry.bytes > CONVERSATION_BYTES && entry.turns.len() > 1 {
            if let Some(oldest) = entry.turns.pop_front() {
                entry.bytes -= oldest.bytes();
                entry.gone += u32::from(oldest.state != TurnState::Unanswered);
            }
        }
    }

    /// Tells the running turn to stop. What is returned can be awaited until it has; `None` if nothing was running.
    pub(crate) fn stop(&self, conversation: u64) -> Option<impl Future<Output = ()> + Send + use<>> {
        let stop = self.shelf().entries.get(&conversation)?.running.clone()?;
        stop.send_replace(true);
        Some(async move { stop.closed().await })
    }

    /// All conversations, the one that was spoken in last first.
    pub(crate) fn list(&self) -> Vec<Conversation> {
        let shelf = self.shelf();
        let mut found: Vec<_> = shelf.entries.iter().collect();
        found.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.used));
        found
            .into_iter()
            .map(|(id, entry)| Conversation {
                id: *id,
                title: entry.title.clone(),
                turns: entry.begun,
                running: entry.running.is_some(),
            })
            .collect()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Makes an empty conversation, at the expense of the idle one that was used longest ago if need be.
    fn open(&mut self, text: &str) -> Result<u64, Refusal> {
        if self.entries.len() >= CONVERSATIONS {
            let idle = self.entries.iter().filter(|(_, entry)| entry.running.is_none());
            let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id).ok_or(Refusal::Full)?;
            self.entries.remove(&oldest);
        }
        // Numbered by the clock, so that a number from before a restart never names somebody else's conversation.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        self.last_id = u64::try_from(now).unwrap_or(0).max(self.last_id + 1);
        let entry = Entry {
            title: title(text),
            begun: 0,
            turns: VecDeque::new(),
            bytes: 0,
            gone: 0,
            fit: None,
            used: 0,
            running: None,
        };
        self.entries.insert(self.last_id, entry);
        Ok(self.last_id)
    }
}

/// The first words of `text`, on one line.
fn title(text: &str) -> String {
    let mut title = String::new();
    for word in text.split_whitespace() {
        let space = usize::from(!title.is_empty());
        if title.chars().count() + space + word.chars().count() > TITLE_CHARS {
            // A first word that is too long by itself is cut: a title is never empty.
            if title.is_empty() {
                title.extend(word.chars().take(TITLE_CHARS));
            }
            title.push('…');
            break;
        }
        if space == 1 {
            title.push(' ');
        }
        title.push_str(word);
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Role;

    fn say(store: &Arc<Store>, conversation: Option<u64>, text: &str, answer: &str) -> u64 {
        let (mut turn, _) = store.begin(conversation, text.to_owned()).unwrap();
        turn.partial.content.push_str(answer);
        turn.complete();
        turn.conversation
    }

    #[test]
    fn oldest_idle_conversation_makes_room_and_a_running_one_never_does() {
        let store = Arc::new(Store::default());
        let (running, _) = store.begin(None, "first".to_owned()).unwrap();
        let second = say(&store, None, "second", "a");
        let rest: Vec<_> = (2..CONVERSATIONS).map(|at| say(&store, None, &format!("c{at}"), "a")).collect();
        let newest = say(&store, None, "one more", "a");
        let ids: Vec<_> = store.list().iter().map(|conversation| conversation.id).collect();
        assert_eq!(ids.len(), CONVERSATIONS);
        assert_eq!(ids[0], newest);
        assert!(ids.contains(&running.conversation));
        assert!(!ids.contains(&second) && ids.contains(&rest[0]));
        assert_eq!(store.begin(Some(second), "x".to_owned()).err(), Some(Refusal::Unknown(second)));
    }

    #[test]
    fn no_conversation_makes_room_while_all_are_running() {
        let store = Arc::new(Store::default());
        let mut open: Vec<_> = (0..CONVERSATIONS).map(|_| store.begin(None, "x".to_owned()).unwrap()).collect();
        assert_eq!(store.begin(None, "y".to_owned()).err(), Some(Refusal::Full));
        open.pop();
        assert!(store.begin(None, "y".to_owned()).is_ok());
    }

    #[test]
    fn bytes_of_a_conversation_stay_bounded_and_what_went_is_counted() {
        let store = Arc::new(Store::default());
        let big = "x".repeat(TEXT_LIMIT / 2);
        let id = say(&store, None, &big, "a");
        for _ in 0..7 {
            say(&store, Some(id), &big, "a");
        }
        let (turn, earlier) = store.begin(Some(id), "next".to_owned()).unwrap();
        assert_eq!(turn.number, 9);
        assert!(earlier.turns.iter().map(Turn::bytes).sum::<usize>() <= CONVERSATION_BYTES);
        assert_eq!(earlier.gone as usize + earlier.turns.len(), 8);
        assert_eq!(earlier.turns.last().map(|turn| turn.number), Some(8));
    }

    #[test]
    fn second_turn_waits_for_the_first_and_a_dropped_turn_keeps_its_words() {
        let store = Arc::new(Store::default());
        let (mut turn, _) = store.begin(None, "hello".to_owned()).unwrap();
        let id = turn.conversation;
        assert_eq!(store.begin(Some(id), "again".to_owned()).err(), Some(Refusal::Running));
        turn.partial.content.push_str("half an ans");
        drop(turn);
        let (_again, earlier) = store.begin(Some(id), "again".to_owned()).unwrap();
        assert_eq!(earlier.turns[0].state, TurnState::Interrupted);
        assert_eq!(earlier.turns[0].exchange[0].role, Role::Assistant);
        assert_eq!(earlier.turns[0].exchange[0].content, "half an ans");
    }

    #[test]
    fn empty_and_overlong_texts_are_refused_and_open_nothing() {
        let store = Arc::new(Store::default());
        assert_eq!(store.begin(None, " \n\t".to_owned()).err(), Some(Refusal::Empty));
        let long = "x".repeat(TEXT_LIMIT + 1);
        assert_eq!(store.begin(None, long).err(), Some(Refusal::TooLong(TEXT_LIMIT + 1)));
        assert!(store.list().is_empty());
    }

    #[test]
    fn titles_are_one_short_line() {
        assert_eq!(title("  hello\n  there "), "hello there");
        assert_eq!(title(&"word ".repeat(40)), format!("{}…", ["word"; 12].join(" ")));
        assert_eq!(title(&"ü".repeat(100)), format!("{}…", "ü".repeat(60)));
    }
}
