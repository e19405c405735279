//! `butterfly-desktop`: the window of ButterFly Bot.

use butterfly_desktop::{single, window};
use butterfly_start::Instance;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const USAGE: &str = "\
butterfly-desktop: the window of ButterFly Bot

Usage: butterfly-desktop [--home DIR]

  --home DIR  all state of one instance under one folder (also BUTTERFLY_HOME)
  --help      this text
  --version   the version
";

/// Exit code where no window can be opened (`EX_UNAVAILABLE` of sysexits.h).
const UNAVAILABLE: u8 = 69;

fn main() -> ExitCode {
    let mut home = None;
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") => {
                print!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            Some("--version" | "-V") => {
                println!("butterfly-desktop {}", env!("CARGO_PKG_VERSION"));
                return ExitCode::SUCCESS;
            }
            Some("--home") => home = arguments.next(),
            _ => return refuse(&format!("{} is not understood; --help says what is", argument.to_string_lossy()), 2),
        }
    }
    let instance = match Instance::find(home.as_deref().map(Path::new), |name| std::env::var_os(name)) {
        Ok(instance) => Arc::new(instance),
        Err(fault) => return refuse(&fault.to_string(), 2),
    };
    if cfg!(target_os = "linux") && ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none()) {
        return refuse("there is no display to open a window on; `butterfly chat` talks in this terminal", UNAVAILABLE);
    }
    #[cfg(target_os = "linux")]
    if let Err(fault) = gtk::init() {
        let why = format!("no window can be opened on this display ({fault}); `butterfly chat` talks in this terminal");
        return refuse(&why, UNAVAILABLE);
    }
    match single::claim(&instance.place) {
        Ok(single::Claim::First(listener)) => {
            window::launch(instance, listener);
            ExitCode::SUCCESS
        }
        Ok(single::Claim::Raised) => {
            println!("ButterFly Bot is open already; its window was brought to the front");
            ExitCode::SUCCESS
        }
        Err(fault) => refuse(&fault.to_string(), 1),
    }
}

fn refuse(why: &str, code: u8) -> ExitCode {
    eprintln!("butterfly-desktop: {why}");
    ExitCode::from(code)
}
