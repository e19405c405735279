//! Instance workers and profile changes: within the manifest, by the right one, and nowhere else.

use crate::support::{ask_call, kit, run};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_kit::harness::{back, status, until, worker};
use butterfly_kit::service::{Answer, Ask, Echo};
use butterfly_wire::catalog::{control as rows, kit as kit_rows};
use butterfly_wire::confinement::{Access, Grade, PathGrant};
use butterfly_wire::control::{InstanceLimits, Kill, SetProfile, Spawn, Spawned};
use butterfly_wire::{EndpointId, ErrorCode, Failure, codec};
use std::path::Path;

const LIMITS: InstanceLimits = InstanceLimits { memory_bytes: 256 << 20, wall_ms: 60_000 };

fn spawn(paths: Vec<PathGrant>) -> Spawn {
    Spawn { class: "cell".to_owned(), paths, limits: LIMITS }
}

async fn try_spawn(bus: &Bus, owner: &str, spawn: &Spawn) -> anyhow::Result<Result<Spawned, Failure>> {
    Ok(match ask_call(bus, owner, &rows::SPAWN, spawn).await? {
        Ok(reply) => Ok(codec::decode(&reply)?),
        Err(failure) => Err(failure),
    })
}

/// Has the instance, through its owner, open a path.
async fn opens(bus: &Bus, cell: EndpointId, path: &Path, write: bool) -> anyhow::Result<Result<(), String>> {
    let relay = Ask::Call {
        service: kit_rows::ID,
        method: kit_rows::RELAY.method,
        to: cell,
        payload: codec::encode(&Ask::Open { path: path.display().to_string(), write })?,
        background: false,
    };
    let Answer::Reply(reply) = crate::support::ask(bus, "echo", &relay).await? else { anyhow::bail!("no reply") };
    let Answer::Opened(opened) = codec::decode(&reply)? else { anyhow::bail!("no verdict") };
    Ok(opened)
}

#[test]
fn an_instance_has_exactly_the_paths_of_its_call() {
    run(async {
        let (instance, bus) = kit().await?;
        let data = instance.place.data.canonicalize()?;
        for name in ["granted", "other"] {
            std::fs::create_dir(data.join(name))?;
            std::fs::write(data.join(name).join("file"), "x")?;
        }
        let granted = PathGrant::read(data.join("granted").display().to_string());
        let cell = try_spawn(&bus, "echo", &spawn(vec![granted])).await??;
        assert_eq!(opens(&bus, cell.endpoint, &data.join("granted/file"), false).await?, Ok(()));
        assert!(opens(&bus, cell.endpoint, &data.join("granted/file"), true).await?.is_err(), "read is not write");
        assert!(opens(&bus, cell.endpoint, &data.join("other/file"), false).await?.is_err());
        assert!(opens(&bus, cell.endpoint, Path::new("/etc/passwd"), false).await?.is_err());
        let shown = status(&bus).await?;
        let row = shown.workers.iter().find(|worker| worker.instance_of == "cell").unwrap();
        assert_ne!(row.confinement.grade, Grade::None);
        // Two instances of one class have nothing of each other's.
        let writable = PathGrant::read_write(data.join("other").display().to_string());
        let second = try_spawn(&bus, "echo", &spawn(vec![writable])).await??;
        assert_eq!(opens(&bus, second.endpoint, &data.join("other/new"), true).await?, Ok(()));
        assert!(opens(&bus, second.endpoint, &data.join("granted/file"), false).await?.is_err());
        let gone = ask_call(&bus, "echo", &rows::KILL, &Kill { endpoint: second.endpoint }).await?;
        assert!(gone.is_ok(), "{gone:?}");
        until(&bus, "one cell is left", |status| {
            status.workers.iter().filter(|worker| worker.instance_of == "cell").count() == 1
        })
        .await?;
        Ok(())
    });
}

