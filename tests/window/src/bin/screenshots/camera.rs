//! Takes each picture twice, in the light theme and in the dark one, when the window stands still.

use anyhow::Context;
use butterfly_api::config::{Set, SetRequest};
use butterfly_client::Bus;
use butterfly_window::stage::SIZE;
use butterfly_window::{PATIENCE, Stage, hands, screen};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The themes, and whether each is light.
const THEMES: [(&str, bool); 2] = [("light", true), ("dark", false)];

/// Between light and dark, from 0 to 255; what lies below a dialog in the light theme is lighter.
const HALF: u32 = 100;

/// A view is drawn in less, also on a busy machine.
const DRAWN: Duration = Duration::from_secs(3);

/// Looks after which what still moves is taken as it is.
const LOOKS: usize = 8;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(60);

pub struct Camera<'a> {
    pub stage: &'a Stage,
    pub bus: Bus,
    pub folder: &'a Path,
}

impl Camera<'_> {
    /// Changes a setting.
    pub async fn set(&self, key: &str, value: &str) -> anyhow::Result<()> {
        let request = SetRequest { key: key.to_owned(), value: value.to_owned(), profile: None };
        self.bus.call::<Set>(&request).await?;
        Ok(())
    }

    /// `NAME-light.png` and `NAME-dark.png`.
    pub async fn take(&self, name: &str) -> anyhow::Result<()> {
        // Nothing is pointed at.
        hands::point(self.stage, (i32::try_from(SIZE.0)? - 1, i32::try_from(SIZE.1)? - 1)).await?;
        for (theme, is_light) in THEMES {
            self.set("desktop.theme", theme).await?;
            tokio::time::timeout(PATIENCE, self.still(is_light)).await.with_context(|| {
                format!("the window never stands still for the picture {name} in the theme {theme}")
            })??;
            let path: PathBuf = self.folder.join(format!("{name}-{theme}.png"));
            screen::small_shot(self.stage, &path).await?;
        }
        Ok(())
    }

    /// Takes what cannot be waited for, because nothing of it may be read: it is given the time to be drawn.
    pub async fn blind(&self, name: &str) -> anyhow::Result<()> {
        self.pause().await;
        self.take(name).await
    }

    /// The time in which a view is drawn.
    pub async fn pause(&self) {
        tokio::time::sleep(DRAWN).await;
    }

    /// Waits until the theme is drawn, and nothing moves any more or it has moved for long: what runs, turns.
    async fn still(&self, is_light: bool) -> anyhow::Result<()> {
        let corner = (i32::try_from(SIZE.0)? - 2, i32::try_from(SIZE.1)? - 2);
        let mut before = Vec::new();
        let mut looks = 0;
        loop {
            let now = screen::pixels(self.stage).await?;
            if (screen::lightness(self.stage, corner).await? > HALF) == is_light {
                looks += 1;
                if now == before || looks > LOOKS {
                    return Ok(());
                }
            }
            before = now;
            tokio::time::sleep(LOOK).await;
        }
    }
}
