//! `conversations`: what was said, and keeping it in order.

use crate::args::conversations::{ConversationsCommand, ExportFormat};
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files::Beside;
use crate::launch;
use crate::render::conversations as render;
use crate::render::units;
use crate::text;
use crate::upload::Source;
use butterfly_api::Chunk;
use butterfly_api::conversations::{
    Branch, BranchRequest, Change, Conversation, Delete, Export, ExportRequest, Exported, Format, Hit, Import, List,
    ListRequest, Restore, Search, SearchRequest, Show, ShowRequest, Transcript, Update, Which,
};
use butterfly_client::{Bus, Next};
use serde::Serialize;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What one call of `show` gives at most.
const PAGE: u32 = 200;

#[derive(Serialize)]
struct ListView<'a> {
    conversations: &'a [Conversation],
    total: u32,
}

#[derive(Serialize)]
struct HitsView<'a> {
    hits: &'a [Hit],
}

#[derive(Serialize)]
struct ChangedView<'a> {
    conversations: &'a [Conversation],
}

#[derive(Serialize)]
struct ExportView<'a> {
    file: Option<&'a str>,
    messages: u32,
    bytes: u64,
}

/// Runs one of the commands.
///
/// # Errors
/// What the memory worker answers.
pub async fn run(context: &Context, command: ConversationsCommand) -> Result<Exit, Fault> {
    let bus = launch::serving(context).await?;
    let out = &context.out;
    match command {
        ConversationsCommand::List { trash, limit } => list(context, &bus, trash, limit).await?,
        ConversationsCommand::Show { id, limit, all } => {
            let transcript = transcript(&bus, id, (!all).then_some(limit)).await?;
            if out.json { out.object(&transcript)? } else { out.line(&render::transcript(&transcript, out.paint))? }
        }
        ConversationsCommand::Search { query, limit } => {
            let hits = bus.call::<Search>(&SearchRequest { query, limit }).await?.hits;
            if out.json {
                out.object(&HitsView { hits: &hits })?;
            } else if hits.is_empty() {
                out.line("nothing was found; `butterfly memory search` also finds by meaning")?;
            } else {
                out.line(&render::hits(&hits, out.paint))?;
            }
        }
        ConversationsCommand::Rename { id, title } => {
            let update = Update { conversation: id, title: Some(title), ..Update::default() };
            changed(context, &bus, &update, |it| format!("conversation {} is now called {}", it.id, render::title(it)))
                .await?;
        }
        ConversationsCommand::Pin { id, off } => {
            let update = Update { conversation: id, pinned: Some(!off), ..Update::default() };
            let state = if off { "is no longer pinned" } else { "is pinned" };
            changed(context, &bus, &update, |it| format!("{} {state}", render::title(it))).await?;
        }
        ConversationsCommand::Profile { id, name } => {
            let update = Update { conversation: id, profile: Some(name.unwrap_or_default()), ..Update::default() };
            changed(context, &bus, &update, |it| match &it.profile {
                Some(name) => format!("{} now uses the profile {}", render::title(it), text::escaped(name)),
                None => format!("{} now uses no profile", render::title(it)),
            })
            .await?;
        }
        ConversationsCommand::Delete { ids } => {
            let mut gone = Vec::new();
            for id in ids {
                gone.push(bus.call::<Delete>(&Which { conversation: id }).await?);
            }
            each(context, &gone, |it| {
                let back = format!("`butterfly conversations restore {}` brings it back", it.id);
                format!("{} is in the trash; within 30 days {back}", render::title(it))
            })?;
        }
        ConversationsCommand::Restore { ids } => {
            let mut back = Vec::new();
            for id in ids {
                back.push(bus.call::<Restore>(&Which { conversation: id }).await?);
            }
            each(context, &back, |it| format!("{} is back", render::title(it)))?;
        }
        ConversationsCommand::Branch { message } => {
            let conversation = bus.call::<Branch>(&BranchRequest { message }).await?;
            each(context, &[conversation], |it| {
                format!(
                    "{} goes on from message {message}; `butterfly conversations show {}`",
                    render::title(it),
                    it.id
                )
            })?;
        }
        ConversationsCommand::Export { id, file, format } => {
            let format = chosen(format, file.as_deref());
            export(context, &bus, ExportRequest { conversation: id, format }, file.as_deref()).await?;
        }
        ConversationsCommand::Import { file } => {
            let imported = Source::open(&file)?.send::<Import>(context, &bus, "sending").await??;
            if out.json {
                out.object(&imported)?;
            } else {
                let (title, count) =
                    (text::escaped(&imported.title), units::count(u64::from(imported.messages), "message"));
                out.line(&format!("{title} is conversation {} now, with {count}", imported.conversation))?;
            }
        }
    }
    Ok(Exit::Done)
}

