//! Colours as roles. Where colour is off, text passes through unchanged.

use std::borrow::Cow;

/// What a piece of text is, not how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Of secondary interest.
    Muted,
    /// A heading or a name.
    Strong,
    /// Where the person can act.
    Accent,
    Good,
    Warning,
    Danger,
}

impl Role {
    /// Select Graphic Rendition parameters (ECMA-48, 8.3.117).
    const fn codes(self) -> &'static str {
        match self {
            Self::Muted => "2",
            Self::Strong => "1",
            Self::Accent => "36",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Danger => "31",
        }
    }
}

/// Applies roles, or does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paint {
    on: bool,
}

impl Paint {
    #[must_use]
    pub const fn new(on: bool) -> Self {
        Self { on }
    }

    #[must_use]
    pub const fn is_on(self) -> bool {
        self.on
    }

    #[must_use]
    pub fn apply<'a>(self, role: Role, text: &'a str) -> Cow<'a, str> {
        if !self.on || text.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(format!("{}{text}{}", self.start(role), self.stop()))
    }

    /// What turns a role on, for text that arrives in pieces.
    #[must_use]
    pub fn start(self, role: Role) -> String {
        if self.on { format!("\x1b[{}m", role.codes()) } else { String::new() }
    }

    #[must_use]
    pub const fn stop(self) -> &'static str {
        if self.on { "\x1b[0m" } else { "" }
    }
}
