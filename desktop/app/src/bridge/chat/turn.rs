//! One turn: what is said goes out, the answer comes in.

use super::super::Port;
use crate::state::answer;
use crate::state::chat::{Event, Fault};
use butterfly_api::session::{Send, SendRequest, TurnItem};
use butterfly_client::Next;
use butterfly_wire::Failure;

/// Says something and delivers the answer as it comes, to its end.
pub async fn say(port: &Port, run: u64, request: SendRequest) {
    let mut stream = match port.bus().stream::<Send>(&request).await {
        Ok(stream) => stream,
        Err(failure) => return port.emit(ended(run, failure)),
    };
    drop(request);
    let mut waits = false;
    loop {
        match stream.next().await {
            Ok(Next::Item(item)) => {
                match &item {
                    TurnItem::Started { conversation, message, .. } => {
                        port.emit(Event::Started { run, conversation: *conversation, message: *message });
                    }
                    TurnItem::NeedsSecret { name, why } => {
                        waits = true;
                        port.emit(Event::NeedsSecret { run, name: name.clone(), why: why.clone() });
                    }
                    TurnItem::Thinking { .. }
                    | TurnItem::Text { .. }
                    | TurnItem::Notice { .. }
                    | TurnItem::Usage(_) => {
                        if std::mem::take(&mut waits) {
                            port.emit(Event::GoesOn { run });
                        }
                    }
                }
                port.emit(answer::Event::Item { run, item });
            }
            Ok(Next::End(end)) => return port.emit(Event::Ended { run, result: Ok(end) }),
            Err(failure) => return port.emit(ended(run, failure)),
        }
    }
}

fn ended(run: u64, failure: Failure) -> Event {
    Event::Ended { run, result: Err(Fault { code: failure.code, message: failure.message }) }
}
