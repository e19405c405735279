//! What a person is asked and told about a worker.

use super::units::sentence;
use super::workers::{Act, Outcome};
use super::{Event, Tab};
use crate::state::Effect as Outer;
use crate::state::frame::{self, Confirm, Toast, Tone};

/// Asks whether a worker shall be stopped, and says what that ends.
pub fn ask_stop(worker: String) -> Outer {
    let text = match worker.as_str() {
        "model" => "No model answers until it is resumed; an answer that is being written ends here.",
        "memory" => "Nothing can be saved or found until it is resumed.",
        "brains" => "Nobody answers until it is resumed; what was said stays saved.",
        "vault" => "Secrets cannot be read until it is resumed; those kept in its memory alone are lost.",
        _ => "What it serves is not there until it is resumed.",
    };
    Outer::then(frame::Event::Ask(Confirm {
        title: format!("Stop {worker}?"),
        text: text.to_owned(),
        details: Vec::new(),
        label: format!("Stop {worker}"),
        danger: true,
        event: Box::new(Event::Act { worker, act: Act::Stop }.into()),
    }))
}

/// What came of something that was done to a worker.
pub fn told(name: &str, act: Act, outcome: &Outcome) -> Toast {
    match outcome {
        Outcome::Held(reason) => Toast::new(Tone::Danger, format!("{name} is held: {}", sentence(reason)))
            .with("Show crashes", Event::Show(Tab::Crashes)),
        Outcome::Done | Outcome::Going => match act {
            Act::Restart => Toast::new(Tone::Success, format!("{name} was restarted.")),
            Act::Start => Toast::new(Tone::Success, format!("{name} is ready again.")),
            Act::Stop => Toast::new(Tone::Info, format!("{name} is stopped."))
                .with("Resume", Event::Act { worker: name.to_owned(), act: Act::Start }),
        },
    }
}
