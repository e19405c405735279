//! `docs/messages.md` is written from the sources: fields, variants, types and what is said of them there.
//!
//! `UPDATE_PAGES=1 cargo test -p butterfly-wire --test protocol_page` writes it anew.

use crate::layouts::type_name;
use std::fmt::Write as _;

/// The services that the page describes, with their sources.
pub const SOURCES: [(&str, &str, &str); 5] = [
    ("3", "memory", include_str!("../../../api/src/memory.rs")),
    ("7", "vault", include_str!("../../../api/src/vault.rs")),
    ("8", "config", include_str!("../../../api/src/config.rs")),
    ("10", "conversations", include_str!("../../../api/src/conversations.rs")),
    ("11", "storage", include_str!("../../../api/src/storage.rs")),
];

const HEAD: &str = "# Messages of the services that keep something

Written from the sources; a test compares. [protocol.md](protocol.md) says how messages are encoded, which methods there
are, and describes the messages of the other services. Fields and variants stand in the order in which they are encoded.
";

/// Reads one source, top to bottom.
#[derive(Default)]
struct Reader {
    out: String,
    docs: Vec<String>,
    decodable: bool,
    /// Inside of a message: an enumeration, with the number of its next variant, or a structure.
    open: Option<Option<u32>>,
    /// A variant of several lines: its number and name, what is said of it, its fields so far.
    variant: Option<(u32, String, String, Vec<String>)>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let inner = line.trim_start();
        if let Some(doc) = inner.strip_prefix("///") {
            // What is said of a field inside of a variant stays in the source.
            if self.variant.is_none() {
                self.docs.push(doc.trim().to_owned());
            }
        } else if line.starts_with("#[derive(") {
            self.decodable = line.contains("Decode");
        } else if line.starts_with("pub struct ") || line.starts_with("pub enum ") {
            self.message(line);
        } else if line == "}" {
            self.open = None;
        } else if self.open.is_some() && !inner.starts_with(['#', '/']) && !inner.is_empty() {
            self.row(inner.trim_end_matches(','));
        } else if !inner.starts_with('#') {
            self.docs.clear();
        }
    }

    fn message(&mut self, line: &str) {
        let said = std::mem::take(&mut self.docs).join(" ");
        if !std::mem::take(&mut self.decodable) || !line.ends_with('{') {
            return;
        }
        let name: String = line.split(' ').nth(2).unwrap().chars().take_while(|c| c.is_alphanumeric()).collect();
        let is_enum = line.starts_with("pub enum ");
        let columns = if is_enum {
            "| number | variant | fields | meaning |\n|---|---|---|---|"
        } else {
            "| field | type | meaning |\n|---|---|---|"
        };
        let _ = write!(self.out, "\n### `{name}`\n\n{}\n\n{columns}\n", plain(&said));
        self.open = Some(is_enum.then_some(0));
    }

    fn row(&mut self, inner: &str) {
        if let Some((number, name, said, mut fields)) = self.variant.take() {
            if inner == "}" {
                let _ = writeln!(self.out, "| {number} | `{name}` | {} | {said} |", fields.join(", "));
            } else {
                let (field, of) = inner.split_once(": ").unwrap();
                fields.push(format!("`{field}`: {}", type_name(of)));
                self.variant = Some((number, name, said, fields));
            }
            return;
        }
        let said = plain(&std::mem::take(&mut self.docs).join(" "));
        match &mut self.open {
            Some(Some(next)) => {
                let number = *next;
                *next += 1;
                let name: String = inner.chars().take_while(|c| c.is_alphanumeric()).collect();
                let rest = inner[name.len()..].trim();
                if rest == "{" {
                    self.variant = Some((number, name, said, Vec::new()));
                    return;
                }
                let fields = if let Some(of) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                    type_name(of)
                } else if let Some(fields) = rest.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")) {
                    let fields = fields.split(", ").map(|field| field.split_once(": ").unwrap());
                    fields.map(|(field, of)| format!("`{field}`: {}", type_name(of))).collect::<Vec<_>>().join(", ")
                } else {
                    String::new()
                };
                let _ = writeln!(self.out, "| {number} | `{name}` | {fields} | {said} |");
            }
            Some(None) => {
                let (field, of) = inner.trim_start_matches("pub ").split_once(": ").unwrap();
                let _ = writeln!(self.out, "| `{field}` | {} | {said} |", type_name(of));
            }
            None => {}
        }
    }
}

/// Links of rustdoc's lead nowhere on the page.
fn plain(said: &str) -> String {
    said.replace("[`", "`")
        .replace("`]", "`")
        .replace("crate::", "")
        .replace("butterfly_wire::", "")
        .replace('|', "\\|")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (id, name, source) in SOURCES {
        let intro: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let _ = write!(page, "\n## Service {id}, {name}\n\n{}\n", plain(intro.join("\n").trim()));
        let mut reader = Reader::default();
        source.lines().for_each(|line| reader.line(line));
        page += &reader.out;
    }
    page
}

#[test]
fn messages_page_is_written_from_the_sources() {
    let wanted = page();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/messages.md");
        std::fs::write(path, &wanted).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/messages.md");
    let seen = std::fs::read_to_string(path).unwrap_or_default();
    assert!(seen == wanted, "docs/messages.md is not what the sources say: run this test with UPDATE_PAGES=1");
}
