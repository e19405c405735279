//! What is in the files of a home, and what is not.

use crate::support::*;
use butterfly_api::memory::{self, ForgetRequest};
use butterfly_api::storage;
use butterfly_kit::harness::{Instance, Which};
use std::process::{Command, Stdio};

#[test]
fn what_was_forgotten_is_in_no_file_after_the_vacuum() {
    run(async {
        let server = server().await?;
        let url = server.url();
        let (instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &url)]).await?;
        let secret_word = "quixotically-magenta-walrus";
        let first = note(&bus, &format!("the {secret_word} lives at the pier")).await?;
        for number in 0..50 {
            note(&bus, &format!("gull {number} sits on the pier")).await?;
        }
        let spoken = turn(&bus, &say(None, &format!("remember that the {secret_word} is my friend"))).await?;
        let asked = turn(&bus, &say(None, &format!("who is the {secret_word}?"))).await?;
        indexed(&bus).await?;
        assert!(!files_with(&instance.place.data, secret_word.as_bytes()).is_empty(), "the scan sees what is there");
        let found = search(&bus, secret_word).await?;
        let mut ids: Vec<_> =
            found.results.iter().filter(|f| f.passage.text.contains(secret_word)).map(|f| f.passage.id).collect();
        ids.extend([first.id, spoken.message, asked.message]);
        for conversation in [spoken.conversation, asked.conversation] {
            ids.extend(transcript(&bus, conversation).await?.messages.iter().map(|message| message.id));
        }
        ids.sort_unstable();
        ids.dedup();
        let preview =
            bus.call::<memory::Forget>(&ForgetRequest { ids: ids.clone(), facts: vec![], dry_run: true }).await?;
        assert!(!search(&bus, secret_word).await?.results.is_empty(), "a preview forgets nothing");
        let done = bus.call::<memory::Forget>(&ForgetRequest { ids, facts: vec![], dry_run: false }).await?;
        assert_eq!(preview.passages.len(), done.passages.len());
        assert!(search(&bus, secret_word).await?.results.iter().all(|f| !f.passage.text.contains(secret_word)));
        // Titles were made of the words that were said.
        for conversation in [spoken.conversation, asked.conversation] {
            let update = butterfly_api::conversations::Update {
                conversation,
                title: Some("untitled".to_owned()),
                ..Default::default()
            };
            bus.call::<butterfly_api::conversations::Change>(&update).await?;
        }
        bus.call::<storage::Vacuum>(&()).await?;
        // The index of words holds them one by one, folded to lower case and stemmed.
        for needle in [secret_word, "quixot", "walru"] {
            let files = files_with(&instance.place.data, needle.as_bytes());
            assert!(files.is_empty(), "{needle} is still in {files:?}");
        }
        assert!(!search(&bus, "gull").await?.results.is_empty(), "the rest stays");
        Ok(())
    });
}

/// A keyring and a session bus of the test's own, for one command.
fn under_a_keyring(command: &str) -> Command {
    let mut shell = Command::new("dbus-run-session");
    let script = format!(
        "eval \"$(printf pw | gnome-keyring-daemon --unlock --components=secrets)\" >/dev/null 2>&1; {command}"
    );
    shell.args(["--", "bash", "-c", &script]).stdin(Stdio::null());
    shell
}

#[test]
fn secret_is_in_the_keyring_and_in_no_file_log_or_export_of_the_home() {
    run(async {
        let home = tempfile::tempdir()?;
        let runtime = tempfile::tempdir()?;
        let program = butterfly_kit::harness::program("butterfly")?;
        let secret = "sk-canary-8f3a-in-no-file";
        let script = format!(
            "b={program}; $b up >/dev/null && printf %s {secret} | $b secret set openai.api_key --json && $b secret list --json \
             && $b chat -m 'hello there' --json >/dev/null && $b config export && $b logs && $b crashes --json; $b down",
            program = program.display(),
        );
        let output = under_a_keyring(&script)
            .env("BUTTERFLY_HOME", home.path().join("home"))
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", runtime.path())
            .env("XDG_DATA_HOME", home.path().join("share"))
            .env("BUTTERFLY_MODEL_PROVIDER", "builtin")
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("keyring"), "it went into the keyring: {text}");
        assert!(!text.contains(secret), "{text}");
        assert!(files_with(&home.path().join("home"), secret.as_bytes()).is_empty());
        assert!(files_with(runtime.path(), secret.as_bytes()).is_empty());
        Ok(())
    });
}
