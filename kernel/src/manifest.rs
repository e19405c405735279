//! The capability table: who exists, what each may reach, and what each may ask of whom.
//!
//! The table is data and constant. Where a value is only known at run time it has a *typed hole* ([`PathRule`],
//! [`Ports`]), which `SetProfile` fills and nothing else. `docs/capabilities.md` is printed from it.

use butterfly_sandbox::Limits;
use butterfly_wire::Provenance;
use butterfly_wire::catalog::{self, control, health, model, session, topic};

/// What a principal is to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleKind {
    /// One standing process, started with the kernel and restarted when it fails.
    Worker,
    /// Connects from outside with the token.
    Client,
    /// A process per use, started on the request of its owner alone.
    Instance { owner: &'static str },
}

/// Which methods of a service may be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Methods {
    All,
    Only(&'static [u16]),
}

/// One permission to call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MayCall {
    pub service: u16,
    pub methods: Methods,
}

/// A path that a profile grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathRule {
    /// A system path to read; left out where it does not exist.
    System(&'static str),
    /// The data folder, to read and write.
    Data,
    /// Hole: what `SetProfile` or `Spawn` names, each at or below one of these folders; `$HOME` is the owner's home and
    /// `$DATA` the data folder.
    Within(&'static [&'static str]),
}

/// The TCP ports that a profile grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ports {
    None,
    /// Hole: the ports of the configured model providers.
    Providers,
}

/// A confinement profile with its holes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Template {
    pub paths: &'static [PathRule],
    pub ports: Ports,
    /// May change the mode of its own open files.
    pub file_modes: bool,
    pub limits: Limits,
}

/// One principal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Role {
    pub name: &'static str,
    pub kind: RoleKind,
    /// File name of its program, beside the kernel's own; empty for clients.
    pub program: &'static str,
    pub serves: &'static [u16],
    pub calls: &'static [MayCall],
    /// Topics as (service, topic).
    pub publishes: &'static [(u16, u16)],
    pub subscribes: &'static [(u16, u16)],
    /// The bits that everything it says carries.
    pub provenance: Provenance,
    pub template: Template,
}

/// The table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Manifest {
    pub roles: &'static [Role],
}

impl Manifest {
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&'static Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The standing workers, in the order in which they are started.
    pub fn workers(&self) -> impl Iterator<Item = &'static Role> {
        self.roles.iter().filter(|role| role.kind == RoleKind::Worker)
    }

    /// The role of everyone who connects with the token.
    #[must_use]
    pub fn client(&self) -> Option<&'static Role> {
        self.roles.iter().find(|role| role.kind == RoleKind::Client)
    }

    /// The classes that a role may start.
    pub fn instances_of(&self, owner: &str) -> impl Iterator<Item = &'static Role> {
        self.roles.iter().filter(move |role| matches!(role.kind, RoleKind::Instance { owner: its } if its == owner))
    }
}

/// Grants every method of a service.
#[must_use]
pub const fn all(service: u16) -> MayCall {
    MayCall { service, methods: Methods::All }
}

/// Grants some methods of a service.
#[must_use]
pub const fn only(service: u16, methods: &'static [u16]) -> MayCall {
    MayCall { service, methods: Methods::Only(methods) }
}

const MIB: u64 = 1 << 20;

/// Data segment of a worker that keeps no data of its own: ten times what it uses at rest, so that a leak ends the
/// worker and not the machine. No file may grow: it has none to write.
pub const SMALL: Limits = Limits { data_bytes: 512 * MIB, file_bytes: 0, open_files: 256 };

/// A profile that grants nothing.
pub const NOTHING: Template = Template { paths: &[], ports: Ports::None, file_modes: false, limits: SMALL };

