//! Servers that want a key: where it comes from, where it goes, and where it never stands.

use crate::bench::{BOTH, Bench, Kernel, Protocol, collect, patient, request};
use butterfly_api::model::{Cause, Chat, List};
use butterfly_kit::model_server::{Endpoint, Scenario};

const KEY: &str = "sk-kit-0123456789abcdef";

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ollama => "ollama.api_key",
        Protocol::OpenAi => "openai.api_key",
    }
}

#[tokio::test]
async fn a_server_that_wants_a_key_gets_the_one_of_the_vault_and_is_not_asked_twice() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let kernel = Kernel::of(&bench).await;
        bench.server.want_key(Some(KEY));
        kernel.secret(name(protocol), Some(KEY));
        let answer = kernel.say(&request("the sky")).await;
        assert_eq!(answer.text(), "You said: the sky", "{protocol:?}: {:?}", answer.end);
        assert_eq!(kernel.reads(), [name(protocol)]);

        let before = bench.server.requests().len();
        assert_eq!(kernel.say(&request("again")).await.text(), "You said: again");
        let later = &bench.server.requests()[before..];
        assert!(later.iter().all(|request| request.authorization.as_deref() == Some(&format!("Bearer {KEY}"))));
        assert_eq!(kernel.reads().len(), 1, "it is remembered");
    }
}

#[tokio::test]
async fn no_key_is_sent_to_a_server_that_wants_none() {
    let bench = Bench::new(Protocol::OpenAi).await;
    let kernel = Kernel::of(&bench).await;
    kernel.secret("openai.api_key", Some(KEY));
    assert!(kernel.say(&request("hi")).await.end.is_ok());
    assert!(bench.server.requests().iter().all(|request| request.authorization.is_none()));
    assert!(kernel.reads().is_empty());
}

#[tokio::test]
async fn a_key_that_is_not_set_is_named_and_works_as_soon_as_it_is() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let kernel = Kernel::of(&bench).await;
        bench.server.want_key(Some(KEY));
        let error = kernel.say(&request("hi")).await.error();
        let Cause::NeedsSecret { name: wanted, why } = &error.cause else { panic!("{error:?}") };
        assert_eq!(wanted, name(protocol));
        assert!(why.contains("wants a key (status 401)") && why.contains("is not set"), "{why}");
        assert!(error.message.contains("butterfly secret set"), "{}", error.message);

        kernel.secret(name(protocol), Some(KEY));
        assert!(kernel.say(&request("hi")).await.end.is_ok(), "{protocol:?}");
    }
}

#[tokio::test]
async fn a_changed_key_is_used_from_the_next_request_on() {
    let bench = Bench::new(Protocol::OpenAi).await;
    let kernel = Kernel::of(&bench).await;
    bench.server.want_key(Some(KEY));
    kernel.secret("openai.api_key", Some(KEY));
    assert!(kernel.say(&request("hi")).await.end.is_ok());

    bench.server.want_key(Some("sk-second-0123"));
    kernel.secret("openai.api_key", Some("sk-second-0123"));
    // Also where the event did not arrive yet: the refusal makes it ask.
    assert!(kernel.say(&request("hi")).await.end.is_ok());

    kernel.secret("openai.api_key", Some("sk-wrong-0123"));
    bench.server.want_key(Some("sk-third-0123"));
    let error = kernel.say(&request("hi")).await.error();
    let Cause::NeedsSecret { why, .. } = &error.cause else { panic!("{error:?}") };
    assert!(why.contains("refused the openai.api_key that is set"), "{why}");
}

#[tokio::test]
async fn a_deleted_key_is_not_sent_any_more() {
    let bench = Bench::new(Protocol::OpenAi).await;
    let kernel = Kernel::of(&bench).await;
    bench.server.want_key(Some(KEY));
    kernel.secret("openai.api_key", Some(KEY));
    assert!(kernel.say(&request("hi")).await.end.is_ok());
    kernel.secret("openai.api_key", None);
    kernel.secret_changed("openai.api_key").await;
    let before = bench.server.requests().len();
    assert!(matches!(kernel.say(&request("hi")).await.cause(), Cause::NeedsSecret { .. }));
    assert!(bench.server.requests()[before..].iter().all(|request| request.authorization.is_none()));
}

#[tokio::test]
async fn the_key_stands_in_no_error_even_where_the_server_repeats_it() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let kernel = Kernel::of(&bench).await;
        bench.server.want_key(Some(KEY));
        kernel.secret(name(protocol), Some(KEY));
        bench.server.always(Endpoint::Chat, Scenario::refuse(400, &format!("your key {KEY} may not do this")));
        let error = kernel.say(&request("hi")).await.error();
        assert!(!format!("{error:?}").contains("sk-kit") && error.message.contains("[secret]"), "{error:?}");
    }
}

#[tokio::test]
async fn a_listing_gets_the_key_too() {
    let bench = Bench::new(Protocol::OpenAi).await;
    let kernel = Kernel::of(&bench).await;
    bench.server.want_key(Some(KEY));
    kernel.secret("openai.api_key", Some(KEY));
    assert_eq!(kernel.bus.call::<List>(&()).await.unwrap().models.len(), 1);
}

#[tokio::test]
async fn a_server_far_away_gets_no_key_over_http() {
    // The kit's server under a name that is not known to be near: nothing leaves the machine.
    let bench = Bench::with(Protocol::OpenAi, patient(), &[]).await;
    let url = bench.server.v1_url().replace("127.0.0.1", "0.0.0.0");
    let kernel = Kernel::with(&[("model.provider", "openai"), ("model.url", &url)]).await;
    bench.server.want_key(Some(KEY));
    kernel.secret("openai.api_key", Some(KEY));
    let answer = collect(kernel.bus.stream::<Chat>(&request("hi")).await.unwrap()).await;
    assert_eq!(answer.cause(), Cause::Misconfigured);
    assert!(kernel.reads().is_empty() && bench.server.requests().iter().all(|request| request.authorization.is_none()));
}
