//! Confinement over real processes: the jail as the kernel starts it, and a probe in the place of a worker.

#![cfg(target_os = "linux")]

mod launch;
mod process;
mod prove;
