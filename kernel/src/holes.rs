//! The typed holes of a profile: what fills them, and what they become in a profile that can be put in force.

use crate::manifest::{PathRule, Ports, Template};
use butterfly_sandbox::system_read;
use butterfly_wire::confinement::{Access, PathGrant, Remaining, SessionBus};
use butterfly_wire::place::Place;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What fills the holes of one process's template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holes {
    pub ports: Vec<u16>,
    pub paths: Vec<PathGrant>,
}

impl Holes {
    /// Values in one order and each once, so that the same values are equal.
    #[must_use]
    pub fn new(mut ports: Vec<u16>, mut paths: Vec<PathGrant>) -> Self {
        ports.sort_unstable();
        ports.dedup();
        paths.sort_unstable();
        paths.dedup();
        Self { ports, paths }
    }
}

/// A value does not fit its hole. The asker's fault.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HoleError {
    #[error("this profile has no hole for ports")]
    NoPorts,
    #[error("port 0 is no port")]
    PortZero,
    #[error("this profile has no hole for paths")]
    NoPaths,
    #[error("{0} is not an absolute path without `.` and `..`")]
    NotPlain(String),
    #[error("{path} leads to {target}: grants do not follow symbolic links")]
    Symlink { path: String, target: String },
    #[error("{0} is outside of what the manifest allows")]
    Outside(String),
    #[error("{path} cannot be granted: {fault}")]
    Unreachable { path: String, fault: String },
    #[error("programs cannot be granted through a hole: {0}")]
    Executable(String),
}

/// Ports that the configured provider needs, from the overrides; `docs/capabilities.md` has the same table.
///
/// `builtin` needs none. A URL's own port counts, else 80 or 443 by its scheme; without a URL it is 11434 (Ollama) or 1234
/// (OpenAI-compatible, LM Studio's). A host that is a name, other than localhost, also needs 53 to be resolved over TCP.
#[must_use]
pub fn provider_ports(overrides: &[(String, String)]) -> Vec<u16> {
    let value = |name: &str| overrides.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let provider = value("MODEL_PROVIDER").unwrap_or("ollama");
    let default = match provider {
        "builtin" => return Vec::new(),
        "openai" => 1234,
        _ => 11434,
    };
    let Some(url) = value("MODEL_URL").filter(|url| !url.is_empty()) else {
        return vec![default];
    };
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let standard = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let mut ports = vec![port.and_then(|port| port.parse().ok()).filter(|port| *port != 0).unwrap_or(standard)];
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if !is_address && !host.eq_ignore_ascii_case("localhost") {
        ports.push(53);
    }
    ports
}

/// Checks values against a template's holes and canonical folders.
///
/// # Errors
/// A [`HoleError`] that names the value.
pub fn check(template: &Template, place: &Place, holes: &Holes) -> Result<(), HoleError> {
    if !holes.ports.is_empty() && template.ports == Ports::None {
        return Err(HoleError::NoPorts);
    }
    if holes.ports.contains(&0) {
        return Err(HoleError::PortZero);
    }
    let bounds: Vec<PathBuf> = template
        .paths
        .iter()
        .filter_map(|rule| match rule {
            PathRule::Within(folders) => Some(folders),
            PathRule::System(_) | PathRule::Data => None,
        })
        .flat_map(|folders| folders.iter())
        .filter_map(|folder| resolve(folder, place))
        .collect();
    if !holes.paths.is_empty() && bounds.is_empty() {
        return Err(HoleError::NoPaths);
    }
    holes.paths.iter().try_for_each(|grant| check_path(grant, &bounds))
}

fn check_path(grant: &PathGrant, bounds: &[PathBuf]) -> Result<(), HoleError> {
    if grant.access == Access::Execute {
        return Err(HoleError::Executable(grant.path.clone()));
    }
    let path = Path::new(&grant.path);
    let plain = path.components().collect::<PathBuf>();
    let has_dots = grant.path.split('/').any(|part| part == "." || part == "..");
    if !path.is_absolute() || has_dots || plain.as_os_str().is_empty() {
        return Err(HoleError::NotPlain(grant.path.clone()));
    }
    // What the name says and what it leads to must be the same; the jail opens it without following links, too.
    let canonical = path
        .canonicalize()
        .map_err(|fault| HoleError::Unreachable { path: grant.path.clone(), fault: fault.to_string() })?;
    if canonical != plain {
        let target = canonical.display().to_string();
        return Err(HoleError::Symlink { path: grant.path.clone(), target });
    }
    if !bounds.iter().any(|bound| canonical.starts_with(bound)) {
        return Err(HoleError::Outside(grant.path.clone()));
    }
    Ok(())
}

