//! Attempts on the parts of the system that no worker has a use for.

use super::{Tried, c, sys, system};
use butterfly_wire::confinement::Targets;
use std::os::fd::AsFd;

pub(super) fn user_namespace(to: &Targets) -> Tried {
    system(sys::in_child(sys::new_user_namespace, &c(&to.folder)?))
}

pub(super) fn mount(to: &Targets) -> Tried {
    system(sys::in_child(sys::mount, &c(&to.folder)?))
}

pub(super) fn change_root(to: &Targets) -> Tried {
    system(sys::in_child(sys::change_root, &c(&to.folder)?))
}

pub(super) fn io_ring(_: &Targets) -> Tried {
    system(sys::io_ring())
}

pub(super) fn bpf(_: &Targets) -> Tried {
    system(sys::bpf_map())
}

pub(super) fn performance_counter(_: &Targets) -> Tried {
    system(sys::performance_counter())
}

pub(super) fn keyring(_: &Targets) -> Tried {
    system(sys::keyring())
}

pub(super) fn user_faults(_: &Targets) -> Tried {
    system(sys::user_faults())
}

pub(super) fn shared_memory(_: &Targets) -> Tried {
    system(sys::shared_memory())
}

pub(super) fn personality(_: &Targets) -> Tried {
    system(sys::personality())
}

/// Through the bus, which is no terminal: what counts is whether the request reaches it.
pub(super) fn push_input(_: &Targets) -> Tried {
    system(sys::push_input(std::io::stdin().as_fd()))
}

pub(super) fn executable_page(_: &Targets) -> Tried {
    system(sys::executable_page(true))
}

pub(super) fn make_executable(_: &Targets) -> Tried {
    system(sys::executable_page(false))
}
