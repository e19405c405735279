//! The pages of settings as they are drawn, in each state.

use super::Settings;
use crate::state::settings::field::{self, Place};
use crate::state::settings::sealed::Sealed;
use crate::state::settings::tests::{of, profile, schema};
use crate::state::settings::{Event, Load, Page, State, profiles, provider, secrets, transfer};
use crate::ui::Ui;
use butterfly_api::config::{Change, Imported, Source};
use butterfly_api::model::{Cause, ModelError, Probe};
use butterfly_api::vault::{Kept, SecretInfo, Secrets, Store, StoreState};
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// What is to be drawn.
#[derive(Clone)]
struct Given(State);

impl PartialEq for Given {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[allow(non_snake_case)]
fn Root(given: Given) -> Element {
    use_context_provider(|| {
        let (effects, _) = tokio::sync::mpsc::unbounded_channel();
        let mut ui = Ui::new(effects);
        ui.settings.set(given.0.clone());
        // The list of pages is part of what is drawn.
        ui.frame.write().sidebar = false;
        ui
    });
    rsx! { Settings {} }
}

fn html(state: State) -> String {
    let mut dom = VirtualDom::new_with_props(Root, Given(state));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

fn on(page: Page) -> State {
    let mut state = of(schema(), vec![profile("work", &[("model.name", "qwen3:8b")])]);
    state.reduce(Event::Show(page));
    state
}

fn desktop() -> State {
    on(Page::Group("Desktop".into()))
}

/// How often a text is there.
fn count(html: &str, text: &str) -> usize {
    html.matches(text).count()
}

#[test]
fn before_anything_is_read_the_page_keeps_its_place() {
    let mut state = State::default();
    for load in [Load::Never, Load::Loading] {
        state.load = load;
        let html = html(state.clone());
        assert!(html.contains(r#"aria-label="Loading""#), "{html}");
        assert!(html.contains(r#"id="settings-search""#), "one can still look around");
    }
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let mut state = State::default();
    state.load = Load::Failed { why: "The memory worker is held.".into() };
    let page = html(state);
    assert!(page.contains("The memory worker is held.") && page.contains(r#"id="settings-again""#), "{page}");
    // What was known before stays.
    let mut state = desktop();
    state.load = Load::Failed { why: "The memory worker is held.".into() };
    let page = html(state);
    assert!(page.contains("may have changed since") && page.contains("setting-desktop-theme-row"), "{page}");
}

#[test]
fn a_page_has_a_control_for_each_kind_with_its_name_and_its_source() {
    let page = html(desktop());
    for id in ["theme", "accent", "text_size", "on_close", "keys"] {
        assert_eq!(count(&page, &format!(r#"data-testid="setting-desktop-{id}-row""#)), 1, "{id}");
        assert!(page.contains(&format!(r#"id="setting-desktop-{id}-label""#)), "{id}");
    }
    // Few choices stand side by side, and one of them is pressed.
    assert!(page.contains(r#"id="setting-desktop-theme-dark""#));
    assert!(page.contains(r#"aria-labelledby="setting-desktop-theme-label""#));
    assert!(page.contains("As the system"));
    // A number has its unit and its range.
    assert!(page.contains(r#"<span class="typed-unit">%</span>"#) && page.contains("80 – 160"), "{page}");
    assert!(page.contains(r#"type="range""#));
    assert!(count(&page, r#"data-source="default""#) >= 5);
    let page = html(on(Page::Group("Memory".into())));
    assert!(page.contains(r#"role="switch""#) && page.contains(r#"aria-checked="true""#), "{page}");
    assert!(page.contains("stops the memory worker meanwhile"));
    let page = html(on(Page::Group("Model".into())));
    assert!(page.contains("may restart the model worker") && page.contains("Ollama"), "{page}");
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_to_screen_readers() {
    let mut state = desktop();
    let place = Place::outside("desktop.text_size");
    state.reduce(Event::Field(field::Event::Typed { place, text: "999".into() }));
    let page = html(state);
    assert!(page.contains("use a whole number from 80 to 160 (percent)"));
    assert!(page.contains(r#"aria-invalid="true""#) && page.contains(r#"role="alert""#));
    assert!(page.contains(r#"aria-describedby="setting-desktop-text_size-error setting-desktop-text_size-note""#));
    assert!(page.contains(r#"value="999""#));
}

#[test]
fn what_the_environment_decides_is_locked_and_says_so() {
    let mut settings = schema();
    let theme = settings.iter_mut().find(|setting| setting.info.key == "desktop.theme").unwrap();
    (theme.value, theme.source) = ("dark".into(), Source::Environment);
    let page = html(of(settings, Vec::new()));
    assert!(page.contains("BUTTERFLY_DESKTOP_THEME decides this for as long as the kernel runs."), "{page}");
    assert!(page.contains(r#"data-source="environment""#) && page.contains("disabled"));
}

#[test]
fn what_is_set_can_be_reset_and_what_waits_says_so() {
    let mut settings = schema();
    let size = settings.iter_mut().find(|setting| setting.info.key == "desktop.text_size").unwrap();
    (size.value, size.source) = ("120".into(), Source::Database);
    let mut state = of(settings, Vec::new());
    let page = html(state.clone());
    assert_eq!(count(&page, "-reset\""), 1, "only what is set: {page}");
    assert!(page.contains(r#"aria-label="Reset Text size to its default""#));
    state.reduce(Event::Lost);
    let place = Place::outside("desktop.text_size");
    state.reduce(Event::Field(field::Event::Choose { place, value: "90".into() }));
    assert!(html(state).contains("Waits for the assistant"));
}

#[test]
fn a_search_shows_what_it_found_below_its_headings() {
    let mut state = desktop();
    state.reduce(Event::Query("theme".into()));
    let page = html(state.clone());
    assert!(page.contains("1 settings found") && page.contains("setting-desktop-theme-row"), "{page}");
    assert_eq!(count(&page, "data-testid=\"setting-"), 1);
    state.reduce(Event::Query("<b>nonsense".into()));
    let page = html(state);
    assert!(page.contains("No setting has") && !page.contains("<b>"), "{page}");
}

fn probe(problem: Option<ModelError>) -> Probe {
    Probe {
        provider: "ollama".into(),
        url: "http://127.0.0.1:11434".into(),
        server_version: problem.is_none().then(|| "0.33.0".into()),
        chosen: "m".into(),
        reason: "m answers.".into(),
        problem,
        preset: "m".into(),
    }
}

#[test]
fn providers_show_which_one_is_chosen_and_what_a_test_found() {
    let mut state = on(Page::Providers);
    let page = html(state.clone());
    assert!(page.contains(r#"id="provider-ollama""#) && page.contains("LM Studio") && page.contains("vLLM"));
    assert_eq!(count(&page, r#"aria-pressed="true""#), 1);
    assert!(page.contains("ollama.api_key") && page.contains("not known yet"));
    for (problem, expected) in [
        (None, "server version 0.33.0"),
        (Some(ModelError::new(Cause::ServerNotRunning, "Start it.")), "Nothing answers at http://127.0.0.1:11434."),
        (
            Some(ModelError::new(
                Cause::NeedsSecret { name: "ollama.api_key".into(), why: String::new() },
                "It wants one.",
            )),
            "Set the key…",
        ),
    ] {
        state.provider.test = provider::Test::Done(provider::Tested { probe: probe(problem), millis: 8 });
        let page = html(state.clone());
        assert!(page.contains(expected), "{expected}: {page}");
    }
    state.provider.test = provider::Test::Running { request: 1 };
    assert!(html(state.clone()).contains("Asking the server"));
    state.provider.test = provider::Test::Failed { why: "It is held.".into() };
    assert!(html(state.clone()).contains("The model worker could not be asked."));
    // The built-in responder has neither an address nor a key nor models.
    state.settings[0].value = "builtin".into();
    let page = html(state);
    assert!(!page.contains("setting-model-url") && !page.contains("api_key") && !page.contains("Models"), "{page}");
    assert!(page.contains("There is nothing to set up."));
}

fn with_secrets(kept: Option<Kept>, store: StoreState) -> State {
    let mut state = on(Page::Secrets);
    let info = SecretInfo {
        name: "openai.api_key".into(),
        purpose: "the API key".into(),
        used_by: vec!["model".into()],
        kept,
    };
    let store = Store { state: store, message: "Log in at the desktop.".into() };
    let result = Ok(Secrets { secrets: vec![info], store });
    state.reduce(Event::Secrets(secrets::Event::Loaded { request: 1, result }));
    state
}

#[test]
fn secrets_show_names_and_states_and_never_a_value() {
    assert!(html(on(Page::Secrets)).contains(r#"aria-label="Loading""#));
    let page = html(with_secrets(Some(Kept::Keyring), StoreState::Ready));
    assert!(page.contains("in the keyring") && page.contains("Replace…") && page.contains("Read by: model"), "{page}");
    assert!(page.contains(r#"aria-label="Delete openai.api_key""#) && !page.contains("keyring-again"));
    let page = html(with_secrets(None, StoreState::Locked));
    assert!(page.contains("The keyring is locked.") && page.contains("Log in at the desktop."), "{page}");
    assert!(page.contains("keyring-again") && page.contains("not set") && !page.contains("Delete openai"));
    let mut state = on(Page::Secrets);
    state.reduce(Event::Secrets(secrets::Event::Loaded { request: 1, result: Err("The vault is held.".into()) }));
    assert!(html(state).contains("The vault is held."));
}

#[test]
fn a_value_is_typed_into_a_field_that_has_none_of_ours() {
    let mut state = with_secrets(None, StoreState::Ready);
    state.reduce(Event::Secrets(secrets::Event::Enter("openai.api_key".into())));
    let page = html(state.clone());
    assert!(page.contains(r#"role="dialog""#) && page.contains(r#"type="password""#), "{page}");
    let field = page.split("id=\"secret-value\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(!field.contains(" value="), "{field}");
    let name = "openai.api_key".to_owned();
    state.reduce(Event::Secrets(secrets::Event::Store { name, value: Sealed::new("sk-unseen".into()) }));
    let page = html(state);
    assert!(page.contains("Asking the keyring") && !page.contains("unseen"), "{page}");
}

#[test]
fn profiles_show_what_they_change_and_who_uses_them() {
    let mut state = on(Page::Profiles);
    let page = html(state.clone());
    assert!(page.contains("profile-model-name-row") && page.contains("in this profile"), "{page}");
    assert!(page.contains("profile-memory-enabled-row") && page.contains("as elsewhere"));
    assert!(!page.contains("profile-model-url-row"), "no profile can set it");
    let users = vec![profiles::User { conversation: 1, title: "<i>Plans".into() }];
    let known = BTreeMap::from([("work".to_owned(), users)]);
    state.reduce(Event::Profiles(profiles::Event::Users { request: 1, result: Ok(known) }));
    let page = html(state.clone());
    assert!(page.contains("Used by “") && !page.contains("<i>"), "{page}");
    state.reduce(Event::Profiles(profiles::Event::New));
    state.reduce(Event::Profiles(profiles::Event::Name("two words".into())));
    assert!(html(state).contains("without blanks"));
    let mut empty = of(schema(), Vec::new());
    empty.reduce(Event::Show(Page::Profiles));
    assert!(html(empty).contains("There is no profile yet."));
}

#[test]
fn an_import_shows_the_difference_before_it_is_done() {
    let mut state = on(Page::Transfer);
    let page = html(state.clone());
    assert!(page.contains("settings-export") && page.contains("settings-import"), "{page}");
    state.reduce(Event::Transfer(transfer::Event::Import));
    assert!(html(state.clone()).contains("import-text"));
    state.reduce(Event::Transfer(transfer::Event::ChooseFile));
    assert!(html(state.clone()).contains("Looking at what would change"));
    let change = |key: &str, before: Option<&str>, after: Option<&str>| Change {
        key: key.into(),
        profile: Some("work".into()),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let preview = |changes| transfer::Preview {
        document: transfer::Document::new("{}".into()),
        origin: "a.json".into(),
        imported: Imported { changes, secrets: vec!["openai.api_key".into()], restarted: Vec::new() },
    };
    let mut nothing = state.clone();
    let changes = vec![change("model.name", None, Some("<script>")), change("memory.enabled", Some("false"), None)];
    state.reduce(Event::Transfer(transfer::Event::Previewed { request: 1, result: Ok(Some(preview(changes))) }));
    let page = html(state);
    assert!(page.contains("Model in work") && page.contains("Import 2 changes") && page.contains("a.json"), "{page}");
    assert!(page.contains("openai.api_key") && !page.contains("<script>"), "{page}");
    assert!(!page.contains("is deleted for good"));
    let mut deleting = nothing.clone();
    let mut days = change("memory.retention_days", None, Some("90"));
    days.profile = None;
    deleting.reduce(Event::Transfer(transfer::Event::Previewed { request: 1, result: Ok(Some(preview(vec![days]))) }));
    assert!(html(deleting).contains("more than 90 days ago is deleted for good"));
    nothing.reduce(Event::Transfer(transfer::Event::Previewed { request: 1, result: Ok(Some(preview(Vec::new()))) }));
    let page = html(nothing);
    assert!(page.contains("Nothing differs.") && !page.contains("import-agree"), "{page}");
}

#[test]
fn what_asks_the_bus_is_not_offered_while_it_is_away() {
    for page in [Page::Providers, Page::Transfer, Page::Profiles] {
        let mut state = on(page.clone());
        state.reduce(Event::Lost);
        let html = html(state);
        let id = match page {
            Page::Providers => "provider-test",
            Page::Transfer => "settings-import",
            _ => "profile-rename",
        };
        let at = html.find(&format!("id=\"{id}\"")).unwrap();
        let start = html[..at].rfind('<').unwrap();
        let tag = html[start..].split('>').next().unwrap();
        assert!(tag.contains("disabled"), "{tag}");
    }
}
