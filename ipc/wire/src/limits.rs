//! Bounds that both sides of the bus know. `docs/protocol.md` repeats them and a test compares.

/// Bytes that one sender may have waiting in the kernel for slow readers, over all destinations. Four of the largest
/// frames: enough to keep a stream moving, little enough that a flood is felt by the flooder alone.
pub const SENDER_QUEUE_BYTES: usize = 4 << 20;

/// Bytes that may wait for one reader. A reader that lets more than this pile up has stopped reading.
pub const READER_QUEUE_BYTES: usize = 4 << 20;

/// Bytes kept free in a reader's queue for frames that end something (errors, ends, cancels).
pub const TERMINAL_RESERVE_BYTES: usize = 64 << 10;

/// Bytes of events that may wait for one subscriber before the oldest are dropped.
pub const EVENT_QUEUE_BYTES: usize = 256 << 10;

/// Calls that one peer may have open as a caller.
pub const CALLS_PER_CALLER: usize = 1024;

/// Calls that one worker may have open as a callee.
pub const CALLS_PER_CALLEE: usize = 2048;

/// The most credit one side of a call may hold: 64 items of 64 KiB fill one sender's quota.
pub const CREDIT_LIMIT: u32 = 64;

/// Topics that one peer may subscribe to.
pub const SUBSCRIPTIONS_PER_PEER: usize = 16;

/// Clients connected at once, handshake complete.
pub const CLIENTS: usize = 64;

/// Connections whose handshake is not complete; the oldest makes room for the next.
pub const HALF_OPEN_CONNECTIONS: usize = 64;

/// Time a new connection has to say Hello, in ms.
pub const HANDSHAKE_MS: u64 = 2_000;

/// Time within which a frame that was begun must be complete, in ms.
pub const PARTIAL_FRAME_MS: u64 = 10_000;

/// A call without a deadline of its own gets its method's default; none may ask for more than this, in ms.
pub const DEADLINE_LIMIT_MS: u32 = 60 * 60 * 1000;

/// Interval of the kernel's pings to each worker, in ms.
pub const PING_INTERVAL_MS: u64 = 5_000;

/// Pings a worker may miss in a row before it counts as hung.
pub const PINGS_MISSED: u32 = 3;

/// Protocol violations a worker may commit in one generation before it is held.
pub const VIOLATIONS_HELD: u32 = 16;

/// Headers kept in the trace ring.
pub const TRACE_RING: usize = 4096;

/// Headers kept in a crash report.
pub const CRASH_HEADERS: usize = 64;

/// The longest socket path that is used as it is, in bytes; `sun_path` holds 108 on Linux and 104 on macOS.
pub const SOCKET_PATH_BYTES: usize = 100;
