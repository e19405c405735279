//! A model server that plays its part: Ollama 0.33 under `/api`, OpenAI's protocol under `/v1`, over real HTTP on loopback.
//!
//! It is faithful in what a client can see (when headers come, which fields a line has, what an error looks like) and
//! does what it is told: each request takes the next scenario of its endpoint's queue, else the one that stands for the
//! model, else the standing one. It is *not* a model: it says what the scenario says.
//!
//! It records every request, counts connections, and knows when a client closed one before the answer was complete. All
//! of that can be awaited, so that a test need not sleep.

mod answer;
mod api;
mod library;
mod scenario;
mod state;
mod v1;
mod vectors;

pub use library::Installed;
pub use scenario::{Ending, Load, Play, Scenario, Step};
pub use state::{Counts, Endpoint, Recorded};

use answer::Protocol;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use state::State;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A server that runs until it is dropped. Must be made inside a tokio runtime.
pub struct ModelServer {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl ModelServer {
    /// Starts a server on a free loopback port, with nothing installed.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts a server on this loopback port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, task })
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ollama's address: the base of `/api`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base of OpenAI's protocol.
    #[must_use]
    pub fn v1_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Knows `/v1` alone, as LM Studio, vLLM and llama.cpp do.
    pub fn only_v1(&self) {
        self.state.speak(Some(Protocol::OpenAi));
    }

    /// Knows `/api` alone, as a proxy in front of Ollama may.
    pub fn only_api(&self) {
        self.state.speak(Some(Protocol::Ollama));
    }

    /// Answers only requests with this API key; `None` lets everybody in.
    pub fn want_key(&self, key: Option<&str>) {
        self.state.want_key(key);
    }

    /// Puts a model on the server's disk.
    pub fn install(&self, model: Installed) {
        self.state.library().install(model);
    }

    pub fn uninstall(&self, name: &str) {
        self.state.library().uninstall(name);
    }

    /// Loads a model with this context, as if somebody had used it.
    pub fn load(&self, name: &str, context: u32) {
        self.state.library().load(name, context);
    }

    /// The next request of this endpoint plays this; several are played in order.
    pub fn next(&self, endpoint: Endpoint, scenario: Scenario) {
        self.state.queue(endpoint, scenario);
    }

    /// Every request of this endpoint plays this, unless a next one is queued.
    pub fn always(&self, endpoint: Endpoint, scenario: Scenario) {
        self.state.stand(endpoint, None, scenario);
    }

    /// Every request that names this model plays this, unless a next one is queued.
    pub fn for_model(&self, endpoint: Endpoint, model: &str, scenario: Scenario) {
        self.state.stand(endpoint, Some(model.to_owned()), scenario);
    }

    /// Lets as many [`Step::Hold`] and [`Load::Held`] go on, in the order in which they were reached.
    pub fn release(&self, count: usize) {
        self.state.holds.add_permits(count);
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.recorded().clone()
    }

    /// The requests of one endpoint so far.
    #[must_use]
    pub fn requests_of(&self, endpoint: Endpoint) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| request.endpoint == Some(endpoint)).collect()
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.state.counts.borrow()
    }

    /// Waits until the counts are as wanted.
    pub async fn until(&self, wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.state.counts.subscribe();
        match counts.wait_for(wanted).await {
            Ok(counts) => *counts,
            // The sender is in `self.state` and lives as long as `self`.
            Err(_) => self.counts(),
        }
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until it is aborted; the connections go with it.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&state)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _open = state.opened();
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: hyper::Request<Incoming>| answer::answer(request, Arc::clone(&state)));
    // A connection that ends in an error was cut by one of the two sides, which is what scenarios are about.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
