//! Where one instance of the assistant keeps what is its own.

use crate::limits::SOCKET_PATH_BYTES;
use std::path::{Path, PathBuf};

/// The folders of one instance. `BUTTERFLY_HOME` puts all of them under one folder; without it they follow the
/// XDG base directory specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Memory's own: the database and the vectors.
    pub data: PathBuf,
    /// Logs and crash reports.
    pub state: PathBuf,
    /// Socket, lock and token of the running kernel.
    pub runtime: PathBuf,
    /// Where a socket goes whose path in `runtime` would be too long: the user's runtime folder, else `/tmp`.
    pub short: PathBuf,
}

/// No place can be derived from the environment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlaceError {
    #[error("neither BUTTERFLY_HOME nor HOME is set, so there is no folder to keep anything in; set one of them")]
    NoHome,
    #[error("{name} is not an absolute path: {value}")]
    Relative { name: &'static str, value: String },
}

impl Place {
    /// Derives the folders from variables, which `get` looks up.
    ///
    /// # Errors
    /// [`PlaceError`] where a variable is missing or relative.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, PlaceError> {
        let absolute = |name: &'static str| match get(name).filter(|value| !value.is_empty()) {
            Some(value) if !value.starts_with('/') => Err(PlaceError::Relative { name, value }),
            other => Ok(other.map(PathBuf::from)),
        };
        let session = absolute("XDG_RUNTIME_DIR")?;
        let short = session.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
        if let Some(home) = absolute("BUTTERFLY_HOME")? {
            return Ok(Self { short, ..Self::under(&home) });
        }
        let home = absolute("HOME")?.ok_or(PlaceError::NoHome)?;
        let data = absolute("XDG_DATA_HOME")?.unwrap_or_else(|| home.join(".local/share")).join("butterfly");
        let state = absolute("XDG_STATE_HOME")?.unwrap_or_else(|| home.join(".local/state")).join("butterfly");
        let runtime = session.map_or_else(|| state.join("run"), |folder| folder.join("butterfly"));
        Ok(Self { data, state, runtime, short })
    }

    /// All folders under one.
    #[must_use]
    pub fn under(home: &Path) -> Self {
        Self {
            data: home.join("data"),
            state: home.join("state"),
            runtime: home.join("run"),
            short: PathBuf::from("/tmp"),
        }
    }

    /// The kernel's socket. A path that would not fit a socket address gets a hashed name in
    /// the user's runtime folder: a folder of its own, which whoever opens it must find to be private and its own.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let direct = self.runtime.join("kernel.sock");
        if direct.as_os_str().len() <= SOCKET_PATH_BYTES {
            return direct;
        }
        let hash = fnv1a(direct.as_os_str().as_encoded_bytes());
        self.short.join(format!("butterfly-{hash:016x}")).join("kernel.sock")
    }

    #[must_use]
    pub fn token(&self) -> PathBuf {
        self.runtime.join("token")
    }

    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.runtime.join("lock")
    }

    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    #[must_use]
    pub fn crashes(&self) -> PathBuf {
        self.state.join("crashes")
    }
}

/// FNV-1a, 64 bits: names a path, protects nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pairs: &[(&str, &str)]) -> Result<Place, PlaceError> {
        Place::from_variables(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn one_folder_holds_everything_when_asked() {
        assert_eq!(place(&[("BUTTERFLY_HOME", "/b"), ("HOME", "/h")]), Ok(Place::under(Path::new("/b"))));
    }

    #[test]
    fn xdg_folders_are_followed() {
        let place = place(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/7")]).unwrap();
        assert_eq!(place.data, Path::new("/h/.local/share/butterfly"));
        assert_eq!(place.socket(), Path::new("/run/user/7/butterfly/kernel.sock"));
    }

    #[test]
    fn relative_and_absent_homes_are_refused() {
        assert_eq!(place(&[]), Err(PlaceError::NoHome));
        assert!(matches!(place(&[("BUTTERFLY_HOME", "x")]), Err(PlaceError::Relative { .. })));
    }

    #[test]
    fn long_socket_paths_get_a_short_stable_name() {
        let long = Place::under(Path::new(&format!("/{}", "x".repeat(120))));
        assert!(long.socket().as_os_str().len() <= SOCKET_PATH_BYTES);
        assert_eq!(long.socket(), long.socket());
        assert_ne!(long.socket(), Place::under(Path::new(&format!("/{}", "y".repeat(120)))).socket());
    }
}
