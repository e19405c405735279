//! The window: how it is opened, what it may load, where it was last, and what happens when it closes.

mod geometry;
mod tray;

use crate::app::{App, STYLES};
use crate::single::Raise;
use crate::state::frame::{self, Look};
use crate::state::settings;
use crate::ui::Ui;
use butterfly_api::control;
use butterfly_start::Instance;
use dioxus::desktop::tao::event::{Event, WindowEvent};
use dioxus::desktop::tao::window::Icon;
use dioxus::desktop::{Config, LogicalSize, WindowBuilder, use_wry_event_handler, window};
use dioxus::prelude::*;
use geometry::Geometry;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What the page may load, as it stands in docs/threat-model.md (Content Security Policy Level 3). Dioxus' own inline
/// script is let in here, because it holds a key that is new with each start, and so has no constant hash.
pub const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; \
img-src data:; font-src data:; connect-src ws://127.0.0.1:* dioxus://index.html//__events; base-uri 'none'; \
form-action 'none'; frame-src 'none'; object-src 'none'";

/// What is taken away from [`POLICY`] as soon as that script runs: from then on no script that stands in the page is run,
/// and no handler in an attribute. `unsafe-eval` is what Dioxus' calls from Rust into the page need.
pub const POLICY_AFTER_START: &str = "script-src 'unsafe-eval'";

/// Keeps the focus inside of dialogs and moves it in menus and tabs.
const FOCUS: &str = include_str!("../assets/focus.js");

/// Smallest size that everything fits in, in logical pixels.
const SMALLEST: (f64, f64) = (480.0, 400.0);

/// Time for the kernel to end in an orderly way when its window closes.
const FAREWELL: Duration = Duration::from_secs(5);

/// Opens the window and runs until it is closed.
pub fn launch(instance: Arc<Instance>, raise: Raise) {
    let geometry = Geometry::load(&instance.place);
    let config = config(&geometry);
    let raise = Arc::new(std::sync::Mutex::new(Some(raise)));
    LaunchBuilder::desktop().with_cfg(config).with_context(instance).with_context(raise).launch(App);
}

fn config(geometry: &Geometry) -> Config {
    let mut builder = WindowBuilder::new()
        .with_title("ButterFly Bot")
        .with_always_on_top(false)
        .with_inner_size(LogicalSize::new(geometry.width, geometry.height))
        .with_min_inner_size(LogicalSize::new(SMALLEST.0, SMALLEST.1))
        .with_maximized(geometry.maximized)
        .with_window_icon(icon());
    if let Some((x, y)) = geometry.position {
        builder = builder.with_position(dioxus::desktop::tao::dpi::LogicalPosition::new(x, y));
    }
    let mut config = Config::new();
    if let Some(colour) = geometry.colour() {
        builder = builder.with_background_color(colour);
        config = config.with_background_color(colour);
    }
    config
        .with_window(builder)
        .with_menu(None)
        .with_root_name("root")
        .with_custom_index(index())
        .with_disable_context_menu(!cfg!(debug_assertions))
        // What the person follows is opened outside, by `system`; the window itself goes nowhere.
        .with_navigation_handler(|target| {
            target.starts_with("dioxus://index.html/") && target.len() <= "dioxus://index.html/".len() + 1
        })
}

/// The page: a policy, the styles, and an empty body.
#[must_use]
pub fn index() -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>ButterFly Bot</title>\
<style>{STYLES}</style></head><body><div id=\"root\"></div></body></html>"
    )
}

/// The window's icon: the mark of assets/icon.rgba, 64 × 64 pixels, RGBA.
fn icon() -> Option<Icon> {
    Icon::from_rgba(include_bytes!("../assets/icon.rgba").to_vec(), 64, 64).ok()
}

/// What the root does with its window: tightens the policy, follows the window, raises it when asked, and takes leave
/// of the kernel when it closes.
pub fn use_window(ui: Ui) {
    let instance = use_context::<Arc<Instance>>();
    let raise = use_context::<Arc<std::sync::Mutex<Option<Raise>>>>();
    use_hook(move || {
        let tighten = format!(
            "document.head.append(Object.assign(document.createElement('meta'), \
             {{httpEquiv: 'Content-Security-Policy', content: {POLICY_AFTER_START:?}}}));"
        );
        run(&tighten);
        run(FOCUS);
        let (asked, mut asks) = tokio::sync::mpsc::unbounded_channel();
        let raise = raise.lock().ok().and_then(|mut raise| raise.take());
        if let Some(raise) = raise {
            raise.listen(move || {
                let _ = asked.send(());
            });
        }
        spawn(async move {
            while asks.recv().await.is_some() {
                show();
            }
        });
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            spawn(async move {
                if let Ok(mut asked) = signal(kind) {
                    asked.recv().await;
                    window().close();
                }
            });
        }
    });
    let place = instance.place.clone();
    let geometry = use_hook(|| {
        let geometry = Geometry::load(&place);
        // Until the settings are known.
        ui.send(frame::Event::Look(Look { theme: geometry.theme(), ..Look::default() }));
        std::rc::Rc::new(RefCell::new(geometry))
    });
    use_wry_event_handler(move |event, _| {
        if let Event::WindowEvent { event, .. } = event {
            match event {
                WindowEvent::Resized(_) | WindowEvent::Moved(_) => geometry.borrow_mut().follow(&window().window),
                WindowEvent::CloseRequested => {
                    let theme = ui.frame.peek().look.theme;
                    geometry.borrow_mut().dress(theme, window().window.theme());
                    geometry.borrow().save(&place);
                    if ui.link.peek().started_kernel && ui.settings.peek().on_close() == settings::OnClose::StopStarted
                    {
                        window().window.set_visible(false);
                        farewell(Arc::clone(&instance));
                    }
                }
                _ => {}
            }
        }
    });
    tray::use_tray(ui);
}

/// Brings the window to the front.
pub fn show() {
    let window = window();
    window.window.set_minimized(false);
    window.window.set_visible(true);
    window.window.set_focus();
}

/// Runs a script of our own in the page. It comes from outside of it, so that the policy does not concern it.
pub fn run(script: &str) {
    if let Err(fault) = window().webview.evaluate_script(script) {
        tracing::warn!(%fault, "a script of the app's own did not run");
    }
}

/// Ends the kernel, in an orderly way, and waits until it has agreed: the process ends right afterwards.
fn farewell(instance: Arc<Instance>) {
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(async {
                if let Ok((bus, _)) = butterfly_client::connect(&instance.place).await
                    && bus.call::<control::Shutdown>(&()).await.is_ok()
                {
                    bus.ended().await;
                }
            });
        }
        let _ = done.send(());
    });
    // A kernel that takes longer ends without us.
    let _ = waiting.recv_timeout(FAREWELL);
}

/// Whether the person looks at the window.
#[must_use]
pub fn is_focused() -> bool {
    window().window.is_focused()
}

/// Closes the window, as its button does.
pub fn close() {
    window().close();
}

/// A new chat was asked for from outside of the window.
fn new_chat(ui: Ui) {
    show();
    crate::actions::run(ui, "chat.new");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_the_one_in_the_docs() {
        let page = include_str!("../../../docs/threat-model.md");
        for policy in [POLICY, POLICY_AFTER_START] {
            assert!(page.contains(&format!("```text\n{policy}\n```")), "docs/threat-model.md lacks: {policy}");
        }
    }

    #[test]
    fn the_page_has_the_policy_and_no_script_of_its_own() {
        let page = index();
        assert!(page.contains(&format!("content=\"{POLICY}\"")));
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn the_icon_is_one() {
        assert!(icon().is_some());
    }
}
