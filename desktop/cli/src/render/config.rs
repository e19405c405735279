//! Settings: tables of values, and all about one.

use crate::paint::{Paint, Role};
use crate::render::table::{Align, Cell, Table};
use crate::text;
use butterfly_api::config::{Change, Profile, Setting, Source, ValueKind};

/// A table of settings; with `verbose`, all about each.
#[must_use]
pub fn list(settings: &[Setting], verbose: bool, paint: Paint, columns: Option<usize>) -> String {
    if verbose {
        return settings.iter().map(|setting| details(setting, paint)).collect::<Vec<_>>().join("\n\n");
    }
    let mut table = Table::new(&[("SETTING", Align::Left), ("VALUE", Align::Flexible), ("FROM", Align::Left)]);
    for setting in settings {
        let role = match setting.source {
            Source::Default => Role::Muted,
            Source::Database | Source::Environment | Source::Profile { .. } => Role::Accent,
        };
        table.row(vec![
            Cell::new(&*setting.info.key),
            value_cell(&setting.value),
            Cell::of(if setting.problem.is_some() { Role::Danger } else { role }, source(setting)),
        ]);
    }
    table.render(paint, columns)
}

fn value_cell(value: &str) -> Cell {
    if value.is_empty() { Cell::of(Role::Muted, "–") } else { Cell::new(text::escaped(value)) }
}

fn source(setting: &Setting) -> String {
    match &setting.source {
        Source::Default => "default".to_owned(),
        Source::Database => "set".to_owned(),
        Source::Environment => setting.info.env.clone(),
        Source::Profile { name } => format!("profile {}", text::escaped(name)),
    }
}

/// All about one setting.
#[must_use]
pub fn details(setting: &Setting, paint: Paint) -> String {
    let info = &setting.info;
    let shown = |value: &str| if value.is_empty() { "–".to_owned() } else { text::escaped(value) };
    let mut facts = vec![
        ("value", format!("{} ({})", shown(&setting.value), source(setting))),
        ("takes", takes(&info.kind)),
        ("default", shown(&info.default)),
    ];
    if let Some(stored) = &setting.stored {
        facts.insert(1, ("set to", format!("{}, which is hidden", shown(stored))));
    }
    if !info.env.is_empty() {
        facts.push(("override", info.env.clone()));
    }
    facts.push(("profiles", if info.in_profiles { "can set it" } else { "cannot set it" }.to_owned()));
    if let Some(worker) = &info.restarts {
        facts.push((
            "restarts",
            format!("the {} worker, where it may reach something else then", text::escaped(worker)),
        ));
    }
    let mut lines = vec![paint.apply(Role::Strong, &info.key).into_owned(), format!("  {}", text::escaped(&info.help))];
    lines.extend(facts.iter().map(|(label, value)| format!("  {:<10}{value}", format!("{label}:"))));
    if let Some(problem) = &setting.problem {
        lines.push(format!("  {} {}", paint.apply(Role::Danger, "problem:"), text::escaped(problem)));
    }
    lines.join("\n")
}

/// What a value may be, for people.
fn takes(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Bool => "true or false".to_owned(),
        ValueKind::Integer { min, max, unit } if unit.is_empty() => format!("a whole number, {min} to {max}"),
        ValueKind::Integer { min, max, unit } => format!("{unit}, {min} to {max}"),
        ValueKind::Number { min, max } => format!("a number, {min} to {max}"),
        ValueKind::Text { max_bytes, optional } => {
            let empty = if *optional { ", or nothing" } else { "" };
            format!("text of at most {max_bytes} bytes{empty}")
        }
        ValueKind::Choice { values } => values.join(", "),
        ValueKind::Url => "http://host:port or https://host, or nothing".to_owned(),
        ValueKind::Path => "an absolute path".to_owned(),
    }
}

/// One line on what is in force after a change.
#[must_use]
pub fn changed(setting: &Setting, profile: Option<&str>, paint: Paint) -> String {
    let key = paint.apply(Role::Strong, &setting.info.key);
    let value = if setting.value.is_empty() { "empty".to_owned() } else { text::escaped(&setting.value) };
    match profile {
        Some(name) if matches!(setting.source, Source::Profile { .. }) => {
            format!("{key} is {value} in the profile {}", text::escaped(name))
        }
        Some(_) | None => format!("{key} is {value} ({})", source(setting)),
    }
}

