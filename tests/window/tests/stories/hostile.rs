//! A model that means harm: what it writes is text, whatever it writes.

use crate::support::*;
use butterfly_window::{App, Options, Stage, run};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// Roles of what a page loads or runs. None of them may come from a message.
const FOREIGN: [&str; 9] =
    ["image", "img", "graphic", "document web", "internal frame", "embedded", "video", "audio", "form"];

/// What may not happen, in every form that Markdown and HTML have for it. `TRAP` is an address where every visit counts.
const HARM: &str = r#"<script>document.title = 'owned'; fetch('TRAP/script')</script>

<img src="TRAP/img.png" onerror="document.title = 'owned'">

<svg onload="document.title = 'owned'"><image href="TRAP/svg.png"/><script>document.title = 'owned'</script></svg>

<iframe src="dioxus://index.html/etc/passwd"></iframe> <object data="TRAP/object"></object> <embed src="TRAP/embed">

<style>body { display: none; background: url(TRAP/style.png) }</style> <link rel="stylesheet" href="TRAP/sheet.css">

<meta http-equiv="refresh" content="0; url=TRAP/meta"> <base href="TRAP/">

<form action="TRAP/form"><input autofocus onfocus="document.title = 'owned'"></form>

![remote](TRAP/remote.png) ![file](file:///etc/passwd) ![own](dioxus://index.html/etc/passwd) ![data](data:image/svg+xml,<svg/onload=alert(1)>)

[run me](javascript:document.title='owned') [read me](file:///etc/passwd) [see me](data:text/html,owned) [open me](dioxus://index.html/etc/passwd)

[the site](TRAP/site) <a href="TRAP/raw" onclick="document.title = 'owned'">raw</a>

That is all."#;

/// An address, and how often somebody came there.
async fn trap() -> anyhow::Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    Ok((address, visits))
}

#[test]
fn nothing_that_a_model_writes_is_run_loaded_or_opened_without_being_asked() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let (trap, visits) = trap().await?;
        let opened = stage.folder().join("opened");
        stage.put_program("xdg-open", &format!("printf '%s\\n' \"$1\" >> {}", opened.display()))?;
        let server = saying(&HARM.replace("TRAP", &trap)).await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Write a page", "That is all.").await?;

        let tree = app.now().await?;
        let frame = tree.all().find(|node| node.role == "frame").map(|node| node.name.clone());
        assert_eq!(frame.as_deref(), Some("ButterFly Bot"), "no script changed the title");
        assert_eq!(tree.all().filter(|node| node.role == "document web").count(), 1, "there is one page: {tree}");
        let Some(answer) = tree.id("messages").and_then(|column| column.find("article", "Assistant")) else {
            anyhow::bail!("no answer: {tree}")
        };
        for node in answer.all() {
            assert!(!FOREIGN.contains(&node.role.as_str()), "{} {:?} is more than text: {tree}", node.role, node.name);
        }
        for source in
            ["<script>document.title = 'owned'", "<img src=", "<iframe src=", "<style>body", "<meta http-equiv"]
        {
            assert!(answer.shows(source), "{source} is shown as it is: {}", answer.words());
        }
        let links: Vec<String> = answer.all().filter(|node| node.role == "link").map(|node| node.words()).collect();
        assert!(links.iter().any(|link| link == "the site"), "{links:?}");
        for refused in ["run me", "read me", "see me", "open me", "raw"] {
            assert!(!links.iter().any(|link| link.contains(refused)), "{refused} leads nowhere: {links:?}");
        }

        let follow = async || {
            app.click_on("the link", |tree| tree.id("messages")?.find("link", "the site")).await?;
            app.until("its target is shown first", |tree| {
                tree.find("dialog", "Open this link?")?.shows(&format!("{trap}/site")).then_some(())
            })
            .await
        };
        follow().await?;
        app.press("Esc").await?;
        app.holds("nothing was asked for", |tree| {
            tree.find("dialog", "Open this link?").is_none() && tree.id("messages").is_some()
        })
        .await?;
        assert!(!opened.exists(), "a dialog that was closed opens nothing");
        follow().await?;
        app.click("Open in the browser").await?;
        let target = tokio::time::timeout(butterfly_window::PATIENCE, async {
            loop {
                match tokio::fs::read_to_string(&opened).await {
                    Ok(target) if target.ends_with('\n') => return target,
                    _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                }
            }
        })
        .await?;
        assert_eq!(target, format!("{trap}/site\n"));
        assert_eq!(visits.load(Ordering::SeqCst), 0, "the window itself went nowhere");
        ask(&app, "Are you still there?", "That is all.").await
    })
}

#[test]
fn text_of_an_absurd_shape_leaves_the_window_alive() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let nested = format!("{}deep\n\n", "> ".repeat(2_000));
        let lists: String = (0..400).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect();
        let long = "w".repeat(200_000);
        let server = server().await?;
        let shapes = [nested, lists, format!("{long} "), "\u{202e}gnitirw \u{0}\u{7}\u{1b}[31m ".repeat(50)];
        for (at, shape) in shapes.iter().enumerate() {
            let text = format!("{shape}\n\nShape {at} is done.");
            server.next(
                butterfly_kit::model_server::Endpoint::Chat,
                butterfly_kit::model_server::Play::steps([butterfly_kit::model_server::Step::Text(text)]).into(),
            );
        }
        let app = App::ready(&stage, Options::model(&server)).await?;
        for at in 0..shapes.len() {
            say(&app, &format!("Shape {at}")).await?;
            app.until("it is done and can be stopped no more", |tree| {
                (tree.id("stop").is_none() && tree.id("live").is_none() && answers(tree).len() == at + 1).then_some(())
            })
            .await?;
        }
        app.press("Ctrl+K").await?;
        app.until("it takes keys", |tree| tree.id("palette-query").map(drop)).await
    })
}
