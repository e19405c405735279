//! Language models. Served by the model worker, whatever provider stands behind it.

use bincode::{Decode, Encode};
use butterfly_wire::{ErrorCode, Failure, codec};
use serde::{Deserialize, Serialize};

/// Who said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// A tool call that the model asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within the turn; made up where the server gives none.
    pub id: String,
    pub name: String,
    /// A JSON object, as text.
    pub arguments: String,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: String,
    /// What an assistant thought before it said `content`; some models want it back with tool results.
    pub thinking: String,
    pub tool_calls: Vec<ToolCall>,
    /// For a tool's message: the call that it answers.
    pub tool_call_id: Option<String>,
    /// Base64 images; kept for models that see.
    pub images: Vec<String>,
}

impl Message {
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            thinking: String::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            images: Vec::new(),
        }
    }
}

/// A tool that the model may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, as text.
    pub parameters: String,
}

/// How much a model should think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Think {
    /// As the model does by itself.
    #[default]
    Default,
    Off,
    Low,
    Medium,
    High,
}

/// What an answer is for: each purpose may have a model of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    #[default]
    Chat,
    /// Summaries, and facts taken from what was said (`memory.summary_model`).
    Summary,
}

/// Something that was said or noted before, as memory found it for the last message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Quote {
    pub speaker: String,
    pub text: String,
    /// Unix time in ms when it was said.
    pub at_unix_ms: u64,
}

/// Argument of `chat`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct ChatRequest {
    /// `None`: the model worker chooses by `purpose`, and says which in [`ChatItem::Started`].
    pub model: Option<String>,
    pub purpose: Purpose,
    /// What memory found. Language models are told of it in `messages`; the built-in responder answers from this.
    pub recalled: Vec<Quote>,
    pub messages: Vec<Message>,
    pub tools: Vec<ToolSpec>,
    pub think: Think,
    /// Tokens of context to provide (Ollama's `num_ctx`); `None`: sized from the messages and the model's own limit.
    pub context_tokens: Option<u32>,
    /// Most tokens to generate; `None`: as many as fit.
    pub max_tokens: Option<u32>,
    /// Sampling temperature; `None`: the model's own.
    pub temperature: Option<f32>,
    /// JSON Schema that the answer must follow, as text.
    pub format: Option<String>,
}

/// What a chat streams.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChatItem {
    /// First: which model answers, through which provider, with which context length in tokens (0 where the server does
    /// not tell).
    Started {
        model: String,
        provider: String,
        context_tokens: u32,
    },
    Thinking {
        text: String,
    },
    Text {
        text: String,
    },
    ToolCall(ToolCall),
    /// For people: the model is being loaded, the server asked to wait, …
    Notice {
        text: String,
    },
}

/// What a turn cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u32,
    pub output_tokens: u32,
    /// From the request to the first thinking or text, in ms.
    pub first_token_ms: u32,
    /// From the first token to the last, in ms.
    pub generation_ms: u32,
    /// Loading the model, in ms, where the server says; else 0.
    pub load_ms: u32,
    /// The context length that was provided, in tokens.
    pub context_tokens: u32,
    /// Whether the counts are the server's own, or estimated because it gave none.
    pub estimated: bool,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    Stop,
    Length,
    ToolCalls,
}

/// The end of a chat.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct ChatEnd {
    pub finish: Finish,
    pub usage: Usage,
}

/// An installed model.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ModelInfo {
    pub name: String,
    /// On disk, in bytes; 0 where the server does not say.
    pub size_bytes: u64,
    /// Such as `8.0B`; empty where unknown.
    pub parameters: String,
    /// Such as `Q4_K_M`; empty where unknown.
    pub quantization: String,
    /// Such as `completion`, `tools`, `thinking`, `vision`, `embedding`; empty where unknown.
    pub capabilities: Vec<String>,
    /// The model's own limit, in tokens; 0 where unknown.
    pub context_tokens: u32,
    /// Unix time in ms of the last change; 0 where unknown.
    pub modified_unix_ms: u64,
}

/// Reply of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Models {
    pub provider: String,
    pub models: Vec<ModelInfo>,
    /// The one that a chat without a model's name would use, if any can.
    pub chosen: Option<String>,
}

/// Argument of `show`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ShowRequest {
    pub model: String,
}

/// Reply of `show`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ModelDetails {
    pub info: ModelInfo,
    pub family: String,
    pub license: String,
    pub template: String,
    /// The model's own parameters, as its author wrote them.
    pub defaults: String,
}

