//! The tables of one connection: calls made, calls served, topics followed, bytes to send.

use butterfly_wire::frame::{self, CHUNK_LIMIT};
use butterfly_wire::{Encode, EndpointId, ErrorCode, Failure, Flags, Header, Kind, codec};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;

/// Unsent bytes above which requests and items wait. One largest frame: two never pile up behind a slow socket.
pub const OUT_LIMIT: usize = frame::FRAME_LIMIT;

/// What arrives for a call that streams.
pub(crate) enum Part {
    Item(Vec<u8>),
    End(Vec<u8>),
}

/// A call that this side made.
pub(crate) enum Open {
    Unary { reply: oneshot::Sender<Result<Vec<u8>, Failure>>, upload_credit: Option<Arc<Semaphore>> },
    Stream { parts: mpsc::UnboundedSender<Result<Part, Failure>> },
}

/// A call that this side answers.
#[derive(Default)]
pub(crate) struct Serving {
    pub(crate) abort: Option<AbortHandle>,
    pub(crate) credit: Option<Arc<Semaphore>>,
    pub(crate) inlet: Option<mpsc::UnboundedSender<Vec<u8>>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) out: Vec<u8>,
    pub(crate) calls: HashMap<u64, Open>,
    pub(crate) serving: HashMap<u64, Serving>,
    pub(crate) topics: HashMap<(u16, u16), broadcast::Sender<crate::Event>>,
    next_correlation: u64,
    pub(crate) closed: Option<Failure>,
    pub(crate) waker: Option<Waker>,
    /// Whether bytes are on their way from `out` to the socket.
    pub(crate) sending: bool,
}

#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Told when unsent bytes fall below [`OUT_LIMIT`], and when the connection ends.
    pub(crate) drained: Notify,
    /// Told when the last call was answered and its answer sent.
    pub(crate) idle: Notify,
    /// Told when the connection has ended.
    pub(crate) ended: Notify,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a frame at once, whatever is unsent: for the small frames that grant, cancel or end something.
    pub(crate) fn push(&self, header: &Header, payload: &[u8]) {
        self.state().append(header, payload);
    }

    /// Sends a frame as soon as the unsent bytes allow it; `admit` runs under the same lock, just before.
    pub(crate) async fn push_bounded<R>(
        &self,
        payload: &[u8],
        admit: impl FnOnce(&mut State) -> Option<(Header, R)>,
    ) -> Result<R, Failure> {
        let mut admit = Some(admit);
        loop {
            let mut drained = pin!(self.drained.notified());
            drained.as_mut().enable();
            {
                let mut state = self.state();
                if let Some(failure) = &state.closed {
                    return Err(failure.clone());
                }
                if state.out.len() < OUT_LIMIT {
                    let Some(admitted) = admit.take().and_then(|admit| admit(&mut state)) else {
                        return Err(Failure::new(ErrorCode::Cancelled, "the call was cancelled"));
                    };
                    state.append(&admitted.0, payload);
                    return Ok(admitted.1);
                }
            }
            drained.await;
        }
    }

    /// Ends the connection: everything open fails with `failure`.
    pub(crate) fn close(&self, failure: &Failure) {
        let (calls, serving) = {
            let mut state = self.state();
            if state.closed.is_some() {
                return;
            }
            state.closed = Some(failure.clone());
            state.topics.clear();
            (std::mem::take(&mut state.calls), std::mem::take(&mut state.serving))
        };
        for open in calls.into_values() {
            open.finish(Err(failure.clone()));
        }
        for serving in serving.into_values() {
            serving.stop();
        }
        self.drained.notify_waiters();
        self.ended.notify_waiters();
        self.idle.notify_waiters();
    }
}

impl State {
    pub(crate) fn append(&mut self, header: &Header, payload: &[u8]) {
        if self.closed.is_some() {
            return;
        }
        frame::append(&mut self.out, header, payload);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.closed.is_some() || (self.serving.is_empty() && self.out.is_empty() && !self.sending)
    }

    /// A correlation id that this connection has not used.
    pub(crate) fn correlation(&mut self) -> u64 {
        self.next_correlation += 1;
        self.next_correlation
    }
}

impl Open {
    /// Closes the call with its reply or failure. A receiver that is gone has lost interest, which is its right.
    pub(crate) fn finish(self, result: Result<Vec<u8>, Failure>) {
        match self {
            Self::Unary { reply, upload_credit } => {
                if let Some(credit) = upload_credit {
                    credit.close();
                }
                let _ = reply.send(result);
            }
            Self::Stream { parts } => {
                let _ = parts.send(result.map(Part::End));
            }
        }
    }
}

impl Serving {
    /// Stops answering: the handler's future is dropped.
    pub(crate) fn stop(self) {
        if let Some(credit) = self.credit {
            credit.close();
        }
        if let Some(abort) = self.abort {
            abort.abort();
        }
    }
}

/// The header of a frame that a callee sends about a call.
pub(crate) fn callee_header(kind: Kind, flags: Flags, correlation: u64) -> Header {
    Header { kind: kind as u8, flags, correlation, ..Header::default() }
}

/// The header of a frame that a caller sends about a call it has open.
pub(crate) fn caller_header(kind: Kind, correlation: u64) -> Header {
    Header {
        kind: kind as u8,
        flags: Flags::FROM_CALLER,
        correlation,
        destination: EndpointId::ANY,
        ..Header::default()
    }
}

/// Encodes a stream item.
pub(crate) fn encode_item<T: Encode>(item: &T) -> Result<Vec<u8>, Failure> {
    let payload = codec::encode(item).map_err(|fault| Failure::new(ErrorCode::TooLarge, fault.to_string()))?;
    if payload.len() > CHUNK_LIMIT {
        let message = format!("a stream item of {} bytes is over the limit of {CHUNK_LIMIT}", payload.len());
        return Err(Failure::new(ErrorCode::TooLarge, message));
    }
    Ok(payload)
}

/// The failure inside a frame with the error flag.
pub(crate) fn failure(payload: &[u8]) -> Failure {
    codec::decode(payload)
        .unwrap_or_else(|fault| Failure::new(ErrorCode::Protocol, format!("an error came without its text: {fault}")))
}
