//! A dialog: nothing behind it can be reached until it is closed (WAI-ARIA Authoring Practices, modal dialog).

use super::{Icon, IconButton};
use dioxus::prelude::*;

/// A modal dialog. Escape and a click beside it close it.
#[component]
pub fn Dialog(
    title: String,
    #[props(default)] wide: bool,
    onclose: EventHandler<()>,
    #[props(default)] footer: Option<Element>,
    children: Element,
) -> Element {
    rsx! {
        div {
            class: "scrim",
            onclick: move |_| onclose.call(()),
            div {
                class: if wide { "dialog wide" } else { "dialog" },
                role: "dialog",
                tabindex: "-1",
                "aria-modal": "true",
                "aria-labelledby": "dialog-title",
                // The head's script keeps Tab inside of what has this mark, and gives the focus back afterwards.
                "data-modal": "true",
                onclick: |event| event.stop_propagation(),
                onkeydown: move |event| {
                    if event.key() == Key::Escape {
                        event.prevent_default();
                        event.stop_propagation();
                        onclose.call(());
                    }
                },
                onmounted: |event| async move {
                    // A control inside that asks for the focus gets it afterwards.
                    let _ = event.set_focus(true).await;
                },
                header { class: "dialog-head",
                    h2 { id: "dialog-title", "{title}" }
                    IconButton { icon: Icon::Close, label: "Close", onclick: move |()| onclose.call(()) }
                }
                div { class: "dialog-body", {children} }
                if let Some(footer) = footer {
                    footer { class: "dialog-foot", {footer} }
                }
            }
        }
    }
}
