//! One call at a time: a request of 256 bytes and its reply.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::sides::{Callee, Compared, compare};

/// Payload bytes of request and reply.
pub const BYTES: usize = 256;

/// Turns of each side. Many short ones: what disturbs the machine lasts longer than a turn, so it meets both.
const ROUNDS: usize = 100;

/// Calls in a turn.
const CALLS: usize = 200;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let rounds = options.times(ROUNDS);
    let bare = compare(Callee::Echo, "round-trip", rounds, CALLS, BYTES).await?;
    let library = compare(Callee::Service, "round-trip", rounds, CALLS, BYTES).await?;
    let target = Target::RatioAtMost(1.25);
    let [median, p99] = rows("bare frames", &bare);
    let [library_median, library_p99] = rows("client library and worker runtime", &library);
    Ok(Section {
        title: "Round trip",
        method: format!(
            "A request and a reply of {BYTES} bytes each, one call at a time, {calls} calls on each side in {rounds} \
             turns. The relay is a framed, single-threaded tokio program that passes whole frames on between two Unix \
             sockets, with one 64 KiB buffer for each direction; it checks and keeps nothing. Caller, relay or kernel, \
             and echo are a process each. With *bare frames* caller and echo make blocking reads and writes and nothing \
             else, so that they hide as little as possible of what is between them: this is the comparison that the \
             target is for. Below it is the same with the client library and the worker runtime at both ends, as a real \
             call has them. The caller is one and the same process for both sides. Behind the kernel the echo is \
             confined as every worker is (its system calls pass the filters), behind the relay it is not. On both sides what \
             is in the middle and what is at the end have a session each, because Linux shares out processor time by \
             session on a busy machine.",
            calls = rounds * CALLS,
        ),
        rows: vec![median.target(target), p99, library_median, library_p99],
    })
}

fn rows(how: &str, compared: &Compared) -> [Row; 2] {
    let us = |ns: f64| ns / 1e3;
    let row = |what: &str, kernel, relay| {
        Row::new(format!("{how}, {what}"), Unit::Microseconds, us(kernel), us(relay), "relay")
    };
    [
        row("median", compared.kernel.median(), compared.relay.median()),
        row("p99", compared.kernel.p99(), compared.relay.p99()),
    ]
}
