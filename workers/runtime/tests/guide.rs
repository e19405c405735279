//! The worker that `docs/workers.md` shows: what the page prints is what is compiled, and it does what the page says.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

#[expect(dead_code, reason = "its `main` is the program's")]
#[path = "../examples/words.rs"]
mod words;

use butterfly_client::{Bus, Handler, Incoming, Next, NoHandler, Service, start};
use butterfly_wire::{ErrorCode, Header};
use std::sync::Arc;
use words::{Join, Shout, Split};

/// One service at the far end of a pipe, where the runtime would have the kernel.
struct Serving<S>(S);

impl<S: Service> Handler for Serving<S> {
    fn request(&self, incoming: Incoming) {
        self.0.dispatch(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

fn worker() -> Bus {
    let (near, far) = tokio::io::duplex(64 << 10);
    start(far, Arc::new(Serving(words::serve(Arc::new(words::Plain)))));
    start(near, Arc::new(NoHandler))
}

#[test]
fn the_page_shows_the_example_as_it_is() {
    let page = include_str!("../../../docs/workers.md");
    let example = include_str!("../examples/words.rs");
    assert!(page.contains(&format!("```rust\n{example}```\n")), "copy examples/words.rs into docs/workers.md");
}

#[tokio::test]
async fn a_unary_method_answers() {
    assert_eq!(worker().call::<Shout>(&"hello".to_owned()).await.unwrap(), "HELLO");
}

#[tokio::test]
async fn a_stream_gives_items_and_then_its_end() {
    let mut stream = worker().stream::<Split>(&"one  two\nthree".to_owned()).await.unwrap();
    let mut found = Vec::new();
    let end = loop {
        match stream.next().await.unwrap() {
            Next::Item(word) => found.push(word),
            Next::End(end) => break end,
        }
    };
    assert_eq!((found, end), (vec!["one".to_owned(), "two".to_owned(), "three".to_owned()], 3));
}

#[tokio::test]
async fn an_upload_takes_items_and_then_answers() {
    let mut upload = worker().upload::<Join>(&()).await.unwrap();
    for word in ["one", "two"] {
        upload.send(&word.to_owned()).await.unwrap();
    }
    assert_eq!(upload.finish().await.unwrap(), "one two");
}

#[tokio::test]
async fn an_upload_that_never_ends_is_refused_in_time() {
    let mut upload = worker().upload::<Join>(&()).await.unwrap();
    let word = "x".repeat(words::SENTENCE_BYTES / 2);
    while upload.send(&word).await.is_ok() {}
    assert_eq!(upload.finish().await.unwrap_err().code, ErrorCode::TooLarge);
}
