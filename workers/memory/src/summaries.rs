//! Summaries: older turns of a long conversation, summed up in the background before they no longer fit.
//!
//! The transcript stays whole; a summary only stands for it in the prompt. It is made once for each stretch of turns and
//! goes on from the one before. It does *not* decide what the model is shown: the agent loop does.
//!
//! Invariants:
//! - The last turn, and what is still being said, is never summed up.
//! - A failure changes nothing: the same turns are tried again later.
//! - Without a language model, or with `memory.enabled` off, nothing happens.

mod plan;
mod question;

use crate::config::Config;
use crate::core::{Core, lull};
use crate::extraction::asking::{self, Unanswered};
use crate::extraction::sleep_until;
use butterfly_store::facts::now_ms;
use butterfly_store::summaries::{self, NewSummary};
use butterfly_wire::Failure;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// `memory.enabled`.
const ENABLED: &str = "memory.enabled";
/// The share of the model's context from which on older turns are summed up.
const SUMMARISE_AT: &str = "memory.summarise_at";

/// Conversations that are looked at in one round, those that were spoken in last.
const CONVERSATIONS: i64 = 20;
/// The first pause after a failure; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// Attempts after which a summary is asked for as plain text: some models cannot keep to a form.
const FORMAL_ATTEMPTS: u32 = 2;

/// The background job.
pub struct Summaries {
    core: Arc<Core>,
    config: Arc<Config>,
}

/// A conversation that could not be summed up.
struct Trouble {
    attempts: u32,
    again: Instant,
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Everything fits, or nothing may be summed up.
    Nothing,
    /// A summary was kept: its id.
    Kept(i64),
}

impl Summaries {
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>) -> Arc<Self> {
        Arc::new(Self { core, config })
    }

    /// Sums up what no longer fits, whenever something was stored. It never ends.
    pub async fn run(self: Arc<Self>) {
        let mut stored = self.core.watch();
        let mut changed = self.config.watch();
        let mut since = 0;
        let mut troubles: HashMap<i64, Trouble> = HashMap::new();
        loop {
            stored.borrow_and_update();
            changed.borrow_and_update();
            let due = match self.core.read(move |db| summaries::changed(db, since, CONVERSATIONS)).await {
                Ok(due) => due,
                Err(failure) => {
                    tracing::warn!("conversations could not be looked at for summaries: {failure}");
                    Vec::new()
                }
            };
            let now = Instant::now();
            let mut waiting: Vec<i64> = troubles
                .iter()
                .filter(|(_, trouble)| trouble.again <= now)
                .map(|(conversation, _)| *conversation)
                .collect();
            for (conversation, updated_ms) in due {
                // The same instant is looked at again: two changes may share it.
                since = since.max(updated_ms);
                if !troubles.contains_key(&conversation) && !waiting.contains(&conversation) {
                    waiting.push(conversation);
                }
            }
            for conversation in waiting {
                let attempts = troubles.remove(&conversation).map_or(0, |trouble| trouble.attempts);
                if let Err(why) = self.sum_up_all(conversation, attempts).await {
                    tracing::debug!(conversation, "it could not be summed up: {why}");
                    let pause = FIRST_PAUSE.saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE);
                    troubles.insert(conversation, Trouble { attempts: attempts + 1, again: Instant::now() + pause });
                }
            }
            let next = troubles.values().map(|trouble| trouble.again).min();
            tokio::select! {
                _ = stored.changed() => lull(&mut stored).await,
                // Another model, or another share of its context.
                _ = changed.changed() => {
                    troubles.clear();
                    since = 0;
                }
                () = sleep_until(next) => {}
            }
        }
    }

    async fn sum_up_all(&self, conversation: i64, attempts: u32) -> Result<(), Unanswered> {
        while let Done::Kept(summary) = self.sum_up(conversation, attempts).await? {
            tracing::info!(conversation, summary, "older turns were summed up");
        }
        Ok(())
    }

    /// Sums up the oldest turns that no summary stands for yet, if the branch has outgrown its share of the context.
    ///
    /// # Errors
    /// Why there is no summary although one is due.
    pub async fn sum_up(&self, conversation: i64, attempts: u32) -> Result<Done, Unanswered> {
        let failed = |failure: Failure| Unanswered::NotNow(failure.message);
        let progress = self.core.read(move |db| summaries::progress(db, conversation)).await.map_err(failed)?;
        let profile = progress.profile.as_deref();
        if !self.config.flag_in(profile, ENABLED) {
            return Ok(Done::Nothing);
        }
        let Some(plan) = plan::plan(&progress, self.config.number_in(profile, SUMMARISE_AT)) else {
            return Ok(Done::Nothing);
        };
        let Some(bus) = self.core.bus() else { return Err(Unanswered::NotNow("there is no bus yet".to_owned())) };
        let ids = plan.messages.clone();
        let said = self.core.read(move |db| summaries::texts(db, &ids)).await.map_err(failed)?;
        let formal = attempts < FORMAL_ATTEMPTS;
        let before = progress.summary.as_ref();
        let asked = question::question(before.map(|summary| summary.text.as_str()), &said, &plan, formal);
        let answered = asking::ask(&bus, asked).await?;
        let summed = question::read(&answered.text, formal)
            .map_err(|why| Unanswered::Failed(format!("the summary is no use: {why}")))?;
        let new = NewSummary {
            conversation,
            text: summed.summary,
            tags: summed.tags,
            previous: before.map(|summary| i64::try_from(summary.id).unwrap_or(i64::MAX)),
            messages: plan.messages,
            model: answered.model,
        };
        let kept = self.core.write(move |db| summaries::keep(db, &new, now_ms())).await.map_err(failed)?;
        // Something was forgotten meanwhile: the next look sees what is left.
        kept.map(Done::Kept).ok_or_else(|| Unanswered::NotNow("what it sums up was forgotten meanwhile".to_owned()))
    }
}

#[cfg(test)]
mod tests;
