//! Answers: from the words that are sent to the end of what is said to them.

use super::{Effect, Fault, Run, State};
use crate::state::frame::{Toast, Tone};
use crate::state::{Effect as Outer, answer};
use butterfly_api::session::{EndReason, Place, SendRequest, TurnEnd};
use butterfly_wire::ErrorCode;

impl State {
    /// Says something in the open conversation. While an answer runs there, it waits.
    pub(super) fn say(&mut self, text: String, place: Place) -> Vec<Outer> {
        if self.is_running() {
            match place {
                Place::End => self.composer.queue.push_back(text),
                // Another version of what is being answered: the answer that runs has to end first.
                Place::InsteadOf(_) | Place::Again(_) => {
                    return vec![Outer::toast(Toast::new(
                        Tone::Info,
                        "An answer is running here; stop it first (Esc), then try again.",
                    ))];
                }
            }
            return Vec::new();
        }
        // One that is over and was not read yet gives way; what it said is read along with what comes.
        let over = self.thread.run.take();
        let mut effects: Vec<_> = over.map(|run| self.forget_run(run)).into_iter().collect();
        let conversation = self.thread.id;
        let (run, begun) = self.begin(conversation, text, place);
        effects.extend(begun);
        self.thread.run = Some(run);
        self.cut_for(run);
        self.thread.jump_to_end();
        if over.is_some() {
            effects.extend(self.reread());
        }
        effects
    }

    fn begin(&mut self, conversation: Option<u64>, text: String, place: Place) -> (u64, Vec<Outer>) {
        let number = self.next();
        let request =
            SendRequest { conversation, text: text.clone(), place, unsaved: false, model: self.model.clone() };
        let run = Run { conversation, text, place, message: None, stopping: false, over: false };
        self.runs.insert(number, run);
        let effects =
            vec![Self::tell(answer::Event::Began { run: number }), Outer::Chat(Effect::Say { run: number, request })];
        (number, effects)
    }

    /// What stands where another version is being said is not shown meanwhile.
    pub(super) fn cut_for(&mut self, run: u64) {
        let Some(run) = self.runs.get(&run) else { return };
        match run.place {
            Place::End => {}
            Place::InsteadOf(message) => self.thread.cut(message, false),
            Place::Again(message) => {
                let Some(found) = self.thread.find(message) else { return };
                let turn = found.turn;
                self.thread.cut(turn, true);
            }
        }
    }

    pub(super) fn started(&mut self, run: u64, conversation: u64, message: u64) -> Vec<Outer> {
        let Some(begun) = self.runs.get_mut(&run) else { return Vec::new() };
        let is_new = begun.conversation.is_none();
        begun.conversation = Some(conversation);
        begun.message = Some(message);
        let stopping = begun.stopping;
        let mut effects = Vec::new();
        if self.thread.run == Some(run) && is_new {
            self.thread.id = Some(conversation);
            effects.extend(self.draft_later());
        }
        if stopping {
            effects.push(Outer::Chat(Effect::Stop { conversation }));
        }
        effects
    }

    pub(super) fn stop(&mut self, run: u64) -> Vec<Outer> {
        self.close_secret(run);
        let Some(running) = self.runs.get_mut(&run).filter(|run| !run.over) else { return Vec::new() };
        running.stopping = true;
        match (running.conversation, running.message) {
            (Some(conversation), Some(_)) => vec![Outer::Chat(Effect::Stop { conversation })],
            // It has not begun: it is stopped as soon as it has.
            (_, _) => Vec::new(),
        }
    }

    pub(super) fn ended(&mut self, run: u64, result: Result<TurnEnd, Fault>) -> Vec<Outer> {
        let Some(running) = self.runs.get_mut(&run).filter(|run| !run.over) else { return Vec::new() };
        running.over = true;
        let ended = running.clone();
        self.close_secret(run);
        let open = self.thread.run == Some(run);
        let mut effects = vec![Self::tell(answer::Event::Ended { run, fault: result.as_ref().err().map(told) })];
        if ended.message.is_none() {
            effects.extend(self.not_begun(run, &ended, result.err(), open));
            return effects;
        }
        let complete = matches!(&result, Ok(TurnEnd { reason: EndReason::Complete | EndReason::Length, .. }));
        if open {
            // What waits is sent when the transcript is there, so that nothing of it is missing in between.
            self.thread.send_next = complete;
            effects.extend(self.reread());
            return effects;
        }
        effects.push(self.forget_run(run));
        self.list.unread.extend(ended.conversation);
        let waiting = self.asides.get_mut(&ended.conversation).filter(|_| complete).and_then(|it| it.queue.pop_front());
        if let Some(text) = waiting {
            effects.extend(self.begin(ended.conversation, text, Place::End).1);
        }
        effects
    }

    /// What was said did not arrive: nobody has it but this window.
    fn not_begun(&mut self, run: u64, ended: &Run, fault: Option<Fault>, open: bool) -> Vec<Outer> {
        let mut effects = vec![self.forget_run(run)];
        let why = fault.map_or_else(|| "The answer ended before it began.".to_owned(), |fault| told(&fault));
        if !open {
            if !ended.text.is_empty() {
                let aside = self.asides.entry(ended.conversation).or_default();
                aside.queue.push_front(ended.text.clone());
            }
            effects.push(Outer::toast(Toast::new(Tone::Danger, format!("A message was not sent: {why}"))));
            return effects;
        }
        self.composer.fault = Some(why);
        if !ended.text.is_empty() {
            self.give_back(ended);
        }
        // An edit, or another answer, hid what stands there.
        effects.extend(self.reread());
        effects
    }

    /// Puts words that were not sent where they can be sent again.
    fn give_back(&mut self, ended: &Run) {
        let fault = self.composer.fault.take();
        if self.composer.is_blank() && self.composer.editing.is_none() {
            self.composer.set(ended.text.clone());
            if let Place::InsteadOf(message) = ended.place {
                self.composer.editing = Some((message, String::new()));
            }
        } else {
            self.composer.queue.push_front(ended.text.clone());
        }
        self.composer.fault = fault;
    }

    /// Sends the first of what waits in the open conversation, if nothing runs in it.
    pub(super) fn send_queued(&mut self) -> Vec<Outer> {
        if self.is_running() {
            return Vec::new();
        }
        let Some(text) = self.composer.queue.pop_front() else { return Vec::new() };
        self.say(text, Place::End)
    }

    /// A run is over and its words are in the transcript, or nowhere.
    pub(super) fn forget_run(&mut self, run: u64) -> Outer {
        let turn = self.runs.remove(&run).and_then(|run| run.message);
        if self.thread.run == Some(run) {
            self.thread.run = None;
        }
        Self::tell(answer::Event::Dropped { run, turn })
    }

    /// Whether an answer runs in the open conversation.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.run.and_then(|run| self.runs.get(&run)).is_some_and(|run| !run.over)
    }

    /// Whether an answer runs in this conversation.
    #[must_use]
    pub fn runs_in(&self, conversation: u64) -> bool {
        self.runs.values().any(|run| run.conversation == Some(conversation) && !run.over)
    }
}

/// Why an answer did not come, with what to do next.
fn told(fault: &Fault) -> String {
    match fault.code {
        ErrorCode::PeerDied | ErrorCode::Disconnected if !fault.message.contains("again") => {
            format!("The answer was cut off: {}; it can be asked for again.", fault.message.trim_end_matches('.'))
        }
        _ => fault.message.clone(),
    }
}
