//! The task that moves a connection's bytes, and what it does with each frame.

use crate::bus::Bus;
use crate::serve::{Handler, Incoming};
use crate::state::{OUT_LIMIT, Open, Part, Shared, failure};
use butterfly_wire::catalog::topic;
use butterfly_wire::frame::{self, FRAME_LIMIT};
use butterfly_wire::limits::CREDIT_LIMIT;
use butterfly_wire::{ErrorCode, Failure, Header, Kind};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes asked of the socket at once: the kernel's own write size.
const READ_BYTES: usize = 64 << 10;

/// Bytes of an idle buffer that are kept. A larger one goes back to the allocator.
const KEEP_BYTES: usize = 64 << 10;

/// Starts a connection whose handshake is done. Must be called inside a tokio runtime; it lives as long as the stream.
pub fn start<S>(stream: S, handler: Arc<dyn Handler>) -> Bus
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::new(Shared::default());
    let bus = Bus::new(Arc::clone(&shared));
    let mut connection = Connection {
        stream,
        shared,
        handler,
        bus: bus.clone(),
        inbox: Vec::new(),
        filled: 0,
        outbox: Vec::new(),
        sent: 0,
    };
    tokio::spawn(async move {
        let reason = poll_fn(|context| connection.poll(context)).await;
        connection.shared.close(&reason);
    });
    bus
}

struct Connection<S> {
    stream: S,
    shared: Arc<Shared>,
    handler: Arc<dyn Handler>,
    bus: Bus,
    /// The first `filled` bytes were received and are no whole frame yet.
    inbox: Vec<u8>,
    filled: usize,
    /// Bytes being sent, taken from the shared state in one swap.
    outbox: Vec<u8>,
    sent: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Failure> {
        loop {
            if let Poll::Ready(reason) = self.poll_read(context) {
                return Poll::Ready(reason);
            }
            if let Poll::Ready(Err(fault)) = self.poll_write(context) {
                return Poll::Ready(lost(&fault));
            }
            let mut state = self.shared.state();
            if state.out.is_empty() || self.sent < self.outbox.len() {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Failure> {
        loop {
            let wanted = match frame::length(&self.inbox[..self.filled], FRAME_LIMIT) {
                Ok(total) => total.unwrap_or_default().max(READ_BYTES),
                Err(fault) => return Poll::Ready(Failure::new(ErrorCode::Protocol, fault.to_string())),
            };
            if self.inbox.len() < wanted {
                self.inbox.resize(wanted, 0);
            }
            let mut buffer = ReadBuf::new(&mut self.inbox[self.filled..]);
            let result = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            let read = buffer.filled().len();
            self.filled += read;
            match result {
                Poll::Ready(Ok(())) if read == 0 => return Poll::Ready(crate::bus::disconnected()),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(fault)) => return Poll::Ready(lost(&fault)),
                Poll::Pending => {
                    if self.filled == 0 && self.inbox.len() > READ_BYTES {
                        self.inbox = vec![0; READ_BYTES];
                    }
                    return Poll::Pending;
                }
            }
            if let Err(reason) = self.take_frames() {
                return Poll::Ready(reason);
            }
        }
    }

    fn take_frames(&mut self) -> Result<(), Failure> {
        let inbox = std::mem::take(&mut self.inbox);
        let mut at = 0;
        let result = loop {
            match frame::split(&inbox[at..self.filled], FRAME_LIMIT) {
                Ok(Some(frame)) => {
                    at += frame.taken;
                    self.take(&frame.header, frame.payload);
                }
                Ok(None) => break Ok(()),
                Err(fault) => break Err(Failure::new(ErrorCode::Protocol, fault.to_string())),
            }
        };
        self.inbox = inbox;
        self.inbox.copy_within(at..self.filled, 0);
        self.filled -= at;
        result
    }

    /// Acts on one frame. One that belongs to nothing open is late, and late is no fault: it is dropped.
    fn take(&mut self, header: &Header, payload: &[u8]) {
        let Some(kind) = header.kind() else { return };
        match kind {
            Kind::Request => {
                self.handler.request(Incoming { header: *header, payload: payload.to_vec(), bus: self.bus.clone() });
            }
            Kind::Response => self.finish(header, payload),
            Kind::End if header.from_caller() => {
                if let Some(serving) = self.shared.state().serving.get_mut(&header.correlation) {
                    serving.inlet = None;
                }
            }
            Kind::End => self.finish(header, payload),
            Kind::Item => self.item(header, payload),
            Kind::Credit => self.credit(header),
            Kind::Cancel => {
                let serving = self.shared.state().serving.remove(&header.correlation);
                if let Some(serving) = serving {
                    serving.stop();
                }
            }
            Kind::Event => self.event(header, payload),
        }
    }

    fn finish(&self, header: &Header, payload: &[u8]) {
        let open = self.shared.state().calls.remove(&header.correlation);
        if let Some(open) = open {
            open.finish(if header.is_error() { Err(failure(payload)) } else { Ok(payload.to_vec()) });
        }
    }

    fn item(&self, header: &Header, payload: &[u8]) {
        let state = self.shared.state();
        if header.from_caller() {
            if let Some(inlet) = state.serving.get(&header.correlation).and_then(|serving| serving.inlet.as_ref()) {
                let _ = inlet.send(payload.to_vec());
            }
        } else if let Some(Open::Stream { parts }) = state.calls.get(&header.correlation) {
            let _ = parts.send(Ok(Part::Item(payload.to_vec())));
        }
    }

    fn credit(&self, header: &Header) {
        let state = self.shared.state();
        let semaphore = if header.from_caller() {
            state.serving.get(&header.correlation).and_then(|serving| serving.credit.as_ref())
        } else {
            match state.calls.get(&header.correlation) {
                Some(Open::Unary { upload_credit, .. }) => upload_credit.as_ref(),
                Some(Open::Stream { .. }) | None => None,
            }
        };
        if let Some(semaphore) = semaphore {
            semaphore.add_permits(header.credit.min(CREDIT_LIMIT) as usize);
        }
    }

    fn event(&self, header: &Header, payload: &[u8]) {
        if header.service != 0 || header.method < topic::PING {
            let state = self.shared.state();
            if let Some(topic) = state.topics.get(&(header.service, header.method)) {
                let _ = topic.send(crate::Event { header: *header, payload: payload.to_vec() });
                return;
            }
        }
        self.handler.event(&self.bus, header, payload);
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            if self.sent == self.outbox.len() {
                self.outbox.clear();
                self.sent = 0;
                if self.outbox.capacity() > KEEP_BYTES {
                    self.outbox = Vec::new();
                }
                let mut state = self.shared.state();
                state.sending = !state.out.is_empty();
                if !state.sending {
                    if state.is_idle() {
                        self.shared.idle.notify_waiters();
                    }
                    return Poll::Ready(Ok(()));
                }
                std::mem::swap(&mut state.out, &mut self.outbox);
                let was_full = self.outbox.len() >= OUT_LIMIT;
                drop(state);
                if was_full {
                    self.shared.drained.notify_waiters();
                }
            }
            match Pin::new(&mut self.stream).poll_write(context, &self.outbox[self.sent..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.sent += written,
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

fn lost(fault: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::Disconnected, format!("the connection to the kernel was lost: {fault}"))
}
