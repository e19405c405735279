//! `memory`: what was noted, found again and linked.

mod forget;
mod import;
mod index;
mod search;

use crate::args::memory::{Add, Kind, MemoryCommand};
use crate::commands::conversations::now_unix_ms;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::launch;
use crate::render::memory as render;
use crate::render::units;
use crate::text;
use butterfly_api::memory::{
    AddRequest, Added, Correct, Correction, Explain, ExplainRequest, FactsRequest, Graph, GraphRequest, List,
    ListFacts, ListRequest, PassageKind, Show, Which,
};
use butterfly_api::storage::{GetStats, Retain, Vacuum};
use butterfly_client::Bus;
use std::io::IsTerminal;
use std::path::Path;

/// The longest text of one memory, as the memory worker has it.
const TEXT_BYTES: usize = 64 << 10;

/// Runs one of the commands.
///
/// # Errors
/// What the memory worker answers.
pub async fn run(context: &Context, command: MemoryCommand) -> Result<Exit, Fault> {
    let out = &context.out;
    let bus = launch::serving(context).await?;
    match command {
        MemoryCommand::Add(args) => add(context, &bus, args).await?,
        MemoryCommand::Search(args) => return search::run(context, &bus, args).await,
        MemoryCommand::List { kind, tag, before, limit } => {
            let request = ListRequest { kind: wanted(kind), tag, before, limit };
            let passages = bus.call::<List>(&request).await?;
            if out.json {
                out.object(&passages)?;
            } else if passages.passages.is_empty() {
                out.line("nothing is there; note something with `butterfly memory add TEXT`")?;
            } else {
                out.line(&render::passages(&passages.passages, out.paint, out.columns()))?;
                if let Some(last) = passages.passages.last().filter(|_| passages.more) {
                    out.remark(&format!("older ones follow with --before {}", last.id));
                }
            }
        }
        MemoryCommand::Show { id } => {
            let details = bus.call::<Show>(&Which { id }).await?;
            if out.json { out.object(&details)? } else { out.line(&render::details(&details, out.paint))? }
        }
        MemoryCommand::Forget(args) => return forget::run(context, &bus, args).await,
        MemoryCommand::Facts { about, as_of, all, limit } => {
            let request = FactsRequest { about, as_of_unix_ms: as_of.map(|when| when.0), all, limit };
            show_facts(context, &bus.call::<ListFacts>(&request).await?)?;
        }
        MemoryCommand::Correct { fact, object, ended: _, from } => {
            let object = object.unwrap_or_default();
            let correction = Correction { fact, object, from_unix_ms: from.map(|when| when.0) };
            show_facts(context, &bus.call::<Correct>(&correction).await?)?;
        }
        MemoryCommand::Graph { around, depth, limit, as_of } => {
            let request = GraphRequest { around, depth, limit, as_of_unix_ms: as_of.map(|when| when.0) };
            let graph = bus.call::<Graph>(&request).await?;
            if out.json {
                out.object(&graph)?;
            } else if graph.nodes.is_empty() {
                out.line("nothing is linked yet")?;
            } else {
                out.line(&render::graph(&graph, out.paint))?;
            }
        }
        MemoryCommand::Explain { message } => {
            let explanation = bus.call::<Explain>(&ExplainRequest { message }).await?;
            if out.json {
                out.object(&explanation)?;
            } else {
                out.line(&render::explanation(&explanation, out.paint, out.columns()))?;
            }
        }
        MemoryCommand::Stats => {
            let stats = bus.call::<GetStats>(&()).await?;
            if out.json { out.object(&stats)? } else { out.line(&render::stats(&stats, now_unix_ms(), out.paint))? }
        }
        MemoryCommand::Vacuum => {
            let done = bus.call::<Vacuum>(&()).await?;
            if out.json {
                out.object(&done)?;
            } else {
                let (before, after) = (units::bytes(done.bytes_before), units::bytes(done.bytes_after));
                let took = units::milliseconds(done.took_ms);
                out.line(&format!("{before} became {after} in {took}; nothing deleted is left in the store's files"))?;
            }
        }
        MemoryCommand::Retain => {
            let retained = bus.call::<Retain>(&()).await?;
            if out.json {
                out.object(&retained)?;
            } else {
                out.line(&format!(
                    "deleted {}, {} and {}",
                    units::count(retained.conversations, "conversation"),
                    units::count(retained.passages, "passage"),
                    units::count(retained.facts, "fact")
                ))?;
            }
        }
        MemoryCommand::Import { file, no_wait } => return import::run(context, &bus, &file, no_wait).await,
        MemoryCommand::Index => return index::run(context, &bus).await,
    }
    Ok(Exit::Done)
}

const fn wanted(kind: Kind) -> Option<PassageKind> {
    match kind {
        Kind::Memory => Some(PassageKind::Memory),
        Kind::Message => Some(PassageKind::Message),
        Kind::Summary => Some(PassageKind::Summary),
        Kind::All => None,
    }
}

async fn add(context: &Context, bus: &Bus, args: Add) -> Result<(), Fault> {
    let text = match args.text {
        Some(text) => text,
        None if std::io::stdin().is_terminal() => {
            return Err(Fault::usage("what shall be noted? `butterfly memory add TEXT`, or send it through a pipe"));
        }
        None => files::read_text(Path::new("-"), TEXT_BYTES)?,
    };
    if text.len() > TEXT_BYTES {
        let (size, limit) = (units::bytes(text.len() as u64), units::bytes(TEXT_BYTES as u64));
        return Err(Fault::failed(format!(
            "the text has {size}, and one memory holds at most {limit}; note it in parts, or as lines of `butterfly memory import`"
        )));
    }
    let request = AddRequest {
        text,
        speaker: args.speaker.unwrap_or_default(),
        tags: args.tags,
        at_unix_ms: args.at.map(|when| when.0),
        ..AddRequest::default()
    };
    let added = bus.call::<butterfly_api::memory::Add>(&request).await?;
    show_added(context, &added)
}

fn show_added(context: &Context, added: &Added) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(added);
    }
    if added.known {
        out.line(&format!("known already as #{}", added.id))?;
    } else {
        out.line(&format!("noted as #{}", added.id))?;
    }
    added.facts.iter().try_for_each(|fact| out.line(&format!("  {}", render::sentence(fact))))
}

fn show_facts(context: &Context, facts: &butterfly_api::memory::Facts) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(facts);
    }
    if facts.facts.is_empty() {
        return out.line("nothing is held to be true about it");
    }
    out.line(&render::facts(&facts.facts, out.paint, out.columns()))
}

/// A remark on what a search or an index goes without.
fn degraded(context: &Context, why: Option<&str>) {
    if let Some(why) = why {
        context.out.warning(&text::escaped(why));
    }
}
