//! The window while an answer streams: what is lost, how long its threads are busy, and what it takes of memory.

use crate::desk::{Desk, memory, settled};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use anyhow::{Context, ensure};
use butterfly_window::{App, Branch, Tree, ping};
use std::time::Duration;

/// Between two tokens: 200 in a second.
const PACE: Duration = Duration::from_millis(5);

/// Tokens of the answer: a minute of them.
const TOKENS: usize = 12_000;

/// Messages of the long conversation.
const LONG: usize = 5_000;

/// What one answer did to the window.
struct Streamed {
    /// How long the page took to answer, in ms.
    page: Samples,
    /// How long the app's own main thread took, in ms.
    app: Samples,
    /// Tokens that are shown in the end, each in its place.
    shown: usize,
    /// By how much memory grew, in MiB.
    growth: f64,
}

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let tokens = options.times(TOKENS);
    let empty = streamed(tokens, None).await?;
    let long = streamed(tokens, Some(LONG)).await?;
    let row = |what: &str, long: f64, empty: f64| {
        Row::new(what, Unit::Milliseconds, long, empty, "into an empty conversation")
    };
    Ok(Section {
        title: "The window while an answer streams",
        method: format!(
            "{tokens} tokens, 200 in a second, in paragraphs of 40, into a conversation of {LONG} messages and into an empty \
             one, each in an app of its own. Meanwhile the page and the app are asked every 10 ms over the accessibility bus \
             where something is, which the main thread of each answers: how long that takes is how long the thread was busy \
             with something else. Memory is that of the app and of its webview's processes (proportional set size), after \
             the answer and before it, with the answer itself."
        ),
        rows: vec![
            row("the page is busy, p99", long.page.p99(), empty.page.p99()).target(Target::RatioAtMost(2.0)),
            row("the page is busy, longest", long.page.largest(), empty.page.largest()),
            row("the app is busy, p99", long.app.p99(), empty.app.p99()).target(Target::RatioAtMost(2.0)),
            row("the app is busy, longest", long.app.largest(), empty.app.largest()),
            Row::new("tokens shown", Unit::Count, long.shown as f64, tokens as f64, "tokens sent")
                .target(Target::RatioAtLeast(1.0)),
            Row::new("growth of memory", Unit::Mebibytes, long.growth, empty.growth, "into an empty conversation")
                .target(Target::AtMost(20.0)),
        ],
    })
}

/// One answer into a conversation of so many messages, or into a new one.
async fn streamed(tokens: usize, messages: Option<usize>) -> anyhow::Result<Streamed> {
    let desk = Desk::up().await?;
    if let Some(messages) = messages {
        desk.talk("a long one", messages)?;
    }
    desk.says(tokens, PACE);
    let app = desk.app().await?;
    if messages.is_some() {
        app.click_on("the long conversation", |tree| {
            tree.all().find(|node| node.role == "button" && node.words().contains("a long one"))
        })
        .await?;
        app.until("its messages are shown", |tree| tree.id("messages")?.children().nth(20).map(drop)).await?;
    }
    app.click_id("composer").await?;
    app.focused("composer").await?;
    app.write("Tell me everything").await?;
    let page = app.until("the page", |tree| tree.page()?.object()).await?;
    let frame = app.until("the app's frame", |tree| tree.all().find(|node| node.role == "frame")?.object()).await?;
    settled(&desk.stage.pixels()?).await?;
    let before = memory(app.pid())?;
    app.press("Enter").await?;
    let bus = desk.stage.accessible();
    let whole = PACE * u32::try_from(tokens)?;
    let (done, over) = tokio::sync::watch::channel(false);
    let ended = || {
        let mut over = over.clone();
        async move { over.wait_for(|over| *over).await.map(drop).context("nobody says when it is over") }
    };
    let streaming = async {
        desk.has_said(1, whole).await?;
        done.send(true).context("nobody waits")
    };
    let (streamed, page, frame) =
        tokio::join!(streaming, ping::while_not(bus, &page, ended()), ping::while_not(bus, &frame, ended()));
    streamed?;
    let shown = shown(&app, tokens).await?;
    let growth = memory(app.pid())? - before;
    Ok(Streamed { page: samples(page?), app: samples(frame?), shown, growth })
}

/// How many tokens the last answer shows once it is over.
async fn shown(app: &App<'_>, tokens: usize) -> anyhow::Result<usize> {
    let last = format!("w{tokens}");
    let words = app
        .until("the answer is over", |tree: &Tree| {
            let is_over = tree.id("stop").is_none() && tree.all().all(|node| node.id != "live");
            let answer = tree.id("messages")?.all().filter(is_answer).last()?.words();
            (is_over && answer.contains(&last)).then_some(answer)
        })
        .await?;
    let said = words.split_whitespace().filter_map(|word| word.strip_prefix('w')?.parse::<usize>().ok());
    let said: Vec<usize> = said.collect();
    ensure!(said.is_sorted_by(|one, other| one < other), "tokens are shown twice, or not in their order");
    Ok(said.len())
}

fn is_answer(node: &Branch<'_>) -> bool {
    node.role == "article" && node.name == "Assistant"
}

fn samples(answers: Vec<Duration>) -> Samples {
    let mut samples = Samples::default();
    samples.extend(answers.into_iter().map(|answer| answer.as_secs_f64() * 1e3));
    samples
}
