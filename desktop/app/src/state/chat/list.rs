//! The conversations at the side: a sorted list, what a search found, and the trash.

use super::shared::Shared;
use butterfly_api::conversations::{Conversation, ConversationPage, Hit};
use jiff::Zoned;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Conversations asked for at once: the most that one call gives.
pub const PAGE: u32 = 200;

/// How far something that was asked for has come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was asked for yet, or the answer is on its way.
    #[default]
    Loading,
    Ready,
    /// For people.
    Failed(String),
}

/// What is looked for, and what was found.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Search {
    /// Empty: the list is shown instead.
    pub query: String,
    pub phase: Phase,
    pub hits: Shared<Vec<Hit>>,
    /// The number of the request whose answer counts.
    pub request: u64,
}

/// The list.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct List {
    pub phase: Phase,
    /// Pinned ones first, then the one that was spoken in last.
    pub conversations: Shared<Vec<Shared<Conversation>>>,
    /// How many there are; those beyond `conversations` were not read yet.
    pub total: u32,
    /// The trash is shown instead of the rest.
    pub trash: bool,
    /// The one whose title is being typed.
    pub renaming: Option<u64>,
    /// Answered while another one was shown.
    pub unread: BTreeSet<u64>,
    pub search: Search,
    /// The number of the request whose answer counts.
    pub request: u64,
}

impl List {
    /// Takes in a page; one from the beginning replaces what was known.
    pub fn take(&mut self, offset: u32, page: ConversationPage) {
        self.phase = Phase::Ready;
        self.total = page.total;
        let mut all = if offset == 0 { Vec::new() } else { self.conversations.to_vec() };
        for conversation in page.conversations {
            all.retain(|known| known.id != conversation.id);
            all.push(Shared::new(conversation));
        }
        self.sort(all);
    }

    /// A conversation is as this now.
    pub fn upsert(&mut self, conversation: Conversation) {
        if self.phase != Phase::Ready {
            return;
        }
        if conversation.trashed_unix_ms.is_some() != self.trash {
            return self.remove(conversation.id);
        }
        let mut all = self.conversations.to_vec();
        let known = all.len();
        all.retain(|known| known.id != conversation.id);
        if all.len() == known {
            self.total += 1;
        }
        all.push(Shared::new(conversation));
        self.sort(all);
    }

    pub fn remove(&mut self, conversation: u64) {
        let known = self.conversations.len();
        let all: Vec<_> = self.conversations.iter().filter(|known| known.id != conversation).cloned().collect();
        self.total = self.total.saturating_sub(u32::try_from(known - all.len()).unwrap_or_default());
        self.conversations = Shared::new(all);
    }

    #[must_use]
    pub fn find(&self, conversation: u64) -> Option<&Shared<Conversation>> {
        self.conversations.iter().find(|known| known.id == conversation)
    }

    /// The one `step` places further down than this one.
    #[must_use]
    pub fn beside(&self, conversation: Option<u64>, step: isize) -> Option<u64> {
        let at = conversation.and_then(|id| self.conversations.iter().position(|known| known.id == id));
        let next = match at {
            Some(at) => at.checked_add_signed(step)?,
            None => 0,
        };
        self.conversations.get(next).map(|found| found.id)
    }

    fn sort(&mut self, mut all: Vec<Shared<Conversation>>) {
        all.sort_by_key(|it| (!it.pinned, std::cmp::Reverse(it.updated_unix_ms), std::cmp::Reverse(it.id)));
        self.conversations = Shared::new(all);
    }
}

/// Conversations under a heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub title: String,
    pub rows: Vec<Shared<Conversation>>,
}

/// Sorts a list into groups by when each was spoken in last. Keeps the list's order.
#[must_use]
pub fn groups(conversations: &[Shared<Conversation>], now: &Zoned) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for conversation in conversations {
        let title = if conversation.pinned { "Pinned".to_owned() } else { heading(conversation.updated_unix_ms, now) };
        match groups.last_mut() {
            Some(last) if last.title == title => last.rows.push(conversation.clone()),
            _ => groups.push(Group { title, rows: vec![conversation.clone()] }),
        }
    }
    groups
}

/// "Today", "Yesterday", … for a time in ms since 1970.
fn heading(unix_ms: u64, now: &Zoned) -> String {
    let Some(date) = date(unix_ms, now) else { return "Earlier".to_owned() };
    let today = now.date();
    match (today - date).get_days() {
        ..=0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        2..7 => "Last 7 days".to_owned(),
        7..30 => "Last 30 days".to_owned(),
        _ if date.year() == today.year() => date.strftime("%B").to_string(),
        _ => date.strftime("%B %Y").to_string(),
    }
}

