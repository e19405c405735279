//! Diagnostics: what the machine below does, as the kernel and its workers tell it by events.
//!
//! The table of workers is read whenever the kernel publishes it. The trace and the logs cost something, so they are
//! followed only while they are shown. Nothing here holds a payload: the kernel gives none away.

pub mod crashes;
pub mod feed;
pub mod health;
pub mod logs;
pub mod names;
pub mod open_turn;
pub mod proof;
pub mod report;
pub mod trace;
pub mod turn;
pub mod units;
mod words;
pub mod workers;

use super::frame::{Toast, Tone};
use super::lease::Leased;
use super::{Effect as Outer, System};
use butterfly_api::health::Check;
use butterfly_wire::EndpointId;
use butterfly_wire::control::{
    Capabilities, CrashReport, LogLines, Principal, ProofReport, Status, TraceRecords, WorkerChanged, WorkerState,
};
use crashes::Crashes;
use feed::{Feed, Kind};
use health::Health;
use logs::Logs;
use names::Names;
use open_turn::OpenTurn;
use proof::Proof;
use std::collections::{BTreeMap, BTreeSet};
use trace::Trace;
use workers::{Act, Workers};

/// A page of Diagnostics.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Workers,
    Health,
    Trace,
    Logs,
    Crashes,
    Security,
}

impl Tab {
    pub const ALL: [Self; 6] = [Self::Workers, Self::Health, Self::Trace, Self::Logs, Self::Crashes, Self::Security];

    /// Stable.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::Health => "health",
            Self::Trace => "trace",
            Self::Logs => "logs",
            Self::Crashes => "crashes",
            Self::Security => "security",
        }
    }

    /// The tab of this id; the first where there is none.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self::ALL.into_iter().find(|tab| tab.id() == id).unwrap_or_default()
    }
}

/// What a twin proved, or that it is being asked, or why it proved nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Proving {
    Asked,
    Proved(Proof),
    Failed(String),
}

/// Diagnostics.
#[derive(Debug, Default)]
pub struct State {
    pub is_online: bool,
    is_visible: bool,
    pub tab: Tab,
    pub workers: Workers,
    pub health: Health,
    pub crashes: Crashes,
    pub trace: Trace,
    pub turn: Option<OpenTurn>,
    pub logs: Logs,
    pub trace_feed: Feed,
    pub logs_feed: Feed,
    pub capabilities: Vec<Principal>,
    /// By worker.
    pub proofs: BTreeMap<String, Proving>,
    /// The worker whose grants are shown.
    pub opened: Option<String>,
    pub is_reporting: bool,
    names: Names,
    /// Whether the table is of this connection: who answers for a worker is known by it alone.
    is_table_fresh: bool,
}

/// What happens to Diagnostics.
#[derive(Debug, Clone)]
pub enum Event {
    /// The bus is there (again): whatever is shown is to be read anew.
    Connected,
    /// The bus is gone; what is known stays shown.
    Lost,
    /// The view came on the screen, or went.
    Visible(bool),
    Show(Tab),
    Stats(Box<Status>),
    Changed(WorkerChanged),
    Act {
        worker: String,
        act: Act,
    },
    /// Stopping is asked about first.
    AskStop(String),
    ActFailed {
        worker: String,
        act: Act,
        why: String,
    },
    Check,
    Checked {
        worker: String,
        question: u64,
        answer: Result<Vec<Check>, String>,
    },
    Disk(Check),
    Crashes(Result<Vec<CrashReport>, String>),
    SelectCrash(crashes::Key),
    Trace(TraceRecords),
    TraceFilter(trace::Filter),
    /// Look at one trace; `None`: the newest conversation turn.
    OpenTurn(Option<u64>),
    CloseTurn,
    TurnRead {
        asked: Option<u64>,
        records: Result<TraceRecords, String>,
    },
    LogsKept(LogLines),
    Logs(LogLines),
    LogFilter(logs::Filter),
    SelectLine(Option<u64>),
    Pause(Kind, bool),
    /// The view of a feed was scrolled away from its end, or back.
    Hold(Kind, bool),
    FeedLost(Kind, u64),
    FeedFailed(Kind, String),
    Capabilities(Capabilities),
    Open(Option<String>),
    Prove(String),
    Proved {
        worker: String,
        report: Result<Box<ProofReport>, String>,
    },
    Report,
    Gathered(Box<Gathered>),
}

