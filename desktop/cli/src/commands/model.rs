//! `model`: what is installed, loaded and used, and fetching what is not.

use super::lifecycle::{probe, show_probe};
use crate::args::ModelCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch;
use crate::paint::Role;
use crate::render::table::{Align, Cell, Table};
use crate::render::units;
use crate::text;
use butterfly_api::model::{
    Cause, List, ListRunning, ModelDetails, ModelError, ModelInfo, Models, PullRequest, Running, Show, ShowRequest,
};
use butterfly_api::session::{SetModel, UseModel};
use butterfly_client::Bus;
use butterfly_wire::Failure;
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// What `model use --json` prints.
#[derive(Serialize)]
struct UsedView<'a> {
    model: Option<&'a str>,
}

/// Runs one of the model commands; without one, says what a chat would use.
///
/// # Errors
/// What the model worker answers.
pub async fn run(context: &Context, command: Option<ModelCommand>) -> Result<Exit, Fault> {
    let bus = launch::serving(context).await?;
    let out = &context.out;
    match command {
        None => {
            let probe = probe(&bus).await?;
            if out.json { out.object(&probe)? } else { show_probe(context, &probe)? }
        }
        Some(ModelCommand::List) => {
            let models = bus.call::<List>(&()).await?;
            if out.json { out.object(&models)? } else { list(context, &models)? }
        }
        Some(ModelCommand::Show { model }) => {
            let details = bus.call::<Show>(&ShowRequest { model }).await?;
            if out.json { out.object(&details)? } else { show(context, &details)? }
        }
        Some(ModelCommand::Pull { model }) => return super::pull::run(context, &bus, PullRequest { model }).await,
        Some(ModelCommand::Use { model }) => use_model(context, &bus, model).await?,
        Some(ModelCommand::Ps) => {
            let running = bus.call::<ListRunning>(&()).await?;
            if out.json { out.object(&running)? } else { ps(context, &running)? }
        }
    }
    Ok(Exit::Done)
}

/// Prints the installed models.
///
/// # Errors
/// When the output is gone.
pub fn list(context: &Context, models: &Models) -> Result<(), Fault> {
    let out = &context.out;
    if models.models.is_empty() {
        let provider = text::escaped(&models.provider);
        return out.line(&format!("{provider} has no model; fetch one with `butterfly model pull`"));
    }
    let mut table = Table::new(&[
        ("", Align::Left),
        ("MODEL", Align::Left),
        ("SIZE", Align::Right),
        ("PARAMETERS", Align::Right),
        ("QUANTIZATION", Align::Left),
        ("CONTEXT", Align::Right),
        ("CAPABILITIES", Align::Flexible),
    ]);
    for model in &models.models {
        let chosen = models.chosen.as_ref() == Some(&model.name);
        table.row(vec![
            if chosen { Cell::of(Role::Accent, "*") } else { Cell::new("") },
            Cell::of(Role::Strong, text::escaped(&model.name)),
            known(model.size_bytes, units::bytes),
            text::escaped(&model.parameters).into(),
            text::escaped(&model.quantization).into(),
            known(u64::from(model.context_tokens), |tokens| tokens.to_string()),
            text::escaped(&model.capabilities.join(", ")).into(),
        ]);
    }
    out.line(&table.render(out.paint, out.columns()))?;
    if models.chosen.is_some() {
        out.remark("* answers where no other model is named");
    }
    Ok(())
}

/// A figure, or a dash for 0, which means unknown.
fn known(value: u64, shown: impl FnOnce(u64) -> String) -> Cell {
    if value == 0 { Cell::of(Role::Muted, "–") } else { Cell::new(shown(value)) }
}

fn show(context: &Context, details: &ModelDetails) -> Result<(), Fault> {
    let out = &context.out;
    let ModelInfo { name, size_bytes, parameters, quantization, capabilities, context_tokens, modified_unix_ms } =
        &details.info;
    let size = if *size_bytes == 0 { String::new() } else { units::bytes(*size_bytes) };
    let limit = if *context_tokens == 0 { String::new() } else { format!("{context_tokens} tokens") };
    let modified = if *modified_unix_ms == 0 { String::new() } else { units::moment(*modified_unix_ms) };
    let facts = [
        ("family", details.family.clone()),
        ("size", size),
        ("parameters", parameters.clone()),
        ("quantization", quantization.clone()),
        ("context", limit),
        ("capabilities", capabilities.join(", ")),
        ("changed", modified),
    ];
    out.line(&out.paint.apply(Role::Strong, &text::escaped(name)))?;
    for (label, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        out.line(&format!("  {:<14}{}", format!("{label}:"), text::escaped(value)))?;
    }
    for (label, block) in
        [("defaults", &details.defaults), ("template", &details.template), ("license", &details.license)]
    {
        if !block.trim().is_empty() {
            out.line(&format!("  {label}:"))?;
            for line in block.trim_end().lines() {
                out.line(&format!("    {}", text::escaped(line)))?;
            }
        }
    }
    Ok(())
}

/// Sets the model for conversations, by a name that the server has.
async fn use_model(context: &Context, bus: &Bus, model: Option<String>) -> Result<(), Fault> {
    set_model(bus, model.clone()).await?;
    let out = &context.out;
    if out.json {
        return out.object(&UsedView { model: model.as_deref() });
    }
    match model {
        Some(name) => out.line(&format!("conversations now use {}", text::escaped(&name))),
        None => out.line("conversations now use what the model worker chooses"),
    }
}

/// As `model use`, for the chat too. A name that the server does not know is refused here, not at the next question; a
/// server that is away does not stand in the way.
///
/// # Errors
/// What the workers answer.
pub async fn set_model(bus: &Bus, model: Option<String>) -> Result<(), Fault> {
    if let Some(name) = &model
        && let Err(failure) = bus.call::<Show>(&ShowRequest { model: name.clone() }).await
        && is_missing(&failure)
    {
        return Err(failure.into());
    }
    Ok(bus.call::<SetModel>(&UseModel { model }).await?)
}

/// Whether a failure says that there is no such model.
#[must_use]
pub fn is_missing(failure: &Failure) -> bool {
    ModelError::from_failure(failure).is_some_and(|error| matches!(error.cause, Cause::ModelMissing { .. }))
}

fn ps(context: &Context, running: &Running) -> Result<(), Fault> {
    let out = &context.out;
    if running.models.is_empty() {
        return out.line("no model is loaded; the first question loads one");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    let mut table = Table::new(&[
        ("MODEL", Align::Left),
        ("MEMORY", Align::Right),
        ("ON ACCELERATOR", Align::Right),
        ("CONTEXT", Align::Right),
        ("UNLOADED IN", Align::Right),
    ]);
    for model in &running.models {
        table.row(vec![
            Cell::of(Role::Strong, text::escaped(&model.name)),
            known(model.size_bytes, units::bytes),
            known(model.size_bytes, |size| format!("{} %", model.accelerator_bytes.saturating_mul(100) / size)),
            known(u64::from(model.context_tokens), |tokens| tokens.to_string()),
            known(model.expires_unix_ms, |expires| units::milliseconds(expires.saturating_sub(now))),
        ]);
    }
    out.line(&table.render(out.paint, out.columns()))
}
