//! What the benchmarks of the window stand on: a screen, a kernel that runs already, a model server, and conversations.

use crate::talk::Talk;
use anyhow::{Context, bail};
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, program};
use butterfly_kit::model_server::{Endpoint, Installed, ModelServer, Play, Step};
use butterfly_window::framebuffer::{Framebuffer, Picture};
use butterfly_window::{App, Options, Stage};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Two pictures of which a smaller share of the pixels differs show the same: a caret blinks.
const SAME: f64 = 0.000_2;

/// A screen on which nothing changes for so long has settled.
const STILL: Duration = Duration::from_millis(800);

/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(2);

/// Who waits this long has hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tokens of a paragraph.
const PARAGRAPH: usize = 40;

/// Everything but the window.
pub struct Desk {
    pub stage: Stage,
    pub server: ModelServer,
    pub kernel: Instance,
    pub bus: Bus,
}

impl Desk {
    /// Puts it up.
    ///
    /// # Errors
    /// Where a program is missing or fails.
    pub async fn up() -> anyhow::Result<Self> {
        let stage = Stage::raise().await?;
        let server = ModelServer::start().await?;
        server.install(Installed::chat("kit:latest"));
        let url = server.url();
        // Nothing but what the person says is sent to the model: its answers are counted.
        let environment = [
            ("BUTTERFLY_MODEL_PROVIDER", "ollama"),
            ("BUTTERFLY_MODEL_URL", url.as_str()),
            ("BUTTERFLY_MEMORY_EXTRACT", "false"),
        ];
        let (kernel, bus) = Instance::start(Which::Production, &[], &environment).await?;
        Ok(Self { stage, server, kernel, bus })
    }

    /// The app, connected.
    ///
    /// # Errors
    /// Where it does not open.
    pub async fn app(&self) -> anyhow::Result<App<'_>> {
        App::ready(&self.stage, Options::default().home(&self.kernel.home)).await
    }

    /// The command that opens a program's window.
    ///
    /// # Errors
    /// When it was not built.
    pub fn window(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = self.stage.command(&program(name)?);
        command.env("BUTTERFLY_HOME", self.kernel.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    /// From now on the model says so many tokens each time, `w1 w2 …`, one every `pace`.
    pub fn says(&self, tokens: usize, pace: Duration) {
        let steps = (1..=tokens).map(|at| {
            let end = if at % PARAGRAPH == 0 { "\n\n" } else { " " };
            Step::Text(format!("w{at}{end}"))
        });
        self.server.always(Endpoint::Chat, Play::steps(steps).delay(pace).into());
    }

    /// Waits until the server has sent so many answers to their end.
    ///
    /// # Errors
    /// Where it does not within the time that `whole` answers should take, and [`PATIENCE`] beyond.
    pub async fn has_said(&self, answers: usize, whole: Duration) -> anyhow::Result<()> {
        let waiting = async {
            loop {
                let counts = self.server.counts();
                if counts.chats >= answers && counts.answering == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(whole + PATIENCE, waiting).await.context("the answer never ends")
    }

    /// Adds a conversation of so many messages.
    ///
    /// # Errors
    /// Where it is refused.
    pub fn talk(&self, title: &str, messages: usize) -> anyhow::Result<()> {
        let file = self.stage.folder().join("conversation.json");
        std::fs::write(&file, document(title, messages).to_string())?;
        let mut command = Command::new(program("butterfly")?);
        command.arg("--home").arg(self.kernel.home.path()).args(["conversations", "import"]).arg(&file);
        let output = command.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("the conversation is refused: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

/// A conversation as `butterfly conversations import` reads it: questions and answers in turns.
fn document(title: &str, messages: usize) -> Value {
    let talk = Talk::default();
    let entries = (0..messages).map(|at| {
        let said = talk.message(at);
        let is_question = at % 2 == 0;
        let role = if is_question { "user" } else { "assistant" };
        json!({
            "number": at + 1,
            "parent": (at > 0).then_some(at),
            "turn": at / 2 * 2 + 1,
            "part": if is_question { -1 } else { 0 },
            "attempt": 0,
            "role": role,
            "speaker": role,
            "text": said.text,
            "state": "complete",
            "at_unix_ms": said.at_unix_ms,
            "provenance": if is_question { 1 } else { 193 },
        })
    });
    let entries: Vec<Value> = entries.collect();
    let last = talk.message(messages).at_unix_ms;
    json!({
        "format": "butterfly-conversation", "version": 1, "external_id": null, "title": title, "renamed": true,
        "created_unix_ms": talk.message(0).at_unix_ms, "updated_unix_ms": last, "pinned": false, "draft": "",
        "profile": null, "context_tokens": 0, "head": messages, "messages": entries,
    })
}

/// What the screen shows once nothing has changed on it for a while.
///
/// # Errors
/// Where it never rests.
pub async fn settled(screen: &Framebuffer) -> anyhow::Result<Picture> {
    let began = Instant::now();
    let mut last = screen.look()?;
    let mut since = Instant::now();
    while since.elapsed() < STILL {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = screen.look()?;
        if now.differs(&last) > SAME {
            (last, since) = (now, Instant::now());
        }
        if began.elapsed() > PATIENCE {
            bail!("what the screen shows never rests");
        }
    }
    Ok(last)
}

/// Waits until the screen shows this, and returns how long that took since `since`, in ms.
///
/// # Errors
/// Where it never does.
pub async fn shows(screen: &Framebuffer, wanted: &Picture, since: Instant) -> anyhow::Result<f64> {
    loop {
        let looked = Instant::now();
        let differs = screen.look()?.differs(wanted);
        if differs <= SAME {
            return Ok((looked - since).as_secs_f64() * 1e3);
        }
        if since.elapsed() > PATIENCE {
            bail!("the screen never shows what it showed before: {:.2} % of it differ", 100.0 * differs);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Memory of a process and all its descendants, each page shared out among those that have it (`Pss`), in MiB.
///
/// # Errors
/// Where the process is gone.
pub fn memory(pid: u32) -> anyhow::Result<f64> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        for thread in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        next += 1;
    }
    let mut sum = 0.0;
    for pid in all {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
        sum += line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0;
    }
    Ok(sum)
}
