//! The way through the app: what is opened, and where a picture is taken.

use crate::camera::Camera;
use crate::{words, world};
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer};
use butterfly_window::{App, Options, Stage, process};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

const MODEL: &str = "qwen3:8b";
/// Ollama's port.
const OLLAMA: u16 = 11_434;

const OTHER_MODEL: &str = "gemma3:12b";

/// It makes vectors of as many dimensions as its tag says.
const EMBEDDING: &str = "embeddinggemma:300";

/// What is typed into a field and waited for.
async fn fill(app: &App<'_>, id: &str, text: &str) -> anyhow::Result<()> {
    app.fill(id, text).await?;
    app.until(&format!("{text:?} stands in #{id}"), |tree| {
        (tree.id(id)?.text.as_deref()?.trim_end() == text).then_some(())
    })
    .await
}

async fn ask(app: &App<'_>, question: &str) -> anyhow::Result<()> {
    app.click_id("composer").await?;
    app.focused("composer").await?;
    fill(app, "composer", question).await?;
    app.press("Enter").await
}

/// Shows a view, a tab of it, and waits for words that stand there when it is complete.
async fn show(app: &App<'_>, view: &str, tab: &str, words: &str) -> anyhow::Result<()> {
    app.click_id(&format!("view-{view}")).await?;
    app.click_id(&format!("tab-{tab}")).await?;
    app.sees(words).await
}

/// The card of the first run.
pub async fn first_run(folder: &Path) -> anyhow::Result<()> {
    let stage = Stage::raise().await?;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let options = Options::ollama(&format!("http://127.0.0.1:{nobody}"));
    let app = App::ready(&stage, options).await?;
    let camera = Camera { stage: &stage, bus: app.bus().await?, folder };
    app.sees("ollama.com").await?;
    camera.take("first-run").await
}

/// All the rest.
pub async fn everything(folder: &Path) -> anyhow::Result<()> {
    let stage = Stage::raise().await?;
    // Where Ollama is by itself, so that the settings are as most people have them; elsewhere where it is in use.
    let usual = ModelServer::start_on(OLLAMA).await;
    let is_usual = usual.is_ok();
    let server = match usual {
        Ok(server) => server,
        Err(_) => ModelServer::start().await?,
    };
    server.install(Installed::chat(MODEL).newer_by(60));
    server.install(Installed::chat(OTHER_MODEL));
    server.install(Installed::embedding(EMBEDDING));
    server.next(Endpoint::Chat, words::answer());
    server.always(Endpoint::Chat, words::unfinished());
    let app = App::ready(&stage, Options::default()).await?;
    let camera = Camera { stage: &stage, bus: app.bus().await?, folder };
    // The script is for the person's own messages.
    camera.set("memory.extract", "false").await?;
    if !is_usual {
        camera.set("model.url", &server.url()).await?;
    }
    world::plant(&camera.bus).await?;
    app.sees(MODEL).await?;
    app.sees("tomatoes on the balcony").await?;
    camera.take("chat-empty").await?;
    chat(&app, &camera, &server).await?;
    diagnostics(&app, &camera).await?;
    settings(&app, &camera).await?;
    memory(&app, &camera).await?;
    crash(&app, &camera).await
}

async fn chat(app: &App<'_>, camera: &Camera<'_>, server: &ModelServer) -> anyhow::Result<()> {
    ask(app, words::QUESTION).await?;
    server.until(|counts| counts.chats == 1 && counts.answering == 0).await;
    app.sees(words::ANSWERED).await?;
    app.until("the answer is over", |tree| (tree.id("stop").is_none() && tree.id("live").is_none()).then_some(()))
        .await?;
    camera.take("chat").await?;
    app.click("Why this answer").await?;
    app.until("it says why", |tree| tree.find("dialog", "Why this answer")?.shows("recalled").then_some(())).await?;
    camera.take("chat-why").await?;
    app.press("Esc").await?;
    app.holds("the dialog is closed", |tree| tree.page().is_some() && tree.find("dialog", "Why this answer").is_none())
        .await?;
    app.press("Ctrl+Shift+O").await?;
    app.click_id("composer").await?;
    app.focused("composer").await?;
    app.press("Ctrl+Shift+H").await?;
    ask(app, words::NEXT_QUESTION).await?;
    server.until(|counts| counts.held == 1).await;
    app.sees(words::HALFWAY).await?;
    camera.take("chat-streaming").await?;
    server.release(1);
    Ok(())
}

