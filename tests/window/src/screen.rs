//! What the screen looks like: pictures of it, and the colour at a place.

use crate::process;
use crate::stage::Stage;
use anyhow::Context;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// Colours that an empty window does not have: it is of one, on a screen of another.
const COLOURS: usize = 16;

/// A picture of the whole screen, as PNG without anything but its pixels.
///
/// # Errors
/// Where it cannot be written.
pub async fn shot(stage: &Stage, path: &Path) -> anyhow::Result<()> {
    let mut command = stage.command(&process::find("import", "imagemagick")?);
    // Nothing in the file may tell of the moment or the machine. 95: zlib's best, with the filter chosen line by line.
    command.args(["-silent", "-window", "root", "-strip", "-define", "png:exclude-chunks=date,time", "-quality", "95"]);
    command.arg(format!("png:{}", path.display()));
    process::output(command).await.map(drop)
}

/// Waits until something is drawn on the screen: letters have more colours than a screen and an empty window have.
///
/// # Errors
/// Where there is no screen.
pub async fn drawn(stage: &Stage) -> anyhow::Result<()> {
    loop {
        let mut command = stage.command(&process::find("import", "imagemagick")?);
        command.args(["-silent", "-window", "root", "-depth", "8", "rgb:-"]);
        let pixels = process::output(command).await?.stdout;
        let colours: HashSet<&[u8]> = pixels.chunks_exact(3).collect();
        if colours.len() > COLOURS {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How light a place is, from 0 (black) to 255 (white): the mean of its colours.
///
/// # Errors
/// Where there is no such place.
pub async fn lightness(stage: &Stage, (x, y): (i32, i32)) -> anyhow::Result<u32> {
    let mut command = stage.command(&process::find("import", "imagemagick")?);
    command.args(["-silent", "-window", "root", "-crop", &format!("1x1+{x}+{y}"), "-depth", "8", "rgb:-"]);
    let pixel = process::output(command).await?.stdout;
    let colours: [u8; 3] =
        pixel.get(..3).and_then(|pixel| pixel.try_into().ok()).context("the screen has no such place")?;
    Ok(colours.iter().map(|colour| u32::from(*colour)).sum::<u32>() / 3)
}
