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

/// The same in 256 colours, which are enough for what has few: a third of the size.
///
/// # Errors
/// Where it cannot be written.
pub async fn small_shot(stage: &Stage, path: &Path) -> anyhow::Result<()> {
    let mut command = stage.command(&process::find("import", "imagemagick")?);
    command.args(["-silent", "-window", "root", "-strip", "+dither", "-colors", "256"]);
    command.args(["-define", "png:exclude-chunks=date,time", "-quality", "95"]);
    command.arg(format!("png8:{}", path.display()));
    process::output(command).await.map(drop)
}

/// Red, green and blue of every pixel, line by line, a byte each.
///
/// # Errors
/// Where there is no screen.
pub async fn pixels(stage: &Stage) -> anyhow::Result<Vec<u8>> {
    let mut command = stage.command(&process::find("import", "imagemagick")?);
    command.args(["-silent", "-window", "root", "-depth", "8", "rgb:-"]);
    Ok(process::output(command).await?.stdout)
}

/// Waits until something is drawn on the screen: letters have more colours than a screen and an empty window have.
///
/// # Errors
/// Where there is no screen.
pub async fn drawn(stage: &Stage) -> anyhow::Result<()> {
    loop {
        let pixels = pixels(stage).await?;
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
