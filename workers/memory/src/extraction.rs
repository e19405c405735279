//! Facts out of what people say: by rules at once, and by a model in the background where there is one.
//!
//! It reads what a person said or noted, never what the assistant, a tool, a summary or recall said, so that nothing that
//! was once extracted feeds the next extraction. It does *not* decide what supersedes what: that is the store's time
//! arithmetic.
//!
//! Invariants:
//! - What a passage yields goes with it: every fact has its passage for a source.
//! - A passage is read by the rules once, and by a model at most [`ATTEMPTS`] times; what waits is in the database.
//! - With `memory.enabled` off nothing is read, and nothing waits. With `memory.extract` off the rules read, and no model.

mod answer;
pub mod asking;
mod clauses;
mod dates;
mod lexicon;
mod objects;
mod reader;
pub mod rules;
#[cfg(test)]
pub(crate) mod scripted;
mod sentences;
mod verbs;

use crate::config::Config;
use crate::core::{Core, lull};
use asking::Unanswered;
use butterfly_store::facts::outbox::{self, Stage, Waiting};
use butterfly_store::facts::{self, Object, Statement, Thing, key, relation};
use butterfly_store::passages::{self, Note};
use butterfly_store::{StoreError, graph};
use butterfly_wire::Failure;
use diesel::SqliteConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Whether anything is read, and whether a model reads it, too.
const ENABLED: &str = "memory.enabled";
const EXTRACT: &str = "memory.extract";

/// Passages that the rules read in one transaction: others wait for it meanwhile.
const BATCH: u32 = 32;
/// Attempts of a model at one passage. An answer that broke off twice breaks off a third time.
const ATTEMPTS: u32 = 3;
/// The first pause after an attempt that failed; each further one is four times as long.
const BACKOFF_MS: i64 = 60_000;
/// Until it is asked again whether there is a model. A change of settings asks at once.
const NO_MODEL: Duration = Duration::from_secs(10 * 60);
/// After a failure that has nothing to do with the passage.
const NOT_NOW: Duration = Duration::from_secs(30);
/// The tag of a memory that was noted because somebody said so in a conversation.
const REMEMBERED: &str = "remembered";

/// Reads a memory that was just noted, and has a model read it later if one may.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such passage; the database's.
pub fn note(db: &mut SqliteConnection, memory: i64, model: bool) -> Result<(), StoreError> {
    let found = outbox::of(db, memory)?;
    let found = found.ok_or_else(|| StoreError::NotFound(format!("there is no memory {memory}")))?;
    by_rules(db, &found, model)
}

/// Takes what the rules find in a passage, and hands it on to a model if one may read it and may find more.
fn by_rules(db: &mut SqliteConnection, waiting: &Waiting, model: bool) -> Result<(), StoreError> {
    if !waiting.by_person {
        return outbox::done(db, waiting.passage);
    }
    take(db, waiting)?;
    if model && !waiting.imported && answer::is_worth_asking(&waiting.text) {
        outbox::for_model(db, waiting.passage)
    } else {
        outbox::done(db, waiting.passage)
    }
}

