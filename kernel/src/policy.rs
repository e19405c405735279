//! The one place that decides whether a call, an event or a start is allowed. Pure; denies by default.

use crate::manifest::{Manifest, Role, RoleKind, grants};
use butterfly_wire::catalog::{control, topic};

/// What somebody is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act<'a> {
    Call {
        service: u16,
        method: u16,
    },
    Publish {
        service: u16,
        topic: u16,
    },
    Subscribe {
        service: u16,
        topic: u16,
    },
    /// Start an instance of this class.
    Start {
        class: &'a str,
    },
}

/// Events that the kernel takes from every process it started, because they are about that process itself.
const OWN_EVENTS: [u16; 4] = [topic::PONG, topic::CONFINED, topic::READY, topic::PROOF];

/// Whether `role` may do this.
#[must_use]
pub fn check(manifest: &Manifest, role: &Role, act: Act<'_>) -> bool {
    match act {
        Act::Call { service, method } => grants(role, service, method),
        Act::Publish { service: control::ID, topic } => role.kind != RoleKind::Client && OWN_EVENTS.contains(&topic),
        Act::Publish { service, topic } => role.publishes.contains(&(service, topic)),
        Act::Subscribe { service, topic } => role.subscribes.contains(&(service, topic)),
        Act::Start { class } => manifest.instances_of(role.name).any(|instance| instance.name == class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::PRODUCTION;
    use butterfly_wire::catalog::{self, Flow};
    use std::fmt::Write;

    /// Every grant there is, so that a review sees each new one as a line.
    #[test]
    fn the_whole_matrix_is_as_reviewed() {
        let mut matrix = String::new();
        for role in PRODUCTION.roles {
            for service in catalog::SERVICES {
                for info in service.methods {
                    if check(&PRODUCTION, role, Act::Call { service: service.id, method: info.method }) {
                        let stream = if info.flow == Flow::Stream { " (stream)" } else { "" };
                        writeln!(matrix, "{} -> {}.{}{stream}", role.name, service.name, info.name).unwrap();
                    }
                }
            }
        }
        insta::assert_snapshot!(matrix);
    }

    #[test]
    fn nobody_may_what_is_not_written() {
        for role in PRODUCTION.roles {
            assert!(!check(&PRODUCTION, role, Act::Call { service: 77, method: 1 }));
            assert!(!check(&PRODUCTION, role, Act::Call { service: 1, method: 77 }));
            assert!(!check(&PRODUCTION, role, Act::Publish { service: 1, topic: 1 }));
            assert!(!check(&PRODUCTION, role, Act::Publish { service: 0, topic: topic::WORKERS }));
            assert!(!check(&PRODUCTION, role, Act::Subscribe { service: 0, topic: topic::PING }));
            assert!(!check(&PRODUCTION, role, Act::Start { class: "exec" }));
        }
    }
}
