//! Service 0: what clients and workers ask of the kernel itself.

use crate::core::{Kernel, Worker};
use crate::holes::{self, Holes};
use crate::instances::Instance;
use crate::manifest::{Methods, PathRule, Ports, Role};
use crate::peer::{Peer, Peers, Stage, Violation};
use crate::policy::{self, Act};
use crate::stats;
use crate::supervisor::Event;
use butterfly_wire::catalog::{self, control, topic};
use butterfly_wire::confinement::PathGrant;
use butterfly_wire::control as message;
use butterfly_wire::limits::{SUBSCRIPTIONS_PER_PEER, TRACE_RING};
use butterfly_wire::{Decode, EndpointId, ErrorCode, Failure, Header, codec};
use std::time::Instant;

/// Crash reports in one reply; their headers and lines must fit a frame.
const REPORTS_SHOWN: usize = 20;

/// Records of a trace in one reply; 72 bytes each, so that all fit a frame.
const RECORDS_SHOWN: usize = TRACE_RING;

/// Bytes of log lines in one reply.
const LOG_BYTES_SHOWN: usize = 512 << 10;

impl Kernel {
    /// Answers a request whose right was checked.
    pub fn control(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let correlation = header.correlation;
        macro_rules! answer {
            ($body:expr) => {{
                let result = $body;
                self.reply(from, correlation, result.as_ref().map_err(Clone::clone));
            }};
        }
        match header.method {
            m if m == control::STATUS.method => answer!(parse(payload).map(|()| self.status(now))),
            m if m == control::RESTART.method => answer!(self.command(payload, &Event::Restart)),
            m if m == control::STOP.method => answer!(self.command(payload, &Event::Stop)),
            m if m == control::START.method => answer!(self.command(payload, &Event::Start)),
            m if m == control::SUBSCRIBE.method => answer!(self.subscribe(from, payload, true)),
            m if m == control::UNSUBSCRIBE.method => answer!(self.subscribe(from, payload, false)),
            m if m == control::CRASHES.method => {
                answer!(parse(payload).map(|()| message::Crashes {
                    reports: self.crashes.reports().take(REPORTS_SHOWN).cloned().collect(),
                }))
            }
            m if m == control::LOGS.method => answer!(parse(payload).map(|request| self.log_lines(&request))),
            m if m == control::TRACE.method => answer!(parse(payload).map(|request| self.trace_records(&request))),
            m if m == control::CAPABILITIES.method => answer!(parse(payload).map(|()| self.capabilities())),
            m if m == control::SET_PROFILE.method => answer!(self.set_profile(payload)),
            m if m == control::MOVE_DATA.method => match parse(payload) {
                Ok(request) => self.move_data(from, header, request),
                Err(failure) => self.reply::<()>(from, correlation, Err(failure)),
            },
            m if m == control::KILL.method => {
                answer!(parse(payload).and_then(|kill: message::Kill| self.kill_instance(from, kill.endpoint)));
            }
            m if m == control::SHUTDOWN.method => {
                answer!(parse::<()>(payload));
                self.shut_down();
            }
            m if m == control::SPAWN.method => {
                let spawned = parse(payload).and_then(|spawn| self.spawn_instance(from, correlation, &spawn));
                if let Err(failure) = spawned {
                    self.reply::<()>(from, correlation, Err(failure));
                }
            }
            m if m == control::PROVE.method => match parse(payload) {
                Ok(named) => self.prove(from, correlation, named),
                Err(failure) => self.reply::<()>(from, correlation, Err(failure)),
            },
            // Hello belongs before the Welcome, and all other methods are above.
            _ => {
                self.violate(from, Violation::MalformedControl);
                let failure = Failure::new(ErrorCode::UnknownMethod, "the kernel has no such method");
                self.reply::<()>(from, correlation, Err(failure));
            }
        }
    }

    fn named(&self, name: &str) -> Result<usize, Failure> {
        self.worker_named(name).ok_or_else(|| {
            let names: Vec<_> = self.workers.iter().map(|worker| worker.role.name).collect();
            let message = format!("there is no worker {name}; there are: {}", names.join(", "));
            Failure::new(ErrorCode::BadPayload, message)
        })
    }

    fn command(&mut self, payload: &[u8], event: &Event) -> Result<(), Failure> {
        if self.shutting_down {
            return Err(Failure::new(ErrorCode::Unavailable, "the kernel is shutting down"));
        }
        let named: message::Named = parse(payload)?;
        let index = self.named(&named.name)?;
        self.refuse_while_moving(index)?;
        self.workers[index].cause = Some("somebody asked for it".to_owned());
        self.supervise(index, event.clone());
        Ok(())
    }