async fn memory(app: &App<'_>, camera: &Camera<'_>) -> anyhow::Result<()> {
    app.click_id("view-memory").await?;
    app.click_id("tab-search").await?;
    fill(app, "memory-query", "where does Ana live").await?;
    app.until("it is found", |tree| {
        let results = tree.all().find(|node| node.name == "Results, best first")?;
        results.shows("Ana moved to Lisbon").then_some(())
    })
    .await?;
    camera.take("memory-search").await?;
    show(app, "memory", "timeline", "Yesterday").await?;
    camera.take("memory-timeline").await?;
    // From tab to tab by keys: a long table takes long to read.
    app.press("ArrowRight").await?;
    camera.blind("memory-facts").await?;
    app.press("ArrowRight").await?;
    camera.pause().await;
    app.until("the graph is drawn", |tree| {
        tree.all().find(|node| node.name.starts_with("Memory graph: ") && node.name.contains("entit")).map(drop)
    })
    .await?;
    fill(app, "graph-find", "Ana").await?;
    app.press("Enter").await?;
    app.until("it is selected", |tree| tree.id("graph-deselect").map(drop)).await?;
    app.click_id("graph-fit").await?;
    camera.take("memory-graph").await?;
    app.click_id("memory-remember").await?;
    fill(app, "sheet-text", "Ana and Rui come to Berlin on 2027-05-14.").await?;
    camera.take("dialog").await?;
    app.press("Esc").await?;
    app.holds("the dialog is gone", |tree| tree.id("main").is_some() && tree.id("sheet-text").is_none()).await
}

async fn diagnostics(app: &App<'_>, camera: &Camera<'_>) -> anyhow::Result<()> {
    show(app, "diagnostics", "workers", "Ready").await?;
    camera.take("diagnostics-workers").await?;
    show(app, "diagnostics", "health", "model").await?;
    app.holds("the checks are done", |tree| tree.id("check-again").is_some_and(|again| again.states.is_enabled()))
        .await?;
    camera.take("diagnostics-health").await?;
    app.click_id("tab-trace").await?;
    app.click_id("last-turn").await?;
    app.sees("session.send").await?;
    camera.take("diagnostics-trace").await?;
    app.click_id("tab-logs").await?;
    app.until("there are lines", |tree| tree.all().find(|node| node.role == "log")?.children().next().map(drop))
        .await?;
    camera.take("diagnostics-logs").await?;
    show(app, "diagnostics", "security", "Landlock").await?;
    camera.take("diagnostics-security").await
}

async fn settings(app: &App<'_>, camera: &Camera<'_>) -> anyhow::Result<()> {
    app.click_id("view-settings").await?;
    app.sees("Export and import").await?;
    camera.take("settings").await?;
    app.click("Providers").await?;
    app.sees("Connection").await?;
    camera.take("settings-providers").await?;
    app.click("Secrets").await?;
    camera.blind("settings-secrets").await?;
    app.press("Ctrl+/").await?;
    camera.blind("shortcuts").await?;
    app.press("Ctrl+1").await?;
    camera.pause().await;
    app.press("Ctrl+K").await?;
    app.until("the palette is open", |tree| tree.id("palette-query").map(drop)).await?;
    app.write("mem").await?;
    app.until("it is narrowed", |tree| {
        tree.all().find(|node| node.id.starts_with("palette-memory") && node.states.is_selected()).map(drop)
    })
    .await?;
    camera.take("palette").await?;
    app.press("Esc").await
}

/// A worker is killed, comes back, and its report is shown.
async fn crash(app: &App<'_>, camera: &Camera<'_>) -> anyhow::Result<()> {
    let pid = butterfly_kit::harness::worker(&camera.bus, "model").await?.pid;
    process::signal(pid, "KILL");
    show(app, "diagnostics", "crashes", "model").await?;
    app.until("the report is there", |tree| {
        tree.all().find(|node| node.role == "listitem" && node.shows("model")).map(drop)
    })
    .await?;
    camera.take("diagnostics-crashes").await
}