fn take(db: &mut SqliteConnection, waiting: &Waiting) -> Result<(), StoreError> {
    let Waiting { passage, speaker, text, at_ms, .. } = waiting;
    let taken = rules::read(speaker, text, *at_ms);
    // What is to be remembered becomes a memory, which states the same as the message and is outdated with it. Between people
    // whose talk was imported nobody asks an assistant to remember anything.
    let mut stating = vec![*passage];
    if waiting.is_message && !waiting.imported {
        for text in taken.notes {
            let note = Note {
                text,
                speaker: speaker.clone(),
                tags: vec![REMEMBERED.to_owned()],
                conversation: waiting.conversation,
                source: Some(*passage),
                at_ms: *at_ms,
            };
            match passages::add(db, &note) {
                Ok((memory, _)) => stating.push(memory),
                // What cannot be noted stays in the transcript.
                Err(StoreError::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
    }
    for statement in &taken.statements {
        record(db, statement, &stating)?;
    }
    for (old, new) in taken.replaced {
        if let Some((subject, relation)) = outbox::only_about(db, &old, *at_ms)? {
            let object = Object::Thing(Thing::entity(new));
            let statement = Statement { subject: Thing::entity(subject), relation, object, from_ms: *at_ms };
            record(db, &statement, &stating)?;
        }
    }
    for entity in graph::named(db, text)? {
        facts::mention(db, entity, *passage)?;
    }
    Ok(())
}

/// Records what the first of `passages` states, with those others that say so, too, as further sources.
fn record(db: &mut SqliteConnection, statement: &Statement, passages: &[i64]) -> Result<(), StoreError> {
    for (place, passage) in passages.iter().enumerate() {
        if place > 0 && !passages::says(db, *passage, statement.object.text())? {
            continue;
        }
        match facts::record(db, statement, *passage, facts::now_ms()) {
            Ok(_) | Err(StoreError::Refused(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Takes what is believed of a model's answer. The rules are sure: where they know whom or what, a model says nothing
/// else about it. Nothing happens where the passage has been forgotten meanwhile.
fn believe(db: &mut SqliteConnection, passage: i64, statements: &[Statement]) -> Result<(), StoreError> {
    if outbox::waiting(db, passage)?.is_none() {
        return Ok(());
    }
    let known = facts::of_passage(db, passage)?;
    let mut stating = vec![passage];
    stating.extend(passages::noted_from(db, passage)?);
    for statement in statements {
        let same = |fact: &butterfly_api::memory::Fact| {
            key::key(&fact.subject) == key::key(&statement.subject.name) && fact.relation == statement.relation
        };
        if relation::is_single(&statement.relation) && known.iter().any(same) {
            continue;
        }
        record(db, statement, &stating)?;
    }
    outbox::done(db, passage)
}

/// The background jobs.
pub struct Extraction {
    core: Arc<Core>,
    config: Arc<Config>,
}

/// What a round with the model came to.
enum Round {
    /// A passage was read: there may be another one.
    Read,
    /// Nothing is due before then.
    Until(Option<Instant>),
}

impl Extraction {
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>) -> Arc<Self> {
        Arc::new(Self { core, config })
    }

    /// Reads what waits, whenever something was stored. It never ends.
    pub async fn run(self: Arc<Self>) {
        tokio::join!(self.read_by_rules(), self.read_by_model());
    }

    fn is_on(&self) -> bool {
        self.config.flag(ENABLED)
    }

    /// Whether a model may read what is said.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.is_on() && self.config.flag(EXTRACT)
    }

    async fn read_by_rules(&self) {
        let mut stored = self.core.watch();
        loop {
            stored.borrow_and_update();
            let again = match self.rules_round().await {
                Ok(()) => None,
                Err(failure) => {
                    tracing::warn!("what was said could not be read for facts, and is read again later: {failure}");
                    Some(NOT_NOW)
                }
            };
            let pause = again.unwrap_or(Duration::MAX);
            if tokio::time::timeout(pause, stored.changed()).await.is_ok() {
                lull(&mut stored).await;
            }
        }
    }

    /// Has the rules read what was said last, for who asks before it was their turn: the newest correction is to count. What
    /// waits since an import, which is much, goes on waiting; and where nothing can be written, finding goes on without it.
    pub async fn catch_up(&self) {
        let reading = async {
            let waits = self.core.read(|db| outbox::waiting_for_rules(db, BATCH + 1)).await?;
            if waits == 0 || waits > BATCH || !self.is_on() {
                return Ok(());
            }
            self.read_some().await
        };
        let read: Result<(), Failure> = reading.await;
        if let Err(failure) = read {
            tracing::warn!("what was said last is not read for facts yet: {failure}");
        }
    }

    /// Has the rules read all that waits for them.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_round(&self) -> Result<(), Failure> {
        loop {
            let waits = self.core.read(|db| outbox::waiting_for_rules(db, 1)).await?;
            if waits == 0 {
                return Ok(());
            }
            if !self.is_on() {
                // What was said while it was off is not read once it is on again.
                self.core.write(outbox::clear).await?;
                return Ok(());
            }
            self.read_some().await?;
        }
    }

    /// Has the rules read a batch.
    async fn read_some(&self) -> Result<(), Failure> {
        let model = self.may_ask();
        let read = move |db: &mut SqliteConnection| {
            for waiting in outbox::due(db, Stage::Rules, i64::MAX, BATCH)? {
                by_rules(db, &waiting, model)?;
            }
            Ok(())
        };
        self.core.write(read).await
    }

    async fn read_by_model(&self) {
        let mut stored = self.core.watch();
        let mut changed = self.config.watch();
        let mut resume = Instant::now();
        loop {
            stored.borrow_and_update();
            changed.borrow_and_update();
            let mut until = Some(resume);
            if resume <= Instant::now() {
                until = match self.model_round().await {
                    Ok(Round::Read) => continue,
                    Ok(Round::Until(when)) => when,
                    Err(why) => {
                        let pause = match &why {
                            Unanswered::NoModel(_) => NO_MODEL,
                            Unanswered::NotNow(_) | Unanswered::Failed(_) => NOT_NOW,
                        };
                        tracing::debug!("facts wait for a model: {why}");
                        resume = Instant::now() + pause;
                        Some(resume)
                    }
                };
            }
            tokio::select! {
                _ = stored.changed() => lull(&mut stored).await,
                // Another model may be configured now.
                _ = changed.changed() => resume = Instant::now(),
                () = sleep_until(until) => {}
            }
        }
    }

    /// Has the model read one passage.
    async fn model_round(&self) -> Result<Round, Unanswered> {
        let failed = |failure: Failure| Unanswered::NotNow(failure.message);
        let now = facts::now_ms();
        let due = self.core.read(move |db| outbox::due(db, Stage::Model, now, 1)).await.map_err(failed)?;
        let Some(waiting) = due.into_iter().next() else {
            let next = self.core.read(|db| outbox::next_due(db, Stage::Model)).await.map_err(failed)?;
            let pause = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap_or(0));
            return Ok(Round::Until(next.map(|at| Instant::now() + pause(at))));
        };
        if !self.may_ask() {
            self.core.write(|db| outbox::let_go(db, Stage::Model)).await.map_err(failed)?;
            return Ok(Round::Read);
        }
        let Some(bus) = self.core.bus() else { return Err(Unanswered::NotNow("there is no bus yet".to_owned())) };
        let passage = waiting.passage;
        let statements = match asking::ask(&bus, answer::question(&waiting.text)).await {
            Ok(answered) => match answer::read(&answered.text, &waiting.speaker, &waiting.text, waiting.at_ms) {
                Ok(believed) => {
                    for why in believed.dropped {
                        tracing::debug!(passage, model = answered.model, "a fact was not believed: {why}");
                    }
                    believed.statements
                }
                Err(why) => {
                    // At temperature 0 it would say the same again.
                    tracing::info!(passage, model = answered.model, "a model's facts were not used: {why}");
                    Vec::new()
                }
            },
            Err(Unanswered::Failed(why)) => {
                let attempts = waiting.attempts + 1;
                tracing::info!(passage, attempts, "a model could not take facts: {why}");
                let later = now + BACKOFF_MS * 4_i64.pow(attempts.min(ATTEMPTS) - 1);
                let put_off = move |db: &mut SqliteConnection| match attempts {
                    ATTEMPTS.. => outbox::done(db, passage),
                    _ => outbox::put_off(db, passage, attempts, later),
                };
                self.core.write(put_off).await.map_err(failed)?;
                return Ok(Round::Read);
            }
            Err(other) => return Err(other),
        };
        self.core.write(move |db| believe(db, passage, &statements)).await.map_err(failed)?;
        Ok(Round::Read)
    }
}

/// Until then; for ever without a time.
pub(crate) async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "extraction/tests.rs"]
mod tests;
