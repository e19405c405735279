//! Asks the memory worker for what the memory view shows, and writes what it says.

use super::Port;
use crate::state::memory::forget::Forgettable;
use crate::state::memory::sheet::{Done, Place, Write};
use crate::state::memory::{Effect, Event, facts, graph, search, sheet, timeline};
use butterfly_api::memory::{
    Add, AddRequest, Correct, Forget, ForgetRequest, Forgotten, Graph, GraphRequest, List, ListFacts, PassageKind,
    Search, Show, Which,
};
use butterfly_wire::catalog::{conversations, topic};
use butterfly_wire::{Failure, Method};
use std::sync::Arc;
use std::time::Duration;

/// Pause after which somebody who typed has stopped: longer than between two letters, shorter than one waits knowingly.
const TYPED: Duration = Duration::from_millis(220);

/// Steps from something derived to what was said: a memory of a memory of a message.
const DERIVED: usize = 4;

/// Does what the state asked for, and answers with events.
pub async fn perform(port: Port, effect: Effect) {
    match effect {
        Effect::Later(event) => {
            tokio::time::sleep(TYPED).await;
            port.emit(*event);
        }
        Effect::Search { request, query } => {
            let result = ask::<Search>(&port, &query).await;
            port.emit(search::Event::Found { request, query, result });
        }
        Effect::List { request, list } => {
            let result = ask::<List>(&port, &list).await;
            port.emit(timeline::Event::Listed { request, older: list.before.is_some(), result });
        }
        Effect::Facts { request, facts } => {
            let result = ask::<ListFacts>(&port, &facts).await;
            port.emit(facts::Event::Listed { request, result });
        }
        Effect::Graph { request, graph } => {
            let result = picture(&port, &graph).await;
            port.emit(graph::Event::Laid { request, result });
        }
        Effect::Details { request, id } => {
            let result = ask::<Show>(&port, &Which { id }).await.map(Box::new);
            port.emit(sheet::Event::Detailed { request, result });
        }
        Effect::Source { request, id } => {
            let result = place(&port, id).await;
            port.emit(sheet::Event::SourceFound { request, result });
        }
        Effect::Write { request, write } => {
            let result = self::write(&port, write).await;
            port.emit(sheet::Event::Saved { request, result });
        }
        Effect::Preview { request, what } => {
            let result = forget(&port, &what, true).await;
            port.emit(sheet::Event::Previewed { request, what, result });
        }
        Effect::Forget { what } => {
            let result = forget(&port, &what, false).await;
            port.emit(sheet::Event::Forgotten { what, result });
        }
    }
}

/// Follows what concerns this part for as long as the connection lasts.
pub async fn follow(port: Port) {
    let Ok(mut changes) = port.bus().subscribe(conversations::ID, topic::CONVERSATION_CHANGED).await else { return };
    // What was missed is a change, too.
    while changes.next().await.is_some() {
        port.emit(Event::Said);
    }
}

async fn ask<M: Method>(port: &Port, request: &M::Request) -> Result<M::Reply, String> {
    port.bus().call::<M>(request).await.map_err(told)
}

fn told(failure: Failure) -> String {
    failure.message
}

/// The graph with its places. They are found beside everything else: it takes a core's while.
async fn picture(port: &Port, request: &GraphRequest) -> Result<Arc<graph::picture::Picture>, String> {
    let view = ask::<Graph>(port, request).await?;
    let laid = tokio::task::spawn_blocking(move || graph::lay_out(view)).await;
    laid.map_err(|_| "the layout of the graph ended early; show it again to try once more".to_owned())
}

/// Where a passage was said: the message that it is, or was taken from.
async fn place(port: &Port, passage: u64) -> Result<Place, String> {
    let mut id = passage;
    for _ in 0..DERIVED {
        let found = ask::<Show>(port, &Which { id }).await?.passage;
        match (found.kind, found.conversation_id, found.source) {
            (PassageKind::Message, Some(conversation), _) => return Ok(Place::Message { conversation, message: id }),
            (_, _, Some(source)) => id = source,
            (_, _, None) => break,
        }
    }
    Ok(Place::Passage(passage))
}

async fn write(port: &Port, write: Write) -> Result<Done, String> {
    match write {
        Write::Note(note) => Ok(Done::Noted(ask::<Add>(port, &note).await?)),
        Write::Reword { old, add } => reword(port, old, &add).await,
        Write::Correct(correction) => Ok(Done::Corrected(ask::<Correct>(port, &correction).await?)),
    }
}

/// The new wording is on the disk before the old one goes: whatever fails between, nothing is lost.
async fn reword(port: &Port, old: u64, add: &AddRequest) -> Result<Done, String> {
    let added = ask::<Add>(port, add).await?;
    if added.id == old {
        // The worker cleans texts up; after that it was the same.
        return Ok(Done::Noted(added));
    }
    let left = forget(port, &Forgettable::passage(old), false).await.err();
    Ok(Done::Reworded { old, added, left })
}

async fn forget(port: &Port, what: &Forgettable, dry_run: bool) -> Result<Forgotten, String> {
    let request = ForgetRequest { ids: what.passages.clone(), facts: what.facts.clone(), dry_run };
    ask::<Forget>(port, &request).await
}
