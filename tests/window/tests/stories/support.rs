//! What several of these stories do.

use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Play, Scenario, Step};
use butterfly_window::{App, Branch, Tree};

/// The model that answers.
pub const MODEL: &str = "kit:latest";

/// A server with that model.
pub async fn server() -> anyhow::Result<ModelServer> {
    let server = ModelServer::start().await?;
    server.install(Installed::chat(MODEL));
    Ok(server)
}

/// A server that says this, each time.
pub async fn saying(text: &str) -> anyhow::Result<ModelServer> {
    let server = server().await?;
    server.always(Endpoint::Chat, Scenario::say(text));
    Ok(server)
}

/// An answer that says the first, waits until it is released, and says the second.
pub fn halves(first: &str, second: &str) -> Scenario {
    Play::steps([Step::Text(first.to_owned()), Step::Hold, Step::Text(second.to_owned())]).into()
}

/// The words of each message in the open conversation that this speaker said: `You` or `Assistant`.
fn said(tree: &Tree, speaker: &str) -> Vec<String> {
    let column = tree.id("messages").into_iter().flat_map(|messages| messages.all());
    column.filter(|node| node.role == "article" && node.name == speaker).map(Branch::prose).collect()
}

/// What the assistant said in the open conversation, as far as it is shown.
pub fn answers(tree: &Tree) -> Vec<String> {
    said(tree, "Assistant")
}

/// What the person said in the open conversation, as far as it is shown.
pub fn asked(tree: &Tree) -> Vec<String> {
    said(tree, "You")
}

/// Whether the last answer is there, has these words, and is over.
pub fn is_answered(tree: &Tree, words: &str) -> bool {
    tree.id("stop").is_none()
        && tree.all().all(|node| node.id != "live")
        && answers(tree).last().is_some_and(|answer| answer.contains(words))
}

/// Types a message into its field and sends it by Enter, having clicked into the field.
pub async fn say(app: &App<'_>, text: &str) -> anyhow::Result<()> {
    app.click_id("composer").await?;
    send(app, text).await
}

/// Types a message where the focus is in its field already, and sends it by Enter.
pub async fn send(app: &App<'_>, text: &str) -> anyhow::Result<()> {
    app.focused("composer").await?;
    app.write(text).await?;
    app.until(&format!("{text:?} stands in the message field"), |tree| {
        (tree.id("composer")?.text.as_deref()?.trim_end() == text).then_some(())
    })
    .await?;
    app.press("Enter").await
}

/// Waits for an answer with these words to be over.
pub async fn answered(app: &App<'_>, words: &str) -> anyhow::Result<()> {
    app.until(&format!("an answer says {words:?} and is over"), |tree| is_answered(tree, words).then_some(())).await
}

/// Says something and waits for the answer.
pub async fn ask(app: &App<'_>, text: &str, words: &str) -> anyhow::Result<()> {
    say(app, text).await?;
    answered(app, words).await
}
