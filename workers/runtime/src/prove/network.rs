//! Attempts on the network: every way out that is known, and waiting for others.

use super::sys::Kind;
use super::{Tried, sys, system};
use butterfly_wire::confinement::Targets;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

const TCP: Kind = Kind { family: libc::AF_INET, kind: libc::SOCK_STREAM, protocol: 0 };

pub(super) fn connect(to: &Targets) -> Tried {
    Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, to.tcp_port)).map(drop)?)
}

pub(super) fn listen(_: &Targets) -> Tried {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(drop)?)
}

/// MPTCP reaches TCP servers past Landlock's limit on TCP ports.
pub(super) fn multipath(to: &Targets) -> Tried {
    let socket = sys::socket(Kind { protocol: libc::IPPROTO_MPTCP, ..TCP })?;
    system(sys::connect(&socket, to.tcp_port))
}

/// So does connecting by sending.
pub(super) fn fast_open(to: &Targets) -> Tried {
    let socket = sys::socket(TCP)?;
    system(sys::send_fast_open(&socket, to.tcp_port))
}

pub(super) fn fast_open_option(_: &Targets) -> Tried {
    let socket = sys::socket(TCP)?;
    system(sys::set_fast_open(&socket))
}

pub(super) fn udp(to: &Targets) -> Tried {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket.send_to(b"x", (Ipv4Addr::LOCALHOST, to.udp_port)).map(drop)?)
}

pub(super) fn raw(_: &Targets) -> Tried {
    opened(Kind { family: libc::AF_INET, kind: libc::SOCK_RAW, protocol: libc::IPPROTO_ICMP })
}

pub(super) fn packet(_: &Targets) -> Tried {
    opened(Kind { family: libc::AF_PACKET, kind: libc::SOCK_RAW, protocol: 0 })
}

pub(super) fn netlink(_: &Targets) -> Tried {
    opened(Kind { family: libc::AF_NETLINK, kind: libc::SOCK_RAW, protocol: libc::NETLINK_ROUTE })
}

pub(super) fn vsock(_: &Targets) -> Tried {
    opened(Kind { family: libc::AF_VSOCK, kind: libc::SOCK_STREAM, protocol: 0 })
}

fn opened(kind: Kind) -> Tried {
    system(sys::socket(kind).map(drop))
}

pub(super) fn unix_path(to: &Targets) -> Tried {
    Ok(UnixStream::connect(&to.unix_path).map(drop)?)
}

pub(super) fn unix_abstract(to: &Targets) -> Tried {
    Ok(UnixStream::connect_addr(&SocketAddr::from_abstract_name(&to.abstract_name)?).map(drop)?)
}

pub(super) fn datagram_pair(_: &Targets) -> Tried {
    system(sys::datagram_pair())
}