/// A bound's folder, links resolved; `None` where it does not exist.
fn resolve(folder: &str, place: &Place) -> Option<PathBuf> {
    let path = match folder.split_once('/') {
        Some(("$DATA", rest)) => place.data.join(rest),
        None if folder == "$DATA" => place.data.clone(),
        None if folder == "$HOME" => PathBuf::from(std::env::var_os("HOME")?),
        Some(("$HOME", rest)) => PathBuf::from(std::env::var_os("HOME")?).join(rest),
        Some(_) | None => PathBuf::from(folder),
    };
    path.canonicalize().ok()
}

/// The folder for the temporary files of a process that has the data folder: inside of it, because nothing else may be written.
#[must_use]
pub fn scratch(template: &Template, place: &Place) -> Option<PathBuf> {
    let data = place.data.canonicalize().unwrap_or_else(|_| place.data.clone());
    template.paths.contains(&PathRule::Data).then(|| data.join("tmp"))
}

/// What a process keeps, with its holes filled.
#[must_use]
pub fn remaining(
    template: &Template,
    place: &Place,
    holes: &Holes,
    landlock_abi: u32,
    session_bus: SessionBus,
) -> Remaining {
    let mut paths = Vec::new();
    for rule in template.paths {
        match rule {
            PathRule::System(path) => paths.extend(system_read(&[*path])),
            PathRule::Data => {
                let data = place.data.canonicalize().unwrap_or_else(|_| place.data.clone());
                paths.push(PathGrant::read_write(data.display().to_string()));
            }
            PathRule::Within(_) => paths.extend(holes.paths.iter().cloned()),
        }
    }
    Remaining {
        paths,
        tcp_ports: holes.ports.clone(),
        landlock_abi,
        file_modes: template.file_modes,
        session_bus,
        without: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NOTHING;

    fn ports(pairs: &[(&str, &str)]) -> Vec<u16> {
        let overrides: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        provider_ports(&overrides)
    }

    #[test]
    fn provider_ports_follow_provider_and_url() {
        assert_eq!(ports(&[]), [11434]);
        assert_eq!(ports(&[("MODEL_PROVIDER", "builtin")]), [0_u16; 0]);
        assert_eq!(ports(&[("MODEL_PROVIDER", "openai")]), [1234]);
        assert_eq!(ports(&[("MODEL_URL", "http://127.0.0.1:9")]), [9]);
        assert_eq!(ports(&[("MODEL_URL", "http://localhost:8080/v1")]), [8080]);
        assert_eq!(ports(&[("MODEL_URL", "https://api.example.com/v1")]), [443, 53]);
        assert_eq!(ports(&[("MODEL_URL", "http://[::1]:7/")]), [7]);
        assert_eq!(ports(&[("MODEL_URL", "http://user:1@10.0.0.1")]), [80]);
    }

    const BOUND: Template = Template { paths: &[PathRule::Within(&["$DATA"])], ..NOTHING };

    #[test]
    fn paths_stay_within_their_bounds() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let place = Place::under(&home);
        std::fs::create_dir_all(place.data.join("in")).unwrap();
        std::fs::create_dir_all(home.join("out")).unwrap();
        std::os::unix::fs::symlink(home.join("out"), place.data.join("link")).unwrap();
        let grant =
            |path: PathBuf| Holes { paths: vec![PathGrant::read(path.display().to_string())], ..Holes::default() };
        let verdict = |path: PathBuf| check(&BOUND, &place, &grant(path));
        assert_eq!(verdict(place.data.join("in")), Ok(()));
        assert_eq!(verdict(place.data.clone()), Ok(()));
        assert!(matches!(verdict(place.data.join("link")), Err(HoleError::Symlink { .. })));
        assert!(matches!(verdict(home.join("out")), Err(HoleError::Outside(_))));
        assert!(matches!(verdict(home.clone()), Err(HoleError::Outside(_))), "a parent is wider than the bound");
        assert!(matches!(verdict(place.data.join("in/../../out")), Err(HoleError::NotPlain(_))));
        assert!(matches!(verdict(place.data.join("absent")), Err(HoleError::Unreachable { .. })));
        assert!(matches!(verdict(PathBuf::from("data")), Err(HoleError::NotPlain(_))));
        assert_eq!(check(&NOTHING, &place, &grant(place.data.join("in"))), Err(HoleError::NoPaths));
        let ports = Holes { ports: vec![1], ..Holes::default() };
        assert_eq!(check(&NOTHING, &place, &ports), Err(HoleError::NoPorts));
    }
}
