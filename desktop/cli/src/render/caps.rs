//! The capability table: who may call what, and what each may reach.

use crate::paint::{Paint, Role};
use crate::render::table::{Align, Cell, Table};
use crate::text;
use butterfly_wire::control::{Capabilities, Principal};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[derive(Serialize)]
pub struct CapabilitiesView<'a> {
    principals: Vec<PrincipalView<'a>>,
}

#[derive(Serialize)]
struct PrincipalView<'a> {
    name: &'a str,
    kind: &'a str,
    serves: &'a [String],
    calls: &'a [String],
    publishes: &'a [String],
    subscribes: &'a [String],
    starts: &'a [String],
    grants: &'a [String],
    provenance: &'a [String],
}

impl<'a> From<&'a Capabilities> for CapabilitiesView<'a> {
    fn from(capabilities: &'a Capabilities) -> Self {
        let view = |principal: &'a Principal| PrincipalView {
            name: &principal.name,
            kind: &principal.kind,
            serves: &principal.serves,
            calls: &principal.calls,
            publishes: &principal.publishes,
            subscribes: &principal.subscribes,
            starts: &principal.starts,
            grants: &principal.grants,
            provenance: &principal.provenance,
        };
        Self { principals: capabilities.principals.iter().map(view).collect() }
    }
}

/// Every method that anybody may call, once.
fn methods(capabilities: &Capabilities) -> BTreeSet<&str> {
    capabilities.principals.iter().flat_map(|principal| &principal.calls).map(String::as_str).collect()
}

/// Who serves a method: the workers that list its service.
fn servers(capabilities: &Capabilities, method: &str) -> String {
    let service = method.split('.').next().unwrap_or(method);
    if service == "control" {
        return "kernel".to_owned();
    }
    let serves = |principal: &&Principal| principal.serves.iter().any(|served| served == service);
    let names: Vec<_> =
        capabilities.principals.iter().filter(serves).map(|principal| principal.name.as_str()).collect();
    names.join(", ")
}

