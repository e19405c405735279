//! An instance whose memory is measured: a kernel with all its workers, and vectors from a server that makes them at once.

use crate::first_token::model_server;
use crate::talk::Message;
use anyhow::{Context, bail};
use butterfly_api::Chunk;
use butterfly_api::memory::{Import, Index};
use butterfly_client::{Bus, Next};
use butterfly_kit::harness::{Instance, Which, status};
use jiff::civil::date;
use serde_json::json;
use std::time::Duration;

/// The fake server's model, so that what is measured is ours.
const EMBEDDING: &str = "kit-embed:384";

/// The length of its vectors.
pub const DIMENSIONS: usize = 384;

/// Bytes of one piece of an upload.
const PIECE: usize = 32 << 10;

/// A kernel whose vectors come from the fake server.
pub struct Kept {
    pub kernel: Instance,
    pub bus: Bus,
    _server: crate::sides::Running,
}

impl Kept {
    /// Starts it with this table.
    ///
    /// # Errors
    /// When a program is missing or fails.
    pub async fn start(which: Which, arguments: &[&str]) -> anyhow::Result<Self> {
        let (server, url) = model_server(&["--embedding", EMBEDDING])?;
        let environment = [
            ("BUTTERFLY_MODEL_PROVIDER", "ollama"),
            ("BUTTERFLY_MODEL_URL", url.as_str()),
            ("BUTTERFLY_MODEL_EMBEDDING", EMBEDDING),
            // Facts are taken by rules alone: the fake server has no model that could.
            ("BUTTERFLY_MEMORY_EXTRACT", "false"),
        ];
        let (kernel, bus) = Instance::start(which, arguments, &environment).await?;
        Ok(Self { kernel, bus, _server: server })
    }

    /// Takes in a file of lines.
    ///
    /// # Errors
    /// When one of them is refused, or the worker fails.
    pub async fn import(&self, lines: &[u8]) -> anyhow::Result<()> {
        let mut upload = self.bus.upload::<Import>(&()).await?;
        for piece in lines.chunks(PIECE) {
            upload.send(&Chunk { bytes: piece.to_vec() }).await?;
        }
        let report = upload.finish().await?;
        if report.refused_count > 0 {
            bail!("{} lines were refused: {:?}", report.refused_count, report.refused);
        }
        Ok(())
    }

    /// Waits until every passage has its vector.
    ///
    /// # Errors
    /// When one is missing.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let mut progress = self.bus.stream::<Index>(&()).await?;
        loop {
            match progress.next().await? {
                Next::Item(_) => {}
                Next::End(indexed) => match indexed.degraded {
                    None => return Ok(()),
                    Some(why) => bail!("vectors are missing: {why}"),
                },
            }
        }
    }

    /// Resident memory of the memory worker in MiB.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub async fn resident(&self) -> anyhow::Result<f64> {
        let status = status(&self.bus).await?;
        let memory = status.workers.iter().find(|worker| worker.name == "memory").context("memory is not there")?;
        Ok(memory.rss_bytes as f64 / f64::from(1 << 20))
    }
}

/// A message as a line of an import.
#[must_use]
pub fn line(message: &Message) -> String {
    let at = message.at_unix_ms / 1000;
    let object = json!({
        "id": message.id, "conversation": message.conversation, "speaker": message.speaker, "text": message.text,
        "at": rfc3339(at),
    });
    format!("{object}\n")
}

/// Unix seconds as RFC 3339 in UTC.
fn rfc3339(at: u64) -> String {
    date(1970, 1, 1).at(0, 0, 0, 0).saturating_add(Duration::from_secs(at)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_rfc_3339() {
        assert_eq!(rfc3339(1_704_067_200), "2024-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
