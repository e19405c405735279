//! The screen's pixels, read from the file in which Xvfb keeps them (`-fbdir`): looking asks nothing of the X server or of
//! the window, so that whoever looks a thousand times a second does not slow down what is looked at.
//!
//! The file is an X Window Dump (`XWDFile.h`, version 7): a header of 32-bit numbers, the colour map, and the lines.

use anyhow::{Context, ensure};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Of these lines one is looked at. Letters are higher.
const STEP: usize = 4;

/// Bytes of a pixel.
const PIXEL: usize = 4;

/// Bytes of a colour in the colour map.
const COLOUR: usize = 12;

/// The open file.
#[derive(Debug)]
pub struct Framebuffer {
    file: File,
    /// Where the first line begins, in bytes.
    first: usize,
    /// Bytes of a line.
    line: usize,
    lines: usize,
}

/// Every fourth line of the screen at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: Vec<u8>,
    /// Bytes of a line.
    line: usize,
}

impl Framebuffer {
    /// Opens the file of the first screen.
    ///
    /// # Errors
    /// Where there is none, or it is of another kind.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = File::open(folder.join("Xvfb_screen0")).context("Xvfb keeps no file of its screen")?;
        let number = |at: u64| -> anyhow::Result<usize> {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, at * 4)?;
            Ok(u32::from_be_bytes(bytes) as usize)
        };
        let (header, version, lines) = (number(0)?, number(1)?, number(5)?);
        let (bits, line, colours) = (number(11)?, number(12)?, number(19)?);
        ensure!(version == 7 && bits == 8 * PIXEL, "the screen's file has version {version} and {bits} bits a pixel");
        Ok(Self { first: header + colours * COLOUR, line, lines, file })
    }

    /// What is on the screen now.
    ///
    /// # Errors
    /// Where the X server is gone.
    pub fn look(&self) -> anyhow::Result<Picture> {
        let mut bytes = vec![0; self.line * self.lines.div_ceil(STEP)];
        for (line, into) in (0..self.lines).step_by(STEP).zip(bytes.chunks_exact_mut(self.line)) {
            self.file.read_exact_at(into, (self.first + line * self.line) as u64)?;
        }
        Ok(Picture { bytes, line: self.line })
    }
}

impl Picture {
    /// Share of the pixels that are others in the other one, from 0 to 1.
    #[must_use]
    pub fn differs(&self, other: &Self) -> f64 {
        let lines = self.bytes.chunks_exact(self.line).zip(other.bytes.chunks_exact(self.line));
        // Most lines are the same, which is known at once.
        let others = lines.filter(|(mine, theirs)| mine != theirs).map(|(mine, theirs)| {
            mine.chunks_exact(PIXEL).zip(theirs.chunks_exact(PIXEL)).filter(|(mine, theirs)| mine != theirs).count()
        });
        others.sum::<usize>() as f64 / (self.bytes.len() / PIXEL).max(1) as f64
    }
}
