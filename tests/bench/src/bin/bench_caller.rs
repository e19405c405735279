//! The caller: in turns through the relay and through the kernel, with the same code. Prints one line for each
//! measurement: `relay` or `kernel`, and a number (ns of a call, or calls or items in a second).

use anyhow::{Context, bail};
use butterfly_bench::raw::Raw;
use butterfly_client::{Bus, Next, NoHandler};
use butterfly_kit::service::{Count, CountRequest, Echo};
use butterfly_wire::catalog::kit;
use butterfly_wire::place::Place;
use butterfly_wire::{EndpointId, Flags, Header, Kind};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UnixStream;

/// Calls in flight at once.
const IN_FLIGHT: usize = 64;

/// Rounds before it counts: caches, buffers, branch predictors.
const WARM_UP: usize = 2;

struct Arguments {
    what: String,
    to: EndpointId,
    rounds: usize,
    per_round: usize,
    bytes: usize,
    relay: PathBuf,
    place: Place,
}

fn arguments() -> Option<Arguments> {
    let mut rest = std::env::args_os().skip(1);
    let mut word = || rest.next()?.into_string().ok();
    let (what, callee, to) = (word()?, word()?, word()?);
    let (slot, generation) = to.split_once('.')?;
    let to = EndpointId::new(slot.parse().ok()?, generation.parse().ok()?);
    let mut number = || word()?.parse().ok();
    let (rounds, per_round, bytes) = (number()?, number()?, number()?);
    let (relay, home) = (rest.next()?.into(), PathBuf::from(rest.next()?));
    let what = format!("{callee} {what}");
    Some(Arguments { what, to, rounds, per_round, bytes, relay, place: Place::under(&home) })
}

fn main() -> anyhow::Result<()> {
    let arguments =
        arguments().context("usage: bench_caller WHAT CALLEE ENDPOINT ROUNDS PER_ROUND BYTES RELAY_SOCKET HOME")?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments.what.as_str() {
        "bench_echo round-trip" => raw(&arguments, &mut out, one_by_one)?,
        "bench_echo in-flight" => raw(&arguments, &mut out, many_at_once)?,
        "bench_service round-trip" => library(&arguments, &mut out, async |bus, arguments, times| {
            let payload = vec![7; arguments.bytes];
            for _ in 0..arguments.per_round {
                let since = Instant::now();
                let answer = bus.call::<Echo>(&payload).await?;
                times.push(since.elapsed().as_nanos() as f64);
                if answer != payload {
                    bail!("the echo is another one");
                }
            }
            Ok(())
        })?,
        "bench_service stream" => library(&arguments, &mut out, async |bus, arguments, rates| {
            let items = arguments.per_round as u64;
            let request = CountRequest { items, bytes: arguments.bytes as u32, stall_after: None };
            let since = Instant::now();
            let mut stream = bus.stream::<Count>(&request).await?;
            let mut taken = 0;
            while let Next::Item(item) = stream.next().await? {
                taken += u64::from(item.len() == arguments.bytes);
            }
            rates.push(items as f64 / since.elapsed().as_secs_f64());
            if taken != items {
                bail!("{taken} of {items} items arrived whole");
            }
            Ok(())
        })?,
        what => bail!("{what} cannot be measured"),
    }
    Ok(out.flush()?)
}

/// Goes to and fro between the sides.
fn raw(
    arguments: &Arguments,
    out: &mut impl Write,
    round: fn(&mut Raw, &Arguments, &mut u64, &mut Vec<f64>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut relay, mut kernel) = (Raw::relayed(&arguments.relay)?, Raw::client(&arguments.place)?);
    let mut correlation = 0;
    for turn in 0..WARM_UP + arguments.rounds {
        for (name, side) in [("relay", &mut relay), ("kernel", &mut kernel)] {
            let mut measured = Vec::new();
            round(side, arguments, &mut correlation, &mut measured)?;
            if turn >= WARM_UP {
                print(out, name, &measured)?;
            }
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, side: &str, measured: &[f64]) -> anyhow::Result<()> {
    for number in measured {
        writeln!(out, "{side} {number}")?;
    }
    Ok(())
}

fn request(arguments: &Arguments, correlation: u64) -> Header {
    Header {
        kind: Kind::Request as u8,
        flags: Flags::FROM_CALLER,
        service: kit::ID,
        method: kit::ECHO.method,
        destination: arguments.to,
        correlation,
        ..Header::default()
    }
}

fn check(header: &Header, payload: &[u8], arguments: &Arguments) -> anyhow::Result<()> {
    if header.kind() != Some(Kind::Response) || header.is_error() || payload.len() != arguments.bytes {
        bail!("{header:?} answers an echo");
    }
    Ok(())
}

/// Each call waits for the answer to the one before.
fn one_by_one(
    side: &mut Raw,
    arguments: &Arguments,
    correlation: &mut u64,
    times: &mut Vec<f64>,
) -> anyhow::Result<()> {
    let payload = vec![7; arguments.bytes];
    for _ in 0..arguments.per_round {
        *correlation += 1;
        let since = Instant::now();
        side.push(&request(arguments, *correlation), &payload);
        side.send()?;
        let mut answered = None;
        while answered.is_none() {
            let open = side.receive(|header, payload, _| {
                check(header, payload, arguments)?;
                answered = Some(header.correlation);
                Ok(())
            })?;
            if !open {
                bail!("the other side closed");
            }
        }
        times.push(since.elapsed().as_nanos() as f64);
        if answered != Some(*correlation) {
            bail!("the answer belongs to another call");
        }
    }
    Ok(())
}

/// Whenever an answer comes, the next call goes out.
fn many_at_once(
    side: &mut Raw,
    arguments: &Arguments,
    correlation: &mut u64,
    rates: &mut Vec<f64>,
) -> anyhow::Result<()> {
    let payload = vec![7; arguments.bytes];
    let since = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    while sent < IN_FLIGHT.min(arguments.per_round) {
        sent += 1;
        *correlation += 1;
        side.push(&request(arguments, *correlation), &payload);
    }
    side.send()?;
    while answered < arguments.per_round {
        let open = side.receive(|header, payload, out| {
            check(header, payload, arguments)?;
            answered += 1;
            if sent < arguments.per_round {
                sent += 1;
                *correlation += 1;
                butterfly_wire::frame::append(out, &request(arguments, *correlation), payload);
            }
            Ok(())
        })?;
        if !open {
            bail!("the other side closed");
        }
        side.send()?;
    }
    rates.push(arguments.per_round as f64 / since.elapsed().as_secs_f64());
    Ok(())
}

/// Goes to and fro between the sides, with the client library.
#[tokio::main(flavor = "current_thread")]
async fn library(
    arguments: &Arguments,
    out: &mut impl Write,
    round: impl AsyncFn(&Bus, &Arguments, &mut Vec<f64>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let relay = butterfly_client::start(UnixStream::connect(&arguments.relay).await?, Arc::new(NoHandler));
    let kernel = butterfly_client::connect(&arguments.place).await?.0.to(arguments.to);
    for turn in 0..WARM_UP + arguments.rounds {
        for (name, bus) in [("relay", &relay), ("kernel", &kernel)] {
            let mut measured = Vec::new();
            round(bus, arguments, &mut measured).await?;
            if turn >= WARM_UP {
                print(out, name, &measured)?;
            }
        }
    }
    Ok(())
}
