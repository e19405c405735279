//! A provider wants a key in the middle of a turn: the person is asked for it, and the vault keeps it.

use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::hidden;
use crate::text;
use butterfly_api::vault::{Kept, Set, SetRequest};
use butterfly_client::Bus;
use std::io::{self, IsTerminal};

/// Asks for the secret, without showing it, and has the vault keep it. The turn goes on by itself then.
///
/// # Errors
/// Where nobody can be asked, the person declines, or the vault cannot keep it: how it can be set otherwise.
pub async fn ask(context: &Context, bus: &Bus, name: &str, why: &str) -> Result<(), Fault> {
    if context.out.json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(needed(name, why));
    }
    context.out.remark(&text::escaped(why));
    let prompt = format!("{} (it is not shown): ", text::escaped(name));
    let read = tokio::task::spawn_blocking(move || hidden::read(&prompt)).await;
    let value = match read {
        Ok(Ok(value)) if !value.expose().is_empty() => value,
        // Declined.
        Ok(Ok(_)) => return Err(needed(name, why)),
        Ok(Err(fault)) if fault.exit == Exit::Interrupted => return Err(needed(name, why)),
        Ok(Err(fault)) => return Err(fault),
        Err(fault) => return Err(Fault::failed(format!("nothing was read: {fault}"))),
    };
    let stored = bus.call::<Set>(&SetRequest { name: name.to_owned(), value }).await?;
    if let Some(note) = &stored.note {
        context.out.warning(note);
    }
    context.out.remark(match stored.kept {
        Kept::Keyring => "kept in the OS keyring",
        Kept::Process => "kept until the assistant ends",
    });
    Ok(())
}

fn needed(name: &str, why: &str) -> Fault {
    let set = format!("set it with `butterfly secret set {name}`");
    let why = why.trim_end_matches('.');
    let message =
        if why.contains(&set) { format!("{why}, then ask again") } else { format!("{why}; {set}, then ask again") };
    Fault::new(Exit::Failed, "needs_secret", message)
}

#[cfg(test)]
mod tests {
    use super::needed;

    #[test]
    fn what_is_missing_comes_with_the_command_that_sets_it() {
        let fault = needed("model.api_key", "The server asks for a key.");
        let wanted = "The server asks for a key; set it with `butterfly secret set model.api_key`, then ask again";
        assert_eq!((fault.message.as_str(), fault.code.as_str()), (wanted, "needs_secret"));
        assert_eq!(
            needed("model.api_key", wanted.trim_end_matches(", then ask again")).message,
            wanted,
            "it is said once"
        );
    }
}
