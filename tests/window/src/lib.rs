//! Tests that use the real window as a person does: by keys and mouse, looking at what it shows.
//!
//! A [`Stage`] is a screen with a window manager and buses of its own; an [`App`] is the desktop app on it, with a real
//! kernel and real workers. What is shown is read from the accessibility tree (AT-SPI 2), as a screen reader does, and
//! keys and clicks go through the X server. It is *not* a back door: the app under test is the one that people run, and
//! knows of no test.
//!
//! Invariants:
//! - Nothing is asserted about time. Whoever waits reads the tree again and again, and gives up when only a hang is left.
//! - Each stage has its own display, buses and folders, and ends with its value, so tests run side by side.
//! - What a test needs and the machine lacks makes it fail, and the failure names the package.

pub mod accessible;
pub mod app;
pub mod framebuffer;
pub mod hands;
pub mod ping;
pub mod process;
pub mod screen;
pub mod stage;
pub mod tree;

pub use app::{App, Options};
pub use stage::Stage;
pub use tree::{Branch, Tree};

use std::future::Future;
use std::time::Duration;

/// Bound of every wait. Nothing is asserted about time: whoever waits this long has hung.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Bound of a whole story.
const LONG: Duration = Duration::from_secs(900);

/// Runs a story on a runtime of its own.
///
/// # Errors
/// What the story fails with, or that it hangs.
pub fn run<F: Future<Output = anyhow::Result<()>>>(story: F) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(LONG, story).await })?
}
