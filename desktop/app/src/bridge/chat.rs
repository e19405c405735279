//! Conversations on the bus: reading, keeping in order, and saying something.

mod files;
mod turn;

use super::Port;
use crate::state::chat::{Effect, Event, ForgetAnswer, Hidden};
use butterfly_api::conversations::{
    Branch, BranchRequest, Change, Changed, Conversation, Delete, List, ListRequest, Restore, Search, SearchRequest,
    Show, ShowRequest, Transcript, Update, Which,
};
use butterfly_api::memory::{
    Add, AddRequest, Explain, ExplainRequest, Forget, ForgetRequest, ReasonKind, Search as Recall,
    SearchRequest as RecallRequest,
};
use butterfly_api::session::{SetModel, Stop, StopRequest, UseModel};
use butterfly_api::vault::{Kept, Set, SetRequest};
use butterfly_api::{config, model};
use butterfly_wire::catalog::{self, topic};
use butterfly_wire::{ErrorCode, Failure};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Hits that are shown: what anybody looks through.
const HITS: u32 = 50;

/// Entries offered to be forgotten.
const FORGETTABLE: u32 = 20;

/// Messages read at once: the most that one call gives.
const PAGE: u32 = 200;

/// Messages read at most to reach one that was found: what a window can still hold with ease.
const FURTHEST: usize = 20_000;

/// Time for which typing has to rest before a draft is saved: shorter than a pause to think, longer than between keys.
const REST: Duration = Duration::from_millis(700);

/// Changes of conversations within this time are read together.
const GATHER: Duration = Duration::from_millis(150);

/// Does what the state asked for, and answers with events.
pub async fn perform(port: Port, effect: Effect) {
    match effect {
        Effect::List { request, offset, trash } => {
            let asked = ListRequest { offset, limit: crate::state::chat::list::PAGE, trash };
            let result = port.bus().call::<List>(&asked).await.map_err(words);
            port.emit(Event::Listed { request, offset, result });
        }
        Effect::Search { request, query } => {
            let result = port.bus().call::<Search>(&SearchRequest { query, limit: HITS }).await;
            port.emit(Event::Found { request, result: result.map(|found| found.hits).map_err(words) });
        }
        Effect::Read { conversation, request, count, until } => {
            let result = read(&port, conversation, count, until).await;
            if result.as_ref().is_err_and(|failure| failure.code == ErrorCode::BadPayload) {
                port.emit(Event::Gone(conversation));
            }
            port.emit(Event::Read { conversation, request, result: result.map(Box::new).map_err(words) });
        }
        Effect::ReadEarlier { conversation, before } => {
            let asked = ShowRequest { conversation, before: Some(before), limit: PAGE };
            let result = port.bus().call::<Show>(&asked).await.map(Box::new).map_err(words);
            port.emit(Event::ReadEarlier { conversation, before, result });
        }
        Effect::Say { run, request } => turn::say(&port, run, request).await,
        Effect::Stop { conversation } => {
            // If it cannot be asked, the answer's stream ends with the reason.
            let _ = port.bus().call::<Stop>(&StopRequest { conversation }).await;
        }
        Effect::Update(update) => change(&port, &update).await,
        Effect::DraftLater { conversation, version } => {
            tokio::time::sleep(REST).await;
            port.emit(Event::DraftDue { conversation, version });
        }
        Effect::SaveDraft { conversation, text } => {
            change(&port, &Update { conversation, draft: Some(text), ..Update::default() }).await;
        }
        Effect::Branch { message } => {
            let result = port.bus().call::<Branch>(&BranchRequest { message }).await;
            each(&port, result, |it| Event::Branched(Box::new(it)));
        }
        Effect::Delete(conversation) => {
            let result = port.bus().call::<Delete>(&Which { conversation }).await;
            each(&port, result, |it| Event::Deleted(Box::new(it)));
        }
        Effect::Restore(conversation) => {
            let result = port.bus().call::<Restore>(&Which { conversation }).await;
            each(&port, result, |it| Event::Restored(Box::new(it)));
        }
        Effect::Export { conversation, title, format } => files::export(&port, conversation, &title, format).await,
        Effect::Explain { message } => {
            let result = port.bus().call::<Explain>(&ExplainRequest { message: Some(message) }).await;
            port.emit(Event::Explained { message, result: result.map(Box::new).map_err(words) });
        }
        Effect::Models => {
            let result = port.bus().call::<model::List>(&()).await;
            port.emit(Event::Models(result.map(Box::new).map_err(words)));
        }
        Effect::UseModel(model) => {
            if let Err(failure) = port.bus().call::<SetModel>(&UseModel { model }).await {
                port.emit(Event::Failed(failure.message));
            }
        }
        Effect::Profiles => profiles(&port).await,
        Effect::Remember { text, conversation } => {
            let asked = AddRequest { text, conversation, ..AddRequest::default() };
            match port.bus().call::<Add>(&asked).await {
                Ok(added) => port.emit(Event::Remembered { id: added.id, known: added.known }),
                Err(failure) => port.emit(Event::Failed(failure.message)),
            }
        }
        Effect::ForgetSearch { request, query } => {
            let asked = RecallRequest { query, limit: FORGETTABLE, ..RecallRequest::default() };
            // What is found by meaning, or because it is recent, nobody asked to lose.
            let named = |found: butterfly_api::memory::Results| {
                let by_words =
                    |it: &butterfly_api::memory::Found| it.reasons.iter().any(|it| it.kind == ReasonKind::Word);
                ForgetAnswer::Found(found.results.into_iter().filter(by_words).collect())
            };
            let result = port.bus().call::<Recall>(&asked).await.map(named).map_err(words);
            port.emit(Event::ForgetAnswered { request, result });
        }
        Effect::Forget { request, ids, dry_run } => {
            let asked = ForgetRequest { ids, facts: Vec::new(), dry_run };
            let result = port.bus().call::<Forget>(&asked).await.map(Box::new).map_err(words);
            let answer = if dry_run { ForgetAnswer::WouldGo } else { ForgetAnswer::Gone };
            port.emit(Event::ForgetAnswered { request, result: result.map(answer) });
        }
        Effect::PickFile => files::pick(&port).await,
        Effect::ReadFile(path) => files::read(&port, &path).await,
        Effect::KeepSecret { run, name, value } => keep(&port, run, name, value).await,
    }
}

