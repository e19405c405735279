//! The chat in each of its states, as a screen reader or a test finds it.

use super::*;
use crate::bridge;
use crate::state::chat::dialog::Dialog;
use crate::state::chat::list::Phase;
use crate::state::chat::tests::{conversation, stored, turns};
use crate::state::chat::{Effect, Event, Fault};
use crate::state::{Event as Any, answer, frame};
use crate::ui::Ui;
use butterfly_api::conversations::{ConversationPage, Hit, MessageState, StoredMessage, Transcript};
use butterfly_api::memory::{Explanation, Found, Passage, PassageKind, Reason, ReasonKind, Shown};
use butterfly_api::model::{ModelInfo, Models, Role, Usage};
use butterfly_api::session::TurnItem;
use butterfly_wire::ErrorCode;

#[derive(Clone)]
struct Script(Vec<Any>, fn() -> Element);

/// What is drawn after these events.
fn drawn(what: fn() -> Element, events: Vec<Any>) -> String {
    fn root() -> Element {
        let Script(events, what) = consume_context::<Script>();
        let ui = use_context_provider(|| {
            let ui = Ui::new(bridge::channel().0);
            for event in events {
                ui.send(event);
            }
            ui
        });
        use_hook(|| ui);
        what()
    }
    let mut dom = VirtualDom::new(root).with_root_context(Script(events, what));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

/// The chat with this conversation open.
fn chat(messages: Vec<StoredMessage>, then: Vec<Any>) -> String {
    drawn(view, opened(messages, then))
}

/// A conversation is opened and read, and then this happens.
fn opened(messages: Vec<StoredMessage>, then: Vec<Any>) -> Vec<Any> {
    let mut about = conversation(1, 5);
    about.title = "Plans <b>of</b> mine".to_owned();
    let transcript = Transcript { conversation: about, messages, more: false };
    // The number of the request is found out by asking a state of our own.
    let mut state = crate::state::chat::State::default();
    state.reduce(Event::Connected);
    let effects = state.reduce(Event::Open { conversation: 1, message: None });
    let request = effects.iter().find_map(|effect| match effect {
        crate::state::Effect::Chat(Effect::Read { request, .. }) => Some(*request),
        _ => None,
    });
    let result = Ok(Box::new(transcript));
    let mut events: Vec<Any> = vec![
        Event::Connected.into(),
        Event::Open { conversation: 1, message: None }.into(),
        Event::Read { conversation: 1, request: request.unwrap(), result }.into(),
    ];
    events.extend(then);
    events
}

fn answered(text: &str) -> StoredMessage {
    stored(2, 1, Role::Assistant, text)
}

fn asked(text: &str) -> StoredMessage {
    stored(1, 1, Role::User, text)
}

#[test]
fn a_new_chat_says_what_can_be_done_and_has_the_field_for_it() {
    let page = drawn(view, vec![Event::Connected.into()]);
    assert!(page.contains("What do you want to work on?") && page.contains(r#"id="composer""#), "{page}");
    assert!(page.contains(r#"aria-label="Message""#) && page.contains(r#"id="send""#));
    assert!(!page.contains(r#"id="stop""#));
}

#[test]
fn where_there_is_no_language_model_the_welcome_says_so() {
    let models = Models { provider: "ollama".into(), models: vec![], chosen: Some("builtin".into()) };
    let page = drawn(view, vec![Event::Connected.into(), Event::Models(Ok(Box::new(models))).into()]);
    assert!(page.contains("no language model is connected yet") && page.contains("Built-in responder"), "{page}");
}

#[test]
fn messages_have_roles_names_and_what_can_be_done_with_them() {
    let mut answer = answered("Some **bold** words and `code`.");
    answer.usage = Some(Usage {
        input_tokens: 10,
        output_tokens: 4,
        generation_ms: 100,
        context_tokens: 4096,
        ..Usage::default()
    });
    answer.versions = vec![2, 9];
    answer.thinking = "let me see".into();
    let page = chat(vec![asked("What is __init__?"), answer], vec![]);
    assert!(page.contains(r#"aria-label="You""#) && page.contains("What is __init__?"), "{page}");
    assert!(page.contains("<strong>bold</strong>") && page.contains("<code>code</code>"));
    for name in ["Copy", "Edit and ask again", "Answer again", "Why this answer", "Later version"] {
        assert!(page.contains(&format!(r#"aria-label="{name}""#)), "{name}");
    }
    assert!(page.contains("1/2") && page.contains("10 tokens in") && page.contains("40.0 tokens/s"));
    assert!(page.contains("Thought") && !page.contains("let me see"), "what was thought is folded");
    assert!(page.contains("14 of 4\u{202f}096 tokens of context used"));
    assert!(page.contains("Plans &#60;b&#62;of&#60;/b&#62; mine") || page.contains("Plans &lt;b&gt;"), "{page}");
    let look = frame::Look { usage_footer: false, ..frame::Look::default() };
    let page =
        chat(vec![asked("a"), answered("b")], vec![frame::Event::Look(look).into(), Event::ToggleThinking.into()]);
    assert!(!page.contains("tokens in"));
}

#[test]
fn hostile_text_becomes_text_and_no_element() {
    let hostile = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <svg onload=alert(1)>\n\n\
        [a](javascript:alert(1)) [b](data:text/html,x) [c](file:///etc/passwd) [d](dioxus://index.html/etc/passwd)\n\n\
        ![e](https://example.org/e.png) ![f](file:///etc/passwd) a\u{202e}b\u{0}\n\n```<b>\n<i>x</i>\n```\n";
    let mut answer = answered(hostile);
    answer.thinking = hostile.into();
    answer.model = hostile.into();
    answer.usage = Some(Usage::default());
    answer.error = Some(hostile.into());
    answer.state = MessageState::Interrupted;
    let page = chat(vec![asked(hostile), answer], vec![Event::ToggleThinking.into()]);
    for element in
        ["<script", "<img", "<iframe", "<style", "<object", "<link", " onerror=", " onload=", " href=", " src="]
    {
        let found = page.match_indices(element).map(|(at, _)| &page[at..page.len().min(at + 80)]).next();
        // Escaped text keeps its attributes' words behind an escaped bracket; an element begins with a bare one.
        let is_text = element.starts_with(' ') && page.contains("&#60;img src=x onerror=alert(1)&#62;");
        assert!(found.is_none() || is_text, "{element}: {found:?}");
    }
    assert!(!page.contains('\u{202e}') && page.contains("⟨U+202E⟩"), "{page}");
    assert!(page.contains("javascript:alert(1)") && page.contains("refused"), "where it would have led is shown");
}

#[test]
fn what_was_broken_off_can_be_continued_and_what_failed_tried_again() {
    let mut broken = answered("half of it");
    broken.state = MessageState::Interrupted;
    let page = chat(vec![asked("a"), broken.clone()], vec![]);
    assert!(page.contains("This answer was stopped.") && page.contains(r#"id="continue""#), "{page}");
    broken.error = Some("The model worker stopped.".into());
    assert!(chat(vec![asked("a"), broken], vec![]).contains("This answer was broken off. The model worker stopped."));
    let mut failed = answered("");
    failed.state = MessageState::Failed;
    failed.error = Some("The server is not running; start it.".into());
    let page = chat(vec![asked("a"), failed], vec![]);
    assert!(page.contains(r#"id="retry-2""#) && page.contains("The server is not running; start it."));
    assert!(chat(vec![asked("a")], vec![]).contains("This was not answered."));
}

#[test]
fn the_built_in_responder_is_labelled_as_such() {
    let mut answer = answered("I know what you told me.");
    answer.model = "builtin".into();
    assert!(chat(vec![asked("a"), answer], vec![]).contains("no language model is connected"));
}

/// A message is sent in the open conversation; its run is the fifth number that is given.
fn sent(then: Vec<Any>) -> Vec<Any> {
    let mut events: Vec<Any> = vec![Event::Typed("and then?".into()).into(), Event::Send.into()];
    events.extend(then);
    events
}

/// The number that the next run gets after [`opened`].
fn run() -> u64 {
    let mut state = crate::state::chat::State::default();
    for event in opened(turns(1, 1), sent(vec![])) {
        if let Any::Chat(event) = event {
            state.reduce(event);
        }
    }
    state.thread.run.unwrap()
}

fn item(item: TurnItem) -> Any {
    answer::Event::Item { run: run(), item }.into()
}

#[test]
fn what_is_sent_is_shown_at_once_and_the_answer_as_it_comes() {
    let page = chat(turns(1, 1), sent(vec![]));
    assert!(page.contains("and then?") && page.contains("Working") && page.contains(r#"id="stop""#), "{page}");
    let started: Any = Event::Started { run: run(), conversation: 1, message: 3 }.into();
    let said = vec![
        started.clone(),
        item(TurnItem::Notice { text: "The model is being loaded.".into() }),
        item(TurnItem::Thinking { text: "hm".into() }),
        item(TurnItem::Text { text: "# One\n\nTwo **thr".into() }),
    ];
    let page = chat(turns(1, 1), sent(said.clone()));
    assert!(page.contains("The model is being loaded.") && page.contains(r#"aria-busy="true""#), "{page}");
    assert!(page.contains("One</h3>") && page.contains("Two **thr"));
    let fault = Fault { code: ErrorCode::PeerDied, message: "the model ended".into() };
    let mut lost = said;
    lost.push(Event::Ended { run: run(), result: Err(fault) }.into());
    let page = chat(turns(1, 1), sent(lost));
    assert!(page.contains("Two **thr") && page.contains("The answer was cut off: the model ended"), "{page}");
}

#[test]
fn what_waits_behind_an_answer_is_listed() {
    let then = sent(vec![Event::Typed("one more".into()).into(), Event::Send.into()]);
    let page = chat(turns(1, 1), then);
    assert!(page.contains(r#"aria-label="Messages that wait""#) && page.contains("one more"), "{page}");
    assert!(!page.contains("Send now"), "it is sent by itself");
}

#[test]
fn the_list_has_groups_marks_and_a_menu_for_each() {
    let mut pinned = conversation(1, 5);
    pinned.pinned = true;
    let mut draft = conversation(2, 4);
    draft.draft = "not sent".into();
    let page = ConversationPage { conversations: vec![pinned, draft], total: 300 };
    let mut state = crate::state::chat::State::default();
    let effects = state.reduce(Event::Connected);
    let request = effects.iter().find_map(|effect| match effect {
        crate::state::Effect::Chat(Effect::List { request, .. }) => Some(*request),
        _ => None,
    });
    let listed = Event::Listed { request: request.unwrap(), offset: 0, result: Ok(page) };
    let events: Vec<Any> = vec![Event::Connected.into(), listed.into(), Event::BeginRename(2).into()];
    let side = drawn(panel, events[..2].to_vec());
    assert!(
        side.contains("Pinned") && side.contains("Talk 1") && side.contains("Something was typed and not sent"),
        "{side}"
    );
    assert!(side.contains(r#"aria-label="More about Talk 2""#) && side.contains(r#"id="chat-more""#));
    let side = drawn(panel, events);
    assert!(side.contains(r#"aria-label="Title of the conversation""#), "{side}");
    assert!(drawn(panel, vec![]).contains(r#"aria-label="Loading""#));
}

#[test]
fn what_was_found_is_marked_in_its_words() {
    let hit = Hit {
        conversation: 4,
        title: "Tea".into(),
        message: Some(9),
        speaker: "user".into(),
        at_unix_ms: 1_700_000_000_000,
        snippet: "I like <green> tea".into(),
        matches: vec![(15, 18)],
    };
    let mut state = crate::state::chat::State::default();
    let effects = state.reduce(Event::Search("tea".into()));
    let Some(crate::state::Effect::Chat(Effect::Search { request, .. })) = effects.first() else { panic!() };
    let found = Event::Found { request: *request, result: Ok(vec![hit]) };
    let side = drawn(panel, vec![Event::Search("tea".into()).into(), found.into()]);
    assert!(side.contains("<mark>tea</mark>") && side.contains("1 place"), "{side}");
}

#[test]
fn commands_are_completed_in_a_list_that_the_field_controls() {
    let page = drawn(view, vec![Event::Connected.into(), Event::Typed("/re".into()).into()]);
    assert!(page.contains(r#"role="listbox""#) && page.contains("/remember TEXT"), "{page}");
    assert!(page.contains(r#"aria-activedescendant="completion-0""#));
}

#[test]
fn a_dialog_asks_for_a_secret_and_shows_no_value() {
    let then = sent(vec![
        Event::NeedsSecret { run: run(), name: "model.api_key".into(), why: "The server wants a key.".into() }.into(),
        Event::SecretRefused { run: run(), why: "The keyring is locked; unlock it.".into() }.into(),
    ]);
    let page = chat(turns(1, 1), then);
    assert!(page.contains(r#"type="password""#) && page.contains("model.api_key"), "{page}");
    assert!(page.contains("The keyring is locked; unlock it.") && !page.contains(" value="));
}

#[test]
fn models_are_chosen_from_a_list_without_those_that_only_embed() {
    let model = |name: &str, capabilities: &[&str]| ModelInfo {
        name: name.into(),
        size_bytes: 5_200_000_000,
        parameters: "8.0B".into(),
        quantization: "Q4_K_M".into(),
        capabilities: capabilities.iter().map(|it| (*it).to_owned()).collect(),
        context_tokens: 40_960,
        modified_unix_ms: 0,
    };
    let models = Models {
        provider: "ollama".into(),
        models: vec![model("qwen3:8b", &["completion", "tools"]), model("minilm", &["embedding"])],
        chosen: Some("qwen3:8b".into()),
    };
    let events = vec![Event::Models(Ok(Box::new(models))).into(), Event::Show(Dialog::Models).into()];
    let page = drawn(view, events);
    assert!(page.contains("8.0B · Q4_K_M · 5.2 GB · 40 k context") && page.contains("now qwen3:8b"), "{page}");
    assert!(!page.contains("minilm"));
}

#[test]
fn why_an_answer_came_out_so_names_what_was_recalled_and_what_was_left_out() {
    let passage = Passage {
        id: 12,
        kind: PassageKind::Message,
        external_id: None,
        conversation: None,
        conversation_id: Some(4),
        speaker: "user".into(),
        text: "My sister lives in Lyon.".into(),
        tags: vec![],
        at_unix_ms: 0,
        source: None,
    };
    let reason = Reason { kind: ReasonKind::Word, score: 0.5, detail: "bm25 7.31 of 9.02: sister".into() };
    let shown = Shown {
        recalled: vec![Found { passage, score: 0.5, reasons: vec![reason] }],
        turns: 3,
        turns_left_out: 2,
        memory_enabled: true,
        ..Shown::default()
    };
    let explanation =
        Explanation { conversation: 1, turn: 1, text: String::new(), model: "m".into(), shown: Some(shown) };
    let then =
        vec![Event::Explain(1).into(), Event::Explained { message: 1, result: Ok(Box::new(explanation)) }.into()];
    let page = chat(turns(1, 1), then);
    for words in
        ["My sister lives in Lyon.", "1 recalled item", "words +0.50", "bm25 7.31", "3 in full; 2 were left out"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn a_list_that_cannot_be_read_says_why_and_what_to_do() {
    let mut state = crate::state::chat::State::default();
    state.list.phase = Phase::Failed("Memory is being started; try again.".into());
    let effects = state.reduce(Event::Connected);
    let request = effects.iter().find_map(|effect| match effect {
        crate::state::Effect::Chat(Effect::List { request, .. }) => Some(*request),
        _ => None,
    });
    let failed = Event::Listed { request: request.unwrap(), offset: 0, result: Err("Memory is away.".into()) };
    let side = drawn(panel, vec![Event::Connected.into(), failed.into()]);
    assert!(side.contains("could not be read. Memory is away.") && side.contains("Try again"), "{side}");
    let page = drawn(view, vec![Event::Typed("hello".into()).into(), Event::Send.into()]);
    assert!(page.contains("hello") && page.contains("Waiting for the assistant"), "{page}");
}
