//! `caps`.

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::caps::{CapabilitiesView, markdown, text};
use butterfly_api::control;

/// Prints the capability table.
///
/// # Errors
/// When no kernel runs.
pub async fn run(context: &Context, args: &args::Caps) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let capabilities = bus.call::<control::Capabilities>(&()).await?;
    let out = &context.out;
    if out.json {
        out.object(&CapabilitiesView::from(&capabilities))?;
    } else if args.markdown {
        out.raw(&markdown(&capabilities, &folders(context)))?;
    } else {
        out.line(&text(&capabilities, out.paint))?;
    }
    Ok(Exit::Done)
}

/// This machine's folders and the words that stand for them in a page for everybody; inner ones first.
fn folders(context: &Context) -> Vec<(String, &'static str)> {
    let place = &context.instance.place;
    let home = std::env::var_os("HOME").unwrap_or_default();
    let mut folders = vec![
        (place.data.to_string_lossy().into_owned(), "DATA"),
        (place.state.to_string_lossy().into_owned(), "STATE"),
        (place.runtime.to_string_lossy().into_owned(), "RUNTIME"),
        (home.to_string_lossy().into_owned(), "HOME"),
    ];
    // A root or empty home stands for nothing, and would be found everywhere.
    folders.retain(|(path, _)| path.len() > 1);
    folders.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    folders
}
