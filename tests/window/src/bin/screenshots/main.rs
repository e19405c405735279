//! `butterfly-screenshots [FOLDER]`: a picture of every view in both themes, as PNG, into a folder (`docs/images` if none
//! is named). The app, the kernel and the workers are the real ones; the model server says what stands in `words.rs`.

mod camera;
mod tour;
mod words;
mod world;

use butterfly_window::run;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/images"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    run(tour::everything(&folder))?;
    run(tour::first_run(&folder))
}
