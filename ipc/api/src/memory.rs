//! What was noted, found again and linked. Served by memory.
//!
//! A *passage* is whatever can be found again: a message that was said, a memory that was noted, a summary. All passages
//! share one space of ids. A *fact* is a statement about an entity that holds from one time to another.

use crate::Chunk;
use crate::conversations::Summary;
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What a passage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassageKind {
    Message,
    Memory,
    Summary,
}

/// Something that can be found again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Passage {
    pub id: u64,
    pub kind: PassageKind,
    /// The name that an import gave it, unique within its conversation.
    pub external_id: Option<String>,
    /// The conversation it belongs to: the name that an import gave it, else its number.
    pub conversation: Option<String>,
    pub conversation_id: Option<u64>,
    pub speaker: String,
    pub text: String,
    pub tags: Vec<String>,
    /// Unix time in ms when it was said.
    pub at_unix_ms: u64,
    /// The message that it was taken from.
    pub source: Option<u64>,
}

/// What made a passage come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// It has words of the query.
    Word,
    /// Its vector is near to the query's.
    Meaning,
    /// A fact about something that the query names leads to it.
    Link,
    /// It was said lately.
    Recency,
    /// It carries a tag that the query names.
    Tag,
    /// It was said just before or after something that matched.
    Neighbour,
    /// It was lowered: what it says was corrected later.
    Superseded,
}

/// One share of a score.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Reason {
    pub kind: ReasonKind,
    /// What it contributed to the score, after its weight.
    pub score: f32,
    /// In words and numbers, such as `bm25 7.31 of 9.02: sister, live`.
    pub detail: String,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Found {
    pub passage: Passage,
    /// The sum of its reasons' scores.
    pub score: f32,
    pub reasons: Vec<Reason>,
}

/// Argument of `add`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct AddRequest {
    pub text: String,
    /// Empty: the user.
    pub speaker: String,
    pub tags: Vec<String>,
    /// The conversation that it was noted in.
    pub conversation: Option<u64>,
    /// The message that it was taken from.
    pub source: Option<u64>,
    /// Unix time in ms; `None`: now.
    pub at_unix_ms: Option<u64>,
}

/// Reply of `add`: durable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Added {
    pub id: u64,
    /// The very same was known already; its id is given.
    pub known: bool,
    /// Facts that were taken from it.
    pub facts: Vec<Fact>,
}

/// Argument of `search`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct SearchRequest {
    pub query: String,
    /// At most 200.
    pub limit: u32,
    /// Only in this conversation: the name that an import gave it, or its number.
    pub conversation: Option<String>,
    /// As it was known then: Unix time in ms.
    pub as_of_unix_ms: Option<u64>,
}

/// Reply of `search`, best first.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Results {
    pub results: Vec<Found>,
    /// What the search went without, and what to do about it; `None`: nothing.
    pub degraded: Option<String>,
    /// Time for the query's vector, and for the search without it, in µs.
    pub embed_us: u64,
    pub search_us: u64,
}

/// Argument of `recall`: what a turn's prompt should hold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecallRequest {
    pub turn: u64,
    pub query: String,
    /// Tokens that the items may take together.
    pub budget_tokens: u32,
    /// The earliest message of this conversation that the prompt holds anyway: what stands from there on is left out.
    pub shown_from: u64,
}

/// Reply of `recall`.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Recalled {
    /// Best first.
    pub items: Vec<Found>,
    /// `memory.enabled`; if not, nothing was looked for.
    pub enabled: bool,
    pub degraded: Option<String>,
}

/// What the model was shown for a turn, beside the words themselves.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Shown {
    /// The system prompt's recalled items.
    pub recalled: Vec<Found>,
    pub summary: Option<Summary>,
    /// Earlier turns in the prompt, and those that were left out.
    pub turns: u32,
    pub turns_left_out: u32,
    /// The model's context, and what the prompt took of it, in tokens (estimated).
    pub context_tokens: u32,
    pub prompt_tokens: u32,
    /// What recall went without.
    pub degraded: Option<String>,
    /// Whether `memory.enabled` was on.
    pub memory_enabled: bool,
}

/// Argument of `list`: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ListRequest {
    pub kind: Option<PassageKind>,
    pub tag: Option<String>,
    /// Only what is older than this passage.
    pub before: Option<u64>,
    /// At most 200.
    pub limit: u32,
}

/// Reply of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Passages {
    pub passages: Vec<Passage>,
    pub more: bool,
}

/// Names a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Which {
    pub id: u64,
}

/// Reply of `show`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Details {
    pub passage: Passage,
    pub facts: Vec<Fact>,
    /// Memories and summaries that were made from it.
    pub derived: Vec<Passage>,
    /// The model that made its vector, if it has one.
    pub embedded_by: Option<String>,
}

/// Argument of `forget`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForgetRequest {
    /// Passages.
    pub ids: Vec<u64>,
    /// Facts, each without the passage that it came from.
    pub facts: Vec<u64>,
    /// Only say what would go.
    pub dry_run: bool,
}

