//! Providers, secrets, profiles, export and import.

use super::*;
use butterfly_api::config::{Change, Imported};
use butterfly_api::model::{Cause, ModelError, Models, Probe};
use butterfly_api::vault::{Kept, SecretInfo, Secrets, Store, StoreState, Stored};
use profiles::{Deed, Event as ProfileEvent, User};
use provider::{Event as ProviderEvent, Preset, Test, Tested};
use sealed::Sealed;
use secrets::Event as SecretEvent;
use transfer::{Before, Document, Event as TransferEvent, Import, Preview};

fn provide(state: &mut State, event: ProviderEvent) -> Vec<Outer> {
    state.reduce(Event::Provider(event))
}

fn probe(problem: Option<Cause>) -> Probe {
    Probe {
        provider: "ollama".into(),
        url: "http://127.0.0.1:11434".into(),
        server_version: problem.is_none().then(|| "0.33.0".into()),
        chosen: "gpt-oss:20b".into(),
        reason: "gpt-oss:20b answers.".into(),
        problem: problem.map(|cause| ModelError::new(cause, "Start it with `ollama serve`.")),
        preset: "qwen3:8b".into(),
    }
}

#[test]
fn presets_are_known_by_provider_and_address() {
    for (provider, url, preset) in [
        ("ollama", "", Preset::Ollama),
        ("ollama", "http://10.0.0.2:11434", Preset::Ollama),
        ("openai", "", Preset::LmStudio),
        ("openai", "http://localhost:1234/v1", Preset::LmStudio),
        ("openai", "http://127.0.0.1:8080/v1", Preset::LlamaCpp),
        ("openai", "http://127.0.0.1:8000", Preset::Vllm),
        ("openai", "http://10.0.0.2:8080/v1", Preset::Other),
        ("openai", "https://api.example.com/v1", Preset::Other),
        ("builtin", "http://127.0.0.1:8080", Preset::Builtin),
    ] {
        assert_eq!(Preset::of(provider, url), preset, "{provider} {url}");
    }
    for preset in Preset::ALL.into_iter().filter(|preset| *preset != Preset::Other) {
        assert_eq!(Preset::of(preset.provider(), preset.url().unwrap_or_default()), preset);
    }
}

/// What is stored together, if something is.
fn applied(effects: &[Outer]) -> Option<(u64, provider::Values, Option<provider::Values>)> {
    effects.iter().find_map(|effect| match effect {
        Outer::Settings(Effect::Provider(provider::Effect::Apply { request, values, undo })) => {
            Some((*request, values.clone(), undo.clone()))
        }
        _ => None,
    })
}

#[test]
fn a_provider_is_chosen_with_its_address_at_once_and_taken_back_the_same_way() {
    let mut state = with("model.name", |setting| {
        (setting.value, setting.source) = ("gpt-oss:20b".into(), Source::Database);
    });
    let (request, values, undo) = applied(&provide(&mut state, ProviderEvent::Choose(Preset::LlamaCpp))).unwrap();
    let expected = vec![
        ("model.provider", Some("openai".to_owned())),
        ("model.url", Some("http://127.0.0.1:8080/v1".to_owned())),
        ("model.name", None),
    ];
    assert_eq!(values, expected);
    let before = vec![("model.provider", None), ("model.url", None), ("model.name", Some("gpt-oss:20b".to_owned()))];
    assert_eq!(undo.as_ref(), Some(&before));
    assert!(state.provider.applying);
    let imported = Imported { changes: Vec::new(), secrets: Vec::new(), restarted: vec!["model".into()] };
    let effects = provide(&mut state, ProviderEvent::Applied { request, undo, result: Ok(imported) });
    assert!(!state.provider.applying);
    let toast = toast(&effects).unwrap();
    assert!(toast.text.contains("llama.cpp") && toast.text.contains("model worker is restarted"), "{}", toast.text);
    let (_, values, undo) = applied(&state.reduce(inner(toast.action.unwrap().1))).unwrap();
    assert_eq!((values, undo), (before, None));
}

