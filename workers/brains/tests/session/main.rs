//! The agent loop as its callers and the model worker see it: a real connection on each side, frames in between.
//!
//! One duplex pipe carries both directions: the test calls `session` and serves `model`, brains the other way round.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod context;
mod conversation;
mod failures;
mod model;
mod stopping;
mod tools;

use butterfly_api::session::{self, SendRequest, TurnEnd, TurnItem};
use butterfly_brains::Brains;
use butterfly_client::{Bus, Handler, Incoming, Next, Service, Stream, start};
use butterfly_wire::{ErrorCode, Failure, Header};
use model::Scripted;
use std::sync::Arc;

/// A handler with one service, as the workers' runtime would have it with several.
struct Serving<S>(S);

impl<S: Service> Handler for Serving<S> {
    fn request(&self, incoming: Incoming) {
        if incoming.header.service == self.0.id() {
            self.0.dispatch(incoming);
        } else {
            incoming.refuse(ErrorCode::UnknownMethod, "no such service");
        }
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// Brains at the far end of the bus that is returned, asking `model`.
fn brains_asking(model: &Arc<Scripted>) -> Bus {
    let (near, far) = tokio::io::duplex(64 << 10);
    start(far, Arc::new(Serving(session::serve(Arc::new(Brains::new())))));
    start(near, Arc::new(Serving(butterfly_api::model::serve(Arc::clone(model)))))
}

fn say(conversation: Option<u64>, text: &str) -> SendRequest {
    SendRequest { conversation, text: text.to_owned(), model: None }
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
