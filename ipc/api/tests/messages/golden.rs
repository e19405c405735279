//! Golden bytes: one representative value of every message and of every variant, so that any change of layout turns red.

use crate::support::Golden;
use butterfly_api::health::{Check, Level, Report};
use butterfly_api::model::*;
use butterfly_api::session::*;
use butterfly_wire::Failure;
use std::collections::BTreeSet;

/// A representative value of every message was added.
fn assert_covers(golden: &Golden, source: &str) {
    let missing: BTreeSet<_> = crate::support::declared(source).difference(&golden.1).cloned().collect();
    assert_eq!(missing, BTreeSet::new(), "messages without golden bytes");
}

fn usage() -> Usage {
    Usage {
        input_tokens: 1200,
        output_tokens: 80,
        first_token_ms: 350,
        generation_ms: 70_000,
        load_ms: 0,
        context_tokens: 8192,
        estimated: true,
    }
}

#[test]
fn session() {
    let mut golden = Golden::new();
    for place in [Place::End, Place::InsteadOf(7), Place::Again(8)] {
        golden.add(&format!("{place:?}"), &place);
    }
    let request =
        SendRequest { conversation: None, text: "hi".to_owned(), place: Place::End, unsaved: false, model: None };
    golden.add("new", &request);
    golden.add("", &SendRequest { conversation: Some(1_800_000_000_000), model: Some("m:1b".to_owned()), ..request });
    golden.add("started", &TurnItem::Started { conversation: 1_800_000_000_000, turn: 3, trace: 77, message: 12 });
    golden.add("thinking", &TurnItem::Thinking { text: "hm".to_owned() });
    golden.add("text", &TurnItem::Text { text: "hé".to_owned() });
    golden.add("notice", &TurnItem::Notice { text: "wait".to_owned() });
    golden.add("usage", &TurnItem::Usage(usage()));
    golden.add("needs secret", &TurnItem::NeedsSecret { name: "openai.api_key".to_owned(), why: "401".to_owned() });
    for reason in [EndReason::Complete, EndReason::Length, EndReason::Stopped] {
        golden.add(&format!("{reason:?}"), &reason);
    }
    golden.add("", &TurnEnd { reason: EndReason::Complete, model: "m:1b".to_owned() });
    golden.add("", &StopRequest { conversation: 9 });
    golden.add("", &Stopped { was_running: true });
    golden.add("", &UseModel { model: Some("m:1b".to_owned()) });
    assert_covers(&golden, include_str!("../../src/session.rs"));
    insta::assert_snapshot!("session", golden.0);
}

#[test]
fn model_chat() {
    let golden = chat();
    insta::assert_snapshot!("model_chat", golden.0);
}

#[test]
fn model_management() {
    let golden = management();
    insta::assert_snapshot!("model_management", golden.0);
}

#[test]
fn every_message_of_model_has_golden_bytes() {
    let mut both = chat();
    both.1.extend(management().1);
    assert_covers(&both, include_str!("../../src/model.rs"));
}

#[test]
fn health() {
    let mut golden = Golden::new();
    for level in [Level::Ok, Level::Warning, Level::Failing] {
        golden.add(&format!("{level:?}"), &level);
    }
    let check = Check {
        name: "model server".to_owned(),
        level: Level::Failing,
        found: "nothing listens".to_owned(),
        next_step: "start it".to_owned(),
    };
    golden.add("", &check);
    golden.add("", &Report { checks: vec![check] });
    assert_covers(&golden, include_str!("../../src/health.rs"));
    insta::assert_snapshot!("health", golden.0);
}

