//! From what went wrong on the way to what people read.

use super::names::NameFault;
use crate::sentence::{self, About, WEB_PAGE};
use crate::trouble::{Again, Trouble};
use butterfly_api::model::ModelError;
use reqwest::Error;
use serde::Deserialize;
use serde_json::Value;
use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

/// What a server says when it cannot: the shapes of Ollama, OpenAI, llama.cpp, LM Studio and vLLM.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    pub text: String,
    /// The context's length, where the server names it.
    pub limit_tokens: u32,
}

impl Complaint {
    /// Reads the complaint out of a JSON body or line; `None` where there is none.
    pub fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: Option<Value>,
            message: Option<Value>,
            detail: Option<Value>,
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        body.error.or(body.message).or(body.detail).filter(|found| !found.is_null()).map(|found| Self::of(&found))
    }

    /// The complaint in the value of an `error` field.
    pub fn of(found: &Value) -> Self {
        let text = ["message", "error", "code", "type"].iter().find_map(|name| found.get(name)?.as_str());
        let text = text.or(found.as_str()).map_or_else(|| found.to_string(), str::to_owned);
        let limit = found.get("n_ctx").and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
        Self { text, limit_tokens: limit.unwrap_or_default() }
    }
}

/// What a complaint is about, where its words tell; `None` for anything else. Out of memory first: such a message may
/// mention the context as well.
pub fn classify(about: &About<'_>, complaint: &Complaint) -> Option<ModelError> {
    let text = complaint.text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if any(&[
        "out of memory",
        "more system memory",
        "cudamalloc failed",
        "failed to allocate",
        "insufficient memory",
        "not enough memory",
        "unable to allocate",
        "insufficient system resources",
    ]) {
        return Some(sentence::out_of_memory(about, &complaint.text));
    }
    if any(&[
        "exceeds the context",
        "exceeds the available context",
        "exceed_context",
        "maximum context length",
        "context length exceeded",
        "context_length_exceeded",
        "context size has been exceeded",
        "context window",
        "context the overflows",
        "exceeds context length",
        "greater than the context length",
    ]) {
        let limit = [complaint.limit_tokens, number_in(&text), about.limit_tokens].into_iter().find(|limit| *limit > 0);
        return Some(sentence::context_exceeded(about.model, limit.unwrap_or_default()));
    }
    let names_model = text.contains("model");
    if names_model && any(&["not found", "does not exist", "no such model", "try pulling", "no models loaded"]) {
        return Some(sentence::missing(about.settings, about.model));
    }
    None
}

/// The number in "maximum context length is 4096 tokens".
fn number_in(text: &str) -> u32 {
    let Some(at) = text.find("context length is ") else { return 0 };
    let digits = text[at + "context length is ".len()..].chars().take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap_or_default()
}

/// An answer with an error status.
pub fn refused(about: &About<'_>, status: u16, page: bool, retry_after: Option<Duration>, body: &[u8]) -> Trouble {
    let complaint = Complaint::parse(body);
    match status {
        401 | 403 => return sentence::unauthorized(about, status, "this provider has no key").into(),
        429 => {
            let again = Again::After(retry_after.unwrap_or(Duration::from_secs(1)));
            return Trouble::from(sentence::rate_limited(about, retry_after)).again(again);
        }
        _ => {}
    }
    if let Some(error) = complaint.as_ref().and_then(|complaint| classify(about, complaint)) {
        return error.into();
    }
    // A gateway's page in front of a server that is down is a server's fault; any other page is a stranger's.
    if status < 500 && (page || complaint.is_none() && looks_like_a_page(body)) {
        return sentence::not_the_protocol(about, WEB_PAGE).into();
    }
    let text = complaint.map(|complaint| complaint.text).unwrap_or_default();
    match status {
        511 => sentence::not_the_protocol(about, WEB_PAGE).into(),
        500..=599 => {
            let again = retry_after.map_or(Again::Backoff, Again::After);
            Trouble::from(sentence::server_fault(about, status, &text)).again(again)
        }
        404 | 405 if text.is_empty() => {
            sentence::not_the_protocol(about, &format!("it does not know the path (status {status})")).into()
        }
        _ => sentence::rejected(about, status, &text).into(),
    }
}