/// Reply of `forget`: what goes, or went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Forgotten {
    pub passages: Vec<Passage>,
    /// Facts that rested on them alone.
    pub facts: Vec<Fact>,
    /// Entities that nothing else speaks of.
    pub entities: Vec<String>,
    pub edges: u32,
    pub vectors: u32,
    /// Turns whose explanation is gone, because it quoted what was forgotten.
    pub explanations: u32,
    /// Backup files of our own that still hold it; the next vacuum deletes them.
    pub backups: Vec<String>,
}

/// Reply of `import`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
pub struct ImportReport {
    pub added: u64,
    /// Known already by their ids.
    pub known: u64,
    /// Line numbers, from 1, and why they were refused; the first 100.
    pub refused: Vec<(u64, String)>,
    pub refused_count: u64,
}

/// Progress of `index`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct IndexProgress {
    /// Passages that still wait for their vector.
    pub waiting: u64,
    pub done: u64,
}

/// The end of `index`: nothing waits, or nothing can be done about it now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Indexed {
    pub waiting: u64,
    /// Why something still waits.
    pub degraded: Option<String>,
}

/// A statement about an entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Fact {
    pub id: u64,
    /// An entity's name, such as `user's sister`.
    pub subject: String,
    /// Such as `lives in`.
    pub relation: String,
    pub object: String,
    /// Unix time in ms from which, and until which, it holds; `None`: not known to have ended.
    pub valid_from_unix_ms: u64,
    pub valid_to_unix_ms: Option<u64>,
    /// Unix time in ms when it was recorded.
    pub recorded_unix_ms: u64,
    /// The passage that it came from.
    pub source: Option<u64>,
    /// The fact that corrected it.
    pub superseded_by: Option<u64>,
}

/// Argument of `facts`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct FactsRequest {
    /// Only about this entity.
    pub about: Option<String>,
    /// Those that held then: Unix time in ms.
    pub as_of_unix_ms: Option<u64>,
    /// Also those that no longer hold.
    pub all: bool,
    /// At most 500.
    pub limit: u32,
}

/// Reply of `facts`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Facts {
    pub facts: Vec<Fact>,
}

/// Argument of `correct`: the fact ends when the correction begins, and stays for "as of".
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Correction {
    pub fact: u64,
    /// What holds instead; empty: nothing.
    pub object: String,
    /// Unix time in ms from which the correction holds; `None`: now.
    pub from_unix_ms: Option<u64>,
}

/// What a node of the graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Entity,
    Event,
    Fact,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Node {
    /// Unique within its kind.
    pub id: u64,
    pub kind: NodeKind,
    pub label: String,
    /// Unix time in ms: when it happened, began to hold, or was first named.
    pub at_unix_ms: u64,
    /// When it ceased to hold.
    pub until_unix_ms: Option<u64>,
    /// The passage that it came from.
    pub source: Option<u64>,
}

/// An edge of the graph, between indices of [`GraphView::nodes`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Edge {
    pub from: u32,
    pub to: u32,
    pub relation: String,
}

/// Argument of `graph`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct GraphRequest {
    /// Around this entity; `None`: what is linked most.
    pub around: Option<String>,
    /// Steps from it, at most 4.
    pub depth: u32,
    /// At most 2000 nodes.
    pub limit: u32,
    pub as_of_unix_ms: Option<u64>,
}

/// Reply of `graph`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct GraphView {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// Nodes were left out for the limit.
    pub cut: bool,
}

/// Argument of `explain`: a turn, or a message of it; `None`: the last turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ExplainRequest {
    pub message: Option<u64>,
}

/// Reply of `explain`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Explanation {
    pub conversation: u64,
    pub turn: u64,
    pub text: String,
    pub model: String,
    /// `None`: it was not kept, or has been forgotten.
    pub shown: Option<Shown>,
}

crate::service! {
    /// Memories, facts and links.
    pub trait Memory in memory;
    /// Notes something.
    unary Add = ADD add(AddRequest) => Added;
    /// Finds passages.
    unary Search = SEARCH search(SearchRequest) => Results;
    /// Finds what a turn's prompt should hold.
    unary Recall = RECALL recall(RecallRequest) => Recalled;
    /// Passages, newest first.
    unary List = LIST list(ListRequest) => Passages;
    /// All about one passage.
    unary Show = SHOW show(Which) => Details;
    /// Deletes passages or facts, and what was derived from them alone.
    unary Forget = FORGET forget(ForgetRequest) => Forgotten;
    /// Takes in lines of JSON: `{"id","conversation","speaker","text","at"}`.
    upload Import = IMPORT import(()) => ImportReport, takes Chunk;
    /// Waits until every passage has its vector.
    stream Index = INDEX index(()) => Indexed, yields IndexProgress;
    /// What is held to be true.
    unary ListFacts = FACTS facts(FactsRequest) => Facts;
    /// Corrects a fact.
    unary Correct = CORRECT correct(Correction) => Facts;
    /// Entities, events and facts, and how they are linked.
    unary Graph = GRAPH graph(GraphRequest) => GraphView;
    /// What the model was shown for a turn.
    unary Explain = EXPLAIN explain(ExplainRequest) => Explanation;
}
