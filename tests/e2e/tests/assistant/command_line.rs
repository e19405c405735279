//! The program `butterfly` against a running assistant: what a script sees, and what a person at a terminal sees.

use crate::support::run;
use anyhow::Context;
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, PATIENCE, Which, back, program, until, worker};
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Play, Scenario, Step};
use butterfly_wire::control::WorkerState;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout, Command};

/// Words, then a wait until the test lets go.
fn half(words: &str) -> Scenario {
    Play::steps([Step::Text(words.to_owned()), Step::Hold]).into()
}

async fn assistant() -> anyhow::Result<(ModelServer, Instance, Bus)> {
    let server = ModelServer::start().await?;
    server.install(Installed::chat("kit:latest"));
    let (instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &server.url())]).await?;
    Ok((server, instance, bus))
}

fn butterfly(home: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(program("butterfly")?);
    command.arg("--home").arg(home).args(arguments).env_remove("BUTTERFLY_HOME");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

async fn output(home: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(butterfly(home, arguments)?.output().await?)
}

/// Runs it with this on its standard input.
async fn fed(home: &Path, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    let mut child = butterfly(home, arguments)?.stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    Ok(child.wait_with_output().await?)
}

/// Ends the kernel that a command started, also when the test fails.
struct Started<'a>(&'a Path);

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Ok(butterfly) = program("butterfly") {
            let _ = std::process::Command::new(butterfly).arg("--home").arg(self.0).arg("down").output();
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads until this has come, and returns all that came.
async fn read_until(from: &mut ChildStdout, seen: &mut String, wanted: &str) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    while !seen.contains(wanted) {
        let read = from.read(&mut buffer).await?;
        anyhow::ensure!(read > 0, "ended before {wanted:?}: {seen:?}");
        seen.push_str(&text(&buffer[..read]));
    }
    Ok(())
}

fn signal(child: &Child, signal: Signal) -> anyhow::Result<()> {
    let pid = child.id().context("it has ended")?;
    Ok(kill(Pid::from_raw(i32::try_from(pid)?), signal)?)
}

#[test]
fn up_and_down_start_and_end_one_kernel_and_say_so_when_there_is_nothing_to_do() {
    run(async {
        let home = tempfile::tempdir()?;
        let _started = Started(home.path());
        let nothing = output(home.path(), &["down"]).await?;
        assert!(nothing.status.success() && text(&nothing.stdout).contains("no kernel runs"), "{nothing:?}");
        assert_eq!(output(home.path(), &["status"]).await?.status.code(), Some(3));
        let first: Value = serde_json::from_slice(&output(home.path(), &["up", "--json"]).await?.stdout)?;
        let second: Value = serde_json::from_slice(&output(home.path(), &["up", "--json"]).await?.stdout)?;
        let down = output(home.path(), &["down", "--json"]).await?;
        assert_eq!((&first["started"], &second["started"]), (&Value::Bool(true), &Value::Bool(false)));
        assert_eq!(first["kernel"]["pid"], second["kernel"]["pid"]);
        assert!(first["workers"].as_array().unwrap().iter().all(|worker| worker["state"] == "ready"), "{first}");
        let down: Value = serde_json::from_slice(&down.stdout)?;
        assert_eq!(down["pid"], first["kernel"]["pid"]);
        let pid = first["kernel"]["pid"].to_string();
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Where nobody collects orphans, a zombie may stay: it is not running.
        assert!(state.is_empty() || state.contains(") Z"), "the kernel is gone when `down` returns: {state}");
        assert_eq!(output(home.path(), &["status"]).await?.status.code(), Some(3));
        Ok(())
    });
}

