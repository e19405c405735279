//! The memory worker is killed, starved and handed damaged files: nothing acknowledged is lost.

use crate::support::*;
use anyhow::Context;
use butterfly_api::control;
use butterfly_api::health;
use butterfly_api::memory::{self, AddRequest, ListRequest, PassageKind};
use butterfly_api::storage;
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, back, named, settle, status, until, worker};
use butterfly_wire::control::WorkerState;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const KILLS: u64 = 200;

/// Pause between two looks at something that has no event.
const LOOK: Duration = Duration::from_millis(1);

fn rests(state: &WorkerState) -> bool {
    matches!(state, WorkerState::Backoff { .. })
}

fn strike(pid: u32) {
    // A process that has just ended by itself is as dead.
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
}

/// Texts of all notes.
async fn notes(bus: &Bus) -> anyhow::Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    let mut before = None;
    loop {
        let request = ListRequest { kind: Some(PassageKind::Memory), tag: None, before, limit: 200 };
        let page = patiently(|| bus.call::<memory::List>(&request)).await?;
        before = page.passages.last().map(|passage| passage.id);
        texts.extend(page.passages.into_iter().map(|passage| passage.text));
        if !page.more {
            return Ok(texts);
        }
    }
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    run(async {
        let server = server().await?;
        let arguments = ["--restarts", "1000", "--restart-window", "60"];
        let environment = [("BUTTERFLY_MODEL_URL", server.url())];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (_instance, bus) = Instance::start(Which::Production, &arguments, &environment).await?;
        let acknowledged = RefCell::new(BTreeSet::new());
        let turns = RefCell::new(Vec::new());
        let over = Cell::new(false);
        let noting = async {
            let mut number = 0_u32;
            while !over.get() {
                number += 1;
                let text = format!("note {number} of the lantern keeper");
                let request = AddRequest { text: text.clone(), ..AddRequest::default() };
                if bus.call::<memory::Add>(&request).await.is_ok() {
                    acknowledged.borrow_mut().insert(text);
                } else {
                    tokio::time::sleep(LOOK).await;
                }
            }
        };
        let talking = async {
            let mut number = 0_u32;
            while !over.get() {
                number += 1;
                let text = format!("question {number} about tides");
                let Ok(turn) = turn(&bus, &say(None, &text)).await else {
                    tokio::time::sleep(LOOK).await;
                    continue;
                };
                if turn.message > 0 {
                    turns.borrow_mut().push((turn.conversation, turn.message, text));
                }
            }
        };
        let killing = async {
            let mut dice = Dice(0x5eed);
            for _ in 0..KILLS {
                // Sometimes at once, sometimes under way.
                let more = usize::try_from(dice.roll(6))?;
                let from = acknowledged.borrow().len();
                while acknowledged.borrow().len() < from + more {
                    tokio::time::sleep(LOOK).await;
                }
                let memory = worker(&bus, "memory").await?;
                strike(memory.pid);
                // Whoever fails often is left to rest for up to half a minute; a person who is in a hurry restarts it.
                until(&bus, "the death is noticed", |status| {
                    status.workers.iter().any(|worker| {
                        worker.name == "memory" && (worker.generation > memory.generation || rests(&worker.state))
                    })
                })
                .await?;
                if rests(&worker(&bus, "memory").await?.state) {
                    bus.call::<control::Restart>(&named("memory")).await?;
                }
                back(&bus, "memory", memory.generation).await?;
            }
            over.set(true);
            anyhow::Ok(())
        };
        let ((), (), killed) = tokio::join!(noting, talking, killing);
        killed?;

        let kept = notes(&bus).await?;
        let acknowledged = acknowledged.into_inner();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "{} of {} notes are gone: {lost:?}", lost.len(), acknowledged.len());
        let turns = turns.into_inner();
        for (conversation, message, text) in &turns {
            let transcript = transcript(&bus, *conversation).await?;
            let found = transcript.messages.iter().find(|stored| stored.id == *message);
            assert_eq!(found.map(|stored| stored.text.as_str()), Some(text.as_str()), "turn {message}");
        }
        println!("{KILLS} kills, {} notes and {} turns acknowledged, none lost", acknowledged.len(), turns.len());
        assert!(acknowledged.len() > 100 && !turns.is_empty(), "there was load");

        // What is derived caught up: the word index is whole, and every passage has its vector.
        let endpoint = worker(&bus, "memory").await?.endpoint;
        let report = bus.to(endpoint).call::<health::CheckAll>(&()).await?;
        let database =
            report.checks.iter().find(|check| check.name.contains("database")).context("no database check")?;
        assert_eq!(database.level, health::Level::Ok, "{database:?}");
        indexed(&bus).await?;
        let stats = bus.call::<storage::GetStats>(&()).await?;
        assert_eq!(stats.vectors, stats.messages + stats.memories + stats.summaries, "{stats:?}");
        Ok(())
    });
}

