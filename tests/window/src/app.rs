//! The desktop app on a stage, with a home of its own.

use crate::accessible::{self, Object, Place};
use crate::process::{self, Guarded, Warden};
use crate::stage::Stage;
use crate::tree::{Branch, Tree};
use crate::{PATIENCE, hands, screen};
use anyhow::{Context, bail};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_kit::harness;
use butterfly_kit::model_server::ModelServer;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Between two looks at the window, at least. It is as long as the look took, because a page that is looked at does
/// nothing else meanwhile.
const LOOK: Duration = Duration::from_millis(40);

/// How much of what the app wrote is shown when something fails, in bytes.
const LOG_TAIL: usize = 4 << 10;

/// What the app is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    environment: Vec<(String, String)>,
    home: Option<Arc<TempDir>>,
}

impl Options {
    /// Without any model server: the built-in responder answers.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default().with("BUTTERFLY_MODEL_PROVIDER", "builtin")
    }

    /// With this one as Ollama. Nothing but the person's own messages is sent to it, so that a script fits.
    #[must_use]
    pub fn model(server: &ModelServer) -> Self {
        Self::ollama(&server.url()).with("BUTTERFLY_MEMORY_EXTRACT", "false")
    }

    /// With Ollama at this address, whether there is one or not.
    #[must_use]
    pub fn ollama(url: &str) -> Self {
        Self::default().with("BUTTERFLY_MODEL_PROVIDER", "ollama").with("BUTTERFLY_MODEL_URL", url)
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// In this home, instead of a new one.
    #[must_use]
    pub fn home(self, home: &Arc<TempDir>) -> Self {
        Self { home: Some(Arc::clone(home)), ..self }
    }
}

/// The running app. It ends with its value, and so does a kernel that it started.
pub struct App<'a> {
    stage: &'a Stage,
    process: Guarded,
    options: Options,
    // Before the home that it watches over.
    _warden: Warden,
    pub home: Arc<TempDir>,
}

