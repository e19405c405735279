//! What the keyring can be, what is said of it, and what becomes of a secret meanwhile.

use crate::session::{HASTY, PATIENT, Session, proxy, vault};
use butterfly_api::secret::Secret;
use butterfly_api::vault::{
    Delete, Kept, List, NameRequest, Read, Set, SetRequest, StoreState, Stored, VaultCause, VaultError,
};
use butterfly_client::Bus;
use nix::sys::signal::Signal;

const NAME: &str = "openai.api_key";
const VALUE: &str = "sk-states-0123456789";
const PASSWORD: &str = "correct horse";

async fn set(bus: &Bus) -> Stored {
    bus.call::<Set>(&SetRequest { name: NAME.into(), value: Secret::new(VALUE.into()) }).await.unwrap()
}

/// The value, or why there is none.
async fn read(bus: &Bus) -> Result<String, VaultError> {
    let read = bus.call::<Read>(&NameRequest { name: NAME.into() }).await;
    read.map(|secret| secret.expose().to_owned())
        .map_err(|failure| VaultError::from_failure(&failure).expect("declared"))
}

fn kept_in_memory(stored: &Stored, why: &str) {
    assert_eq!(stored.kept, Kept::Process);
    let note = stored.note.as_deref().unwrap();
    assert!(note.contains("memory only") && note.contains(why) && note.contains("set it again"), "{note}");
}

#[tokio::test]
async fn an_unlocked_keyring_is_ready() {
    let session = Session::start();
    let _keyring = session.keyring(Some(PASSWORD)).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    vault.expect(StoreState::Ready, &["unlocked"]).await;
}

#[tokio::test]
async fn an_absent_keyring_is_told_and_a_secret_lives_as_long_as_the_vault() {
    let session = Session::start();
    for descriptor in [Some(session.connect()), None] {
        let no_bus = descriptor.is_none();
        let first = vault(descriptor, PATIENT, Some("model"));
        first.expect(StoreState::Absent, &["no OS keyring", "gnome-keyring"]).await;
        assert_eq!(read(&first.bus).await.unwrap_err().cause, VaultCause::Store(StoreState::Absent));
        kept_in_memory(&set(&first.bus).await, "no OS keyring");
        assert_eq!(read(&first.bus).await.unwrap(), VALUE);
        let listed = first.bus.call::<List>(&()).await.unwrap();
        assert_eq!((listed.secrets[0].kept, listed.store.state), (Some(Kept::Process), StoreState::Absent));
        assert!(first.vault.holds_any() && first.vault.checks().await.len() == 2);
        drop(first);

        let second = vault((!no_bus).then(|| session.connect()), PATIENT, Some("model"));
        assert!(read(&second.bus).await.is_err(), "nothing of it was written anywhere");
    }
    assert!(!session.files().windows(VALUE.len()).any(|window| window == VALUE.as_bytes()));
}

#[tokio::test]
async fn what_is_in_memory_alone_can_be_deleted() {
    let vault = vault(None, PATIENT, Some("model"));
    set(&vault.bus).await;
    let deleted = vault.bus.call::<Delete>(&NameRequest { name: NAME.into() }).await.unwrap();
    assert!(deleted.existed && !vault.vault.holds_any());
    assert!(!vault.bus.call::<Delete>(&NameRequest { name: NAME.into() }).await.unwrap().existed);
}

#[tokio::test]
async fn a_locked_keyring_is_told_until_it_is_unlocked() {
    let session = Session::start();
    let keyring = session.keyring(Some(PASSWORD)).await;
    let before = vault(Some(session.connect()), PATIENT, Some("model"));
    assert_eq!(set(&before.bus).await.kept, Kept::Keyring);
    keyring.kill();
    session.owned(false).await;

    let _keyring = session.keyring(None).await;
    let after = vault(Some(session.connect()), PATIENT, Some("model"));
    after.expect(StoreState::Locked, &["locked", "unlock it"]).await;
    let error = read(&after.bus).await.unwrap_err();
    assert_eq!(error.cause, VaultCause::Store(StoreState::Locked), "no prompt where no person asked");
    // It is known that there is one, and not which.
    let listed = after.bus.call::<List>(&()).await.unwrap();
    assert_eq!((listed.secrets[0].kept, listed.store.state), (Some(Kept::Keyring), StoreState::Locked));

    session.unlock(PASSWORD).await;
    after.expect(StoreState::Ready, &[]).await;
    assert_eq!(read(&after.bus).await.unwrap(), VALUE);
}