#[test]
fn a_chat_starts_the_kernel_that_it_needs_and_leaves_it_running() {
    run(async {
        let server = ModelServer::start().await?;
        server.install(Installed::chat("kit:latest"));
        server.next(Endpoint::Chat, Scenario::say("here I am"));
        let home = tempfile::tempdir()?;
        let _started = Started(home.path());
        let mut command = butterfly(home.path(), &["chat", "-m", "hello"])?;
        let answer = command.env("BUTTERFLY_MODEL_URL", server.url()).output().await?;
        assert_eq!(text(&answer.stdout), "here I am\n", "{answer:?}");
        assert!(output(home.path(), &["status"]).await?.status.success());
        assert!(output(home.path(), &["down"]).await?.status.success());
        Ok(())
    });
}

#[test]
fn each_line_of_a_pipe_is_a_turn_and_a_failed_one_does_not_end_the_conversation() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.next(Endpoint::Chat, Scenario::say("first"));
        server.next(Endpoint::Chat, Scenario::out_of_memory());
        server.next(Endpoint::Chat, Scenario::say("third"));
        let answers = fed(instance.home.path(), &["chat"], "one\n\ntwo\nthree").await?;
        assert_eq!(answers.status.code(), Some(1), "{answers:?}");
        assert_eq!(text(&answers.stdout), "first\n\n\nthird\n", "{answers:?}");
        let last = server.requests_of(Endpoint::Chat).pop().context("nothing was asked")?.body["messages"].to_string();
        assert!(last.contains("first") && last.contains("three"), "one conversation: {last}");
        Ok(())
    });
}

#[test]
fn what_is_piped_beside_a_message_is_quoted_below_it() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.next(Endpoint::Chat, Scenario::say("because"));
        let answer = fed(instance.home.path(), &["chat", "-m", "Why?"], "some\ncontext\n").await?;
        assert_eq!(text(&answer.stdout), "because\n", "{answer:?}");
        let asked = server.requests_of(Endpoint::Chat).pop().context("nothing was asked")?;
        let messages = asked.body["messages"].as_array().cloned().unwrap_or_default();
        assert_eq!(messages.last().unwrap()["content"], "Why?\n\n```\nsome\ncontext\n```");
        Ok(())
    });
}

#[test]
fn a_models_words_cannot_drive_the_terminal() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.always(Endpoint::Chat, Scenario::say("a\u{1b}]0;owned\u{7}b\u{1b}[2Jc\u{9b}1md\r\u{8}e"));
        let answer = output(instance.home.path(), &["chat", "-m", "go"]).await?;
        assert_eq!(text(&answer.stdout), "abcde\n");
        let objects = output(instance.home.path(), &["chat", "-m", "go", "--json"]).await?;
        let harmful = |character: char| character.is_control() && character != '\n';
        assert!(!text(&objects.stdout).contains(harmful), "{objects:?}");
        Ok(())
    });
}

#[test]
fn an_answer_that_dies_is_said_in_a_sentence_and_exits_4() {
    run(async {
        let (server, instance, bus) = assistant().await?;
        server.next(Endpoint::Chat, half("half "));
        let mut child = butterfly(instance.home.path(), &["chat", "-m", "go"])?.spawn()?;
        let (mut stdout, mut seen) = (child.stdout.take().context("no output")?, String::new());
        read_until(&mut stdout, &mut seen, "half").await?;
        let brains = worker(&bus, "brains").await?;
        kill(Pid::from_raw(i32::try_from(brains.pid)?), Signal::SIGKILL)?;
        let ended = child.wait_with_output().await?;
        assert_eq!(ended.status.code(), Some(4), "{ended:?}");
        assert!(text(&ended.stderr).contains("the answer was cut off"), "{ended:?}");
        back(&bus, "brains", brains.generation).await?;
        Ok(())
    });
}

