//! The service `session`.

use crate::answer::{Answer, Asked};
use crate::away::may_work_later;
use crate::fits::Fits;
use crate::prompt::{Before, Prompt};
use crate::record::{Outcome, Record};
use crate::refusal::{Refusal, check_text};
use crate::running::{RUNNING, Running};
use crate::saver::Saver;
use crate::secrets::Secrets;
use crate::settings::{Settings, SettingsCache};
use crate::turn::{Keeper, OpenTurn};
use crate::unsaved::Unsaved;
use butterfly_api::conversations::{Begin, BeginTurn, Begun};
use butterfly_api::health::{Check, Level};
use butterfly_api::session::{
    EndReason, Place, SendRequest, Session, StopRequest, Stopped, TurnEnd, TurnItem, UseModel,
};
use butterfly_client::{Bus, Call, Outlet};
use butterfly_wire::{ErrorCode, Failure};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of a model's name. The longest that registries allow are below half of it.
const MODEL_NAME_BYTES: usize = 512;

/// Time for what a person said to be saved, restarts of memory included. Then the turn is refused rather than lost.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);

/// From one attempt to begin to the next: memory takes some tens of milliseconds to be back.
const BEGIN_AGAIN: Duration = Duration::from_millis(100);

/// What all turns share.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) running: Arc<Running>,
    pub(crate) unsaved: Arc<Unsaved>,
    pub(crate) fits: Fits,
    pub(crate) settings: SettingsCache,
    pub(crate) secrets: Secrets,
    /// For work that nobody waits for any more; given by [`Brains::prepare`].
    pub(crate) background: OnceLock<Bus>,
    /// For turns that name none.
    model: Mutex<Option<String>>,
}

/// The agent loop.
#[derive(Default)]
pub struct Brains {
    pub(crate) state: Arc<State>,
}

/// A turn that has begun, and what is to be done with it.
struct Opened {
    turn: OpenTurn,
    asked: Asked,
}

impl Brains {
    /// Without a conversation, and with the choice of the model left to the model worker.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What this worker knows of its own state.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let (running, unsaved) = (self.state.running.len(), self.state.unsaved.len());
        let found = format!("{running} of at most {RUNNING} being answered, {unsaved} unsaved ones kept");
        let full = running == RUNNING;
        let next_step = if full { "Stop an answer, or wait for one to end." } else { "" };
        let level = if full { Level::Warning } else { Level::Ok };
        vec![Check { name: "conversations".to_owned(), level, found, next_step: next_step.to_owned() }]
    }

    fn model_in_use(&self) -> Option<String> {
        self.state.model.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a turn that memory keeps.
    async fn open(&self, call: &Call, request: SendRequest, model: Option<String>) -> Result<Opened, Failure> {
        if let Some(conversation) = request.conversation
            && self.state.unsaved.has(conversation)
        {
            return Err(Refusal::NotSaved(conversation).into());
        }
        let running = &self.state.running;
        let slot = match request.conversation {
            Some(conversation) => Some(running.take(conversation).await?),
            None if request.place == Place::End => {
                running.has_room()?;
                None
            }
            None => return Err(Refusal::NoConversation.into()),
        };
        let begin = Begin {
            key: getrandom::u64().map_err(|fault| Failure::new(ErrorCode::Internal, fault.to_string()))?,
            conversation: request.conversation,
            place: request.place,
            text: request.text,
            provenance: call.provenance().0,
        };
        let begun = self.begin(call.bus(), &begin).await?;
        drop(begin);
        let slot = match slot {
            Some(slot) => slot,
            None => running.take_now(begun.conversation)?,
        };
        let settings = self.state.settings.of(call.bus(), begun.profile.as_deref()).await;
        let model = model.or_else(|| settings.model.clone()).or_else(|| self.model_in_use());
        let record = Arc::new(Record::default());
        record.set_model(model.clone().unwrap_or_default());
        let slot = Arc::new(slot);
        let background = self.state.background.get().cloned().unwrap_or_else(|| call.bus().background());
        let saving = Saver::start(Arc::clone(&record), begun.turn, call.bus().clone(), background, Arc::clone(&slot));
        let Begun { conversation, turn, number, text, earlier, left_out, summary, profile: _ } = begun;
        let turn = OpenTurn::new(turn, number, text, record, slot, Keeper::Saver(saving));
        let before = Before { turns: earlier, gone: left_out, summary };
        Ok(Opened { asked: self.asked(conversation, before, settings, model), turn })
    }

    /// Has memory write down what the person said. It is durable when this returns.
    async fn begin(&self, bus: &Bus, begin: &Begin) -> Result<Begun, Failure> {
        let give_up = Instant::now() + BEGIN_PATIENCE;
        loop {
            let failure = match tokio::time::timeout_at(give_up, bus.call::<BeginTurn>(begin)).await {
                Ok(Ok(begun)) => return Ok(begun),
                Ok(Err(failure)) => failure,
                Err(_) => {
                    let what = format!("memory did not answer within {} s", BEGIN_PATIENCE.as_secs());
                    return Err(Refusal::MemoryAway(what).into());
                }
            };
            // The same key begins the same turn: asking again says nothing twice.
            let again = Instant::now() + BEGIN_AGAIN;
            match failure.code {
                _ if may_work_later(&failure) && again < give_up => tokio::time::sleep_until(again).await,
                // What memory refuses, and what says that nobody asks any more.
                ErrorCode::BadPayload | ErrorCode::TooLarge | ErrorCode::Cancelled | ErrorCode::Disconnected => {
                    return Err(failure);
                }
                _ => {
                    tracing::error!(code = failure.code.name(), "a turn was refused: it would not be saved");
                    return Err(Refusal::MemoryAway(failure.message.trim_end_matches('.').to_owned()).into());
                }
            }
        }
    }

    /// Begins a turn that the person does not want to be saved.
    async fn open_unsaved(&self, request: SendRequest, model: Option<String>) -> Result<Opened, Refusal> {
        if request.place != Place::End {
            return Err(Refusal::NoBranches);
        }
        let slot = match request.conversation {
            Some(conversation) => Some(self.state.running.take(conversation).await?),
            None => {
                self.state.running.has_room()?;
                None
            }
        };
        let begun = self.state.unsaved.begin(request.conversation)?;
        let slot = match slot {
            Some(slot) => slot,
            None => self.state.running.take_now(begun.conversation)?,
        };
        let model = model.or_else(|| self.model_in_use());
        let record = Arc::new(Record::default());
        record.set_model(model.clone().unwrap_or_default());
        let keeper = Keeper::Unsaved(Arc::clone(&self.state.unsaved));
        let turn = OpenTurn::new(0, begun.number, request.text, record, Arc::new(slot), keeper);
        let before = Before { turns: begun.turns, gone: begun.gone, summary: None };
        Ok(Opened { asked: self.asked(begun.conversation, before, Arc::default(), model), turn })
    }

    fn asked(&self, conversation: u64, before: Before, settings: Arc<Settings>, model: Option<String>) -> Asked {
        let fit = self.state.fits.of(conversation, model.as_ref());
        let prompt = Prompt::new(before, fit.as_ref());
        Asked { prompt, settings, model, context: fit.map_or(0, |fit| fit.context) }
    }
}

