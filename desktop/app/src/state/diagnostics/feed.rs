//! A feed that costs something while it is followed: the trace, the logs.

use crate::state::lease::{Lease, Leased, Lessor};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Trace,
    Logs,
}

/// How the app stands with one feed.
#[derive(Debug, Default)]
pub struct Feed {
    lessor: Lessor,
    lease: Option<Lease>,
    /// Nothing comes in, because the person said so.
    pub is_paused: bool,
    /// The view stands still at this number, because the person reads: what is newer waits out of sight.
    pub held_at: Option<u64>,
    /// Batches that were lost on the way, because they came too fast.
    pub lost: u64,
    /// Why it cannot be followed.
    pub failed: Option<String>,
    /// Whether anything has come since it is followed.
    pub is_begun: bool,
}

impl Feed {
    /// Follows it or lets it go; what is returned goes to whoever does it.
    pub fn follow(&mut self, wanted: bool) -> Option<Leased> {
        match (wanted && !self.is_paused, &self.lease) {
            (true, None) => {
                let (lease, leased) = self.lessor.lease();
                self.lease = Some(lease);
                self.failed = None;
                self.lost = 0;
                self.is_begun = false;
                Some(leased)
            }
            (false, Some(_)) => {
                self.lease = None;
                None
            }
            (true, Some(_)) | (false, None) => None,
        }
    }

    /// It ended by itself.
    pub fn fail(&mut self, why: String) {
        self.lease = None;
        self.failed = Some(why);
    }

    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.lease.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_followed_only_while_wanted_and_not_paused() {
        let mut feed = Feed::default();
        assert!(feed.follow(false).is_none());
        let first = feed.follow(true).unwrap();
        assert!(feed.follow(true).is_none(), "once is enough");
        feed.is_paused = true;
        assert!(feed.follow(true).is_none() && first.is_over());
        feed.is_paused = false;
        let second = feed.follow(true).unwrap();
        assert!(!second.is_over());
        feed.fail("denied".into());
        assert!(second.is_over() && !feed.is_followed());
    }
}
