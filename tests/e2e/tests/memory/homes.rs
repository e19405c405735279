//! From one home to another: settings, copies, moves.

use crate::support::*;
use anyhow::Context;
use butterfly_api::config::{self, KeyRequest};
use butterfly_api::storage;
use butterfly_kit::harness::{Instance, Which, back, until, worker};
use butterfly_wire::control::WorkerState;
use serde_json::Value;

#[test]
fn exported_settings_make_the_same_assistant_elsewhere() {
    run(async {
        let (one, _bus) = Instance::start(Which::Production, &[], &[]).await?;
        for (key, value) in
            [("memory.retention_days", "90"), ("model.provider", "openai"), ("model.url", "http://127.0.0.1:9/v1")]
        {
            said(&butterfly(&one, &["config", "set", key, value], "").await?);
        }
        said(&butterfly(&one, &["config", "set", "--profile", "terse", "memory.enabled", "false"], "").await?);
        let exported = said(&butterfly(&one, &["config", "export"], "").await?);
        let (two, bus) = Instance::start(Which::Production, &[], &[]).await?;
        let file = two.home.path().join("settings.json");
        std::fs::write(&file, &exported)?;
        let file = file.to_string_lossy().into_owned();
        let preview = said(&butterfly(&two, &["config", "import", "--dry-run", &file], "").await?);
        assert!(preview.contains("memory.retention_days") && preview.contains("90"), "{preview}");
        let get = |key: &str| KeyRequest { key: key.to_owned(), profile: None };
        assert_ne!(
            bus.call::<config::Get>(&get("memory.retention_days")).await?.value,
            "90",
            "a preview changes nothing"
        );
        said(&butterfly(&two, &["config", "import", &file], "").await?);
        assert_eq!(bus.call::<config::Get>(&get("memory.retention_days")).await?.value, "90");
        assert_eq!(said(&butterfly(&two, &["config", "export"], "").await?), exported);
        // The model worker was confined anew, to the port that is now configured, and nobody else was restarted.
        let model = until(&two.connect().await?, "the model worker may reach port 9", |status| {
            status.workers.iter().any(|w| {
                w.name == "model"
                    && w.state == WorkerState::Ready
                    && w.confinement.network.contains('9')
                    && !w.confinement.network.contains("11434")
            })
        })
        .await?;
        assert!(model.workers.iter().filter(|w| w.name != "model").all(|w| w.generation == 1), "{model:?}");
        Ok(())
    });
}

#[test]
fn import_with_one_bad_value_changes_nothing_and_names_it() {
    run(async {
        let (one, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        said(&butterfly(&one, &["config", "set", "memory.retention_days", "30"], "").await?);
        let mut document: Value = serde_json::from_str(&said(&butterfly(&one, &["config", "export"], "").await?))?;
        let text = document.to_string().replace("\"30\"", "\"-4\"").replace(":30", ":-4");
        document = serde_json::from_str(&text)?;
        let file = one.home.path().join("bad.json");
        std::fs::write(&file, document.to_string())?;
        let refused = butterfly(&one, &["config", "import", &file.to_string_lossy()], "").await?;
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("memory.retention_days"));
        let request = KeyRequest { key: "memory.retention_days".to_owned(), profile: None };
        assert_eq!(bus.call::<config::Get>(&request).await?.value, "30");
        let unknown = butterfly(&one, &["config", "set", "memory.retention_day", "3"], "").await?;
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("memory.retention_days"), "the nearest key is named");
        Ok(())
    });
}

#[test]
fn backup_restores_what_was_there_and_a_damaged_one_is_refused() {
    run(async {
        let (instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        note(&bus, "the lighthouse was painted in April").await?;
        let copy = instance.home.path().join("copy.db");
        said(&butterfly(&instance, &["backup", &copy.to_string_lossy()], "").await?);
        note(&bus, "the foghorn was sold in May").await?;
        let mut bytes = std::fs::read(&copy)?;
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096.min(middle)].fill(0x5a);
        let bad = instance.home.path().join("bad.db");
        std::fs::write(&bad, &bytes)?;
        let refused = butterfly(&instance, &["restore", "--yes", &bad.to_string_lossy()], "").await?;
        assert!(!refused.status.success());
        assert!(!search(&bus, "foghorn").await?.results.is_empty(), "a refused copy changes nothing");
        let generation = worker(&bus, "memory").await?.generation;
        said(&butterfly(&instance, &["restore", "--yes", &copy.to_string_lossy()], "").await?);
        if worker(&bus, "memory").await?.state != WorkerState::Ready {
            back(&bus, "memory", generation).await?;
        }
        let found = patiently(|| async {
            let request = butterfly_api::memory::SearchRequest {
                query: "lighthouse foghorn".to_owned(),
                limit: 10,
                ..Default::default()
            };
            bus.call::<butterfly_api::memory::Search>(&request).await
        })
        .await?;
        let texts: Vec<_> = found.results.iter().map(|found| found.passage.text.as_str()).collect();
        assert!(texts.iter().any(|text| text.contains("lighthouse")), "{texts:?}");
        assert!(texts.iter().all(|text| !text.contains("foghorn")), "{texts:?}");
        Ok(())
    });
}

#[test]
fn data_folder_moves_and_everything_moves_with_it() {
    run(async {
        let (instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        note(&bus, "the anchor is in the shed").await?;
        let elsewhere = tempfile::tempdir()?;
        let target = elsewhere.path().canonicalize()?.join("kept");
        let generation = worker(&bus, "memory").await?.generation;
        said(&butterfly(&instance, &["config", "set", "memory.db_path", &target.to_string_lossy()], "").await?);
        back(&bus, "memory", generation).await?;
        assert!(target.join("butterfly.db").exists());
        let found = patiently(|| async {
            let request =
                butterfly_api::memory::SearchRequest { query: "anchor".to_owned(), limit: 1, ..Default::default() };
            bus.call::<butterfly_api::memory::Search>(&request).await
        })
        .await?;
        assert_eq!(found.results.len(), 1);
        let stats = bus.call::<storage::GetStats>(&()).await?;
        assert_eq!(std::path::Path::new(&stats.folder).canonicalize()?, target);
        let memory = worker(&bus, "memory").await?;
        assert_eq!(memory.state, WorkerState::Ready);
        std::fs::symlink_metadata(&instance.place.data)?.is_symlink().then_some(()).context("data is a link now")?;
        Ok(())
    });
}
