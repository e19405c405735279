//! Every way in which a server can fail, as one sentence and a cause.

use crate::bench::{Answer, BOTH, Bench, Nobody, Protocol, connect, patient, request, settings};
use butterfly_api::model::{Cause, Chat, ChatRequest, ListRunning, ModelError};
use butterfly_kit::model_server::{Ending, Endpoint, Play, Scenario, Step};
use std::time::{Duration, SystemTime};

/// Plays a scenario, always, and gives what became of a chat.
async fn played(protocol: Protocol, scenario: Scenario) -> (Bench, Answer) {
    let bench = Bench::new(protocol).await;
    bench.server.always(Endpoint::Chat, scenario);
    let answer = bench.say("hi").await;
    (bench, answer)
}

fn says(error: &ModelError, words: &[&str]) {
    for word in words {
        assert!(error.message.contains(word), "`{word}` is missing: {}", error.message);
    }
}

#[tokio::test]
async fn a_server_that_is_not_running_is_told_with_how_to_start_it() {
    let nobody = Nobody::listens();
    for (provider, how) in [("ollama", "ollama serve"), ("openai", "LM Studio")] {
        let url = format!("http://localhost:{}", nobody.port);
        let (bus, _) = connect(settings(&[("MODEL_PROVIDER", provider), ("MODEL_URL", &url)]), patient());
        let answer = crate::bench::collect(bus.stream::<Chat>(&request("hi")).await.unwrap()).await;
        assert_eq!(answer.cause(), Cause::ServerNotRunning);
        says(&answer.error(), &[how, "nothing listens there"]);
        assert!(answer.items.is_empty(), "what was named does not answer: {:?}", answer.items);
    }
}

#[tokio::test]
async fn a_missing_model_is_told_with_the_pull_command() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let answer = bench.ask(&ChatRequest { model: Some("nope:1b".into()), ..request("hi") }).await;
        assert_eq!(answer.cause(), Cause::ModelMissing { model: "nope:1b".into() });
        let next = if protocol == Protocol::Ollama { "`butterfly model pull nope:1b`" } else { "butterfly model list" };
        says(&answer.error(), &["nope:1b", next]);
    }
}

