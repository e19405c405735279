//! The page's tables of messages, compared with the types in the sources: names, order, types, numbers of variants.

use crate::page::{section, table};
use std::collections::{BTreeMap, BTreeSet};

/// The files whose messages the page describes, and the section that does.
const SOURCES: [(&str, &str); 5] = [
    ("### Service 0, control", include_str!("../../src/control.rs")),
    ("### What a process may touch", include_str!("../../src/confinement.rs")),
    ("### Service 1, session", include_str!("../../../api/src/session.rs")),
    ("### Service 2, model", include_str!("../../../api/src/model.rs")),
    ("### Service 9, health", include_str!("../../../api/src/health.rs")),
];

/// A message's layout: of a structure its fields, of an enumeration its variants, each with the type as the page writes it.
type Layout = Vec<(String, String)>;

/// The layouts that `source` declares, by the message's name. It reads what rustfmt writes, no more.
fn layouts(source: &str) -> BTreeMap<String, Layout> {
    let mut found: BTreeMap<String, Layout> = BTreeMap::new();
    let mut decodable = false;
    let mut open: Option<(String, bool)> = None;
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            decodable = line.contains("Decode");
        } else if line.starts_with("pub struct ") || line.starts_with("pub enum ") {
            let name: String = line.split(' ').nth(2).unwrap().chars().take_while(|c| c.is_alphanumeric()).collect();
            open = (decodable && line.ends_with('{')).then(|| (name.clone(), line.starts_with("pub enum ")));
            if open.is_some() {
                found.insert(name, Vec::new());
            }
            decodable = false;
        } else if line == "}" {
            open = None;
        }
        let Some((name, is_enum)) = &open else { continue };
        let Some(inner) = line.strip_prefix("    ").filter(|inner| !inner.trim_start().starts_with(['/', '#', '}']))
        else {
            continue;
        };
        let layout = found.entry(name.clone()).or_default();
        if !is_enum {
            let (field, of) = inner.trim_start_matches("pub ").trim_end_matches(',').split_once(": ").unwrap();
            layout.push((field.to_owned(), type_name(of)));
        } else if let Some(field) = inner.strip_prefix("    ") {
            // A variant that takes several lines.
            let (field, of) = field.trim_end_matches(',').split_once(": ").unwrap();
            let fields = &mut layout.last_mut().unwrap().1;
            let separator = if fields.is_empty() { "" } else { ", " };
            *fields += &format!("{separator}`{field}`: {}", type_name(of));
        } else {
            let variant: String = inner.chars().take_while(|c| c.is_alphanumeric()).collect();
            let rest = inner[variant.len()..].trim_end_matches(',').trim();
            let fields = if let Some(of) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                type_name(of)
            } else if let Some(fields) = rest.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")) {
                let fields = fields.split(", ").map(|field| field.split_once(": ").unwrap());
                fields.map(|(field, of)| format!("`{field}`: {}", type_name(of))).collect::<Vec<_>>().join(", ")
            } else {
                assert!(rest.is_empty() || rest == "{", "{inner}");
                String::new()
            };
            layout.push((variant, fields));
        }
    }
    found
}

/// A Rust type as the page writes it.
pub fn type_name(of: &str) -> String {
    let inside = |outer: &str| of.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(element) = inside("Vec<") {
        return format!("list of {}", type_name(element));
    }
    if let Some(value) = inside("Option<") {
        return format!("optional {}", type_name(value));
    }
    if let Some((a, b)) = of.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')?.split_once(", ")) {
        return format!("pair of {} and {}", type_name(a), type_name(b));
    }
    match of {
        "String" => "string".to_owned(),
        "[u8; HEADER_BYTES]" => format!("{} bytes", butterfly_wire::header::HEADER_BYTES),
        "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "f32" | "f64" | "bool" => of.to_owned(),
        message => format!("`{message}`"),
    }
}

#[test]
fn every_message_is_described_field_by_field() {
    for (heading, source) in SOURCES {
        let text = section(heading);
        let declared = layouts(source);
        let described: BTreeSet<_> =
            text.lines().filter_map(|line| line.strip_prefix("#### `")?.strip_suffix('`')).map(str::to_owned).collect();
        assert_eq!(described, declared.keys().cloned().collect(), "{heading}");
        for (name, layout) in declared {
            let text = section(&format!("#### `{name}`"));
            let is_enum = text.contains("| number | variant |");
            let columns: &[&str] = if is_enum { &["variant", "fields"] } else { &["field", "type"] };
            let rows = table(text, columns);
            let rows: Layout = rows.iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone())).collect();
            assert_eq!(rows, layout, "{name}");
            if is_enum {
                let numbers: Vec<_> = table(text, &["number"]).concat();
                assert_eq!(numbers, (0..layout.len()).map(|number| number.to_string()).collect::<Vec<_>>(), "{name}");
            }
            let empty = table(text, &["meaning"]).concat().iter().any(String::is_empty);
            assert!(!empty, "a row of {name} does not say what it means");
        }
    }
}

#[test]
fn arguments_items_and_replies_are_those_of_the_services() {
    let rows = table(section("## Services and methods"), &["service", "name", "argument", "item", "reply"]);
    let seen: BTreeMap<_, _> =
        rows.iter().map(|row| ((row[0].as_str(), row[1].as_str()), [&row[2], &row[3], &row[4]])).collect();
    let mut compared = 0;
    let here = [("1", "session", SOURCES[2].1), ("2", "model", SOURCES[3].1), ("9", "health", SOURCES[4].1)];
    for (id, service, source) in here.into_iter().chain(crate::generated::SOURCES) {
        for line in source.lines().map(str::trim).filter(|line| line.contains(") => ")) {
            // flow Marker = ROW name(Argument) => Reply, yields Item; or: takes Item;
            let (head, tail) = line.trim_end_matches(';').split_once(") => ").unwrap();
            let (name, argument) = head.split_once("= ").unwrap().1.split_once(' ').unwrap().1.split_once('(').unwrap();
            let (reply, item) =
                tail.split_once(", yields ").or_else(|| tail.split_once(", takes ")).unwrap_or((tail, ""));
            let item = if item.is_empty() { String::new() } else { type_name(item) };
            let wanted = [type_name(argument), item, type_name(reply)];
            assert_eq!(seen[&(id, name)], wanted.each_ref(), "{service}.{name}");
            compared += 1;
        }
    }
    for line in include_str!("../../../api/src/control.rs")
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(char::is_uppercase) && line.contains(") -> "))
    {
        // Marker = ROW(Argument) -> Reply;
        let (head, reply) = line.trim_end_matches(';').split_once(") -> ").unwrap();
        let (row, argument) = head.split_once("= ").unwrap().1.split_once('(').unwrap();
        let bare = |of: &str| type_name(of.trim_start_matches("message::"));
        let wanted = [bare(argument), String::new(), bare(reply)];
        assert_eq!(seen[&("0", row.to_lowercase().as_str())], wanted.each_ref(), "control.{row}");
        compared += 1;
    }
    // All but hello, subscribe and unsubscribe, which the client library speaks itself, and the test kit's.
    assert_eq!(compared, rows.len() - 3 - 5);
}