impl<'a> App<'a> {
    /// Opens the window and waits until it shows the app.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn open(stage: &'a Stage, options: Options) -> anyhow::Result<Self> {
        let home = match &options.home {
            Some(home) => Arc::clone(home),
            None => Arc::new(tempfile::Builder::new().prefix("home-").tempdir()?),
        };
        let warden = Warden::start(&harness::program("butterfly")?, home.path())?;
        let log = File::options().create(true).append(true).open(log(stage))?;
        let process = Guarded::run(&harness::program("butterfly-desktop")?, |command| {
            stage.dress(command);
            command.env("BUTTERFLY_HOME", home.path()).envs(options.environment.iter().cloned());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        })?;
        let app = Self { stage, process, options, _warden: warden, home };
        // The webview leaves a page empty for good whose tree was asked for before it was first drawn.
        tokio::time::timeout(PATIENCE, screen::drawn(stage)).await.context("the window shows nothing")??;
        app.until("the window shows the app and has the focus", |tree| {
            let frame = tree.all().find(|node| node.role == "frame")?;
            (frame.states.is_active() && tree.id("main").is_some()).then_some(())
        })
        .await?;
        Ok(app)
    }

    /// Opens it and waits until its kernel is connected and every worker ready.
    ///
    /// # Errors
    /// Where that does not happen.
    pub async fn ready(stage: &'a Stage, options: Options) -> anyhow::Result<Self> {
        let app = Self::open(stage, options).await?;
        app.until("all workers are ready", |tree| {
            tree.all().find(|node| node.id == "health" && node.name.starts_with("All workers are ready")).map(drop)
        })
        .await?;
        Ok(app)
    }

    /// Starts the program once more, as a person does who forgot that it is open, and waits for its end.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start_again(&self) -> anyhow::Result<Output> {
        let mut command = self.stage.command(&harness::program("butterfly-desktop")?);
        command.env("BUTTERFLY_HOME", self.home.path()).envs(self.options.environment.iter().cloned());
        process::output(command).await
    }

    /// What the window shows now; `None` where it shows nothing.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn tree(&self) -> anyhow::Result<Option<Tree>> {
        accessible::read(self.stage.accessible(), self.process.pid()).await
    }

    /// Looks until `found` finds something.
    ///
    /// # Errors
    /// With what is shown instead, where it never does.
    pub async fn until<T>(&self, what: &str, found: impl Fn(&Tree) -> Option<T>) -> anyhow::Result<T> {
        let mut last = None;
        let looking = async {
            loop {
                let began = Instant::now();
                if let Some(tree) = self.tree().await? {
                    let result = found(&tree);
                    last = Some(tree);
                    if let Some(result) = result {
                        return Ok::<_, anyhow::Error>(result);
                    }
                }
                if !process::lives(self.process.pid()) {
                    bail!("the app has ended");
                }
                tokio::time::sleep(began.elapsed().max(LOOK)).await;
            }
        };
        let why = match tokio::time::timeout(PATIENCE, looking).await {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(fault)) => format!("{fault:#}"),
            Err(_) => "it never happened".to_owned(),
        };
        bail!("{what}: {why}\n{}", self.evidence(last.as_ref()).await)
    }

    /// Looks until a condition holds of a tree of which nothing was missed.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn holds(&self, what: &str, condition: impl Fn(&Tree) -> bool) -> anyhow::Result<()> {
        self.until(what, |tree| (tree.is_whole && condition(tree)).then_some(())).await
    }

    /// Waits until these words stand in the window.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn sees(&self, words: &str) -> anyhow::Result<()> {
        self.until(&format!("the window shows {words:?}"), |tree| tree.shows(words).then_some(())).await
    }

    /// Waits until these words stand nowhere in the window.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn loses(&self, words: &str) -> anyhow::Result<()> {
        self.holds(&format!("the window shows no {words:?}"), |tree| tree.page().is_some() && !tree.shows(words)).await
    }

    /// What is shown now, as far as something is.
    ///
    /// # Errors
    /// Where nothing is.
    pub async fn now(&self) -> anyhow::Result<Tree> {
        self.until("something is shown", |tree| (tree.is_whole && tree.page().is_some()).then(|| tree.clone())).await
    }

    /// Points at what `found` finds, and clicks.
    ///
    /// # Errors
    /// Where there is no such thing, or it cannot be seen.
    pub async fn click_on(
        &self,
        what: &str,
        found: impl for<'t> Fn(&'t Tree) -> Option<Branch<'t>>,
    ) -> anyhow::Result<()> {
        hands::click(self.stage, self.place_of(what, found).await?.centre()).await
    }

    /// Where on the screen what `found` finds is, when it stands still there.
    ///
    /// # Errors
    /// Where there is no such thing, or it cannot be seen.
    pub async fn place_of(
        &self,
        what: &str,
        found: impl for<'t> Fn(&'t Tree) -> Option<Branch<'t>>,
    ) -> anyhow::Result<Place> {
        let object = self.until(what, |tree| found(tree)?.object()).await?;
        match self.seen(&object).await.with_context(|| format!("{what} cannot be pointed at")) {
            Ok(place) => Ok(place),
            Err(fault) => bail!("{fault:#}\n{}", self.evidence(self.tree().await?.as_ref()).await),
        }
    }

    /// Clicks the button of this name.
    ///
    /// # Errors
    /// As [`Self::click_on`].
    pub async fn click(&self, button: &str) -> anyhow::Result<()> {
        self.click_on(&format!("the button {button:?}"), |tree| tree.button(button)).await
    }

    /// Clicks the element with this id.
    ///
    /// # Errors
    /// As [`Self::click_on`].
    pub async fn click_id(&self, id: &str) -> anyhow::Result<()> {
        self.click_on(&format!("the element #{id}"), |tree| tree.id(id)).await
    }

    /// Where an object is, when it stands still on the screen.
    async fn seen(&self, object: &Object) -> anyhow::Result<Place> {
        let bus = self.stage.accessible();
        let looking = async {
            let mut before = None;
            loop {
                let place = accessible::place(bus, object).await?;
                if !place.is_seen() {
                    accessible::scroll_to(bus, object).await?;
                } else if before == Some(place) {
                    return Ok(place);
                }
                before = Some(place);
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.context("it is nowhere on the screen")?
    }

    /// Presses keys together, such as `Ctrl+Shift+O`.
    ///
    /// # Errors
    /// Where they are no keys.
    pub async fn press(&self, chord: &str) -> anyhow::Result<()> {
        hands::press(self.stage, chord).await
    }

    /// Types a text into what has the focus, a line break as Enter.
    ///
    /// # Errors
    /// Where the screen is gone.
    pub async fn write(&self, text: &str) -> anyhow::Result<()> {
        hands::write(self.stage, text).await
    }

    /// Waits until the element with this id has the focus.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn focused(&self, id: &str) -> anyhow::Result<()> {
        self.until(&format!("#{id} has the focus"), |tree| (tree.focused()?.id == id).then_some(())).await
    }

    /// Clicks into a field and types, instead of what stood there, and waits until it stands there: a click overtakes keys
    /// that are still on their way.
    ///
    /// # Errors
    /// Where there is no such field, or it takes another text.
    pub async fn fill(&self, id: &str, text: &str) -> anyhow::Result<()> {
        self.click_id(id).await?;
        self.focused(id).await?;
        self.press("Ctrl+A").await?;
        self.write(text).await?;
        self.until(&format!("{text:?} stands in #{id}"), |tree| {
            (tree.id(id)?.text.as_deref()?.trim_end() == text).then_some(())
        })
        .await
    }

    /// A picture of the window.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn shot(&self, path: &std::path::Path) -> anyhow::Result<()> {
        screen::shot(self.stage, path).await
    }

    /// How light a place in the window is, from 0 to 255.
    ///
    /// # Errors
    /// Where there is no such place.
    pub async fn lightness(&self, at: (i32, i32)) -> anyhow::Result<u32> {
        screen::lightness(self.stage, at).await
    }

    /// A client of the same kernel, to do what somebody else may do meanwhile.
    ///
    /// # Errors
    /// Where there is no kernel.
    pub async fn bus(&self) -> anyhow::Result<Bus> {
        Ok(butterfly_client::connect(&butterfly_wire::place::Place::under(self.home.path())).await?.0)
    }

    /// The kernel's process.
    ///
    /// # Errors
    /// Where there is no kernel.
    pub async fn kernel_pid(&self) -> anyhow::Result<u32> {
        Ok(self.bus().await?.call::<control::Status>(&()).await?.kernel.pid)
    }

    /// The app's own process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until the app has ended by itself.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let waiting = async {
            loop {
                if let Some(status) = self.process.child().try_wait()? {
                    return Ok::<_, anyhow::Error>(status);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.context("the app does not end")?
    }

    /// All that can be said about a failure: what was shown, what the app wrote, and where a picture lies.
    async fn evidence(&self, tree: Option<&Tree>) -> String {
        let log = fs::read(log(self.stage)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL)..]).into_owned();
        let shown = tree.map_or_else(|| "(nothing)".to_owned(), ToString::to_string);
        let thread = std::thread::current().name().unwrap_or("window").replace("::", "-");
        let picture = harness::programs().join("window-failures").join(format!("{thread}.png"));
        let taken = async {
            fs::create_dir_all(picture.parent().unwrap_or(&picture))?;
            self.shot(&picture).await
        };
        let picture = match taken.await {
            Ok(()) => picture.display().to_string(),
            Err(fault) => format!("none: {fault:#}"),
        };
        format!("shown last:\n{shown}\nthe app wrote:\n{log}\na picture: {picture}")
    }
}

/// What the app writes.
fn log(stage: &Stage) -> PathBuf {
    stage.folder().join("app.log")
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        // A kernel that the app started, and what else it started, have their home in their environment.
        let home = self.home.path().display().to_string();
        drop(self.process.child().kill());
        for pid in process::with_variable("BUTTERFLY_HOME", &home) {
            process::signal(pid, "KILL");
        }
    }
}