/// A body that should have been JSON.
pub fn not_json(about: &About<'_>, body: &[u8]) -> ModelError {
    let found = if looks_like_a_page(body) { WEB_PAGE } else { "its answer is not the JSON of this protocol" };
    sentence::not_the_protocol(about, found)
}

fn looks_like_a_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// No answer came at all.
pub fn no_answer(about: &About<'_>, fault: &Error) -> Trouble {
    let settings = about.settings;
    if let Some(fault) = cause::<NameFault>(fault) {
        return sentence::not_found(settings, &fault.to_string()).into();
    }
    if let Some(fault) = cause::<rustls::Error>(fault) {
        let found = format!("a trusted TLS connection cannot be made ({fault})");
        return sentence::not_the_protocol(about, &found).into();
    }
    if fault.is_connect() {
        let kind = cause::<std::io::Error>(fault).map(std::io::Error::kind);
        return match kind {
            Some(ErrorKind::PermissionDenied) => sentence::unusable(
                &format!("this worker was not granted a connection to {}", settings.address()),
                "restart with `butterfly down` and `butterfly up`, so that the configured address is granted",
            ),
            Some(ErrorKind::ConnectionRefused) => sentence::not_running(settings, "nothing listens there"),
            Some(_) | None if fault.is_timeout() => sentence::not_running(settings, "no connection in time"),
            Some(_) | None => sentence::not_running(settings, "no connection could be made"),
        }
        .into();
    }
    if cause::<hyper::Error>(fault).is_some_and(hyper::Error::is_parse) {
        return sentence::not_the_protocol(about, "it does not speak HTTP").into();
    }
    super::broken(about)
}

/// The first error of a type among an error's causes.
fn cause<T: StdError + 'static>(fault: &Error) -> Option<&T> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(fault);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An io::Error shows what it wraps through get_ref, and skips it in source().
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// A Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). A date that has passed means now.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use butterfly_api::model::Cause;

    fn cause_of(status: u16, body: &str) -> Cause {
        let settings = Settings::default();
        let about = About { settings: &settings, model: "m", limit_tokens: 8192 };
        let trouble = refused(&about, status, false, None, body.as_bytes());
        trouble.model_error().unwrap().cause.clone()
    }

    #[test]
    fn servers_complaints_are_understood() {
        let missing = Cause::ModelMissing { model: "m".to_owned() };
        let exceeded = |limit_tokens| Cause::ContextExceeded { limit_tokens };
        for (status, body, expected) in [
            (404, r#"{"error":"model 'm' not found"}"#, missing.clone()),
            (404, r#"{"error":{"message":"The model `m` does not exist.","code":"model_not_found"}}"#, missing.clone()),
            (404, r#"{"object":"error","message":"The model `m` does not exist."}"#, missing),
            (
                500,
                r#"{"error":"model requires more system memory (12.0 GiB) than is available (5.1 GiB)"}"#,
                Cause::OutOfMemory,
            ),
            (
                500,
                r#"{"error":"llama runner process has terminated: cudaMalloc failed: out of memory"}"#,
                Cause::OutOfMemory,
            ),
            (400, r#"{"error":"the input length exceeds the context length"}"#, exceeded(8192)),
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000"}}"#,
                exceeded(4096),
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_ctx":2048}}"#,
                exceeded(2048),
            ),
            (400, r#"{"error":"m does not support tools"}"#, Cause::Rejected { status: 400 }),
            (401, "", Cause::Unauthorized),
            (403, "<html>", Cause::Unauthorized),
            (404, "404 page not found", Cause::NotTheProtocol),
            (404, "<!doctype html>", Cause::NotTheProtocol),
            (429, "", Cause::RateLimited { retry_after_ms: None }),
            (302, "", Cause::Rejected { status: 302 }),
            (500, "", Cause::ServerFault { status: 500 }),
            (502, "<html>bad gateway", Cause::ServerFault { status: 502 }),
            (511, "<html>", Cause::NotTheProtocol),
        ] {
            assert_eq!(cause_of(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
