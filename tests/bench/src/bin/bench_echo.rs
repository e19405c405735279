//! Answers frames with frames, with blocking calls alone. With a socket as argument it answers through a relay; without, it is
//! a worker of a kernel, confined like any other.

use butterfly_bench::raw::Raw;
use butterfly_runtime::handshake;
use butterfly_wire::confinement::Canary;
use butterfly_wire::control::{Mode, Ready, Serve};
use std::path::Path;

fn main() -> anyhow::Result<()> {
    if let Some(socket) = std::env::args_os().nth(1) {
        // As the jail does for a worker.
        let _ = nix::unistd::setsid();
        return Raw::relayed(Path::new(&socket))?.echo();
    }
    let mut bus = handshake::bus_on_stdin()?;
    let welcome = handshake::shake_hands(&mut bus)?;
    let Mode::Serve(serve) = welcome.mode else { anyhow::bail!("an echo only serves") };
    let ready = Ready { canaries: confine(&serve)? };
    handshake::send_ready(&mut bus, &ready)?;
    Raw::new(bus).echo()
}

#[cfg(target_os = "linux")]
fn confine(serve: &Serve) -> anyhow::Result<Vec<Canary>> {
    butterfly_runtime::harden::give_up(&serve.remaining)?;
    Ok(butterfly_runtime::canaries::check(&serve.canaries, &serve.remaining))
}

#[cfg(not(target_os = "linux"))]
fn confine(_: &Serve) -> anyhow::Result<Vec<Canary>> {
    anyhow::bail!("confinement is measured on Linux only")
}
