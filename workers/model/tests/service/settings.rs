//! Settings while the worker runs, and which model they choose for what.

use crate::bench::{Bench, Kernel, Protocol, collect, connect, patient, settings, unnamed};
use butterfly_api::model::{Cause, Chat, ChatRequest, ProbeServer, Purpose, Quote};
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer};

#[tokio::test]
async fn the_values_of_the_config_service_replace_the_overrides() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::chat("other:1b"));
    let kernel = Kernel::of(&bench).await;
    kernel.set("model.name", "other:1b").await;
    assert_eq!(kernel.until_chosen("other:1b").await.reason, "other:1b answers, because model.name names it.");
    assert_eq!(kernel.say(&unnamed("hi")).await.started().0, "other:1b");
    kernel.set("model.name", "kit:latest").await;
    kernel.until_chosen("kit:latest").await;
}

#[tokio::test]
async fn another_server_is_used_without_a_restart() {
    let bench = Bench::new(Protocol::Ollama).await;
    let kernel = Kernel::of(&bench).await;
    assert_eq!(kernel.say(&unnamed("hi")).await.started().0, "kit:latest");
    let second = ModelServer::start().await.unwrap();
    second.install(Installed::chat("elsewhere:1b"));
    kernel.set("model.url", &second.url()).await;
    kernel.until_chosen("elsewhere:1b").await;
    assert_eq!(kernel.say(&unnamed("hi")).await.started().0, "elsewhere:1b");
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named_and_stops_nothing() {
    let bench = Bench::new(Protocol::Ollama).await;
    let kernel = Kernel::of(&bench).await;
    kernel.set("model.provider", "gpt5").await;
    kernel.until_chosen("none").await;
    let error = kernel.say(&unnamed("hi")).await.error();
    assert_eq!(error.cause, Cause::Misconfigured);
    assert!(error.message.starts_with("model.provider cannot be used as it is"), "{}", error.message);
    kernel.set("model.provider", "ollama").await;
    kernel.until_chosen("kit:latest").await;
}

#[tokio::test]
async fn without_a_config_service_the_overrides_stay_in_force() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MODEL", "kit:latest")]).await;
    let kernel = Kernel::silent(&bench).await;
    assert_eq!(kernel.say(&unnamed("hi")).await.started().0, "kit:latest");
}

#[tokio::test]
async fn each_purpose_has_its_model() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MEMORY_SUMMARY_MODEL", "small:1b")]).await;
    bench.server.install(Installed::chat("small:1b"));
    bench.server.load("kit", 8192);
    let summary = ChatRequest { purpose: Purpose::Summary, ..unnamed("sum up") };
    assert_eq!(bench.ask(&summary).await.started().0, "small:1b");
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "kit:latest");
    let named = ChatRequest { model: Some("kit:latest".to_owned()), ..summary };
    assert_eq!(bench.ask(&named).await.started().0, "kit:latest", "a request's own model comes first");
}

#[tokio::test]
async fn a_context_that_is_set_is_asked_for() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MODEL_CONTEXT", "16384")]).await;
    bench.say("hi").await;
    assert_eq!(bench.server.requests_of(Endpoint::Chat)[0].body["options"]["num_ctx"], 16_384);
    bench.ask(&ChatRequest { context_tokens: Some(4096), ..crate::bench::request("hi") }).await;
    assert_eq!(bench.server.requests_of(Endpoint::Chat)[1].body["options"]["num_ctx"], 4096);
}

#[tokio::test]
async fn the_built_in_responder_repeats_what_memory_found() {
    let (bus, _) = connect(settings(&[("MODEL_PROVIDER", "builtin")]), patient());
    let recalled =
        vec![Quote { speaker: "user".into(), text: "My sister lives in Graz.".into(), at_unix_ms: 1_700_000_000_000 }];
    let asked = ChatRequest { recalled, ..unnamed("Where does my sister live?") };
    let answer = collect(bus.stream::<Chat>(&asked).await.unwrap()).await;
    let text = answer.text();
    assert!(text.contains("You, on 14 November 2023, 22:13 UTC: “My sister lives in Graz.”"), "{text}");
    assert!(text.contains("no language model"), "{text}");
    assert_eq!(bus.call::<ProbeServer>(&()).await.unwrap().chosen, "builtin");
}