#[test]
fn ctrl_c_stops_the_answer_keeps_what_was_said_and_exits_130() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.next(Endpoint::Chat, half("half "));
        let mut child = butterfly(instance.home.path(), &["chat", "-m", "go", "--json"])?.spawn()?;
        let (mut stdout, mut seen) = (child.stdout.take().context("no output")?, String::new());
        read_until(&mut stdout, &mut seen, "half").await?;
        signal(&child, Signal::SIGINT)?;
        stdout.read_to_string(&mut seen).await?;
        assert_eq!(child.wait().await?.code(), Some(130), "{seen}");
        let last: Value = serde_json::from_str(seen.lines().last().unwrap_or_default())?;
        assert_eq!((&last["type"], &last["reason"]), (&"end".into(), &"stopped".into()));
        server.until(|counts| counts.aborted == 1).await;
        Ok(())
    });
}

#[test]
fn output_that_nobody_reads_ends_the_program_quietly() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        // For a moment, another test's fork may hold the read end too: later words find it closed.
        let words = Play::tokens(100).delay(std::time::Duration::from_millis(5));
        server.next(Endpoint::Chat, words.into());
        let mut child = butterfly(instance.home.path(), &["chat", "-m", "go"])?.spawn()?;
        let (mut stdout, mut seen) = (child.stdout.take().context("no output")?, String::new());
        read_until(&mut stdout, &mut seen, "token-1").await?;
        drop(stdout);
        let ended = child.wait_with_output().await?;
        assert_eq!((ended.status.code(), text(&ended.stderr).as_str()), (Some(141), ""), "{ended:?}");
        Ok(())
    });
}

#[test]
fn stopping_starting_and_restarting_return_when_it_is_done() {
    run(async {
        let (_server, instance, bus) = assistant().await?;
        let before = worker(&bus, "model").await?.generation;
        let restarted: Value =
            serde_json::from_slice(&output(instance.home.path(), &["restart", "model", "--json"]).await?.stdout)?;
        assert_eq!(
            (&restarted["state"], restarted["generation"].as_u64()),
            (&"ready".into(), Some(u64::from(before) + 1))
        );
        let restarts = [("stop", WorkerState::Stopped), ("stop", WorkerState::Stopped), ("start", WorkerState::Ready)];
        for (command, state) in restarts {
            assert!(output(instance.home.path(), &[command, "model"]).await?.status.success());
            assert_eq!(worker(&bus, "model").await?.state, state);
        }
        let unknown = output(instance.home.path(), &["restart", "nobody"]).await?;
        assert_eq!(unknown.status.code(), Some(2));
        assert!(text(&unknown.stderr).contains("memory, vault, model, brains"), "{unknown:?}");
        Ok(())
    });
}

#[test]
fn a_turn_is_shown_as_a_tree_of_its_calls() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.next(Endpoint::Chat, Scenario::say("yes"));
        let answer = output(instance.home.path(), &["chat", "-m", "go", "--json"]).await?;
        let started: Value = serde_json::from_str(text(&answer.stdout).lines().next().unwrap_or_default())?;
        for which in ["last".to_owned(), started["trace"].to_string()] {
            let turn: Value = serde_json::from_slice(
                &output(instance.home.path(), &["trace", "--turn", &which, "--json"]).await?.stdout,
            )?;
            assert_eq!(turn["trace"], started["trace"]);
            let send = &turn["calls"][0];
            assert_eq!((&send["method"], &send["to"]), (&"session.send".into(), &"brains".into()));
            let below: Vec<_> = send["calls"].as_array().unwrap().iter().map(|call| call["method"].clone()).collect();
            assert!(below.contains(&"model.chat".into()), "{turn}");
        }
        Ok(())
    });
}

