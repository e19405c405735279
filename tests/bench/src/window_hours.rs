//! The window after as many tokens as a quick model says in two hours.

use crate::desk::{Desk, memory};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use std::time::Duration;

/// Tokens of one answer.
const TOKENS: usize = 5_000;

/// Answers: 200 tokens in a second make so many in two hours.
const ANSWERS: usize = 288;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let answers = options.times(ANSWERS);
    let desk = Desk::up().await?;
    desk.says(TOKENS, Duration::ZERO);
    let app = desk.app().await?;
    app.click_id("composer").await?;
    app.focused("composer").await?;
    let mut sizes = Vec::new();
    for answer in 1..=answers {
        // What is sent while the window still shows the end of an answer waits its turn.
        app.write("go on").await?;
        app.press("Enter").await?;
        desk.has_said(answer, Duration::ZERO).await?;
        sizes.push(memory(app.pid())?);
    }
    let quarter = sizes.len().div_ceil(4);
    let middle = |part: &[f64]| {
        let mut samples = Samples::default();
        samples.extend(part.iter().copied());
        samples.median()
    };
    let (early, late) = (middle(&sizes[quarter..2 * quarter]), middle(&sizes[sizes.len() - quarter..]));
    Ok(Section {
        title: "The window after hours",
        method: format!(
            "{answers} answers of {TOKENS} tokens in one conversation and one window, as fast as they come: what a model of \
             200 tokens a second says in two hours, when all of them are asked for. Memory is that of the app and of its \
             webview's processes (proportional set size) after each answer."
        ),
        rows: vec![
            Row::new("memory in the last quarter, median", Unit::Mebibytes, late, early, "in the second quarter")
                .target(Target::RatioAtMost(1.1)),
        ],
    })
}
