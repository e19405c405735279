//! A model worker that plays a script: the real service trait, served over a real connection.

use butterfly_api::model::{
    ChatEnd, ChatItem, ChatRequest, EmbedRequest, Embeddings, Finish, Model, ModelDetails, Models, Probe, PullProgress,
    PullRequest, Pulled, Role, Running, ShowRequest, ToolCall, Usage,
};
use butterfly_client::{Call, Outlet};
use butterfly_wire::{ErrorCode, Failure};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// What one chat does, step by step; without a closing step it ends as complete.
pub enum Step {
    Say(ChatItem),
    Fail(Failure),
    End(ChatEnd),
    /// Says nothing for so long.
    Pause(Duration),
    /// Goes on no more: the caller has to end it.
    Hang,
}

/// Plays one script per chat, in order, and keeps what it was asked.
#[derive(Default)]
pub struct Scripted {
    scripts: Mutex<VecDeque<Vec<Step>>>,
    asked: Mutex<Vec<ChatRequest>>,
    /// Told when a chat's future was dropped before its end: the HTTP connection of a real one closes then.
    pub dropped: Arc<Notify>,
}

struct Dropped(Option<Arc<Notify>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(notify) = &self.0 {
            notify.notify_one();
        }
    }
}

impl Scripted {
    pub fn new(scripts: impl IntoIterator<Item = Vec<Step>>) -> Arc<Self> {
        Arc::new(Self { scripts: Mutex::new(scripts.into_iter().collect()), ..Self::default() })
    }

    pub fn asked(&self) -> Vec<ChatRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// The messages of the nth request, less the system prompt.
    pub fn told(&self, nth: usize) -> Vec<(Role, String)> {
        let asked = self.asked();
        let messages = &asked[nth].messages;
        assert_eq!(messages[0].role, Role::System);
        messages[1..].iter().map(|message| (message.role, message.content.clone())).collect()
    }
}

impl Model for Scripted {
    async fn chat(&self, _: Call, request: ChatRequest, mut out: Outlet<ChatItem>) -> Result<ChatEnd, Failure> {
        let mut dropped = Dropped(Some(Arc::clone(&self.dropped)));
        self.asked.lock().unwrap().push(request);
        let script = self.scripts.lock().unwrap().pop_front().expect("one script per chat");
        for step in script {
            match step {
                Step::Say(item) => out.send(&item).await?,
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Hang => std::future::pending::<()>().await,
                Step::Fail(failure) => {
                    dropped.0 = None;
                    return Err(failure);
                }
                Step::End(end) => {
                    dropped.0 = None;
                    return Ok(end);
                }
            }
        }
        dropped.0 = None;
        Ok(ChatEnd { finish: Finish::Stop, usage: usage(10, 2) })
    }

    async fn list(&self, _: Call, (): ()) -> Result<Models, Failure> {
        Err(not_played())
    }

    async fn show(&self, _: Call, _: ShowRequest) -> Result<ModelDetails, Failure> {
        Err(not_played())
    }

    async fn pull(&self, _: Call, _: PullRequest, _: Outlet<PullProgress>) -> Result<Pulled, Failure> {
        Err(not_played())
    }

    async fn running(&self, _: Call, (): ()) -> Result<Running, Failure> {
        Err(not_played())
    }

    async fn embed(&self, _: Call, _: EmbedRequest) -> Result<Embeddings, Failure> {
        Err(not_played())
    }

    async fn probe(&self, _: Call, (): ()) -> Result<Probe, Failure> {
        Err(not_played())
    }
}

/// Brains has no business with the rest of the service.
fn not_played() -> Failure {
    Failure::new(ErrorCode::Denied, "brains asks for chats alone")
}

pub fn usage(input_tokens: u32, output_tokens: u32) -> Usage {
    Usage { input_tokens, output_tokens, first_token_ms: 5, generation_ms: 7, ..Usage::default() }
}

pub fn started(context_tokens: u32) -> Step {
    Step::Say(ChatItem::Started { model: "m:1b".to_owned(), provider: "scripted".to_owned(), context_tokens })
}

pub fn text(text: &str) -> Step {
    Step::Say(ChatItem::Text { text: text.to_owned() })
}

pub fn thinking(text: &str) -> Step {
    Step::Say(ChatItem::Thinking { text: text.to_owned() })
}

pub fn tool_call(id: &str) -> Step {
    Step::Say(ChatItem::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "weather".to_owned(),
        arguments: "{}".to_owned(),
    }))
}

pub fn fail(code: ErrorCode) -> Step {
    Step::Fail(Failure::new(code, format!("a failure of the script's: {code}")))
}
