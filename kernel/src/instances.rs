//! Instance workers: a process per use, started by the class's owner, with grants of its own within the manifest's bounds.

use crate::core::Kernel;
use crate::holes::{self, Holes};
use crate::lifecycle::attend;
use crate::manifest::{Role, RoleKind};
use crate::policy::{self, Act};
use crate::spawn::{self, Process};
use crate::stderr::Collector;
use butterfly_wire::confinement::{Canary, Confinement, Remaining, SessionBus};
use butterfly_wire::control::{Mode, Serve, Spawn, Spawned};
use butterfly_wire::{EndpointId, ErrorCode, Failure};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Instances that one owner may have at once: more than a person's turn ever needs, fewer than what hurts.
const PER_OWNER: usize = 16;

/// Time that an instance has to become ready.
const START_LIMIT: Duration = Duration::from_secs(10);

/// One running instance.
pub struct Instance {
    pub id: EndpointId,
    pub role: &'static Role,
    pub owner: EndpointId,
    pub process: Process,
    pub remaining: Remaining,
    pub confinement: Confinement,
    pub stderr: Option<Rc<Collector>>,
    /// The owner's call that waits for it to be ready.
    waiting: Option<u64>,
    /// When it is killed, whatever it is doing.
    limit: Instant,
    /// Its whole time, which starts when it is ready.
    wall: Duration,
}

impl Kernel {
    /// Starts an instance; the call is answered when it is ready.
    ///
    /// # Errors
    /// When it is not allowed, its grants do not fit, or it cannot be started.
    pub fn spawn_instance(&mut self, owner: EndpointId, correlation: u64, spawn: &Spawn) -> Result<(), Failure> {
        let denied = |message: String| Failure::new(ErrorCode::Denied, message);
        let Some(owner_role) = self.peers.get(owner).map(|peer| peer.role) else {
            return Err(Failure::new(ErrorCode::Disconnected, "the owner is gone"));
        };
        if !policy::check(self.manifest, owner_role, Act::Start { class: &spawn.class }) {
            return Err(denied(format!("{} may not start {}", owner_role.name, spawn.class)));
        }
        let Some(role) = self.manifest.role(&spawn.class) else {
            return Err(denied(format!("there is no class {}", spawn.class)));
        };
        if self.instances.iter().filter(|instance| instance.owner == owner).count() >= PER_OWNER {
            return Err(Failure::new(ErrorCode::Busy, "too many instances are running; end one first"));
        }
        let limits = role.template.limits;
        if spawn.limits.memory_bytes > limits.data_bytes {
            return Err(denied(format!("{} may use at most {} bytes of memory", role.name, limits.data_bytes)));
        }
        let holes = Holes::new(Vec::new(), spawn.paths.clone());
        holes::check(&role.template, &self.place, &holes).map_err(|fault| denied(fault.to_string()))?;
        let remaining = holes::remaining(&role.template, &self.place, &holes, self.landlock_abi, SessionBus::None);
        self.start_instance(owner, correlation, role, remaining, spawn).map_err(|reason| {
            Failure::new(ErrorCode::Unavailable, format!("{} cannot be started: {reason}", role.name))
        })
    }

    fn start_instance(
        &mut self,
        owner: EndpointId,
        correlation: u64,
        role: &'static Role,
        remaining: Remaining,
        spawn: &Spawn,
    ) -> Result<(), String> {
        let shared = self.me.upgrade().ok_or("the kernel is ending")?;
        let mut profile = self.profile(role, remaining.clone())?;
        profile.limits.data_bytes = profile.limits.data_bytes.min(spawn.limits.memory_bytes);
        let spawned = spawn::confined(&self.programs()?, &profile, None).map_err(|fault| fault.to_string())?;
        let id = self.peers.vacant(self.workers.len());
        self.peers.reserve(id);
        let stderr = Collector::start(&shared, role.name.to_owned(), spawned.stderr);
        let serve = Serve {
            name: role.name.to_owned(),
            overrides: Vec::new(),
            remaining: remaining.clone(),
            canaries: self.canaries(),
            roles: self.standing_roles(),
        };
        self.instances.push(Instance {
            id,
            role,
            owner,
            process: spawned.process,
            remaining,
            confinement: Confinement::default(),
            stderr: Some(stderr),
            waiting: Some(correlation),
            limit: Instant::now() + START_LIMIT,
            wall: Duration::from_millis(spawn.limits.wall_ms),
        });
        self.rearm.notify_one();
        tokio::task::spawn_local(attend(shared, id, role, spawned.bus, Mode::Serve(serve)));
        Ok(())
    }