    fn subscribe(&mut self, from: EndpointId, payload: &[u8], on: bool) -> Result<(), Failure> {
        let wanted: message::Topic = parse(payload)?;
        let Some(peer) = self.peers.get_mut(from) else {
            return Err(Failure::new(ErrorCode::Disconnected, "the subscriber is gone"));
        };
        let key = (wanted.service, wanted.topic);
        if !on {
            peer.topics.remove(&key);
            return Ok(());
        }
        let act = Act::Subscribe { service: wanted.service, topic: wanted.topic };
        if !policy::check(self.manifest, peer.role, act) {
            let message = format!("{} may not follow topic {}.{}", peer.role.name, wanted.service, wanted.topic);
            return Err(Failure::new(ErrorCode::Denied, message));
        }
        if peer.topics.len() >= SUBSCRIPTIONS_PER_PEER && !peer.topics.contains(&key) {
            return Err(Failure::new(ErrorCode::Busy, "too many topics are followed"));
        }
        peer.topics.insert(key);
        if key == (control::ID, topic::TRACE) {
            self.ring.skip_fresh();
        }
        Ok(())
    }

    fn log_lines(&self, request: &message::LogsRequest) -> message::LogLines {
        let mut lines = self.logs.read(request.worker.as_deref(), request.most_lines as usize);
        let mut bytes = 0;
        // The newest that fit: counted from the end.
        let kept = lines.iter().rev().take_while(|line| {
            bytes += line.line.len() + line.worker.len() + 24;
            bytes <= LOG_BYTES_SHOWN
        });
        let from = lines.len() - kept.count();
        message::LogLines { lines: lines.split_off(from) }
    }

    fn trace_records(&self, request: &message::TraceRequest) -> message::TraceRecords {
        let most = (request.most as usize).min(RECORDS_SHOWN);
        message::TraceRecords { records: self.ring.of_trace(request.trace, most), names: self.endpoint_names() }
    }

    /// Every endpoint alive, by name.
    #[must_use]
    pub fn endpoint_names(&self) -> Vec<(EndpointId, String)> {
        let mut names = vec![(EndpointId::KERNEL, "kernel".to_owned())];
        names.extend(self.peers.iter().map(|peer| (peer.id, self.name_of(peer.id))));
        names
    }

    /// The status table.
    #[must_use]
    pub fn status(&self, now: Instant) -> message::Status {
        let pid = std::process::id();
        let usage = stats::usage(pid);
        let kernel = message::KernelStatus {
            pid,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: now.duration_since(self.started).as_millis() as u64,
            rss_bytes: usage.rss_bytes,
            cpu_ms: usage.cpu.as_millis() as u64,
            socket: self.place.socket().display().to_string(),
            clients: self.peers.iter().filter(|peer| peer.role.program.is_empty()).count() as u32,
            warnings: self.warnings.clone(),
        };
        let standing = self.workers.iter().enumerate().map(|(index, worker)| self.worker_status(index, worker, now));
        let instances = self.instances.iter().map(|instance| self.instance_status(instance, now));
        message::Status { kernel, workers: standing.chain(instances).collect() }
    }

    fn worker_status(&self, index: usize, worker: &Worker, now: Instant) -> message::WorkerStatus {
        let endpoint = EndpointId::new(Peers::worker_slot(index), worker.generation);
        let process = worker.process.as_ref();
        message::WorkerStatus {
            name: worker.role.name.to_owned(),
            state: worker.supervisor.shown(now),
            generation: worker.generation,
            restarts: worker.supervisor.restarts(),
            confinement: worker.confinement.clone(),
            instance_of: String::new(),
            ..self.process_status(endpoint, process.map(|process| (process.pid, process.since)), now)
        }
    }

    fn instance_status(&self, instance: &Instance, now: Instant) -> message::WorkerStatus {
        let ready = self.peers.get(instance.id).is_some_and(|peer| peer.stage == Stage::Ready);
        message::WorkerStatus {
            name: format!("{}#{}", instance.role.name, instance.id),
            state: if ready { message::WorkerState::Ready } else { message::WorkerState::Starting },
            generation: instance.id.generation,
            confinement: instance.confinement.clone(),
            instance_of: instance.role.name.to_owned(),
            ..self.process_status(instance.id, Some((instance.process.pid, instance.process.since)), now)
        }
    }