#[test]
fn the_provider_that_is_chosen_already_changes_nothing() {
    let mut state = state();
    assert!(provide(&mut state, ProviderEvent::Choose(Preset::Ollama)).is_empty());
}

#[test]
fn another_server_stays_chosen_while_it_has_no_address_of_its_own() {
    let mut state = state();
    provide(&mut state, ProviderEvent::Choose(Preset::Other));
    state.reduce(Event::Changed);
    let mut settings = schema();
    settings[0].value = "openai".into();
    let request = state.request;
    state.reduce(Event::Loaded { request, result: Ok(Loaded { settings, profiles: Vec::new() }) });
    assert_eq!(state.provider.preset(&state.settings), Preset::Other);
    // Somebody else chose Ollama meanwhile.
    state.reduce(Event::Changed);
    let request = state.request;
    state.reduce(Event::Loaded { request, result: Ok(Loaded { settings: schema(), profiles: Vec::new() }) });
    assert_eq!(state.provider.preset(&state.settings), Preset::Ollama);
}

#[test]
fn only_the_last_test_counts_and_only_for_the_server_it_was_about() {
    let mut state = state();
    let request = |effects: Vec<Outer>| match effects.as_slice() {
        [Outer::Settings(Effect::Provider(provider::Effect::Test { request }))] => *request,
        other => panic!("{other:?}"),
    };
    let first = request(provide(&mut state, ProviderEvent::Test));
    let second = request(provide(&mut state, ProviderEvent::Test));
    let done = |request, millis| ProviderEvent::Tested { request, result: Ok(Tested { probe: probe(None), millis }) };
    provide(&mut state, done(second, 12));
    provide(&mut state, done(first, 999));
    assert_eq!(state.provider.test, Test::Done(Tested { probe: probe(None), millis: 12 }));
    state.reduce(Event::Changed);
    let mut settings = schema();
    settings[1].value = "http://10.0.0.2:1".into();
    let request = state.request;
    state.reduce(Event::Loaded { request, result: Ok(Loaded { settings, profiles: Vec::new() }) });
    assert_eq!(state.provider.test, Test::None, "it says nothing of another server");
}

#[test]
fn a_test_does_not_take_the_answer_away_from_the_list_of_models() {
    let mut state = state();
    let effects = state.reduce(Event::Show(Page::Providers));
    let asked = effects.iter().find_map(|effect| match effect {
        Outer::Settings(Effect::Provider(provider::Effect::Models { request })) => Some(*request),
        _ => None,
    });
    provide(&mut state, ProviderEvent::Test);
    let models = Models { provider: "ollama".into(), models: Vec::new(), chosen: None };
    provide(&mut state, ProviderEvent::Models { request: asked.unwrap(), result: Ok(models.clone()) });
    assert_eq!(state.provider.models, Some(Ok(models)));
}

#[test]
fn a_test_is_told_in_words() {
    let words = |cause| Tested { probe: probe(cause), millis: 12 }.words();
    let (tone, headline, rest) = words(None);
    assert_eq!((tone, headline.as_str()), (Tone::Success, "Connected in 12 ms, server version 0.33.0."));
    assert_eq!(rest, "gpt-oss:20b answers.");
    let (tone, headline, rest) = words(Some(Cause::ServerNotRunning));
    assert_eq!((tone, headline.as_str()), (Tone::Danger, "Nothing answers at http://127.0.0.1:11434."));
    assert_eq!(rest, "Start it with `ollama serve`.");
    let (tone, headline, _) = words(Some(Cause::ModelMissing { model: "m".into() }));
    assert_eq!((tone, headline.as_str()), (Tone::Warning, "Connected in 12 ms, but no model can answer."));
    let needs = Cause::NeedsSecret { name: "openai.api_key".into(), why: "401".into() };
    let tested = Tested { probe: probe(Some(needs)), millis: 1 };
    assert_eq!(tested.secret(), Some("openai.api_key"));
    assert_eq!(Tested { probe: probe(Some(Cause::TimedOut)), millis: 1 }.secret(), None);
}