/// Follows what concerns this part for as long as the connection lasts.
pub async fn follow(port: Port) {
    let changes = port.bus().subscribe(catalog::conversations::ID, topic::CONVERSATION_CHANGED).await;
    let settings = port.bus().subscribe(catalog::config::ID, topic::CONFIG_CHANGED).await;
    let conversations = async {
        let Ok(mut changes) = changes else { return };
        while let Some(first) = changes.next().await {
            // An answer that runs changes its conversation again and again.
            let mut changed = BTreeSet::new();
            let mut gap = take(first, &mut changed);
            let until = Instant::now() + GATHER;
            while let Ok(Some(next)) = timeout_at(until, changes.next()).await {
                gap |= take(next, &mut changed);
            }
            if gap {
                port.emit(Event::Reload);
                continue;
            }
            for conversation in changed {
                touch(&port, conversation).await;
            }
        }
    };
    let profiles = async {
        let Ok(mut settings) = settings else { return };
        while settings.next().await.is_some() {
            profiles(&port).await;
            let models = port.bus().call::<model::List>(&()).await;
            port.emit(Event::Models(models.map(Box::new).map_err(words)));
        }
    };
    tokio::join!(conversations, profiles);
}

/// Notes which conversation an event is about. Returns whether events are missing before it.
fn take(event: Result<butterfly_client::Event, u64>, changed: &mut BTreeSet<u64>) -> bool {
    match event {
        Ok(event) => {
            changed.extend(event.decode::<Changed>().map(|it| it.conversation));
            false
        }
        Err(_) => true,
    }
}

/// Says what a conversation is now.
async fn touch(port: &Port, conversation: u64) {
    match port.bus().call::<Show>(&ShowRequest { conversation, before: None, limit: 1 }).await {
        Ok(transcript) => port.emit(Event::Touched(Box::new(transcript.conversation))),
        Err(failure) if failure.code == ErrorCode::BadPayload => port.emit(Event::Gone(conversation)),
        // The next change says it.
        Err(_) => {}
    }
}

/// The end of a transcript: at least `count` messages, and as far back as `until`.
async fn read(port: &Port, conversation: u64, count: u32, until: Option<u64>) -> Result<Transcript, Failure> {
    let request = ShowRequest { conversation, before: None, limit: count.min(PAGE) };
    let mut transcript = port.bus().call::<Show>(&request).await?;
    loop {
        let messages = &transcript.messages;
        let reached = until.is_none_or(|until| messages.iter().any(|message| message.id == until));
        let enough = messages.len() >= count as usize && (reached || messages.len() >= FURTHEST);
        if enough || !transcript.more {
            return Ok(transcript);
        }
        let before = messages.first().map(|message| message.id);
        let mut earlier = port.bus().call::<Show>(&ShowRequest { conversation, before, limit: PAGE }).await?;
        if earlier.messages.is_empty() {
            return Ok(transcript);
        }
        earlier.messages.append(&mut transcript.messages);
        transcript = earlier;
    }
}

async fn change(port: &Port, update: &Update) {
    let result = port.bus().call::<Change>(update).await;
    each(port, result, |it| Event::Touched(Box::new(it)));
}

fn each(port: &Port, result: Result<Conversation, Failure>, event: impl Fn(Conversation) -> Event) {
    match result {
        Ok(conversation) => port.emit(event(conversation)),
        Err(failure) => port.emit(Event::Failed(failure.message)),
    }
}

async fn profiles(port: &Port) {
    // Without them nothing can be chosen; settings say why.
    if let Ok(found) = port.bus().call::<config::ListProfiles>(&()).await {
        port.emit(Event::Profiles(found.profiles.into_iter().map(|profile| profile.name).collect()));
    }
}

/// Hands a secret to the vault. The turn that waits for it goes on by itself.
async fn keep(port: &Port, run: u64, name: String, value: Hidden) {
    let result = port.bus().call::<Set>(&SetRequest { name, value: value.into_inner() }).await;
    port.emit(match result {
        Ok(stored) => {
            let until_the_end = || "The key is kept until the assistant ends.".to_owned();
            let note = stored.note.or_else(|| (stored.kept == Kept::Process).then(until_the_end));
            Event::SecretKept { run, note }
        }
        Err(failure) => Event::SecretRefused { run, why: failure.message },
    });
}

/// What a failure says to people.
fn words(failure: Failure) -> String {
    failure.message
}
