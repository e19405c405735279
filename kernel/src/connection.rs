//! The task of one connection: it reads, hands frames to the router, and writes what the socket would not take at once.

use crate::core::{Kernel, Shared};
use crate::peer::Closing;
use butterfly_wire::EndpointId;
use butterfly_wire::frame::{self, FRAME_LIMIT};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::{AsyncRead, ReadBuf};

/// Reads of one connection before the others get their turn.
const READS_PER_TURN: usize = 16;

/// Bytes routed before what became of them is written, though there is more to route: their readers set to work while the
/// kernel goes on. Two or three writes for what one busy peer has to say at once; with one, all three processes take
/// turns; with many more, the writes cost more than the waiting did.
const FLUSH_BYTES: usize = 8 << 10;

/// Serves a peer that is in the table until its connection ends.
pub async fn serve(kernel: Shared, id: EndpointId) {
    poll_fn(|context| {
        let mut kernel = kernel.borrow_mut();
        let ended = kernel.poll_peer(id, context);
        kernel.flush();
        ended
    })
    .await;
    let mut kernel = kernel.borrow_mut();
    kernel.peer_gone(id);
    kernel.flush();
}

/// Starts the task.
pub fn spawn(kernel: &Shared, id: EndpointId) {
    tokio::task::spawn_local(serve(Rc::clone(kernel), id));
}

impl Kernel {
    fn poll_peer(&mut self, id: EndpointId, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS_PER_TURN {
            let Some(peer) = self.peers.get_mut(id) else { return Poll::Ready(()) };
            if peer.closing.is_some() {
                return Poll::Ready(());
            }
            if !peer.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                peer.waker = Some(context.waker().clone());
            }
            // Ready means that the socket takes more than when the last write stopped.
            if !peer.queue.is_empty() && !peer.dirty && peer.stream.inner().poll_write_ready(context).is_ready() {
                self.flush_peer(id);
                continue;
            }
            match self.read(id, context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => self.flush(),
                Poll::Ready(Err(closing)) => {
                    if let Some(peer) = self.peers.get_mut(id) {
                        peer.closing.get_or_insert(closing);
                    }
                    return Poll::Ready(());
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads once and acts on every frame that is complete.
    fn read(&mut self, id: EndpointId, context: &mut Context<'_>) -> Poll<Result<(), Closing>> {
        let Some(peer) = self.peers.get_mut(id) else { return Poll::Ready(Err(Closing::Gone)) };
        let mut partial = std::mem::take(&mut peer.partial);
        if partial.is_empty() {
            // Whole frames, the usual case, are routed from where they were read.
            let mut scratch = std::mem::take(&mut self.scratch);
            let mut buffer = ReadBuf::new(&mut scratch);
            let result = Pin::new(&mut peer.stream).poll_read(context, &mut buffer);
            let read = buffer.filled().len();
            let outcome = self.take(id, result, read, &scratch[..read]);
            if let Poll::Ready(Ok(used)) = outcome
                && used < read
            {
                self.keep(id, scratch[used..read].to_vec());
            }
            self.scratch = scratch;
            return outcome.map_ok(drop);
        }
        let filled = partial.len();
        let total = match frame::length(&partial, FRAME_LIMIT) {
            Ok(total) => total.unwrap_or(frame::LENGTH_BYTES),
            Err(fault) => return Poll::Ready(Err(Closing::Fault(fault.to_string()))),
        };
        // Just the rest of this frame: what follows is read, and routed, without a copy.
        partial.resize(total.max(filled + 1), 0);
        let mut buffer = ReadBuf::new(&mut partial[filled..]);
        let result = Pin::new(&mut peer.stream).poll_read(context, &mut buffer);
        let read = buffer.filled().len();
        partial.truncate(filled + read);
        let outcome = self.take(id, result, read, &partial);
        match outcome {
            Poll::Ready(Ok(used)) => {
                partial.drain(..used);
                if !partial.is_empty() {
                    self.keep(id, partial);
                }
            }
            Poll::Pending => self.keep(id, partial),
            Poll::Ready(Err(_)) => {}
        }
        outcome.map_ok(drop)
    }

    /// Keeps the bytes of a frame that is not complete; its clock runs from its first byte.
    fn keep(&mut self, id: EndpointId, partial: Vec<u8>) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.partial_since.get_or_insert_with(Instant::now);
            peer.partial = partial;
        }
    }

    /// Routes the frames in `bytes` and returns how many bytes they took.
    fn take(
        &mut self,
        id: EndpointId,
        result: Poll<std::io::Result<()>>,
        read: usize,
        bytes: &[u8],
    ) -> Poll<Result<usize, Closing>> {
        match result {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Closing::Gone)),
            Poll::Ready(Ok(())) => {}
        }
        if read == 0 {
            return Poll::Ready(Err(Closing::Gone));
        }
        let now = Instant::now();
        let (mut at, mut flushed) = (0, 0);
        loop {
            if at - flushed >= FLUSH_BYTES && at < bytes.len() {
                flushed = at;
                self.flush();
            }
            match frame::split(&bytes[at..], FRAME_LIMIT) {
                Ok(Some(frame)) => {
                    if at == 0
                        && let Some(peer) = self.peers.get_mut(id)
                    {
                        // Only the first frame can have been begun in an earlier read.
                        peer.partial_since = None;
                    }
                    at += frame.taken;
                    self.receive(id, &frame.header, frame.payload, now);
                }
                Ok(None) => return Poll::Ready(Ok(at)),
                Err(fault) => return Poll::Ready(Err(Closing::Fault(fault.to_string()))),
            }
        }
    }
}