fn keep(state: &mut State, event: SecretEvent) -> Vec<Outer> {
    state.reduce(Event::Secrets(event))
}

fn secrets(kept: Option<Kept>) -> Secrets {
    let info = SecretInfo {
        name: "openai.api_key".into(),
        purpose: "the API key".into(),
        used_by: vec!["model".into()],
        kept,
    };
    Secrets { secrets: vec![info], store: Store { state: StoreState::Ready, message: "It answers.".into() } }
}

const VALUE: &str = "sk-never-to-be-seen-1234";

#[test]
fn no_value_of_a_secret_is_in_the_state_or_in_what_anything_prints() {
    let mut state = state();
    keep(&mut state, SecretEvent::Enter("openai.api_key".into()));
    let event = SecretEvent::Store { name: "openai.api_key".into(), value: Sealed::new(VALUE.into()) };
    let printed =
        format!("{:?} {:#?}", Event::Secrets(event.clone()), crate::state::Event::from(Event::Secrets(event.clone())));
    assert!(!printed.contains("never") && printed.contains("[secret]"), "{printed}");
    let effects = keep(&mut state, event);
    let printed = format!("{effects:?} {effects:#?}");
    assert!(!printed.contains("never") && printed.contains("[secret]"), "{printed}");
    assert!(!format!("{state:?} {state:#?}").contains("never"));
    // The one that stores it gets it.
    let stored = effects.into_iter().find_map(|effect| match effect {
        Outer::Settings(Effect::Secrets(secrets::Effect::Store { value, .. })) => Some(value.open()),
        _ => None,
    });
    assert_eq!(stored.unwrap().expose(), VALUE);
    // Neither does a document that should have none, but may.
    let pasted = TransferEvent::Pasted(Document::new(VALUE.into()));
    assert!(!format!("{pasted:?}").contains("never"));
    state.reduce(Event::Transfer(TransferEvent::Import));
    state.reduce(Event::Transfer(pasted));
    let effects = state.reduce(Event::Transfer(TransferEvent::Preview));
    assert!(!format!("{state:?} {effects:?}").contains("never"));
}

#[test]
fn a_value_that_the_vault_would_refuse_is_not_sent() {
    let mut state = state();
    keep(&mut state, SecretEvent::Enter("openai.api_key".into()));
    let short = SecretEvent::Store { name: "openai.api_key".into(), value: Sealed::new("abc".into()) };
    assert!(keep(&mut state, short).is_empty());
    assert!(state.secrets.error.as_ref().unwrap().contains("4 bytes"));
    assert_eq!(state.secrets.busy, None);
}

#[test]
fn what_the_keyring_made_of_a_secret_is_told() {
    let name = || "openai.api_key".to_owned();
    let stored = |kept, note: Option<&str>| Ok(Stored { kept, note: note.map(str::to_owned) });
    let answer = |result| {
        let mut state = state();
        keep(&mut state, SecretEvent::Enter(name()));
        keep(&mut state, SecretEvent::Store { name: name(), value: Sealed::new(VALUE.into()) });
        assert_eq!(state.secrets.busy, Some(name()));
        let effects = keep(&mut state, SecretEvent::Stored { request: 1, name: name(), result });
        (state, effects)
    };
    let (state, effects) = answer(stored(Kept::Keyring, None));
    assert_eq!(toast(&effects).unwrap().tone, Tone::Success);
    assert_eq!((state.secrets.entering, state.secrets.busy), (None, None));
    let (_, effects) = answer(stored(Kept::Process, Some("The keyring is locked; log in.")));
    let toast = toast(&effects).unwrap();
    assert_eq!(toast.tone, Tone::Warning);
    assert_eq!(toast.text, "The keyring is locked; log in.");
    let (state, effects) = answer(Err("the prompt was dismissed".into()));
    assert!(effects.is_empty(), "it is said where the value was typed");
    assert_eq!(state.secrets.error.as_deref(), Some("the prompt was dismissed"));
    assert_eq!(state.secrets.entering, Some(name()));
}

