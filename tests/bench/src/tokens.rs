//! How quickly an answer streams through the bus, when the model is quicker than any real one.

use crate::first_token::{ask_directly, ask_the_bus, client, configured, model_server};
use crate::options::Options;
use crate::report::{Row, Section, Unit};
use crate::samples::Samples;
use butterfly_kit::harness::{Instance, Which};

/// Answers to each side.
const ANSWERS: usize = 30;

/// Answers before it counts.
const WARM_UP: usize = 3;

/// Tokens of an answer: a long one.
const TOKENS: usize = 5_000;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let answers = options.times(ANSWERS);
    let (_server, url) = model_server(&["--tokens", &TOKENS.to_string()])?;
    let (_kernel, bus) = Instance::start(Which::Production, &[], &configured(&url)).await?;
    let client = client()?;
    let (mut direct, mut through_the_bus) = (Samples::default(), Samples::default());
    for turn in 0..WARM_UP + answers {
        let (alone, bused) = (ask_directly(&client, &url).await?, ask_the_bus(&bus).await?);
        if turn >= WARM_UP {
            direct.push(TOKENS as f64 / alone.whole * 1e3);
            through_the_bus.push(TOKENS as f64 / bused.whole * 1e3);
        }
    }
    Ok(Section {
        title: "Tokens",
        method: format!(
            "{answers} answers of {TOKENS} tokens, a line of Ollama's protocol each, from a server that sends them as fast \
             as it can; the rest as for the time to the first token. No model is this quick: what counts is that the bus \
             never slows one down."
        ),
        rows: vec![Row::new(
            "whole answer, median",
            Unit::PerSecond,
            through_the_bus.median(),
            direct.median(),
            "direct HTTP",
        )],
    })
}
