//! How long a process takes to answer: its main thread answers for what it shows (AT-SPI 2), so that whoever asks again
//! and again learns how long that thread was busy with something else.

use crate::accessible::{self, Object};
use std::time::{Duration, Instant};
use zbus::Connection;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks where an object is until `over` is done, and returns how long each answer took.
///
/// # Errors
/// Where the object is gone.
pub async fn while_not(
    bus: &Connection,
    object: &Object,
    over: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut answers = Vec::new();
    let asking = async {
        loop {
            let asked = Instant::now();
            if let Err(fault) = accessible::place(bus, object).await {
                break Err::<(), _>(fault);
            }
            answers.push(asked.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        done = over => done?,
        Err(fault) = asking => return Err(fault),
    }
    Ok(answers)
}
