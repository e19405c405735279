//! The model worker: language models behind one service, whatever serves them.
//!
//! It speaks Ollama's native protocol, OpenAI's protocol (LM Studio, llama.cpp, vLLM) and, where there is no model, has a
//! built-in responder that says so. It is *not* a model runner, it keeps no conversation, and it decides nothing about
//! tools: it passes on what the model asks for.
//!
//! Invariants:
//! - It holds no user data: what a request brings is gone when the request ends.
//! - It connects to the configured server only, by TCP; names are resolved over TCP, redirects are not followed, and
//!   nothing (proxy, certificate, key) is taken from the environment.
//! - A key comes from the vault, when a server asked for one; it is sent to that server alone, never readable across a network,
//!   and stands in no log, error or debug representation.
//! - A call that is dropped closes its connection at once, wherever it stands: a model stops generating only then.
//! - A request is made again only while nothing of its answer has come.
//! - A waiting person comes before background work, which gives way and begins anew.
//! - Every failure is one sentence for people, and a cause for programs.

mod answerer;
mod choose;
mod context;
mod conversation;
mod embedding;
mod gate;
mod http;
mod keys;
mod live;
mod moment;
mod ollama;
mod openai;
pub mod presets;
mod provider;
mod request;
mod responder;
mod retry;
mod sentence;
pub mod settings;
mod sink;
pub mod timeouts;
mod trouble;
mod worker;

pub use settings::Settings;
pub use timeouts::Timeouts;
pub use worker::ModelWorker;
