//! A conversation across everything: client or program → kernel → brains → model → an HTTP server that speaks Ollama's
//! or OpenAI's protocol.

use crate::support::run;
use butterfly_api::conversations::{self, MessageState, ShowRequest, StoredMessage};
use butterfly_api::secret::Secret;
use butterfly_api::session::{EndReason, Place, Send, SendRequest, Stop, StopRequest, TurnEnd, TurnItem};
use butterfly_api::vault;
use butterfly_client::{Bus, Next, Stream};
use butterfly_kit::harness::{Instance, Which, back, program, worker};
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Play, Scenario, Step};
use butterfly_wire::Failure;
use serde_json::Value;
use std::process::{Output, Stdio};
use std::time::Duration;

fn words(words: &[&str]) -> Vec<Step> {
    words.iter().map(|word| Step::Text((*word).to_owned())).collect()
}

async fn server() -> anyhow::Result<ModelServer> {
    let server = ModelServer::start().await?;
    server.install(Installed::chat("kit:latest"));
    Ok(server)
}

async fn assistant(server: &ModelServer) -> anyhow::Result<(Instance, Bus)> {
    Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &server.url())]).await
}

fn say(conversation: Option<u64>, text: &str) -> SendRequest {
    SendRequest { conversation, text: text.to_owned(), place: Place::End, unsaved: false, model: None }
}

/// Everything that a turn gave, and how it ended.
struct Turn {
    conversation: u64,
    text: String,
    notices: Vec<String>,
    end: Result<TurnEnd, Failure>,
}

async fn read(mut stream: Stream<Send>) -> Turn {
    let mut turn = Turn {
        conversation: 0,
        text: String::new(),
        notices: Vec::new(),
        end: Err(Failure::new(butterfly_wire::ErrorCode::Internal, "unread")),
    };
    loop {
        match stream.next().await {
            Ok(Next::Item(TurnItem::Started { conversation, .. })) => turn.conversation = conversation,
            Ok(Next::Item(TurnItem::Text { text })) => turn.text.push_str(&text),
            Ok(Next::Item(TurnItem::Notice { text })) => turn.notices.push(text),
            Ok(Next::Item(TurnItem::Thinking { .. } | TurnItem::Usage(_) | TurnItem::NeedsSecret { .. })) => {}
            Ok(Next::End(end)) => {
                turn.end = Ok(end);
                return turn;
            }
            Err(failure) => {
                turn.end = Err(failure);
                return turn;
            }
        }
    }
}

async fn turn(bus: &Bus, request: &SendRequest) -> anyhow::Result<Turn> {
    Ok(read(bus.stream::<Send>(request).await?).await)
}

/// Reads until this text has come, and returns the conversation.
async fn read_until(stream: &mut Stream<Send>, wanted: &str) -> anyhow::Result<u64> {
    let (mut conversation, mut text) = (0, String::new());
    while !text.contains(wanted) {
        match stream.next().await? {
            Next::Item(TurnItem::Started { conversation: id, .. }) => conversation = id,
            Next::Item(TurnItem::Text { text: more }) => text.push_str(&more),
            Next::Item(_) => {}
            Next::End(end) => anyhow::bail!("ended before {wanted}: {end:?}"),
        }
    }
    Ok(conversation)
}

#[test]
fn an_answer_streams_token_by_token_over_both_protocols() {
    run(async {
        for openai in [false, true] {
            let server = server().await?;
            let held = Play::steps([words(&["one ", "two "]), vec![Step::Hold], words(&["three"])].concat());
            server.next(Endpoint::Chat, held.into());
            let environment = if openai {
                server.only_v1();
                vec![("BUTTERFLY_MODEL_PROVIDER", "openai".to_owned()), ("BUTTERFLY_MODEL_URL", server.v1_url())]
            } else {
                vec![("BUTTERFLY_MODEL_URL", server.url())]
            };
            let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let (_instance, bus) = Instance::start(Which::Production, &[], &environment).await?;
            let mut stream = bus.stream::<Send>(&say(None, "count")).await?;
            // The first words are here while the server still holds the last one back.
            let conversation = read_until(&mut stream, "two").await?;
            server.release(1);
            let rest = read(stream).await;
            assert_eq!(rest.text, "three");
            assert_eq!(rest.end?.reason, EndReason::Complete);
            server.next(Endpoint::Chat, Scenario::say("again"));
            let second = turn(&bus, &say(Some(conversation), "and again")).await?;
            assert_eq!(second.text, "again");
            let asked = server.requests_of(Endpoint::Chat);
            let messages = asked.last().unwrap().body["messages"].to_string();
            assert!(messages.contains("one two three"), "the model sees what it said before: {messages}");
        }
        Ok(())
    });
}

