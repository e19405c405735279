//! The Landlock layer: every right that the chosen ABI knows is handled, and only what is granted is allowed.

use crate::{JailError, JailExit};
use butterfly_wire::confinement::{Access, PathGrant, Remaining};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstat};
use std::os::fd::OwnedFd;

/// Every process may read and write it: programs treat its absence as a fault of their own.
const NULL_DEVICE: &str = "/dev/null";

/// Restricts the calling thread, for good. `abi` must not be above the running kernel's: each right is a hard requirement.
pub(super) fn restrict(abi: u32, start: &[PathGrant], remaining: &Remaining) -> Result<(), JailError> {
    let abi = ABI::from(i32::try_from(abi).unwrap_or(i32::MAX));
    // All paths are opened before anything is restricted, so that a refusal names the path.
    let mut paths = vec![(open(NULL_DEVICE)?, AccessFs::ReadFile | AccessFs::WriteFile)];
    for grant in start.iter().chain(&remaining.paths) {
        let path = open(&grant.path)?;
        let rights = rights(abi, grant.access, is_folder(&path, &grant.path)?);
        paths.push((path, rights));
    }
    let status = enforce(abi, paths, &remaining.tcp_ports).map_err(|error| fault(error.to_string()))?;
    match (status.ruleset, status.no_new_privs) {
        (RulesetStatus::FullyEnforced, true) => Ok(()),
        (status, _) => Err(fault(format!("{status:?}"))),
    }
}

fn enforce(
    abi: ABI,
    paths: Vec<(OwnedFd, BitFlags<AccessFs>)>,
    ports: &[u16],
) -> Result<landlock::RestrictionStatus, RulesetError> {
    let mut ruleset =
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(abi))?;
    let net = AccessNet::from_all(abi);
    if !net.is_empty() {
        ruleset = ruleset.handle_access(net)?;
    }
    let scopes = Scope::from_all(abi);
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes)?;
    }
    let mut ruleset = ruleset.create()?;
    for (path, rights) in paths {
        ruleset = ruleset.add_rule(PathBeneath::new(path, rights))?;
    }
    if !net.is_empty() {
        for port in ports {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
    }
    ruleset.restrict_self()
}

/// What a grant allows. Devices, sockets, pipes and symbolic links are never made, and no device takes an ioctl.
fn rights(abi: ABI, access: Access, folder: bool) -> BitFlags<AccessFs> {
    let rights = match access {
        Access::Read => AccessFs::ReadFile | AccessFs::ReadDir,
        Access::Execute => AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute,
        Access::ReadWrite => {
            AccessFs::ReadFile
                | AccessFs::ReadDir
                | AccessFs::WriteFile
                | AccessFs::Truncate
                | AccessFs::RemoveFile
                | AccessFs::RemoveDir
                | AccessFs::MakeReg
                | AccessFs::MakeDir
                | AccessFs::Refer
        }
    };
    rights & if folder { AccessFs::from_all(abi) } else { AccessFs::from_file(abi) }
}

/// Opens a granted path without following a link anywhere in it: whoever could plant one would choose what is granted.
fn open(path: &str) -> Result<OwnedFd, JailError> {
    let refused = |detail: String| JailError::new(JailExit::Grant, format!("{path:?} {detail}"));
    if !path.starts_with('/') {
        return Err(refused("(not an absolute path)".into()));
    }
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(AT_FDCWD, path, how).map_err(|error| refused(format!("({error})")))
}

fn is_folder(fd: &OwnedFd, path: &str) -> Result<bool, JailError> {
    let status = fstat(fd).map_err(|error| JailError::new(JailExit::Grant, format!("{path:?} ({error})")))?;
    Ok(SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR)
}

fn fault(detail: String) -> JailError {
    JailError::new(JailExit::Landlock, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABIS: [ABI; 5] = [ABI::V2, ABI::V4, ABI::V6, ABI::V7, ABI::V10];

    #[test]
    fn no_grant_makes_devices_sockets_or_links_and_none_mixes_writing_with_running() {
        for abi in ABIS {
            for access in [Access::Read, Access::Execute, Access::ReadWrite] {
                let rights = rights(abi, access, true);
                let never = AccessFs::MakeChar
                    | AccessFs::MakeBlock
                    | AccessFs::MakeSock
                    | AccessFs::MakeFifo
                    | AccessFs::MakeSym
                    | AccessFs::IoctlDev
                    | AccessFs::ResolveUnix;
                assert!(!rights.intersects(never), "{abi:?} {access:?}");
                assert!(!rights.contains(AccessFs::WriteFile | AccessFs::Execute), "{abi:?} {access:?}");
            }
        }
    }

    #[test]
    fn no_grant_asks_for_a_right_that_its_abi_or_its_file_kind_lacks() {
        for abi in ABIS {
            for access in [Access::Read, Access::Execute, Access::ReadWrite] {
                assert!(AccessFs::from_all(abi).contains(rights(abi, access, true)));
                assert!(AccessFs::from_file(abi).contains(rights(abi, access, false)));
            }
        }
    }

    #[test]
    fn relative_paths_and_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        assert!(open(root.join("real").to_str().unwrap()).is_ok());
        for path in ["link", "link/.", "absent"] {
            let error = open(root.join(path).to_str().unwrap()).unwrap_err();
            assert_eq!(error.exit, JailExit::Grant, "{path}");
        }
        assert_eq!(open("etc").unwrap_err().exit, JailExit::Grant);
    }
}
