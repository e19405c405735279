//! The handle through which calls are made.

use crate::events::{BACKLOG, Events};
use crate::state::{Open, Shared, caller_header};
use crate::stream::{Stream, Upload, WINDOW};
use butterfly_wire::control::Topic;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, Method, catalog, codec};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

/// Pauses before an idempotent call is tried again, in ms. Together they outlast the restart of a worker.
const RETRY_PAUSES_MS: [u64; 4] = [15, 60, 200, 500];

/// A connection to the bus, and on whose behalf it is used. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) shared: Arc<Shared>,
    origin: Origin,
}

/// What every request made through a [`Bus`] carries.
#[derive(Clone, Copy, Default)]
struct Origin {
    parent: u64,
    flags: Flags,
    destination: EndpointId,
    deadline_ms: u32,
}

/// Cancels the call unless it was answered.
pub(crate) struct Guard {
    pub(crate) shared: Arc<Shared>,
    pub(crate) correlation: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.calls.remove(&self.correlation).is_some() {
            state.append(&caller_header(Kind::Cancel, self.correlation), &[]);
        }
    }
}

impl Bus {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, origin: Origin::default() }
    }

    /// Requests made through the result count as caused by the call with this correlation id.
    pub(crate) fn on_behalf_of(&self, parent: u64, flags: Flags) -> Self {
        let origin = Origin { parent, flags: Flags(flags.0 & Flags::BACKGROUND.0), ..self.origin };
        Self { shared: Arc::clone(&self.shared), origin }
    }

    /// Work that nobody waits for: it opens a trace of its own and yields to everything else.
    #[must_use]
    pub fn background(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), origin: Origin { flags: Flags::BACKGROUND, ..self.origin } }
    }

    /// Requests go to this peer instead of whoever serves the service.
    #[must_use]
    pub fn to(&self, destination: EndpointId) -> Self {
        Self { shared: Arc::clone(&self.shared), origin: Origin { destination, ..self.origin } }
    }

    /// Requests must be answered within this time (a stream's: its next item), instead of the method's default.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        let deadline_ms = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX).max(1);
        Self { shared: Arc::clone(&self.shared), origin: Origin { deadline_ms, ..self.origin } }
    }

    /// Calls a unary method. An idempotent one is tried again when its worker was away or busy.
    ///
    /// # Errors
    /// Whatever the callee or the kernel answered.
    pub async fn call<M: Method>(&self, request: &M::Request) -> Result<M::Reply, Failure> {
        let payload = encode(request)?;
        let mut pauses = RETRY_PAUSES_MS.into_iter().filter(|_| M::INFO.idempotent);
        loop {
            let failure = match self.call_once(M::INFO, &payload).await {
                Ok(reply) => return decode(&reply),
                Err(failure) => failure,
            };
            // An endpoint that was named does not come back; whoever serves the service does.
            let again =
                failure.code == ErrorCode::Busy || (failure.code.is_transient() && self.origin.destination.is_any());
            match pauses.next().filter(|_| again) {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(failure),
            }
        }
    }

    /// Calls a unary method with a payload that is already encoded, once.
    ///
    /// # Errors
    /// Whatever the callee or the kernel answered.
    pub async fn call_once(&self, info: &catalog::MethodInfo, payload: &[u8]) -> Result<Vec<u8>, Failure> {
        let (sender, receiver) = oneshot::channel();
        let open = Open::Unary { reply: sender, upload_credit: None };
        let _guard = self.open(info, payload, Flags::NONE, 0, open).await?;
        receiver.await.unwrap_or_else(|_| Err(disconnected()))
    }

    /// Calls a streaming method.
    ///
    /// # Errors
    /// When the request cannot be sent; all else arrives through the stream.
    pub async fn stream<M: Method>(&self, request: &M::Request) -> Result<Stream<M>, Failure> {
        let payload = encode(request)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let guard = self.open(M::INFO, &payload, Flags::NONE, WINDOW, Open::Stream { parts: sender }).await?;
        Ok(Stream::new(guard, receiver))
    }

    /// Calls a method whose caller streams.
    ///
    /// # Errors
    /// When the request cannot be sent; all else is the upload's result.
    pub async fn upload<M: Method>(&self, request: &M::Request) -> Result<Upload<M>, Failure> {
        let payload = encode(request)?;
        let (sender, receiver) = oneshot::channel();
        let credit = Arc::new(Semaphore::new(0));
        let open = Open::Unary { reply: sender, upload_credit: Some(Arc::clone(&credit)) };
        let guard = self.open(M::INFO, &payload, Flags::MORE, 0, open).await?;
        Ok(Upload::new(guard, receiver, credit))
    }

    /// Follows a topic.
    ///
    /// # Errors
    /// When the capability table does not allow it, or too many are followed.
    pub async fn subscribe(&self, service: u16, topic: u16) -> Result<Events, Failure> {
        // Listening starts before the kernel knows, so that the first event finds a listener.
        let receiver = self
            .shared
            .state()
            .topics
            .entry((service, topic))
            .or_insert_with(|| broadcast::channel(BACKLOG).0)
            .subscribe();
        let payload = encode(&Topic { service, topic })?;
        match self.call_once(&catalog::control::SUBSCRIBE, &payload).await {
            Ok(_) => Ok(Events { receiver }),
            Err(failure) => {
                drop(receiver);
                let mut state = self.shared.state();
                if state.topics.get(&(service, topic)).is_some_and(|topic| topic.receiver_count() == 0) {
                    state.topics.remove(&(service, topic));
                }
                Err(failure)
            }
        }
    }

    /// Publishes an event on a topic of the sender's.
    ///
    /// # Errors
    /// When the value is too large or the connection has ended.
    pub async fn publish<T: butterfly_wire::Encode>(&self, service: u16, topic: u16, value: &T) -> Result<(), Failure> {
        let payload = encode(value)?;
        let header = Header { kind: Kind::Event as u8, service, method: topic, ..Header::default() };
        self.shared.push_bounded(&payload, |_| Some((header, ()))).await
    }

    /// Sends an event at once, whatever is unsent: for the small ones that keep a connection alive.
    pub fn send_event_now<T: butterfly_wire::Encode>(&self, service: u16, topic: u16, value: &T) {
        if let Ok(payload) = encode(value) {
            let header = Header { kind: Kind::Event as u8, service, method: topic, ..Header::default() };
            self.shared.push(&header, &payload);
        }
    }

    /// Resolves when this side answers no call any more and has sent all it had to send.
    pub async fn idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.shared.idle.notified());
            idle.as_mut().enable();
            if self.shared.state().is_idle() {
                return;
            }
            idle.await;
        }
    }

    /// Resolves when the connection has ended, with the reason.
    pub async fn ended(&self) -> Failure {
        loop {
            let mut ended = std::pin::pin!(self.shared.ended.notified());
            ended.as_mut().enable();
            if let Some(failure) = &self.shared.state().closed {
                return failure.clone();
            }
            ended.await;
        }
    }

    async fn open(
        &self,
        info: &catalog::MethodInfo,
        payload: &[u8],
        flags: Flags,
        credit: u32,
        open: Open,
    ) -> Result<Guard, Failure> {
        let origin = self.origin;
        let shared = Arc::clone(&self.shared);
        self.shared
            .push_bounded(payload, move |state| {
                let correlation = state.correlation();
                state.calls.insert(correlation, open);
                let header = Header {
                    kind: Kind::Request as u8,
                    flags: origin.flags.with(flags).with(Flags::FROM_CALLER),
                    service: info.service,
                    method: info.method,
                    destination: origin.destination,
                    correlation,
                    parent: origin.parent,
                    deadline_ms: origin.deadline_ms,
                    credit,
                    ..Header::default()
                };
                Some((header, Guard { shared, correlation }))
            })
            .await
    }
}

pub(crate) fn encode<T: butterfly_wire::Encode>(value: &T) -> Result<Vec<u8>, Failure> {
    codec::encode(value).map_err(|fault| Failure::new(ErrorCode::TooLarge, fault.to_string()))
}

pub(crate) fn decode<T: butterfly_wire::Decode<()>>(payload: &[u8]) -> Result<T, Failure> {
    codec::decode(payload).map_err(|fault| {
        Failure::new(ErrorCode::Protocol, format!("the answer is not what this method returns: {fault}"))
    })
}

pub(crate) fn disconnected() -> Failure {
    Failure::new(
        ErrorCode::Disconnected,
        "the connection to the kernel is gone; `butterfly status` says whether it still runs",
    )
}
