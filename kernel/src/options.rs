//! How a kernel is started: what the command line says, and what only tests may change.

use crate::manifest::{Manifest, PRODUCTION};
use crate::session_bus::PROXIES;
use crate::supervisor::Policy;
use butterfly_wire::confinement::Layer;
use butterfly_wire::limits::{PING_INTERVAL_MS, PINGS_MISSED};
use std::path::PathBuf;
use std::time::Duration;

/// Launch options. Production sets `home` and the restart limits; everything else is for the test kit's kernel, which
/// links this library with a table of its own.
#[derive(Clone, Debug)]
pub struct Options {
    /// All state under this folder, instead of what the environment says.
    pub home: Option<PathBuf>,
    pub manifest: &'static Manifest,
    pub policy: Policy,
    pub ping_interval: Duration,
    pub pings_missed: u32,
    /// Pretend that the running kernel offers no newer Landlock ABI than this.
    pub landlock_abi_limit: Option<u32>,
    /// Layers to leave out of twins, so that the mutation test can see the table go red. Never of a worker.
    pub twins_without: Vec<Layer>,
    /// Where a proxy for the session bus may be; the first that exists is used.
    pub proxies: Vec<PathBuf>,
    /// Folder of the programs, instead of the kernel's own.
    pub programs: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            home: None,
            manifest: &PRODUCTION,
            policy: Policy::default(),
            ping_interval: Duration::from_millis(PING_INTERVAL_MS),
            pings_missed: PINGS_MISSED,
            landlock_abi_limit: None,
            twins_without: Vec::new(),
            proxies: PROXIES.map(PathBuf::from).to_vec(),
            programs: None,
        }
    }
}

/// The command line cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}; usage: butterfly-kernel [--home DIR] [--restarts N] [--restart-window SECONDS]")]
pub struct Usage(String);

impl Options {
    /// Reads the command line, program name excluded.
    ///
    /// # Errors
    /// [`Usage`] for an unknown option or a value that is none.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, Usage> {
        let mut options = Self::default();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| Usage(format!("{name} needs a value")));
            match name.as_str() {
                "--home" => {
                    let home = PathBuf::from(value()?);
                    if !home.is_absolute() {
                        return Err(Usage(format!("{} is not an absolute path", home.display())));
                    }
                    options.home = Some(home);
                }
                "--restarts" => options.policy.restarts = number(&name, &value()?)? as usize,
                "--restart-window" => options.policy.window = Duration::from_secs(number(&name, &value()?)?),
                _ => return Err(Usage(format!("{name} is no option"))),
            }
        }
        Ok(options)
    }
}

fn number(name: &str, value: &str) -> Result<u64, Usage> {
    value.parse().map_err(|_| Usage(format!("{name} needs a number, not {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Usage> {
        Options::from_arguments(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn options_are_read_and_nonsense_is_named() {
        assert_eq!(parse(&["--home", "/h", "--restarts", "3"]).unwrap().policy.restarts, 3);
        assert!(parse(&["--home", "h"]).is_err());
        assert!(parse(&["--no-sandbox"]).unwrap_err().to_string().contains("--no-sandbox"));
        assert!(parse(&["--restarts", "many"]).is_err());
    }
}