#[test]
fn killing_the_model_in_mid_answer_is_a_notice_and_the_next_question_works() {
    run(async {
        let server = server().await?;
        server.next(Endpoint::Chat, Play::steps([words(&["half "]), vec![Step::Hold]].concat()).into());
        let (_instance, bus) = assistant(&server).await?;
        let mut stream = bus.stream::<Send>(&say(None, "go")).await?;
        let conversation = read_until(&mut stream, "half").await?;
        let model = worker(&bus, "model").await?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(model.pid as i32), nix::sys::signal::Signal::SIGKILL)?;
        let broken = read(stream).await;
        assert!(broken.end.is_err());
        assert!(broken.notices.iter().any(|notice| notice.contains("model")), "{:?}", broken.notices);
        back(&bus, "model", model.generation).await?;
        server.next(Endpoint::Chat, Scenario::say("whole"));
        let next = turn(&bus, &say(Some(conversation), "once more")).await?;
        assert_eq!((next.text.as_str(), next.end?.reason), ("whole", EndReason::Complete));
        assert_eq!(worker(&bus, "brains").await?.generation, 1);
        Ok(())
    });
}

/// What is kept of a conversation.
async fn kept(bus: &Bus, conversation: u64) -> anyhow::Result<Vec<StoredMessage>> {
    let request = ShowRequest { conversation, before: None, limit: 100 };
    Ok(bus.call::<conversations::Show>(&request).await?.messages)
}

/// Waits until these words of an answer are kept.
async fn until_kept(bus: &Bus, conversation: u64, words: &str) -> anyhow::Result<()> {
    while !kept(bus, conversation).await?.iter().any(|message| message.text.contains(words)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn strike(bus: &Bus, name: &str) -> anyhow::Result<u32> {
    let struck = worker(bus, name).await?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(struck.pid)?), nix::sys::signal::Signal::SIGKILL)?;
    Ok(struck.generation)
}

#[test]
fn killing_brains_in_mid_answer_keeps_what_was_said_and_the_conversation_goes_on() {
    run(async {
        let server = server().await?;
        server.next(Endpoint::Chat, Play::steps([words(&["half "]), vec![Step::Hold]].concat()).into());
        let (_instance, bus) = assistant(&server).await?;
        let mut stream = bus.stream::<Send>(&say(None, "go")).await?;
        let conversation = read_until(&mut stream, "half").await?;
        until_kept(&bus, conversation, "half").await?;
        let generation = strike(&bus, "brains").await?;
        assert!(read(stream).await.end.is_err());
        back(&bus, "brains", generation).await?;
        let said: Vec<_> = kept(&bus, conversation).await?.into_iter().map(|it| (it.text, it.state)).collect();
        let whole = MessageState::Complete;
        assert_eq!(said, [("go".to_owned(), whole), ("half ".to_owned(), MessageState::Interrupted)]);
        server.next(Endpoint::Chat, Scenario::say("whole"));
        let next = turn(&bus, &say(Some(conversation), "once more")).await?;
        assert_eq!((next.text.as_str(), next.end?.reason), ("whole", EndReason::Complete));
        let asked = server.requests_of(Endpoint::Chat).pop().unwrap().body["messages"].to_string();
        assert!(asked.contains("half") && asked.contains("interrupted"), "the model is told: {asked}");
        Ok(())
    });
}

#[test]
fn killing_memory_in_mid_answer_neither_stops_the_answer_nor_loses_it() {
    run(async {
        let server = server().await?;
        let steps = [words(&["half "]), vec![Step::Hold], words(&["and whole"])].concat();
        server.next(Endpoint::Chat, Play::steps(steps).into());
        let (_instance, bus) = assistant(&server).await?;
        let mut stream = bus.stream::<Send>(&say(None, "go")).await?;
        let conversation = read_until(&mut stream, "half").await?;
        let generation = strike(&bus, "memory").await?;
        server.release(1);
        let rest = read(stream).await;
        assert_eq!((rest.text.as_str(), rest.end?.reason), ("and whole", EndReason::Complete));
        assert_eq!(rest.notices, [""; 0], "it was saved in the end");
        back(&bus, "memory", generation).await?;
        let said: Vec<_> = kept(&bus, conversation).await?.into_iter().map(|it| (it.text, it.state)).collect();
        let whole = MessageState::Complete;
        assert_eq!(said, [("go".to_owned(), whole), ("half and whole".to_owned(), whole)]);
        Ok(())
    });
}

