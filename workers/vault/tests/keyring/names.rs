//! Who gets what: by the source that the kernel wrote, and by nothing that a caller says.

use crate::session::{PATIENT, vault};
use butterfly_api::secret::Secret;
use butterfly_api::vault::{Delete, NameRequest, Read, Set, SetRequest, VaultCause, VaultError};
use butterfly_wire::Failure;

fn declared(failure: Failure) -> VaultError {
    VaultError::from_failure(&failure).expect("declared")
}

#[tokio::test]
async fn a_client_and_other_workers_never_read() {
    for role in [None, Some("brains"), Some("memory"), Some("vault")] {
        let vault = vault(None, PATIENT, role);
        let name = "openai.api_key".to_owned();
        let value = Secret::new("sk-not-for-you".into());
        vault.bus.call::<Set>(&SetRequest { name: name.clone(), value }).await.unwrap();
        let error = declared(vault.bus.call::<Read>(&NameRequest { name }).await.map(drop).unwrap_err());
        assert_eq!(error.cause, VaultCause::NotYours, "{role:?}");
        assert!(!error.message.contains("sk-not"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_name_that_is_not_in_the_table_is_refused_with_the_nearest() {
    let vault = vault(None, PATIENT, Some("model"));
    let name = "openai.apikey".to_owned();
    let value = Secret::new("sk-0123".into());
    let set = vault.bus.call::<Set>(&SetRequest { name: name.clone(), value }).await.unwrap_err();
    let read = vault.bus.call::<Read>(&NameRequest { name: name.clone() }).await.map(drop).unwrap_err();
    let delete = vault.bus.call::<Delete>(&NameRequest { name }).await.unwrap_err();
    for failure in [set, read, delete] {
        let error = declared(failure);
        assert_eq!(error.cause, VaultCause::UnknownName);
        assert!(error.message.contains("did you mean openai.api_key?"), "{}", error.message);
    }
    assert!(!vault.vault.holds_any());
}