/// A table of differences.
#[must_use]
pub fn changes(changes: &[Change], paint: Paint, columns: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("PROFILE", Align::Left),
        ("BEFORE", Align::Flexible),
        ("AFTER", Align::Flexible),
    ]);
    let value = |value: &Option<String>| match value {
        Some(value) => value_cell(value),
        None => Cell::of(Role::Muted, "not set"),
    };
    for change in changes {
        let profile = change.profile.as_deref().map_or_else(|| Cell::new(""), |name| text::escaped(name).into());
        table.row(vec![Cell::new(text::escaped(&change.key)), profile, value(&change.before), value(&change.after)]);
    }
    table.render(paint, columns)
}

/// Profiles with what each sets.
#[must_use]
pub fn profiles(profiles: &[Profile], paint: Paint) -> String {
    let mut lines = Vec::new();
    for profile in profiles {
        lines.push(paint.apply(Role::Strong, &text::escaped(&profile.name)).into_owned());
        if profile.values.is_empty() {
            lines.push("  sets nothing".to_owned());
        }
        for (key, value) in &profile.values {
            lines.push(format!("  {} = {}", text::escaped(key), text::escaped(value)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::config::KeyInfo;

    fn setting(key: &str, value: &str, source: Source) -> Setting {
        let kind = ValueKind::Integer { min: 0, max: 36_500, unit: "days".into() };
        let info = KeyInfo {
            key: key.into(),
            group: "Memory".into(),
            kind,
            default: "0".into(),
            help: "What was said longer ago is deleted.".into(),
            env: "BUTTERFLY_X".into(),
            restarts: None,
            in_profiles: false,
        };
        Setting { info, value: value.into(), source, stored: None, problem: None }
    }

    #[test]
    fn a_list_shows_values_and_their_sources() {
        let settings = [
            setting("memory.retention_days", "30", Source::Database),
            setting("model.name", "", Source::Default),
            setting("model.url", "http://\x1b[31mh", Source::Environment),
            setting("memory.enabled", "false", Source::Profile { name: "work".into() }),
        ];
        insta::assert_snapshot!(list(&settings, false, Paint::new(false), None), @r"
        SETTING                VALUE             FROM
        memory.retention_days  30                set
        model.name             –                 default
        model.url              http://\x1b[31mh  BUTTERFLY_X
        memory.enabled         false             profile work
        ");
    }

    #[test]
    fn details_say_what_is_hidden_and_what_is_wrong() {
        let mut setting = setting("memory.retention_days", "soon", Source::Environment);
        setting.stored = Some("30".into());
        setting.problem = Some("memory.retention_days cannot be \"soon\"".into());
        setting.info.restarts = Some("model".into());
        insta::assert_snapshot!(details(&setting, Paint::new(false)), @r#"
        memory.retention_days
          What was said longer ago is deleted.
          value:    soon (BUTTERFLY_X)
          set to:   30, which is hidden
          takes:    days, 0 to 36500
          default:  0
          override: BUTTERFLY_X
          profiles: cannot set it
          restarts: the model worker, where it may reach something else then
          problem: memory.retention_days cannot be "soon"
        "#);
    }

    #[test]
    fn a_change_is_one_line() {
        let plain = Paint::new(false);
        let set = setting("memory.retention_days", "30", Source::Database);
        assert_eq!(changed(&set, None, plain), "memory.retention_days is 30 (set)");
        let in_profile = setting("model.name", "", Source::Profile { name: "work".into() });
        assert_eq!(changed(&in_profile, Some("work"), plain), "model.name is empty in the profile work");
    }

    #[test]
    fn differences_are_before_and_after() {
        let change = |key: &str, profile: Option<&str>, before: Option<&str>, after: Option<&str>| Change {
            key: key.into(),
            profile: profile.map(Into::into),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let differences =
            [change("model.name", None, None, Some("m")), change("model.name", Some("work"), Some("old"), None)];
        insta::assert_snapshot!(changes(&differences, Paint::new(false), None), @r"
        SETTING     PROFILE  BEFORE   AFTER
        model.name           not set  m
        model.name  work     old      not set
        ");
    }

    #[test]
    fn profiles_show_what_they_set() {
        let all = [
            Profile { name: "empty".into(), values: vec![] },
            Profile { name: "work".into(), values: vec![("model.name".into(), "m".into())] },
        ];
        assert_eq!(profiles(&all, Paint::new(false)), "empty\n  sets nothing\nwork\n  model.name = m");
    }
}
