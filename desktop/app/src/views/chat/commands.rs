//! What can be done in the chat, each by its name.

use crate::actions::{Action, always};
use crate::state::chat::dialog::Dialog;
use crate::state::chat::{COMPOSER, Event};
use crate::state::{System, frame, settings};
use crate::system;
use crate::ui::Ui;
use butterfly_api::conversations::Format;
use dioxus::prelude::*;

fn has_begun(ui: Ui) -> bool {
    ui.chat.peek().thread.id.is_some()
}

/// There is a message that could be answered again.
fn may_regenerate(ui: Ui) -> bool {
    let chat = ui.chat.peek();
    !chat.is_running() && chat.thread.last_asked().is_some()
}

fn has_reply(ui: Ui) -> bool {
    ui.chat.peek().thread.last_reply().is_some()
}

fn has_queued(ui: Ui) -> bool {
    let chat = ui.chat.peek();
    !chat.is_running() && !chat.composer.queue.is_empty()
}

/// Something is in the way that Escape closes first.
fn may_escape(ui: Ui) -> bool {
    let chat = ui.chat.peek();
    chat.is_running() || chat.composer.editing.is_some()
}

fn escape(ui: Ui) {
    let editing = ui.chat.peek().composer.editing.is_some();
    ui.send(if editing { Event::CancelEdit } else { Event::Stop });
}

/// Does something to the open conversation.
fn with(ui: Ui, event: fn(u64) -> Event) {
    let open = ui.chat.peek().thread.id;
    if let Some(conversation) = open {
        ui.send(event(conversation));
    }
}

/// Shows the list with the field in it that is wanted.
fn at_side(ui: Ui, focus: String) {
    ui.send(frame::Event::Show("chat"));
    let hidden = !ui.frame.peek().sidebar;
    if hidden {
        ui.send(frame::Event::ToggleSidebar);
    }
    system::perform(ui, System::Focus(focus));
}

/// Another version of the last answer.
fn version(ui: Ui, step: isize) {
    let other = {
        let chat = ui.chat.peek();
        let found = chat.thread.last_answer().or_else(|| chat.thread.last_asked());
        found.and_then(|message| {
            let at = message.versions.iter().position(|version| *version == message.id)?;
            message.versions.get(at.checked_add_signed(step)?).copied()
        })
    };
    if let Some(other) = other {
        ui.send(Event::Branch(other));
    }
}

