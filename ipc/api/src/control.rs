//! Service 0, typed: what clients and workers may ask of the kernel. The kernel itself answers; no worker implements it.

use butterfly_wire::catalog::{self, MethodInfo};
use butterfly_wire::control as message;
use butterfly_wire::method::{Method, Nothing};

macro_rules! control {
    ($( $(#[$doc:meta])* $Marker:ident = $ROW:ident($Request:ty) -> $Reply:ty; )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $Marker;

        impl Method for $Marker {
            const INFO: &'static MethodInfo = &catalog::control::$ROW;
            type Request = $Request;
            type Item = Nothing;
            type Upload = Nothing;
            type Reply = $Reply;
        }
    )* };
}

control! {
    /// The table of workers.
    Status = STATUS(()) -> message::Status;
    /// Drains a worker and starts it anew; clears Held.
    Restart = RESTART(message::Named) -> ();
    /// Drains a worker and leaves it stopped.
    Stop = STOP(message::Named) -> ();
    /// Starts a stopped or held worker.
    Start = START(message::Named) -> ();
    /// Crash reports, newest first.
    Crashes = CRASHES(()) -> message::Crashes;
    /// Log lines, oldest first.
    Logs = LOGS(message::LogsRequest) -> message::LogLines;
    /// Headers out of the trace ring.
    Trace = TRACE(message::TraceRequest) -> message::TraceRecords;
    /// The capability table, with its holes filled.
    Capabilities = CAPABILITIES(()) -> message::Capabilities;
    /// Starts an instance of a class that the caller owns.
    Spawn = SPAWN(message::Spawn) -> message::Spawned;
    /// Ends an instance of the caller's.
    Kill = KILL(message::Kill) -> ();
    /// Fills the holes of a worker's profile and restarts it. The config service alone may.
    SetProfile = SET_PROFILE(message::SetProfile) -> ();
    /// Moves the data folder. The config service alone may, and only while it answers a client's `config.set`, `unset` or `import`.
    MoveData = MOVE_DATA(message::MoveData) -> ();
    /// Runs the twin of a worker, and its unconfined control.
    Prove = PROVE(message::Named) -> message::ProofReport;
    /// Ends the kernel in an orderly way.
    Shutdown = SHUTDOWN(()) -> ();
}
