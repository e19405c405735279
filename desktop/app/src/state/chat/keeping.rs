//! What happens to the list, and to conversations as a whole.

use super::list::{self, List, Phase};
use super::shared::Shared;
use super::{Effect, Event, State};
use crate::state::frame::{Toast, Tone};
use crate::state::{Effect as Outer, System};
use butterfly_api::conversations::{Conversation, ConversationPage, Format, Hit, Update};

/// Characters of a title in a toast.
const TITLE: usize = 40;

impl State {
    pub(super) fn connected(&mut self) -> Vec<Outer> {
        self.connected = true;
        self.reload()
    }

    pub(super) fn reload(&mut self) -> Vec<Outer> {
        let mut effects = self.list_anew();
        effects.extend([Outer::Chat(Effect::Models), Outer::Chat(Effect::Profiles)]);
        effects.extend(self.reread());
        effects
    }

    pub(super) fn lost(&mut self) -> Vec<Outer> {
        self.connected = false;
        if self.list.phase != Phase::Ready {
            self.list.phase = Phase::Loading;
        }
        let running: Vec<u64> = self.runs.iter().filter(|(_, run)| !run.over).map(|(run, _)| *run).collect();
        let fault = super::Fault {
            code: butterfly_wire::ErrorCode::Disconnected,
            message: "The connection to the assistant was lost.".to_owned(),
        };
        running.into_iter().flat_map(|run| self.ended(run, Err(fault.clone()))).collect()
    }

    fn list_anew(&mut self) -> Vec<Outer> {
        let request = self.next();
        self.list.request = request;
        vec![Outer::Chat(Effect::List { request, offset: 0, trash: self.list.trash })]
    }

    pub(super) fn listed(&mut self, request: u64, offset: u32, result: Result<ConversationPage, String>) -> Vec<Outer> {
        if request != self.list.request {
            return Vec::new();
        }
        match result {
            Ok(page) => {
                self.list.take(offset, page);
                if let Some(about) = self.thread.id.and_then(|id| self.list.find(id)) {
                    self.thread.about = Some(about.clone());
                }
            }
            Err(why) if self.list.phase == Phase::Ready => return vec![Outer::toast(Toast::new(Tone::Warning, why))],
            Err(why) => self.list.phase = Phase::Failed(why),
        }
        Vec::new()
    }

    pub(super) fn more_listed(&mut self) -> Vec<Outer> {
        let offset = u32::try_from(self.list.conversations.len()).unwrap_or(u32::MAX);
        if offset >= self.list.total || self.list.phase != Phase::Ready {
            return Vec::new();
        }
        let request = self.next();
        self.list.request = request;
        vec![Outer::Chat(Effect::List { request, offset, trash: self.list.trash })]
    }

    pub(super) fn touched(&mut self, conversation: Conversation) -> Vec<Outer> {
        let id = conversation.id;
        let open = self.thread.id == Some(id);
        let said = conversation.messages;
        let mut effects = Vec::new();
        if open {
            let known = self.thread.about.as_ref().map(|about| (about.messages, about.updated_unix_ms));
            let now = (said, conversation.updated_unix_ms);
            // What runs here shows itself; what somebody else says has to be read.
            if known != Some(now) && self.thread.run.is_none() {
                effects = self.reread();
            }
            self.thread.about = Some(Shared::new(conversation.clone()));
        }
        self.list.upsert(conversation);
        effects
    }

    /// Another branch became the active one. By its numbers it may be the same, so it is read in any case.
    pub(super) fn branched(&mut self, conversation: Conversation) -> Vec<Outer> {
        let is_shown = self.thread.id == Some(conversation.id) && self.thread.run.is_none();
        let effects = self.touched(conversation);
        if is_shown && effects.is_empty() { self.reread() } else { effects }
    }

    pub(super) fn gone(&mut self, conversation: u64) -> Vec<Outer> {
        self.list.remove(conversation);
        self.asides.remove(&Some(conversation));
        if self.thread.id == Some(conversation) && self.thread.run.is_none() {
            self.open(None, None)
        } else {
            Vec::new()
        }
    }

    pub(super) fn search(&mut self, query: String) -> Vec<Outer> {
        if query.trim().is_empty() {
            self.list.search = list::Search { query, ..Default::default() };
            return Vec::new();
        }
        let request = self.next();
        let search = &mut self.list.search;
        search.request = request;
        search.query.clone_from(&query);
        // What was found for the last words stays until the next is there: nothing flickers while one types.
        if search.phase != Phase::Ready {
            search.phase = Phase::Loading;
        }
        vec![Outer::Chat(Effect::Search { request, query })]
    }

