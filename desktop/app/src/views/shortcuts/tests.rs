//! The list of shortcuts, and what another chord would do.

use super::*;

#[derive(Clone, PartialEq)]
struct Given(Keymap);

#[allow(non_snake_case)]
fn Root(given: Given) -> Element {
    use_context_provider(|| {
        let (effects, _) = tokio::sync::mpsc::unbounded_channel();
        let mut ui = Ui::new(effects);
        ui.frame.write().keys = given.0.clone();
        ui
    });
    rsx! { Shortcuts {} }
}

fn html(keys: Keymap) -> String {
    let mut dom = VirtualDom::new_with_props(Root, Given(keys));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

#[test]
fn every_action_is_listed_with_its_key() {
    let page = html(Keymap::default());
    for action in actions::all() {
        assert!(page.contains(&format!(r#"data-testid="shortcut-{}""#, action.id)), "{}", action.id);
        assert!(page.contains(&format!(r#"id="shortcut-change-{}""#, action.id)), "{}", action.id);
    }
    assert!(page.contains(r#"aria-label="Ctrl+K""#), "{page}");
    assert!(!page.contains("shortcut-reset-") && !page.contains(">changed<"));
}

#[test]
fn what_was_changed_is_marked_and_can_be_reset() {
    let page = html(Keymap::of_setting("frame.sidebar=Ctrl+J frame.palette="));
    assert!(page.contains(r#"id="shortcut-reset-frame.sidebar""#) && page.contains(r#"aria-label="Ctrl+J""#));
    assert!(page.contains(r#"id="shortcut-reset-frame.palette""#));
    assert_eq!(page.matches(">changed<").count(), 2);
}

#[test]
fn a_search_finds_names_and_keys() {
    let keys = Keymap::default();
    let ids = |query: &str| {
        found(query, &keys).into_iter().flat_map(|(_, actions)| actions).map(|action| action.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("").len(), actions::all().count());
    assert_eq!(ids("ctrl+k"), ["frame.palette"]);
    assert!(ids("SIDEBAR hide").contains(&"frame.sidebar"));
    assert_eq!(ids("nonsense"), [""; 0]);
}

#[test]
fn a_chord_is_free_taken_the_same_or_needed_to_type() {
    let keys = Keymap::default();
    let verdict = |chord: &str| judge(&keys, "frame.sidebar", &chord.parse().unwrap());
    assert_eq!(verdict("Ctrl+B"), Verdict::Same);
    assert_eq!(verdict("Ctrl+K"), Verdict::Taken("Show all commands"));
    assert_eq!(verdict("Ctrl+Alt+F9"), Verdict::Free);
    for unfit in ["A", "Enter", "Space", "Shift"] {
        assert_eq!(verdict(unfit), Verdict::Unfit, "{unfit}");
    }
}