#[test]
fn secrets_are_read_when_they_are_shown_and_an_older_answer_is_dropped() {
    let mut state = state();
    assert!(keep(&mut state, SecretEvent::Changed).is_empty(), "nobody looked at them yet");
    state.reduce(Event::Show(Page::Secrets));
    assert_eq!(state.secrets.load, Load::Loading);
    assert_eq!(keep(&mut state, SecretEvent::Changed).len(), 1);
    keep(&mut state, SecretEvent::Loaded { request: 1, result: Ok(secrets(None)) });
    assert!(state.secrets.secrets.is_empty());
    keep(&mut state, SecretEvent::Loaded { request: 2, result: Ok(secrets(Some(Kept::Keyring))) });
    assert_eq!(state.secrets.find("openai.api_key").unwrap().kept, Some(Kept::Keyring));
    assert_eq!(state.reduce(Event::Connected).len(), 3, "the settings, the secrets, and the secrets of the page");
}

#[test]
fn a_secret_is_deleted_after_a_question_that_says_who_needs_it() {
    let mut state = state();
    state.reduce(Event::Show(Page::Secrets));
    keep(&mut state, SecretEvent::Loaded { request: 1, result: Ok(secrets(Some(Kept::Keyring))) });
    let question = question(&keep(&mut state, SecretEvent::AskDelete("openai.api_key".into()))).unwrap();
    assert!(question.danger && question.details[0].contains("model"));
    let effects = state.reduce(inner(question.event));
    assert!(format!("{effects:?}").contains("Delete"));
    let deleted = SecretEvent::Deleted { request: 2, name: "openai.api_key".into(), result: Ok(true) };
    assert_eq!(toast(&keep(&mut state, deleted)).unwrap().text, "openai.api_key is deleted.");
}

fn of_profiles(state: &mut State, event: ProfileEvent) -> Vec<Outer> {
    state.reduce(Event::Profiles(event))
}

#[test]
fn a_profile_gets_a_name_that_the_worker_takes_and_that_is_free() {
    let mut state = of(schema(), vec![profile("work", &[])]);
    of_profiles(&mut state, ProfileEvent::New);
    let error = |state: &mut State, name: &str| {
        of_profiles(state, ProfileEvent::Name(name.into()));
        state.profiles.naming.clone().unwrap().error
    };
    for wrong in ["two words", "a/b", "work", &"x".repeat(65)] {
        assert!(error(&mut state, wrong).is_some(), "{wrong}");
        assert!(of_profiles(&mut state, ProfileEvent::Submit).is_empty());
    }
    assert_eq!(error(&mut state, ""), None, "who has not begun made no mistake");
    assert!(of_profiles(&mut state, ProfileEvent::Submit).is_empty());
    assert_eq!(error(&mut state, &"x".repeat(64)), None);
    assert_eq!(error(&mut state, "home-2"), None);
    let effects = of_profiles(&mut state, ProfileEvent::Submit);
    assert!(format!("{effects:?}").contains("Create"));
    let done = ProfileEvent::Done { request: 1, result: Ok(Deed::Created { name: "home-2".into() }) };
    of_profiles(&mut state, done);
    assert_eq!(state.profiles.selected.as_deref(), Some("home-2"));
    assert!(state.profiles.naming.is_none() && !state.profiles.busy);
}