    pub(super) fn found(&mut self, request: u64, result: Result<Vec<Hit>, String>) -> Vec<Outer> {
        let search = &mut self.list.search;
        if search.request == request {
            match result {
                Ok(hits) => (search.hits, search.phase) = (Shared::new(hits), Phase::Ready),
                Err(why) => search.phase = Phase::Failed(why),
            }
        }
        Vec::new()
    }

    pub(super) fn show_trash(&mut self, trash: bool) -> Vec<Outer> {
        let unread = std::mem::take(&mut self.list.unread);
        self.list = List { trash, unread, ..List::default() };
        self.list_anew()
    }

    pub(super) fn rename(&mut self, conversation: u64, title: String) -> Vec<Outer> {
        self.list.renaming = None;
        let title = title.trim().to_owned();
        if self.list.find(conversation).is_some_and(|known| known.title == title) {
            return Vec::new();
        }
        vec![Outer::Chat(Effect::Update(Update { conversation, title: Some(title), ..Update::default() }))]
    }

    pub(super) fn pin(&mut self, conversation: u64) -> Vec<Outer> {
        let known = self.list.find(conversation).or(self.thread.about.as_ref().filter(|it| it.id == conversation));
        let Some(pinned) = known.map(|known| known.pinned) else { return Vec::new() };
        vec![Outer::Chat(Effect::Update(Update { conversation, pinned: Some(!pinned), ..Update::default() }))]
    }

    pub(super) fn deleted(&mut self, conversation: Conversation) -> Vec<Outer> {
        let id = conversation.id;
        let toast = Toast::new(Tone::Info, format!("“{}” is in the trash.", short(&conversation.title)))
            .with("Undo", Event::Restore(id));
        self.list.upsert(conversation);
        let mut effects = vec![Outer::toast(toast)];
        if self.thread.id == Some(id) {
            effects.extend(self.open(None, None));
        }
        effects
    }

    pub(super) fn restored(&mut self, conversation: Conversation) -> Vec<Outer> {
        let (id, title) = (conversation.id, short(&conversation.title));
        self.list.upsert(conversation);
        let mut effects = vec![Outer::toast(Toast::new(Tone::Success, format!("“{title}” is back.")))];
        // Nothing was begun in its place: one goes on where one was.
        if self.thread.id.is_none() && self.thread.run.is_none() && self.composer.is_blank() && !self.list.trash {
            effects.extend(self.open(Some(id), None));
        }
        effects
    }

    pub(super) fn export(&mut self, conversation: u64, format: Format) -> Vec<Outer> {
        let known = self.list.find(conversation).or(self.thread.about.as_ref().filter(|it| it.id == conversation));
        let title = known.map_or_else(|| format!("conversation {conversation}"), |known| known.title.clone());
        vec![Outer::Chat(Effect::Export { conversation, title, format })]
    }

    pub(super) fn use_profile(&mut self, name: Option<String>) -> Vec<Outer> {
        self.dialog = super::Dialog::None;
        let Some(conversation) = self.thread.id else {
            return vec![Outer::toast(Toast::new(
                Tone::Info,
                "A profile can be chosen once the conversation has begun: send a message first.",
            ))];
        };
        let profile = Some(name.unwrap_or_default());
        vec![
            Outer::Chat(Effect::Update(Update { conversation, profile, ..Update::default() })),
            Outer::System(System::Focus(super::COMPOSER.into())),
        ]
    }

    pub(super) fn copy(&self, message: Option<u64>) -> Vec<Outer> {
        let found = match message {
            Some(message) => self.thread.find(message),
            None => self.thread.last_reply(),
        };
        let Some(found) = found else { return Vec::new() };
        vec![Outer::System(System::Copy(found.text.clone()))]
    }

    /// Reads the open conversation again, as far as it is shown.
    pub(super) fn reread(&mut self) -> Vec<Outer> {
        let Some(conversation) = self.thread.id else { return Vec::new() };
        let request = self.next();
        self.thread.request = request;
        let count = self.thread.count();
        let until = self.thread.target.map(|(message, _)| message).filter(|it| self.thread.find(*it).is_none());
        vec![Outer::Chat(Effect::Read { conversation, request, count, until })]
    }
}

/// A title as a toast shows it.
fn short(title: &str) -> String {
    let title = crate::markdown::clean(title);
    if title.chars().count() <= TITLE {
        return title.into_owned();
    }
    let cut: String = title.chars().take(TITLE - 1).collect();
    format!("{}…", cut.trim_end())
}
