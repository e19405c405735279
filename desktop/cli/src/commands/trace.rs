//! `trace`: live, recent, or one turn as a tree.

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch::lost;
use crate::render::tree::{Names, build, last_turn};
use crate::render::{trace as show, units};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{TraceRecords, TraceRequest};
use butterfly_wire::limits::TRACE_RING;

/// Shows what was routed.
///
/// # Errors
/// When no kernel runs, or a turn is not remembered.
pub async fn run(context: &Context, args: &args::Trace) -> Result<Exit, Fault> {
    let wanted = args.turn.as_deref().map(Wanted::parse).transpose()?;
    let bus = context.connect().await?;
    match (wanted, args.recent) {
        (Some(wanted), _) => turn(context, &bus, wanted).await,
        (None, Some(most)) => {
            let request = TraceRequest { trace: None, most: most.min(TRACE_RING as u32) };
            let records = bus.call::<control::Trace>(&request).await?;
            print(context, &records, None)?;
            Ok(Exit::Done)
        }
        (None, None) => live(context, &bus, args.messages).await,
    }
}

/// Which turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Last,
    Trace(u64),
}

impl Wanted {
    fn parse(word: &str) -> Result<Self, Fault> {
        if word == "last" {
            return Ok(Self::Last);
        }
        word.parse().map(Self::Trace).map_err(|_| {
            Fault::usage(format!("\"{word}\" is no trace: give its number, as `butterfly trace` shows it, or `last`"))
        })
    }
}

async fn turn(context: &Context, bus: &Bus, wanted: Wanted) -> Result<Exit, Fault> {
    let trace = match wanted {
        Wanted::Trace(trace) => Some(trace),
        Wanted::Last => None,
    };
    let request = TraceRequest { trace, most: TRACE_RING as u32 };
    let records = bus.call::<control::Trace>(&request).await?;
    let forgotten = || match wanted {
        Wanted::Last => Fault::failed("no conversation turn is remembered; say something with `butterfly chat` first"),
        Wanted::Trace(trace) => Fault::failed(format!(
            "nothing is remembered of trace {trace}; the kernel keeps the last {} alone",
            units::count(TRACE_RING as u64, "message")
        )),
    };
    let turn = trace.or_else(|| last_turn(&records)).and_then(|trace| build(&records, trace)).ok_or_else(forgotten)?;
    let out = &context.out;
    if out.json {
        out.object(&turn)?
    } else {
        out.line(&show::tree(&turn, out.paint))?
    }
    Ok(Exit::Done)
}

async fn live(context: &Context, bus: &Bus, messages: Option<u64>) -> Result<Exit, Fault> {
    let mut events = bus.subscribe(service::ID, topic::TRACE).await?;
    let mut left = messages;
    loop {
        match events.next().await {
            Some(Ok(event)) => {
                let shown = print(context, &event.decode()?, left)?;
                left = left.map(|left| left - shown);
                if left == Some(0) {
                    return Ok(Exit::Done);
                }
            }
            Some(Err(dropped)) => context.out.remark(&format!("{} not shown", units::count(dropped, "batch"))),
            None => return Err(lost()),
        }
    }
}

/// Prints at most this many records, a line each, and returns how many.
fn print(context: &Context, records: &TraceRecords, most: Option<u64>) -> Result<u64, Fault> {
    let names = Names::new(&records.names);
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let mut shown = 0;
    for message in records.records.iter().filter_map(|record| show::view(record, &names)).take(most) {
        let out = &context.out;
        if out.json {
            out.object(&message)?
        } else {
            out.line(&show::line(&message, out.paint))?
        }
        shown += 1;
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_named_by_its_trace_or_as_the_last() {
        assert_eq!(Wanted::parse("last").unwrap(), Wanted::Last);
        assert_eq!(Wanted::parse("17").unwrap(), Wanted::Trace(17));
        assert_eq!(Wanted::parse("-1").unwrap_err().exit, Exit::Usage);
    }
}
