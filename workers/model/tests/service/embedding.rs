//! Vectors of texts.

use crate::bench::{BOTH, Bench, Protocol, declared, patient};
use butterfly_api::model::{Cause, Embed, EmbedAs, EmbedRequest};
use butterfly_kit::model_server::{Endpoint, Installed, Scenario};
use butterfly_wire::ErrorCode;

fn texts(count: usize) -> EmbedRequest {
    EmbedRequest { model: None, embed_as: EmbedAs::Passage, texts: (0..count).map(|at| format!("text {at}")).collect() }
}

#[tokio::test]
async fn a_batch_gets_one_vector_per_text_in_order() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.install(Installed::embedding("all-minilm"));
        let batch = bench.bus.call::<Embed>(&texts(64)).await.unwrap();
        assert_eq!((batch.model.as_str(), batch.vectors.len()), ("all-minilm:latest", 64), "{protocol:?}");
        for at in [0, 7, 63] {
            let one = EmbedRequest { texts: vec![format!("text {at}")], ..texts(0) };
            assert_eq!(bench.bus.call::<Embed>(&one).await.unwrap().vectors[0], batch.vectors[at]);
        }
        assert_eq!(bench.server.requests_of(Endpoint::Embed)[0].body["input"].as_array().unwrap().len(), 64);
    }
}

#[tokio::test]
async fn too_many_texts_are_the_callers_fault_and_none_are_nothing() {
    let bench = Bench::with(Protocol::Ollama, patient(), &[("MODEL_EMBEDDING", "mine")]).await;
    let failure = bench.bus.call::<Embed>(&texts(65)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::BadPayload);
    let none = bench.bus.call::<Embed>(&texts(0)).await.unwrap();
    assert_eq!((none.model.as_str(), none.vectors.len()), ("mine", 0));
    assert_eq!(bench.server.counts().requests, 0);
}

#[tokio::test]
async fn without_an_embedding_model_the_pull_command_is_told() {
    let bench = Bench::new(Protocol::Ollama).await;
    let error = declared(&bench.bus.call::<Embed>(&texts(1)).await.unwrap_err());
    assert_eq!(error.cause, Cause::ModelMissing { model: "all-minilm".into() });
    assert!(error.message.contains("butterfly model pull all-minilm"), "{}", error.message);
}

#[tokio::test]
async fn a_fault_is_retried_and_wrong_counts_are_refused() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.install(Installed::embedding("all-minilm"));
        bench.server.next(Endpoint::Embed, Scenario::refuse(500, "busy"));
        assert_eq!(bench.bus.call::<Embed>(&texts(2)).await.unwrap().vectors.len(), 2, "{protocol:?}");

        let body = r#"{"embeddings":[],"data":[]}"#.to_owned();
        bench.server.next(Endpoint::Embed, Scenario::Page { status: 200, content_type: "application/json", body });
        let error = declared(&bench.bus.call::<Embed>(&texts(2)).await.unwrap_err());
        assert_eq!(error.cause, Cause::NotTheProtocol, "{protocol:?}");
    }
}

#[tokio::test]
async fn vectors_that_no_frame_can_carry_are_told_before_they_are_sent() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::embedding("all-minilm"));
    let vector = vec![0.5_f32; 8192];
    let body = serde_json::json!({ "embeddings": vec![vector; 40] }).to_string();
    bench.server.next(Endpoint::Embed, Scenario::Page { status: 200, content_type: "application/json", body });
    let failure = bench.bus.call::<Embed>(&texts(40)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TooLarge);
    assert!(failure.message.contains("texts at once"), "{}", failure.message);
}

#[tokio::test]
async fn a_family_that_was_trained_with_prefixes_gets_them() {
    for protocol in BOTH {
        let bench = Bench::with(protocol, patient(), &[("MODEL_EMBEDDING", "nomic-embed-text:v1.5")]).await;
        bench.server.install(Installed::embedding("nomic-embed-text:v1.5"));
        for embed_as in [EmbedAs::Query, EmbedAs::Passage] {
            bench.bus.call::<Embed>(&EmbedRequest { embed_as, ..texts(1) }).await.unwrap();
        }
        let inputs: Vec<_> =
            bench.server.requests_of(Endpoint::Embed).iter().map(|request| request.body["input"][0].clone()).collect();
        assert_eq!(inputs, ["search_query: text 0", "search_document: text 0"], "{protocol:?}");
    }
}

#[tokio::test]
async fn the_chosen_embedding_model_is_named_and_replaced_when_it_goes() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::embedding("all-minilm"));
    assert_eq!(bench.bus.call::<Embed>(&texts(1)).await.unwrap().model, "all-minilm:latest");
    bench.server.uninstall("all-minilm");
    bench.server.install(Installed::embedding("bge-large"));
    let error = declared(&bench.bus.call::<Embed>(&texts(1)).await.unwrap_err());
    assert!(matches!(error.cause, Cause::ModelMissing { .. }), "{error}");
    assert_eq!(bench.bus.call::<Embed>(&texts(1)).await.unwrap().model, "bge-large:latest");
}

#[tokio::test]
async fn without_a_provider_that_embeds_it_is_said_so() {
    let (bus, _) = crate::bench::connect(crate::bench::settings(&[("MODEL_PROVIDER", "builtin")]), patient());
    let error = declared(&bus.call::<Embed>(&texts(1)).await.unwrap_err());
    assert_eq!(error.cause, Cause::Unsupported);
    let bench = Bench::new(Protocol::OpenAi).await;
    let error = declared(&bench.bus.call::<Embed>(&texts(1)).await.unwrap_err());
    assert!(error.message.contains("butterfly config set model.embedding"), "{}", error.message);
}