fn chat() -> Golden {
    let mut golden = Golden::new();
    for role in [Role::System, Role::User, Role::Assistant, Role::Tool] {
        golden.add(&format!("{role:?}"), &role);
    }
    for purpose in [Purpose::Chat, Purpose::Summary] {
        golden.add(&format!("{purpose:?}"), &purpose);
    }
    for embed_as in [EmbedAs::Passage, EmbedAs::Query] {
        golden.add(&format!("{embed_as:?}"), &embed_as);
    }
    for think in [Think::Default, Think::Off, Think::Low, Think::Medium, Think::High] {
        golden.add(&format!("{think:?}"), &think);
    }
    for finish in [Finish::Stop, Finish::Length, Finish::ToolCalls] {
        golden.add(&format!("{finish:?}"), &finish);
    }
    let call = ToolCall { id: "c1".to_owned(), name: "weather".to_owned(), arguments: "{}".to_owned() };
    let message = Message {
        role: Role::Assistant,
        content: "hi".to_owned(),
        thinking: "hm".to_owned(),
        tool_calls: vec![call.clone()],
        tool_call_id: Some("c0".to_owned()),
        images: vec!["aGk=".to_owned()],
    };
    let tool = ToolSpec { name: "weather".to_owned(), description: "d".to_owned(), parameters: "{}".to_owned() };
    golden.add("", &call);
    golden.add("", &message);
    golden.add("user", &Message::new(Role::User, "hi"));
    golden.add("", &tool);
    let quote = Quote { speaker: "Ann".to_owned(), text: "hi".to_owned(), at_unix_ms: 1_800_000_000_000 };
    golden.add("", &quote);
    let plain = ChatRequest {
        model: None,
        purpose: Purpose::Chat,
        recalled: vec![],
        messages: vec![Message::new(Role::User, "hi")],
        tools: vec![],
        think: Think::Default,
        context_tokens: None,
        max_tokens: None,
        temperature: None,
        format: None,
    };
    golden.add("plain", &plain);
    let full = ChatRequest {
        model: Some("m:1b".to_owned()),
        purpose: Purpose::Summary,
        recalled: vec![quote],
        messages: vec![message],
        tools: vec![tool],
        think: Think::High,
        context_tokens: Some(8192),
        max_tokens: Some(250),
        temperature: Some(0.5),
        format: Some("{}".to_owned()),
    };
    golden.add("", &full);
    let started = ChatItem::Started { model: "m:1b".to_owned(), provider: "ollama".to_owned(), context_tokens: 8192 };
    golden.add("started", &started);
    golden.add("thinking", &ChatItem::Thinking { text: "hm".to_owned() });
    golden.add("text", &ChatItem::Text { text: "hé".to_owned() });
    golden.add("tool call", &ChatItem::ToolCall(call));
    golden.add("notice", &ChatItem::Notice { text: "loading".to_owned() });
    golden.add("", &usage());
    golden.add("", &ChatEnd { finish: Finish::Stop, usage: usage() });
    golden
}

fn management() -> Golden {
    let mut golden = Golden::new();
    let info = ModelInfo {
        name: "m:1b".to_owned(),
        size_bytes: 5_000_000_000,
        parameters: "8.0B".to_owned(),
        quantization: "Q4_K_M".to_owned(),
        capabilities: vec!["completion".to_owned(), "tools".to_owned()],
        context_tokens: 131_072,
        modified_unix_ms: 1_800_000_000_000,
    };
    golden.add("", &info);
    let chosen = Some("m:1b".to_owned());
    golden.add("", &Models { provider: "ollama".to_owned(), models: vec![info.clone()], chosen });
    golden.add("", &ShowRequest { model: "m:1b".to_owned() });
    let details = ModelDetails {
        info,
        family: "f".to_owned(),
        license: "l".to_owned(),
        template: "t".to_owned(),
        defaults: "d".to_owned(),
    };
    golden.add("", &details);
    golden.add("", &PullRequest { model: None });
    let progress = PullProgress {
        status: "pulling".to_owned(),
        digest: "sha256:00".to_owned(),
        total_bytes: 5_000_000_000,
        completed_bytes: 70_000,
    };
    golden.add("", &progress);
    golden.add("", &Pulled { model: "m:1b".to_owned() });
    let running = RunningModel {
        name: "m:1b".to_owned(),
        size_bytes: 6_000_000_000,
        accelerator_bytes: 0,
        context_tokens: 8192,
        expires_unix_ms: 1_800_000_000_000,
    };
    golden.add("", &running);
    golden.add("", &Running { models: vec![running] });
    golden
        .add("", &EmbedRequest { model: None, embed_as: EmbedAs::Query, texts: vec!["a".to_owned(), "b".to_owned()] });
    golden.add("", &Embeddings { model: "e".to_owned(), vectors: vec![vec![0.0, 1.0, -0.5], vec![f32::MIN_POSITIVE]] });
    let causes = [
        Cause::ServerNotRunning,
        Cause::ModelMissing { model: "m".to_owned() },
        Cause::OutOfMemory,
        Cause::ContextExceeded { limit_tokens: 8192 },
        Cause::MidStream,
        Cause::Truncated,
        Cause::NotTheProtocol,
        Cause::Unauthorized,
        Cause::RateLimited { retry_after_ms: Some(1500) },
        Cause::ServerFault { status: 503 },
        Cause::Rejected { status: 400 },
        Cause::TimedOut,
        Cause::Unsupported,
        Cause::Displaced,
        Cause::Misconfigured,
        Cause::NeedsSecret { name: "openai.api_key".to_owned(), why: "401".to_owned() },
    ];
    for cause in causes {
        golden.add("", &cause);
    }
    let error = ModelError::new(Cause::OutOfMemory, "why");
    golden.add("", &error);
    golden.add("of a model", &Failure::from(error.clone()));
    let probe = Probe {
        provider: "ollama".to_owned(),
        url: "http://localhost:11434".to_owned(),
        server_version: Some("0.33.0".to_owned()),
        chosen: "built-in".to_owned(),
        reason: "r".to_owned(),
        problem: Some(error),
        preset: "gpt-oss:20b".to_owned(),
    };
    golden.add("", &probe);
    golden
}
