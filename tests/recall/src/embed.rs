//! Vectors: from a real embedding server, or from a stand-in that only exercises the code.

use anyhow::{Context, Result, bail};
use butterfly_recall::words::words;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Texts of one request.
const BATCH: usize = 32;

/// A server that loads its model first.
const PATIENCE: Duration = Duration::from_secs(300);

/// What makes vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Embedder {
    /// A server with Ollama's `/api/embed`, as `host:port`, and the model's name.
    Server { address: String, model: String },
    /// Words hashed into a vector: it knows nothing of meaning. Its figures say nothing.
    StandIn,
}

impl Embedder {
    /// A server by its URL, such as `http://127.0.0.1:11434`.
    ///
    /// # Errors
    /// What is no such URL.
    pub fn server(url: &str, model: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url} does not begin with http://"))?;
        let address = rest.trim_end_matches('/').to_owned();
        if address.contains('/') || !address.contains(':') {
            bail!("{url} is not http://HOST:PORT");
        }
        Ok(Self::Server { address, model: model.to_owned() })
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::Server { model, .. } => model,
            Self::StandIn => "stand-in",
        }
    }

    /// One vector of length 1 for each text.
    ///
    /// # Errors
    /// The server's.
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            match self {
                Self::Server { address, model } => vectors.extend(ask(address, model, batch)?),
                Self::StandIn => vectors.extend(batch.iter().map(|text| stand_in(text))),
            }
        }
        if vectors.len() != texts.len() {
            bail!("the server gave {} vectors for {} texts", vectors.len(), texts.len());
        }
        Ok(vectors.into_iter().map(unit).collect())
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.into_iter().map(|value| value / length).collect()
}

fn ask(address: &str, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>> {
    let body = json!({ "model": model, "input": texts }).to_string();
    let mut stream = TcpStream::connect(address).with_context(|| format!("no server at {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "POST /api/embed HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the server's answer has no end of its head")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!("{address} refused: {body}");
    }
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        bail!(
            "{address} answers in chunks, which this program does not read; put an embedding server with Content-Length there"
        );
    }
    let value: Value = serde_json::from_str(body)?;
    let rows = value["embeddings"].as_array().context("the answer has no embeddings")?;
    let number = |value: &Value| value.as_f64().map(|value| value as f32).context("a vector holds what is no number");
    rows.iter().map(|row| row.as_array().context("a vector is no list")?.iter().map(number).collect()).collect()
}

/// Each word turns one coordinate up or down (FNV-1a).
fn stand_in(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; 256];
    for word in words(text) {
        let hash = word
            .folded
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        vector[(hash % 256) as usize] += if hash & (1 << 40) == 0 { 1.0 } else { -1.0 };
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_in_gives_the_same_vector_of_length_one_for_the_same_words() {
        let vectors = Embedder::StandIn.embed(&["A b c".to_owned(), "a, B. C".to_owned(), "d".to_owned()]).unwrap();
        assert_eq!(vectors[0], vectors[1]);
        assert_ne!(vectors[0], vectors[2]);
        let length: f32 = vectors[0].iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5);
    }

    #[test]
    fn url_without_host_and_port_is_refused() {
        assert!(Embedder::server("https://127.0.0.1:1", "m").is_err());
        assert!(Embedder::server("http://127.0.0.1:1/api", "m").is_err());
        assert!(Embedder::server("http://127.0.0.1:1/", "m").is_ok());
    }
}