/// All of them.
pub const ACTIONS: &[Action] = &[
    Action { run: |ui| ui.send(frame::Event::Show("chat")), ..base("chat.show", "Show the chat", Some("Ctrl+1")) },
    Action { run: |ui| ui.send(Event::New), ..base("chat.new", "New chat", Some("Ctrl+Shift+O")) },
    Action { enabled: may_escape, run: escape, ..base("chat.stop", "Stop the answer", Some("Esc")) },
    Action {
        enabled: may_regenerate,
        run: |ui| ui.send(Event::Regenerate),
        ..base("chat.regenerate", "Answer again", Some("Ctrl+R"))
    },
    Action {
        enabled: has_reply,
        run: |ui| ui.send(Event::CopyLast),
        ..base("chat.copy", "Copy the last reply", Some("Ctrl+Shift+C"))
    },
    Action {
        run: |ui| ui.send(Event::Show(Dialog::Models)),
        ..base("chat.model", "Choose the model", Some("Ctrl+Shift+M"))
    },
    Action {
        run: |ui| at_side(ui, "chat-search".to_owned()),
        ..base("chat.search", "Search conversations", Some("Ctrl+Shift+F"))
    },
    Action {
        run: |ui| system::perform(ui, System::Focus(COMPOSER.into())),
        ..base("chat.focus", "Go to the message field", Some("Ctrl+L"))
    },
    Action { run: |ui| ui.send(Event::Beside(1)), ..base("chat.next", "Next conversation", Some("Ctrl+PageDown")) },
    Action {
        run: |ui| ui.send(Event::Beside(-1)),
        ..base("chat.previous", "Previous conversation", Some("Ctrl+PageUp"))
    },
    Action {
        enabled: has_begun,
        run: |ui| {
            let open = ui.chat.peek().thread.id;
            if let Some(conversation) = open {
                at_side(ui, format!("rename-{conversation}"));
                ui.send(Event::BeginRename(conversation));
            }
        },
        ..base("chat.rename", "Rename this conversation", Some("F2"))
    },
    Action {
        enabled: has_begun,
        run: |ui| with(ui, Event::Pin),
        ..base("chat.pin", "Pin or unpin this conversation", None)
    },
    Action {
        enabled: has_begun,
        run: |ui| with(ui, Event::Delete),
        ..base("chat.delete", "Delete this conversation", Some("Ctrl+Shift+Delete"))
    },
    Action {
        enabled: has_begun,
        run: |ui| with(ui, |conversation| Event::Export { conversation, format: Format::Markdown }),
        ..base("chat.export", "Export this conversation as Markdown", Some("Ctrl+Shift+S"))
    },
    Action {
        enabled: has_begun,
        run: |ui| with(ui, |conversation| Event::Export { conversation, format: Format::Json }),
        ..base("chat.export_json", "Export this conversation as JSON", None)
    },
    Action {
        enabled: may_regenerate,
        run: |ui| ui.send(Event::EditLast),
        ..base("chat.edit", "Edit the last message", Some("Ctrl+ArrowUp"))
    },
    Action {
        enabled: may_regenerate,
        run: |ui| ui.send(Event::Continue),
        ..base("chat.continue", "Have the answer continued", None)
    },
    Action {
        enabled: |ui| ui.chat.peek().thread.last_answer().is_some(),
        run: |ui| {
            let turn = ui.chat.peek().thread.last_answer().map(|answer| answer.turn);
            if let Some(turn) = turn {
                ui.send(Event::Explain(turn));
            }
        },
        ..base("chat.explain", "Why this answer", Some("Ctrl+Shift+Y"))
    },
    Action {
        run: |ui| version(ui, -1),
        ..base("chat.version_before", "Earlier version of the answer", Some("Alt+ArrowLeft"))
    },
    Action {
        run: |ui| version(ui, 1),
        ..base("chat.version_after", "Later version of the answer", Some("Alt+ArrowRight"))
    },
    Action { run: |ui| ui.send(Event::Latest), ..base("chat.latest", "Jump to the latest message", Some("Ctrl+End")) },
    Action {
        enabled: has_queued,
        run: |ui| ui.send(Event::SendQueued),
        ..base("chat.send_queued", "Send the message that waits", None)
    },
    Action { run: |ui| ui.send(Event::PickFile), ..base("chat.attach", "Quote a text file", Some("Ctrl+Shift+U")) },
    Action {
        enabled: has_begun,
        run: |ui| ui.send(Event::Show(Dialog::Profiles)),
        ..base("chat.profile", "Choose the settings profile", None)
    },
    Action {
        run: |ui| ui.send(Event::ToggleThinking),
        ..base("chat.thinking", "Show or hide what the model thought", Some("Ctrl+Shift+H"))
    },
    Action {
        run: |ui| {
            let shown = ui.frame.peek().look.usage_footer;
            ui.send(settings::Event::Keep { key: "desktop.usage_footer", value: (!shown).to_string() });
        },
        ..base("chat.usage", "Show or hide what each answer cost", None)
    },
    Action {
        run: |ui| {
            let trash = ui.chat.peek().list.trash;
            ui.send(Event::ShowTrash(!trash));
            at_side(ui, "chat-list".to_owned());
        },
        ..base("chat.trash", "Show or hide deleted conversations", None)
    },
    Action { run: |ui| ui.send(Event::Show(Dialog::Help)), ..base("chat.help", "Commands of the chat", None) },
];

const fn base(id: &'static str, title: &'static str, key: Option<&'static str>) -> Action {
    Action { id, title, group: "Chat", key, enabled: always, run: |_| {} }
}
