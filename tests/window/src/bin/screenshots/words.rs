//! What is asked in the pictures, and what the model server answers.

use butterfly_kit::model_server::{Play, Scenario, Step};
use std::time::Duration;

/// Between two words: some 40 tokens a second, as a good graphics card has them.
const PACE: Duration = Duration::from_millis(40);

pub const QUESTION: &str = "Ana's birthday is coming up. What could I give her, and when does it have to leave?";

const ANSWER: &str = "It is on **4 December**, and she lives in Lisbon now, so count on a week for a parcel from Berlin.

- **A small olive tree.** She likes them, and has a balcony now. It has to leave by 25 November.
- **Two evenings at the Hot Clube.** She likes jazz, and so does Jonas, who could come along. By mail, even on the last day.
- **A sketchbook bound by hand.** She draws. It has to leave by 26 November.

I would take the **tickets**: nothing can break on the way, and they cannot come too late.

- [x] Find out which evening Rui is free
- [ ] Book two seats
- [ ] Write the card

Shall I draft the card, in Portuguese?";

/// How the answer ends.
pub const ANSWERED: &str = "in Portuguese?";

pub const NEXT_QUESTION: &str = "Smooth the readings of my soil sensors in Rust, without copying them.";

const THOUGHT: &str = "They want a moving average over a window. An iterator adaptor keeps it lazy: hold the last readings in \
a ring and a running sum, so that each step costs the same. No copy of the input is needed.";

const BEGUN: &str =
    "An iterator adaptor does it: it holds a ring of the last `N` readings and their sum, and yields the mean.

```rust
/// The mean of the last `N` readings.
pub fn smooth<const N: usize>(readings: impl Iterator<Item = f32>) -> impl Iterator<Item = f32> {
    let (mut ring, mut sum, mut seen) = ([0.0; N], 0.0, 0_usize);
    readings.map(move |reading| {
        sum += reading - std::mem::replace(&mut ring[seen % N], reading);
        seen += 1;
        sum / seen.min(N) as f32
    })
}
```

Each step costs the same, ";

/// How far the answer has come in its picture.
pub const HALFWAY: &str = "Each step costs the same,";

/// The answer to [`QUESTION`].
pub fn answer() -> Scenario {
    Play::say(ANSWER).delay(PACE).into()
}

/// The answer to [`NEXT_QUESTION`], which waits to be released before its end.
pub fn unfinished() -> Scenario {
    let words = |text: &str| text.split_inclusive(' ').map(str::to_owned).collect::<Vec<_>>();
    let thought = words(THOUGHT).into_iter().map(Step::Thinking);
    let begun = words(BEGUN).into_iter().map(Step::Text);
    let rest = [Step::Hold, Step::Text("whatever the window is.".to_owned())];
    Play::steps(thought.chain(begun).chain(rest)).delay(PACE / 3).into()
}
