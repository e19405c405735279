//! Which TCP ports the model worker's confinement needs for a provider and an address.
//!
//! The kernel has the same rule for its own start, before any setting is read (`kernel/src/holes.rs`); workers stand on
//! nothing of the kernel's, so both are written out, and each is held to `docs/capabilities.md` by its own test.

/// `builtin` needs none. An address' own port counts, else 80 or 443 by its scheme; without an address it is 11434
/// (Ollama) or 1234 (OpenAI-compatible, LM Studio's). A host that is a name, other than localhost, also needs 53 to be
/// resolved over TCP.
#[must_use]
pub fn of_provider(provider: &str, url: &str) -> Vec<u16> {
    let usual = match provider.trim() {
        "builtin" => return Vec::new(),
        "openai" => 1234,
        _ => 11434,
    };
    let url = url.trim();
    if url.is_empty() {
        return vec![usual];
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let standard = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let mut ports = vec![port.and_then(|port| port.parse().ok()).filter(|port| *port != 0).unwrap_or(standard)];
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if !is_address && !host.eq_ignore_ascii_case("localhost") {
        ports.push(53);
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the kernel's own test.
    #[test]
    fn ports_follow_provider_and_url() {
        assert_eq!(of_provider("ollama", ""), [11434]);
        assert_eq!(of_provider("builtin", ""), [0_u16; 0]);
        assert_eq!(of_provider("builtin", "https://api.example.com"), [0_u16; 0]);
        assert_eq!(of_provider("openai", ""), [1234]);
        assert_eq!(of_provider("ollama", "http://127.0.0.1:9"), [9]);
        assert_eq!(of_provider("ollama", "http://localhost:8080/v1"), [8080]);
        assert_eq!(of_provider("ollama", "https://api.example.com/v1"), [443, 53]);
        assert_eq!(of_provider("ollama", "http://[::1]:7/"), [7]);
        assert_eq!(of_provider("ollama", "http://[fe80::1]"), [80]);
        assert_eq!(of_provider("ollama", "http://user:1@10.0.0.1"), [80]);
    }
}