/// What a report is made of, read for it alone. What could not be read is `None`.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    pub status: Option<Status>,
    pub checks: Vec<(String, Result<Vec<Check>, String>)>,
    pub disk: Option<Check>,
    pub crashes: Option<Vec<CrashReport>>,
    pub logs: Option<LogLines>,
    pub home: String,
    pub now_unix_ms: u64,
}

/// What Diagnostics needs from outside.
#[derive(Debug, Clone)]
pub enum Effect {
    Act { worker: String, act: Act },
    Check { worker: String, endpoint: EndpointId, question: u64 },
    Disk,
    Crashes,
    Capabilities,
    Prove(String),
    Turn(Option<u64>),
    Follow(Kind, Leased),
    Report { workers: Vec<(String, EndpointId)> },
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        let mut effects = self.step(event);
        for (name, act, outcome) in self.workers.settle() {
            effects.push(Outer::toast(words::told(&name, act, &outcome)));
        }
        let shown = |tab| self.is_online && self.is_visible && self.tab == tab;
        let (trace, logs) = (shown(Tab::Trace), shown(Tab::Logs));
        for (kind, feed, wanted) in
            [(Kind::Trace, &mut self.trace_feed, trace), (Kind::Logs, &mut self.logs_feed, logs)]
        {
            // One that failed is not tried again by itself while it is shown.
            let wanted = wanted && feed.failed.is_none();
            effects.extend(feed.follow(wanted).map(|leased| Outer::Diagnostics(Effect::Follow(kind, leased))));
        }
        effects
    }

    fn step(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Connected => {
                self.is_online = true;
                self.is_table_fresh = false;
                self.names = Names::default();
                self.trace.clear();
                self.turn = None;
                self.workers.acting.clear();
                self.trace_feed.failed = None;
                self.logs_feed.failed = None;
                let mut effects = vec![Outer::Diagnostics(Effect::Crashes)];
                effects.extend(self.load());
                effects
            }
            Event::Lost => {
                self.is_online = false;
                self.health.give_up();
                self.workers.acting.clear();
                self.proofs.retain(|_, proving| *proving != Proving::Asked);
                self.is_reporting = false;
                Vec::new()
            }
            Event::Visible(visible) => {
                self.is_visible = visible;
                if visible { self.shown() } else { Vec::new() }
            }
            Event::Show(tab) => {
                self.tab = tab;
                self.shown()
            }
            Event::Stats(status) => self.read(*status),
            Event::Changed(changed) => self.changed(changed),
            Event::Act { worker, act } => {
                if !self.is_online || !self.workers.begin(&worker, act) {
                    return Vec::new();
                }
                vec![Outer::Diagnostics(Effect::Act { worker, act })]
            }
            Event::AskStop(worker) => vec![words::ask_stop(worker)],
            Event::ActFailed { worker, act, why } => {
                self.workers.acting.remove(&worker);
                let done = act.label().to_lowercase();
                vec![Outer::toast(Toast::new(Tone::Danger, format!("The app could not {done} {worker}: {why}")))]
            }
            Event::Check => self.check_all(),
            Event::Checked { worker, question, answer } => {
                self.health.answer(&worker, question, answer);
                Vec::new()
            }
            Event::Disk(check) => {
                self.health.disk = Some(check);
                Vec::new()
            }
            Event::Crashes(reports) => {
                self.crashes.read(reports);
                Vec::new()
            }
            Event::SelectCrash(key) => {
                self.crashes.select(key);
                Vec::new()
            }
            Event::Capabilities(capabilities) => {
                self.capabilities = capabilities.principals;
                Vec::new()
            }
            Event::Open(worker) => {
                self.opened = worker;
                Vec::new()
            }
            Event::Prove(worker) => {
                if !self.is_online || self.proofs.get(&worker) == Some(&Proving::Asked) {
                    return Vec::new();
                }
                self.proofs.insert(worker.clone(), Proving::Asked);
                vec![Outer::Diagnostics(Effect::Prove(worker))]
            }
            Event::Proved { worker, report } => {
                let proving = report.map_or_else(Proving::Failed, |report| Proving::Proved(Proof::of(&report)));
                self.proofs.insert(worker, proving);
                Vec::new()
            }
            Event::Report => self.report(),
            Event::Gathered(gathered) => self.gathered(*gathered),
            feed => self.feed(feed),
        }
    }

    /// What concerns the trace and the logs.
    fn feed(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Trace(records) => {
                self.trace_feed.is_begun = true;
                self.names.learn(&records.names);
                self.trace.take(&records, &self.names);
                if let Some(open) = &mut self.turn {
                    open.grow(&records.records, &self.names);
                }
            }
            Event::TraceFilter(filter) => {
                self.trace.filter = filter;
                self.trace_feed.held_at = None;
            }
            Event::OpenTurn(trace) => {
                self.turn = Some(OpenTurn::of(trace, self.is_online));
                if self.is_online {
                    return vec![Outer::Diagnostics(Effect::Turn(trace))];
                }
            }
            Event::CloseTurn => self.turn = None,
            Event::TurnRead { asked, records } => {
                if let Some(open) = &mut self.turn {
                    open.read(asked, records, &mut self.names);
                }
            }
            Event::LogsKept(lines) => {
                self.logs_feed.is_begun = true;
                self.logs_feed.held_at = None;
                self.logs.begin(lines);
            }
            Event::Logs(lines) => self.logs.take(&lines),
            Event::LogFilter(filter) => {
                self.logs.filter = filter;
                self.logs_feed.held_at = None;
            }
            Event::SelectLine(line) => self.logs.selected = line,
            Event::Pause(kind, paused) => {
                let feed = self.feed_mut(kind);
                feed.is_paused = paused;
                feed.failed = None;
                if !paused {
                    feed.held_at = None;
                }
            }
            Event::Hold(kind, held) => {
                let next = match kind {
                    Kind::Trace => self.trace.next(),
                    Kind::Logs => self.logs.next(),
                };
                let feed = self.feed_mut(kind);
                feed.held_at = held.then(|| feed.held_at.unwrap_or(next));
            }
            Event::FeedLost(kind, batches) => self.feed_mut(kind).lost += batches,
            // What comes after the connection's end is no failure of the feed.
            Event::FeedFailed(kind, why) if self.is_online => self.feed_mut(kind).fail(why),
            _ => {}
        }
        Vec::new()
    }

    /// Who is who on the bus, as far as it was heard of.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    fn feed_mut(&mut self, kind: Kind) -> &mut Feed {
        match kind {
            Kind::Trace => &mut self.trace_feed,
            Kind::Logs => &mut self.logs_feed,
        }
    }

    /// How the app stands with a feed.
    #[must_use]
    pub fn feed_of(&self, kind: Kind) -> &Feed {
        match kind {
            Kind::Trace => &self.trace_feed,
            Kind::Logs => &self.logs_feed,
        }
    }

    /// The tab came on the screen: a feed that failed is tried again, and what is missing is read.
    fn shown(&mut self) -> Vec<Outer> {
        self.trace_feed.failed = None;
        self.logs_feed.failed = None;
        self.load()
    }

    fn load(&mut self) -> Vec<Outer> {
        if !self.is_online || !self.is_visible {
            return Vec::new();
        }
        match self.tab {
            Tab::Health if self.is_table_fresh && !self.health.is_checking() => self.check_all(),
            Tab::Crashes => vec![Outer::Diagnostics(Effect::Crashes)],
            Tab::Security => vec![Outer::Diagnostics(Effect::Capabilities)],
            Tab::Workers | Tab::Health | Tab::Trace | Tab::Logs => Vec::new(),
        }
    }

    fn read(&mut self, status: Status) -> Vec<Outer> {
        let is_first = !std::mem::replace(&mut self.is_table_fresh, true);
        let replaced = self.replaced(&status);
        self.names.learn_status(&status);
        self.workers.read(status);
        for worker in &replaced {
            self.health.forget(worker);
            self.proofs.remove(worker);
        }
        match self.tab {
            // The tab was shown before there was a table to ask by.
            Tab::Health if is_first => self.load(),
            Tab::Health if self.is_visible => replaced.iter().flat_map(|worker| self.check(worker)).collect(),
            Tab::Security if !replaced.is_empty() => self.load(),
            _ => Vec::new(),
        }
    }

    /// The workers that are another process than before.
    fn replaced(&self, status: &Status) -> BTreeSet<String> {
        let old = |name: &str| self.workers.find(name).map(|worker| (worker.endpoint, worker.pid));
        let all = status.workers.iter();
        all.filter(|new| old(&new.name).is_some_and(|old| old != (new.endpoint, new.pid)))
            .map(|new| new.name.clone())
            .collect()
    }

    fn changed(&mut self, changed: WorkerChanged) -> Vec<Outer> {
        let failed =
            matches!(changed.state, WorkerState::Starting | WorkerState::Backoff { .. } | WorkerState::Held { .. });
        self.workers.change(changed);
        // A first failure is started again at once, with a report and without a pause.
        if failed { vec![Outer::Diagnostics(Effect::Crashes)] } else { Vec::new() }
    }

    fn check_all(&mut self) -> Vec<Outer> {
        if !self.is_online {
            return Vec::new();
        }
        let names: Vec<_> = self.workers.standing().map(|worker| worker.name.clone()).collect();
        let mut effects: Vec<_> = names.iter().flat_map(|name| self.check(name)).collect();
        effects.push(Outer::Diagnostics(Effect::Disk));
        effects
    }

    /// Asks one worker, where it can answer.
    fn check(&mut self, name: &str) -> Option<Outer> {
        let worker = self.workers.find(name).filter(|worker| worker.state == WorkerState::Ready)?;
        let endpoint = worker.endpoint;
        let question = self.health.ask(name);
        Some(Outer::Diagnostics(Effect::Check { worker: name.to_owned(), endpoint, question }))
    }

    fn report(&mut self) -> Vec<Outer> {
        if self.is_reporting {
            return Vec::new();
        }
        if !self.is_online {
            // Without a kernel there is nothing to gather: what is known is what there is.
            return vec![Outer::Diagnostics(Effect::Report { workers: Vec::new() })];
        }
        self.is_reporting = true;
        let ready = self.workers.standing().filter(|worker| worker.state == WorkerState::Ready);
        let workers = ready.map(|worker| (worker.name.clone(), worker.endpoint)).collect();
        vec![Outer::Diagnostics(Effect::Report { workers })]
    }

    fn gathered(&mut self, gathered: Gathered) -> Vec<Outer> {
        self.is_reporting = false;
        let mut effects = gathered.status.map(|status| self.read(status)).unwrap_or_default();
        for (worker, answer) in gathered.checks {
            let question = self.health.ask(&worker);
            self.health.answer(&worker, question, answer);
        }
        self.health.disk = gathered.disk.or(self.health.disk.take());
        if let Some(reports) = gathered.crashes {
            self.crashes.read(Ok(reports));
        }
        if let (Some(lines), false) = (gathered.logs, self.logs_feed.is_followed()) {
            self.logs.begin(lines);
        }
        let text = report::text(self, &gathered.home, gathered.now_unix_ms);
        effects.push(Outer::System(System::Copy(text)));
        effects.push(Outer::toast(Toast::new(Tone::Success, "The report is on the clipboard.")));
        effects
    }
}

#[cfg(test)]
mod tests;
