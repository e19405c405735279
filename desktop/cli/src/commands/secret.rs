//! `secret`: what is kept in the OS keyring, by name. No command prints a value.

use crate::args::SecretCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::hidden;
use crate::launch;
use crate::paint::Role;
use crate::render::table::{Align, Cell, Table};
use crate::text;
use butterfly_api::vault::{
    Check, Delete, Kept, List, NameRequest, SecretInfo, Secrets, Set, SetRequest, Store, StoreState, Stored, VaultError,
};
use butterfly_wire::Failure;
use serde::Serialize;

/// What `secret set --json` prints.
#[derive(Serialize)]
struct SetView<'a> {
    name: &'a str,
    kept: Kept,
    note: Option<&'a str>,
}

/// What `secret delete --json` prints.
#[derive(Serialize)]
struct DeleteView<'a> {
    name: &'a str,
    existed: bool,
}

/// Runs one of the secret commands.
///
/// # Errors
/// What the vault answers, and input that cannot be read.
pub async fn run(context: &Context, command: SecretCommand) -> Result<Exit, Fault> {
    let bus = launch::serving(context).await?;
    let out = &context.out;
    match command {
        SecretCommand::Set { name } => {
            let prompt = format!("Value of {} (it is not shown): ", text::escaped(&name));
            let read = tokio::task::spawn_blocking(move || hidden::read(&prompt)).await;
            let value = read.map_err(|fault| Fault::failed(format!("nothing was read: {fault}")))??;
            let request = SetRequest { name, value };
            let stored = bus.call::<Set>(&request).await.map_err(declared)?;
            told(context, &request.name, &stored)?;
        }
        SecretCommand::List => {
            let secrets = bus.call::<List>(&()).await.map_err(declared)?;
            if out.json { out.object(&secrets)? } else { list(context, &secrets)? }
        }
        SecretCommand::Delete { name } => {
            let request = NameRequest { name };
            let existed = bus.call::<Delete>(&request).await.map_err(declared)?.existed;
            let name = text::escaped(&request.name);
            if out.json {
                out.object(&DeleteView { name: &request.name, existed })?;
            } else if existed {
                out.line(&format!("{name} is deleted"))?;
            } else {
                out.line(&format!("{name} was not set, so there was nothing to delete"))?;
            }
        }
        SecretCommand::Check => {
            let store = bus.call::<Check>(&()).await.map_err(declared)?;
            if out.json {
                out.object(&store)?
            } else {
                out.line(&text::escaped(&store.message))?
            }
            return Ok(fitness(&store));
        }
    }
    Ok(Exit::Done)
}

/// A keyring that cannot keep anything is a failure for scripts.
fn fitness(store: &Store) -> Exit {
    match store.state {
        StoreState::Ready => Exit::Done,
        StoreState::Absent | StoreState::Locked | StoreState::Slow | StoreState::Denied | StoreState::Vanished => {
            Exit::Failed
        }
    }
}

/// The vault's own cause, in place of what a failure of another service would mean.
fn declared(failure: Failure) -> Fault {
    let cause =
        VaultError::from_failure(&failure).and_then(|error| serde_json::to_value(error.cause).ok()).map(Box::new);
    Fault { cause, ..Fault::from(failure) }
}

fn told(context: &Context, name: &str, stored: &Stored) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(&SetView { name, kept: stored.kept, note: stored.note.as_deref() });
    }
    if let Some(note) = &stored.note {
        out.warning(note);
    }
    let where_kept = match stored.kept {
        Kept::Keyring => "is kept in the OS keyring",
        Kept::Process => "is set until the assistant ends",
    };
    out.line(&format!("{} {where_kept}", text::escaped(name)))
}

fn list(context: &Context, secrets: &Secrets) -> Result<(), Fault> {
    let out = &context.out;
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("KEPT IN", Align::Left),
        ("READ BY", Align::Left),
        ("WHAT IT IS", Align::Flexible),
    ]);
    for SecretInfo { name, purpose, used_by, kept } in &secrets.secrets {
        table.row(vec![
            Cell::of(Role::Strong, text::escaped(name)),
            match kept {
                Some(Kept::Keyring) => Cell::new("keyring"),
                Some(Kept::Process) => Cell::of(Role::Warning, "memory"),
                None => Cell::of(Role::Muted, "–"),
            },
            text::escaped(&used_by.join(", ")).into(),
            text::escaped(purpose).into(),
        ]);
    }
    out.line(&table.render(out.paint, out.columns()))?;
    match secrets.store.state {
        StoreState::Ready => {}
        // What most programs on a server or in a container find; it stands in the way of nothing yet.
        StoreState::Absent => out.remark(
            "without an OS keyring here, a key lasts until the assistant ends; `butterfly secret check` says how to change that",
        ),
        StoreState::Locked | StoreState::Slow | StoreState::Denied | StoreState::Vanished => {
            out.warning(&secrets.store.message);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::vault::VaultCause;

    #[test]
    fn a_failure_has_the_vaults_cause_for_programs() {
        let fault = declared(VaultError::new(VaultCause::UnknownName, "no such name").into());
        assert_eq!(fault.cause.as_deref(), Some(&serde_json::json!("unknown_name")));
        let fault = declared(VaultError::new(VaultCause::Store(StoreState::Locked), "unlock it").into());
        assert_eq!(fault.cause.as_deref(), Some(&serde_json::json!({"store": "locked"})));
        assert_eq!(declared(Failure::new(butterfly_wire::ErrorCode::Unavailable, "away")).cause, None);
    }

    #[test]
    fn only_a_ready_keyring_is_fit() {
        let of = |state| fitness(&Store { state, message: String::new() });
        assert_eq!(of(StoreState::Ready), Exit::Done);
        assert_eq!(of(StoreState::Absent), Exit::Failed);
    }
}
