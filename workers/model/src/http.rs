//! Requests to the model server: one client, built at the first request, and how its failures become sentences.
//!
//! A future of this module that is dropped closes its connection. Nothing here reads the environment: no proxies, no
//! certificates, no keys. Redirects are not followed: the address that was configured is the one that was granted.

mod failure;
mod lines;
mod names;
mod roots;

pub use failure::{Complaint, classify};
pub use lines::{LINE_LIMIT, Lines, Stop};

use crate::keys::{Keys, NoKey};
use crate::retry::{Pause, Retries};
use crate::sentence::{self, About};
use crate::settings::Settings;
use crate::timeouts::Timeouts;
use crate::trouble::{Again, Trouble};
use butterfly_api::secret::Secret;
use hyper::body::Bytes;
use names::Names;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// The largest JSON answer that is held whole: 64 vectors of 4,096 numbers, as text, are 4 MB.
const WHOLE_LIMIT: usize = 16 << 20;

/// The most of an error's body that is read: a sentence, or the beginning of a web page.
const COMPLAINT_LIMIT: usize = 64 << 10;

/// The time that a server has to finish the body of an error.
const COMPLAINT_WAIT: Duration = Duration::from_secs(5);

/// The way to the configured server.
pub struct Http {
    settings: Arc<Settings>,
    timeouts: Arc<Timeouts>,
    keys: Arc<Keys>,
    client: OnceLock<Client>,
    /// Where the roots of trust are looked for.
    bundles: Vec<PathBuf>,
}

impl Http {
    #[must_use]
    pub fn new(settings: Arc<Settings>, timeouts: Arc<Timeouts>, keys: Arc<Keys>) -> Self {
        let bundles = roots::BUNDLES.map(PathBuf::from).into();
        Self { settings, timeouts, keys, client: OnceLock::new(), bundles }
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    #[must_use]
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// What the errors of a request speak of.
    #[must_use]
    pub fn about<'a>(&'a self, model: &'a str, limit_tokens: u32) -> About<'a> {
        About { settings: &self.settings, model, limit_tokens }
    }

    /// Asks a small question; the answer must be whole within `limit`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, limit: Duration) -> Result<T, Trouble> {
        let about = self.about("", 0);
        self.whole(&about, limit, self.exchange(&about, Method::GET, path, None)).await
    }

    /// Asks a question with a body; the answer must be whole within `limit`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        about: &About<'_>,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, Trouble> {
        let body = encode(body)?;
        self.whole(about, limit, self.exchange(about, Method::POST, path, Some(body))).await
    }

    /// As [`Self::post`], and asks again after a fault that may pass. For work that may take as long as loading a model.
    pub async fn post_patiently<T: DeserializeOwned>(
        &self,
        about: &About<'_>,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        let mut retries = Retries::new(&self.timeouts);
        loop {
            let trouble = match self.post(about, path, body, self.timeouts.first_token).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => trouble,
            };
            match retries.after(&trouble, false) {
                Some(Pause::Own(pause) | Pause::Asked(pause)) => tokio::time::sleep(pause).await,
                None => return Err(trouble),
            }
        }
    }

    /// Makes a request whose answer is read line by line. Resolves with the answer's head.
    pub async fn open(&self, about: &About<'_>, path: &str, body: Vec<u8>) -> Result<Lines, Trouble> {
        Ok(Lines::new(self.exchange(about, Method::POST, path, Some(body)).await?))
    }

    async fn whole<T: DeserializeOwned>(
        &self,
        about: &About<'_>,
        limit: Duration,
        exchange: impl Future<Output = Result<Response, Trouble>>,
    ) -> Result<T, Trouble> {
        let work = async {
            let mut response = exchange.await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::from(sentence::truncated(about)))? {
                if body.len() + chunk.len() > WHOLE_LIMIT {
                    return Err(sentence::not_the_protocol(about, "its answer is larger than 16 MiB").into());
                }
                body.extend_from_slice(&chunk);
            }
            serde_json::from_slice(&body).map_err(|_| failure::not_json(about, &body).into())
        };
        match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => Err(sentence::timed_out(about, "no complete answer", limit).into()),
        }
    }

    /// Sends one request, with a key where the server wants one, and reads the answer's head; an error status has become a
    /// sentence.
    async fn exchange(
        &self,
        about: &About<'_>,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Trouble> {
        let body = body.map(Bytes::from);
        let name = self.settings.provider.key_name();
        let sent = name.and_then(|name| self.keys.known(name));
        let mut response = self.send(about, &method, path, body.clone(), sent.as_ref()).await?;
        if let Some(name) = name
            && wants_key(response.status())
        {
            let key = self.key(about, response.status().as_u16(), name, sent.as_ref()).await?;
            response = self.send(about, &method, path, body, Some(&key)).await?;
            if wants_key(response.status()) {
                return Err(sentence::key_refused(about, response.status().as_u16(), name).into());
            }
        }
        let page = is_web_page(&response);
        let status = response.status();
        if status.is_success() {
            return if page { Err(sentence::not_the_protocol(about, sentence::WEB_PAGE).into()) } else { Ok(response) };
        }
        let retry_after = (status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error())
            .then(|| response.headers().get(RETRY_AFTER))
            .flatten()
            .and_then(|value| failure::retry_after(value.to_str().ok()?, SystemTime::now()));
        let body = if page { Vec::new() } else { read_complaint(response).await };
        Err(failure::refused(about, status.as_u16(), page, retry_after, &body))
    }

    /// The key that a server wants; another one than was sent, because that one was refused.
    async fn key(
        &self,
        about: &About<'_>,
        status: u16,
        name: &'static str,
        sent: Option<&Secret>,
    ) -> Result<Secret, Trouble> {
        if !self.settings.hides_what_it_sends() {
            return Err(sentence::key_in_the_clear(about, status).into());
        }
        match self.keys.ask(name).await {
            Ok(key) if sent.is_some_and(|sent| sent.expose() == key.expose()) => {
                Err(sentence::key_refused(about, status, name).into())
            }
            Ok(key) => Ok(key),
            Err(NoKey::NotSet(why)) => Err(sentence::needs_key(about, status, name, &why).into()),
            Err(NoKey::NoVault(why)) => Err(sentence::unauthorized(about, status, &why).into()),
        }
    }

    async fn send(
        &self,
        about: &About<'_>,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
        key: Option<&Secret>,
    ) -> Result<Response, Trouble> {
        let mut request = self.client()?.request(method.clone(), self.url(path));
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, bearer(key)?);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        }
        request.send().await.map_err(|fault| failure::no_answer(about, &fault))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.settings.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    fn client(&self) -> Result<&Client, Trouble> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let secure = self.settings.url.scheme() == "https";
        let bundles: Vec<_> = self.bundles.iter().map(PathBuf::as_path).collect();
        let built = Client::builder()
            .tls_backend_preconfigured(roots::tls(secure, &bundles)?)
            .dns_resolver(Arc::new(Names::of_the_system()))
            .connect_timeout(self.timeouts.connect)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .user_agent(concat!("butterfly/", env!("CARGO_PKG_VERSION")))
            // On this machine a new connection costs a tenth of a millisecond, and can never be one that the server
            // has just closed. Through TLS it costs round trips.
            .pool_max_idle_per_host(usize::from(secure))
            .tcp_nodelay(true)
            .build()
            .map_err(|fault| sentence::unusable(&fault.to_string(), "correct model.url"))?;
        Ok(self.client.get_or_init(|| built))
    }
}

