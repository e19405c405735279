//! What was found out about the model's context, conversation by conversation. A cache: what is lost is learned again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Conversations that are remembered: more than are in use at once, some ten KiB.
const CONVERSATIONS: usize = 256;

/// What was found out in one conversation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    /// The model as it was asked for; with another one all of this is void.
    pub(crate) model: Option<String>,
    /// The number of the first turn that still fits.
    pub(crate) first: u32,
    /// Tokens counted by the model per token estimated; at least 1.
    pub(crate) scale: f32,
    /// The model's context, in tokens; 0 where it is not known.
    pub(crate) context: u32,
}

#[derive(Default)]
struct Shelf {
    fits: HashMap<u64, (Fit, u64)>,
    uses: u64,
}

/// All that is remembered.
#[derive(Default)]
pub(crate) struct Fits {
    shelf: Mutex<Shelf>,
}

impl Fits {
    /// What is known of a conversation with this model.
    pub(crate) fn of(&self, conversation: u64, model: Option<&String>) -> Option<Fit> {
        let mut shelf = self.shelf();
        shelf.uses += 1;
        let uses = shelf.uses;
        let (fit, used) = shelf.fits.get_mut(&conversation)?;
        *used = uses;
        Some(fit.clone()).filter(|fit| fit.model.as_ref() == model)
    }

    /// Remembers it, at the expense of the conversation unused for longest if need be.
    pub(crate) fn keep(&self, conversation: u64, fit: Fit) {
        let mut shelf = self.shelf();
        if shelf.fits.len() >= CONVERSATIONS && !shelf.fits.contains_key(&conversation) {
            let oldest = shelf.fits.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
            oldest.map(|oldest| shelf.fits.remove(&oldest));
        }
        shelf.uses += 1;
        let uses = shelf.uses;
        shelf.fits.insert(conversation, (fit, uses));
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(first: u32) -> Fit {
        Fit { model: Some("m".to_owned()), first, scale: 1.0, context: 0 }
    }

    #[test]
    fn what_is_known_holds_for_the_same_model_only() {
        let fits = Fits::default();
        fits.keep(1, fit(3));
        assert_eq!(fits.of(1, Some(&"m".to_owned())), Some(fit(3)));
        assert_eq!(fits.of(1, None), None);
        assert_eq!(fits.of(2, Some(&"m".to_owned())), None);
    }

    #[test]
    fn the_conversation_unused_for_longest_makes_room() {
        let fits = Fits::default();
        let model = "m".to_owned();
        for id in 0..CONVERSATIONS as u64 {
            fits.keep(id, fit(1));
        }
        fits.of(0, Some(&model));
        fits.keep(999, fit(1));
        assert!(fits.of(0, Some(&model)).is_some() && fits.of(999, Some(&model)).is_some());
        assert!(fits.of(1, Some(&model)).is_none());
    }
}
