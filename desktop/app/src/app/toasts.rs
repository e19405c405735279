//! Toasts: short messages at the window's edge.

use crate::components::{Button, ButtonKind, Glyph, Icon, IconButton};
use crate::state::frame::{Event, Toast, Tone};
use crate::ui::Ui;
use dioxus::prelude::*;
use std::time::Duration;

/// Time for which a toast is shown: long enough to read it and to reach its button (WCAG 2.2, 2.2.1).
const SHOWN: Duration = Duration::from_secs(8);

/// All that are shown.
#[component]
pub fn Toasts(ui: Ui) -> Element {
    let ids = use_memo(move || ui.frame.read().toasts.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    rsx! {
        div { class: "toasts", role: "region", "aria-label": "Messages", "aria-live": "polite",
            for id in ids() {
                One { key: "{id}", ui, id }
            }
        }
    }
}

#[component]
fn One(ui: Ui, id: u64) -> Element {
    let mut held = use_signal(|| false);
    let toast = use_hook(|| {
        let toast: Option<Toast> =
            ui.frame.peek().toasts.iter().find(|(other, _)| *other == id).map(|(_, it)| it.clone());
        toast
    });
    let Some(toast) = toast else { return rsx! {} };
    let stays = toast.tone == Tone::Danger;
    use_future(move || async move {
        if stays {
            return;
        }
        loop {
            tokio::time::sleep(SHOWN).await;
            // While somebody points at it or has the focus in it, it stays.
            if !held() {
                ui.send(Event::DismissToast(id));
            }
        }
    });
    rsx! {
        div {
            class: "toast {toast.tone.class()}",
            role: if stays { "alert" } else { "status" },
            onmouseenter: move |_| held.set(true),
            onmouseleave: move |_| held.set(false),
            onfocusin: move |_| held.set(true),
            onfocusout: move |_| held.set(false),
            Glyph { icon: toast.tone.icon() }
            p { class: "toast-text", "{toast.text}" }
            if let Some((label, _)) = toast.action {
                Button { label, kind: ButtonKind::Ghost, onclick: move |()| ui.send(Event::ActToast(id)) }
            }
            IconButton { icon: Icon::Close, label: "Dismiss", onclick: move |()| ui.send(Event::DismissToast(id)) }
        }
    }
}
