//! `memory index`: waits until every passage has its vector.

use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::progress::{Progress, Unit};
use crate::render::units;
use crate::text;
use butterfly_api::memory::{Index, IndexProgress, Indexed};
use butterfly_client::{Bus, Next};
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Progress(&'a IndexProgress),
    End(&'a Indexed),
}

pub(super) async fn run(context: &Context, bus: &Bus) -> Result<Exit, Fault> {
    let out = &context.out;
    let indexed = settle(context, bus, &mut |progress| {
        if out.json { out.object(&Line::Progress(progress)) } else { Ok(()) }
    })
    .await?;
    if out.json {
        out.object(&Line::End(&indexed))?;
    } else if let Some(why) = &indexed.degraded {
        let left = units::count(indexed.waiting, "passage");
        out.warning(&format!("{left} cannot be found by meaning yet: {}", text::escaped(why)));
    } else {
        out.line("everything can be found by meaning")?;
    }
    Ok(Exit::Done)
}

/// Waits, with a bar. That nothing can be done about what waits is no failure: it is done later.
pub(super) async fn settle(
    context: &Context,
    bus: &Bus,
    each: &mut dyn FnMut(&IndexProgress) -> Result<(), Fault>,
) -> Result<Indexed, Fault> {
    let mut progress = Progress::new(&context.out, "making vectors", Unit::Count("passages"));
    let mut stream = bus.stream::<Index>(&()).await?;
    loop {
        match stream.next().await? {
            Next::Item(step) => {
                progress.at(step.done, step.done.saturating_add(step.waiting));
                each(&step)?;
            }
            Next::End(indexed) => return Ok(indexed),
        }
    }
}
