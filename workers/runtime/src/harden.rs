//! Giving up what only the start needed: the second, narrower layer that a worker puts on itself.
//!
//! The jail's layers still hold the program, its libraries and the calls that put them in force. From here on nothing is
//! executed or mapped as code, no layer can be added, and nobody of the same user may look into the process. This can only take
//! away: Landlock and seccomp never widen.
//!
//! Linux only: a seatbelt profile cannot be narrowed by the process that it binds.

use butterfly_wire::confinement::{Access, Layer, PathGrant, Remaining};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use thiserror::Error;

/// The second layer is not in force. The worker must end: it was told to run with less than it has.
#[derive(Debug, Error)]
pub enum GiveUpError {
    #[error("the worker could not make itself non-dumpable ({0}), so it was not started")]
    Dumpable(std::io::Error),
    #[error("the granted path {path} cannot be opened ({cause}); correct the grant")]
    Path { path: String, cause: String },
    #[error("the second Landlock layer did not take full effect ({0}), so the worker was not started")]
    Landlock(String),
    #[error("the second system-call filter did not take effect ({0}), so the worker was not started")]
    Seccomp(String),
}

/// Gives up everything but `remaining`. Must run while the process is single-threaded: only the calling thread, and what it
/// starts later, is bound.
///
/// # Errors
/// [`GiveUpError`] when a layer is not fully in force; the process must then end.
pub fn give_up(remaining: &Remaining) -> Result<(), GiveUpError> {
    if remaining.without.contains(&Layer::GiveUp) {
        return Ok(());
    }
    // `execve` made the process dumpable again: its memory would be open to every process of the same user.
    nix::sys::prctl::set_dumpable(false).map_err(|error| GiveUpError::Dumpable(error.into()))?;
    narrow_files(remaining)?;
    let filter = filter().map_err(|error| GiveUpError::Seccomp(error.to_string()))?;
    seccompiler::apply_filter(&filter).map_err(|error| GiveUpError::Seccomp(error.to_string()))
}

/// The second Landlock layer. Ports and scopes are not handled again: the first layer's hold.
fn narrow_files(remaining: &Remaining) -> Result<(), GiveUpError> {
    let abi = ABI::from(i32::try_from(remaining.landlock_abi).unwrap_or(i32::MAX));
    let null = PathGrant { path: "/dev/null".to_owned(), access: Access::ReadWrite };
    let mut rules = Vec::with_capacity(remaining.paths.len() + 1);
    for grant in remaining.paths.iter().chain([&null]) {
        let cause = |cause: String| GiveUpError::Path { path: grant.path.clone(), cause };
        let folder = std::fs::metadata(&grant.path).map_err(|error| cause(error.to_string()))?.is_dir();
        let path = PathFd::new(&grant.path).map_err(|error| cause(error.to_string()))?;
        rules.push((path, rights(abi, grant.access, folder)));
    }
    let status = enforce(abi, rules).map_err(|error| GiveUpError::Landlock(error.to_string()))?;
    match (status.ruleset, status.no_new_privs) {
        (RulesetStatus::FullyEnforced, true) => Ok(()),
        (status, _) => Err(GiveUpError::Landlock(format!("{status:?}"))),
    }
}

fn enforce(abi: ABI, rules: Vec<(PathFd, BitFlags<AccessFs>)>) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))?
        .create()?;
    for (path, rights) in rules {
        ruleset = ruleset.add_rule(PathBeneath::new(path, rights))?;
    }
    ruleset.restrict_self()
}

/// All that the first layer may have granted below a path, except running programs. Being wider than the first layer would be no
/// widening: both must allow.
fn rights(abi: ABI, access: Access, folder: bool) -> BitFlags<AccessFs> {
    let rights = match access {
        Access::Read | Access::Execute => AccessFs::ReadFile | AccessFs::ReadDir,
        Access::ReadWrite => AccessFs::from_all(abi) & !AccessFs::Execute,
    };
    rights & if folder { AccessFs::from_all(abi) } else { AccessFs::from_file(abi) }
}

/// What the jail's filter still allowed because the start needed it. Refused with `EPERM`.
fn filter() -> Result<BpfProgram, BackendError> {
    let has = |index: u8, bits: i32| {
        let bits = u64::from(bits as u32);
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), bits)
    };
    let is_not =
        |index: u8, value: i32| SeccompCondition::new(index, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value as u64);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = [
        // Programs.
        libc::SYS_execve,
        libc::SYS_execveat,
        // Further layers: sixteen would be the last, and then a program could no longer narrow itself.
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_add_rule,
        libc::SYS_landlock_restrict_self,
        libc::SYS_seccomp,
        // Code, in ways that the two below do not see.
        libc::SYS_pkey_mprotect,
        libc::SYS_remap_file_pages,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_arch_prctl,
    ]
    .into_iter()
    .map(|number| (number, Vec::new()))
    .collect();
    // Code: whatever runs was mapped before the first message arrived.
    for number in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(number, vec![SeccompRule::new(vec![has(2, libc::PROT_EXEC)?])?]);
    }
    // Everything but names of threads and of memory.
    let names = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];
    let others = names.iter().map(|name| is_not(0, *name)).collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(others)?]);
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_remaining_right_runs_a_program() {
        for abi in [ABI::V2, ABI::V4, ABI::V7] {
            for access in [Access::Read, Access::Execute, Access::ReadWrite] {
                for folder in [false, true] {
                    assert!(!rights(abi, access, folder).contains(AccessFs::Execute));
                }
            }
        }
    }

    #[test]
    fn the_filter_compiles_and_stays_short() {
        // Every call passes it: a few dozen instructions, not hundreds.
        assert!(filter().unwrap().len() < 100);
    }
}