#[test]
fn without_memory_nothing_is_answered_but_what_the_person_does_not_want_to_be_saved() {
    run(async {
        let server = server().await?;
        let (instance, bus) = assistant(&server).await?;
        assert!(butterfly(&instance, &["stop", "memory"]).await?.status.success());
        let refused = turn(&bus, &say(None, "go")).await?.end.unwrap_err();
        assert!(refused.message.starts_with("this would not be saved"), "{refused}");
        assert!(server.requests_of(Endpoint::Chat).is_empty());
        server.next(Endpoint::Chat, Scenario::say("here I am"));
        let loose = butterfly(&instance, &["chat", "--unsaved", "-m", "go"]).await?;
        assert_eq!(String::from_utf8_lossy(&loose.stdout), "here I am\n", "{loose:?}");
        assert!(butterfly(&instance, &["start", "memory"]).await?.status.success());
        server.next(Endpoint::Chat, Scenario::say("saved again"));
        assert_eq!(turn(&bus, &say(None, "go")).await?.text, "saved again");
        Ok(())
    });
}

#[test]
fn a_dropped_stream_and_a_stop_close_the_connection_to_the_model_server() {
    run(async {
        let server = server().await?;
        let (_instance, bus) = assistant(&server).await?;
        for (expected, stop) in [(1, false), (2, true)] {
            server.next(Endpoint::Chat, Play::steps([words(&["half "]), vec![Step::Hold]].concat()).into());
            let mut stream = bus.stream::<Send>(&say(None, "go")).await?;
            let conversation = read_until(&mut stream, "half").await?;
            if stop {
                assert!(bus.call::<Stop>(&StopRequest { conversation }).await?.was_running);
                assert_eq!(read(stream).await.end?.reason, EndReason::Stopped);
            } else {
                drop(stream);
            }
            server.until(|counts| counts.aborted == expected).await;
        }
        Ok(())
    });
}

