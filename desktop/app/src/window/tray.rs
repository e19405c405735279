//! The icon in the system's tray, where it has one.

use crate::ui::Ui;
use dioxus::desktop::trayicon::menu::{Menu, MenuItem, PredefinedMenuItem};
use dioxus::desktop::trayicon::{TrayIcon, TrayIconBuilder};
use dioxus::desktop::use_tray_menu_event_handler;
use dioxus::prelude::*;
use std::rc::Rc;

/// Shows the icon as long as the window is there.
pub fn use_tray(ui: Ui) {
    let _tray = use_hook(|| tray().map(Rc::new));
    use_tray_menu_event_handler(move |event| match event.id().0.as_str() {
        "show" => super::show(),
        "new" => super::new_chat(ui),
        "quit" => super::close(),
        _ => {}
    });
}

fn tray() -> Option<TrayIcon> {
    if cfg!(target_os = "linux") && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() {
        return None;
    }
    let build = || {
        let menu = Menu::new();
        menu.append_items(&[
            &MenuItem::with_id("show", "Show the window", true, None),
            &MenuItem::with_id("new", "New chat", true, None),
            &PredefinedMenuItem::separator(),
            &MenuItem::with_id("quit", "Quit", true, None),
        ])
        .ok()?;
        let icon =
            dioxus::desktop::trayicon::Icon::from_rgba(include_bytes!("../../assets/icon.rgba").to_vec(), 64, 64);
        TrayIconBuilder::new()
            .with_menu(Box::new(menu))
            .with_tooltip("ButterFly Bot")
            .with_icon(icon.ok()?)
            .build()
            .ok()
    };
    // The library behind it is looked for when it is first used, and its wrapper panics where there is none.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(build)).ok().flatten()
}
