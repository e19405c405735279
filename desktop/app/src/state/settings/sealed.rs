//! A secret on its way from the field where it is typed to the vault. It erases itself, and nothing prints it.

use butterfly_api::secret::Secret;
use std::fmt;

/// A [`Secret`] that events and effects can carry.
#[derive(Clone)]
pub struct Sealed(Secret);

impl Sealed {
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Secret::new(value))
    }

    /// For the call that stores it.
    #[must_use]
    pub fn open(self) -> Secret {
        self.0
    }

    /// Why the vault would refuse it, which is said before it is asked: its length, blanks around it, control characters.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        use butterfly_api::secret::{LONGEST, SHORTEST};
        let value = self.0.expose();
        if value.len() < SHORTEST {
            return Some("A secret has 4 bytes or more; a shorter one is found in every log by chance.");
        }
        if value.len() > LONGEST {
            return Some("A secret has at most 16 KiB.");
        }
        if value.trim().len() != value.len() {
            return Some("There are blanks around it; copy it again without them.");
        }
        value.chars().any(char::is_control).then_some("It has line breaks or other control characters; copy it again.")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_vault_would_refuse_is_said_before() {
        for good in ["sk-1", "a b c d", &"x".repeat(16 << 10)] {
            assert_eq!(Sealed::new(good.to_owned()).fault(), None, "{good}");
        }
        for wrong in ["", "abc", " sk-12", "sk-12\n", "sk\u{7}-12", &"x".repeat((16 << 10) + 1)] {
            assert!(Sealed::new(wrong.to_owned()).fault().is_some(), "{wrong}");
        }
    }
}