async fn list(context: &Context, bus: &Bus, trash: bool, limit: u32) -> Result<(), Fault> {
    let out = &context.out;
    let mut conversations = Vec::new();
    let mut total;
    loop {
        let offset = u32::try_from(conversations.len()).unwrap_or(u32::MAX);
        let request = ListRequest { offset, limit: limit.saturating_sub(offset).min(PAGE), trash };
        let page = bus.call::<List>(&request).await?;
        total = page.total;
        let ended = page.conversations.is_empty();
        conversations.extend(page.conversations);
        if ended || conversations.len() as u64 >= u64::from(limit.min(total)) {
            break;
        }
    }
    if out.json {
        return out.object(&ListView { conversations: &conversations, total });
    }
    if conversations.is_empty() {
        let nothing = if trash { "the trash is empty" } else { "nothing was said yet; begin with `butterfly chat`" };
        return out.line(nothing);
    }
    out.line(&render::list(&conversations, now_unix_ms(), out.paint, out.columns()))?;
    let left = total as usize - conversations.len().min(total as usize);
    if left > 0 {
        out.remark(&format!("and {left} more; --limit {total} shows all"));
    }
    Ok(())
}

/// The newest `limit` messages, or all, page by page.
async fn transcript(bus: &Bus, conversation: u64, limit: Option<u32>) -> Result<Transcript, Fault> {
    let wanted = limit.map_or(usize::MAX, |limit| limit as usize);
    let page = |left: usize| u32::try_from(left).unwrap_or(PAGE).min(PAGE);
    let request = ShowRequest { conversation, before: None, limit: page(wanted) };
    let mut transcript = bus.call::<Show>(&request).await?;
    while transcript.more && transcript.messages.len() < wanted {
        let before = transcript.messages.first().map(|message| message.id);
        let request = ShowRequest { conversation, before, limit: page(wanted - transcript.messages.len()) };
        let mut earlier = bus.call::<Show>(&request).await?;
        if earlier.messages.is_empty() {
            break;
        }
        earlier.messages.append(&mut transcript.messages);
        transcript = earlier;
    }
    Ok(transcript)
}

async fn changed(
    context: &Context,
    bus: &Bus,
    update: &Update,
    sentence: impl Fn(&Conversation) -> String,
) -> Result<(), Fault> {
    let conversation = bus.call::<Change>(update).await?;
    each(context, &[conversation], sentence)
}

fn each(
    context: &Context,
    conversations: &[Conversation],
    sentence: impl Fn(&Conversation) -> String,
) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(&ChangedView { conversations });
    }
    conversations.iter().try_for_each(|conversation| out.line(&sentence(conversation)))
}

/// What was asked for, else what the file's name says, else what can be read back.
fn chosen(format: Option<ExportFormat>, file: Option<&Path>) -> Format {
    let name = file.and_then(Path::extension).and_then(|extension| extension.to_str()).unwrap_or_default();
    match format {
        Some(ExportFormat::Json) => Format::Json,
        Some(ExportFormat::Markdown) => Format::Markdown,
        None if matches!(name.to_ascii_lowercase().as_str(), "md" | "markdown") => Format::Markdown,
        None => Format::Json,
    }
}

async fn export(context: &Context, bus: &Bus, request: ExportRequest, file: Option<&Path>) -> Result<(), Fault> {
    let out = &context.out;
    let mut target = file.map(Beside::create).transpose()?;
    let mut stream = bus.stream::<Export>(&request).await?;
    // A chunk may end within a character.
    let mut rest = Vec::new();
    let Exported { messages, bytes } = loop {
        match stream.next().await? {
            Next::Item(Chunk { bytes }) => match &mut target {
                Some(target) => target.write(&bytes)?,
                None => {
                    rest.extend(bytes);
                    out.raw(&shown(whole(&mut rest), request.format))?;
                }
            },
            Next::End(end) => break end,
        }
    };
    if let Some(target) = target {
        target.keep()?;
        let name = file.map(Path::to_string_lossy).unwrap_or_default();
        if out.json {
            return out.object(&ExportView { file: Some(&name), messages, bytes });
        }
        let (count, size) = (units::count(u64::from(messages), "message"), units::bytes(bytes));
        out.line(&format!("{} holds {count}, {size}", text::escaped(&name)))?;
    }
    Ok(())
}

/// Cuts off what is whole in UTF-8; what is no text at all is not held back.
fn whole(bytes: &mut Vec<u8>) -> String {
    let end = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(fault) if fault.error_len().is_none() => fault.valid_up_to(),
        Err(_) => bytes.len(),
    };
    String::from_utf8_lossy(&bytes.drain(..end).collect::<Vec<_>>()).into_owned()
}

/// For standard output, which may be a terminal.
fn shown(piece: String, format: Format) -> String {
    match format {
        Format::Json => text::terminal_safe_json(piece),
        Format::Markdown => text::Stripper::default().strip(&piece),
    }
}

/// The present, in ms since 1970.
pub(crate) fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_was_asked_for_or_what_the_name_says() {
        let name = |name: &'static str| Some(Path::new(name));
        assert_eq!(chosen(None, None), Format::Json);
        assert_eq!(chosen(None, name("a.MD")), Format::Markdown);
        assert_eq!(chosen(None, name("a.json")), Format::Json);
        assert_eq!(chosen(Some(ExportFormat::Json), name("a.md")), Format::Json);
        assert_eq!(chosen(Some(ExportFormat::Markdown), None), Format::Markdown);
    }

    #[test]
    fn characters_are_not_torn_between_chunks() {
        let text = "aé東🔬z".as_bytes();
        for cut in 0..=text.len() {
            let mut rest = text[..cut].to_vec();
            let mut shown = whole(&mut rest);
            rest.extend(&text[cut..]);
            shown.push_str(&whole(&mut rest));
            assert_eq!(shown, "aé東🔬z");
            assert!(rest.is_empty());
        }
    }
}
