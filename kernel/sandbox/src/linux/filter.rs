//! The seccomp layer: two filters compiled from the table in `syscalls.rs`.
//!
//! The first one knows arguments: what the profile allows passes, all else answers `EPERM`. The second one, installed after it,
//! knows numbers only: what the table does not name at all answers `ENOSYS`. Where two filters refuse with an error, Linux takes
//! the newer one's value; so an unknown call is "no such call", and a known but refused one "not permitted".
//!
//! Both end the process on a foreign architecture's calls: their numbers mean something else.

use super::syscalls::{ALLOWED, Argument, REFUSED, When};
use crate::{JailError, JailExit};
use butterfly_wire::confinement::{Access, Remaining, SessionBus};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::{BTreeMap, BTreeSet};

/// Landlock limits truncation from this ABI on.
const TRUNCATE_ABI: u32 = 3;

/// Installs both filters on the calling thread.
pub(super) fn install(abi: u32, remaining: &Remaining) -> Result<(), JailError> {
    let fault = |error: &dyn std::fmt::Display| JailError::new(JailExit::Seccomp, error.to_string());
    let by_argument = by_argument(abi, remaining, std::process::id()).map_err(|error| fault(&error))?;
    let by_number = by_number().map_err(|error| fault(&error))?;
    seccompiler::apply_filter(&by_argument).map_err(|error| fault(&error))?;
    seccompiler::apply_filter(&by_number).map_err(|error| fault(&error))
}

/// What this profile allows; the rest answers `EPERM`.
fn by_argument(abi: u32, remaining: &Remaining, pid: u32) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut unconditional = BTreeSet::new();
    for row in ALLOWED.iter().filter(|row| applies(row.when, abi, remaining)) {
        let alternatives = rules.entry(row.number).or_default();
        if row.arguments.is_empty() {
            unconditional.insert(row.number);
        }
        for combination in row.arguments {
            let conditions = combination.iter().map(|it| condition(*it, pid)).collect::<Result<_, _>>()?;
            alternatives.push(SeccompRule::new(conditions)?);
        }
    }
    for number in unconditional {
        rules.insert(number, Vec::new());
    }
    let refusal = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, refusal, SeccompAction::Allow, architecture()?)?.try_into()
}

/// What the table knows; the rest answers `ENOSYS`.
fn by_number() -> Result<BpfProgram, seccompiler::BackendError> {
    let known = ALLOWED.iter().map(|row| row.number).chain(REFUSED.iter().copied());
    let rules = known.map(|number| (number, Vec::new())).collect();
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, unknown, SeccompAction::Allow, architecture()?)?.try_into()
}

fn architecture() -> Result<TargetArch, seccompiler::BackendError> {
    std::env::consts::ARCH.try_into()
}

fn applies(when: When, abi: u32, remaining: &Remaining) -> bool {
    let writes = || remaining.paths.iter().any(|grant| grant.access == Access::ReadWrite);
    match when {
        When::Always => true,
        When::Files => !remaining.paths.is_empty(),
        When::Writes => writes(),
        When::TruncatesByPath => abi >= TRUNCATE_ABI && writes(),
        When::FileModes => remaining.file_modes,
        When::SessionBus => remaining.session_bus != SessionBus::None,
        When::Network => !remaining.tcp_ports.is_empty(),
        When::NoNetwork => remaining.tcp_ports.is_empty(),
    }
}

fn condition(argument: Argument, pid: u32) -> Result<SeccompCondition, seccompiler::BackendError> {
    let (index, length, operator, value) = match argument {
        Argument::Is(index, value) => (index, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value),
        Argument::Masked(index, mask, value) => {
            (index, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(u64::from(mask)), value)
        }
        Argument::Null(index) => (index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0),
        Argument::OwnPid(index) => (index, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, pid),
    };
    SeccompCondition::new(index, length, operator, u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::confinement::PathGrant;

    #[test]
    fn nothing_is_both_allowed_without_condition_and_refused() {
        for row in ALLOWED {
            assert!(!REFUSED.contains(&row.number), "{}", row.number);
        }
        let distinct: BTreeSet<_> = REFUSED.iter().collect();
        assert_eq!(distinct.len(), REFUSED.len());
    }

    #[test]
    fn rows_apply_to_the_profiles_that_their_condition_names() {
        let none = Remaining::default();
        let read = Remaining { paths: vec![PathGrant::read("/a")], ..Remaining::default() };
        let write = Remaining { paths: vec![PathGrant::read_write("/a")], ..Remaining::default() };
        let net = Remaining { tcp_ports: vec![1], ..Remaining::default() };
        assert!(!applies(When::Files, 7, &none) && applies(When::Files, 7, &read));
        assert!(!applies(When::Writes, 7, &read) && applies(When::Writes, 7, &write));
        assert!(!applies(When::TruncatesByPath, 2, &write) && applies(When::TruncatesByPath, 3, &write));
        assert!(applies(When::Network, 7, &net) && !applies(When::Network, 7, &none));
        assert!(!applies(When::NoNetwork, 7, &net) && applies(When::NoNetwork, 7, &none));
        assert!(!applies(When::FileModes, 7, &write));
        let bus = Remaining { session_bus: SessionBus::Filtered, ..Remaining::default() };
        assert!(applies(When::SessionBus, 7, &bus) && !applies(When::SessionBus, 7, &none));
    }

    #[test]
    fn both_filters_fit_what_linux_takes() {
        let most = Remaining {
            paths: vec![PathGrant::read_write("/a")],
            tcp_ports: vec![1],
            landlock_abi: 7,
            file_modes: true,
            session_bus: SessionBus::Direct,
            without: Vec::new(),
        };
        assert!(by_argument(7, &most, 1).unwrap().len() < 4096);
        assert!(by_number().unwrap().len() < 4096);
    }
}
