//! Where an answer goes: to the reader as it arrives, or, for background work, held back until it is complete.
//!
//! Invariants: `Started` goes before everything else; an item's text is at most [`TEXT_LIMIT`] bytes; what was held back
//! for an attempt that gave way is never seen.

use crate::trouble::Trouble;
use butterfly_api::model::{ChatItem, ToolCall};
use butterfly_client::Outlet;
use std::time::{Duration, Instant};

/// Bytes of text in one item: half of what the bus allows, which leaves room for everything around it.
pub const TEXT_LIMIT: usize = 32 << 10;

/// Bytes that are held back for one background answer: more than any model's longest.
const HELD_LIMIT: usize = 8 << 20;

/// The largest arguments of a tool call, in bytes: they travel in one item.
const ARGUMENTS_LIMIT: usize = 48 << 10;

/// What the items wait for.
enum Holding {
    /// Nothing: somebody reads along.
    Live,
    /// For the end of the answer.
    Held { items: Vec<ChatItem>, bytes: usize },
}

/// The way to the reader.
pub struct Sink {
    out: Outlet<ChatItem>,
    holding: Holding,
    /// Sent before the first item; an answer that fails at once has not started.
    started: Option<ChatItem>,
    /// The `Started` that was sent last: a second attempt does not repeat it.
    said: Option<ChatItem>,
    asked: Instant,
    first: Option<Instant>,
    last: Instant,
    /// When the reader last heard anything.
    heard: Instant,
    every: Duration,
}

impl Sink {
    /// `every` is how often the reader of a held answer hears that it is being worked on.
    pub fn new(out: Outlet<ChatItem>, background: bool, every: Duration) -> Self {
        let now = Instant::now();
        let holding = if background { Holding::Held { items: Vec::new(), bytes: 0 } } else { Holding::Live };
        Self { out, holding, started: None, said: None, asked: now, first: None, last: now, heard: now, every }
    }

    /// Says who answers, before the first item that follows.
    pub fn started(&mut self, model: &str, provider: &str, context_tokens: u32) {
        let item = ChatItem::Started { model: model.to_owned(), provider: provider.to_owned(), context_tokens };
        self.started = Some(item).filter(|item| self.said.as_ref() != Some(item));
    }

    /// Whether any of the answer has been taken in. From then on the request must not be made again.
    pub fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Tells people something. Never held back: it also says that the call is alive.
    pub async fn notice(&mut self, text: impl Into<String>) -> Result<(), Trouble> {
        self.announce().await?;
        self.heard = Instant::now();
        Ok(self.out.send(&ChatItem::Notice { text: text.into() }).await?)
    }

    /// Waits for something other than the server, and tells people why now and then.
    pub async fn while_waiting<T>(&mut self, work: impl Future<Output = T>, why: &str) -> Result<T, Trouble> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(self.every) => self.notice(why).await?,
            }
        }
    }

    pub async fn thinking(&mut self, text: String) -> Result<(), Trouble> {
        self.in_pieces(text, |text| ChatItem::Thinking { text }).await
    }

    pub async fn text(&mut self, text: String) -> Result<(), Trouble> {
        self.in_pieces(text, |text| ChatItem::Text { text }).await
    }

    /// # Errors
    /// For arguments that no item can carry.
    pub async fn tool_call(&mut self, call: ToolCall) -> Result<(), Trouble> {
        if call.arguments.len() + call.name.len() + call.id.len() > ARGUMENTS_LIMIT {
            let message = format!("the model called a tool with more than {ARGUMENTS_LIMIT} bytes of arguments");
            return Err(butterfly_wire::Failure::new(butterfly_wire::ErrorCode::TooLarge, message).into());
        }
        self.item(ChatItem::ToolCall(call)).await
    }

    /// Forgets an attempt that gave way.
    pub fn discard(&mut self) {
        if let Holding::Held { items, bytes } = &mut self.holding {
            items.clear();
            *bytes = 0;
            self.first = None;
        }
    }

    /// Passes on what was held back. The answer is complete.
    pub async fn finish(&mut self) -> Result<(), Trouble> {
        self.announce().await?;
        if let Holding::Held { items, .. } = &mut self.holding {
            for item in std::mem::take(items) {
                self.out.send(&item).await?;
            }
        }
        Ok(())
    }

    /// Time from the request to the first of the answer, and from there to the last, in ms.
    pub fn timing(&self) -> (u32, u32) {
        let Some(first) = self.first else { return (0, 0) };
        let ms = |span: Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
        (ms(first - self.asked), ms(self.last - first))
    }

    async fn in_pieces(&mut self, text: String, item: fn(String) -> ChatItem) -> Result<(), Trouble> {
        let mut rest = text;
        while rest.len() > TEXT_LIMIT {
            let tail = rest.split_off(rest.floor_char_boundary(TEXT_LIMIT));
            self.item(item(std::mem::replace(&mut rest, tail))).await?;
        }
        if rest.is_empty() { Ok(()) } else { self.item(item(rest)).await }
    }

    async fn item(&mut self, item: ChatItem) -> Result<(), Trouble> {
        self.last = Instant::now();
        self.first.get_or_insert(self.last);
        match &mut self.holding {
            Holding::Live => {
                self.announce().await?;
                self.heard = self.last;
                Ok(self.out.send(&item).await?)
            }
            Holding::Held { items, bytes } => {
                *bytes += size(&item);
                if *bytes > HELD_LIMIT {
                    let message = format!("the answer is longer than the {HELD_LIMIT} bytes that are held back");
                    return Err(butterfly_wire::Failure::new(butterfly_wire::ErrorCode::TooLarge, message).into());
                }
                items.push(item);
                if self.last - self.heard > self.every {
                    self.notice("The model is answering in the background.").await?;
                }
                Ok(())
            }
        }
    }

    async fn announce(&mut self) -> Result<(), Trouble> {
        if let Some(started) = self.started.take() {
            self.out.send(&started).await?;
            self.said = Some(started);
        }
        Ok(())
    }
}

fn size(item: &ChatItem) -> usize {
    match item {
        ChatItem::Started { model, provider, .. } => model.len() + provider.len(),
        ChatItem::Thinking { text } | ChatItem::Text { text } | ChatItem::Notice { text } => text.len(),
        ChatItem::ToolCall(call) => call.id.len() + call.name.len() + call.arguments.len(),
    }
}
