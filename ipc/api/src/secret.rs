//! A secret's value: it erases itself, and nothing prints it.
//!
//! Every value that lives in this process is known here, so that whoever writes a log can keep it out by its value
//! ([`live`]). There is one copy of each, whatever number of [`Secret`]s share it.
//!
//! It is *not* a vault, and it cannot reach copies that are not its own: the frame that carried it lives for one message, and
//! whoever calls [`Secret::expose`] answers for what becomes of the text.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use zeroize::Zeroize;

/// The shortest text that counts as a secret, in bytes: a shorter one is found in every log by chance, so it can neither be
/// kept out of one nor protect anything.
pub const SHORTEST: usize = 4;

/// The longest, in bytes: a key with all its certificates, and small beside a frame.
pub const LONGEST: usize = 16 << 10;

/// Text that no log, no `{:?}` and no JSON can show: it has neither `Debug` nor `Serialize`, and its bytes are overwritten
/// when the last one that shares them is dropped. On the bus it is a string.
#[derive(Clone)]
pub struct Secret(Arc<Value>);

struct Value(String);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The values that live in this process.
static LIVE: Mutex<Vec<Weak<Value>>> = Mutex::new(Vec::new());

impl Secret {
    #[must_use]
    pub fn new(value: String) -> Self {
        let value = Arc::new(Value(value));
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|value| value.strong_count() > 0);
        live.push(Arc::downgrade(&value));
        Self(value)
    }

    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.0
    }
}

/// All secrets that live in this process and are long enough to be told from other text. What writes a log looks for them.
#[must_use]
pub fn live() -> Vec<Secret> {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.iter().filter_map(Weak::upgrade).filter(|value| value.0.len() >= SHORTEST).map(Secret).collect()
}

butterfly_wire::travels_as_text!(Secret, Secret::expose, Secret::new);

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::codec;

    /// Fails to compile if `Secret` implements the trait: the item would then be ambiguous.
    macro_rules! lacks {
        ($what:path) => {
            const _: fn() = || {
                trait Ambiguous<A> {
                    fn item() {}
                }
                impl<T: ?Sized> Ambiguous<()> for T {}
                struct Has;
                impl<T: ?Sized + $what> Ambiguous<Has> for T {}
                let _ = <Secret as Ambiguous<_>>::item;
            };
        };
    }

    lacks!(std::fmt::Debug);
    lacks!(std::fmt::Display);
    lacks!(serde::Serialize);
    lacks!(PartialEq);
    lacks!(std::ops::Deref);
    lacks!(AsRef<str>);

    fn lives(text: &str) -> bool {
        live().iter().any(|secret| secret.expose() == text)
    }

    #[test]
    fn a_secret_is_known_as_long_as_one_that_shares_it_lives() {
        let first = Secret::new("known-while-alive".to_owned());
        let second = first.clone();
        drop(first);
        assert!(lives("known-while-alive"));
        assert!(std::ptr::eq(second.expose(), second.clone().expose()), "a clone is no copy");
        drop(second);
        assert!(!lives("known-while-alive"));
    }

    #[test]
    fn what_arrives_on_the_bus_is_known_too_and_travels_as_a_string() {
        let bytes = codec::encode(&Secret::new("travels-as-text".to_owned())).unwrap();
        assert_eq!(bytes, codec::encode(&"travels-as-text".to_owned()).unwrap());
        let arrived: Secret = codec::decode(&bytes).unwrap();
        assert_eq!(arrived.expose(), "travels-as-text");
        assert!(lives("travels-as-text"));
    }

    #[test]
    fn a_text_that_is_too_short_to_tell_is_not_looked_for() {
        let _short = Secret::new("abc".to_owned());
        assert!(!lives("abc"));
    }

    #[test]
    fn its_bytes_are_overwritten_when_it_is_dropped() {
        // What `Value` does as it goes, on one that is still ours to look at.
        let mut value = std::mem::ManuallyDrop::new(Value("sk-overwritten".to_owned()));
        value.0.zeroize();
        assert!(value.0.is_empty());
        assert!(value.0.capacity() >= "sk-overwritten".len(), "the buffer is kept, and zero");
    }
}
