//! A list that grows at its end, of which only what is seen is drawn.
//!
//! The frame is laid out from its end (`flex-direction: column-reverse`): the newest row stays in sight without a script,
//! and places are counted from there. Rows have one height.

use crate::components::{Glyph, Icon};
use dioxus::prelude::*;
use std::cmp::Ordering;
use std::ops::Range;

/// Height of a row in CSS pixels, as `--row` in assets/diagnostics.css has it.
pub const ROW: f64 = 26.0;

/// Rows drawn above and below of what is seen, so that a quick hand meets no gap.
const SPARE: usize = 12;

/// What is drawn before the frame's height is known.
const FIRST: usize = 60;

/// How the frame was scrolled.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Scroll {
    /// CSS pixels between the newest row and the frame's lower edge.
    pub from_end: f64,
    /// The frame's height in CSS pixels; 0 while unknown.
    pub height: f64,
}

impl Scroll {
    /// The rows to be drawn, counted from the newest.
    #[must_use]
    pub fn rows(self, total: usize) -> Range<usize> {
        if self.height <= 0.0 {
            return 0..total.min(FIRST);
        }
        let first = (self.from_end.max(0.0) / ROW) as usize;
        let seen = (self.height / ROW).ceil() as usize + 1;
        first.saturating_sub(SPARE).min(total)..(first + seen + SPARE).min(total)
    }

    /// Whether the person reads what is older.
    #[must_use]
    pub fn is_away(self) -> bool {
        self.from_end > ROW / 2.0
    }
}

/// The number beside this one, of numbers that go from newest to oldest: up leads to what is older.
#[must_use]
pub fn beside(numbers: impl Iterator<Item = u64>, number: u64, key: &Key) -> Option<u64> {
    let mut newer = None;
    for other in numbers {
        match other.cmp(&number) {
            Ordering::Greater => newer = Some(other),
            Ordering::Equal => {}
            Ordering::Less if *key == Key::ArrowUp => return Some(other),
            Ordering::Less => break,
        }
    }
    newer.filter(|_| *key == Key::ArrowDown)
}

/// The list. `rows` are those of [`Scroll::rows`], oldest first, each with the number that it keeps; `first` is the place
/// of the last of them, counted from the newest.
#[component]
pub fn Tail(
    label: String,
    total: usize,
    /// How many newer ones wait out of sight.
    newer: usize,
    scroll: Signal<Scroll>,
    /// The person went away from the end, or came back.
    onaway: EventHandler<bool>,
    first: usize,
    rows: Vec<(u64, Element)>,
) -> Element {
    let mut scroll = scroll;
    // A new frame begins at its end.
    let mut frame = use_signal(|| 0_u32);
    let back = move |_| {
        scroll.write().from_end = 0.0;
        frame += 1;
        onaway.call(false);
    };
    rsx! {
        div { class: "tail",
            div {
                key: "{frame}",
                class: "tail-frame",
                role: "log",
                "aria-live": "off",
                "aria-label": "{label}",
                tabindex: "0",
                onscroll: move |event| {
                    let before = scroll.peek().is_away();
                    let now = Scroll { from_end: -event.scroll_top(), height: f64::from(event.client_height()) };
                    scroll.set(now);
                    if before != now.is_away() {
                        onaway.call(now.is_away());
                    }
                },
                onresize: move |event| {
                    if let Ok(size) = event.get_border_box_size() {
                        scroll.write().height = size.height;
                    }
                },
                div { class: "tail-rows", style: "height: {total as f64 * ROW}px",
                    div { class: "tail-seen", style: "bottom: {first as f64 * ROW}px",
                        for (number, row) in rows {
                            div { key: "{number}", class: "tail-row", {row} }
                        }
                    }
                }
            }
            if scroll.read().is_away() {
                button { class: "tail-newer", r#type: "button", onclick: back,
                    Glyph { icon: Icon::ChevronDown, size: 14 }
                    if newer == 0 { "To the newest" } else { "{newer} newer" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_lead_to_the_rows_beside() {
        let beside = |number, key| beside([9, 7, 4].into_iter(), number, &key);
        assert_eq!((beside(7, Key::ArrowUp), beside(7, Key::ArrowDown)), (Some(4), Some(9)));
        assert_eq!((beside(9, Key::ArrowDown), beside(4, Key::ArrowUp)), (None, None));
        assert_eq!(beside(5, Key::ArrowDown), Some(7), "one that is gone from the list has neighbours all the same");
        assert_eq!(beside(7, Key::Enter), None);
    }

    #[test]
    fn only_what_is_seen_is_drawn() {
        let scroll = |from_end, height| Scroll { from_end, height };
        assert_eq!(Scroll::default().rows(10_000), 0..FIRST);
        assert_eq!(scroll(0.0, 260.0).rows(10_000), 0..23);
        assert_eq!(scroll(2600.0, 260.0).rows(10_000), 88..123);
        assert_eq!(scroll(2600.0, 260.0).rows(90), 88..90);
        assert_eq!(scroll(9e9, 260.0).rows(5), 5..5);
        assert_eq!(scroll(-40.0, 260.0).rows(3), 0..3, "a frame that bounces");
        assert!(!scroll(3.0, 260.0).is_away() && scroll(60.0, 260.0).is_away());
    }
}