#[test]
fn a_profile_keeps_its_name_or_gets_another() {
    let mut state = of(schema(), vec![profile("work", &[("model.name", "m")])]);
    of_profiles(&mut state, ProfileEvent::Rename("work".into()));
    assert!(of_profiles(&mut state, ProfileEvent::Submit).is_empty(), "its own name is no change");
    of_profiles(&mut state, ProfileEvent::Rename("work".into()));
    of_profiles(&mut state, ProfileEvent::Name("job".into()));
    let effects = of_profiles(&mut state, ProfileEvent::Submit);
    let renamed = effects.iter().any(|effect| {
        matches!(effect, Outer::Settings(Effect::Profiles(profiles::Effect::Rename { profile, to, .. }))
            if profile.values == [("model.name".to_owned(), "m".to_owned())] && to == "job")
    });
    assert!(renamed, "{effects:?}");
    let refused = ProfileEvent::Done { request: 1, result: Err("memory is away".into()) };
    assert!(toast(&of_profiles(&mut state, refused)).is_none());
    assert_eq!(state.profiles.naming.unwrap().error.as_deref(), Some("memory is away"));
}

#[test]
fn deleting_a_profile_says_who_uses_it_and_can_be_undone_with_them() {
    let mut state = of(schema(), vec![profile("work", &[("model.name", "m")]), profile("zoo", &[])]);
    let users: Vec<_> = (1..=7).map(|id| User { conversation: id, title: format!("Talk {id}") }).collect();
    of_profiles(&mut state, ProfileEvent::Select("work".into()));
    assert_eq!(state.profiles.users_of("work"), None);
    state.reduce(Event::Show(Page::Profiles));
    let known = BTreeMap::from([("work".to_owned(), users.clone())]);
    of_profiles(&mut state, ProfileEvent::Users { request: 1, result: Ok(known) });
    let asked = question(&of_profiles(&mut state, ProfileEvent::AskDelete("work".into()))).unwrap();
    assert!(asked.text.starts_with("7 conversations"));
    assert_eq!(asked.details.last().map(String::as_str), Some("and 2 more"));
    let none = question(&of_profiles(&mut state, ProfileEvent::AskDelete("zoo".into()))).unwrap();
    assert_eq!(none.text, "No conversation uses it.");
    state.reduce(inner(asked.event));
    let deed = Deed::Deleted { profile: profile("work", &[("model.name", "m")]), users: users.clone() };
    let effects = of_profiles(&mut state, ProfileEvent::Done { request: 1, result: Ok(deed) });
    assert_eq!(state.profiles.selected.as_deref(), Some("zoo"));
    let effects = state.reduce(inner(toast(&effects).unwrap().action.unwrap().1));
    let restored = effects.iter().any(|effect| {
        matches!(effect, Outer::Settings(Effect::Profiles(profiles::Effect::Create { profile, users: again, .. }))
            if profile.values.len() == 1 && *again == users)
    });
    assert!(restored, "{effects:?}");
}

fn transfer(state: &mut State, event: TransferEvent) -> Vec<Outer> {
    state.reduce(Event::Transfer(event))
}

fn imported(count: usize) -> Imported {
    let change = |at| Change { key: format!("some.key_{at}"), profile: None, before: None, after: Some("1".into()) };
    Imported {
        changes: (0..count).map(change).collect(),
        secrets: vec!["openai.api_key".into()],
        restarted: Vec::new(),
    }
}

fn preview(count: usize) -> Preview {
    Preview { document: Document::new("{}".into()), origin: "a.json".into(), imported: imported(count) }
}

