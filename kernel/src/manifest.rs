//! The capability table: who exists, what each may reach, and what each may ask of whom.
//!
//! The table is data and constant. Where a value is only known at run time it has a *typed hole* ([`PathRule`],
//! [`Ports`]), which `SetProfile` fills and nothing else. `docs/capabilities.md` is printed from it.

use butterfly_sandbox::Limits;
use butterfly_wire::Provenance;
use butterfly_wire::catalog::{
    self, config, control, conversations, health, memory, model, session, storage, topic, vault,
};

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
    /// Is handed a connection to the user's session bus, where there is one.
    pub session_bus: bool,
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

    /// The worker that is started before all others: the one with the settings, because it knows what fills their holes.
    #[must_use]
    pub fn first(&self) -> Option<&'static Role> {
        self.workers().find(|role| role.serves.contains(&config::ID))
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

/// What the worker with the database may use. Data: vectors are read by the batch, and an index over a million of them is built in
/// memory. Files: a table of vectors is one file until it is compacted; beyond this the disk itself is the limit. Descriptors: an
/// open table of vectors holds one for each of its fragments.
pub const STORE: Limits = Limits { data_bytes: 4 << 30, file_bytes: 64 << 30, open_files: 1024 };

/// A profile that grants nothing.
pub const NOTHING: Template =
    Template { paths: &[], ports: Ports::None, file_modes: false, session_bus: false, limits: SMALL };

/// Following a topic takes two calls of the kernel's; which topics is another column of the table.
pub const FOLLOW: MayCall = only(control::ID, &[control::SUBSCRIBE.method, control::UNSUBSCRIBE.method]);

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

/// The topics that a client may follow.
pub const CLIENT_TOPICS: &[(u16, u16)] = &[
    (control::ID, topic::WORKERS),
    (control::ID, topic::STATS),
    (control::ID, topic::TRACE),
    (control::ID, topic::LOGS),
    (config::ID, topic::CONFIG_CHANGED),
    (conversations::ID, topic::CONVERSATION_CHANGED),
    (vault::ID, topic::SECRET_CHANGED),
];

/// What production runs.
pub const PRODUCTION: Manifest = Manifest {
    roles: &[
        Role {
            name: "memory",
            kind: RoleKind::Worker,
            program: "butterfly-memory",
            serves: &[memory::ID, config::ID, conversations::ID, storage::ID, health::ID],
            calls: &[
                only(model::ID, &[model::CHAT.method, model::EMBED.method]),
                only(control::ID, &[control::SET_PROFILE.method, control::MOVE_DATA.method]),
            ],
            publishes: &[(config::ID, topic::CONFIG_CHANGED), (conversations::ID, topic::CONVERSATION_CHANGED)],
            subscribes: &[],
            provenance: Provenance::MEMORY,
            template: Template {
                paths: &[PathRule::Data],
                ports: Ports::None,
                // SQLite gives its log the mode of its database.
                file_modes: true,
                session_bus: false,
                limits: STORE,
            },
        },
        Role {
            name: "vault",
            kind: RoleKind::Worker,
            program: "butterfly-vault",
            serves: &[vault::ID, health::ID],
            calls: &[],
            publishes: &[(vault::ID, topic::SECRET_CHANGED)],
            subscribes: &[],
            provenance: Provenance::NONE,
            template: Template { session_bus: true, ..NOTHING },
        },
        Role {
            name: "model",
            kind: RoleKind::Worker,
            program: "butterfly-model",
            serves: &[model::ID, health::ID],
            calls: &[only(vault::ID, &[vault::READ.method]), only(config::ID, &[config::VALUES.method]), FOLLOW],
            publishes: &[],
            subscribes: &[(config::ID, topic::CONFIG_CHANGED), (vault::ID, topic::SECRET_CHANGED)],
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
                session_bus: false,
                limits: SMALL,
            },
        },
        Role {
            name: "brains",
            kind: RoleKind::Worker,
            program: "butterfly-brains",
            serves: &[session::ID, health::ID],
            calls: &[
                only(model::ID, &[model::CHAT.method]),
                only(
                    conversations::ID,
                    &[conversations::BEGIN.method, conversations::SAVE.method, conversations::RECOVER.method],
                ),
                only(memory::ID, &[memory::RECALL.method]),
                only(config::ID, &[config::VALUES.method]),
                FOLLOW,
            ],
            publishes: &[],
            subscribes: &[(config::ID, topic::CONFIG_CHANGED), (vault::ID, topic::SECRET_CHANGED)],
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
                only(
                    memory::ID,
                    &[
                        memory::ADD.method,
                        memory::SEARCH.method,
                        memory::LIST.method,
                        memory::SHOW.method,
                        memory::FORGET.method,
                        memory::IMPORT.method,
                        memory::INDEX.method,
                        memory::FACTS.method,
                        memory::CORRECT.method,
                        memory::GRAPH.method,
                        memory::EXPLAIN.method,
                    ],
                ),
                only(vault::ID, &[vault::SET.method, vault::DELETE.method, vault::LIST.method, vault::CHECK.method]),
                only(
                    config::ID,
                    &[
                        config::LIST.method,
                        config::GET.method,
                        config::SET.method,
                        config::UNSET.method,
                        config::EXPORT.method,
                        config::IMPORT.method,
                        config::PROFILES.method,
                        config::REMOVE_PROFILE.method,
                    ],
                ),
                all(health::ID),
                only(
                    conversations::ID,
                    &[
                        conversations::LIST.method,
                        conversations::SHOW.method,
                        conversations::SEARCH.method,
                        conversations::UPDATE.method,
                        conversations::BRANCH.method,
                        conversations::DELETE.method,
                        conversations::RESTORE.method,
                        conversations::EXPORT.method,
                        conversations::IMPORT.method,
                    ],
                ),
                all(storage::ID),
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
            let may: Vec<_> = control::METHODS
                .iter()
                .filter(|info| grants(role, control::ID, info.method))
                .map(|info| info.name)
                .collect();
            let expected: &[&str] = match role.name {
                // The holes of others, and the place of its own data.
                "memory" => &["set_profile", "move_data"],
                // Whoever follows a topic tells the kernel so, and nothing else.
                _ if !role.subscribes.is_empty() => &["subscribe", "unsubscribe"],
                _ => &[],
            };
            assert_eq!(may, expected, "{}", role.name);
        }
    }

    #[test]
    fn the_worker_with_the_settings_comes_first() {
        assert_eq!(PRODUCTION.first().map(|role| role.name), Some("memory"));
        assert_eq!(PRODUCTION.workers().next(), PRODUCTION.first());
    }

    #[test]
    fn only_the_vault_is_handed_the_session_bus_and_it_reaches_nothing_else() {
        for role in PRODUCTION.roles.iter().filter(|role| role.template.session_bus) {
            assert_eq!(role.name, "vault");
            assert_eq!((role.template.paths, role.template.ports), (&[][..], Ports::None));
        }
    }
}
