//! What every command needs: the instance it is about, how it writes, and the way to the kernel.

use crate::fault::Fault;
use crate::out::Out;
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_start::Instance;
use butterfly_wire::control::{Status, Welcome};

/// One run of the program.
pub struct Context {
    pub instance: Instance,
    pub out: Out,
}

impl Context {
    /// Connects to the running kernel.
    ///
    /// # Errors
    /// A fault whose exit code says whether none runs, or one that is not ours.
    pub async fn connect(&self) -> Result<Bus, Fault> {
        Ok(self.try_connect().await?.0)
    }

    /// As [`Context::connect`], for who treats the reasons differently.
    ///
    /// # Errors
    /// As the client's `connect`.
    pub async fn try_connect(&self) -> Result<(Bus, Welcome), butterfly_client::ConnectError> {
        butterfly_client::connect(&self.instance.place).await
    }
}

/// The status table.
///
/// # Errors
/// What the kernel answers.
pub async fn status(bus: &Bus) -> Result<Status, Fault> {
    Ok(bus.call::<control::Status>(&()).await?)
}