#[test]
fn spawning_beyond_the_manifest_is_refused() {
    run(async {
        let (instance, bus) = kit().await?;
        let data = instance.place.data.canonicalize()?;
        let outside = instance.home.path().canonicalize()?.join("outside");
        std::fs::create_dir(&outside)?;
        std::fs::create_dir(data.join("in"))?;
        std::os::unix::fs::symlink(&outside, data.join("link"))?;
        std::os::unix::fs::symlink(&outside, data.join("in/deep"))?;
        let grant = |path: &Path| PathGrant::read(path.display().to_string());
        for (refused, why) in [
            (spawn(vec![grant(&outside)]), "outside"),
            (spawn(vec![grant(Path::new("/"))]), "outside"),
            (spawn(vec![grant(&data.join("link"))]), "symbolic"),
            (spawn(vec![grant(&data.join("in/deep"))]), "symbolic"),
            (spawn(vec![grant(&data.join("in/../../outside"))]), "absolute path without"),
            (spawn(vec![grant(Path::new("data"))]), "absolute path"),
            (spawn(vec![grant(&data.join("absent"))]), "cannot be granted"),
            (
                spawn(vec![PathGrant { path: data.join("in").display().to_string(), access: Access::Execute }]),
                "programs",
            ),
            (Spawn { limits: InstanceLimits { memory_bytes: 1 << 40, ..LIMITS }, ..spawn(vec![]) }, "memory"),
            (Spawn { class: "model".to_owned(), ..spawn(vec![]) }, "may not start"),
        ] {
            let failure = try_spawn(&bus, "echo", &refused).await?.unwrap_err();
            assert_eq!(failure.code, ErrorCode::Denied, "{refused:?}: {failure}");
            assert!(failure.message.contains(why), "{refused:?}: {failure}");
        }
        let failure = try_spawn(&bus, "other", &spawn(vec![])).await?.unwrap_err();
        assert!(failure.message.contains("other may not start cell"), "{failure}");
        assert!(status(&bus).await?.workers.iter().all(|worker| worker.instance_of.is_empty()), "none was started");
        Ok(())
    });
}

#[test]
fn an_instance_answers_to_its_owner_alone_and_dies_with_it() {
    run(async {
        let (_instance, bus) = kit().await?;
        let owner = worker(&bus, "echo").await?;
        let cell = try_spawn(&bus, "echo", &spawn(vec![])).await??;
        let failure = bus.to(cell.endpoint).call::<Echo>(&vec![]).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Denied);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(owner.pid as i32), nix::sys::signal::Signal::SIGKILL)?;
        back(&bus, "echo", owner.generation).await?;
        until(&bus, "the cell is gone", |status| status.workers.iter().all(|worker| worker.instance_of.is_empty()))
            .await?;
        Ok(())
    });
}

#[test]
fn an_instance_that_uses_up_its_time_is_ended() {
    run(async {
        let (_instance, bus) = kit().await?;
        let short = Spawn { limits: InstanceLimits { wall_ms: 50, ..LIMITS }, ..spawn(vec![]) };
        try_spawn(&bus, "echo", &short).await??;
        until(&bus, "the cell is gone", |status| status.workers.iter().all(|worker| worker.instance_of.is_empty()))
            .await?;
        Ok(())
    });
}

#[test]
fn a_profile_change_restarts_that_worker_with_the_new_grants() {
    run(async {
        let (instance, bus) = kit().await?;
        let data = instance.place.data.canonicalize()?;
        std::fs::write(data.join("file"), "x")?;
        let before = worker(&bus, "echo").await?;
        let open = Ask::Open { path: data.join("file").display().to_string(), write: false };
        let Answer::Opened(Err(_)) = crate::support::ask(&bus, "echo", &open).await? else { panic!("it could read") };
        let change = SetProfile {
            worker: "echo".to_owned(),
            tcp_ports: Some(vec![9]),
            paths: Some(vec![PathGrant::read(data.display().to_string())]),
        };
        let refused = ask_call(&bus, "echo", &rows::SET_PROFILE, &change).await?.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Denied, "only the config service may");
        assert!(bus.call::<control::SetProfile>(&change).await.is_err(), "a client may not either");
        ask_call(&bus, "other", &rows::SET_PROFILE, &change).await?.unwrap();
        let after = back(&bus, "echo", before.generation).await?;
        assert_eq!(after.confinement.network, "tcp 9");
        assert_eq!(crate::support::ask(&bus, "echo", &open).await?, Answer::Opened(Ok(())));
        let wide = SetProfile { paths: Some(vec![PathGrant::read("/etc")]), ..change.clone() };
        assert_eq!(ask_call(&bus, "other", &rows::SET_PROFILE, &wide).await?.unwrap_err().code, ErrorCode::Denied);
        let other = SetProfile { worker: "other".to_owned(), ..change };
        assert!(ask_call(&bus, "other", &rows::SET_PROFILE, &other).await?.is_err(), "it has no such hole");
        assert_eq!(worker(&bus, "echo").await?.generation, after.generation, "what was refused restarted nobody");
        Ok(())
    });
}
