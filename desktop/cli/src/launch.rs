//! The way to a kernel that serves, with what people are told on it.

use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::status::sentence;
use crate::render::units;
use crate::text;
use butterfly_client::Bus;
use butterfly_start::{Notice, StartError, held};
pub use butterfly_start::{RESTART_LIMIT, Running, generation, next_change, succeeded};
use butterfly_wire::control::Status;

/// Connects to the kernel of this instance and starts one if none runs. Returns when every worker is ready or held.
///
/// # Errors
/// When no kernel can be started; the reason is the kernel's own, where it gave one.
pub async fn up(context: &Context) -> Result<Running, Fault> {
    Ok(butterfly_start::up(&context.instance, &|notice| remark(context, &notice)).await?)
}

/// Connects to the kernel, and waits while workers are being started: what is asked of one of those would be refused.
///
/// # Errors
/// As [`Context::connect`].
pub async fn serving(context: &Context) -> Result<Bus, Fault> {
    Ok(butterfly_start::serving(&context.instance, &|notice| remark(context, &notice)).await?)
}

/// Waits until no worker is on its way to being ready.
///
/// # Errors
/// When the connection ends.
pub async fn settled(context: &Context, bus: &Bus) -> Result<Status, Fault> {
    Ok(butterfly_start::settled(bus, &|notice| remark(context, &notice)).await?)
}

fn remark(context: &Context, notice: &Notice) {
    match notice {
        Notice::TriedAgain { worker, remaining_ms } => context.out.remark(&format!(
            "{} failed to start and is tried again in {}",
            text::escaped(worker),
            units::milliseconds(*remaining_ms)
        )),
    }
}

/// The fault that a held worker is, if one is.
#[must_use]
pub fn held_fault(status: &Status) -> Option<Fault> {
    let reasons: Vec<_> = held(status).map(|(name, reason)| format!("{name} is held: {}", sentence(reason))).collect();
    let first = held(status).next()?.0;
    let message = format!(
        "{} Start it again with `butterfly restart {}` when that is mended.",
        reasons.join(" "),
        text::escaped(first)
    );
    Some(Fault::new(Exit::Failed, "held", message))
}

/// The kernel ended while it was being watched.
#[must_use]
pub fn lost() -> Fault {
    StartError::Lost.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::status::tests::sample;

    #[test]
    fn a_held_worker_is_a_fault_that_says_what_to_do() {
        let fault = held_fault(&sample()).unwrap();
        assert!(fault.message.contains("brains is held") && fault.message.contains("butterfly restart brains"));
        let mut well = sample();
        well.workers.truncate(1);
        assert_eq!(held_fault(&well), None);
    }
}
