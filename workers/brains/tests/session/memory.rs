//! A memory worker that keeps everything in this process: the real service traits, served over a real connection. It can
//! be away, and it tells what it was asked.

use butterfly_api::Chunk;
use butterfly_api::config::{self, Config, Values, ValuesRequest};
use butterfly_api::conversations::{self, *};
use butterfly_api::memory::{self, Found, Memory, Passage, PassageKind, RecallRequest, Recalled};
use butterfly_api::model::Message;
use butterfly_api::session::Place;
use butterfly_client::{Call, Inlet, Outlet};
use butterfly_wire::{ErrorCode, Failure};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

/// What goes wrong with a call.
#[derive(Clone)]
pub enum Trouble {
    /// It is refused, and nothing was done.
    Before(ErrorCode),
    /// It is done, and the answer never comes.
    After(ErrorCode),
    /// It never ends.
    Hang,
}

/// One turn of the only branch that is kept.
#[derive(Clone)]
struct Turn {
    id: u64,
    key: u64,
    user: String,
    parts: BTreeMap<u32, Save>,
}

#[derive(Default)]
struct Kept {
    conversations: BTreeMap<u64, Vec<Turn>>,
    last_message: u64,
    begins: Vec<Begin>,
    saves: Vec<(Instant, Save)>,
    recalls: Vec<RecallRequest>,
    recovered: u32,
    values_asked: u32,
    begin_trouble: VecDeque<Trouble>,
    save_trouble: VecDeque<Trouble>,
    recover_trouble: VecDeque<Trouble>,
    recalled: Option<Result<Recalled, ErrorCode>>,
    summary: Option<Summary>,
    profile: Option<String>,
    settings: Vec<(String, String)>,
}

/// The worker.
#[derive(Default)]
pub struct Remembering {
    kept: Mutex<Kept>,
    /// Told after each save.
    pub saved: Notify,
}