#[tokio::test]
async fn a_person_who_sets_a_secret_is_asked_to_unlock_and_a_prompt_that_cannot_be_shown_is_a_refusal() {
    let session = Session::start();
    session.keyring(Some(PASSWORD)).await.kill();
    session.owned(false).await;
    let _keyring = session.keyring(None).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    kept_in_memory(&set(&vault.bus).await, "prompt");
    assert_eq!(read(&vault.bus).await.unwrap(), VALUE);
    // Once it is unlocked, what is set again goes where it belongs.
    session.unlock(PASSWORD).await;
    assert_eq!(set(&vault.bus).await.kept, Kept::Keyring);
    assert!(!vault.vault.holds_any());
}

#[tokio::test]
async fn a_keyring_that_does_not_answer_is_slow_and_works_again_once_it_does() {
    let session = Session::start();
    let keyring = session.keyring(Some(PASSWORD)).await;
    let hasty = vault(Some(session.connect()), HASTY, Some("model"));
    keyring.signal(Signal::SIGSTOP);
    hasty.expect(StoreState::Slow, &["does not answer", "try again"]).await;
    kept_in_memory(&set(&hasty.bus).await, "does not answer");
    keyring.signal(Signal::SIGCONT);
    let patient = vault(Some(session.connect()), PATIENT, Some("model"));
    patient.expect(StoreState::Ready, &[]).await;
}

#[tokio::test]
async fn a_keyring_that_may_be_seen_and_not_talked_to_denies() {
    let session = Session::start();
    let _keyring = session.keyring(Some(PASSWORD)).await;
    let (_proxy, descriptor) = proxy(&session, "--see=org.freedesktop.secrets");
    let vault = vault(Some(descriptor), PATIENT, Some("model"));
    vault.expect(StoreState::Denied, &["refused", "allow"]).await;
    assert_eq!(read(&vault.bus).await.unwrap_err().cause, VaultCause::Store(StoreState::Denied));
    kept_in_memory(&set(&vault.bus).await, "refused");
}

#[tokio::test]
async fn a_keyring_that_ends_has_vanished_and_is_found_again_when_it_is_back() {
    let session = Session::start();
    let keyring = session.keyring(Some(PASSWORD)).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    assert_eq!(set(&vault.bus).await.kept, Kept::Keyring);
    assert_eq!(read(&vault.bus).await.unwrap(), VALUE);

    keyring.kill();
    session.owned(false).await;
    vault.expect(StoreState::Vanished, &["is gone", "start it again"]).await;
    assert_eq!(read(&vault.bus).await.unwrap_err().cause, VaultCause::Store(StoreState::Vanished));

    let _keyring = session.keyring(Some(PASSWORD)).await;
    assert_eq!(read(&vault.bus).await.unwrap(), VALUE, "the same vault, over the same connection");
    vault.expect(StoreState::Ready, &[]).await;
}

#[tokio::test]
async fn a_keyring_that_was_started_anew_between_two_calls_is_asked_again() {
    let session = Session::start();
    let keyring = session.keyring(Some(PASSWORD)).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    assert_eq!(set(&vault.bus).await.kept, Kept::Keyring);
    keyring.kill();
    session.owned(false).await;
    let _keyring = session.keyring(Some(PASSWORD)).await;
    assert_eq!(read(&vault.bus).await.unwrap(), VALUE, "the session with the first one is no use");
}

#[tokio::test]
async fn a_session_bus_that_ends_has_vanished_for_good() {
    let mut session = Session::start();
    let keyring = session.keyring(Some(PASSWORD)).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    vault.expect(StoreState::Ready, &[]).await;
    session.end_bus();
    vault.store.lost().await;
    vault.expect(StoreState::Vanished, &["session bus ended", "butterfly restart vault"]).await;
    kept_in_memory(&set(&vault.bus).await, "is gone");
    assert_eq!(read(&vault.bus).await.unwrap(), VALUE);
    drop(keyring);
}
