//! What a process that was started says of itself, and what is believed of it: confined, ready, alive.

use crate::core::Kernel;
use crate::manifest::RoleKind;
use crate::peer::{Peers, Stage, Violation};
use crate::stats;
use crate::supervisor::Event;
use butterfly_sandbox::assess;
use butterfly_wire::catalog::topic;
use butterfly_wire::confinement::{Canary, Confinement, Grade, Remaining};
use butterfly_wire::control::{Confined, Ping, Ready};
use butterfly_wire::{EndpointId, codec};
use std::time::Instant;

/// Filters on every thread of a worker: two of the jail's and the one with which its runtime gives up the rest.
const FILTERS: u32 = 3;

/// What a seatbelt profile does not do.
const SEATBELT_MISSING: [&str; 2] = ["system-call filters", "giving up after the start"];

impl Kernel {
    /// Pings a worker, or ends it when it has missed too many.
    pub fn ping(&mut self, index: usize, nonce: u64) {
        let id = EndpointId::new(Peers::worker_slot(index), self.workers[index].generation);
        let missed = self.options.pings_missed;
        let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.stage == Stage::Ready) else { return };
        if peer.pings_unanswered >= missed {
            self.workers[index].cause = Some(format!("it hung: {missed} pings went unanswered"));
            return self.supervise(index, Event::Kill);
        }
        peer.pings_unanswered += 1;
        self.send_event(id, topic::PING, &Ping { nonce });
    }

    /// An event about the sender's own process.
    pub fn own_event(&mut self, from: EndpointId, topic: u16, payload: &[u8], _: Instant) {
        match topic {
            topic::PONG => match codec::decode::<Ping>(payload) {
                Ok(_) => {
                    if let Some(peer) = self.peers.get_mut(from) {
                        peer.pings_unanswered = 0;
                    }
                }
                Err(_) => self.violate(from, Violation::MalformedControl),
            },
            topic::CONFINED => match codec::decode::<Confined>(payload) {
                Ok(confined) => self.confined(from, &confined),
                Err(_) => self.violate(from, Violation::MalformedControl),
            },
            topic::READY => match codec::decode::<Ready>(payload) {
                Ok(ready) => self.ready(from, &ready),
                Err(_) => self.violate(from, Violation::MalformedControl),
            },
            // A proof is a twin's, and a twin is no peer.
            _ => self.violate(from, Violation::NotGranted),
        }
    }

    fn confined(&mut self, from: EndpointId, confined: &Confined) {
        match self.peers.get(from).map(|peer| (peer.stage, peer.role.kind)) {
            Some((Stage::Greeted, RoleKind::Worker)) => {}
            Some(_) => return self.violate(from, Violation::WrongFlow),
            None => return,
        }
        let Some(index) = self.verified(from, &confined.canaries) else { return };
        if let Some(peer) = self.peers.get_mut(from) {
            peer.stage = Stage::Confined;
        }
        self.supervise(index, Event::Confined);
    }

    fn ready(&mut self, from: EndpointId, ready: &Ready) {
        match self.peers.get(from).map(|peer| (peer.stage, peer.role.kind)) {
            Some((Stage::Ready, _)) => self.violate(from, Violation::WrongFlow),
            Some((Stage::Greeted | Stage::Confined, RoleKind::Instance { .. })) => {
                self.now_serves(from);
                self.instance_ready(from, &ready.canaries);
            }
            Some((Stage::Greeted | Stage::Confined, RoleKind::Worker | RoleKind::Client)) => {
                // Once more if it was before: it may have started threads meanwhile.
                let Some(index) = self.verified(from, &ready.canaries) else { return };
                self.now_serves(from);
                self.supervise(index, Event::Ready);
            }
            None => {}
        }
    }

    fn now_serves(&mut self, id: EndpointId) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.stage = Stage::Ready;
        }
    }

    /// The worker behind a connection, if its confinement is in force; else it is held.
    fn verified(&mut self, from: EndpointId, canaries: &[Canary]) -> Option<usize> {
        let index = self.worker_index(from)?;
        let pid = self.workers[index].process.as_ref().map_or(0, |process| process.pid);
        match self.verify(pid, &self.remaining_of(index), canaries) {
            Ok(confinement) => {
                self.workers[index].confinement = confinement;
                Some(index)
            }
            Err(reason) => {
                let reason = format!("its confinement is not in force: {reason}");
                self.workers[index].cause = Some(reason.clone());
                self.supervise(index, Event::Hold { reason });
                None
            }
        }
    }

    /// Judges a process by its own canaries and by what the system says of its threads.
    ///
    /// # Errors
    /// What is not in force.
    pub fn verify(&self, pid: u32, remaining: &Remaining, canaries: &[Canary]) -> Result<Confinement, String> {
        if canaries.is_empty() {
            return Err("it checked nothing".to_owned());
        }
        if let Some(alive) = canaries.iter().find(|canary| canary.denied_by.is_none()) {
            return Err(format!("the canary {} got through", alive.name));
        }
        let network = match remaining.tcp_ports.as_slice() {
            [] => "none".to_owned(),
            ports => format!("tcp {}", ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")),
        };
        if butterfly_sandbox::system().seatbelt {
            let missing = SEATBELT_MISSING.map(str::to_owned).to_vec();
            return Ok(Confinement { grade: Grade::Reduced, network, missing, ..Confinement::default() });
        }
        let threads = stats::threads(pid);
        let is_bound = |thread: &stats::ThreadStatus| thread.is_confined() && thread.filters >= FILTERS;
        if threads.is_empty() || !threads.iter().all(is_bound) {
            return Err("a thread of it lacks a filter, or has privileges".to_owned());
        }
        let assessment = assess(self.landlock_abi, remaining).map_err(|below| below.to_string())?;
        Ok(Confinement {
            grade: assessment.grade,
            landlock_abi: self.landlock_abi,
            landlock: true,
            seccomp: true,
            no_new_privs: true,
            network,
            missing: assessment.missing,
        })
    }
}
