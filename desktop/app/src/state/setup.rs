//! The first run: who answers, and the one thing that stands in the way of a language model.
//!
//! There is no wizard. The model worker is asked what it finds ([`Event::Probe`]), and at most one [`Card`] says what is
//! missing and does it. Until then the built-in responder answers, and is labelled as such.

pub mod card;
pub mod pull;

use super::Effect as Outer;
use super::frame::{Toast, Tone};
use super::lease::{Lease, Leased, Lessor};
use butterfly_api::model::{Probe, PullProgress};
use butterfly_api::vault::Store;
use card::{Card, Kind};
use pull::Meter;
use std::time::Duration;

/// Pauses before the server is looked for again by itself, while a card says that it is not there: what a person does
/// outside of the app shows soon, and an app that is left alone asks twice a minute.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(3),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// What was found, and on which machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub probe: Probe,
    /// Whether this machine has the program `ollama`.
    pub has_ollama: bool,
    /// The keyring, where a secret is needed.
    pub keyring: Option<Store>,
}

/// Something that is being done about it.
#[derive(Debug, Default)]
enum Work {
    #[default]
    None,
    /// The server was started and is waited for.
    Starting,
    Pulling {
        meter: Meter,
        _lease: Lease,
    },
    /// A pull ended before it was done: it goes on from there. `why` is `None` where the person stopped it.
    Broken {
        meter: Meter,
        why: Option<String>,
    },
}

/// The first run.
#[derive(Debug, Default)]
pub struct State {
    is_online: bool,
    found: Option<Found>,
    work: Work,
    /// Why the server could not be started.
    start_failed: Option<String>,
    dismissed: Vec<Kind>,
    lessor: Lessor,
    /// The newest question; answers to others are dropped.
    asked: u64,
    pub is_asking: bool,
    /// How often the server was looked for in vain.
    tries: usize,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// The bus is there (again): whatever is shown is to be read anew.
    Connected,
    /// The bus is gone; what is known stays shown.
    Lost,
    /// Somebody wants to know: the settings changed, the model worker is back, a person asks.
    Probe,
    /// A pause is over.
    ProbeAgain {
        asked: u64,
    },
    Probed {
        asked: u64,
        found: Box<Result<Found, String>>,
    },
    /// Start the server that is installed here.
    StartServer,
    StartFailed {
        why: String,
    },
    /// Fetch the model that the card offers, or go on with it.
    Pull,
    /// `at_ms` is a clock that never goes back.
    PullProgress {
        at_ms: u64,
        progress: PullProgress,
    },
    Pulled {
        model: String,
    },
    PullFailed {
        why: String,
    },
    StopPull,
    /// Show this card no more, until the app is started again.
    Dismiss,
}

/// What the first run needs from outside.
#[derive(Debug, Clone)]
pub enum Effect {
    Probe {
        asked: u64,
    },
    ProbeAfter {
        asked: u64,
        pause: Duration,
    },
    /// Start `ollama serve` for this address, and ask the model worker until it is there.
    StartServer {
        asked: u64,
        url: String,
    },
    Pull {
        model: String,
        leased: Leased,
    },
}

