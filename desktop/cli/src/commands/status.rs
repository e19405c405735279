//! `status`.

use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::status::{StatusView, text};

/// Prints the status table.
///
/// # Errors
/// When no kernel runs.
pub async fn run(context: &Context) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let status = status(&bus).await?;
    let out = &context.out;
    if out.json {
        out.object(&StatusView::from(&status))?;
    } else {
        out.line(&text(&status, out.paint, out.columns()))?;
    }
    Ok(Exit::Done)
}