/// The client's profile is never used: clients are not started by the kernel.
pub const CLIENT_METHODS: &[u16] = &[
    control::STATUS.method,
    control::RESTART.method,
    control::STOP.method,
    control::START.method,
    control::SUBSCRIBE.method,
    control::UNSUBSCRIBE.method,
    control::CRASHES.method,
    control::LOGS.method,
    control::TRACE.method,
    control::CAPABILITIES.method,
    control::PROVE.method,
    control::SHUTDOWN.method,
];

/// The topics of the kernel that a client may follow.
pub const CLIENT_TOPICS: &[(u16, u16)] = &[
    (control::ID, topic::WORKERS),
    (control::ID, topic::STATS),
    (control::ID, topic::TRACE),
    (control::ID, topic::LOGS),
];

/// What production runs.
pub const PRODUCTION: Manifest = Manifest {
    roles: &[
        Role {
            name: "model",
            kind: RoleKind::Worker,
            program: "butterfly-model",
            serves: &[model::ID, health::ID],
            calls: &[],
            publishes: &[],
            subscribes: &[],
            provenance: Provenance::MODEL,
            template: Template {
                // CA roots for providers with https; resolver configuration for providers with a host name.
                paths: &[
                    PathRule::System("/etc/ssl/certs"),
                    PathRule::System("/usr/share/ca-certificates"),
                    PathRule::System("/etc/pki/ca-trust/extracted"),
                    PathRule::System("/var/lib/ca-certificates"),
                    PathRule::System("/etc/resolv.conf"),
                    PathRule::System("/etc/hosts"),
                ],
                ports: Ports::Providers,
                file_modes: false,
                limits: SMALL,
            },
        },
        Role {
            name: "brains",
            kind: RoleKind::Worker,
            program: "butterfly-brains",
            serves: &[session::ID, health::ID],
            calls: &[only(model::ID, &[model::CHAT.method])],
            publishes: &[],
            subscribes: &[],
            provenance: Provenance::NONE,
            template: NOTHING,
        },
        Role {
            name: "client",
            kind: RoleKind::Client,
            program: "",
            serves: &[],
            calls: &[
                only(control::ID, CLIENT_METHODS),
                all(session::ID),
                only(
                    model::ID,
                    &[
                        model::LIST.method,
                        model::SHOW.method,
                        model::PULL.method,
                        model::RUNNING.method,
                        model::PROBE.method,
                    ],
                ),
                all(health::ID),
            ],
            publishes: &[],
            subscribes: CLIENT_TOPICS,
            provenance: Provenance::USER,
            template: NOTHING,
        },
    ],
};

/// Whether a role is granted a method of a service.
#[must_use]
pub fn grants(role: &Role, service: u16, method: u16) -> bool {
    role.calls.iter().any(|may| {
        may.service == service
            && match may.methods {
                Methods::All => catalog::method(service, method).is_some(),
                Methods::Only(methods) => methods.contains(&method),
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::catalog::kit;

    #[test]
    fn every_service_has_at_most_one_standing_server_but_health() {
        for service in catalog::SERVICES.iter().filter(|service| service.id != health::ID) {
            let servers = PRODUCTION.workers().filter(|role| role.serves.contains(&service.id)).count();
            assert!(servers <= 1, "{} is served {servers} times", service.name);
        }
    }

    #[test]
    fn production_grants_nothing_of_the_test_kit() {
        for role in PRODUCTION.roles {
            assert!(!role.serves.contains(&kit::ID), "{}", role.name);
            assert!(role.calls.iter().all(|may| may.service != kit::ID), "{}", role.name);
        }
    }

    #[test]
    fn only_grants_of_existing_methods() {
        for role in PRODUCTION.roles {
            for may in role.calls {
                if let Methods::Only(methods) = may.methods {
                    for method in methods {
                        assert!(catalog::method(may.service, *method).is_some(), "{} {}", role.name, may.service);
                    }
                }
            }
        }
    }

    #[test]
    fn workers_have_no_authority_over_the_kernel() {
        for role in PRODUCTION.workers() {
            assert!(role.calls.iter().all(|may| may.service != control::ID), "{}", role.name);
        }
    }
}
