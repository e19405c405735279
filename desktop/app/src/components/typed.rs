//! Text that is being typed.
//!
//! An edit of the page arrives a moment after the key that caused it, and by then the person may have typed on. So what
//! stands in a control is the person's: it is written only when the state wants another text than was typed.

use dioxus::desktop::DesktopContext;
use dioxus::prelude::*;

/// What was last typed in a control, or put there.
#[derive(Clone, Copy, PartialEq)]
pub struct Typed {
    first: CopyValue<String>,
    last: CopyValue<String>,
}

impl Typed {
    /// For the control's `initial_value`.
    #[must_use]
    pub fn first(&self) -> String {
        self.first.peek().clone()
    }

    /// To be called with each text that is typed, before the state hears of it.
    pub fn typed(&mut self, text: &str) {
        self.last.set(text.to_owned());
    }
}

/// Keeps the text of the control with this id equal to `value`, without ever undoing what is being typed.
pub fn use_typed(id: &str, value: &str) -> Typed {
    let mut typed =
        use_hook(|| Typed { first: CopyValue::new(value.to_owned()), last: CopyValue::new(value.to_owned()) });
    if *typed.last.peek() != value {
        typed.last.set(value.to_owned());
        let (id, text) = (serde_json::Value::from(id), serde_json::Value::from(value));
        let script = format!(
            "(() => {{ const control = document.getElementById({id}); \
             if (control && control.value !== {text}) {{ control.value = {text}; \
             control.dispatchEvent(new Event('settled')); }} }})()"
        );
        // Without a window, as in a test of the markup, there is no page to write to.
        if try_consume_context::<DesktopContext>().is_some() {
            spawn(async move { crate::window::run(&script) });
        }
    }
    typed
}