/// Argument of `pull`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PullRequest {
    /// `None`: the preset for this machine's memory.
    pub model: Option<String>,
}

/// Progress of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PullProgress {
    /// The server's own word, such as `pulling manifest`.
    pub status: String,
    /// Of the layer that is being fetched; empty between layers.
    pub digest: String,
    pub total_bytes: u64,
    pub completed_bytes: u64,
}

/// The end of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Pulled {
    pub model: String,
}

/// A model that is loaded now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RunningModel {
    pub name: String,
    pub size_bytes: u64,
    /// Of these, in the memory of an accelerator.
    pub accelerator_bytes: u64,
    /// The context it was loaded with, in tokens; 0 where unknown.
    pub context_tokens: u32,
    /// Unix time in ms when it will be unloaded; 0 where unknown.
    pub expires_unix_ms: u64,
}

/// Reply of `running`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Running {
    pub models: Vec<RunningModel>,
}

/// What a vector is for: some models want to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedAs {
    /// Something to be found.
    #[default]
    Passage,
    /// Something to find it with.
    Query,
}

/// Argument of `embed`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct EmbedRequest {
    /// `None`: the configured embedding model.
    pub model: Option<String>,
    pub embed_as: EmbedAs,
    /// At most 64 texts.
    pub texts: Vec<String>,
}

/// Reply of `embed`: one vector per text, in order.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Embeddings {
    pub model: String,
    pub vectors: Vec<Vec<f32>>,
}

/// Reply of `probe`: what a first run wants to know, without an error for what is merely absent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Probe {
    pub provider: String,
    pub url: String,
    /// The server's version, if it answered.
    pub server_version: Option<String>,
    /// What a chat would use now: a model of the server's, or the built-in responder.
    pub chosen: String,
    /// One sentence for people: what was chosen and why.
    pub reason: String,
    /// What stands in the way of a language model, if anything.
    pub problem: Option<ModelError>,
    /// The preset that a pull without a name fetches on this machine.
    pub preset: String,
}

/// Why a model call failed, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// Nothing listens at the configured address.
    ServerNotRunning,
    /// The server has no such model.
    ModelMissing { model: String },
    /// The server could not load the model for want of memory.
    OutOfMemory,
    /// The conversation is longer than the model's context.
    ContextExceeded { limit_tokens: u32 },
    /// The server reported an error in the middle of the stream.
    MidStream,
    /// The stream ended without its end mark.
    Truncated,
    /// The answer is not of the protocol.
    NotTheProtocol,
    /// 401 or 403.
    Unauthorized,
    /// 429.
    RateLimited { retry_after_ms: Option<u64> },
    /// 5xx, after the retries.
    ServerFault { status: u16 },
    /// Another 4xx.
    Rejected { status: u16 },
    /// Nothing came for too long.
    TimedOut,
    /// The provider cannot do this at all.
    Unsupported,
    /// A background request gave way too often.
    Displaced,
    /// The configuration is not usable.
    Misconfigured,
    /// The provider needs a secret that the vault does not have. Once it is set, the same request may be sent again.
    NeedsSecret { name: String, why: String },
}

/// The declared error of this service.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    pub cause: Cause,
    /// One sentence for people: what happened, why, what to do next.
    pub message: String,
}

impl ModelError {
    #[must_use]
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// The declared error inside a failure, if it is one of this service's.
    #[must_use]
    pub fn from_failure(failure: &Failure) -> Option<Self> {
        if failure.code != ErrorCode::Declared {
            return None;
        }
        codec::decode(&failure.detail).ok()
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let detail = codec::encode(&error).unwrap_or_default();
        Self { code: ErrorCode::Declared, message: error.message, detail }
    }
}

crate::service! {
    /// Chat, embed and manage models.
    pub trait Model in model;
    /// Generates an answer.
    stream Chat = CHAT chat(ChatRequest) => ChatEnd, yields ChatItem;
    /// What is installed.
    unary List = LIST list(()) => Models;
    /// All about one model.
    unary Show = SHOW show(ShowRequest) => ModelDetails;
    /// Fetches a model; resumes what was begun.
    stream Pull = PULL pull(PullRequest) => Pulled, yields PullProgress;
    /// What is loaded now.
    unary ListRunning = RUNNING running(()) => Running;
    /// Vectors of texts.
    unary Embed = EMBED embed(EmbedRequest) => Embeddings;
    /// What a first run wants to know.
    unary ProbeServer = PROBE probe(()) => Probe;
}
