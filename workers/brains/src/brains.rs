//! The service `session`.

use crate::answer::Answer;
use crate::prompt::Prompt;
use crate::store::{CONVERSATIONS, Store};
use butterfly_api::health::{Check, Level};
use butterfly_api::session::{
    Conversations, EndReason, SendRequest, Session, StopRequest, Stopped, TurnEnd, TurnItem, UseModel,
};
use butterfly_client::{Call, Outlet};
use butterfly_wire::{ErrorCode, Failure};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a model's name. The longest that registries allow are below half of it.
const MODEL_NAME_BYTES: usize = 512;

/// All conversations of this run, and the model in use.
#[derive(Default)]
pub struct Brains {
    store: Arc<Store>,
    /// For turns that name none.
    model: Mutex<Option<String>>,
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
        let kept = self.store.list();
        let running = kept.iter().filter(|conversation| conversation.running).count();
        let found = format!("{} of {CONVERSATIONS} conversations kept, {running} being answered", kept.len());
        let full = running == CONVERSATIONS;
        let next_step = if full { "Stop an answer, or wait for one to end." } else { "" };
        let level = if full { Level::Warning } else { Level::Ok };
        vec![Check { name: "conversations".to_owned(), level, found, next_step: next_step.to_owned() }]
    }

    fn model_in_use(&self) -> Option<String> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Session for Brains {
    async fn send(&self, call: Call, request: SendRequest, mut out: Outlet<TurnItem>) -> Result<TurnEnd, Failure> {
        let model = match request.model {
            Some(name) => Some(checked(name)?),
            None => self.model_in_use(),
        };
        let (mut turn, earlier) = self.store.begin(request.conversation, request.text)?;
        turn.fit.clone_from(&earlier.fit);
        turn.model = model.clone().unwrap_or_default();
        let stop = turn.stop_asked();
        let prompt = Prompt::new(&earlier, model.as_ref());
        drop(earlier);
        let answer = async {
            let (conversation, turn_number, trace) = (turn.conversation, turn.number, call.trace());
            out.send(&TurnItem::Started { conversation, turn: turn_number, trace }).await?;
            let (bus, out, turn) = (call.bus(), &mut out, &mut turn);
            Answer { bus, out, turn, prompt, model, usage: None, announced: 0 }.run().await
        };
        // Whichever ends first: the answer, or somebody's patience. A caller that goes away drops all of this.
        let result = tokio::select! {
            biased;
            () = stop => None,
            result = answer => Some(result),
        };
        let outcome = match &result {
            None => "stopped",
            Some(Ok(_)) => "answered",
            Some(Err(failure)) => failure.code.name(),
        };
        tracing::info!(conversation = turn.conversation, turn = turn.number, model = turn.model, outcome, "turn ended");
        match result {
            None => Ok(TurnEnd { reason: EndReason::Stopped, model: turn.model.clone() }),
            Some(Ok(end)) => {
                turn.complete();
                Ok(end)
            }
            Some(Err(failure)) => {
                turn.fail();
                Err(failure)
            }
        }
    }

    async fn stop(&self, _: Call, request: StopRequest) -> Result<Stopped, Failure> {
        let Some(ended) = self.store.stop(request.conversation) else {
            return Ok(Stopped { was_running: false });
        };
        // So that a message sent after this reply finds the conversation free.
        ended.await;
        Ok(Stopped { was_running: true })
    }

    async fn list(&self, _: Call, (): ()) -> Result<Conversations, Failure> {
        Ok(Conversations { conversations: self.store.list() })
    }

    async fn use_model(&self, _: Call, request: UseModel) -> Result<(), Failure> {
        let model = request.model.map(checked).transpose()?;
        *self.model.lock().unwrap_or_else(PoisonError::into_inner) = model;
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
