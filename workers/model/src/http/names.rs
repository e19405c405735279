//! Names to addresses, without libc: `getaddrinfo` opens UDP and netlink sockets, which this worker has not.
//!
//! `localhost` needs no lookup (RFC 6761). Everything else comes from `/etc/hosts`, or over TCP from the name servers of
//! `/etc/resolv.conf`. What is *not* here: UDP, mDNS, LLMNR, and the caches of other programs.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use reqwest::dns::{Addrs, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// Name servers that are asked; resolv.conf(5) knows three.
const SERVERS: usize = 3;

/// The wait for one name server: below the time in which a person gives up, above a slow line's round trip.
const WAIT: Duration = Duration::from_secs(3);

/// Why a name has no address.
#[derive(Debug, Error)]
pub enum NameFault {
    #[error("the name {0} cannot be looked up, because /etc/resolv.conf names no name server")]
    NoServer(String),
    #[error("the name {0} does not exist")]
    NotFound(String),
    #[error("no name server answered about {name}: {fault}")]
    NoAnswer { name: String, fault: String },
}

/// Looks names up.
pub struct Names {
    hosts: PathBuf,
    config: PathBuf,
    port: u16,
    /// Made at the first lookup, and kept for its cache.
    resolver: Arc<Mutex<Option<TokioResolver>>>,
}

impl Names {
    pub fn of_the_system() -> Self {
        Self::new("/etc/hosts", "/etc/resolv.conf", 53)
    }

    fn new(hosts: impl Into<PathBuf>, config: impl Into<PathBuf>, port: u16) -> Self {
        Self { hosts: hosts.into(), config: config.into(), port, resolver: Arc::default() }
    }

    async fn look_up(
        name: String,
        hosts: PathBuf,
        resolver: Result<TokioResolver, NameFault>,
    ) -> Result<Vec<IpAddr>, NameFault> {
        if is_localhost(&name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let known = read(&hosts).map(|text| in_hosts(&text, &name)).unwrap_or_default();
        if !known.is_empty() {
            return Ok(known);
        }
        match resolver?.lookup_ip(name.as_str()).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(fault) if fault.is_no_records_found() => Err(NameFault::NotFound(name)),
            Err(fault) => Err(NameFault::NoAnswer { name, fault: fault.to_string() }),
        }
    }

    fn resolver(&self, name: &str) -> Result<TokioResolver, NameFault> {
        let mut kept = self.resolver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resolver) = kept.as_ref() {
            return Ok(resolver.clone());
        }
        let resolver = read(&self.config)
            .and_then(|text| build(&text, self.port))
            .ok_or_else(|| NameFault::NoServer(name.to_owned()))?;
        Ok(kept.insert(resolver).clone())
    }
}

impl Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let name = name.as_str().to_owned();
        let hosts = self.hosts.clone();
        let resolver = if is_localhost(&name) { Err(NameFault::NoServer(name.clone())) } else { self.resolver(&name) };
        Box::pin(async move {
            let found = Self::look_up(name, hosts, resolver).await?;
            // The port stands in the URL; 0 is replaced by it.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

fn read(path: &Path) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The addresses that a hosts(5) file gives a name.
fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let name = name.trim_end_matches('.');
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| IpAddr::from_str(word).ok()) else { continue };
        if words.any(|word| word.eq_ignore_ascii_case(name)) {
            found.push(address);
        }
    }
    found
}

/// A resolver from the text of a resolv.conf(5): name servers, search domains and `ndots`; `None` without a server.
fn build(text: &str, port: u16) -> Option<TokioResolver> {
    let mut config = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let mut search = Vec::new();
    let mut ndots = None;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") if config.name_servers().len() < SERVERS => {
                if let Some(address) = words.next().and_then(|word| IpAddr::from_str(word).ok()) {
                    let mut server = NameServerConfig::tcp(address);
                    server.connections.iter_mut().for_each(|connection| connection.port = port);
                    config.add_name_server(server);
                }
            }
            // The last of these lines counts.
            Some("search" | "domain") => search = words.filter_map(|word| Name::from_str(word).ok()).collect(),
            Some("options") => ndots = words.find_map(|word| word.strip_prefix("ndots:")?.parse().ok()).or(ndots),
            _ => {}
        }
    }
    if config.name_servers().is_empty() {
        return None;
    }
    search.into_iter().for_each(|domain| config.add_search(domain));
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = WAIT;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    // This file reads /etc/hosts itself, anew for each lookup.
    options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    if let Some(ndots) = ndots {
        options.ndots = ndots;
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    async fn ask(names: &Names, name: &str) -> Result<Vec<IpAddr>, String> {
        let resolving = names.resolve(reqwest::dns::Name::from_str(name).unwrap());
        resolving.await.map(|found| found.map(|address| address.ip()).collect()).map_err(|fault| fault.to_string())
    }

    /// Answers every A question with 192.0.2.7 and every other one with nothing, over TCP; names with `none` have nothing.
    fn name_server() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut length = [0; 2];
                    while stream.read_exact(&mut length).is_ok() {
                        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                        stream.read_exact(&mut query).unwrap();
                        let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
                        let is_a =
                            query[end - 4..end - 2] == [0, 1] && !query[..end].windows(4).any(|word| word == b"none");
                        let mut answer = query[..end].to_vec();
                        answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
                        if is_a {
                            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
                        }
                        stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
                        stream.write_all(&answer).unwrap();
                    }
                });
            }
        });
        port
    }

    #[tokio::test]
    async fn localhost_is_both_loopbacks_and_asks_nobody() {
        let names = Names::new("/nonexistent", "/nonexistent", 1);
        let loopbacks: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(ask(&names, "localhost").await.unwrap(), loopbacks);
        assert_eq!(ask(&names, "Box.LocalHost.").await.unwrap(), loopbacks);
    }

    #[tokio::test]
    async fn names_come_from_the_hosts_file_and_else_over_tcp() {
        let folder = tempfile::tempdir().unwrap();
        let (hosts, config) = (folder.path().join("hosts"), folder.path().join("resolv.conf"));
        std::fs::write(&hosts, "# none\n10.9.8.7 box.lan box # mine\nfd00::1\tBOX.lan\n").unwrap();
        std::fs::write(&config, "nameserver 127.0.0.1\nsearch lan\noptions rotate ndots:1\n").unwrap();
        let names = Names::new(&hosts, &config, name_server());

        let known: Vec<IpAddr> = vec!["10.9.8.7".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(ask(&names, "box.lan").await.unwrap(), known);
        let found: Vec<IpAddr> = vec!["192.0.2.7".parse().unwrap()];
        assert_eq!(ask(&names, "models.example").await.unwrap(), found);
        assert_eq!(ask(&names, "none.example").await.unwrap_err(), "the name none.example does not exist");
    }

    #[tokio::test]
    async fn without_a_name_server_the_file_is_named() {
        let names = Names::new("/nonexistent", "/nonexistent", 1);
        assert!(ask(&names, "models.example").await.unwrap_err().contains("/etc/resolv.conf"));
    }
}
