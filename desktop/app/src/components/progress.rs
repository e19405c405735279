//! How far something has come.

use dioxus::prelude::*;

/// A bar. Without a value it only says that something goes on.
#[component]
pub fn Progress(
    label: String,
    /// From 0 to 1.
    value: Option<f64>,
    #[props(default)] text: Option<String>,
) -> Element {
    let percent = value.map(|value| (value.clamp(0.0, 1.0) * 100.0).round());
    rsx! {
        div { class: "progress",
            div {
                class: if percent.is_some() { "progress-track" } else { "progress-track unknown" },
                role: "progressbar",
                "aria-label": "{label}",
                "aria-valuemin": "0",
                "aria-valuemax": "100",
                "aria-valuenow": percent.map(|percent| percent.to_string()),
                "aria-valuetext": text.clone(),
                div { class: "progress-bar", style: percent.map(|percent| format!("width: {percent}%")) }
            }
            if let Some(text) = &text {
                span { class: "progress-text", "{text}" }
            }
        }
    }
}

/// Something goes on, and takes no room.
#[component]
pub fn Spinner(label: String) -> Element {
    rsx! {
        span { class: "spinner", role: "status", "aria-label": "{label}" }
    }
}
