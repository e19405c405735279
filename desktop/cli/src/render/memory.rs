//! Memories: what was found and why, what is held to be true, what a turn was given.

use crate::paint::{Paint, Role};
use crate::render::table::{Align, Cell, Table, cut};
use crate::render::units;
use crate::text;
use butterfly_api::memory::{
    Details, Explanation, Fact, Forgotten, Found, GraphView, Node, NodeKind, Passage, PassageKind, Reason, ReasonKind,
    Results, Shown,
};
use butterfly_api::storage::Stats;
use serde::Serialize;

/// Columns of what was said, where it only names a turn and no terminal says how wide it is.
const TURN_COLUMNS: usize = 200;

/// What `memory search --json` prints.
#[derive(Debug, Serialize)]
pub struct ResultsView<'a> {
    results: Vec<ResultView<'a>>,
    degraded: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ResultView<'a> {
    id: u64,
    external_id: Option<&'a str>,
    conversation: Option<&'a str>,
    speaker: &'a str,
    text: &'a str,
    at: String,
    score: f32,
    reasons: &'a [Reason],
}

impl<'a> From<&'a Results> for ResultsView<'a> {
    fn from(results: &'a Results) -> Self {
        let view = |found: &'a Found| ResultView {
            id: found.passage.id,
            external_id: found.passage.external_id.as_deref(),
            conversation: found.passage.conversation.as_deref(),
            speaker: &found.passage.speaker,
            text: &found.passage.text,
            at: units::moment(found.passage.at_unix_ms),
            score: found.score,
            reasons: &found.reasons,
        };
        Self { results: results.results.iter().map(view).collect(), degraded: results.degraded.as_deref() }
    }
}

/// What was found, best first, each with its reasons.
#[must_use]
pub fn results(results: &[Found], paint: Paint, columns: Option<usize>) -> String {
    results.iter().map(|found| result(found, paint, columns)).collect::<Vec<_>>().join("\n\n")
}

fn result(found: &Found, paint: Paint, columns: Option<usize>) -> String {
    let reasons = found.reasons.iter().map(reason).collect::<Vec<_>>().join("; ");
    let reasons = fitted(&reasons, columns);
    let score = format!("{:.3}", found.score);
    format!(
        "{}  {}\n{}",
        paint.apply(Role::Strong, &score),
        passage(&found.passage, paint, columns),
        paint.apply(Role::Muted, &reasons)
    )
}

fn reason(reason: &Reason) -> String {
    let kind = match reason.kind {
        ReasonKind::Word => "word",
        ReasonKind::Meaning => "meaning",
        ReasonKind::Link => "link",
        ReasonKind::Recency => "recency",
        ReasonKind::Tag => "tag",
        ReasonKind::Neighbour => "neighbour",
        ReasonKind::Superseded => "superseded",
    };
    if reason.detail.is_empty() {
        return format!("{kind} {:+.3}", reason.score);
    }
    format!("{kind} {:+.3} ({})", reason.score, text::escaped(&reason.detail))
}

/// Who said it, when and where, and below it what was said.
fn passage(passage: &Passage, paint: Paint, columns: Option<usize>) -> String {
    let mut facts = vec![units::minute(passage.at_unix_ms), format!("#{}", passage.id), kind(passage.kind).to_owned()];
    facts.extend(passage.conversation.as_deref().map(|name| format!("in {}", text::escaped(name))));
    facts.extend(passage.tags.iter().map(|tag| format!("[{}]", text::escaped(tag))));
    format!(
        "{}  {}\n{}",
        paint.apply(Role::Accent, &text::escaped(&passage.speaker)),
        paint.apply(Role::Muted, &facts.join("  ")),
        fitted(&text::escaped(&passage.text), columns)
    )
}

const fn kind(kind: PassageKind) -> &'static str {
    match kind {
        PassageKind::Message => "message",
        PassageKind::Memory => "memory",
        PassageKind::Summary => "summary",
    }
}

/// Indented, and on one line where the terminal has an end.
fn fitted(line: &str, columns: Option<usize>) -> String {
    match columns {
        Some(columns) => format!("  {}", cut(line, columns.saturating_sub(2))),
        None => format!("  {line}"),
    }
}

/// Passages, newest first.
#[must_use]
pub fn passages(passages: &[Passage], paint: Paint, columns: Option<usize>) -> String {
    passages.iter().map(|it| passage(it, paint, columns)).collect::<Vec<_>>().join("\n\n")
}

