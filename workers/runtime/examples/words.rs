//! A worker, whole: a service with one method of each kind, its implementation, and the program.

use butterfly_client::{Call, Inlet, Outlet};
use butterfly_runtime::Worker;
use butterfly_wire::{ErrorCode, Failure};
use std::process::ExitCode;
use std::sync::Arc;

/// Bytes of a sentence that `join` makes. A caller may send words for ever; our memory is not theirs to fill.
pub const SENTENCE_BYTES: usize = 64 << 10;

butterfly_api::service! {
    /// What can be asked of this worker.
    pub trait Words in kit;
    /// Says it again, louder.
    unary Shout = ECHO shout(String) => String;
    /// Streams the words of a text, and ends with their number.
    stream Split = COUNT split(String) => u64, yields String;
    /// Takes words, and returns the sentence that they make.
    upload Join = SUM join(()) => String, takes String;
}

/// The implementation. It holds no state; one that does keeps it here, behind `&self`.
pub struct Plain;

impl Words for Plain {
    async fn shout(&self, _: Call, text: String) -> Result<String, Failure> {
        Ok(text.to_uppercase())
    }

    async fn split(&self, _: Call, text: String, mut out: Outlet<String>) -> Result<u64, Failure> {
        let mut sent = 0;
        for word in text.split_whitespace() {
            // Waits while the reader has no room, and fails once nobody reads.
            out.send(&word.to_owned()).await?;
            sent += 1;
        }
        Ok(sent)
    }

    async fn join(&self, _: Call, (): (), mut words: Inlet<String>) -> Result<String, Failure> {
        let mut sentence = String::new();
        while let Some(word) = words.next().await? {
            if sentence.len() + 1 + word.len() > SENTENCE_BYTES {
                let message =
                    format!("a sentence may have {SENTENCE_BYTES} bytes and this one has more; send fewer words");
                return Err(Failure::new(ErrorCode::TooLarge, message));
            }
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            sentence.push_str(&word);
        }
        Ok(sentence)
    }
}

fn main() -> ExitCode {
    butterfly_runtime::run(|_| Worker::new().serves(serve(Arc::new(Plain))))
}