#[tokio::test]
async fn too_little_memory_is_told_and_not_retried() {
    for protocol in BOTH {
        let (bench, answer) = played(protocol, Scenario::out_of_memory()).await;
        assert_eq!(answer.cause(), Cause::OutOfMemory);
        says(&answer.error(), &["kit:latest", "12.9 GiB", "smaller model"]);
        assert_eq!(bench.server.counts().chats, 1);
    }
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_told_with_the_limit() {
    let (_, answer) = played(Protocol::Ollama, Scenario::context_exceeded()).await;
    assert_eq!(answer.cause(), Cause::ContextExceeded { limit_tokens: 32_768 });
    let (_, answer) = played(
        Protocol::OpenAi,
        Scenario::refuse(400, "This model's maximum context length is 4096 tokens. However, you requested 9000."),
    )
    .await;
    assert_eq!(answer.cause(), Cause::ContextExceeded { limit_tokens: 4096 });
    says(&answer.error(), &["4096", "new conversation"]);

    // What certainly cannot fit is not sent at all.
    let bench = Bench::new(Protocol::Ollama).await;
    let answer = bench.say(&"word ".repeat(40_000)).await;
    assert_eq!(answer.cause(), Cause::ContextExceeded { limit_tokens: 32_768 });
    assert_eq!(bench.server.counts().chats, 0);
}

#[tokio::test]
async fn an_error_line_in_the_middle_is_told_after_what_was_said() {
    for protocol in BOTH {
        let play = Play::say("Once upon").ending(Ending::Error("the runner crashed".into()));
        let (bench, answer) = played(protocol, play.into()).await;
        assert_eq!((answer.text().as_str(), answer.cause()), ("Once upon", Cause::MidStream), "{protocol:?}");
        says(&answer.error(), &["the runner crashed"]);
        assert_eq!(bench.server.counts().chats, 1, "what has begun is not begun again");
    }
}

#[tokio::test]
async fn an_error_line_that_speaks_of_memory_is_that() {
    for protocol in BOTH {
        let play = Play::steps([]).ending(Ending::Error("cudaMalloc failed: out of memory".into()));
        assert_eq!(played(protocol, play.into()).await.1.cause(), Cause::OutOfMemory, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_stream_without_its_end_mark_is_truncated() {
    for protocol in BOTH {
        for ending in [Ending::CutClean, Ending::CutHard] {
            let (bench, answer) = played(protocol, Play::say("Once upon").ending(ending).into()).await;
            assert_eq!((answer.text().as_str(), answer.cause()), ("Once upon", Cause::Truncated), "{protocol:?}");
            assert_eq!(bench.server.counts().chats, 1, "what has begun is not begun again");
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_tried_again_and_then_told() {
    for protocol in BOTH {
        let (bench, answer) = played(protocol, Scenario::Hangup).await;
        assert_eq!(answer.cause(), Cause::Truncated, "{protocol:?}");
        assert_eq!(bench.server.counts().chats, 4, "once, and three times more");
    }
}

#[tokio::test]
async fn strangers_are_recognised() {
    let page = |status, body: &str| Scenario::Page { status, content_type: "text/plain", body: body.into() };
    for protocol in BOTH {
        for scenario in [
            Scenario::captive_portal(),
            Scenario::not_json(),
            page(200, "<html>no content type</html>"),
            page(200, "{\"hello\":\"world\"}\n"),
            page(404, "404 page not found"),
            page(511, ""),
            Scenario::huge_line(2 << 20),
        ] {
            let (bench, answer) = played(protocol, scenario.clone()).await;
            assert_eq!(answer.cause(), Cause::NotTheProtocol, "{protocol:?} {scenario:?}");
            says(&answer.error(), &["model.url"]);
            assert_eq!(bench.server.counts().chats, 1);
        }
    }
    let (_, answer) = played(Protocol::Ollama, Scenario::captive_portal()).await;
    says(&answer.error(), &["sign-in page"]);
    let (_, answer) = played(Protocol::Ollama, Scenario::huge_line(2 << 20)).await;
    says(&answer.error(), &["longer than 1 MiB"]);
}

#[tokio::test]
async fn what_is_no_http_at_all_is_a_stranger() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
        }
    });
    let (bus, _) = connect(settings(&[("MODEL_URL", &url)]), patient());
    let failure = bus.call::<ListRunning>(&()).await.unwrap_err();
    assert_eq!(crate::bench::declared(&failure).cause, Cause::NotTheProtocol);
}

#[tokio::test]
async fn without_a_vault_no_key_is_looked_for_and_the_vault_is_named() {
    for protocol in BOTH {
        for status in [401, 403] {
            let (_, answer) = played(protocol, Scenario::refuse(status, "unauthorized")).await;
            assert_eq!(answer.cause(), Cause::Unauthorized);
            says(&answer.error(), &["keys come with the vault", "never from an environment"]);
        }
    }
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_told() {
    let soon = httpdate::fmt_http_date(SystemTime::now());
    for protocol in BOTH {
        for value in ["0", soon.as_str()] {
            let bench = Bench::new(protocol).await;
            bench.server.next(Endpoint::Chat, Scenario::rate_limited(value));
            let answer = bench.say("hi").await;
            assert_eq!(answer.text(), "You said: hi", "{protocol:?}");
            assert!(answer.notices()[0].contains("asked to wait"), "{:?}", answer.notices());
        }
    }
}

#[tokio::test]
async fn a_long_retry_after_is_told_and_not_waited_for() {
    let late = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(7200));
    for protocol in BOTH {
        let (bench, answer) = played(protocol, Scenario::rate_limited("3600")).await;
        assert_eq!(answer.cause(), Cause::RateLimited { retry_after_ms: Some(3_600_000) });
        says(&answer.error(), &["3600 s"]);
        assert_eq!(bench.server.counts().chats, 1);

        let (_, answer) = played(protocol, Scenario::rate_limited(&late)).await;
        let Cause::RateLimited { retry_after_ms: Some(ms) } = answer.cause() else { panic!("{answer:?}") };
        assert!(ms > 3_600_000, "{ms}");
    }
}

#[tokio::test]
async fn who_is_always_told_to_wait_gives_up() {
    for protocol in BOTH {
        let (bench, answer) = played(protocol, Scenario::rate_limited("0")).await;
        assert_eq!(answer.cause(), Cause::RateLimited { retry_after_ms: Some(0) });
        assert_eq!(bench.server.counts().chats, 3, "once, and two pauses");
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_not_seen() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.next(Endpoint::Chat, Scenario::refuse(500, "something went wrong"));
        bench.server.next(Endpoint::Chat, Scenario::refuse(503, "server busy"));
        let answer = bench.say("hi").await;
        assert_eq!(answer.text(), "You said: hi", "{protocol:?}");
        assert_eq!(bench.server.counts().chats, 3);
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_told_after_a_few_attempts() {
    for protocol in BOTH {
        for status in [500, 502, 503] {
            let (bench, answer) = played(protocol, Scenario::refuse(status, "the disk is on fire")).await;
            assert_eq!(answer.cause(), Cause::ServerFault { status });
            says(&answer.error(), &["the disk is on fire"]);
            assert_eq!(bench.server.counts().chats, 4, "once, and three times more");
        }
    }
}

#[tokio::test]
async fn another_refusal_quotes_the_server() {
    for protocol in BOTH {
        let (bench, answer) = played(protocol, Scenario::refuse(400, "temperature must be positive")).await;
        assert_eq!(answer.cause(), Cause::Rejected { status: 400 });
        says(&answer.error(), &["temperature must be positive"]);
        assert_eq!(bench.server.counts().chats, 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        let elsewhere = format!("{}/elsewhere", bench.server.url());
        let headers = vec![("location", elsewhere)];
        bench.server.always(Endpoint::Chat, Scenario::Refuse { status: 307, message: String::new(), headers });
        let answer = bench.say("hi").await;
        assert_eq!(answer.cause(), Cause::Rejected { status: 307 });
        assert!(bench.server.requests().iter().all(|request| request.path != "/elsewhere"));
    }
}

#[tokio::test]
async fn silence_before_and_within_an_answer_is_told() {
    let short = Duration::from_millis(50);
    for protocol in BOTH {
        let timeouts = butterfly_model::Timeouts { first_token: short, ..patient() };
        let bench = Bench::with(protocol, timeouts, &[]).await;
        bench.server.next(Endpoint::Chat, Scenario::Silence);
        let answer = bench.say("hi").await;
        assert_eq!(answer.cause(), Cause::TimedOut, "{protocol:?}");
        bench.server.until(|counts| counts.aborted == 1).await;

        let timeouts = butterfly_model::Timeouts { idle: short, ..patient() };
        let bench = Bench::with(protocol, timeouts, &[]).await;
        bench.server.next(Endpoint::Chat, Play::say("Once").ending(Ending::Stall).into());
        let answer = bench.say("hi").await;
        assert_eq!((answer.text().as_str(), answer.cause()), ("Once", Cause::TimedOut), "{protocol:?}");
        bench.server.until(|counts| counts.aborted == 1).await;
    }
}

#[tokio::test]
async fn bad_settings_are_told_by_every_call_and_crash_nothing() {
    let (bus, worker) = connect(settings(&[("MODEL_PROVIDER", "gpt5")]), patient());
    let answer = crate::bench::collect(bus.stream::<Chat>(&request("hi")).await.unwrap()).await;
    assert_eq!(answer.cause(), Cause::Misconfigured);
    says(&answer.error(), &["BUTTERFLY_MODEL_PROVIDER", "gpt5", "ollama, openai or builtin"]);
    let failure = bus.call::<ListRunning>(&()).await.unwrap_err();
    assert_eq!(crate::bench::declared(&failure).cause, Cause::Misconfigured);
    let probe = bus.call::<butterfly_api::model::ProbeServer>(&()).await.unwrap();
    assert_eq!(probe.problem.unwrap().cause, Cause::Misconfigured);
    let checks = worker.checks().await;
    assert_eq!(checks[0].level, butterfly_api::health::Level::Failing);
    assert!(checks[0].next_step.contains("ollama, openai or builtin"), "{checks:?}");
}

#[tokio::test]
async fn an_https_address_of_a_plain_server_is_no_trusted_connection() {
    let bench = Bench::new(Protocol::Ollama).await;
    let url = bench.server.url().replace("http:", "https:");
    let (bus, _) = connect(settings(&[("MODEL_URL", &url)]), patient());
    let failure = bus.call::<ListRunning>(&()).await.unwrap_err();
    let error = crate::bench::declared(&failure);
    // Where the system has no roots at all, that is said first.
    assert!(matches!(error.cause, Cause::NotTheProtocol | Cause::Misconfigured), "{error:?}");
}

#[tokio::test]
async fn a_step_of_nothing_but_blank_lines_is_no_answer() {
    for protocol in BOTH {
        let play = Play::steps([Step::Raw(b"\n\n\r\n".to_vec())]).ending(Ending::CutClean);
        assert_eq!(played(protocol, play.into()).await.1.cause(), Cause::Truncated, "{protocol:?}");
    }
}