#[test]
fn a_server_error_is_one_sentence_with_its_next_step() {
    run(async {
        let server = server().await?;
        let (_instance, bus) = assistant(&server).await?;
        for (scenario, wanted) in [(Scenario::out_of_memory(), "memory"), (Scenario::context_exceeded(), "context")] {
            // Twice: a conversation that is too long is shortened and tried again.
            server.next(Endpoint::Chat, scenario.clone());
            server.next(Endpoint::Chat, scenario);
            let failed = turn(&bus, &say(None, "go")).await?;
            let failure = failed.end.unwrap_err();
            assert!(failure.message.to_lowercase().contains(wanted), "{failure}");
            let leftover = server.requests_of(Endpoint::Chat).len() % 2;
            if leftover == 1 {
                // The second was not needed: use it up.
                let _ = turn(&bus, &say(None, "go")).await?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_server_that_wants_a_key_is_answered_once_the_vault_has_it() {
    run(async {
        let server = server().await?;
        let (_instance, bus) = assistant(&server).await?;
        server.next(Endpoint::Chat, Scenario::refuse(401, "unauthorized"));
        server.next(Endpoint::Chat, Scenario::say("Welcome."));
        let mut stream = bus.stream::<Send>(&say(None, "hello")).await?;
        let name = loop {
            match stream.next().await? {
                Next::Item(TurnItem::NeedsSecret { name, why }) => {
                    assert!(!why.is_empty());
                    break name;
                }
                Next::Item(_) => {}
                Next::End(end) => anyhow::bail!("ended without a key: {end:?}"),
            }
        };
        assert_eq!(server.requests_of(Endpoint::Chat).len(), 1, "nobody asks meanwhile");
        let value = Secret::new("kit-0123456789".to_owned());
        bus.call::<vault::Set>(&vault::SetRequest { name, value }).await?;
        let rest = read(stream).await;
        assert_eq!((rest.text.as_str(), rest.end?.reason), ("Welcome.", EndReason::Complete));
        Ok(())
    });
}

#[test]
fn without_a_server_the_built_in_responder_answers_and_says_what_to_do() {
    run(async {
        // A port that nobody listens on: one that was just given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let (_instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &url)]).await?;
        let answer = turn(&bus, &say(None, "hello")).await?;
        assert!(answer.text.contains("no language model"), "{}", answer.text);
        let said = format!("{} {}", answer.text, answer.notices.join(" "));
        assert!(said.contains("ollama"), "{said}");
        assert_eq!(answer.end?.reason, EndReason::Complete);
        Ok(())
    });
}

/// Runs the command line against an instance.
async fn butterfly(instance: &Instance, arguments: &[&str]) -> anyhow::Result<Output> {
    let home = instance.home.path().display().to_string();
    let mut command = tokio::process::Command::new(program("butterfly")?);
    Ok(command.arg("--home").arg(home).args(arguments).stdin(Stdio::null()).output().await?)
}

#[test]
fn the_command_line_speaks_json_a_line_and_ends_with_end() {
    run(async {
        let server = server().await?;
        let (instance, _bus) = assistant(&server).await?;
        server.next(
            Endpoint::Chat,
            Play::steps([vec![Step::Thinking("hm".into())], words(&["a ", "b"])].concat()).into(),
        );
        let output = butterfly(&instance, &["chat", "-m", "hello", "--json"]).await?;
        assert!(output.status.success(), "{output:?}");
        let lines: Vec<Value> =
            std::str::from_utf8(&output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let of = |kind: &str| -> String {
            let texts = lines.iter().filter(|line| line["type"] == kind).filter_map(|line| line["text"].as_str());
            texts.collect()
        };
        assert_eq!((of("thinking").as_str(), of("text").as_str()), ("hm", "a b"));
        assert_eq!(lines.last().unwrap()["type"], "end");
        assert!(lines.iter().any(|line| line["type"] == "usage" && line["output_tokens"].as_u64() > Some(0)));
        server.next(Endpoint::Chat, Scenario::out_of_memory());
        let failed = butterfly(&instance, &["chat", "-m", "hello", "--json"]).await?;
        assert!(!failed.status.success());
        let last: Value = serde_json::from_str(std::str::from_utf8(&failed.stdout)?.lines().last().unwrap())?;
        assert_eq!(last["type"], "error");
        Ok(())
    });
}

#[test]
fn status_in_json_has_the_shape_that_scripts_rely_on() {
    run(async {
        let server = server().await?;
        let (instance, _bus) = assistant(&server).await?;
        let output = butterfly(&instance, &["status", "--json"]).await?;
        let status: Value = serde_json::from_slice(&output.stdout)?;
        for key in ["pid", "version", "uptime_ms", "rss_bytes", "socket"] {
            assert!(!status["kernel"][key].is_null(), "kernel.{key}");
        }
        let workers = status["workers"].as_array().unwrap();
        assert_eq!(
            workers.iter().map(|worker| worker["name"].as_str()).collect::<Vec<_>>(),
            [Some("memory"), Some("vault"), Some("model"), Some("brains")]
        );
        for worker in workers {
            for key in [
                "name",
                "state",
                "pid",
                "generation",
                "restarts",
                "uptime_ms",
                "rss_bytes",
                "cpu_ms",
                "in_flight",
                "oldest_in_flight_ms",
                "queue_bytes",
                "messages_in",
                "messages_out",
            ] {
                assert!(!worker[key].is_null(), "workers[].{key}");
            }
            for key in ["grade", "landlock_abi", "landlock", "seccomp", "no_new_privs", "network", "missing"] {
                assert!(!worker["confinement"][key].is_null(), "workers[].confinement.{key}");
            }
            assert_eq!(worker["state"], "ready");
        }
        Ok(())
    });
}

#[test]
fn the_capability_page_is_the_table() {
    run(async {
        let server = server().await?;
        let (instance, _bus) = Instance::start(Which::Production, &[], &[]).await?;
        drop(server);
        let output = butterfly(&instance, &["caps", "--markdown"]).await?;
        let printed = String::from_utf8(output.stdout)?;
        let page = include_str!("../../../../docs/capabilities.md");
        assert_eq!(printed.trim(), page.trim(), "run `butterfly caps --markdown > docs/capabilities.md`");
        Ok(())
    });
}

#[test]
fn the_example_client_speaks_from_the_protocol_page_alone() {
    run(async {
        let server = server().await?;
        let (instance, _bus) = assistant(&server).await?;
        server.next(Endpoint::Chat, Scenario::say("Hello, Python."));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/client.py");
        for (arguments, wanted) in
            [(&["status"][..], &["model", "brains"][..]), (&["say", "hello"], &["Hello, Python."])]
        {
            let output = tokio::process::Command::new("python3")
                .arg(script)
                .args(arguments)
                .env("BUTTERFLY_HOME", instance.home.path())
                .output()
                .await?;
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
            assert!(wanted.iter().all(|word| text.contains(word)), "{text}");
        }
        Ok(())
    });
}
