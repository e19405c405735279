//! The only part that talks to the bus: it connects, does what the state asks for, and delivers events.
//!
//! All of it runs on tokio's threads; the window's thread sees nothing but batches of events, at most one every
//! [`BATCH`]. A token that arrives after a pause is delivered at once.

mod chat;
mod diagnostics;
mod memory;
mod settings;
mod setup;

use crate::state::{Effect, Event, link};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_start::{Instance, StartError, connect_or_start};
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::WorkerChanged;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// Time between two deliveries. Thirty a second look smooth, and leave the window's thread its time.
const BATCH: Duration = Duration::from_millis(30);

/// Time between two attempts to reach a kernel that is gone.
const RECONNECT: Duration = Duration::from_millis(500);

/// What each part's half of the bridge works with.
#[derive(Clone)]
pub struct Port {
    bus: Bus,
    events: UnboundedSender<Event>,
}

impl Port {
    /// The connection. After it was lost every call answers `Disconnected`.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Delivers an event with the next batch.
    pub fn emit(&self, event: impl Into<Event>) {
        // Nobody listens any more only when the window is gone.
        let _ = self.events.send(event.into());
    }
}

/// Connects, reconnects, and serves until nobody asks any more. Must be called inside a tokio runtime.
///
/// What is asked for while there is no connection waits for the next one.
pub async fn run(instance: Arc<Instance>, mut effects: UnboundedReceiver<Effect>, events: UnboundedSender<Event>) {
    let mut waiting = Vec::new();
    // The kernel is started with the app. Later on, one that was stopped stays so until somebody asks.
    let mut start = true;
    loop {
        let attempt = if start {
            connect_or_start(&instance).await
        } else {
            butterfly_client::connect(&instance.place).await.map(|(bus, _)| (bus, false)).map_err(StartError::from)
        };
        start = false;
        match attempt {
            Ok((bus, started_kernel)) => {
                let port = Port { bus, events: events.clone() };
                if !serve(&port, started_kernel, &mut waiting, &mut effects).await {
                    return;
                }
            }
            Err(fault) => {
                let _ = events.send(link::Event::Failed { why: fault.to_string() }.into());
                let pause = tokio::time::sleep(RECONNECT);
                tokio::pin!(pause);
                loop {
                    tokio::select! {
                        () = &mut pause => break,
                        effect = effects.recv() => match effect {
                            Some(Effect::Link(link::Effect::Start)) => {
                                start = true;
                                let _ = events.send(link::Event::Starting.into());
                                break;
                            }
                            Some(effect) => waiting.push(effect),
                            None => return,
                        }
                    }
                }
            }
        }
    }
}

/// Serves one connection. Returns whether anybody still asks.
async fn serve(
    port: &Port,
    started_kernel: bool,
    waiting: &mut Vec<Effect>,
    effects: &mut UnboundedReceiver<Effect>,
) -> bool {
    let kernel_pid = match port.bus.call::<control::Status>(&()).await {
        Ok(status) => status.kernel.pid,
        Err(failure) => {
            port.emit(link::Event::Lost { why: failure.message });
            return true;
        }
    };
    port.emit(link::Event::Connected { started_kernel, kernel_pid });
    let following = [
        tokio::spawn(workers(port.clone())),
        tokio::spawn(setup::follow(port.clone())),
        tokio::spawn(chat::follow(port.clone())),
        tokio::spawn(memory::follow(port.clone())),
        tokio::spawn(diagnostics::follow(port.clone())),
        tokio::spawn(settings::follow(port.clone())),
    ];
    for effect in waiting.drain(..) {
        perform(port, effect);
    }
    let ended = port.bus.ended();
    tokio::pin!(ended);
    let asked = loop {
        tokio::select! {
            failure = &mut ended => {
                port.emit(link::Event::Lost { why: failure.message });
                break true;
            }
            effect = effects.recv() => match effect {
                Some(effect) => perform(port, effect),
                None => break false,
            }
        }
    };
    for task in following {
        task.abort();
    }
    asked
}

fn perform(port: &Port, effect: Effect) {
    let port = port.clone();
    match effect {
        Effect::Setup(effect) => drop(tokio::spawn(setup::perform(port, effect))),
        Effect::Chat(effect) => drop(tokio::spawn(chat::perform(port, effect))),
        Effect::Memory(effect) => drop(tokio::spawn(memory::perform(port, effect))),
        Effect::Diagnostics(effect) => drop(tokio::spawn(diagnostics::perform(port, effect))),
        Effect::Settings(effect) => drop(tokio::spawn(settings::perform(port, effect))),
        // A kernel is there already.
        Effect::Link(link::Effect::Start) => {}
        // These never leave the window's thread.
        Effect::Then(_) | Effect::System(_) => {}
    }
}

/// Tells which workers are away, from the table first and then from the kernel's events.
async fn workers(port: Port) {
    let Ok(mut changes) = port.bus.subscribe(service::ID, topic::WORKERS).await else { return };
    loop {
        if let Ok(status) = port.bus.call::<control::Status>(&()).await {
            for worker in status.workers.into_iter().filter(|worker| worker.instance_of.is_empty()) {
                port.emit(link::Event::Worker { name: worker.name, state: worker.state });
            }
        }
        loop {
            match changes.next().await {
                Some(Ok(event)) => {
                    if let Ok(WorkerChanged { name, state, .. }) = event.decode() {
                        port.emit(link::Event::Worker { name, state });
                    }
                }
                // After a gap the table is read again.
                Some(Err(_)) => break,
                None => return,
            }
        }
    }
}

/// The next batch of events: whatever has come since the last one. `None` when the bridge is gone.
pub async fn batch(events: &mut UnboundedReceiver<Event>, last: &mut Instant) -> Option<Vec<Event>> {
    let mut batch = vec![events.recv().await?];
    tokio::time::sleep_until(*last + BATCH).await;
    while let Ok(event) = events.try_recv() {
        batch.push(event);
    }
    *last = Instant::now();
    Some(batch)
}

/// The two ends between the window and the bridge: what the window asks for, and what happened.
#[must_use]
pub fn channel() -> (UnboundedSender<Effect>, UnboundedReceiver<Effect>) {
    unbounded_channel()
}
