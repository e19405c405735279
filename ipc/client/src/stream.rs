//! The four ends of the two kinds of stream: who reads grants credit, who writes spends it.

use crate::bus::{Guard, decode, disconnected};
use crate::state::{Part, Shared, callee_header, caller_header, encode_item};
use butterfly_wire::{Decode, Encode, ErrorCode, Failure, Flags, Kind, Method};
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Items a reader is ready for: enough to hide one round trip at full speed, and with 64 KiB items half of what the
/// kernel lets one sender queue.
pub(crate) const WINDOW: u32 = 32;

/// Items taken before more credit is granted: half a window, so that the writer never runs dry.
const REFILL: u32 = WINDOW / 2;

/// What a stream gives.
#[derive(Debug)]
pub enum Next<I, R> {
    Item(I),
    End(R),
}

/// The caller's end of a streaming method. Dropping it cancels the call.
pub struct Stream<M: Method> {
    guard: Guard,
    parts: mpsc::UnboundedReceiver<Result<Part, Failure>>,
    taken: u32,
    ended: bool,
    method: PhantomData<fn() -> M>,
}

impl<M: Method> Stream<M> {
    pub(crate) fn new(guard: Guard, parts: mpsc::UnboundedReceiver<Result<Part, Failure>>) -> Self {
        Self { guard, parts, taken: 0, ended: false, method: PhantomData }
    }

    /// The next item, or the end. After the end, or an error, there is nothing more.
    ///
    /// # Errors
    /// What the callee or the kernel answered instead of going on.
    pub async fn next(&mut self) -> Result<Next<M::Item, M::Reply>, Failure> {
        if self.ended {
            return Err(Failure::new(ErrorCode::Protocol, "the stream has ended already"));
        }
        match self.parts.recv().await.unwrap_or_else(|| Err(disconnected())) {
            Ok(Part::Item(payload)) => {
                self.taken += 1;
                if self.taken == REFILL {
                    self.taken = 0;
                    let mut header = caller_header(Kind::Credit, self.guard.correlation);
                    header.credit = REFILL;
                    self.guard.shared.push(&header, &[]);
                }
                // An item that is none ends the stream for its reader; dropping it tells the writer.
                decode(&payload).map(Next::Item).inspect_err(|_| self.ended = true)
            }
            Ok(Part::End(payload)) => {
                self.ended = true;
                Ok(Next::End(decode(&payload)?))
            }
            Err(failure) => {
                self.ended = true;
                Err(failure)
            }
        }
    }
}

/// The callee's end of a streaming method.
pub struct Outlet<T> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) correlation: u64,
    pub(crate) credit: Arc<Semaphore>,
    pub(crate) item: PhantomData<fn(T)>,
}

impl<T: Encode> Outlet<T> {
    /// Sends an item as soon as the reader has credit for it.
    ///
    /// # Errors
    /// [`ErrorCode::Cancelled`] when nobody reads any more, [`ErrorCode::TooLarge`] for an item over the chunk limit.
    pub async fn send(&mut self, item: &T) -> Result<(), Failure> {
        let payload = encode_item(item)?;
        spend(&self.credit).await?;
        let correlation = self.correlation;
        self.shared
            .push_bounded(&payload, move |state| {
                let header = callee_header(Kind::Item, Flags::NONE, correlation);
                state.serving.contains_key(&correlation).then_some((header, ()))
            })
            .await
    }
}

/// The callee's end of an upload.
pub struct Inlet<T> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) correlation: u64,
    pub(crate) items: mpsc::UnboundedReceiver<Vec<u8>>,
    pub(crate) taken: u32,
    pub(crate) item: PhantomData<fn() -> T>,
}

impl<T: Decode<()>> Inlet<T> {
    /// The next item; `None` when the caller has sent all.
    ///
    /// # Errors
    /// [`ErrorCode::Protocol`] for an item that is no `T`.
    pub async fn next(&mut self) -> Result<Option<T>, Failure> {
        let Some(payload) = self.items.recv().await else {
            return Ok(None);
        };
        self.taken += 1;
        if self.taken == REFILL {
            self.taken = 0;
            self.grant(REFILL);
        }
        decode(&payload).map(Some)
    }

    pub(crate) fn grant(&self, credit: u32) {
        let mut header = callee_header(Kind::Credit, Flags::NONE, self.correlation);
        header.credit = credit;
        self.shared.push(&header, &[]);
    }
}

/// The caller's end of an upload. Dropping it cancels the call.
pub struct Upload<M: Method> {
    guard: Guard,
    reply: oneshot::Receiver<Result<Vec<u8>, Failure>>,
    credit: Arc<Semaphore>,
    method: PhantomData<fn() -> M>,
}

impl<M: Method> Upload<M> {
    pub(crate) fn new(
        guard: Guard,
        reply: oneshot::Receiver<Result<Vec<u8>, Failure>>,
        credit: Arc<Semaphore>,
    ) -> Self {
        Self { guard, reply, credit, method: PhantomData }
    }

    /// Sends an item as soon as the callee has credit for it.
    ///
    /// # Errors
    /// [`ErrorCode::Cancelled`] when the call was answered early: [`Self::finish`] has the answer.
    pub async fn send(&mut self, item: &M::Upload) -> Result<(), Failure> {
        let payload = encode_item(item)?;
        spend(&self.credit).await?;
        let correlation = self.guard.correlation;
        self.guard
            .shared
            .push_bounded(&payload, move |state| {
                state.calls.contains_key(&correlation).then(|| (caller_header(Kind::Item, correlation), ()))
            })
            .await
    }

    /// Says that all was sent, and waits for the answer.
    ///
    /// # Errors
    /// What the callee or the kernel answered.
    pub async fn finish(self) -> Result<M::Reply, Failure> {
        {
            let mut state = self.guard.shared.state();
            if state.calls.contains_key(&self.guard.correlation) {
                state.append(&caller_header(Kind::End, self.guard.correlation), &[]);
            }
        }
        decode(&self.reply.await.unwrap_or_else(|_| Err(disconnected()))?)
    }
}

async fn spend(credit: &Semaphore) -> Result<(), Failure> {
    match credit.acquire().await {
        Ok(permit) => {
            permit.forget();
            Ok(())
        }
        Err(_) => Err(Failure::new(ErrorCode::Cancelled, "the other side reads no more")),
    }
}
