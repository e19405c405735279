//! How a connection ends, and what becomes of all that was open.

use crate::peer::{Count, Echo, Sum, client};
use butterfly_wire::frame::{FRAME_LIMIT, HANDSHAKE_LIMIT};
use butterfly_wire::header::HEADER_BYTES;
use butterfly_wire::{ErrorCode, Failure};

/// Opens a call of each flow, ends the connection by `end`, and returns how each of them failed.
async fn failures(end: impl AsyncFnOnce(crate::peer::Peer)) -> Vec<ErrorCode> {
    let (bus, mut peer) = client();
    let asking = bus.clone();
    let unary = tokio::spawn(async move { asking.call::<Echo>(&"a".to_owned()).await.unwrap_err() });
    peer.request().await;
    let mut stream = bus.stream::<Count>(&1).await.unwrap();
    let mut upload = bus.upload::<Sum>(&()).await.unwrap();
    peer.request().await;
    peer.request().await;
    end(peer).await;
    let ended = bus.ended().await;
    let mut failures = vec![ended, unary.await.unwrap(), stream.next().await.unwrap_err()];
    assert_eq!(upload.send(&1).await.unwrap_err().code, ErrorCode::Cancelled);
    failures.push(upload.finish().await.unwrap_err());
    // Nothing can be begun any more.
    failures.push(bus.call::<Echo>(&"b".to_owned()).await.unwrap_err());
    failures.push(bus.stream::<Count>(&1).await.map(drop).unwrap_err());
    failures.push(bus.publish(1, 1, &()).await.unwrap_err());
    failures.push(bus.ended().await);
    assert!(failures.iter().all(|failure: &Failure| !failure.message.is_empty()));
    failures.into_iter().map(|failure| failure.code).collect()
}

#[tokio::test]
async fn end_of_the_connection_fails_all_open_calls_with_disconnected() {
    assert_eq!(failures(async |peer| drop(peer)).await, [ErrorCode::Disconnected; 8]);
}

#[tokio::test]
async fn end_in_the_middle_of_a_frame_is_an_end_all_the_same() {
    let end = async |mut peer: crate::peer::Peer| peer.bytes(&[200, 0, 0, 0, 1, 2, 3]).await;
    assert_eq!(failures(end).await, [ErrorCode::Disconnected; 8]);
}

#[tokio::test]
async fn garbage_ends_the_connection_with_protocol() {
    let prefixed = |length: usize, body: [u8; HEADER_BYTES]| {
        let mut bytes = (length as u32).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes
    };
    let unknown_kind = prefixed(HEADER_BYTES, [7; HEADER_BYTES]);
    let mut flags = [0; HEADER_BYTES];
    flags[1] = 0x80;
    for garbage in [
        b"GET / HTTP/1.1\r\n".to_vec(),
        prefixed(FRAME_LIMIT + 1, [0; HEADER_BYTES]),
        prefixed(HEADER_BYTES - 1, [0; HEADER_BYTES]),
        prefixed(0, [0; HEADER_BYTES]),
        unknown_kind,
        prefixed(HEADER_BYTES, flags),
        vec![0xff; HANDSHAKE_LIMIT],
    ] {
        let end = async |mut peer: crate::peer::Peer| {
            peer.bytes(&garbage).await;
            // The pipe stays open: it is the other side that closes it.
            assert!(peer.try_read().await.is_none());
        };
        assert_eq!(failures(end).await, [ErrorCode::Protocol; 8], "after {garbage:?}");
    }
}
