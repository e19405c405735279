//! Sentences that name commands: what stands between backticks is shown as code. It is text in any case.

use dioxus::prelude::*;

/// A sentence.
#[component]
pub(super) fn Prose(text: String) -> Element {
    rsx! {
        for (at, part) in text.split('`').enumerate() {
            // A backtick without its pair is one.
            if at % 2 == 1 && (at + 1 < text.split('`').count()) {
                code { key: "{at}", class: "command", "{part}" }
            } else if at % 2 == 1 {
                span { key: "{at}", "`{part}" }
            } else {
                span { key: "{at}", "{part}" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        dioxus_ssr::render_element(rsx! { Prose { text: text.to_owned() } })
    }

    #[test]
    fn commands_are_code_and_everything_is_text() {
        assert_eq!(
            html("Run `a <b>` now."),
            "<span>Run </span><code class=\"command\">a &#60;b&#62;</code><span> now.</span>"
        );
        assert_eq!(html("one ` alone"), "<span>one </span><span>` alone</span>");
    }
}
