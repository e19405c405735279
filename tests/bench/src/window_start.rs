//! The window: how soon it is there, and how soon it shows a long conversation.

use crate::desk::{Desk, settled, shows};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::sides::Running;
use anyhow::Context;
use butterfly_window::framebuffer::{Framebuffer, Picture};
use butterfly_window::{App, hands};
use std::time::Instant;

/// Starts of each kind.
const STARTS: usize = 20;

/// Times that each conversation is opened.
const OPENED: usize = 20;

/// Starts before it counts.
const WARM_UP: usize = 2;

/// Messages of the long conversation, and of the short one.
const LONG: usize = 5_000;
const SHORT: usize = 10;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let (starts, opened) = (options.times(STARTS), options.times(OPENED));
    let desk = Desk::up().await?;
    let screen = desk.stage.pixels()?;
    desk.talk("a short one", SHORT)?;
    desk.talk("a long one", LONG)?;
    let blank = settled(&screen).await?;
    let (mut app, mut empty) = (Samples::default(), Samples::default());
    let mut ends = [None, None];
    for start in 0..WARM_UP + starts {
        for (end, (name, samples)) in
            ends.iter_mut().zip([("butterfly-desktop", &mut app), ("examples/empty-window", &mut empty)])
        {
            let took = one_start(&desk, &screen, &blank, name, end).await?;
            if start >= WARM_UP {
                samples.push(took);
            }
        }
    }
    let app_window = desk.app().await?;
    let long = Place::find(&app_window, "a long one").await?;
    let short = Place::find(&app_window, "a short one").await?;
    let (mut longs, mut shorts) = (Samples::default(), Samples::default());
    // The first time both are open, they are warm; what the second time shows, each later one shows.
    for place in [&long, &short] {
        place.open(&desk, &app_window, &screen).await?;
    }
    let long_end = long.open(&desk, &app_window, &screen).await?;
    let short_end = short.open(&desk, &app_window, &screen).await?;
    for _ in 0..opened {
        for (place, end, samples) in [(&long, &long_end, &mut longs), (&short, &short_end, &mut shorts)] {
            hands::point(&desk.stage, place.0).await?;
            settled(&screen).await?;
            let since = Instant::now();
            hands::click_here(&desk.stage).await?;
            samples.push(shows(&screen, end, since).await.context("a conversation that is opened again")?);
        }
    }
    Ok(Section {
        title: "The window",
        method: format!(
            "From starting `butterfly-desktop`, with the kernel up already, until the screen of a virtual X server shows the \
             chat as it stays, with the list of conversations; its pixels are looked at every 2 ms or so, in the file in \
             which the X server keeps them. The baseline is a program with the same toolkit whose window has one line of \
             text. {starts} starts of each, in turns. A conversation is open when the screen shows what it shows in the end: \
             from before the click, with the time that the tool takes to click and that the messages take through the bus; \
             {opened} times, in turns."
        ),
        rows: vec![
            Row::new(
                "start to the painted chat, median",
                Unit::Milliseconds,
                app.median(),
                empty.median(),
                "empty window",
            )
            .target(Target::RatioAtMost(1.5)),
            Row::new(
                "start to the painted chat, slowest",
                Unit::Milliseconds,
                app.largest(),
                empty.largest(),
                "empty window",
            ),
            Row::new(
                "a conversation of 5000 messages, median",
                Unit::Milliseconds,
                longs.median(),
                shorts.median(),
                "of 10",
            )
            .target(Target::AtMost(150.0)),
            Row::new(
                "a conversation of 5000 messages, slowest",
                Unit::Milliseconds,
                longs.largest(),
                shorts.largest(),
                "of 10",
            ),
        ],
    })
}

/// Starts a program and waits until the screen shows its window as it stays; in ms. What that is, its first start tells.
async fn one_start(
    desk: &Desk,
    screen: &Framebuffer,
    blank: &Picture,
    name: &str,
    end: &mut Option<Picture>,
) -> anyhow::Result<f64> {
    let since = Instant::now();
    let mut running = Running(desk.window(name)?.spawn().with_context(|| format!("{name} does not start"))?);
    let took = match end {
        Some(end) => shows(screen, end, since).await.with_context(|| format!("the window of {name}"))?,
        None => {
            while screen.look()?.differs(blank) == 0.0 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            *end = Some(settled(screen).await?);
            since.elapsed().as_secs_f64() * 1e3
        }
    };
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(running.0.id())?),
        nix::sys::signal::Signal::SIGTERM,
    )?;
    running.0.wait()?;
    shows(screen, blank, Instant::now()).await.with_context(|| format!("{name} has ended"))?;
    Ok(took)
}

/// Where a conversation stands in the list, in pixels of the screen.
struct Place((i32, i32));

impl Place {
    async fn find(app: &App<'_>, title: &str) -> anyhow::Result<Self> {
        let place = app
            .place_of(title, |tree| tree.all().find(|node| node.role == "button" && node.words().contains(title)))
            .await?;
        Ok(Self(place.centre()))
    }

    /// Opens it, and returns what the screen shows in the end.
    async fn open(&self, desk: &Desk, app: &App<'_>, screen: &Framebuffer) -> anyhow::Result<Picture> {
        hands::click(&desk.stage, self.0).await?;
        app.until("its messages are shown", |tree| tree.id("messages").map(drop)).await?;
        settled(screen).await
    }
}