/// Who answers, where it is no language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responder<'a> {
    /// The person chose it.
    Chosen,
    /// There is nobody else, for this reason: a sentence.
    Instead(&'a str),
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Connected => {
                self.is_online = true;
                self.tries = 0;
                self.ask()
            }
            Event::Lost => {
                self.is_online = false;
                self.is_asking = false;
                self.asked += 1;
                self.broken(Some("the connection to the kernel was lost".to_owned()));
                if matches!(self.work, Work::Starting) {
                    self.work = Work::None;
                }
                Vec::new()
            }
            Event::Probe => {
                self.tries = 0;
                self.ask()
            }
            Event::ProbeAgain { asked } if asked == self.asked && !self.is_asking => self.ask(),
            Event::Probed { asked, found } if asked == self.asked => self.probed(*found),
            Event::StartServer => self.start_server(),
            Event::StartFailed { why } => {
                if matches!(self.work, Work::Starting) {
                    self.work = Work::None;
                    self.start_failed = Some(why);
                }
                self.ask()
            }
            Event::Pull => self.pull(),
            Event::PullProgress { at_ms, progress } => {
                if let Work::Pulling { meter, .. } = &mut self.work {
                    meter.take(at_ms, &progress);
                }
                Vec::new()
            }
            Event::Pulled { model } => {
                if !matches!(self.work, Work::Pulling { .. }) {
                    return Vec::new();
                }
                self.work = Work::None;
                let mut effects = vec![Outer::toast(Toast::new(Tone::Success, format!("{model} is ready.")))];
                effects.extend(self.ask());
                effects
            }
            Event::PullFailed { why } => {
                self.broken(Some(why));
                self.ask()
            }
            Event::StopPull => {
                self.broken(None);
                Vec::new()
            }
            Event::Dismiss => {
                if let Some(card) = self.card() {
                    self.dismissed.push(card.kind());
                    // Who put a broken pull aside wants the offer gone as well.
                    self.work = Work::None;
                    self.start_failed = None;
                }
                Vec::new()
            }
            Event::ProbeAgain { .. } | Event::Probed { .. } => Vec::new(),
        }
    }

    /// The card to be shown, if any.
    #[must_use]
    pub fn card(&self) -> Option<Card<'_>> {
        let card = match (&self.work, &self.found) {
            (Work::Pulling { meter, .. }, _) => Some(Card::Pulling { meter }),
            (Work::Starting, _) => Some(Card::Starting),
            (Work::Broken { meter, why }, _) => Some(Card::Broken { meter, why: why.as_deref() }),
            (Work::None, Some(found)) => Card::of(found, self.start_failed.as_deref()),
            (Work::None, None) => None,
        };
        card.filter(|card| !self.dismissed.contains(&card.kind()))
    }

    /// Whether the built-in responder would answer now, for a badge in the chat.
    #[must_use]
    pub fn responder(&self) -> Option<Responder<'_>> {
        let probe = &self.found.as_ref()?.probe;
        match (&probe.problem, probe.chosen.as_str()) {
            (None, card::RESPONDER) => Some(Responder::Chosen),
            (Some(_), card::RESPONDER) => Some(Responder::Instead(&probe.reason)),
            (Some(_) | None, _) => None,
        }
    }

    /// The model that would answer now, and through which provider; `None` for the built-in responder and while unknown.
    #[must_use]
    pub fn model(&self) -> Option<(&str, &str)> {
        let probe = &self.found.as_ref()?.probe;
        let is_model = probe.chosen != card::RESPONDER && probe.chosen != "none";
        is_model.then_some((probe.chosen.as_str(), probe.provider.as_str()))
    }

    fn ask(&mut self) -> Vec<Outer> {
        if !self.is_online || matches!(self.work, Work::Starting) {
            return Vec::new();
        }
        self.asked += 1;
        self.is_asking = true;
        vec![Outer::Setup(Effect::Probe { asked: self.asked })]
    }

    fn probed(&mut self, found: Result<Found, String>) -> Vec<Outer> {
        self.is_asking = false;
        let was_starting = matches!(self.work, Work::Starting);
        // A model worker that cannot be asked is seen in Diagnostics; it announces itself when it is back.
        let Ok(found) = found else { return Vec::new() };
        let is_well = found.probe.problem.is_none();
        let is_pulling = matches!(self.work, Work::Pulling { .. });
        let waits = !is_pulling && Card::of(&found, None).is_some_and(|card| card.kind().changes_outside());
        if was_starting || !waits {
            self.start_failed = None;
        }
        if was_starting {
            self.work = Work::None;
        }
        if is_well && matches!(self.work, Work::Broken { .. }) {
            self.work = Work::None;
        }
        self.found = Some(found);
        if !waits {
            self.tries = 0;
            return Vec::new();
        }
        let pause = AGAIN[self.tries.min(AGAIN.len() - 1)];
        self.tries += 1;
        vec![Outer::Setup(Effect::ProbeAfter { asked: self.asked, pause })]
    }

    fn start_server(&mut self) -> Vec<Outer> {
        let can = self.is_online && matches!(self.card(), Some(Card::NotRunning { .. }));
        let Some(url) = self.found.as_ref().filter(|_| can).map(|found| found.probe.url.clone()) else {
            return Vec::new();
        };
        self.work = Work::Starting;
        self.start_failed = None;
        self.is_asking = false;
        self.asked += 1;
        vec![Outer::Setup(Effect::StartServer { asked: self.asked, url })]
    }

    fn pull(&mut self) -> Vec<Outer> {
        if !self.is_online {
            return Vec::new();
        }
        let model = match self.card() {
            Some(Card::ModelMissing { model, .. }) => model.to_owned(),
            Some(Card::Broken { meter, .. }) => meter.model.clone(),
            Some(_) | None => return Vec::new(),
        };
        let (lease, leased) = self.lessor.lease();
        self.work = Work::Pulling { meter: Meter::new(model.clone()), _lease: lease };
        vec![Outer::Setup(Effect::Pull { model, leased })]
    }

    fn broken(&mut self, why: Option<String>) {
        if let Work::Pulling { meter, .. } = std::mem::take(&mut self.work) {
            self.work = Work::Broken { meter, why };
        }
    }
}

#[cfg(test)]
mod tests;
