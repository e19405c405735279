//! What the server remembers: scripts, what is installed, requests, counts.

use super::answer::Protocol;
use super::library::Library;
use super::scenario::Scenario;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// What can be scripted. One name for both protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/api/chat`, `/v1/chat/completions`
    Chat,
    /// `/api/embed`, `/v1/embeddings`
    Embed,
    /// `/api/pull`
    Pull,
    /// `/api/tags`, `/v1/models`
    Tags,
    /// `/api/show`
    Show,
    /// `/api/ps`
    Ps,
    /// `/api/version`
    Version,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub path: String,
    /// `None` for a path that the server does not know.
    pub endpoint: Option<Endpoint>,
    /// The body, or null.
    pub body: Value,
    /// The header `Authorization`, if there was one.
    pub authorization: Option<String>,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub requests: usize,
    /// Requests of the chat endpoint.
    pub chats: usize,
    /// Connections that are open now.
    pub open: usize,
    /// Requests being answered now.
    pub answering: usize,
    /// Answers that were sent to their end, whatever that was.
    pub complete: usize,
    /// Requests whose client closed the connection before the answer was complete.
    pub aborted: usize,
    /// Holds that were reached, whether released or not.
    pub held: usize,
}

#[derive(Default)]
struct Scripts {
    next: HashMap<Endpoint, VecDeque<Scenario>>,
    standing: HashMap<(Endpoint, Option<String>), Scenario>,
    /// The one protocol that is spoken; `None` for both.
    spoken: Option<Protocol>,
    /// The key without which nothing is answered.
    key: Option<String>,
}

pub(super) struct State {
    scripts: Mutex<Scripts>,
    library: Mutex<Library>,
    recorded: Mutex<Vec<Recorded>>,
    pub(super) counts: watch::Sender<Counts>,
    pub(super) holds: Semaphore,
}

impl Default for State {
    fn default() -> Self {
        Self {
            scripts: Mutex::default(),
            library: Mutex::default(),
            recorded: Mutex::default(),
            counts: watch::Sender::new(Counts::default()),
            holds: Semaphore::new(0),
        }
    }
}

impl State {
    pub(super) fn library(&self) -> MutexGuard<'_, Library> {
        lock(&self.library)
    }

    pub(super) fn recorded(&self) -> MutexGuard<'_, Vec<Recorded>> {
        lock(&self.recorded)
    }

    pub(super) fn queue(&self, endpoint: Endpoint, scenario: Scenario) {
        lock(&self.scripts).next.entry(endpoint).or_default().push_back(scenario);
    }

    pub(super) fn stand(&self, endpoint: Endpoint, model: Option<String>, scenario: Scenario) {
        lock(&self.scripts).standing.insert((endpoint, model), scenario);
    }

    pub(super) fn speak(&self, protocol: Option<Protocol>) {
        lock(&self.scripts).spoken = protocol;
    }

    pub(super) fn speaks(&self, protocol: Protocol) -> bool {
        lock(&self.scripts).spoken.is_none_or(|spoken| spoken == protocol)
    }

    /// What the next request plays; `None` for the usual.
    pub(super) fn scenario(&self, endpoint: Endpoint, model: &str) -> Option<Scenario> {
        let mut scripts = lock(&self.scripts);
        let queued = scripts.next.get_mut(&endpoint).and_then(VecDeque::pop_front);
        let of_model = || scripts.standing.get(&(endpoint, Some(model.to_owned()))).cloned();
        queued.or_else(of_model).or_else(|| scripts.standing.get(&(endpoint, None)).cloned())
    }

    pub(super) fn want_key(&self, key: Option<&str>) {
        lock(&self.scripts).key = key.map(str::to_owned);
    }

    /// Whether a request with this header may be answered.
    pub(super) fn lets_in(&self, authorization: Option<&str>) -> bool {
        let scripts = lock(&self.scripts);
        scripts.key.as_ref().is_none_or(|key| authorization == Some(format!("Bearer {key}").as_str()))
    }

    pub(super) fn record(&self, path: &str, endpoint: Option<Endpoint>, body: Value, authorization: Option<String>) {
        self.recorded().push(Recorded { path: path.to_owned(), endpoint, body, authorization });
        self.count(|counts| {
            counts.requests += 1;
            counts.chats += usize::from(endpoint == Some(Endpoint::Chat));
        });
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    pub(super) fn opened(self: &Arc<Self>) -> OpenConnection {
        self.count(|counts| counts.open += 1);
        OpenConnection(Arc::clone(self))
    }

    /// Reaches a hold and waits until it is released.
    pub(super) async fn hold(&self) {
        self.count(|counts| counts.held += 1);
        // Never closed while the state lives.
        if let Ok(permit) = self.holds.acquire().await {
            permit.forget();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a connection as long as it lives.
pub(super) struct OpenConnection(Arc<State>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.count(|counts| counts.open -= 1);
    }
}

/// Counts a request from its arrival to the end of its answer, and notices when it never gets there.
pub(super) struct Progress {
    state: Arc<State>,
    complete: bool,
}

impl Progress {
    pub(super) fn new(state: &Arc<State>) -> Self {
        state.count(|counts| counts.answering += 1);
        Self { state: Arc::clone(state), complete: false }
    }

    pub(super) fn complete(&mut self) {
        self.complete = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let complete = self.complete;
        self.state.count(|counts| {
            counts.answering -= 1;
            if complete {
                counts.complete += 1;
            } else {
                counts.aborted += 1;
            }
        });
    }
}