impl Session for Brains {
    async fn send(&self, call: Call, request: SendRequest, mut out: Outlet<TurnItem>) -> Result<TurnEnd, Failure> {
        let model = request.model.clone().map(checked).transpose()?;
        match request.place {
            Place::End | Place::InsteadOf(_) => check_text(&request.text)?,
            Place::Again(_) => {}
        }
        let Opened { mut turn, asked } = if request.unsaved {
            self.open_unsaved(request, model).await?
        } else {
            self.open(&call, request, model).await?
        };
        let (conversation, number) = (turn.conversation(), turn.number);
        let started = TurnItem::Started { conversation, turn: number, trace: call.trace(), message: turn.id };
        let stop = turn.stop_asked();
        let answer = async {
            out.send(&started).await?;
            Answer::new(&self.state, call.bus(), &mut out, &turn, asked).run().await
        };
        // Whichever ends first: the answer, or somebody's patience. A caller that goes away drops all of this.
        let result = tokio::select! {
            biased;
            () = stop => None,
            result = answer => Some(result),
        };
        let (outcome, name) = match &result {
            None => (Outcome::Stopped, "stopped"),
            Some(Err(failure)) if failure.code == ErrorCode::Cancelled => (Outcome::Stopped, failure.code.name()),
            Some(Ok(_)) => (Outcome::Complete, "answered"),
            Some(Err(failure)) => (Outcome::Failed(failure.message.clone()), failure.code.name()),
        };
        let saved = turn.end(outcome).await;
        let model = turn.record.model();
        tracing::info!(conversation, turn = number, model, outcome = name, saved = saved.is_ok(), "turn ended");
        if let Err(why) = saved {
            let text = format!(
                "This answer could not be saved: {}; copy what you need of it, and see `butterfly doctor memory`.",
                why.trim_end_matches('.')
            );
            // Whoever does not read it is not there to be told.
            let _ = out.send(&TurnItem::Notice { text }).await;
        }
        match result {
            None => Ok(TurnEnd { reason: EndReason::Stopped, model }),
            Some(result) => result,
        }
    }

    async fn stop(&self, _: Call, request: StopRequest) -> Result<Stopped, Failure> {
        let Some(ended) = self.state.running.stop(request.conversation) else {
            return Ok(Stopped { was_running: false });
        };
        // So that a message sent after this reply finds the conversation free, and what was said in it.
        ended.await;
        Ok(Stopped { was_running: true })
    }

    async fn use_model(&self, _: Call, request: UseModel) -> Result<(), Failure> {
        let model = request.model.map(checked).transpose()?;
        *self.state.model.lock().unwrap_or_else(PoisonError::into_inner) = model;
        Ok(())
    }
}

/// A model's name as a person may have typed it.
fn checked(name: String) -> Result<String, Failure> {
    let trimmed = name.trim();
    if trimmed.is_empty() || trimmed.len() > MODEL_NAME_BYTES {
        let message = format!(
            "a model's name has 1 to {MODEL_NAME_BYTES} bytes, this one {}; `butterfly model list` shows the names",
            trimmed.len()
        );
        return Err(Failure::new(ErrorCode::BadPayload, message));
    }
    Ok(trimmed.to_owned())
}