/// All about one passage.
#[must_use]
pub fn details(details: &Details, paint: Paint) -> String {
    let passage = &details.passage;
    let mut lines = vec![self::passage(passage, paint, None)];
    let mut fact = |label: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("  {:<14}{value}", format!("{label}:"))));
    };
    fact("imported as", passage.external_id.as_deref().map(text::escaped));
    fact("taken from", passage.source.map(|id| format!("#{id}")));
    fact("vector by", Some(details.embedded_by.as_deref().map_or_else(|| "none yet".to_owned(), text::escaped)));
    if !details.facts.is_empty() {
        lines.push("  facts taken from it:".to_owned());
        lines.extend(details.facts.iter().map(|fact| format!("    {}", sentence(fact))));
    }
    if !details.derived.is_empty() {
        lines.push("  made from it:".to_owned());
        lines.extend(
            details.derived.iter().map(|it| format!("    #{} {}: {}", it.id, kind(it.kind), text::escaped(&it.text))),
        );
    }
    lines.join("\n")
}

/// A fact as a sentence with its time.
#[must_use]
pub fn sentence(fact: &Fact) -> String {
    let until = fact.valid_to_unix_ms.map(|until| format!(" until {}", day(until))).unwrap_or_default();
    format!(
        "{} {} {} (fact {}, from {}{until})",
        text::escaped(&fact.subject),
        text::escaped(&fact.relation),
        text::escaped(&fact.object),
        fact.id,
        day(fact.valid_from_unix_ms)
    )
}

fn day(unix_ms: u64) -> String {
    units::moment(unix_ms).chars().take(10).collect()
}

/// A value, or a dash where there is none.
fn known(value: Option<String>) -> Cell {
    value.map_or_else(|| Cell::of(Role::Muted, "–"), Cell::new)
}

/// A table of facts.
#[must_use]
pub fn facts(facts: &[Fact], paint: Paint, columns: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("ID", Align::Right),
        ("ABOUT", Align::Flexible),
        ("RELATION", Align::Left),
        ("WHAT", Align::Flexible),
        ("FROM", Align::Left),
        ("UNTIL", Align::Left),
        ("SOURCE", Align::Right),
    ]);
    for fact in facts {
        let ended = fact.valid_to_unix_ms.is_some();
        let object = text::escaped(&fact.object);
        table.row(vec![
            fact.id.to_string().into(),
            text::escaped(&fact.subject).into(),
            text::escaped(&fact.relation).into(),
            if ended { Cell::of(Role::Muted, object) } else { Cell::of(Role::Strong, object) },
            day(fact.valid_from_unix_ms).into(),
            known(fact.valid_to_unix_ms.map(day)),
            known(fact.source.map(|id| format!("#{id}"))),
        ]);
    }
    table.render(paint, columns)
}

/// Nodes with the edges that leave them.
#[must_use]
pub fn graph(view: &GraphView, paint: Paint) -> String {
    let mut lines = Vec::new();
    for (index, node) in view.nodes.iter().enumerate() {
        let name = text::escaped(&node.label);
        let facts = format!("{}, {}", node_kind(node.kind), span(node));
        lines.push(format!("{}  {}", paint.apply(Role::Strong, &name), paint.apply(Role::Muted, &facts)));
        for edge in view.edges.iter().filter(|edge| edge.from as usize == index) {
            if let Some(target) = view.nodes.get(edge.to as usize) {
                lines.push(format!("  {} → {}", text::escaped(&edge.relation), text::escaped(&target.label)));
            }
        }
    }
    if view.cut {
        lines.push(paint.apply(Role::Muted, "… more is left out; --limit shows more").into_owned());
    }
    lines.join("\n")
}

const fn node_kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Entity => "entity",
        NodeKind::Event => "event",
        NodeKind::Fact => "fact",
    }
}

fn span(node: &Node) -> String {
    match node.until_unix_ms {
        Some(until) => format!("{} to {}", day(node.at_unix_ms), day(until)),
        None => day(node.at_unix_ms),
    }
}

