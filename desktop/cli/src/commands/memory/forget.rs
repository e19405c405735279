//! `memory forget`: first what would go, then, if that is meant, it goes.

use crate::args::memory::Forget;
use crate::confirm::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::memory::forgotten;
use butterfly_api::memory::{self, ForgetRequest, Forgotten};
use butterfly_client::Bus;
use serde::Serialize;

/// What no program here can reach.
const OUTSIDE: &str = "Copies outside are not touched: exports, and backups that you keep elsewhere.";

/// What is left to do.
const BYTES: &str =
    "Its last bytes leave the store's files when the assistant is idle, or now with `butterfly memory vacuum`.";

#[derive(Serialize)]
struct ForgetView<'a> {
    dry_run: bool,
    forgotten: &'a Forgotten,
    outside: &'static str,
}

pub(super) async fn run(context: &Context, bus: &Bus, args: Forget) -> Result<Exit, Fault> {
    let out = &context.out;
    let Forget { ids, facts, dry_run, yes } = args;
    let mut request = ForgetRequest { ids, facts, dry_run: true };
    if dry_run || !yes {
        let would_go = bus.call::<memory::Forget>(&request).await?;
        if dry_run && out.json {
            out.object(&ForgetView { dry_run, forgotten: &would_go, outside: OUTSIDE })?;
            return Ok(Exit::Done);
        }
        if would_go == Forgotten::default() && !out.json {
            out.line("nothing has that number; `butterfly memory list --kind all` shows the numbers")?;
            return Ok(Exit::Done);
        }
        if !out.json {
            out.line(&shown(context, &would_go, "would go:"))?;
        }
        if dry_run {
            out.remark("nothing was forgotten: this shows what would be");
            return Ok(Exit::Done);
        }
        confirm(context, yes, "All of this will be gone for good. Forget it?")?;
    }
    request.dry_run = false;
    let gone = bus.call::<memory::Forget>(&request).await?;
    if out.json {
        out.object(&ForgetView { dry_run, forgotten: &gone, outside: OUTSIDE })?;
    } else if gone == Forgotten::default() {
        out.line("nothing has that number, so there was nothing to forget; `butterfly memory list --kind all` shows the numbers")?;
    } else {
        out.line(&if yes { shown(context, &gone, "forgotten:") } else { "forgotten".to_owned() })?;
        out.remark(OUTSIDE);
        out.remark(BYTES);
    }
    Ok(Exit::Done)
}

fn shown(context: &Context, what: &Forgotten, head: &str) -> String {
    let columns = context.out.columns().map(|columns| columns.saturating_sub(2));
    let lines = forgotten(what, context.out.paint, columns);
    if lines.is_empty() {
        return format!("{head} nothing");
    }
    lines.lines().fold(head.to_owned(), |all, line| format!("{all}\n  {line}"))
}
