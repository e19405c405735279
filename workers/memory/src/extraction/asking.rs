//! Asking a language model for something in the background: one question, one whole answer.
//!
//! The built-in responder is no language model: when it is what would answer, the stream is dropped at once.

use butterfly_api::model::{Cause, Chat, ChatItem, ChatRequest, Message, ModelError, Purpose, Role, Think};
use butterfly_client::{Bus, Next};
use butterfly_wire::{ErrorCode, Failure};

/// The provider's name of the built-in responder.
const BUILT_IN: &str = "builtin";

/// Bytes of an answer that are read. What is asked for here is a list of a few facts, or some paragraphs.
const ANSWER_BYTES: usize = 32 << 10;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub model: String,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// There is no model now, and asking again soon will not change that.
    NoModel(String),
    /// It could not answer this time: others came first, or a part was away.
    NotNow(String),
    /// It answered, and the answer broke off or grew beyond all bounds.
    Failed(String),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoModel(why) | Self::NotNow(why) | Self::Failed(why) => out.write_str(why),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub system: String,
    pub user: String,
    /// JSON Schema that the answer must follow.
    pub format: Option<String>,
    /// Most tokens of the answer.
    pub tokens: u32,
}

/// Asks the model for summaries and facts (`memory.summary_model`), at temperature 0.
///
/// # Errors
/// [`Unanswered`].
pub async fn ask(bus: &Bus, question: Question) -> Result<Answer, Unanswered> {
    let request = ChatRequest {
        model: None,
        purpose: Purpose::Summary,
        recalled: Vec::new(),
        messages: vec![Message::new(Role::System, question.system), Message::new(Role::User, question.user)],
        tools: Vec::new(),
        think: Think::Off,
        context_tokens: None,
        max_tokens: Some(question.tokens),
        temperature: Some(0.0),
        format: question.format,
    };
    let mut stream = bus.background().stream::<Chat>(&request).await.map_err(|failure| unanswered(&failure))?;
    let mut answer = Answer { text: String::new(), model: String::new() };
    loop {
        match stream.next().await.map_err(|failure| unanswered(&failure))? {
            Next::Item(ChatItem::Started { provider, .. }) if provider == BUILT_IN => {
                return Err(Unanswered::NoModel("no language model is connected".to_owned()));
            }
            Next::Item(ChatItem::Started { model, .. }) => {
                // A second attempt at the provider begins anew.
                answer = Answer { text: String::new(), model };
            }
            Next::Item(ChatItem::Text { text }) => {
                answer.text.push_str(&text);
                if answer.text.len() > ANSWER_BYTES {
                    return Err(Unanswered::Failed("the model's answer has no end".to_owned()));
                }
            }
            Next::Item(ChatItem::Thinking { .. } | ChatItem::ToolCall(_) | ChatItem::Notice { .. }) => {}
            Next::End(_) => return Ok(answer),
        }
    }
}

fn unanswered(failure: &Failure) -> Unanswered {
    let Some(error) = ModelError::from_failure(failure) else {
        return match failure.code {
            ErrorCode::DeadlineExceeded | ErrorCode::Protocol | ErrorCode::TooLarge | ErrorCode::BadPayload => {
                Unanswered::Failed(failure.message.clone())
            }
            ErrorCode::Busy
            | ErrorCode::Denied
            | ErrorCode::PeerDied
            | ErrorCode::Unavailable
            | ErrorCode::UnknownMethod
            | ErrorCode::Cancelled
            | ErrorCode::StaleEndpoint
            | ErrorCode::NoTrace
            | ErrorCode::Internal
            | ErrorCode::Declared
            | ErrorCode::Disconnected => Unanswered::NotNow(failure.message.clone()),
        };
    };
    match error.cause {
        Cause::ServerNotRunning
        | Cause::ModelMissing { .. }
        | Cause::OutOfMemory
        | Cause::Unauthorized
        | Cause::Unsupported
        | Cause::Misconfigured
        | Cause::NeedsSecret { .. } => Unanswered::NoModel(error.message),
        Cause::RateLimited { .. } | Cause::Displaced => Unanswered::NotNow(error.message),
        Cause::ContextExceeded { .. }
        | Cause::MidStream
        | Cause::Truncated
        | Cause::NotTheProtocol
        | Cause::ServerFault { .. }
        | Cause::Rejected { .. }
        | Cause::TimedOut => Unanswered::Failed(error.message),
    }
}