/// What goes, or went, when something is forgotten.
#[must_use]
pub fn forgotten(forgotten: &Forgotten, paint: Paint, columns: Option<usize>) -> String {
    let mut lines = Vec::new();
    for it in &forgotten.passages {
        lines.push(passage(it, paint, columns));
    }
    lines.extend(forgotten.facts.iter().map(|fact| format!("fact: {}", sentence(fact))));
    if !forgotten.entities.is_empty() {
        let names: Vec<_> = forgotten.entities.iter().map(|name| text::escaped(name)).collect();
        lines.push(format!("people and things that nothing else speaks of: {}", names.join(", ")));
    }
    let counts = [
        (forgotten.edges, "link"),
        (forgotten.vectors, "vector"),
        (forgotten.explanations, "explanation of what a turn was given"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| match noun.split_once(' ') {
        Some((noun, rest)) => format!("{} {rest}", units::count(u64::from(*count), noun)),
        None => units::count(u64::from(*count), noun),
    });
    lines.extend(counts);
    lines.extend(forgotten.backups.iter().map(|name| format!("the copy {} in the data folder", text::escaped(name))));
    lines.join("\n")
}

/// What the model was given for a turn.
#[must_use]
pub fn explanation(explanation: &Explanation, paint: Paint, columns: Option<usize>) -> String {
    let mut lines = vec![format!(
        "{}  {}",
        paint.apply(Role::Strong, &cut(&text::escaped(&explanation.text), columns.unwrap_or(TURN_COLUMNS))),
        paint.apply(Role::Muted, &format!("turn #{} of conversation {}", explanation.turn, explanation.conversation))
    )];
    if !explanation.model.is_empty() {
        lines.push(format!("  model: {}", text::escaped(&explanation.model)));
    }
    match &explanation.shown {
        None => lines.push("  what it was given was not kept, or quoted something that has been forgotten".to_owned()),
        Some(shown) => lines.extend(given(shown, paint, columns)),
    }
    lines.join("\n")
}

fn given(shown: &Shown, paint: Paint, columns: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut turns = units::count(u64::from(shown.turns), "earlier turn");
    if shown.turns_left_out > 0 {
        turns = format!("{turns}, {} left out", shown.turns_left_out);
    }
    lines.push(format!("  in the prompt: {turns}"));
    if shown.context_tokens > 0 {
        lines.push(format!("  about {} of {} tokens", shown.prompt_tokens, shown.context_tokens));
    }
    if let Some(summary) = &shown.summary {
        let span = format!("#{} to #{}", summary.first_turn, summary.last_turn);
        lines.push(format!("  a summary of turns {span}, by {}:", text::escaped(&summary.model)));
        lines.push(format!("    {}", text::escaped(&summary.text)));
    }
    if !shown.memory_enabled {
        lines.push("  nothing was recalled: memory.enabled is off".to_owned());
    } else if shown.recalled.is_empty() {
        lines.push("  nothing was recalled".to_owned());
    } else {
        lines.push(format!("  recalled ({}):", shown.recalled.len()));
        for found in &shown.recalled {
            lines.extend(
                result(found, paint, columns.map(|columns| columns.saturating_sub(4)))
                    .lines()
                    .map(|line| format!("    {line}")),
            );
        }
    }
    lines.extend(
        shown
            .degraded
            .as_deref()
            .map(|why| format!("  {} {}", paint.apply(Role::Warning, "without:"), text::escaped(why))),
    );
    lines
}

/// How much is kept, and how. `now_unix_ms` is the present.
#[must_use]
pub fn stats(stats: &Stats, now_unix_ms: u64, paint: Paint) -> String {
    let vectors = if stats.embedding_model.is_empty() {
        "none".to_owned()
    } else {
        let index =
            if stats.vector_index.is_empty() { String::new() } else { format!(", searched {}", stats.vector_index) };
        format!(
            "{} of {} dimensions by {}{index}",
            stats.vectors,
            stats.dimensions,
            text::escaped(&stats.embedding_model)
        )
    };
    let retained = match &stats.last_retention {
        None => "never".to_owned(),
        Some(retained) => format!(
            "{}: {}, {}, {}",
            units::ago(retained.at_unix_ms, now_unix_ms),
            units::count(retained.conversations, "conversation"),
            units::count(retained.passages, "passage"),
            units::count(retained.facts, "fact")
        ),
    };
    let vacuumed = stats.last_vacuum_unix_ms.map_or_else(|| "never".to_owned(), |at| units::ago(at, now_unix_ms));
    let backups = if stats.backups.is_empty() { "none".to_owned() } else { text::escaped(&stats.backups.join(", ")) };
    let facts = [
        ("folder", text::escaped(&stats.folder)),
        ("conversations", stats.conversations.to_string()),
        ("messages", stats.messages.to_string()),
        ("memories", stats.memories.to_string()),
        ("summaries", stats.summaries.to_string()),
        ("facts", format!("{} about {} people and things, {} links", stats.facts, stats.entities, stats.edges)),
        ("vectors", vectors),
        ("waiting", units::count(stats.waiting_for_vectors, "passage")),
        ("database", units::bytes(stats.database_bytes)),
        ("vector store", units::bytes(stats.vector_bytes)),
        ("retention", retained),
        ("vacuum", vacuumed),
        ("copies", backups),
    ];
    let mut lines: Vec<_> = facts.iter().map(|(label, value)| format!("{:<15}{value}", format!("{label}:"))).collect();
    lines.extend(
        stats
            .degraded
            .as_deref()
            .map(|why| format!("{} {}", paint.apply(Role::Warning, "without:"), text::escaped(why))),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests;
