//! Who answers when nobody was named, and what a first run is told.

use crate::bench::{Answer, Bench, Nobody, Protocol, collect, connect, declared, patient, request, settings, unnamed};
use butterfly_api::health::Level;
use butterfly_api::model::{Cause, Chat, ChatRequest, List, ListRunning, ProbeServer, Show, ShowRequest};
use butterfly_client::Bus;
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Scenario};

async fn ask(bus: &Bus, request: &ChatRequest) -> Answer {
    collect(bus.stream::<Chat>(request).await.unwrap()).await
}

#[tokio::test]
async fn an_installed_chat_model_answers_and_is_named() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::embedding("all-minilm").newer_by(99));
    bench.server.install(Installed::chat("newer:3b").newer_by(10));
    assert_eq!(bench.ask(&unnamed("hi")).await.started(), ("newer:3b", "ollama", 8192));

    let models = bench.bus.call::<List>(&()).await.unwrap();
    assert_eq!((models.provider.as_str(), models.chosen.as_deref()), ("ollama", Some("newer:3b")));
    let kit = models.models.iter().find(|model| model.name == "kit:latest").unwrap();
    assert_eq!((kit.context_tokens, kit.size_bytes, kit.parameters.as_str()), (32_768, 5_000_000_000, "8.2B"));
    assert_eq!(kit.capabilities, ["completion", "tools"]);

    let probe = bench.bus.call::<ProbeServer>(&()).await.unwrap();
    assert_eq!((probe.chosen.as_str(), probe.server_version.as_deref()), ("newer:3b", Some("0.33.0")));
    assert!(probe.problem.is_none() && probe.reason.contains("installed last"), "{probe:?}");
    assert_eq!(probe.preset, "qwen3:4b", "for 8 GiB");
}

#[tokio::test]
async fn the_model_that_is_loaded_answers_before_a_newer_one() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::chat("newer:3b").newer_by(10));
    bench.server.load("kit", 8192);
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "kit:latest");
    let running = bench.bus.call::<ListRunning>(&()).await.unwrap();
    assert_eq!((running.models[0].name.as_str(), running.models[0].context_tokens), ("kit:latest", 8192));
    assert!(running.models[0].expires_unix_ms > 0 && running.models[0].accelerator_bytes > 0);
}

#[tokio::test]
async fn the_first_model_of_an_openai_server_answers() {
    let bench = Bench::new(Protocol::OpenAi).await;
    bench.server.only_v1();
    assert_eq!(bench.ask(&unnamed("hi")).await.started(), ("kit:latest", "openai", 32_768));
    let show = bench.bus.call::<Show>(&ShowRequest { model: "kit:latest".into() }).await.unwrap();
    assert_eq!(show.info.context_tokens, 32_768);
    assert!(bench.bus.call::<ListRunning>(&()).await.unwrap().models.is_empty());
}

#[tokio::test]
async fn the_configured_model_answers_and_is_never_replaced() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MODEL", "other:7b")]).await;
    let answer = bench.ask(&unnamed("hi")).await;
    assert_eq!(answer.cause(), Cause::ModelMissing { model: "other:7b".into() });
    let probe = bench.bus.call::<ProbeServer>(&()).await.unwrap();
    assert_eq!(probe.chosen, "other:7b");
    assert!(probe.problem.unwrap().message.contains("butterfly model pull other:7b"));

    bench.server.install(Installed::chat("other:7b"));
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "other:7b");
    assert!(bench.bus.call::<ProbeServer>(&()).await.unwrap().problem.is_none());
    assert_eq!(bench.ask(&request("hi")).await.started().0, "kit:latest", "a request's own model comes first");
}

#[tokio::test]
async fn without_a_server_the_built_in_responder_answers_and_says_what_to_do() {
    let nobody = Nobody::listens();
    let (bus, worker) = connect(settings(&[("MODEL_URL", &nobody.url())]), patient());
    let answer = ask(&bus, &unnamed("why is the sky blue?")).await;
    assert!(answer.end.is_ok());
    assert_eq!(answer.started().0, "builtin");
    assert!(answer.notices()[0].contains("ollama serve"), "{:?}", answer.notices());
    assert!(answer.text().contains("no language model") && answer.text().contains("butterfly model pull qwen3:4b"));

    let probe = bus.call::<ProbeServer>(&()).await.unwrap();
    assert_eq!((probe.chosen.as_str(), probe.server_version), ("builtin", None));
    assert_eq!(probe.problem.unwrap().cause, Cause::ServerNotRunning);
    let failure = bus.call::<List>(&()).await.unwrap_err();
    assert_eq!(declared(&failure).cause, Cause::ServerNotRunning);
    let checks = worker.checks().await;
    assert_eq!((checks[0].name.as_str(), checks[0].level), ("model server", Level::Warning));
    assert!(checks[0].next_step.contains("ollama serve"), "{checks:?}");
}

