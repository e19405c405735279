//! Fetching a model.

use crate::bench::{Bench, Protocol, declared, patient, unnamed};
use butterfly_api::model::{Cause, Pull, PullProgress, PullRequest, Pulled};
use butterfly_client::{Bus, Next};
use butterfly_kit::model_server::{Ending, Endpoint, Play, Scenario};
use butterfly_model::Timeouts;
use butterfly_wire::Failure;
use std::time::Duration;

async fn pull(bus: &Bus, model: Option<&str>) -> (Vec<PullProgress>, Result<Pulled, Failure>) {
    let request = PullRequest { model: model.map(str::to_owned) };
    let mut stream = bus.stream::<Pull>(&request).await.unwrap();
    let mut progress = Vec::new();
    loop {
        match stream.next().await {
            Ok(Next::Item(item)) => progress.push(item),
            Ok(Next::End(end)) => return (progress, Ok(end)),
            Err(failure) => return (progress, Err(failure)),
        }
    }
}

#[tokio::test]
async fn a_pull_reports_every_layer_to_its_end_and_the_model_is_used_then() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.uninstall("kit");
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "builtin");

    let (progress, pulled) = pull(&bench.bus, None).await;
    assert_eq!(pulled.unwrap().model, "qwen3:4b", "the preset for 8 GiB");
    let mut layers: Vec<&str> =
        progress.iter().map(|item| item.digest.as_str()).filter(|digest| !digest.is_empty()).collect();
    layers.dedup();
    assert_eq!(layers.len(), 3);
    for layer in layers {
        let of_layer: Vec<_> = progress.iter().filter(|item| item.digest == layer).collect();
        assert_eq!(of_layer[0].completed_bytes, 0, "absent at first");
        assert!(of_layer.is_sorted_by_key(|item| item.completed_bytes));
        let last = of_layer[of_layer.len() - 1];
        assert!(last.total_bytes > 0 && last.completed_bytes == last.total_bytes, "{last:?}");
    }
    assert_eq!(progress.last().unwrap().status, "success");
    assert_eq!(bench.ask(&unnamed("hi")).await.started().0, "qwen3:4b");
}

#[tokio::test]
async fn a_pull_that_breaks_off_is_resumed_and_not_begun_anew() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.next(Endpoint::Pull, Scenario::PullCut { after_bytes: 2_500_000 });
    bench.server.next(Endpoint::Pull, Scenario::PullCut { after_bytes: 500_000 });
    let (progress, pulled) = pull(&bench.bus, Some("new:1b")).await;
    assert_eq!(pulled.unwrap().model, "new:1b");
    assert_eq!(bench.server.requests_of(Endpoint::Pull).len(), 3);
    assert!(progress.iter().any(|item| item.status.contains("resuming")), "{progress:?}");
    let big = progress.iter().filter(|item| item.total_bytes == 4_000_000);
    let counts: Vec<u64> = big.map(|item| item.completed_bytes).collect();
    assert!(counts.contains(&2_500_000) && counts.is_sorted(), "{counts:?}");
}

#[tokio::test]
async fn a_pull_that_falls_silent_is_asked_for_again() {
    let timeouts = Timeouts { pull_idle: Duration::from_millis(100), ..patient() };
    let bench = Bench::with(Protocol::Ollama, timeouts, &[]).await;
    bench.server.next(Endpoint::Pull, Scenario::PullStall { after_bytes: 1_000_000 });
    let (_, pulled) = pull(&bench.bus, Some("new:1b")).await;
    assert!(pulled.is_ok(), "{pulled:?}");
    bench.server.until(|counts| counts.aborted == 1).await;
}

#[tokio::test]
async fn a_pull_without_any_progress_ends() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.always(Endpoint::Pull, Scenario::Hangup);
    let (_, pulled) = pull(&bench.bus, Some("new:1b")).await;
    assert_eq!(declared(&pulled.unwrap_err()).cause, Cause::Truncated);
    assert_eq!(bench.server.requests_of(Endpoint::Pull).len(), 5);
}

#[tokio::test]
async fn a_model_that_nobody_has_is_told_at_once() {
    let bench = Bench::new(Protocol::Ollama).await;
    let line = "pull model manifest: file does not exist".to_owned();
    bench.server.always(Endpoint::Pull, Play::steps([]).ending(Ending::Error(line)).into());
    let (_, pulled) = pull(&bench.bus, Some("no-such:1b")).await;
    let error = declared(&pulled.unwrap_err());
    assert_eq!(error.cause, Cause::ModelMissing { model: "no-such:1b".into() });
    assert!(error.message.contains("ollama.com/library"), "{}", error.message);
    assert_eq!(bench.server.requests_of(Endpoint::Pull).len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_told_with_the_servers_words() {
    let bench = Bench::new(Protocol::Ollama).await;
    let line = "write /models/blobs/sha256-1: no space left on device".to_owned();
    bench.server.always(Endpoint::Pull, Play::steps([]).ending(Ending::Error(line)).into());
    let error = declared(&pull(&bench.bus, Some("new:1b")).await.1.unwrap_err());
    assert_eq!(error.cause, Cause::MidStream);
    assert!(error.message.contains("no space left"), "{}", error.message);
}

#[tokio::test]
async fn the_others_cannot_pull() {
    let bench = Bench::new(Protocol::OpenAi).await;
    assert_eq!(declared(&pull(&bench.bus, None).await.1.unwrap_err()).cause, Cause::Unsupported);
    let (bus, _) = crate::bench::connect(crate::bench::settings(&[("MODEL_PROVIDER", "builtin")]), patient());
    let error = declared(&pull(&bus, None).await.1.unwrap_err());
    assert_eq!(error.cause, Cause::Unsupported);
    assert!(error.message.contains("butterfly config set model.provider ollama"), "{}", error.message);
}
