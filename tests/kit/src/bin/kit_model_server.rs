//! The kit's model server as a program, for tests over real processes and for trying things out by hand.
//!
//! The first line on standard output is its port; it runs until it is killed or its standard input ends with `--until-eof`.

use anyhow::{Context, bail};
use butterfly_kit::model_server::{Endpoint, Installed, Load, ModelServer, Play, Scenario};
use std::io::Write;
use std::time::Duration;
use tokio::io::AsyncReadExt;

const USAGE: &str = "usage: kit_model_server [--port N] [--protocol ollama|openai|both] [--scenario NAME]
    [--tokens N | --say TEXT] [--token-delay-ms N] [--load-ms N] [--model NAME]... [--embedding NAME]... [--until-eof]";

struct Options {
    port: u16,
    protocol: String,
    scenario: String,
    play: Option<Play>,
    delay: Duration,
    load: Duration,
    models: Vec<Installed>,
    until_eof: bool,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options {
        port: 0,
        protocol: "both".to_owned(),
        scenario: "normal".to_owned(),
        play: None,
        delay: Duration::ZERO,
        load: Duration::ZERO,
        models: Vec::new(),
        until_eof: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--until-eof" {
            options.until_eof = true;
            continue;
        }
        let value = arguments.next().with_context(|| format!("{name} needs a value\n{USAGE}"))?;
        let number = || value.parse::<u64>().with_context(|| format!("{name} needs a number, not {value}"));
        match name.as_str() {
            "--port" => options.port = value.parse().with_context(|| format!("{value} is no port"))?,
            "--protocol" if ["ollama", "openai", "both"].contains(&value.as_str()) => options.protocol = value,
            "--scenario" => options.scenario = value,
            "--tokens" => options.play = Some(Play::tokens(usize::try_from(number()?)?)),
            "--say" => options.play = Some(Play::say(&value)),
            "--token-delay-ms" => options.delay = Duration::from_millis(number()?),
            "--load-ms" => options.load = Duration::from_millis(number()?),
            "--model" => options.models.push(Installed::chat(&value)),
            "--embedding" => options.models.push(Installed::embedding(&value)),
            _ => bail!("{name} {value} is not understood\n{USAGE}"),
        }
    }
    if options.models.is_empty() {
        options.models.push(Installed::chat("kit:latest"));
    }
    Ok(options)
}

fn script(server: &ModelServer, options: Options) -> anyhow::Result<()> {
    for model in options.models {
        server.install(model);
    }
    let slow = !options.delay.is_zero() || !options.load.is_zero();
    if options.play.is_some() || slow || options.scenario != "normal" {
        let load = if options.load.is_zero() { Load::Loaded } else { Load::Takes(options.load) };
        let play = options.play.unwrap_or_else(|| Play::tokens(20)).delay(options.delay).loading(load);
        let Some(scenario) = Scenario::named(&options.scenario, play) else {
            let names = Scenario::NAMES.map(|(name, what)| format!("  {name:<12} {what}")).join("\n");
            bail!("there is no scenario {}; there are\n{names}", options.scenario);
        };
        server.always(Endpoint::Chat, scenario);
    }
    match options.protocol.as_str() {
        "openai" => server.only_v1(),
        "ollama" => server.only_api(),
        _ => {}
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = options()?;
    let until_eof = options.until_eof;
    let server = ModelServer::start_on(options.port).await?;
    script(&server, options)?;
    println!("{}", server.port());
    std::io::stdout().flush()?;
    if until_eof {
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await?;
        return Ok(());
    }
    std::future::pending().await
}
