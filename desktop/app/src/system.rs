//! What the desktop around the app does for it: clipboard, links, notifications, focus, the window.

use crate::state::System;
use crate::state::frame::{self, Toast, Tone};
use crate::ui::Ui;
use crate::window;
use dioxus::desktop::DesktopContext;
use dioxus::prelude::*;

/// Does it. Called on the window's thread.
pub fn perform(ui: Ui, effect: System) {
    match effect {
        System::Copy(text) => {
            copy(&text);
            ui.send(frame::Event::Toast(Toast::new(Tone::Success, "Copied")));
        }
        System::OpenLink(url) => {
            if let Err(why) = open(&url) {
                ui.send(frame::Event::Toast(Toast::new(Tone::Danger, why)));
            }
        }
        System::Notify { title, body } => {
            if !window::is_focused() && ui.settings.peek().notifications() {
                notify(title, body);
            }
        }
        System::Focus(id) => focus(&id),
        System::Quit => window::close(),
    }
}

/// Whether a link may leave the app: http, https and mailto, without control characters.
#[must_use]
pub fn may_open(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto")) && !url.chars().any(|c| c.is_control() || c == ' ')
}

fn open(url: &str) -> Result<(), String> {
    if !may_open(url) {
        return Err(format!("{url} was not opened: only http, https and mailto links leave the app"));
    }
    // The argument is no shell's: it reaches the program as it is.
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = std::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    match opened {
        Ok(mut child) => {
            // Somebody must take note of its end.
            std::thread::spawn(move || child.wait());
            Ok(())
        }
        Err(fault) => Err(format!("{url} could not be opened by {program}: {fault}")),
    }
}

#[cfg(target_os = "linux")]
fn copy(text: &str) {
    let clipboard = gtk::Clipboard::get(&gtk::gdk::SELECTION_CLIPBOARD);
    clipboard.set_text(text);
    clipboard.store();
}

#[cfg(not(target_os = "linux"))]
fn copy(text: &str) {
    if let Err(fault) = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.set_text(text)) {
        tracing::warn!(%fault, "nothing was copied");
    }
}

fn notify(title: String, body: String) {
    // It asks a service over D-Bus, which may take its time.
    std::thread::spawn(move || {
        let shown = notify_rust::Notification::new().appname("ButterFly Bot").summary(&title).body(&body).show();
        if let Err(fault) = shown {
            tracing::info!(%fault, "the system shows no notifications");
        }
    });
}

/// Moves the focus once what is being drawn stands. The page's script sees to it, because an edit of the page is on its
/// way for longer than this call.
fn focus(id: &str) {
    // Without a window, as in a test of the markup, there is no page.
    if try_consume_context::<DesktopContext>().is_some() {
        let id = serde_json::Value::from(id);
        window::run(&format!("window.focusOn?.({id});"));
    }
}

#[cfg(test)]
mod tests {
    use super::may_open;

    #[test]
    fn only_the_web_and_mail_are_opened() {
        for url in ["https://example.org/a?b=c#d", "HTTP://example.org", "mailto:a@example.org"] {
            assert!(may_open(url), "{url}");
        }
        for url in [
            "",
            "example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "dioxus://index.html/etc",
            "https://a\u{a}b",
            "https://a b",
        ] {
            assert!(!may_open(url), "{url}");
        }
    }
}
