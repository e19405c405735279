//! The kit's service through the client library. With a socket as argument it serves through a relay; without, it is a worker
//! of a kernel.

use butterfly_bench::service::{Measured, Relayed};
use butterfly_kit::service;
use butterfly_runtime::Worker;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::UnixStream;

fn main() -> ExitCode {
    let Some(socket) = std::env::args_os().nth(1) else {
        return butterfly_runtime::run(|_| Worker::new().serves(service::serve(Arc::new(Measured))));
    };
    match relayed(socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench_service: {fault}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn relayed(socket: OsString) -> anyhow::Result<()> {
    // As the jail does for a worker.
    let _ = nix::unistd::setsid();
    let stream = UnixStream::connect(socket).await?;
    butterfly_client::start(stream, Arc::new(Relayed::default())).ended().await;
    Ok(())
}
