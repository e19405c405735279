//! A secret's way into the keyring and out of it.

use crate::session::{PATIENT, Session, proxy, vault};
use butterfly_api::secret::Secret;
use butterfly_api::vault::{Delete, Kept, List, NameRequest, Read, Set, SetRequest, VaultCause, VaultError};
use butterfly_client::Bus;
use butterfly_wire::{ErrorCode, Failure};

const NAME: &str = "openai.api_key";

async fn set(bus: &Bus, value: &str) -> Result<Kept, Failure> {
    let request = SetRequest { name: NAME.into(), value: Secret::new(value.into()) };
    bus.call::<Set>(&request).await.map(|stored| stored.kept)
}

async fn read(bus: &Bus) -> Result<String, Failure> {
    let read = bus.call::<Read>(&NameRequest { name: NAME.into() }).await;
    read.map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn a_secret_is_kept_replaced_read_by_a_later_vault_and_deleted() {
    let session = Session::start();
    let _keyring = session.keyring(Some("pw")).await;
    let first = vault(Some(session.connect()), PATIENT, Some("model"));
    assert_eq!(set(&first.bus, "sk-first-0123").await.unwrap(), Kept::Keyring);
    assert_eq!(set(&first.bus, "sk-sécond \"🦋\" 0123").await.unwrap(), Kept::Keyring);
    let listed = first.bus.call::<List>(&()).await.unwrap().secrets;
    let kept: Vec<_> = listed.iter().map(|info| (info.name.as_str(), info.kept)).collect();
    assert_eq!(kept, [("openai.api_key", Some(Kept::Keyring)), ("ollama.api_key", None)]);
    assert_eq!(listed[0].used_by, ["model"]);
    drop(first);

    let second = vault(Some(session.connect()), PATIENT, Some("model"));
    assert_eq!(read(&second.bus).await.unwrap(), "sk-sécond \"🦋\" 0123");
    let request = NameRequest { name: NAME.into() };
    assert!(second.bus.call::<Delete>(&request).await.unwrap().existed);
    assert!(!second.bus.call::<Delete>(&request).await.unwrap().existed);
    let error = VaultError::from_failure(&read(&second.bus).await.unwrap_err()).unwrap();
    assert_eq!(error.cause, VaultCause::Missing);
    assert!(error.message.contains("butterfly secret set openai.api_key"), "{}", error.message);
    let files = session.files();
    assert!(!files.windows(8).any(|window| window == b"sk-first"), "the keyring encrypts what it keeps");
}

#[tokio::test]
async fn it_works_through_the_filter_that_production_puts_before_the_bus() {
    let session = Session::start();
    let _keyring = session.keyring(Some("pw")).await;
    let (_proxy, descriptor) = proxy(&session, "--talk=org.freedesktop.secrets");
    let vault = vault(Some(descriptor), PATIENT, Some("model"));
    assert_eq!(set(&vault.bus, "sk-through-the-proxy").await.unwrap(), Kept::Keyring);
    assert_eq!(read(&vault.bus).await.unwrap(), "sk-through-the-proxy");
}

#[tokio::test]
async fn the_longest_secret_fits_and_a_longer_one_is_refused() {
    let session = Session::start();
    let _keyring = session.keyring(Some("pw")).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    let longest = "k".repeat(butterfly_api::secret::LONGEST);
    assert_eq!(set(&vault.bus, &longest).await.unwrap(), Kept::Keyring);
    assert_eq!(read(&vault.bus).await.unwrap(), longest);
    for bad in ["", "abc", "two\nlines", " spaced ", format!("{longest}k").as_str()] {
        let failure = set(&vault.bus, bad).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadPayload);
        assert!(bad.len() < 4 || !failure.message.contains(bad), "{}", failure.message);
    }
    assert_eq!(read(&vault.bus).await.unwrap(), longest, "nothing was changed");
}

#[tokio::test]
async fn many_calls_at_once_share_one_session() {
    let session = Session::start();
    let _keyring = session.keyring(Some("pw")).await;
    let vault = vault(Some(session.connect()), PATIENT, Some("model"));
    set(&vault.bus, "sk-shared-0123").await.unwrap();
    let reads: Vec<_> = (0..16)
        .map(|_| {
            let bus = vault.bus.clone();
            tokio::spawn(async move { read(&bus).await })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap(), "sk-shared-0123");
    }
}
