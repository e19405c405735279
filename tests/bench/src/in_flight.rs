//! Many calls at a time.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::round_trip::BYTES;
use crate::sides::{Callee, compare};

/// Turns of each side.
const ROUNDS: usize = 50;

/// Calls in a turn: a tenth of a second or so.
const CALLS: usize = 20_000;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let rounds = options.times(ROUNDS);
    let compared = compare(Callee::Echo, "in-flight", rounds, CALLS, BYTES).await?;
    let row =
        |what: &str, kernel, relay| Row::new(format!("64 in flight, {what}"), Unit::PerSecond, kernel, relay, "relay");
    let median = row("median of the turns", compared.kernel.median(), compared.relay.median());
    Ok(Section {
        title: "64 calls in flight",
        method: format!(
            "As the round trip with bare frames, but whenever an answer arrives the next call goes out, so that 64 are \
             always open; {rounds} turns of {CALLS} calls on each side."
        ),
        rows: vec![
            median.target(Target::RatioAtLeast(0.8)),
            row("best turn", compared.kernel.largest(), compared.relay.largest()),
        ],
    })
}