    /// What is the same for every process: its figures.
    fn process_status(&self, id: EndpointId, process: Option<(u32, Instant)>, now: Instant) -> message::WorkerStatus {
        let usage = process.map(|(pid, _)| stats::usage(pid)).unwrap_or_default();
        let oldest = self.pending.iter().filter(|(_, call)| call.callee == id).map(|(_, call)| call.started).min();
        let peer = self.peers.get(id);
        let count = |get: fn(&Peer) -> u64| peer.map_or(0, get);
        message::WorkerStatus {
            name: String::new(),
            endpoint: id,
            state: message::WorkerState::Stopped,
            pid: process.map_or(0, |(pid, _)| pid),
            generation: id.generation,
            restarts: 0,
            uptime_ms: process.map_or(0, |(_, since)| now.duration_since(since).as_millis() as u64),
            rss_bytes: usage.rss_bytes,
            cpu_ms: usage.cpu.as_millis() as u64,
            in_flight: count(|peer| peer.serving as u64) as u32,
            oldest_in_flight_ms: oldest.map_or(0, |since| now.duration_since(since).as_millis() as u64),
            queue_bytes: count(|peer| peer.queue.len() as u64),
            messages_in: count(|peer| peer.delivered),
            messages_out: count(|peer| peer.received),
            violations: count(|peer| u64::from(peer.violations.values().sum::<u32>())) as u32,
            confinement: butterfly_wire::confinement::Confinement::default(),
            instance_of: String::new(),
        }
    }

    fn set_profile(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let request: message::SetProfile = parse(payload)?;
        let index = self.named(&request.worker)?;
        let worker = &self.workers[index];
        let filled = Holes::new(
            request.tcp_ports.unwrap_or_else(|| worker.holes.ports.clone()),
            request.paths.unwrap_or_else(|| worker.holes.paths.clone()),
        );
        holes::check(&worker.role.template, &self.place, &filled)
            .map_err(|fault| Failure::new(ErrorCode::Denied, fault.to_string()))?;
        if filled != worker.holes {
            let worker = &mut self.workers[index];
            worker.holes = filled;
            worker.cause = Some("its settings changed what it may reach".to_owned());
            self.supervise(index, Event::Renew);
        }
        Ok(())
    }

    /// The table, with its holes filled.
    #[must_use]
    pub fn capabilities(&self) -> message::Capabilities {
        let principals = self.manifest.roles.iter().map(|role| {
            let holes = self.worker_named(role.name).map(|index| &self.workers[index].holes);
            self.principal(role, holes)
        });
        message::Capabilities { principals: principals.collect() }
    }

    fn principal(&self, role: &Role, filled: Option<&Holes>) -> message::Principal {
        let topics = |list: &[(u16, u16)]| {
            list.iter()
                .map(|(service, topic)| {
                    let name = catalog::service(*service).map_or("?", |service| service.name);
                    format!("{name}:{}", catalog::topic::name(*service, *topic))
                })
                .collect()
        };
        let mut calls = Vec::new();
        for may in role.calls {
            let methods = catalog::service(may.service).map_or(&[][..], |service| service.methods);
            let granted = methods.iter().filter(|info| match may.methods {
                Methods::All => true,
                Methods::Only(only) => only.contains(&info.method),
            });
            calls.extend(granted.map(|info| catalog::name(may.service, info.method)));
        }
        let mut grants: Vec<String> = role.template.paths.iter().map(|rule| path_rule(*rule)).collect();
        if let Some(filled) = filled {
            grants.extend(filled.paths.iter().map(PathGrant::to_string));
        }
        match (role.template.ports, filled) {
            (Ports::None, _) => {}
            (Ports::Providers, Some(filled)) if !filled.ports.is_empty() => {
                let ports: Vec<_> = filled.ports.iter().map(u16::to_string).collect();
                grants.push(format!("connect by TCP to port {}", ports.join(", ")));
            }
            (Ports::Providers, _) => grants.push("connect by TCP to the configured providers' ports: none".to_owned()),
        }
        if role.template.session_bus {
            grants.push(
                "a connection to the user's session bus, through a filter for the Secret Service where there is one"
                    .to_owned(),
            );
        }
        message::Principal {
            name: role.name.to_owned(),
            kind: Self::kind_name(role.kind).to_owned(),
            serves: role.serves.iter().filter_map(|id| Some(catalog::service(*id)?.name.to_owned())).collect(),
            calls,
            publishes: topics(role.publishes),
            subscribes: topics(role.subscribes),
            starts: self.manifest.instances_of(role.name).map(|class| class.name.to_owned()).collect(),
            grants,
            provenance: role.provenance.names().map(str::to_owned).collect(),
        }
    }
}

fn path_rule(rule: PathRule) -> String {
    match rule {
        PathRule::System(path) => format!("read {path}, where it exists"),
        PathRule::Data => "read-write the data folder".to_owned(),
        PathRule::Within(folders) => format!("hole: paths within {}", folders.join(", ")),
    }
}

fn parse<T: Decode<()>>(payload: &[u8]) -> Result<T, Failure> {
    codec::decode(payload).map_err(|fault| Failure::new(ErrorCode::BadPayload, fault.to_string()))
}
