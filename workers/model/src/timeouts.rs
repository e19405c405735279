//! How long to wait for what. One place, so that tests can make every wait short or endless.

use std::time::Duration;

/// Every duration of this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// To a TCP (and TLS) connection. Short: a server on this machine answers at once, and a person waits.
    pub connect: Duration,
    /// To the first thinking, text or tool call of an answer. Long: a large model from a cold disk takes ten minutes.
    pub first_token: Duration,
    /// Between two lines once the answer has begun. No healthy server is silent for two minutes.
    pub idle: Duration,
    /// To the whole answer of a small question (version, list, show). Well below the bus's deadline for them, so that
    /// the caller gets a sentence and not a bare timeout.
    pub small: Duration,
    /// The same for a health check, whose own deadline on the bus is 5 s.
    pub health: Duration,
    /// Silence before the person is told that the model is loading. Below this an answer feels prompt.
    pub first_notice: Duration,
    /// Between later notices. Each also re-arms the kernel's clock for the stream.
    pub next_notice: Duration,
    /// First pause before a request that failed with 5xx is made again; it doubles.
    pub backoff: Duration,
    /// The longest `retry-after` that is waited for; a longer one becomes an error that says so.
    pub retry_after: Duration,
    /// Quiet after the last foreground call before background work goes on: a turn with tools makes several calls, and
    /// background work that starts in between would only be cancelled again.
    pub quiet: Duration,
    /// Silence of a pull before it is asked for again; checking a large layer's digest takes a minute on a slow disk.
    pub pull_idle: Duration,
    /// The shortest time between two reports about one layer of a pull: what a progress bar can show.
    pub pull_report: Duration,
    /// How long a choice of model, and what is loaded, is believed.
    pub remember: Duration,
    /// How long a model's own properties are believed: they change only when it is fetched anew elsewhere.
    pub details: Duration,
    /// Between two words of the built-in responder: visibly a stream, and done before one could be impatient.
    pub word: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            first_token: Duration::from_secs(20 * 60),
            idle: Duration::from_secs(120),
            small: Duration::from_secs(20),
            health: Duration::from_secs(2),
            first_notice: Duration::from_secs(2),
            next_notice: Duration::from_secs(15),
            backoff: Duration::from_millis(300),
            retry_after: Duration::from_secs(30),
            quiet: Duration::from_millis(500),
            pull_idle: Duration::from_secs(180),
            pull_report: Duration::from_millis(100),
            remember: Duration::from_secs(30),
            details: Duration::from_secs(10 * 60),
            word: Duration::from_millis(4),
        }
    }
}