#[test]
fn second_kernel_on_one_home_refuses_and_the_first_goes_on() {
    run(async {
        let (instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        note(&bus, "the first one was here").await?;
        let kernel = butterfly_kit::harness::program("butterfly-kernel")?;
        let second = std::process::Command::new(kernel).arg("--home").arg(instance.home.path()).output()?;
        assert!(!second.status.success());
        assert!(!search(&bus, "first one").await?.results.is_empty());
        Ok(())
    });
}

/// Ends the kernel, does something to the data folder, and starts another kernel on the same home.
async fn reopened(
    instance: Instance,
    bus: Bus,
    change: impl FnOnce(&std::path::Path),
) -> anyhow::Result<(Instance, Bus)> {
    let _ = bus.call::<butterfly_api::control::Shutdown>(&()).await;
    let mut instance = instance;
    instance.ended().await?;
    drop(bus);
    change(&instance.place.data);
    let kernel = Instance::launch(Which::Production, Arc::clone(&instance.home), &[], &[BUILTIN])?;
    let bus = kernel.connect().await?;
    Ok((kernel, bus))
}

#[test]
fn damaged_database_is_reported_and_never_overwritten() {
    run(async {
        let (instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        note(&bus, "before the damage").await?;
        let (instance, bus) = reopened(instance, bus, |data| {
            let file = data.join("butterfly.db");
            let _ = std::fs::remove_file(data.join("butterfly.db-wal"));
            std::fs::write(&file, b"this is no database, however long it may be. ".repeat(200)).unwrap();
        })
        .await?;
        until(&bus, "memory is held or says why", |status| {
            status.workers.iter().any(|worker| {
                worker.name == "memory" && matches!(worker.state, WorkerState::Held { .. } | WorkerState::Ready)
            })
        })
        .await?;
        settle(&bus).await?;
        let turn = turn(&bus, &say(None, "hello")).await?;
        let refused = turn.end.context("no end")?.err().context("a turn that cannot be saved is refused")?;
        assert!(refused.message.contains("saved"), "{refused}");
        let bytes = std::fs::read(instance.place.data.join("butterfly.db"))?;
        assert!(bytes.starts_with(b"this is no database"), "the damaged file is left for a rescue");
        let doctor = butterfly(&instance, &["doctor"], "").await?;
        let said = String::from_utf8_lossy(&doctor.stdout).to_lowercase();
        assert!(said.contains("damaged") && said.contains("restore"), "{said}");
        Ok(())
    });
}

#[test]
fn deleted_vector_store_is_rebuilt_without_a_question() {
    run(async {
        let server = server().await?;
        let url = server.url();
        let environment = [("BUTTERFLY_MODEL_URL", url.as_str())];
        let (instance, bus) = Instance::start(Which::Production, &[], &environment).await?;
        for number in 0..20 {
            note(&bus, &format!("buoy {number} rings in fog")).await?;
        }
        indexed(&bus).await?;
        let _ = bus.call::<butterfly_api::control::Shutdown>(&()).await;
        let mut instance = instance;
        instance.ended().await?;
        let vectors = std::fs::read_dir(&instance.place.data)?
            .filter_map(Result::ok)
            .find(|entry| entry.path().is_dir() && entry.file_name().to_string_lossy().contains("vectors"));
        std::fs::remove_dir_all(vectors.context("no vector store")?.path())?;
        let instance = Instance::launch(Which::Production, Arc::clone(&instance.home), &[], &environment)?;
        let bus = instance.connect().await?;
        butterfly_kit::harness::settle(&bus).await?;
        indexed(&bus).await?;
        assert_eq!(bus.call::<storage::GetStats>(&()).await?.vectors, 20);
        assert_eq!(status(&bus).await?.workers.iter().filter(|worker| worker.restarts > 0).count(), 0);
        Ok(())
    });
}
