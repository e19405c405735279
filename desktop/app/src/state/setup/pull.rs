//! The meter of a pull: how far it is, how quick, how long yet.

use butterfly_api::model::PullProgress;
use std::collections::VecDeque;

/// The speed is that of this time, in ms: long enough to be calm, short enough to follow a change.
const WINDOW_MS: u64 = 6_000;

/// Before this much was seen, in ms, a speed would be a guess.
const SEEN_MS: u64 = 1_000;

/// One layer of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layer {
    digest: String,
    total: u64,
    completed: u64,
    /// What was there when it was first heard of: an earlier pull fetched that, and at no speed.
    before: u64,
}

/// The meter. Bytes and ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    pub model: String,
    /// The server's own word for what it does between layers, such as `verifying sha256 digest`.
    pub status: String,
    layers: Vec<Layer>,
    /// Moments, and the bytes that had been fetched then.
    samples: VecDeque<(u64, u64)>,
}

impl Meter {
    #[must_use]
    pub fn new(model: String) -> Self {
        Self { model, status: String::new(), layers: Vec::new(), samples: VecDeque::new() }
    }

    /// The server told something, at this moment of a clock that never goes back.
    pub fn take(&mut self, at_ms: u64, progress: &PullProgress) {
        self.status.clone_from(&progress.status);
        if progress.digest.is_empty() || progress.total_bytes == 0 {
            return;
        }
        let completed = progress.completed_bytes.min(progress.total_bytes);
        match self.layers.iter_mut().find(|layer| layer.digest == progress.digest) {
            Some(layer) => {
                layer.total = progress.total_bytes;
                // A layer that is begun anew was not fetched faster for it.
                layer.before = layer.before.min(completed);
                layer.completed = completed;
            }
            None => self.layers.push(Layer {
                digest: progress.digest.clone(),
                total: progress.total_bytes,
                completed,
                before: completed,
            }),
        }
        let fetched = self.layers.iter().map(|layer| layer.completed - layer.before).sum();
        if self.samples.back().is_some_and(|(_, before)| fetched < *before) {
            self.samples.clear();
        }
        self.samples.push_back((at_ms, fetched));
        // The newest that is older than the window stays: it is where the window begins.
        while self.samples.get(1).is_some_and(|(at, _)| at + WINDOW_MS <= at_ms) {
            self.samples.pop_front();
        }
    }

    #[must_use]
    pub fn completed(&self) -> u64 {
        self.layers.iter().map(|layer| layer.completed).sum()
    }

    /// Of the layers that were heard of; the first is nearly all of a model.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.layers.iter().map(|layer| layer.total).sum()
    }

    /// From 0 to 1; `None` before the size is known.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.completed() as f64 / self.total() as f64)
    }

    /// Bytes in a second; `None` before enough was seen.
    #[must_use]
    pub fn speed(&self) -> Option<u64> {
        let ((first_at, first), (last_at, last)) = (self.samples.front()?, self.samples.back()?);
        let seen_ms = last_at.checked_sub(*first_at).filter(|seen| *seen >= SEEN_MS)?;
        Some((last - first).saturating_mul(1000) / seen_ms)
    }

    /// Time until all is here, in ms; `None` while that is unknown, or nothing moves.
    #[must_use]
    pub fn left_ms(&self) -> Option<u64> {
        let speed = self.speed().filter(|speed| *speed > 0)?;
        Some((self.total() - self.completed()).saturating_mul(1000) / speed)
    }

    /// Whether all bytes are here: the server checks and unpacks them.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        self.total() > 0 && self.completed() == self.total() && !self.status.starts_with("pulling")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn progress(digest: &str, completed_bytes: u64, total_bytes: u64) -> PullProgress {
        PullProgress { status: format!("pulling {digest}"), digest: digest.into(), total_bytes, completed_bytes }
    }

    #[test]
    fn speed_and_time_left_come_from_the_last_seconds() {
        let mut meter = Meter::new("m".into());
        assert_eq!((meter.share(), meter.speed(), meter.left_ms()), (None, None, None));
        meter.take(0, &progress("a", 0, 100_000));
        meter.take(500, &progress("a", 500, 100_000));
        assert_eq!(meter.speed(), None, "half a second is no speed");
        meter.take(2_000, &progress("a", 2_000, 100_000));
        assert_eq!((meter.speed(), meter.left_ms()), (Some(1_000), Some(98_000)));
        for second in 3..=20_u64 {
            meter.take(second * 1000, &progress("a", 2_000 + (second - 2) * 3_000, 100_000));
        }
        assert_eq!(meter.speed(), Some(3_000), "what was long ago is forgotten");
        assert!(meter.samples.len() <= 8);
    }

    #[test]
    fn what_an_earlier_pull_fetched_counts_as_there_but_not_as_speed() {
        let mut meter = Meter::new("m".into());
        meter.take(0, &progress("a", 60_000, 100_000));
        meter.take(2_000, &progress("a", 62_000, 100_000));
        assert_eq!(meter.share(), Some(0.62));
        assert_eq!((meter.speed(), meter.left_ms()), (Some(1_000), Some(38_000)));
        meter.take(4_000, &progress("a", 10_000, 100_000));
        assert_eq!(meter.speed(), None, "begun anew");
        meter.take(6_000, &progress("a", 12_000, 100_000));
        assert_eq!(meter.speed(), Some(1_000));
    }

    #[test]
    fn layers_add_up_and_a_stall_has_no_time_left() {
        let mut meter = Meter::new("m".into());
        meter.take(0, &progress("a", 100, 100));
        meter.take(10, &progress("b", 0, 100));
        assert_eq!(meter.share(), Some(0.5));
        meter.take(9_000, &progress("b", 0, 100));
        assert_eq!((meter.speed(), meter.left_ms()), (Some(0), None));
        meter.take(9_500, &progress("b", 100, 100));
        assert!(!meter.is_fetched());
        meter.take(
            9_900,
            &PullProgress {
                status: "verifying sha256 digest".into(),
                digest: String::new(),
                total_bytes: 0,
                completed_bytes: 0,
            },
        );
        assert!(meter.is_fetched());
        assert_eq!(meter.status, "verifying sha256 digest");
    }

    proptest! {
        #[test]
        fn no_server_makes_it_lie_or_panic(steps in proptest::collection::vec((0..9_000_u64, 0..4_u8, any::<u64>(), any::<u64>()), 0..60)) {
            let (mut meter, mut at) = (Meter::new("m".into()), 0);
            for (pause, digest, completed, total) in steps {
                at += pause;
                meter.take(at, &progress(&digest.to_string(), completed >> 8, total >> 8));
                prop_assert!(meter.completed() <= meter.total());
                let _ = (meter.speed(), meter.left_ms(), meter.share());
            }
        }
    }
}
