//! The benchmarks of `make bench`: each figure beside its baseline, measured in the same run, in turns.
//!
//! It is *not* a test: a target that is missed is printed as missed, and the program still ends well. It is no
//! criterion either. Criterion times a closure inside its own process, one benchmark after the other; what counts here
//! happens between processes, and a ratio is only worth something when both of its sides saw the same minute of the
//! same machine. So a small harness of our own goes to and fro between the two, and takes medians.
//!
//! Invariants:
//! - Both sides of a comparison run the same caller, the same answering program and the same frames; they differ in
//!   what is between them, and in that the answering program behind the kernel is confined as every worker is.
//! - No figure comes without what it is compared with, from the same run; none is rounded in our favour.
//! - Everything stays on this machine.
//!
//! One file per benchmark: [`round_trip`], [`in_flight`], [`stream`], [`first_token`], [`tokens`], [`cold_start`],
//! [`restart`], [`memory`], [`status`], [`memory_vectors`], [`durable`], [`keeping`], [`window_start`],
//! [`window_stream`], [`window_hours`].

pub mod bare;
pub mod cold_start;
pub mod desk;
pub mod durable;
pub mod first_token;
pub mod in_flight;
pub mod keeping;
pub mod kept;
pub mod machine;
pub mod memory;
pub mod memory_vectors;
pub mod options;
pub mod raw;
pub mod report;
pub mod restart;
pub mod round_trip;
pub mod samples;
pub mod service;
pub mod sides;
pub mod status;
pub mod stream;
pub mod talk;
pub mod tokens;
pub mod window_hours;
pub mod window_start;
pub mod window_stream;