/// The body of a request.
pub fn encode(body: &impl Serialize) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(body).map_err(|fault| Trouble::argument(format!("the request is no JSON: {fault}")))
}

/// RFC 6750, 2.1. Marked, so that nothing that prints headers prints it.
fn bearer(key: &Secret) -> Result<HeaderValue, Trouble> {
    let text = Zeroizing::new(format!("Bearer {}", key.expose()));
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| sentence::unusable("the key that is set cannot stand in a request", "set it again"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn wants_key(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn is_web_page(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}

async fn read_complaint(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    // Whatever has arrived when time or size runs out must do: it only adds a quotation to a sentence.
    let _ = tokio::time::timeout(COMPLAINT_WAIT, async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= COMPLAINT_LIMIT {
                break;
            }
        }
    })
    .await;
    body
}

/// The server closed the connection, or it broke, before the answer was whole.
fn broken(about: &About<'_>) -> Trouble {
    Trouble::from(sentence::truncated(about)).again(Again::Backoff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Cause;
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;

    /// An https server on loopback with a certificate of its own making; gives its port and the certificate.
    async fn secure_server() -> (u16, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust us hangs up here.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        (port, made.cert.pem())
    }

    fn client(port: u16, bundle: &std::path::Path) -> Http {
        let overrides = [("MODEL_URL".to_owned(), format!("https://localhost:{port}"))];
        let settings = Settings::from_overrides(&overrides).unwrap();
        let bundles = vec!["/nonexistent/first.pem".into(), bundle.to_owned()];
        Http { bundles, ..Http::new(Arc::new(settings), Arc::default(), Arc::default()) }
    }

    #[tokio::test]
    async fn https_works_with_a_trusted_server_and_with_no_other() {
        let (port, certificate) = secure_server().await;
        let folder = tempfile::tempdir().unwrap();
        let trusted = folder.path().join("trusted.pem");
        std::fs::write(&trusted, certificate).unwrap();
        let limit = Duration::from_secs(20);
        let reply: Value = client(port, &trusted).get("/api/version", limit).await.unwrap();
        assert_eq!(reply, serde_json::json!({}));

        let strange = folder.path().join("strange.pem");
        let (_, other) = secure_server().await;
        std::fs::write(&strange, other).unwrap();
        let trouble = client(port, &strange).get::<Value>("/api/version", limit).await.unwrap_err();
        let error = trouble.model_error().unwrap();
        assert_eq!(error.cause, Cause::NotTheProtocol);
        assert!(error.message.contains("trusted TLS connection"), "{}", error.message);
    }
}
