//! A window of Dioxus with one line in it: the least that any app of this kind takes until something is seen.

use dioxus::desktop::{Config, LogicalSize, WindowBuilder};
use dioxus::prelude::*;

fn main() {
    let window = WindowBuilder::new().with_title("empty").with_inner_size(LogicalSize::new(1120.0, 760.0));
    let config = Config::new().with_window(window).with_menu(None);
    LaunchBuilder::desktop().with_cfg(config).launch(Empty);
}

#[component]
fn Empty() -> Element {
    rsx! {
        p { "Nothing else." }
    }
}
