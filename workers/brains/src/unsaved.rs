//! Conversations that the person chose not to have saved: in this process's memory, bounded, gone with it.
//!
//! Nothing of them reaches memory, and nothing is recalled for them.

use crate::past::message_bytes;
use crate::refusal::Refusal;
use butterfly_api::conversations::{MessageState, PastTurn};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Unsaved conversations kept at once. With [`CONVERSATION_BYTES`] each, the worst case is 16 MiB.
pub const CONVERSATIONS: usize = 32;

/// Bytes of turns kept per conversation; the oldest go first, the newest stays whatever its size. Half a frame: the
/// whole history travels in one request to the model worker.
pub const CONVERSATION_BYTES: usize = 512 << 10;

/// Bytes that a turn is charged for beside its text: its share of the tables, and a bound on the number of turns.
const TURN_BYTES: usize = 512;

/// What was said before a turn.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) conversation: u64,
    /// The new turn's number, from 1.
    pub(crate) number: u32,
    pub(crate) turns: Vec<PastTurn>,
    /// Turns that are no longer kept.
    pub(crate) gone: u32,
}

struct Entry {
    /// Turns begun so far.
    begun: u32,
    turns: VecDeque<PastTurn>,
    bytes: usize,
    gone: u32,
    /// Ordinal of the last use: the smallest one is the one unused for longest.
    used: u64,
    /// A turn of it is being answered: it does not make room.
    open: bool,
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<u64, Entry>,
    last_id: u64,
    uses: u64,
}

/// All unsaved conversations.
#[derive(Default)]
pub(crate) struct Unsaved {
    shelf: Mutex<Shelf>,
}

impl Unsaved {
    /// Whether a conversation is one of these.
    pub(crate) fn has(&self, conversation: u64) -> bool {
        self.shelf().entries.contains_key(&conversation)
    }

    pub(crate) fn len(&self) -> usize {
        self.shelf().entries.len()
    }

    /// Begins a turn, in a new conversation when `conversation` is `None`. [`Self::close`] must follow.
    pub(crate) fn begin(&self, conversation: Option<u64>) -> Result<Earlier, Refusal> {
        let mut shelf = self.shelf();
        let id = match conversation {
            Some(id) => id,
            None => shelf.open()?,
        };
        shelf.uses += 1;
        let used = shelf.uses;
        let entry = shelf.entries.get_mut(&id).ok_or(Refusal::Unknown(id))?;
        entry.used = used;
        entry.begun += 1;
        entry.open = true;
        let turns = entry.turns.iter().cloned().collect();
        Ok(Earlier { conversation: id, number: entry.begun, turns, gone: entry.gone })
    }

    /// Takes in a turn that is over.
    pub(crate) fn close(&self, conversation: u64, turn: PastTurn) {
        let mut shelf = self.shelf();
        let Some(entry) = shelf.entries.get_mut(&conversation) else { return };
        entry.open = false;
        entry.bytes += bytes(&turn);
        entry.turns.push_back(turn);
        while entry.bytes > CONVERSATION_BYTES && entry.turns.len() > 1 {
            if let Some(oldest) = entry.turns.pop_front() {
                entry.bytes -= bytes(&oldest);
                entry.gone += u32::from(oldest.state != MessageState::Failed);
            }
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Makes an empty conversation, at the expense of the idle one that was used longest ago if need be.
    fn open(&mut self) -> Result<u64, Refusal> {
        if self.entries.len() >= CONVERSATIONS {
            let idle = self.entries.iter().filter(|(_, entry)| !entry.open);
            let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id).ok_or(Refusal::Full)?;
            self.entries.remove(&oldest);
        }
        // Numbered by the clock, so that a number from before a restart never names another conversation, and none is the
        // number of one that is saved: those count from 1.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        self.last_id = u64::try_from(now).unwrap_or(0).max(self.last_id + 1);
        let entry = Entry { begun: 0, turns: VecDeque::new(), bytes: 0, gone: 0, used: 0, open: false };
        self.entries.insert(self.last_id, entry);
        Ok(self.last_id)
    }
}

fn bytes(turn: &PastTurn) -> usize {
    TURN_BYTES + turn.user.len() + turn.exchange.iter().map(message_bytes).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::{Message, Role};

    fn say(unsaved: &Unsaved, conversation: Option<u64>, text: &str) -> u64 {
        let begun = unsaved.begin(conversation).unwrap();
        let turn = PastTurn {
            turn: 0,
            number: begun.number,
            user: text.to_owned(),
            exchange: vec![Message::new(Role::Assistant, "a")],
            state: MessageState::Complete,
        };
        unsaved.close(begun.conversation, turn);
        begun.conversation
    }

    #[test]
    fn the_idle_conversation_unused_for_longest_makes_room_and_an_open_one_never_does() {
        let unsaved = Unsaved::default();
        let open = unsaved.begin(None).unwrap().conversation;
        let second = say(&unsaved, None, "second");
        let rest: Vec<_> = (2..CONVERSATIONS).map(|at| say(&unsaved, None, &format!("c{at}"))).collect();
        let newest = say(&unsaved, None, "one more");
        assert_eq!(unsaved.len(), CONVERSATIONS);
        assert!(unsaved.has(newest) && unsaved.has(open) && unsaved.has(rest[0]));
        assert_eq!(unsaved.begin(Some(second)).err(), Some(Refusal::Unknown(second)));
    }

    #[test]
    fn none_makes_room_while_all_are_open() {
        let unsaved = Unsaved::default();
        for _ in 0..CONVERSATIONS {
            unsaved.begin(None).unwrap();
        }
        assert_eq!(unsaved.begin(None).err(), Some(Refusal::Full));
    }

    #[test]
    fn bytes_of_a_conversation_stay_bounded_and_what_went_is_counted() {
        let unsaved = Unsaved::default();
        let big = "x".repeat(128 << 10);
        let id = say(&unsaved, None, &big);
        for _ in 0..7 {
            say(&unsaved, Some(id), &big);
        }
        let earlier = unsaved.begin(Some(id)).unwrap();
        assert_eq!(earlier.number, 9);
        assert!(earlier.turns.iter().map(bytes).sum::<usize>() <= CONVERSATION_BYTES);
        assert_eq!(earlier.gone as usize + earlier.turns.len(), 8);
        assert_eq!(earlier.turns.last().map(|turn| turn.number), Some(8));
    }

    #[test]
    fn numbers_are_never_those_of_saved_conversations() {
        assert!(Unsaved::default().begin(None).unwrap().conversation > 1 << 40);
    }
}
