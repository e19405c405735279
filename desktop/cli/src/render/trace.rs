//! Messages as they are routed, a line each, and a turn as an indented tree.

use crate::paint::{Paint, Role};
use crate::render::tree::{Call, Names, Outcome, Turn};
use crate::render::units;
use butterfly_wire::control::Traced;
use butterfly_wire::{Flags, Header, Kind, catalog};
use serde::Serialize;

/// One routed message, for programs.
#[derive(Serialize)]
pub struct MessageView {
    /// Microseconds since the kernel started.
    at_us: u64,
    kind: &'static str,
    from: String,
    to: String,
    method: String,
    correlation: u64,
    parent: u64,
    trace: u64,
    payload_bytes: u32,
    error: bool,
    background: bool,
    credit: u32,
    provenance: Vec<&'static str>,
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Item => "item",
        Kind::End => "end",
        Kind::Credit => "credit",
        Kind::Cancel => "cancel",
        Kind::Event => "event",
    }
}

/// The record as an object; `None` for one whose header is of a later version.
#[must_use]
pub fn view(record: &Traced, names: &Names<'_>) -> Option<MessageView> {
    let header = Header::from_bytes(&record.header).ok()?;
    Some(MessageView {
        at_us: record.at_us,
        kind: kind_name(header.kind()?),
        from: names.of(header.source),
        to: names.of(header.destination),
        method: catalog::name(header.service, header.method),
        correlation: header.correlation,
        parent: header.parent,
        trace: header.trace,
        payload_bytes: record.payload_bytes,
        error: header.is_error(),
        background: header.flags.contains(Flags::BACKGROUND),
        credit: header.credit,
        provenance: header.provenance.names().collect(),
    })
}

/// The record as a line.
#[must_use]
pub fn line(message: &MessageView, paint: Paint) -> String {
    let time = format!("{:>6}.{:06}", message.at_us / 1_000_000, message.at_us % 1_000_000);
    let ends = format!("{} → {}", message.from, message.to);
    let kind = if message.error { format!("{}!", message.kind) } else { message.kind.to_owned() };
    let role = match (message.error, message.kind) {
        (true, _) => Some(Role::Danger),
        (false, "request") => Some(Role::Strong),
        (false, "credit" | "item") => Some(Role::Muted),
        (false, _) => None,
    };
    let kind = format!("{kind:<9}");
    let kind = role.map_or(kind.clone(), |role| paint.apply(role, &kind).into_owned());
    let mut line = format!(
        "{}  {ends:<20}  {kind}  {:<18}  #{:<8}  {:>9}",
        paint.apply(Role::Muted, &time),
        message.method,
        short(message.correlation),
        units::bytes(u64::from(message.payload_bytes)),
    );
    let mut notes = message.provenance.clone();
    if message.background {
        notes.push("background");
    }
    if !notes.is_empty() {
        line.push_str("  ");
        line.push_str(&paint.apply(Role::Muted, &notes.join(" ")));
    }
    if message.trace != 0 {
        line.push_str(&paint.apply(Role::Muted, &format!("  trace {}", message.trace)));
    }
    line
}

/// The kernel's number of a call as slot and generation, which stay short.
fn short(correlation: u64) -> String {
    format!("{}.{}", correlation & 0xffff_ffff, correlation >> 32)
}

/// The turn as a tree.
#[must_use]
pub fn tree(turn: &Turn, paint: Paint) -> String {
    let mut lines = vec![format!(
        "{}  {}, {}",
        paint.apply(Role::Strong, &format!("trace {}", turn.trace)),
        units::microseconds(turn.duration_us),
        units::count(turn.messages, "message"),
    )];
    for call in &turn.calls {
        branch(call, 1, paint, &mut lines);
    }
    lines.join("\n")
}

fn branch(call: &Call, depth: usize, paint: Paint, lines: &mut Vec<String>) {
    let offset = format!("+{:<10}", units::microseconds(call.start_us));
    let duration = match call.outcome {
        Outcome::Open => "still open".to_owned(),
        Outcome::Done => units::microseconds(call.duration_us),
        Outcome::Failed => {
            format!("{} {}", paint.apply(Role::Danger, "failed after"), units::microseconds(call.duration_us))
        }
        Outcome::Cancelled => {
            format!("{} {}", paint.apply(Role::Warning, "cancelled after"), units::microseconds(call.duration_us))
        }
    };
    let mut facts = vec![duration];
    if let Some(first) = call.first_item_us {
        facts.push(format!(
            "{} (first after {})",
            units::count(u64::from(call.items), "item"),
            units::microseconds(first)
        ));
    }
    facts.push(units::bytes(call.bytes));
    if call.beheaded {
        facts.push("its beginning is forgotten".to_owned());
    }
    if !call.provenance.is_empty() {
        facts.push(call.provenance.join(" "));
    }
    lines.push(format!(
        "{}{} {}  {} → {}  {}",
        "  ".repeat(depth),
        paint.apply(Role::Muted, &offset),
        paint.apply(Role::Strong, &call.method),
        call.from,
        call.to,
        facts.join(", "),
    ));
    for inner in &call.calls {
        branch(inner, depth + 1, paint, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tree::{build, tests::sample};

    #[test]
    fn a_turn_is_an_indented_tree_with_times() {
        let turn = build(&sample(), 6).unwrap();
        insta::assert_snapshot!(tree(&turn, Paint::new(false)), @r"
        trace 6  8.15 ms, 9 messages
          +0 µs       session.send  #9.1 → brains  8.10 ms, 2 items (first after 100 µs), 400 B, user
            +250 µs     model.chat  brains → model  failed after 7.75 ms, 2 items (first after 1.75 ms), 360 B, user
        ");
    }

    #[test]
    fn a_message_is_a_line_and_an_object() {
        let records = sample();
        let names = Names::new(&records.names);
        let shown: Vec<_> = records.records[4..9].iter().filter_map(|record| view(record, &names)).collect();
        let lines: Vec<_> = shown.iter().map(|message| line(message, Paint::new(false))).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        0.001250  brains → model        request    model.chat          #7.0           100 B  user  trace 6
        0.003000  model → brains        item       model.chat          #7.0           100 B  user  trace 6
        0.003100  brains → #9.1         item       session.send        #1.1           100 B  user  trace 6
        0.003200  model → brains        item       model.chat          #7.0           100 B  user  trace 6
        0.009000  model → brains        end!       model.chat          #7.0            60 B  user  trace 6
        ");
        insta::assert_snapshot!(serde_json::to_string(&shown[4]).unwrap(), @r#"{"at_us":9000,"kind":"end","from":"model","to":"brains","method":"model.chat","correlation":7,"parent":0,"trace":6,"payload_bytes":60,"error":true,"background":false,"credit":0,"provenance":["user"]}"#);
    }
}
