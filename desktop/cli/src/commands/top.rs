//! `top`: the live table.

use crate::args;
use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch::lost;
use crate::paint::Role;
use crate::render::status::StatusView;
use crate::render::top::text;
use butterfly_client::Events;
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::Status;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Read, Write};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Shows the table on every `stats` event until somebody has seen enough.
///
/// # Errors
/// When no kernel runs, or it ends.
pub async fn run(context: &Context, args: &args::Top) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let mut events = bus.subscribe(service::ID, topic::STATS).await?;
    let mut left = if args.once { Some(1) } else { args.updates };
    let out = &context.out;
    let mut earlier = status(&bus).await?;
    if out.json || !out.terminal {
        while left != Some(0) {
            out.object(&StatusView::from(&next(&mut events).await?))?;
            left = left.map(|left| left - 1);
        }
        return Ok(Exit::Done);
    }
    if args.once {
        let now = next(&mut events).await?;
        out.line(&text(&now, Some(&earlier), out.paint, out.columns()))?;
        return Ok(Exit::Done);
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut keys = keys();
    let _screen = Screen::enter()?;
    draw(context, &earlier, None)?;
    while left != Some(0) {
        let now = tokio::select! {
            now = next(&mut events) => now?,
            Some(key) = keys.recv() => match key {
                b'q' | b'Q' | 3 | 4 => return Ok(Exit::Done),
                _ => continue,
            },
            _ = interrupt.recv() => return Ok(Exit::Done),
            _ = terminate.recv() => return Ok(Exit::Terminated),
        };
        draw(context, &now, Some(&earlier))?;
        earlier = now;
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Done)
}

/// The next table; one that was missed is of no interest any more.
async fn next(events: &mut Events) -> Result<Status, Fault> {
    loop {
        match events.next().await {
            Some(Ok(event)) => return Ok(event.decode()?),
            Some(Err(_)) => {}
            None => return Err(lost()),
        }
    }
}

/// Redraws in place: home, each line with its rest cleared, then everything below cleared. Nothing flickers.
fn draw(context: &Context, now: &Status, earlier: Option<&Status>) -> Result<(), Fault> {
    let out = &context.out;
    let shown = text(now, earlier, out.paint, out.columns());
    let hint = out.paint.apply(Role::Muted, "q leaves");
    let lines = shown.lines().chain(["", &hint]).take(out.rows());
    out.raw(&format!("\x1b[H{}\x1b[K\x1b[J", lines.collect::<Vec<_>>().join("\x1b[K\r\n")))
}

/// Bytes typed at the terminal. The thread that reads them ends with the program.
fn keys() -> mpsc::Receiver<u8> {
    let (sender, receiver) = mpsc::channel(8);
    if io::stdin().is_terminal() {
        std::thread::spawn(move || {
            let mut key = [0];
            while matches!(io::stdin().read(&mut key), Ok(1)) {
                if sender.blocking_send(key[0]).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// The alternate screen without cursor and line wrap, and a terminal that hands over each key; undone when dropped.
struct Screen {
    before: Option<Termios>,
}

impl Screen {
    fn enter() -> Result<Self, Fault> {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut now = before.clone();
            now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            now.special_codes[SpecialCodeIndex::VMIN] = 1;
            now.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(io::stdin(), OptionalActions::Now, &now).map_err(io::Error::from)?;
        }
        let screen = Self { before };
        let mut stdout = io::stdout().lock();
        stdout.write_all(b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J")?;
        stdout.flush()?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut stdout = io::stdout().lock();
        // The terminal may be gone; then there is nothing to restore.
        let _ = stdout.write_all(b"\x1b[?7h\x1b[?25h\x1b[?1049l").and_then(|()| stdout.flush());
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
