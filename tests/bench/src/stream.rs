//! One long stream.

use crate::options::Options;
use crate::report::{Row, Section, Unit};
use crate::sides::{Callee, compare};

/// Turns of each side.
const ROUNDS: usize = 30;

/// Bytes of an item and items in a turn.
const STREAMS: [(usize, usize); 2] = [(256, 20_000), (16 << 10, 4_000)];

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let rounds = options.times(ROUNDS);
    let mut rows = Vec::new();
    for (bytes, items) in STREAMS {
        let compared = compare(Callee::Service, "stream", rounds, items, bytes).await?;
        let what = format!("items of {bytes} B, median of the turns");
        rows.push(Row::new(what, Unit::PerSecond, compared.kernel.median(), compared.relay.median(), "relay"));
    }
    Ok(Section {
        title: "Stream",
        method: format!(
            "A stream's items from a worker to a client, with the client library and the worker runtime at both ends and \
             the credit that the protocol asks for (a window of 32 items); {rounds} turns on each side."
        ),
        rows,
    })
}