#[test]
fn logs_are_kept_filtered_and_followed() {
    run(async {
        let (_server, instance, bus) = assistant().await?;
        let mut child = butterfly(instance.home.path(), &["logs", "model", "--follow", "--json"])?.spawn()?;
        let (mut stdout, mut seen) = (child.stdout.take().context("no output")?, String::new());
        read_until(&mut stdout, &mut seen, "\"message\":\"ready\"").await?;
        let generation = worker(&bus, "model").await?.generation;
        assert!(output(instance.home.path(), &["restart", "model"]).await?.status.success());
        back(&bus, "model", generation).await?;
        let first = seen.len();
        let mut later = String::new();
        read_until(&mut stdout, &mut later, "\"message\":\"ready\"").await?;
        assert!(first > 0 && later.lines().all(|line| line.contains("\"worker\":\"model\"")), "{later}");
        let warnings = output(instance.home.path(), &["logs", "--level", "error", "--json"]).await?;
        assert!(!text(&warnings.stdout).contains("\"info\""), "{warnings:?}");
        Ok(())
    });
}

#[test]
fn every_command_speaks_json_and_leaves_nothing_else_on_standard_output() {
    run(async {
        let (server, instance, bus) = assistant().await?;
        server.always(Endpoint::Chat, Scenario::say("yes"));
        let brains = worker(&bus, "brains").await?;
        kill(Pid::from_raw(i32::try_from(brains.pid)?), Signal::SIGKILL)?;
        back(&bus, "brains", brains.generation).await?;
        let commands: [&[&str]; 18] = [
            &["up"],
            &["status"],
            &["top", "--once"],
            &["top", "--updates", "1"],
            &["chat", "-m", "go"],
            &["trace", "--recent", "5"],
            &["trace", "--turn"],
            &["logs"],
            &["crashes", "--verbose"],
            &["caps"],
            &["doctor"],
            &["doctor", "model"],
            &["doctor", "--prove", "brains"],
            &["model"],
            &["model", "list"],
            &["model", "ps"],
            &["model", "show", "kit:latest"],
            &["model", "use", "kit:latest"],
        ];
        for command in commands {
            let arguments = [command, &["--json"]].concat();
            let done = output(instance.home.path(), &arguments).await?;
            assert_eq!(done.status.code(), Some(0), "{command:?}: {done:?}");
            let lines = text(&done.stdout);
            assert!(!lines.is_empty(), "{command:?} says nothing");
            for line in lines.lines() {
                assert!(
                    serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()),
                    "{command:?}: {line}"
                );
            }
            let plain = output(instance.home.path(), command).await?;
            assert_eq!(plain.status.code(), Some(0), "{command:?}: {plain:?}");
            assert!(!text(&plain.stdout).contains('\u{1b}'), "no colours in a pipe: {command:?}");
        }
        Ok(())
    });
}

/// The chat at a terminal of its own, which `script` (util-linux; elsewhere its options differ) provides.
#[cfg(target_os = "linux")]
struct Terminal {
    child: Child,
    output: ChildStdout,
    seen: String,
}

#[cfg(target_os = "linux")]
impl Terminal {
    fn chat(home: &Path) -> anyhow::Result<Self> {
        // `exec`, because a shell that waits would be hit by the same Ctrl-C and answer for it.
        let chat = format!("exec '{}' --home '{}' chat", program("butterfly")?.display(), home.display());
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--flush", "--command", &chat, "/dev/null"]);
        command.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = child.stdout.take().context("no output")?;
        Ok(Self { child, output, seen: String::new() })
    }

