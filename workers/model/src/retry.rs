//! Whether and when a request is made again. Pure: takes what went wrong, returns a pause.

use crate::timeouts::Timeouts;
use crate::trouble::{Again, Trouble};
use std::time::Duration;

/// Repetitions after a fault of the server: with the doubling pause enough for a restart, too few to annoy.
const FAULTS: u32 = 3;

/// Pauses that a server may ask for, per request.
const WAITS: u32 = 2;

/// What is left of one request's patience.
#[derive(Debug)]
pub struct Retries {
    faults: u32,
    waits: u32,
    backoff: Duration,
    longest: Duration,
}

/// Make the request again, after this.
#[derive(Debug, PartialEq, Eq)]
pub enum Pause {
    /// Of our own choice.
    Own(Duration),
    /// That the server asked for: people are told.
    Asked(Duration),
}

impl Retries {
    #[must_use]
    pub fn new(timeouts: &Timeouts) -> Self {
        Self { faults: 0, waits: 0, backoff: timeouts.backoff, longest: timeouts.retry_after }
    }

    /// The pause before the next attempt; `None` when there is none. `begun`: something of the answer was passed on.
    pub fn after(&mut self, trouble: &Trouble, begun: bool) -> Option<Pause> {
        let Trouble::Model { again, .. } = trouble else { return None };
        if begun {
            return None;
        }
        match *again {
            Again::Never => None,
            Again::Backoff if self.faults < FAULTS => {
                self.faults += 1;
                Some(Pause::Own(self.backoff * (1 << (self.faults - 1))))
            }
            Again::After(pause) if self.waits < WAITS && pause <= self.longest => {
                self.waits += 1;
                Some(Pause::Asked(pause))
            }
            Again::Backoff | Again::After(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::{Cause, ModelError};

    fn trouble(again: Again) -> Trouble {
        Trouble::from(ModelError::new(Cause::TimedOut, "")).again(again)
    }

    #[test]
    fn faults_are_retried_with_a_doubling_pause_a_few_times() {
        let timeouts = Timeouts { backoff: Duration::from_millis(10), ..Timeouts::default() };
        let mut retries = Retries::new(&timeouts);
        let pauses: Vec<_> = std::iter::from_fn(|| retries.after(&trouble(Again::Backoff), false)).collect();
        assert_eq!(pauses, [10, 20, 40].map(|ms| Pause::Own(Duration::from_millis(ms))));
    }

    #[test]
    fn a_short_pause_is_granted_and_a_long_one_is_not() {
        let timeouts = Timeouts { retry_after: Duration::from_secs(30), ..Timeouts::default() };
        let short = trouble(Again::After(Duration::from_secs(30)));
        let mut retries = Retries::new(&timeouts);
        assert_eq!(retries.after(&short, false), Some(Pause::Asked(Duration::from_secs(30))));
        assert!(retries.after(&short, false).is_some());
        assert_eq!(retries.after(&short, false), None);
        assert_eq!(Retries::new(&timeouts).after(&trouble(Again::After(Duration::from_secs(31))), false), None);
    }

    #[test]
    fn nothing_is_retried_once_the_answer_has_begun() {
        let mut retries = Retries::new(&Timeouts::default());
        assert_eq!(retries.after(&trouble(Again::Backoff), true), None);
        assert_eq!(retries.after(&trouble(Again::Never), false), None);
    }
}