fn date(unix_ms: u64, now: &Zoned) -> Option<Date> {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.to_zoned(now.time_zone().clone()).date())
}

/// A piece of a snippet, and whether it is what matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub matched: bool,
}

/// Cuts a snippet at its matches. Ranges that are none of the text are left out: they come from outside.
#[must_use]
pub fn pieces(snippet: &str, matches: &[(u32, u32)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |text: Option<&str>, matched| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            pieces.push(Piece { text: text.to_owned(), matched });
        }
    };
    for &(from, to) in matches {
        let (from, to) = (from as usize, to as usize);
        if from < at || to <= from || snippet.get(from..to).is_none() {
            continue;
        }
        push(snippet.get(at..from), false);
        push(snippet.get(from..to), true);
        at = to;
    }
    push(snippet.get(at..), false);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::chat::tests::conversation;

    fn list(conversations: Vec<Conversation>) -> List {
        let mut list = List::default();
        let total = u32::try_from(conversations.len()).unwrap();
        list.take(0, ConversationPage { conversations, total });
        list
    }

    fn ids(list: &List) -> Vec<u64> {
        list.conversations.iter().map(|it| it.id).collect()
    }

    #[test]
    fn what_was_spoken_in_last_comes_first_and_pinned_ones_before_all() {
        let mut pinned = conversation(1, 10);
        pinned.pinned = true;
        let mut list = list(vec![pinned, conversation(2, 30), conversation(3, 20)]);
        assert_eq!(ids(&list), [1, 2, 3]);
        list.upsert(conversation(3, 40));
        assert_eq!(ids(&list), [1, 3, 2]);
        list.upsert(conversation(4, 50));
        assert_eq!((ids(&list), list.total), (vec![1, 4, 3, 2], 4));
        assert_eq!(list.beside(Some(4), 1), Some(3));
        assert_eq!(list.beside(Some(1), -1), None);
        assert_eq!(list.beside(None, 1), Some(1));
    }

    #[test]
    fn what_goes_into_the_trash_leaves_the_list() {
        let mut list = list(vec![conversation(1, 10), conversation(2, 20)]);
        let mut gone = conversation(1, 10);
        gone.trashed_unix_ms = Some(99);
        list.upsert(gone);
        assert_eq!((ids(&list), list.total), (vec![2], 1));
    }

    #[test]
    fn a_second_page_adds_to_the_first_and_names_nobody_twice() {
        let mut list = list(vec![conversation(1, 30), conversation(2, 20)]);
        list.take(2, ConversationPage { conversations: vec![conversation(2, 20), conversation(3, 10)], total: 3 });
        assert_eq!(ids(&list), [1, 2, 3]);
    }

    #[test]
    fn days_are_those_of_the_clock_on_the_wall() {
        let now: Zoned = "2026-03-15T00:30[Europe/Berlin]".parse().unwrap();
        let at = |text: &str| -> u64 {
            let at: Zoned = text.parse().unwrap();
            at.timestamp().as_millisecond() as u64
        };
        for (time, wanted) in [
            ("2026-03-15T00:10[Europe/Berlin]", "Today"),
            ("2026-03-16T09:00[Europe/Berlin]", "Today"),
            ("2026-03-14T23:50[Europe/Berlin]", "Yesterday"),
            ("2026-03-09T12:00[Europe/Berlin]", "Last 7 days"),
            ("2026-02-20T12:00[Europe/Berlin]", "Last 30 days"),
            ("2026-01-02T12:00[Europe/Berlin]", "January"),
            ("2025-12-31T12:00[Europe/Berlin]", "December 2025"),
        ] {
            assert_eq!(heading(at(time), &now), wanted, "{time}");
        }
        assert_eq!(heading(u64::MAX, &now), "Earlier");
    }

    #[test]
    fn matches_are_cut_out_and_wrong_ranges_are_left_out() {
        let shown = |matches: &[(u32, u32)]| -> String {
            let pieces = pieces("a tèa cup", matches);
            pieces.iter().map(|it| if it.matched { format!("[{}]", it.text) } else { it.text.clone() }).collect()
        };
        assert_eq!(shown(&[(2, 6)]), "a [tèa] cup");
        assert_eq!(shown(&[(2, 6), (7, 10)]), "a [tèa] [cup]");
        assert_eq!(shown(&[(4, 6), (7, 10)]), "a tèa [cup]", "within a character");
        assert_eq!(shown(&[(7, 99), (5, 2), (u32::MAX, 3)]), "a tèa cup");
        assert_eq!(shown(&[(7, 10), (2, 6)]), "a tèa [cup]", "backwards");
    }
}