    async fn type_keys(&mut self, keys: &str) -> anyhow::Result<()> {
        let stdin = self.child.stdin.as_mut().context("no keyboard")?;
        stdin.write_all(keys.as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    /// Waits until this is on the screen, and forgets what came before.
    async fn shows(&mut self, wanted: &str) -> anyhow::Result<()> {
        let reading = read_until(&mut self.output, &mut self.seen, wanted);
        tokio::time::timeout(PATIENCE, reading).await.with_context(|| format!("never shown: {wanted}"))??;
        let end = self.seen.find(wanted).map_or(0, |at| at + wanted.len());
        self.seen.drain(..end);
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_ctrl_c_stops_the_answer_and_not_the_conversation() {
    run(async {
        let (server, instance, bus) = assistant().await?;
        let mut terminal = Terminal::chat(instance.home.path())?;
        terminal.shows("›").await?;
        server.next(Endpoint::Chat, half("half of it "));
        terminal.type_keys("tell me\r").await?;
        terminal.shows("half of it").await?;
        terminal.type_keys("\u{3}").await?;
        terminal.shows("stopped; what was said of it is kept").await?;
        server.until(|counts| counts.aborted == 1).await;
        server.next(Endpoint::Chat, Scenario::say("and on it goes"));
        terminal.shows("›").await?;
        terminal.type_keys("go on\r").await?;
        terminal.shows("and on it goes").await?;
        let asked = server.requests_of(Endpoint::Chat).pop().context("nothing was asked")?.body["messages"].to_string();
        assert!(asked.contains("half of it"), "the conversation goes on: {asked}");
        terminal.shows("›").await?;
        terminal.type_keys("/help\r").await?;
        terminal.shows("/quit").await?;
        terminal.shows("›").await?;
        terminal.type_keys("\u{3}").await?;
        terminal.shows("Ctrl-C once more").await?;
        terminal.shows("›").await?;
        terminal.type_keys("\u{3}").await?;
        assert_eq!(terminal.child.wait().await?.code(), Some(0));
        // The workers were never meant.
        let status = until(&bus, "the table", |_| true).await?;
        assert!(status.workers.iter().all(|worker| worker.generation == 1), "{status:?}");
        // What was said is brought back from memory, and is in no other file.
        let mut next = Terminal::chat(instance.home.path())?;
        next.shows("›").await?;
        next.type_keys("\u{1b}[A\u{1b}[A").await?;
        next.shows("tell me").await?;
        assert!(!instance.place.state.join("chat-history").exists());
        Ok(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_the_last_conversation_goes_on_and_its_memory_can_be_told_asked_and_emptied() {
    run(async {
        let (server, instance, _bus) = assistant().await?;
        server.next(Endpoint::Chat, Scenario::say("The tide turns at six."));
        let answer = output(instance.home.path(), &["chat", "-m", "When does the tide turn?"]).await?;
        assert_eq!(text(&answer.stdout), "The tide turns at six.\n", "{answer:?}");
        let mut terminal = Terminal::chat(instance.home.path())?;
        terminal.shows("going on with").await?;
        terminal.shows("When does the tide turn?").await?;
        terminal.shows("The tide turns at six.").await?;
        for (typed, wanted) in [
            ("/remember The spare key hangs behind the barometer.", "noted, as #"),
            ("/search barometer", "The spare key hangs behind the barometer."),
            ("/history", "The tide turns at six."),
        ] {
            terminal.shows("›").await?;
            terminal.type_keys(&format!("{typed}\r")).await?;
            terminal.shows("\n").await?;
            terminal.shows(wanted).await?;
        }
        terminal.shows("›").await?;
        server.next(Endpoint::Chat, Scenario::say("At seven, perhaps."));
        terminal.type_keys("/retry\r").await?;
        terminal.shows("At seven, perhaps.").await?;
        let asked = server.requests_of(Endpoint::Chat).pop().context("nothing was asked")?.body["messages"].clone();
        let told = asked.to_string();
        assert!(told.contains("When does the tide turn?") && !told.contains("turns at six"), "{told}");
        terminal.shows("›").await?;
        terminal.type_keys("/forget barometer\r").await?;
        terminal.shows("Which of them?").await?;
        terminal.type_keys("all\r").await?;
        terminal.shows("[y/N]").await?;
        terminal.type_keys("y\r").await?;
        terminal.shows("forgotten: ").await?;
        terminal.shows("›").await?;
        terminal.type_keys("/search barometer\r").await?;
        terminal.shows("nothing was found").await?;
        terminal.shows("›").await?;
        terminal.type_keys("/quit\r").await?;
        assert_eq!(terminal.child.wait().await?.code(), Some(0));
        Ok(())
    });
}
