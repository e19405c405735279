//! The sentences that people read when something is wrong: what happened, why, what to do next.

use crate::settings::{ProviderKind, Settings};
use butterfly_api::model::{Cause, ModelError};
use std::time::Duration;

/// The longest quotation from a server, in characters: enough to recognise its complaint.
const QUOTE_LIMIT: usize = 240;

/// What the errors of one request speak of.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub settings: &'a Settings,
    /// Empty for a request that is about no model.
    pub model: &'a str,
    /// The model's context in tokens; 0 where unknown.
    pub limit_tokens: u32,
}

impl About<'_> {
    fn server(&self) -> String {
        server(self.settings)
    }
}

/// The server as people know it.
#[must_use]
pub fn server(settings: &Settings) -> String {
    match settings.provider {
        ProviderKind::Ollama => format!("Ollama at {}", settings.address()),
        ProviderKind::OpenAi => format!("the model server at {}", settings.address()),
        ProviderKind::Builtin => "the built-in responder".to_owned(),
    }
}

/// How the configured server is started.
#[must_use]
pub fn how_to_start(settings: &Settings) -> &'static str {
    match (settings.provider, settings.is_local()) {
        (ProviderKind::Ollama, true) => {
            "start it with `ollama serve` or by opening its app, or install it from https://ollama.com/download"
        }
        (ProviderKind::Ollama, false) => "start Ollama on that machine (`OLLAMA_HOST=0.0.0.0 ollama serve`)",
        (ProviderKind::OpenAi | ProviderKind::Builtin, true) => {
            "start its server (LM Studio: Developer, Start server; llama.cpp: `llama-server`; vLLM: `vllm serve`)"
        }
        (ProviderKind::OpenAi | ProviderKind::Builtin, false) => {
            "start the server there, or correct model.url with `butterfly config set`"
        }
    }
}

pub fn misconfigured(setting: &str, value: &str, what: &str) -> ModelError {
    // A URL may hold a password that somebody put there in good faith.
    let shown = if value.contains('@') { "its value".to_owned() } else { format!("`{}`", quote(value)) };
    let message = format!("{setting} cannot be used as it is: {shown} is not allowed; {what}.");
    ModelError::new(Cause::Misconfigured, message)
}

pub fn unusable(what: &str, next: &str) -> ModelError {
    ModelError::new(Cause::Misconfigured, format!("No request can be made because {what}; {next}."))
}

pub fn not_running(settings: &Settings, why: &str) -> ModelError {
    let message = format!("{} does not answer ({why}); {}.", capital(&server(settings)), how_to_start(settings));
    ModelError::new(Cause::ServerNotRunning, message)
}

/// The server's name leads nowhere.
pub fn not_found(settings: &Settings, why: &str) -> ModelError {
    let message = format!(
        "{} cannot be reached, because {why}; correct model.url with `butterfly config set`, or add the name to /etc/hosts.",
        capital(&server(settings))
    );
    ModelError::new(Cause::ServerNotRunning, message)
}

pub fn missing(settings: &Settings, model: &str) -> ModelError {
    let next = match settings.provider {
        ProviderKind::Ollama => format!("fetch it with `butterfly model pull {model}`"),
        ProviderKind::OpenAi | ProviderKind::Builtin => {
            "load it in that server, or pick one of `butterfly model list`".to_owned()
        }
    };
    let message = format!("{} has no model named {model}; {next}.", capital(&server(settings)));
    ModelError::new(Cause::ModelMissing { model: model.to_owned() }, message)
}

/// The server runs, and nothing that it has makes vectors.
pub fn no_embedding(settings: &Settings, preset: &str) -> ModelError {
    let next = match settings.provider {
        ProviderKind::Ollama => format!("fetch a small one with `butterfly model pull {preset}`"),
        ProviderKind::OpenAi | ProviderKind::Builtin => {
            "load one in that server, and name it with `butterfly config set model.embedding NAME` if it is not found by itself"
                .to_owned()
        }
    };
    let message = format!("{} has no embedding model that is known as one; {next}.", capital(&server(settings)));
    ModelError::new(Cause::ModelMissing { model: preset.to_owned() }, message)
}

/// The server runs, and nothing that it has can hold a conversation.
pub fn none_installed(settings: &Settings, preset: &str) -> ModelError {
    let next = match settings.provider {
        ProviderKind::Ollama => {
            format!("fetch one that fits this computer with `butterfly model pull {preset}`")
        }
        ProviderKind::OpenAi | ProviderKind::Builtin => "load one in that server".to_owned(),
    };
    let message = format!("{} runs but has no model that can chat; {next}.", capital(&server(settings)));
    ModelError::new(Cause::ModelMissing { model: preset.to_owned() }, message)
}

