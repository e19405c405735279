//! Hello and Welcome.

use butterfly_client::ConnectError;
use butterfly_client::connect::{hello_header, shake_hands};
use butterfly_wire::control::{HELLO_BYTES, Hello, HelloRole, Mode, Welcome};
use butterfly_wire::frame::{self, HANDSHAKE_LIMIT};
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, codec, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

fn hello() -> Hello {
    Hello { oldest: version::OLDEST, newest: version::VERSION, role: HelloRole::Client, token: [7; 32] }
}

/// Says Hello to a peer that answers with these bytes.
async fn answered_with(answer: &[u8]) -> Result<Welcome, ConnectError> {
    let (mut near, mut far) = duplex(4096);
    far.write_all(answer).await.unwrap();
    far.shutdown().await.unwrap();
    shake_hands(&mut near, &hello()).await
}

fn framed(flags: Flags, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, &Header { kind: Kind::Response as u8, flags, ..Header::default() }, payload);
    bytes
}

#[tokio::test]
async fn hello_is_one_small_frame_and_nothing_is_read_beyond_the_welcome() {
    let (mut near, mut far) = duplex(4096);
    let endpoint = EndpointId::new(17, 1);
    let welcome = Welcome { version: 1, endpoint, kernel_version: "0.1.0".to_owned(), mode: Mode::Client };
    let mut answer = framed(Flags::NONE, &codec::encode(&welcome).unwrap());
    answer.extend(b"next");
    far.write_all(&answer).await.unwrap();
    assert_eq!(shake_hands(&mut near, &hello()).await.unwrap(), welcome);
    let mut next = [0; 4];
    near.read_exact(&mut next).await.unwrap();
    assert_eq!(&next, b"next");

    let mut said = vec![0; frame::wire_length(HELLO_BYTES)];
    far.read_exact(&mut said).await.unwrap();
    let frame = frame::split(&said, HANDSHAKE_LIMIT).unwrap().unwrap();
    assert_eq!(frame.header, hello_header());
    assert_eq!(Hello::from_bytes(frame.payload), Some(hello()));
}

#[tokio::test]
async fn refusal_comes_with_the_kernels_reason() {
    let failure = Failure::new(ErrorCode::Denied, "the token is wrong");
    let refused = answered_with(&framed(Flags::ERROR, &codec::encode(&failure).unwrap())).await;
    assert!(matches!(refused, Err(ConnectError::Refused(reason)) if reason == failure));
}

#[tokio::test]
async fn strangers_are_recognised() {
    for answer in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        framed(Flags::NONE, b"no welcome"),
        framed(Flags::ERROR, b"no failure"),
    ] {
        let fault = answered_with(&answer).await.unwrap_err();
        assert!(matches!(fault, ConnectError::Stranger(_)), "{fault}");
    }
    assert!(matches!(answered_with(b"").await, Err(ConnectError::Broken(_))));
}