    /// Whether an endpoint is a running instance.
    #[must_use]
    pub fn is_instance(&self, id: EndpointId) -> bool {
        self.instances.iter().any(|instance| instance.id == id)
    }

    /// Who started an instance.
    #[must_use]
    pub fn owner_of(&self, id: EndpointId) -> Option<EndpointId> {
        self.instances.iter().find(|instance| instance.id == id).map(|instance| instance.owner)
    }

    /// An instance says that it is ready: it is verified like any worker.
    pub fn instance_ready(&mut self, id: EndpointId, canaries: &[Canary]) {
        let Some(at) = self.instances.iter().position(|instance| instance.id == id) else { return };
        let verdict = self.verify(self.instances[at].process.pid, &self.instances[at].remaining, canaries);
        let instance = &mut self.instances[at];
        let (owner, waiting) = (instance.owner, instance.waiting.take());
        match verdict {
            Ok(confinement) => {
                instance.confinement = confinement;
                instance.limit = Instant::now() + instance.wall;
                let spawned = Spawned { endpoint: id, pid: instance.process.pid };
                self.rearm.notify_one();
                if let Some(correlation) = waiting {
                    self.reply(owner, correlation, Ok(&spawned));
                }
            }
            Err(reason) => {
                instance.process.kill();
                if let Some(correlation) = waiting {
                    let message = format!("its confinement is not in force: {reason}");
                    self.reply::<()>(owner, correlation, Err(Failure::new(ErrorCode::Unavailable, message)));
                }
            }
        }
        self.flush();
    }

    /// Ends an instance of the caller's.
    ///
    /// # Errors
    /// When it is not the caller's, or is gone.
    pub fn kill_instance(&mut self, owner: EndpointId, id: EndpointId) -> Result<(), Failure> {
        match self.instances.iter_mut().find(|instance| instance.id == id && instance.owner == owner) {
            Some(instance) => {
                instance.process.kill();
                Ok(())
            }
            None => Err(Failure::new(ErrorCode::StaleEndpoint, "that is no running instance of yours")),
        }
    }

    /// An instance's connection has ended; so does its process.
    pub fn end_instance(&mut self, id: EndpointId) {
        if let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) {
            instance.process.kill();
        }
    }

    /// An owner has gone; what it started goes too.
    pub fn end_instances_of(&mut self, owner: EndpointId) {
        for instance in self.instances.iter_mut().filter(|instance| instance.owner == owner) {
            instance.process.kill();
        }
    }

    /// Buries the instances that have ended.
    pub fn reap_instances(&mut self) {
        let mut at = 0;
        while at < self.instances.len() {
            let Some(status) = self.instances[at].process.reap() else {
                at += 1;
                continue;
            };
            let mut instance = self.instances.swap_remove(at);
            self.peer_gone(instance.id);
            if let Some(stderr) = instance.stderr.take() {
                stderr.drain(self);
            }
            tracing::info!(class = instance.role.name, endpoint = %instance.id, %status, "an instance has ended");
            if let Some(correlation) = instance.waiting {
                let message = format!("{} ended before it was ready: {status}", instance.role.name);
                let failure = Failure::new(ErrorCode::Unavailable, message);
                self.reply::<()>(instance.owner, correlation, Err(failure));
            }
        }
        self.finish_if_down();
        self.flush();
    }

    /// When the next instance's time is up.
    #[must_use]
    pub fn next_instance_limit(&self) -> Option<Instant> {
        self.instances.iter().filter(|instance| !instance.process.killed).map(|instance| instance.limit).min()
    }

    /// Kills the instances whose time is up.
    pub fn expire_instances(&mut self, now: Instant) {
        for instance in self.instances.iter_mut().filter(|instance| instance.limit <= now && !instance.process.killed) {
            tracing::warn!(class = instance.role.name, endpoint = %instance.id, "an instance used up its time");
            instance.process.kill();
        }
    }

    /// The kind of a role, for people.
    #[must_use]
    pub const fn kind_name(kind: RoleKind) -> &'static str {
        match kind {
            RoleKind::Worker => "worker",
            RoleKind::Client => "client",
            RoleKind::Instance { .. } => "instance",
        }
    }
}
