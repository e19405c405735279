//! Services and methods by number: what the kernel needs to know of a call without understanding its payload.
//!
//! Numbers are forever; a method that goes leaves a gap. Types stand in `butterfly-api`.

/// How a call flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Request, then Response.
    Unary,
    /// Request, Items from the callee, then End.
    Stream,
    /// Request with MORE, Items from the caller, then Response.
    Upload,
}

/// One method.
#[derive(PartialEq, Eq, Debug)]
pub struct MethodInfo {
    pub service: u16,
    pub method: u16,
    pub name: &'static str,
    pub flow: Flow,
    /// Doing it twice is as good as once: a client may retry after [`crate::ErrorCode::PeerDied`].
    pub idempotent: bool,
    /// Time to the reply in ms when the caller names none; for a stream, to the next item.
    pub deadline_ms: u32,
}

/// One service.
#[derive(PartialEq, Eq, Debug)]
pub struct ServiceInfo {
    pub id: u16,
    pub name: &'static str,
    pub methods: &'static [MethodInfo],
}

macro_rules! services {
    ($( $(#[$doc:meta])* $module:ident = $id:literal { $( $(#[$mdoc:meta])* $konst:ident = $num:literal $name:literal $flow:ident $idem:ident $deadline:expr; )* } )*) => {
        $(
            $(#[$doc])*
            pub mod $module {
                #[allow(unused_imports)]
                use super::{DISK_MS, FIRST_TOKEN_MS, Flow, MethodInfo, QUICK_MS, REMOTE_MS, REWRITE_MS};
                pub const ID: u16 = $id;
                pub const NAME: &str = stringify!($module);
                $(
                    $(#[$mdoc])*
                    pub const $konst: MethodInfo = MethodInfo {
                        service: ID, method: $num, name: $name, flow: Flow::$flow,
                        idempotent: services!(@$idem), deadline_ms: $deadline,
                    };
                )*
                pub const METHODS: &[MethodInfo] = &[$($konst),*];
            }
        )*
        /// Every service there is.
        pub const SERVICES: &[ServiceInfo] = &[$(ServiceInfo { id: $module::ID, name: $module::NAME, methods: $module::METHODS }),*];
    };
    (@idempotent) => { true };
    (@once) => { false };
}

/// A model on a cold disk may take this long to its first token; notices re-arm the clock, in ms.
const FIRST_TOKEN_MS: u32 = 15 * 60 * 1000;
/// Anything that a healthy worker answers out of its own memory, in ms.
const QUICK_MS: u32 = 5_000;
/// Anything that asks a server on the network, in ms.
const REMOTE_MS: u32 = 60_000;
/// Anything that writes to or searches the store: a disk that is busy, and a query's vector from a model, in ms.
const DISK_MS: u32 = 30_000;
/// Anything that rewrites the whole store, in ms; for a stream, to the next item.
const REWRITE_MS: u32 = 10 * 60 * 1000;

services! {
    /// The kernel's own service.
    control = 0 {
        HELLO = 1 "hello" Unary once QUICK_MS;
        STATUS = 2 "status" Unary idempotent QUICK_MS;
        RESTART = 3 "restart" Unary idempotent QUICK_MS;
        STOP = 4 "stop" Unary idempotent QUICK_MS;
        START = 5 "start" Unary idempotent QUICK_MS;
        SUBSCRIBE = 6 "subscribe" Unary idempotent QUICK_MS;
        UNSUBSCRIBE = 7 "unsubscribe" Unary idempotent QUICK_MS;
        CRASHES = 8 "crashes" Unary idempotent QUICK_MS;
        LOGS = 9 "logs" Unary idempotent QUICK_MS;
        TRACE = 10 "trace" Unary idempotent QUICK_MS;
        CAPABILITIES = 11 "capabilities" Unary idempotent QUICK_MS;
        SPAWN = 12 "spawn" Unary once QUICK_MS;
        KILL = 13 "kill" Unary idempotent QUICK_MS;
        SET_PROFILE = 14 "set_profile" Unary idempotent QUICK_MS;
        PROVE = 15 "prove" Unary once REMOTE_MS;
        SHUTDOWN = 16 "shutdown" Unary idempotent QUICK_MS;
        MOVE_DATA = 17 "move_data" Unary once REWRITE_MS;
    }
    /// Conversations: the agent loop as a service. Served by brains.
    session = 1 {
        SEND = 1 "send" Stream once FIRST_TOKEN_MS;
        STOP = 2 "stop" Unary idempotent QUICK_MS;
        USE_MODEL = 4 "use_model" Unary idempotent QUICK_MS;
    }
    /// Language models. Served by model.
    model = 2 {
        CHAT = 1 "chat" Stream once FIRST_TOKEN_MS;
        LIST = 2 "list" Unary idempotent REMOTE_MS;
        SHOW = 3 "show" Unary idempotent REMOTE_MS;
        PULL = 4 "pull" Stream idempotent REMOTE_MS;
        RUNNING = 5 "running" Unary idempotent REMOTE_MS;
        EMBED = 6 "embed" Unary idempotent FIRST_TOKEN_MS;
        PROBE = 7 "probe" Unary idempotent REMOTE_MS;
    }
    /// What was noted, found again and linked. Served by memory.
    memory = 3 {
        ADD = 1 "add" Unary once DISK_MS;
        SEARCH = 2 "search" Unary idempotent DISK_MS;
        RECALL = 3 "recall" Unary idempotent DISK_MS;
        LIST = 4 "list" Unary idempotent DISK_MS;
        SHOW = 5 "show" Unary idempotent DISK_MS;
        FORGET = 6 "forget" Unary idempotent DISK_MS;
        IMPORT = 7 "import" Upload idempotent DISK_MS;
        INDEX = 8 "index" Stream idempotent REWRITE_MS;
        FACTS = 9 "facts" Unary idempotent DISK_MS;
        CORRECT = 10 "correct" Unary once DISK_MS;
        GRAPH = 11 "graph" Unary idempotent DISK_MS;
        EXPLAIN = 12 "explain" Unary idempotent DISK_MS;
    }
    /// The vault: secrets by name. Served by vault.
    vault = 7 {
        SET = 1 "set" Unary idempotent REMOTE_MS;
        DELETE = 2 "delete" Unary idempotent REMOTE_MS;
        LIST = 3 "list" Unary idempotent REMOTE_MS;
        READ = 4 "read" Unary idempotent REMOTE_MS;
        CHECK = 5 "check" Unary idempotent REMOTE_MS;
    }
    /// Settings, with their schema. Served by memory.
    config = 8 {
        VALUES = 1 "values" Unary idempotent DISK_MS;
        LIST = 2 "list" Unary idempotent DISK_MS;
        GET = 3 "get" Unary idempotent DISK_MS;
        SET = 4 "set" Unary idempotent REWRITE_MS;
        UNSET = 5 "unset" Unary idempotent REWRITE_MS;
        EXPORT = 6 "export" Unary idempotent DISK_MS;
        IMPORT = 7 "import" Unary idempotent REWRITE_MS;
        PROFILES = 8 "profiles" Unary idempotent DISK_MS;
        REMOVE_PROFILE = 9 "remove_profile" Unary idempotent DISK_MS;
    }
    /// How a worker finds itself. Served by every worker.
    health = 9 {
        CHECK = 1 "check" Unary idempotent QUICK_MS;
    }
    /// Transcripts: all that was said. Served by memory.
    conversations = 10 {
        BEGIN = 1 "begin" Unary idempotent DISK_MS;
        SAVE = 2 "save" Unary idempotent DISK_MS;
        RECOVER = 3 "recover" Unary idempotent DISK_MS;
        LIST = 4 "list" Unary idempotent DISK_MS;
        SHOW = 5 "show" Unary idempotent DISK_MS;
        SEARCH = 6 "search" Unary idempotent DISK_MS;
        UPDATE = 7 "update" Unary idempotent DISK_MS;
        BRANCH = 8 "branch" Unary idempotent DISK_MS;
        DELETE = 9 "delete" Unary idempotent DISK_MS;
        RESTORE = 10 "restore" Unary idempotent DISK_MS;
        EXPORT = 11 "export" Stream idempotent DISK_MS;
        IMPORT = 12 "import" Upload once DISK_MS;
    }
    /// The store as a whole: its size, its care, its copies. Served by memory.
    storage = 11 {
        STATS = 1 "stats" Unary idempotent DISK_MS;
        VACUUM = 2 "vacuum" Unary idempotent REWRITE_MS;
        RETAIN = 3 "retain" Unary idempotent REWRITE_MS;
        BACKUP = 4 "backup" Stream idempotent REWRITE_MS;
        RESTORE = 5 "restore" Upload once REWRITE_MS;
    }
    /// Served by the workers of the test kit alone; production's table grants it to nobody.
    kit = 99 {
        ECHO = 1 "echo" Unary idempotent QUICK_MS;
        COUNT = 2 "count" Stream once QUICK_MS;
        SUM = 3 "sum" Upload once QUICK_MS;
        MISBEHAVE = 4 "misbehave" Unary once QUICK_MS;
        RELAY = 5 "relay" Unary once QUICK_MS;
    }
}

/// Topics: events by service and number.
pub mod topic {
    /// The kernel, to a worker: answer with [`PONG`].
    pub const PING: u16 = 100;
    pub const PONG: u16 = 101;
    /// The kernel, to a worker: finish what is in flight and exit.
    pub const DRAIN: u16 = 102;
    /// A worker, to the kernel: confined, checked and ready to serve.
    pub const READY: u16 = 103;
    /// A twin, to the kernel: one attempt's outcome.
    pub const PROOF: u16 = 104;
    /// A worker, to the kernel: confined and checked; it may call, and does not serve yet.
    pub const CONFINED: u16 = 106;
    /// To a subscriber: this many events were dropped because it read too slowly.
    pub const LAGGED: u16 = 105;

    /// A worker changed its state.
    pub const WORKERS: u16 = 1;
    /// The status table, once a second.
    pub const STATS: u16 = 2;
    /// Headers as they are routed.
    pub const TRACE: u16 = 3;
    /// Lines of the workers' logs.
    pub const LOGS: u16 = 4;

    /// Of service config: these settings have other values now.
    pub const CONFIG_CHANGED: u16 = 1;
    /// Of service vault: this secret was set or deleted.
    pub const SECRET_CHANGED: u16 = 1;
    /// Of service conversations: this conversation changed.
    pub const CONVERSATION_CHANGED: u16 = 1;

    /// The name of a service's topic.
    #[must_use]
    pub const fn name(service: u16, topic: u16) -> &'static str {
        match (service, topic) {
            (super::control::ID, topic) => of_control(topic),
            (super::config::ID, CONFIG_CHANGED)
            | (super::vault::ID, SECRET_CHANGED)
            | (super::conversations::ID, CONVERSATION_CHANGED) => "changed",
            _ => "unknown",
        }
    }

    const fn of_control(topic: u16) -> &'static str {
        match topic {
            PING => "ping",
            PONG => "pong",
            DRAIN => "drain",
            READY => "ready",
            PROOF => "proof",
            LAGGED => "lagged",
            CONFINED => "confined",
            WORKERS => "workers",
            STATS => "stats",
            TRACE => "trace",
            LOGS => "logs",
            _ => "unknown",
        }
    }
}

/// The service of that number.
#[must_use]
pub fn service(id: u16) -> Option<&'static ServiceInfo> {
    SERVICES.iter().find(|service| service.id == id)
}

/// The method of that number.
#[must_use]
pub fn method(service_id: u16, method: u16) -> Option<&'static MethodInfo> {
    // Methods are numbered from 1 without gaps so far; the check keeps a later gap honest.
    let methods = service(service_id)?.methods;
    let guess = methods.get(usize::from(method).checked_sub(1)?);
    guess.filter(|info| info.method == method).or_else(|| methods.iter().find(|info| info.method == method))
}

/// `service.method` for people; numbers where the catalog has no name.
#[must_use]
pub fn name(service_id: u16, method_id: u16) -> String {
    match (service(service_id), method(service_id, method_id)) {
        (Some(service), Some(method)) => format!("{}.{}", service.name, method.name),
        (Some(service), None) => format!("{}.#{method_id}", service.name),
        (None, _) => format!("#{service_id}.#{method_id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_unique() {
        let mut ids = HashSet::new();
        for service in SERVICES {
            assert!(ids.insert(service.id), "service {} twice", service.id);
            let mut numbers = HashSet::new();
            let mut names = HashSet::new();
            for info in service.methods {
                assert_eq!(info.service, service.id);
                assert!(info.method > 0 && info.method < 100, "topics start at 100");
                assert!(numbers.insert(info.method), "{}.{} twice", service.name, info.method);
                assert!(names.insert(info.name), "{}.{} twice", service.name, info.name);
                assert_eq!(method(service.id, info.method), Some(info));
            }
        }
    }
}
