//! Asking memory what a turn's prompt should hold. It is a help, never a condition: whatever goes wrong, the turn goes on.

use crate::settings::Settings;
use crate::turn::OpenTurn;
use butterfly_api::memory::{Found, Recall, RecallRequest, Recalled, Shown};
use butterfly_client::Bus;
use std::time::Duration;

/// Time for memory to find something. A person waits meanwhile; an embedding model that has to be loaded first takes
/// longer, and words alone must do then.
const PATIENCE: Duration = Duration::from_secs(4);

/// Bytes of the words that are searched for: what a person asks stands at the front, and a file that was quoted below
/// it is no question.
const QUERY_BYTES: usize = 8 << 10;

/// The context that a model is taken to have until it says so, in tokens: what servers give at least.
const UNKNOWN_CONTEXT: u32 = 4096;

/// Of the context, recalled items get this part at most: the conversation and the answer need the rest.
const SHARE_OF_CONTEXT: u32 = 4;

/// What became of recall.
#[derive(Debug, Default)]
pub(crate) struct Recollection {
    /// Best first.
    pub(crate) items: Vec<Found>,
    /// What the person should know.
    pub(crate) notice: Option<String>,
    enabled: bool,
    degraded: Option<String>,
}

impl Recollection {
    /// With what became of recall filled in.
    pub(crate) fn shown(&self, shown: Shown) -> Shown {
        Shown { degraded: self.degraded.clone(), memory_enabled: self.enabled, ..shown }
    }

    fn failed(why: String) -> Self {
        let notice = format!("Memory was not searched for this answer: {}.", why.trim_end_matches('.'));
        Self { items: Vec::new(), notice: Some(notice), enabled: true, degraded: Some(why) }
    }
}

/// Asks memory. `context` is the model's, in tokens, or 0; `shown_from` the oldest turn that the prompt holds.
pub(crate) async fn ask(
    bus: &Bus,
    turn: &OpenTurn,
    settings: &Settings,
    context: u32,
    shown_from: u64,
) -> Recollection {
    if !settings.memory_enabled {
        return Recollection::default();
    }
    let request = RecallRequest {
        turn: turn.id,
        query: turn.user[..turn.user.floor_char_boundary(QUERY_BYTES)].to_owned(),
        budget_tokens: budget(settings.recall_tokens, context),
        shown_from,
    };
    match tokio::time::timeout(PATIENCE, bus.call::<Recall>(&request)).await {
        Ok(Ok(Recalled { items, enabled, degraded })) => Recollection { items, notice: None, enabled, degraded },
        Ok(Err(failure)) => {
            tracing::warn!(turn = turn.id, code = failure.code.name(), "memory could not be searched");
            Recollection::failed(failure.message)
        }
        Err(_) => {
            tracing::warn!(turn = turn.id, "memory was not searched in time");
            Recollection::failed(format!("it took longer than {} s", PATIENCE.as_secs()))
        }
    }
}

fn budget(wanted: u32, context: u32) -> u32 {
    let context = if context == 0 { UNKNOWN_CONTEXT } else { context };
    wanted.min(context / SHARE_OF_CONTEXT)
}

#[cfg(test)]
mod tests {
    use super::budget;

    #[test]
    fn small_contexts_bound_what_is_recalled() {
        assert_eq!(budget(1024, 512), 128);
        assert_eq!(budget(1024, 32_768), 1024);
        assert_eq!(budget(5000, 0), 1024);
    }
}