pub fn out_of_memory(about: &About<'_>, detail: &str) -> ModelError {
    let message = format!(
        "{} does not fit into this machine's free memory (the server says: {}); close other programs or use a smaller \
         model with `butterfly model use NAME`.",
        about.model,
        quote(detail)
    );
    ModelError::new(Cause::OutOfMemory, message)
}

pub fn context_exceeded(model: &str, limit_tokens: u32) -> ModelError {
    let limit = if limit_tokens == 0 { "its context".to_owned() } else { format!("the {limit_tokens} tokens") };
    let message = format!(
        "The conversation is longer than {limit} that {model} can take in; start a new conversation, shorten the \
         message, or use a model with a larger context."
    );
    ModelError::new(Cause::ContextExceeded { limit_tokens }, message)
}

pub fn mid_stream(about: &About<'_>, detail: &str) -> ModelError {
    let message = format!(
        "{} broke off the answer with an error ({}); ask again, and look at its log if it repeats.",
        capital(&about.server()),
        quote(detail)
    );
    ModelError::new(Cause::MidStream, message)
}

pub fn truncated(about: &About<'_>) -> ModelError {
    let message = format!(
        "The connection to {} ended before the answer was complete, perhaps because the server stopped; ask again.",
        about.server()
    );
    ModelError::new(Cause::Truncated, message)
}

pub fn not_the_protocol(about: &About<'_>, found: &str) -> ModelError {
    let next = match about.settings.provider {
        ProviderKind::Ollama => {
            "check that model.url is Ollama's address, or set model.provider to openai with `butterfly config set`"
        }
        ProviderKind::OpenAi | ProviderKind::Builtin => {
            "check that model.url ends with the path of its OpenAI-compatible service, usually /v1"
        }
    };
    let message = format!("What answers at {} is not the expected server: {found}; {next}.", about.settings.address());
    ModelError::new(Cause::NotTheProtocol, message)
}

/// What to say of a web page where JSON was expected.
pub const WEB_PAGE: &str = "it sent a web page, as a proxy or the sign-in page of a network does";

/// A server wants a key, and there is no way to one.
pub fn unauthorized(about: &About<'_>, status: u16, why: &str) -> ModelError {
    let message = format!(
        "{} wants a key (status {status}), and keys come with the vault, never from an environment, but {}; see `butterfly \
         status`, or use a server that needs none.",
        capital(&about.server()),
        quote(why)
    );
    ModelError::new(Cause::Unauthorized, message)
}

/// Nobody has set a key, and there is no OS keyring that could have kept one from earlier.
pub fn not_set(name: &str) -> String {
    format!(
        "{name} is not set, and without an OS keyring it lasts until the assistant ends; set it with `butterfly secret set {name}`."
    )
}

/// A server wants a key that nobody has set.
pub fn needs_key(about: &About<'_>, status: u16, name: &str, vault: &str) -> ModelError {
    let why = format!("{} wants a key (status {status}): {}", about.server(), decapital(&quote(vault)));
    let message = format!("{}.", capital(&why));
    ModelError::new(Cause::NeedsSecret { name: name.to_owned(), why }, message)
}

/// A server wants another key than the one that is set, or does not let its owner do this.
pub fn key_refused(about: &About<'_>, status: u16, name: &str) -> ModelError {
    if status == 403 {
        let message = format!(
            "{} does not let the owner of {name} do this (status {status}); use another model with `butterfly model use NAME`, \
             or set another key with `butterfly secret set {name}`.",
            capital(&about.server())
        );
        return ModelError::new(Cause::Unauthorized, message);
    }
    let why = format!("{} refused the {name} that is set (status {status})", about.server());
    let message = format!("{}; set the right one with `butterfly secret set {name}`.", capital(&why));
    ModelError::new(Cause::NeedsSecret { name: name.to_owned(), why }, message)
}

/// Everybody on the way could read the key.
pub fn key_in_the_clear(about: &About<'_>, status: u16) -> ModelError {
    let message = format!(
        "{} wants a key (status {status}), but over http everybody on the way could read it; set model.url to an https \
         address, or to an address of your own network, with `butterfly config set`.",
        capital(&about.server())
    );
    ModelError::new(Cause::Misconfigured, message)
}

pub fn rate_limited(about: &About<'_>, retry_after: Option<Duration>) -> ModelError {
    let next = match retry_after {
        Some(pause) => format!("try again in {} s", pause.as_secs().max(1)),
        None => "try again in a while".to_owned(),
    };
    let message = format!("{} takes no more requests for now (status 429); {next}.", capital(&about.server()));
    let retry_after_ms = retry_after.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    ModelError::new(Cause::RateLimited { retry_after_ms }, message)
}