#[tokio::test]
async fn without_a_model_the_responder_offers_the_preset_for_this_memory() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.uninstall("kit");
    bench.server.install(Installed::embedding("all-minilm"));
    bench.server.install(Installed { remote: true, ..Installed::chat("gpt-oss:120b-cloud") });
    let answer = bench.ask(&unnamed("hi")).await;
    assert!(answer.end.is_ok() && answer.notices()[0].contains("`butterfly model pull qwen3:4b`"), "{answer:?}");
    let probe = bench.bus.call::<ProbeServer>(&()).await.unwrap();
    assert_eq!(probe.chosen, "builtin");
    assert_eq!(probe.problem.unwrap().cause, Cause::ModelMissing { model: "qwen3:4b".into() });
    assert_eq!(bench.worker.checks().await[1].level, Level::Warning);

    bench.server.install(Installed::chat("qwen3:4b"));
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "qwen3:4b", "the next message goes to it");
    let checks = bench.worker.checks().await;
    assert!(checks.iter().all(|check| check.level == Level::Ok && check.next_step.is_empty()), "{checks:?}");
}

#[tokio::test]
async fn background_work_is_never_answered_by_the_responder() {
    let nobody = Nobody::listens();
    let (bus, _) = connect(settings(&[("MODEL_URL", &nobody.url())]), patient());
    assert_eq!(ask(&bus.background(), &unnamed("sum up")).await.cause(), Cause::ServerNotRunning);
    let (bus, _) = connect(settings(&[("MODEL_PROVIDER", "builtin")]), patient());
    assert_eq!(ask(&bus.background(), &unnamed("sum up")).await.cause(), Cause::Unsupported);
}

#[tokio::test]
async fn the_responder_can_be_chosen_and_named() {
    let (bus, worker) = connect(settings(&[("MODEL_PROVIDER", "builtin")]), patient());
    let answer = ask(&bus, &unnamed("help")).await;
    assert!(answer.notices().is_empty() && answer.text().contains("butterfly doctor"), "{answer:?}");
    assert!(answer.items.len() > 20, "it streams word by word");
    assert_eq!(bus.call::<ProbeServer>(&()).await.unwrap().problem, None);
    assert_eq!(bus.call::<List>(&()).await.unwrap().chosen.as_deref(), Some("builtin"));
    assert_eq!(worker.checks().await[0].level, Level::Ok);

    let bench = Bench::new(Protocol::Ollama).await;
    let named = ChatRequest { model: Some("builtin".into()), ..request("who are you?") };
    assert_eq!(bench.ask(&named).await.started().0, "builtin");
    assert_eq!(bench.server.counts().requests, 0);
}

#[tokio::test]
async fn a_chosen_model_that_vanished_is_replaced_within_the_call() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::chat("newer:3b").newer_by(10));
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "newer:3b");
    bench.server.uninstall("newer:3b");
    let answer = bench.ask(&unnamed("hi again")).await;
    assert_eq!((answer.started().0, answer.text().as_str()), ("kit:latest", "You said: hi again"));
}

#[tokio::test]
async fn a_server_that_is_started_later_is_found() {
    let nobody = Nobody::listens();
    let (bus, _) = connect(settings(&[("MODEL_URL", &nobody.url())]), patient());
    assert_eq!(ask(&bus, &unnamed("hi")).await.started().0, "builtin");
    let port = nobody.port;
    drop(nobody);
    let server = ModelServer::start_on(port).await.unwrap();
    server.install(Installed::chat("kit"));
    assert_eq!(ask(&bus, &unnamed("hi")).await.started().0, "kit:latest");
}

#[tokio::test]
async fn a_server_that_answers_wrongly_is_no_absent_one() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.always(Endpoint::Tags, Scenario::captive_portal());
    assert_eq!(bench.ask(&unnamed("hi")).await.cause(), Cause::NotTheProtocol);
    let probe = bench.bus.call::<ProbeServer>(&()).await.unwrap();
    assert_eq!((probe.chosen.as_str(), probe.problem.unwrap().cause), ("none", Cause::NotTheProtocol));
}

#[tokio::test]
async fn a_shown_model_has_its_details() {
    let bench = Bench::new(Protocol::Ollama).await;
    let show = bench.bus.call::<Show>(&ShowRequest { model: "kit".into() }).await.unwrap();
    assert_eq!((show.info.name.as_str(), show.info.size_bytes), ("kit:latest", 5_000_000_000));
    assert!(show.license.contains("Apache") && show.defaults.contains("temperature"), "{show:?}");
    let failure = bench.bus.call::<Show>(&ShowRequest { model: "nope".into() }).await.unwrap_err();
    assert_eq!(declared(&failure).cause, Cause::ModelMissing { model: "nope".into() });
}