/// What a principal has beside its calls, in the order in which it is shown.
fn facts(principal: &Principal) -> [(&'static str, &[String]); 6] {
    [
        ("serves", &principal.serves),
        ("may reach", &principal.grants),
        ("may start", &principal.starts),
        ("publishes", &principal.publishes),
        ("follows", &principal.subscribes),
        ("marked as", &principal.provenance),
    ]
}

/// The table for a terminal.
#[must_use]
pub fn text(capabilities: &Capabilities, paint: Paint) -> String {
    let mut lines = Vec::new();
    for principal in &capabilities.principals {
        let name = paint.apply(Role::Strong, &principal.name).into_owned();
        lines.push(format!("{name}  {}", paint.apply(Role::Muted, &text::escaped(&principal.kind))));
        for (label, values) in facts(principal) {
            let nothing = ["nothing".to_owned()];
            let values = match values {
                [] if label == "may reach" => nothing.as_slice(),
                values => values,
            };
            for (index, value) in values.iter().enumerate() {
                let label = if index == 0 { label } else { "" };
                lines.push(format!("  {} {}", paint.apply(Role::Muted, &format!("{label:<11}")), text::escaped(value)));
            }
        }
        lines.push(String::new());
    }
    // A column's head is a name that the kernel sends, so this table cannot be one of constant heads.
    let callers: Vec<_> = capabilities.principals.iter().filter(|principal| !principal.calls.is_empty()).collect();
    let mut table =
        Table::new(&[("METHOD", Align::Left), ("SERVED BY", Align::Left), ("MAY BE CALLED BY", Align::Left)]);
    for method in methods(capabilities) {
        let may: Vec<_> = callers
            .iter()
            .filter(|caller| caller.calls.iter().any(|call| call == method))
            .map(|caller| caller.name.as_str())
            .collect();
        table.row(vec![
            text::escaped(method).into(),
            text::escaped(&servers(capabilities, method)).into(),
            Cell::of(Role::Strong, text::escaped(&may.join(", "))),
        ]);
    }
    lines.push(table.render(paint, None));
    lines.push(paint.apply(Role::Muted, "Whatever is not listed is denied.").into_owned());
    lines.join("\n")
}

/// The page `docs/capabilities.md`. `folders` are this machine's paths and the words that stand for them, longest first.
#[must_use]
pub fn markdown(capabilities: &Capabilities, folders: &[(String, &str)]) -> String {
    let general = |text: &str| {
        folders.iter().fold(
            text.to_owned(),
            |text, (path, word)| {
                if path.is_empty() { text } else { text.replace(path.as_str(), word) }
            },
        )
    };
    let mut page = String::from(
        "# Capabilities\n\n\
         Who may do what. This page is printed by `butterfly caps --markdown` from the kernel's table and compared with it \
         by a test.\n\
         Whatever is not listed is denied.\n\n\
         ## Who may call which method\n\n",
    );
    let callers: Vec<_> = capabilities.principals.iter().filter(|principal| !principal.calls.is_empty()).collect();
    // Writing to a string cannot fail.
    let _ = write!(page, "| method | served by |");
    for caller in &callers {
        let _ = write!(page, " {} |", caller.name);
    }
    let _ = writeln!(page, "\n|---|---|{}", ":-:|".repeat(callers.len()));
    for method in methods(capabilities) {
        let _ = write!(page, "| `{method}` | {} |", servers(capabilities, method));
        for caller in &callers {
            let _ = write!(page, "{}|", if caller.calls.iter().any(|call| call == method) { " yes " } else { "  " });
        }
        page.push('\n');
    }
    page.push_str("\n## What each may reach\n");
    for principal in &capabilities.principals {
        let _ = write!(page, "\n### {} ({})\n\n", principal.name, principal.kind);
        for (label, values) in facts(principal) {
            let shown: Vec<_> = values.iter().map(|value| format!("`{}`", general(value))).collect();
            let shown = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
            let _ = writeln!(page, "- {label}: {shown}");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Capabilities {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let principal = |name: &str, kind: &str, serves: &[&str], calls: &[&str], grants: &[&str]| Principal {
            name: name.to_owned(),
            kind: kind.to_owned(),
            serves: words(serves),
            calls: words(calls),
            publishes: Vec::new(),
            subscribes: Vec::new(),
            starts: Vec::new(),
            grants: words(grants),
            provenance: Vec::new(),
        };
        Capabilities {
            principals: vec![
                principal("model", "worker", &["model", "health"], &[], &["tcp 11434", "read /home/u/.local/share/b"]),
                principal("brains", "worker", &["session", "health"], &["model.chat"], &[]),
                principal("client", "client", &[], &["control.status", "session.send", "model.list"], &[]),
            ],
        }
    }

    #[test]
    fn the_terminal_shows_grants_and_callers() {
        insta::assert_snapshot!(text(&sample(), Paint::new(false)), @r"
        model  worker
          serves      model
                      health
          may reach   tcp 11434
                      read /home/u/.local/share/b

        brains  worker
          serves      session
                      health
          may reach   nothing

        client  client
          may reach   nothing

        METHOD          SERVED BY  MAY BE CALLED BY
        control.status  kernel     client
        model.chat      model      brains
        model.list      model      client
        session.send    brains     client
        Whatever is not listed is denied.
        ");
    }

    #[test]
    fn the_page_names_no_folder_of_this_machine() {
        let page = markdown(&sample(), &[("/home/u/.local/share/b".into(), "<data>"), ("/home/u".into(), "~")]);
        assert!(page.contains("`read <data>`") && !page.contains("/home"), "{page}");
        assert!(page.contains("| method | served by | brains | client |"), "{page}");
        assert!(page.contains("| `model.chat` | model | yes |  |"), "{page}");
        assert!(page.contains("| `control.status` | kernel |  | yes |"), "{page}");
    }
}