pub fn server_fault(about: &About<'_>, status: u16, detail: &str) -> ModelError {
    let message = format!(
        "{} has a fault of its own (status {status}{}); try again, and restart it if that does not help.",
        capital(&about.server()),
        said(detail)
    );
    ModelError::new(Cause::ServerFault { status }, message)
}

pub fn rejected(about: &About<'_>, status: u16, detail: &str) -> ModelError {
    let next = match status {
        300..=399 => "set model.url to the address it redirects to with `butterfly config set`",
        _ => "change the request, or use another model with `butterfly model use NAME`",
    };
    let message =
        format!("{} did not accept the request (status {status}{}); {next}.", capital(&about.server()), said(detail));
    ModelError::new(Cause::Rejected { status }, message)
}

pub fn timed_out(about: &About<'_>, what: &str, after: Duration) -> ModelError {
    let message = format!(
        "{} sent {what} for {}; it may be overloaded: try again, use a smaller model, or restart the server.",
        capital(&about.server()),
        seconds(after)
    );
    ModelError::new(Cause::TimedOut, message)
}

pub fn unsupported(what: &str, next: &str) -> ModelError {
    ModelError::new(Cause::Unsupported, format!("{what}; {next}."))
}

pub fn displaced(times: u32) -> ModelError {
    let message = format!(
        "Background work on the model gave way to conversations {times} times and was put off; it is safe to try again \
         later."
    );
    ModelError::new(Cause::Displaced, message)
}

/// A duration for people.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        s @ 1..=119 => format!("{s} s"),
        s => format!("{} min", s / 60),
    }
}

fn said(detail: &str) -> String {
    let quoted = quote(detail);
    if quoted.is_empty() { String::new() } else { format!(": {quoted}") }
}

/// A server's words, made fit for one line: no control characters, no endless text, and no key that it repeats.
#[must_use]
pub fn quote(text: &str) -> String {
    let text = &*butterfly_runtime::redact::redact(text);
    let mut words: String = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > QUOTE_LIMIT {
            return words.chars().take(QUOTE_LIMIT).chain(['…']).collect();
        }
    }
    words.truncate(words.trim_end_matches('.').len());
    words
}

/// For the middle of a sentence. A name that is written in small letters already stays as it is.
fn decapital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_one_short_line() {
        assert_eq!(quote("  no\r\n such\tmodel\u{1b}[31m. "), "no such model [31m");
        let long = quote(&"word ".repeat(400));
        assert!(long.ends_with('…') && long.chars().count() <= QUOTE_LIMIT + 1);
        assert_eq!(quote(&"x".repeat(100_000)).chars().count(), QUOTE_LIMIT + 1);
    }

    #[test]
    fn every_sentence_is_one_and_says_what_to_do() {
        let settings = Settings::default();
        let about = About { settings: &settings, model: "m", limit_tokens: 4096 };
        let all = [
            misconfigured("model.url", "x", "write it as http://host:port"),
            unusable("the CA roots are missing", "install ca-certificates"),
            not_running(&settings, "connection refused"),
            not_found(&settings, "the name box.lan does not exist"),
            missing(&settings, "m"),
            none_installed(&settings, "m"),
            out_of_memory(&about, "model requires more system memory."),
            context_exceeded("m", 4096),
            context_exceeded("m", 0),
            mid_stream(&about, "boom\nboom"),
            truncated(&about),
            not_the_protocol(&about, WEB_PAGE),
            unauthorized(&about, 401, "the vault is stopped."),
            needs_key(
                &about,
                401,
                "openai.api_key",
                "openai.api_key is not set; set it with `butterfly secret set openai.api_key`.",
            ),
            key_refused(&about, 401, "openai.api_key"),
            key_refused(&about, 403, "openai.api_key"),
            key_in_the_clear(&about, 401),
            no_embedding(&settings, "m"),
            rate_limited(&about, None),
            rate_limited(&about, Some(Duration::from_secs(90))),
            server_fault(&about, 500, ""),
            rejected(&about, 400, "bad"),
            rejected(&about, 302, ""),
            timed_out(&about, "nothing", Duration::from_secs(120)),
            unsupported("This server cannot fetch models", "load one there"),
            displaced(8),
        ];
        for error in all {
            let message = &error.message;
            assert!(message.ends_with('.') && !message.contains('\n'), "{message}");
            assert!(!message.trim_end_matches('.').contains(". "), "one sentence: {message}");
            assert!(message.contains(';'), "names a next step: {message}");
            assert!(message.starts_with(|c: char| c.is_uppercase() || c == 'm'), "{message}");
        }
        assert!(missing(&settings, "m").message.contains("`butterfly model pull m`"));
        assert!(not_running(&settings, "refused").message.contains("ollama serve"));
    }
}
