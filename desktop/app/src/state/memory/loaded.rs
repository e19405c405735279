//! What is read over the bus, and how far that is.

/// A value that is read with numbered requests. What was read last stays until something newer has come, and a reply
/// that something newer was asked after is dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    value: Option<T>,
    error: Option<String>,
    asked: u64,
    answered: u64,
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self { value: None, error: None, asked: 0, answered: 0 }
    }
}

impl<T> Loaded<T> {
    /// Asks anew; the number of the request.
    pub fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// Takes a reply, unless it is late; whether it was taken.
    pub fn answer(&mut self, request: u64, result: Result<T, String>) -> bool {
        if request != self.asked {
            return false;
        }
        self.answered = request;
        match result {
            Ok(value) => {
                self.value = Some(value);
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// Waits for nothing any more: what is under way is dropped when it comes.
    pub fn cancel(&mut self) {
        if self.is_loading() {
            self.asked += 1;
            self.answered = self.asked;
        }
    }

    /// Forgets what was read.
    pub fn clear(&mut self) {
        self.asked += 1;
        self.answered = self.asked;
        self.value = None;
        self.error = None;
    }

    /// Whether this is the latest request, and without a reply.
    #[must_use]
    pub fn waits_for(&self, request: u64) -> bool {
        self.is_loading() && request == self.asked
    }

    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.asked != self.answered
    }

    /// What was read last.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// To mend what was read by what is known to have changed since.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Why the last attempt failed.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_request_wins() {
        let mut loaded = Loaded::default();
        let (first, second) = (loaded.ask(), loaded.ask());
        assert!(!loaded.answer(first, Ok("old")));
        assert!(loaded.is_loading() && loaded.waits_for(second) && !loaded.waits_for(first));
        assert!(loaded.answer(second, Ok("new")));
        assert!(!loaded.is_loading());
        assert_eq!(loaded.value(), Some(&"new"));
    }

    #[test]
    fn what_was_known_outlives_a_failure_and_a_success_ends_it() {
        let mut loaded = Loaded::default();
        let request = loaded.ask();
        loaded.answer(request, Ok(1));
        let request = loaded.ask();
        loaded.answer(request, Err("away".into()));
        assert_eq!((loaded.value(), loaded.error()), (Some(&1), Some("away")));
        let request = loaded.ask();
        loaded.answer(request, Ok(2));
        assert_eq!((loaded.value(), loaded.error()), (Some(&2), None));
    }

    #[test]
    fn what_was_cancelled_or_cleared_is_not_waited_for() {
        let mut loaded = Loaded::default();
        let request = loaded.ask();
        loaded.cancel();
        assert!(!loaded.is_loading() && !loaded.answer(request, Ok(1)));
        let request = loaded.ask();
        loaded.clear();
        assert!(!loaded.answer(request, Ok(1)) && loaded.value().is_none());
    }
}
