//! The kit kernel's capability table: two honest workers, a liar, a class of instances, and a client that may do all.

use butterfly_kernel::manifest::{
    CLIENT_METHODS, CLIENT_TOPICS, FOLLOW, Manifest, MayCall, NOTHING, PRODUCTION, PathRule, Ports, Role, RoleKind,
    SMALL, Template, all, only,
};
use butterfly_wire::Provenance;
use butterfly_wire::catalog::{control, conversations, health, kit};

/// The table. `echo` owns the class `cell`; `other` may ask for instances and profiles, but owns no class.
pub const KIT: Manifest = Manifest {
    roles: &[
        Role {
            name: "echo",
            kind: RoleKind::Worker,
            program: "kit_worker",
            serves: &[kit::ID, health::ID],
            calls: &[all(kit::ID), only(control::ID, &[control::SPAWN.method, control::KILL.method])],
            publishes: &[(kit::ID, 100)],
            subscribes: &[],
            provenance: Provenance::TOOL,
            template: Template { paths: &[PathRule::Within(&["$DATA"])], ports: Ports::Providers, ..NOTHING },
        },
        Role {
            name: "other",
            kind: RoleKind::Worker,
            program: "kit_worker",
            serves: &[kit::ID, health::ID],
            calls: &[all(kit::ID), only(control::ID, &[control::SPAWN.method, control::SET_PROFILE.method]), FOLLOW],
            publishes: &[],
            subscribes: &[(kit::ID, 100)],
            provenance: Provenance::WEB,
            template: Template { session_bus: true, ..NOTHING },
        },
        Role {
            name: "liar",
            kind: RoleKind::Worker,
            program: "kit_liar",
            serves: &[kit::ID, health::ID],
            calls: &[only(kit::ID, &[kit::ECHO.method, kit::RELAY.method])],
            publishes: &[],
            subscribes: &[],
            provenance: Provenance::PLUGIN,
            template: NOTHING,
        },
        Role {
            name: "cell",
            kind: RoleKind::Instance { owner: "echo" },
            program: "kit_worker",
            serves: &[kit::ID],
            calls: &[],
            publishes: &[],
            subscribes: &[],
            provenance: Provenance::FILE,
            template: Template {
                paths: &[PathRule::Within(&["$DATA"])],
                ports: Ports::None,
                file_modes: false,
                session_bus: false,
                limits: SMALL,
            },
        },
        Role {
            name: "client",
            kind: RoleKind::Client,
            program: "",
            serves: &[],
            calls: &[only(control::ID, CLIENT_METHODS), all(kit::ID), all(health::ID)],
            publishes: &[],
            subscribes: CLIENT_TOPICS,
            provenance: Provenance::USER,
            template: NOTHING,
        },
    ],
};

/// The table of the benchmarks: one worker that answers with bare frames, and one that does so through the runtime.
pub const BENCH: Manifest =
    Manifest { roles: &[measured("bench_echo"), measured("bench_service"), KIT.roles[KIT.roles.len() - 1]] };

const fn measured(program: &'static str) -> Role {
    Role {
        name: program,
        kind: RoleKind::Worker,
        program,
        serves: &[kit::ID, health::ID],
        calls: &[],
        publishes: &[],
        subscribes: &[],
        provenance: Provenance::TOOL,
        template: NOTHING,
    }
}

/// What users run, with a client that may keep turns, which only the agent loop may otherwise: to measure what keeping one
/// takes. It lasts as long as the process.
#[must_use]
pub fn talking() -> &'static Manifest {
    const TURNS: MayCall = only(conversations::ID, &[conversations::BEGIN.method, conversations::SAVE.method]);
    let roles = PRODUCTION.roles.iter().map(|role| match role.kind {
        RoleKind::Client => {
            let calls: Vec<MayCall> = role.calls.iter().copied().chain([TURNS]).collect();
            Role { calls: calls.leak(), ..*role }
        }
        RoleKind::Worker | RoleKind::Instance { .. } => *role,
    });
    let roles: Vec<Role> = roles.collect();
    Box::leak(Box::new(Manifest { roles: roles.leak() }))
}
