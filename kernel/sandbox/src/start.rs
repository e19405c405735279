//! What only a program's start needs: the program, its dynamic loader, its libraries.

use crate::elf::{self, ElfError};
use butterfly_wire::confinement::{Access, PathGrant};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Folders where dynamic loaders look for libraries without being told. Debian and Ubuntu use the first group; Fedora,
/// openSUSE and Arch the second.
const LIBRARY_FOLDERS: &[&str] = &[
    #[cfg(target_arch = "x86_64")]
    "/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "x86_64")]
    "/usr/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/lib/aarch64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
];

/// What loaders read to find libraries: glibc's cache.
const LOADER_FILES: &[&str] = &["/etc/ld.so.cache"];

/// The program is none that could be started.
#[derive(Debug, Error)]
#[error("{program} cannot be started: {cause}; is the installation complete?")]
pub struct GrantError {
    program: String,
    cause: ElfError,
}

/// The grants without which `program` could not start: itself and its loader to be executed, the folders of its libraries to
/// be read. Canonical, sorted, without what does not exist. Reads a few hundred bytes of the program and lists no folder.
///
/// # Errors
/// [`GrantError`] when the program cannot be read or is no ELF program. A script is refused, because what it starts is
/// its interpreter.
pub fn start_grants(program: &Path) -> Result<Vec<PathGrant>, GrantError> {
    let fault = |cause: ElfError| GrantError { program: program.display().to_string(), cause };
    let program = fs::canonicalize(program).map_err(|error| fault(error.into()))?;
    if cfg!(target_os = "macos") {
        // The loader and its libraries are the same for every program there; the seatbelt profile names them.
        let mut grants = Grants::default();
        grants.add(&program, Access::Execute);
        return Ok(grants.into_list());
    }
    let mut file = File::open(&program).map_err(|error| fault(error.into()))?;
    let needs = elf::needs(&mut file).map_err(fault)?;

    let mut grants = Grants::default();
    let origin = program.parent().unwrap_or(Path::new("/")).display().to_string();
    if let Some(interpreter) = &needs.interpreter {
        grants.add(Path::new(interpreter), Access::Execute);
        // A loader in the root folder would grant everything.
        let loader = fs::canonicalize(interpreter).ok();
        if let Some(folder) = loader.as_deref().and_then(Path::parent).filter(|folder| folder.parent().is_some()) {
            grants.add(folder, Access::Read);
        }
        for path in LIBRARY_FOLDERS.iter().chain(LOADER_FILES) {
            grants.add(Path::new(path), Access::Read);
        }
        for folder in &needs.library_folders {
            let folder = folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            grants.add(Path::new(&folder), Access::Read);
        }
    }
    grants.add(&program, Access::Execute);
    Ok(grants.into_list())
}

/// Grants to read the paths of the system's own that exist, such as `/etc/resolv.conf`, with symbolic links resolved: on many
/// systems these are links, which a grant may not be. Only for constants: a path that a user or a model chose must be granted as it is
/// and be refused where it is a link.
#[must_use]
pub fn system_read(paths: &[&str]) -> Vec<PathGrant> {
    let mut grants = Grants::default();
    for path in paths {
        grants.add(Path::new(path), Access::Read);
    }
    grants.into_list()
}

/// Canonical paths, each with the most that was asked for it.
#[derive(Default)]
struct Grants(BTreeMap<PathBuf, Access>);

impl Grants {
    /// Adds a path if it exists and is absolute.
    fn add(&mut self, path: &Path, access: Access) {
        if !path.is_absolute() {
            return;
        }
        if let Ok(path) = fs::canonicalize(path) {
            let entry = self.0.entry(path).or_insert(access);
            *entry = (*entry).max(access);
        }
    }

    /// Paths that are no UTF-8 are left out: a grant cannot name them.
    fn into_list(self) -> Vec<PathGrant> {
        let named = |(path, access): (PathBuf, Access)| Some(PathGrant { path: path.to_str()?.to_owned(), access });
        self.0.into_iter().filter_map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(grants: &[PathGrant], path: &Path) -> Option<Access> {
        grants.iter().find(|grant| Path::new(&grant.path) == path).map(|grant| grant.access)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_and_its_loader_may_be_executed_and_only_they() {
        let program = fs::canonicalize(std::env::current_exe().unwrap()).unwrap();
        let grants = start_grants(&program).unwrap();
        assert_eq!(access(&grants, &program), Some(Access::Execute));
        let executable: Vec<_> = grants.iter().filter(|grant| grant.access == Access::Execute).collect();
        assert_eq!(executable.len(), 2, "{executable:?}");
        assert!(grants.iter().all(|grant| grant.access != Access::ReadWrite));
        assert!(grants.iter().all(|grant| Path::new(&grant.path) == fs::canonicalize(&grant.path).unwrap()));
        for wide in ["/", "/usr", "/etc", "/bin", "/usr/bin"] {
            assert_eq!(access(&grants, Path::new(wide)), None);
        }
    }

    #[test]
    fn a_script_and_a_missing_program_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
        assert!(start_grants(&script).is_err());
        assert!(start_grants(&folder.path().join("absent")).is_err());
    }

    #[test]
    fn system_paths_are_resolved_and_missing_ones_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::write(root.join("real"), "").unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        let (link, absent) = (root.join("link"), root.join("absent"));
        let grants = system_read(&[link.to_str().unwrap(), absent.to_str().unwrap(), "relative"]);
        assert_eq!(grants, [PathGrant::read(root.join("real").to_str().unwrap())]);
    }
}
