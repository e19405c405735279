//! The agent loop as its callers and the model worker see it: a real connection on each side, frames in between.
//!
//! One duplex pipe carries both directions: the test calls `session` and serves `model`, brains the other way round.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod context;
mod conversation;
mod failures;
mod memory;
mod model;
mod recall;
mod saving;
mod secrets;
mod stopping;
mod tools;
mod unsaved;

use butterfly_api::session::{self, Place, SendRequest, TurnEnd, TurnItem};
use butterfly_brains::Brains;
use butterfly_client::{Bus, Handler, Incoming, Next, Service, Stream, start};
use butterfly_wire::method::Nothing;
use butterfly_wire::{ErrorCode, Failure, Header, Method, catalog, control};
use memory::Remembering;
use model::Scripted;
use std::sync::Arc;

/// A handler with its services, as the workers' runtime has it, and a kernel's word where one is asked for a topic.
struct Serving(Vec<Box<dyn Service>>);

impl Handler for Serving {
    fn request(&self, incoming: Incoming) {
        if incoming.header.service == catalog::control::ID {
            return incoming.unary::<Subscribe, _, _>(|_, _| async { Ok(()) });
        }
        match self.0.iter().find(|service| service.id() == incoming.header.service) {
            Some(service) => service.dispatch(incoming),
            None => incoming.refuse(ErrorCode::UnknownMethod, "no such service"),
        }
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// What [`Bus::subscribe`] calls.
struct Subscribe;

impl Method for Subscribe {
    const INFO: &'static catalog::MethodInfo = &catalog::control::SUBSCRIBE;
    type Request = control::Topic;
    type Item = Nothing;
    type Upload = Nothing;
    type Reply = ();
}

/// Brains at the far end of the bus that is returned, asking `model`, with a memory that does its work.
fn brains_asking(model: &Arc<Scripted>) -> Bus {
    connected(&Arc::new(Brains::new()), model, &Remembering::new()).0
}

/// As [`brains_asking`], with this memory, and prepared as its program does it.
async fn assistant(model: &Arc<Scripted>, memory: &Arc<Remembering>) -> Bus {
    let brains = Arc::new(Brains::new());
    let (near, far) = connected(&brains, model, memory);
    brains.prepare(far.background()).await;
    near
}

/// Both ends of the connection: the one that calls brains, and brains' own.
fn connected(brains: &Arc<Brains>, model: &Arc<Scripted>, memory: &Arc<Remembering>) -> (Bus, Bus) {
    let (near, far) = tokio::io::duplex(64 << 10);
    let far = start(far, Arc::new(Serving(vec![Box::new(session::serve(Arc::clone(brains)))])));
    let others: Vec<Box<dyn Service>> = vec![
        Box::new(butterfly_api::model::serve(Arc::clone(model))),
        Box::new(butterfly_api::conversations::serve(Arc::clone(memory))),
        Box::new(butterfly_api::memory::serve(Arc::clone(memory))),
        Box::new(butterfly_api::config::serve(Arc::clone(memory))),
    ];
    (start(near, Arc::new(Serving(others))), far)
}

fn say(conversation: Option<u64>, text: &str) -> SendRequest {
    SendRequest { conversation, text: text.to_owned(), place: Place::End, unsaved: false, model: None }
}

/// A turn, as a client sees it.
#[derive(Debug)]
struct Seen {
    items: Vec<TurnItem>,
    end: Result<TurnEnd, Failure>,
}

impl Seen {
    fn conversation(&self) -> u64 {
        match self.items.first() {
            Some(TurnItem::Started { conversation, .. }) => *conversation,
            other => panic!("the first item is {other:?}"),
        }
    }

    /// The id of the person's message.
    fn message(&self) -> u64 {
        match self.items.first() {
            Some(TurnItem::Started { message, .. }) => *message,
            other => panic!("the first item is {other:?}"),
        }
    }

    fn text(&self) -> String {
        self.items
            .iter()
            .filter_map(|item| if let TurnItem::Text { text } = item { Some(text.as_str()) } else { None })
            .collect()
    }

    fn notices(&self) -> Vec<&str> {
        self.items
            .iter()
            .filter_map(|item| if let TurnItem::Notice { text } = item { Some(text.as_str()) } else { None })
            .collect()
    }
}

/// Sends and reads to the end.
async fn turn(bus: &Bus, request: SendRequest) -> Seen {
    let stream = bus.stream::<session::Send>(&request).await.unwrap();
    rest(stream).await
}

async fn rest(mut stream: Stream<session::Send>) -> Seen {
    let mut items = Vec::new();
    loop {
        match stream.next().await {
            Ok(Next::Item(item)) => items.push(item),
            Ok(Next::End(end)) => return Seen { items, end: Ok(end) },
            Err(failure) => return Seen { items, end: Err(failure) },
        }
    }
}

/// Reads until the item that `wanted` accepts.
async fn until(stream: &mut Stream<session::Send>, wanted: impl Fn(&TurnItem) -> bool) -> TurnItem {
    loop {
        match stream.next().await.unwrap() {
            Next::Item(item) if wanted(&item) => return item,
            Next::Item(_) => {}
            Next::End(end) => panic!("the turn ended first: {end:?}"),
        }
    }
}

fn is_text(item: &TurnItem) -> bool {
    matches!(item, TurnItem::Text { .. })
}
