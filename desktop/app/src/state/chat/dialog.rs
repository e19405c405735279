//! What is asked or shown above the conversation, one thing at a time.

use super::shared::Shared;
use super::{Effect, Event, ForgetAnswer, State};
use crate::state::frame::{Toast, Tone};
use crate::state::{Effect as Outer, System};
use butterfly_api::memory::{Explanation, Forgotten, Found};
use std::collections::BTreeSet;

/// What is open.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Dialog {
    #[default]
    None,
    /// Which model answers.
    Models,
    /// Which settings the conversation uses.
    Profiles,
    /// Commands and keys.
    Help,
    /// What the model was shown for a turn; `None`: it is being asked for.
    Explain { message: u64, result: Option<Result<Shared<Explanation>, String>> },
    /// A turn waits for a secret. Its value is never here: it goes from the field to the vault.
    Secret { run: u64, name: String, why: String, keeping: bool, refused: Option<String> },
    /// What is to be forgotten.
    Forget(Forget),
}

/// The steps from words to what is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Forget {
    pub query: String,
    pub request: u64,
    pub step: ForgetStep,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ForgetStep {
    Looking,
    /// Nothing, or what was found and which of it was chosen.
    Choosing {
        found: Shared<Vec<Found>>,
        chosen: BTreeSet<u64>,
    },
    /// What would go is being asked for, or goes.
    Working,
    /// What would go with it.
    Agreeing {
        ids: Vec<u64>,
        would_go: Shared<Forgotten>,
    },
    Failed(String),
}

/// What the person does in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgetting {
    /// Look for these words.
    Look(String),
    Toggle(u64),
    /// Say what would go.
    Ask,
    Agree,
}

impl State {
    pub(super) fn show(&mut self, dialog: Dialog) -> Vec<Outer> {
        let effects = match &dialog {
            Dialog::Models => vec![Outer::Chat(Effect::Models)],
            Dialog::Profiles => vec![Outer::Chat(Effect::Profiles)],
            Dialog::None | Dialog::Help | Dialog::Explain { .. } | Dialog::Secret { .. } | Dialog::Forget(_) => {
                Vec::new()
            }
        };
        // What a turn waits for is not covered by anything else.
        if !matches!(self.dialog, Dialog::Secret { .. }) {
            self.dialog = dialog;
        }
        effects
    }

    pub(super) fn close_secret(&mut self, run: u64) {
        if matches!(&self.dialog, Dialog::Secret { run: asked, .. } if *asked == run) {
            self.dialog = Dialog::None;
        }
    }

    pub(super) fn keep_secret(&mut self, value: super::Hidden) -> Vec<Outer> {
        let Dialog::Secret { run, name, keeping, refused, .. } = &mut self.dialog else { return Vec::new() };
        if value.is_empty() {
            *refused = Some("Nothing was typed; paste the key, or cancel to stop this answer.".to_owned());
            return Vec::new();
        }
        if *keeping {
            return Vec::new();
        }
        *keeping = true;
        *refused = None;
        vec![Outer::Chat(Effect::KeepSecret { run: *run, name: name.clone(), value })]
    }

    pub(super) fn forget(&mut self, event: Forgetting) -> Vec<Outer> {
        if let Forgetting::Look(query) = event {
            let request = self.next();
            self.dialog = Dialog::Forget(Forget { query: query.clone(), request, step: ForgetStep::Looking });
            return vec![Outer::Chat(Effect::ForgetSearch { request, query })];
        }
        let request = self.next();
        let Dialog::Forget(forget) = &mut self.dialog else { return Vec::new() };
        match (event, &mut forget.step) {
            (Forgetting::Toggle(id), ForgetStep::Choosing { chosen, .. }) => {
                if !chosen.remove(&id) {
                    chosen.insert(id);
                }
                Vec::new()
            }
            (Forgetting::Ask, ForgetStep::Choosing { chosen, .. }) if !chosen.is_empty() => {
                let ids = chosen.iter().copied().collect();
                forget.request = request;
                forget.step = ForgetStep::Working;
                vec![Outer::Chat(Effect::Forget { request, ids, dry_run: true })]
            }
            (Forgetting::Agree, ForgetStep::Agreeing { ids, .. }) => {
                let ids = std::mem::take(ids);
                forget.request = request;
                forget.step = ForgetStep::Working;
                vec![Outer::Chat(Effect::Forget { request, ids, dry_run: false })]
            }
            (_, _) => Vec::new(),
        }
    }

    pub(super) fn forget_answered(&mut self, request: u64, result: Result<ForgetAnswer, String>) -> Vec<Outer> {
        let Dialog::Forget(forget) = &mut self.dialog else { return Vec::new() };
        if forget.request != request {
            return Vec::new();
        }
        match result {
            Err(why) => forget.step = ForgetStep::Failed(why),
            Ok(ForgetAnswer::Found(found)) => {
                forget.step = ForgetStep::Choosing { found: Shared::new(found), chosen: BTreeSet::new() };
            }
            Ok(ForgetAnswer::WouldGo(would_go)) => {
                let ids = would_go.passages.iter().map(|passage| passage.id).collect();
                forget.step = ForgetStep::Agreeing { ids, would_go: Shared::new(*would_go) };
            }
            Ok(ForgetAnswer::Gone(gone)) => {
                self.dialog = Dialog::None;
                let entries = gone.passages.len();
                let what = if entries == 1 { "1 entry was".to_owned() } else { format!("{entries} entries were") };
                let mut effects = vec![
                    Outer::toast(Toast::new(Tone::Success, format!("{what} forgotten."))),
                    Outer::System(System::Focus(super::COMPOSER.into())),
                ];
                effects.extend(self.reread());
                return effects;
            }
        }
        Vec::new()
    }

    /// Runs what was typed as a command.
    pub(super) fn command(&mut self, command: super::slash::Slash) -> Vec<Outer> {
        use super::slash::Slash;
        match command {
            Slash::Model(None) => self.show(Dialog::Models),
            Slash::Model(Some(name)) => self.reduce(Event::UseModel(Some(name))),
            Slash::New => self.reduce(Event::New),
            Slash::Remember(text) => self.reduce(Event::Remember(text)),
            Slash::Forget(query) => self.reduce(Event::Forget(Forgetting::Look(query))),
            Slash::Search(query) => {
                let mut effects = self.reduce(Event::Search(query));
                effects.push(Outer::System(System::Focus("chat-search".into())));
                effects
            }
            Slash::Export(json) => {
                use butterfly_api::conversations::Format;
                let format = if json { Format::Json } else { Format::Markdown };
                match self.thread.id {
                    Some(conversation) => self.reduce(Event::Export { conversation, format }),
                    None => vec![Outer::toast(Toast::new(
                        Tone::Info,
                        "There is nothing to export yet: nothing was said in this conversation.",
                    ))],
                }
            }
            Slash::Profile(None) => self.show(Dialog::Profiles),
            Slash::Profile(Some(name)) if name == "none" => self.reduce(Event::UseProfile(None)),
            Slash::Profile(Some(name)) => self.reduce(Event::UseProfile(Some(name))),
            Slash::Help => self.show(Dialog::Help),
            Slash::Incomplete(usage) => {
                self.composer.fault = Some(usage.to_owned());
                Vec::new()
            }
            Slash::Unknown(word) => {
                self.composer.fault = Some(format!(
                    "There is no command {word}; /help shows them, and a space before it makes it a message."
                ));
                Vec::new()
            }
        }
    }
}
