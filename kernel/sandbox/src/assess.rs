//! What a system's version of Landlock can enforce of a worker's profile, beside the system-call filters.

use butterfly_wire::confinement::{Grade, Remaining, SessionBus};
use thiserror::Error;

/// The least Landlock ABI that is acceptable: Linux 5.19, so that Debian 12 (6.1) has it. ABI 1 cannot allow a rename
/// between folders and so breaks whoever has a data folder.
pub const FLOOR_ABI: u32 = 2;

/// From this ABI on (Linux 6.15) nothing is missing.
pub const FULL_ABI: u32 = 7;

/// Something that neither this system's Landlock nor the filters enforce. The names are stable: status, `doctor` and the
/// desktop show them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Missing {
    /// ABI below 4: whoever may use TCP at all may connect to any port.
    TcpPorts,
    /// No proxy for the session bus: whoever is handed a connection to it can talk to everybody there.
    BusFilter,
    /// ABI below 7: what is refused is refused silently, without a record in the audit log.
    AuditRecords,
}

impl Missing {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TcpPorts => "TCP port limits",
            Self::BusFilter => "dbus-proxy",
            Self::AuditRecords => "Landlock audit records",
        }
    }
}

/// How much of a profile this system enforces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessment {
    pub grade: Grade,
    /// By the names of [`Missing`].
    pub missing: Vec<String>,
}

/// The system offers less than the least that is acceptable.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error(
    "this system's Landlock has ABI {found}, and {FLOOR_ABI} is the least that is acceptable; use Linux 6.1 or newer with Landlock enabled at boot (lsm=landlock,…)"
)]
pub struct BelowFloor {
    pub found: u32,
}

/// Judges what a Landlock of this ABI leaves open for a process with these grants.
///
/// What older versions lack and the filters cover instead is not missing: truncation (ABI 3) and device ioctls (5) by the
/// filters on `openat`, `truncate` and `ioctl`; signals and abstract sockets (6) by those on `kill`, `tgkill`, `socket` and
/// `connect`; TCP (4) by that on `socket`, where no port is granted.
///
/// # Errors
/// [`BelowFloor`] when there is no Landlock, or one older than [`FLOOR_ABI`].
pub fn assess(system_abi: u32, remaining: &Remaining) -> Result<Assessment, BelowFloor> {
    if system_abi < FLOOR_ABI {
        return Err(BelowFloor { found: system_abi });
    }
    let tcp_ports = (system_abi < 4 && !remaining.tcp_ports.is_empty()).then_some(Missing::TcpPorts);
    let audit_records = (system_abi < FULL_ABI).then_some(Missing::AuditRecords);
    let bus_filter = (remaining.session_bus == SessionBus::Direct).then_some(Missing::BusFilter);
    let missing: Vec<_> =
        [tcp_ports, bus_filter, audit_records].into_iter().flatten().map(|it| it.name().to_owned()).collect();
    let grade = if missing.is_empty() { Grade::Full } else { Grade::Reduced };
    Ok(Assessment { grade, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(abi: u32, ports: &[u16]) -> Vec<String> {
        assess(abi, &Remaining { tcp_ports: ports.to_vec(), ..Remaining::default() }).unwrap().missing
    }

    #[test]
    fn below_the_floor_nothing_is_acceptable() {
        for abi in [0, 1] {
            assert_eq!(assess(abi, &Remaining::default()), Err(BelowFloor { found: abi }));
        }
        assert!(assess(2, &Remaining::default()).is_ok());
    }

    #[test]
    fn only_what_nothing_covers_is_named() {
        assert_eq!(missing(2, &[]), ["Landlock audit records"]);
        assert_eq!(missing(3, &[443]), ["TCP port limits", "Landlock audit records"]);
        assert_eq!(missing(4, &[443]), ["Landlock audit records"]);
        assert_eq!(missing(6, &[443]), ["Landlock audit records"]);
        assert!(missing(7, &[443]).is_empty());
        assert!(missing(8, &[]).is_empty());
    }

    #[test]
    fn a_session_bus_without_a_proxy_is_named() {
        let with = |session_bus| assess(7, &Remaining { session_bus, ..Remaining::default() }).unwrap();
        assert_eq!(with(SessionBus::Direct).missing, ["dbus-proxy"]);
        assert_eq!(with(SessionBus::Direct).grade, Grade::Reduced);
        for kind in [SessionBus::None, SessionBus::Filtered] {
            assert_eq!(with(kind).grade, Grade::Full);
        }
    }

    #[test]
    fn full_means_that_nothing_is_missing() {
        for abi in 2..12 {
            let assessment = assess(abi, &Remaining::default()).unwrap();
            assert_eq!(assessment.grade == Grade::Full, abi >= 7);
            assert_eq!(assessment.missing.is_empty(), abi >= 7);
        }
    }
}