#[test]
fn nothing_is_imported_before_the_difference_was_seen() {
    let mut state = state();
    transfer(&mut state, TransferEvent::Import);
    assert!(transfer(&mut state, TransferEvent::Preview).is_empty(), "nothing was pasted");
    assert!(transfer(&mut state, TransferEvent::Agree).is_empty(), "nothing was seen");
    assert!(matches!(state.transfer.import, Import::Choosing { .. }));
    let effects = transfer(&mut state, TransferEvent::ChooseFile);
    assert!(matches!(&effects[..], [Outer::Settings(Effect::Transfer(transfer::Effect::PreviewFile { request: 1 }))]));
    transfer(&mut state, TransferEvent::Previewed { request: 1, result: Ok(Some(preview(2))) });
    assert!(matches!(&state.transfer.import, Import::Preview { changes, secrets, .. }
        if changes.len() == 2 && secrets == &["openai.api_key"]));
    let effects = transfer(&mut state, TransferEvent::Agree);
    assert!(matches!(&effects[..], [Outer::Settings(Effect::Transfer(transfer::Effect::Import { document }))]
        if document.json() == "{}"));
    transfer(&mut state, TransferEvent::Cancel);
    assert_eq!(state.transfer.import, Import::Importing, "what is being stored is stored as a whole");
    let before = Before { document: Document::new("{1}".into()), profiles: vec!["new".into()] };
    let effects = transfer(&mut state, TransferEvent::Imported { result: Ok((imported(2), before.clone())) });
    assert_eq!(state.transfer.import, Import::None);
    let toast = toast(&effects).unwrap();
    assert_eq!(toast.text, "2 settings were imported.");
    let effects = state.reduce(inner(toast.action.unwrap().1));
    assert!(
        matches!(&effects[..], [Outer::Settings(Effect::Transfer(transfer::Effect::Undo(again)))] if *again == before)
    );
}

#[test]
fn a_preview_that_comes_after_the_dialog_was_closed_opens_nothing() {
    let mut state = state();
    transfer(&mut state, TransferEvent::Import);
    transfer(&mut state, TransferEvent::ChooseFile);
    transfer(&mut state, TransferEvent::Cancel);
    transfer(&mut state, TransferEvent::Previewed { request: 1, result: Ok(Some(preview(1))) });
    assert_eq!(state.transfer.import, Import::None);
    transfer(&mut state, TransferEvent::Import);
    transfer(&mut state, TransferEvent::ChooseFile);
    transfer(&mut state, TransferEvent::Previewed { request: 1, result: Ok(Some(preview(1))) });
    assert!(matches!(state.transfer.import, Import::Reading { .. }), "that was the other file");
}

#[test]
fn a_document_that_is_refused_says_why_and_lets_one_choose_again() {
    let mut state = state();
    transfer(&mut state, TransferEvent::Import);
    transfer(&mut state, TransferEvent::Pasted(Document::new("{".into())));
    transfer(&mut state, TransferEvent::Preview);
    transfer(&mut state, TransferEvent::Previewed { request: 1, result: Err("it is no JSON".into()) });
    assert!(matches!(&state.transfer.import, Import::Choosing { error: Some(why), .. } if why == "it is no JSON"));
    // No file was chosen.
    transfer(&mut state, TransferEvent::ChooseFile);
    transfer(&mut state, TransferEvent::Previewed { request: 2, result: Ok(None) });
    assert!(matches!(&state.transfer.import, Import::Choosing { error: None, .. }));
}

#[test]
fn an_export_is_told_of_unless_no_file_was_chosen() {
    let mut state = state();
    transfer(&mut state, TransferEvent::Export);
    assert!(state.transfer.exporting);
    assert!(transfer(&mut state, TransferEvent::Exported { result: Ok(None) }).is_empty());
    assert!(!state.transfer.exporting);
    let effects = transfer(&mut state, TransferEvent::Exported { result: Ok(Some("/home/you/s.json".into())) });
    assert_eq!(toast(&effects).unwrap().text, "The settings are in /home/you/s.json.");
    let effects = transfer(&mut state, TransferEvent::Exported { result: Err("the disk is full".into()) });
    assert_eq!(toast(&effects).unwrap().tone, Tone::Danger);
    let effects = transfer(&mut state, TransferEvent::Copied { result: Ok(Document::new("{}".into())) });
    assert!(matches!(&effects[..], [Outer::System(System::Copy(text))] if text == "{}"));
}