impl Remembering {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// What goes wrong with the next attempts to begin.
    pub fn begin_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.kept().begin_trouble.extend(trouble);
    }

    pub fn save_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.kept().save_trouble.extend(trouble);
    }

    pub fn no_more_save_trouble(&self) {
        self.kept().save_trouble.clear();
    }

    pub fn recover_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.kept().recover_trouble.extend(trouble);
    }

    /// What recall finds from now on.
    pub fn recalls(&self, found: Result<Recalled, ErrorCode>) {
        self.kept().recalled = Some(found);
    }

    pub fn sums_up(&self, summary: Summary) {
        self.kept().summary = Some(summary);
    }

    pub fn uses_profile(&self, name: &str) {
        self.kept().profile = Some(name.to_owned());
    }

    pub fn set(&self, key: &str, value: &str) {
        self.kept().settings.push((key.to_owned(), value.to_owned()));
    }

    pub fn begins(&self) -> Vec<Begin> {
        self.kept().begins.clone()
    }

    pub fn saves(&self) -> Vec<(Instant, Save)> {
        self.kept().saves.clone()
    }

    pub fn recall_requests(&self) -> Vec<RecallRequest> {
        self.kept().recalls.clone()
    }

    pub fn recovered(&self) -> u32 {
        self.kept().recovered
    }

    /// Times that settings were asked for.
    pub fn values_asked(&self) -> u32 {
        self.kept().values_asked
    }

    /// Turns that were begun, over all conversations.
    pub fn turns(&self) -> usize {
        self.kept().conversations.values().map(Vec::len).sum()
    }

    /// The last state of a turn's parts.
    pub fn answer(&self, turn: u64) -> Vec<(MessageState, String)> {
        let kept = self.kept();
        let turn = kept.conversations.values().flatten().find(|kept| kept.id == turn).unwrap();
        turn.parts.values().map(|save| (save.state, save.message.content.clone())).collect()
    }

    /// The last save of a turn's first part.
    pub fn part(&self, turn: u64, part: u32) -> Save {
        let kept = self.kept();
        let turn = kept.conversations.values().flatten().find(|kept| kept.id == turn).unwrap();
        turn.parts[&part].clone()
    }

    /// Waits until a turn's last part is in this state.
    pub async fn until(&self, turn: u64, state: MessageState) {
        loop {
            let saved = self.saved.notified();
            if self.answer(turn).last().is_some_and(|(last, _)| *last == state) {
                return;
            }
            saved.await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

/// Something that was said, as recall finds it.
pub fn found(speaker: &str, text: &str, at_unix_ms: u64) -> Found {
    let passage = Passage {
        id: 1,
        kind: PassageKind::Message,
        external_id: None,
        conversation: None,
        conversation_id: None,
        speaker: speaker.to_owned(),
        text: text.to_owned(),
        tags: Vec::new(),
        at_unix_ms,
        source: None,
    };
    Found { passage, score: 1.0, reasons: Vec::new() }
}

async fn meet(trouble: Option<Trouble>) -> Result<Option<Failure>, Failure> {
    let failure = |code| Failure::new(code, format!("a failure of the test's: {code}"));
    match trouble {
        None => Ok(None),
        Some(Trouble::Before(code)) => Err(failure(code)),
        Some(Trouble::After(code)) => Ok(Some(failure(code))),
        Some(Trouble::Hang) => std::future::pending().await,
    }
}

fn past(turn: &Turn, number: usize) -> PastTurn {
    let exchange: Vec<Message> = turn.parts.values().map(|save| save.message.clone()).collect();
    let state = turn.parts.values().last().map_or(MessageState::Failed, |save| save.state);
    PastTurn { turn: turn.id, number: number as u32 + 1, user: turn.user.clone(), exchange, state }
}

impl Kept {
    fn begin(&mut self, begin: &Begin) -> Result<Begun, Failure> {
        let refused = |what: String| Failure::new(ErrorCode::BadPayload, what);
        let known = self.conversations.iter().find(|(_, turns)| turns.iter().any(|turn| turn.key == begin.key));
        let conversation = match (known.map(|(id, _)| *id), begin.conversation) {
            (Some(known), _) => known,
            (None, Some(id)) if !self.conversations.contains_key(&id) => {
                return Err(refused(format!(
                    "there is no conversation {id}; `butterfly conversations list` shows them"
                )));
            }
            (None, Some(id)) => id,
            (None, None) => self.conversations.len() as u64 + 1,
        };
        let turns = self.conversations.entry(conversation).or_default();
        if !turns.iter().any(|turn| turn.key == begin.key) {
            let place = |message: u64| {
                let at = turns.iter().position(|turn| turn.id == message);
                at.ok_or_else(|| refused(format!("there is no message {message}")))
            };
            let (kept, user) = match begin.place {
                Place::End => (turns.len(), begin.text.clone()),
                Place::InsteadOf(message) => (place(message)?, begin.text.clone()),
                Place::Again(message) => {
                    let at = place(message)?;
                    (at, turns[at].user.clone())
                }
            };
            let id = if let Place::Again(message) = begin.place { message } else { self.last_message + 1 };
            turns.truncate(kept);
            self.last_message = self.last_message.max(id);
            turns.push(Turn { id, key: begin.key, user, parts: BTreeMap::new() });
        }
        let last = turns.len() - 1;
        Ok(Begun {
            conversation,
            turn: turns[last].id,
            number: turns.len() as u32,
            text: turns[last].user.clone(),
            earlier: turns[..last].iter().enumerate().map(|(at, turn)| past(turn, at)).collect(),
            left_out: 0,
            summary: self.summary.clone(),
            profile: self.profile.clone(),
        })
    }

    fn save(&mut self, save: Save) -> Result<Saved, Failure> {
        let turn = self.conversations.values_mut().flatten().find(|turn| turn.id == save.turn);
        let turn = turn.ok_or_else(|| Failure::new(ErrorCode::BadPayload, "there is no such turn"))?;
        turn.parts.insert(save.part, save.clone());
        self.last_message += 1;
        self.saves.push((Instant::now(), save));
        Ok(Saved { message: self.last_message })
    }
}

impl Conversations for Remembering {
    async fn begin(&self, _: Call, request: Begin) -> Result<Begun, Failure> {
        let trouble = {
            let mut kept = self.kept();
            kept.begins.push(request.clone());
            kept.begin_trouble.pop_front()
        };
        let lost = meet(trouble).await?;
        let begun = self.kept().begin(&request)?;
        lost.map_or(Ok(begun), Err)
    }

    async fn save(&self, _: Call, request: Save) -> Result<Saved, Failure> {
        let trouble = self.kept().save_trouble.pop_front();
        let lost = meet(trouble).await?;
        let saved = self.kept().save(request)?;
        self.saved.notify_waiters();
        lost.map_or(Ok(saved), Err)
    }

    async fn recover(&self, _: Call, (): ()) -> Result<Recovered, Failure> {
        let trouble = self.kept().recover_trouble.pop_front();
        meet(trouble).await?;
        self.kept().recovered += 1;
        Ok(Recovered { interrupted: 0 })
    }

    async fn list(&self, _: Call, _: ListRequest) -> Result<ConversationPage, Failure> {
        Err(not_played())
    }

    async fn show(&self, _: Call, _: ShowRequest) -> Result<Transcript, Failure> {
        Err(not_played())
    }

    async fn search(&self, _: Call, _: SearchRequest) -> Result<Hits, Failure> {
        Err(not_played())
    }

    async fn update(&self, _: Call, _: Update) -> Result<Conversation, Failure> {
        Err(not_played())
    }

    async fn branch(&self, _: Call, _: BranchRequest) -> Result<Conversation, Failure> {
        Err(not_played())
    }

    async fn delete(&self, _: Call, _: conversations::Which) -> Result<Conversation, Failure> {
        Err(not_played())
    }

    async fn restore(&self, _: Call, _: conversations::Which) -> Result<Conversation, Failure> {
        Err(not_played())
    }

    async fn export(&self, _: Call, _: ExportRequest, _: Outlet<Chunk>) -> Result<Exported, Failure> {
        Err(not_played())
    }

    async fn import(&self, _: Call, (): (), _: Inlet<Chunk>) -> Result<Imported, Failure> {
        Err(not_played())
    }
}

impl Memory for Remembering {
    async fn recall(&self, _: Call, request: RecallRequest) -> Result<Recalled, Failure> {
        let mut kept = self.kept();
        kept.recalls.push(request);
        match kept.recalled.clone() {
            None => Ok(Recalled { items: Vec::new(), enabled: true, degraded: None }),
            Some(found) => found.map_err(|code| Failure::new(code, "the index is being rebuilt")),
        }
    }

    async fn add(&self, _: Call, _: memory::AddRequest) -> Result<memory::Added, Failure> {
        Err(not_played())
    }

    async fn search(&self, _: Call, _: memory::SearchRequest) -> Result<memory::Results, Failure> {
        Err(not_played())
    }

    async fn list(&self, _: Call, _: memory::ListRequest) -> Result<memory::Passages, Failure> {
        Err(not_played())
    }

    async fn show(&self, _: Call, _: memory::Which) -> Result<memory::Details, Failure> {
        Err(not_played())
    }

    async fn forget(&self, _: Call, _: memory::ForgetRequest) -> Result<memory::Forgotten, Failure> {
        Err(not_played())
    }

    async fn import(&self, _: Call, (): (), _: Inlet<Chunk>) -> Result<memory::ImportReport, Failure> {
        Err(not_played())
    }

    async fn index(&self, _: Call, (): (), _: Outlet<memory::IndexProgress>) -> Result<memory::Indexed, Failure> {
        Err(not_played())
    }

    async fn facts(&self, _: Call, _: memory::FactsRequest) -> Result<memory::Facts, Failure> {
        Err(not_played())
    }

    async fn correct(&self, _: Call, _: memory::Correction) -> Result<memory::Facts, Failure> {
        Err(not_played())
    }

    async fn graph(&self, _: Call, _: memory::GraphRequest) -> Result<memory::GraphView, Failure> {
        Err(not_played())
    }

    async fn explain(&self, _: Call, _: memory::ExplainRequest) -> Result<memory::Explanation, Failure> {
        Err(not_played())
    }
}

impl Config for Remembering {
    async fn values(&self, _: Call, _: ValuesRequest) -> Result<Values, Failure> {
        let mut kept = self.kept();
        kept.values_asked += 1;
        Ok(Values { values: kept.settings.clone() })
    }

    async fn list(&self, _: Call, _: config::ListRequest) -> Result<config::Settings, Failure> {
        Err(not_played())
    }

    async fn get(&self, _: Call, _: config::KeyRequest) -> Result<config::Setting, Failure> {
        Err(not_played())
    }

    async fn set(&self, _: Call, _: config::SetRequest) -> Result<config::ChangedSetting, Failure> {
        Err(not_played())
    }

    async fn unset(&self, _: Call, _: config::KeyRequest) -> Result<config::ChangedSetting, Failure> {
        Err(not_played())
    }

    async fn export(&self, _: Call, (): ()) -> Result<config::Document, Failure> {
        Err(not_played())
    }

    async fn import(&self, _: Call, _: config::ImportRequest) -> Result<config::Imported, Failure> {
        Err(not_played())
    }

    async fn profiles(&self, _: Call, (): ()) -> Result<config::Profiles, Failure> {
        Err(not_played())
    }

    async fn remove_profile(&self, _: Call, _: config::WhichProfile) -> Result<config::Profiles, Failure> {
        Err(not_played())
    }
}

/// Brains has no business with the rest of these services.
fn not_played() -> Failure {
    Failure::new(ErrorCode::Denied, "brains begins, saves, recovers, recalls and asks for values alone")
}
