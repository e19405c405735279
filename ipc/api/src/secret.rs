//! A secret's value: it erases itself, and nothing prints it.

use bincode::{Decode, Encode};
use zeroize::Zeroize;

/// Text that no log, no `{:?}` and no JSON can show: it has neither `Debug` nor `Serialize`, and its bytes are
/// overwritten when it is dropped. Copies that the bus makes on its way (frames) are not: they live for one message.
#[derive(Clone, Encode, Decode)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
