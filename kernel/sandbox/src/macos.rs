//! The macOS back end: a seatbelt profile, and `sandbox-exec` to put it in force.
//!
//! The profile is made by a pure function, which is compiled and tested on every system. It denies by default, and is written in
//! the language of Apple's own profiles (`/System/Library/Sandbox/Profiles`), version 1, where the last rule that matches wins.
//!
//! What this cannot do, and Linux can: narrow itself after the start, limit which system calls are made at all, or end with the
//! kernel process whatever happens to it (the bus closes, which ends a worker that listens).

#[cfg(target_os = "macos")]
mod back_end;

use crate::Profile;
#[cfg(target_os = "macos")]
pub(crate) use back_end::{confine_and_exec, system};
use butterfly_wire::confinement::{Access, PathGrant};
use std::fmt::Write;

/// What the dynamic loader and the system library read before `main`, on every macOS since 11.
const START_FOLDERS: [&str; 4] =
    ["/usr/lib", "/System/Library", "/System/Volumes/Preboot/Cryptexes/OS", "/private/var/db/dyld"];

/// Devices without which programs fail. Nothing can be kept in them.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// The seatbelt profile for `profile`. What it does not name is denied: other processes and signals to them, forking, Mach services,
/// shared memory, and every network but TCP to the granted ports.
#[must_use]
pub fn seatbelt(profile: &Profile) -> String {
    let mut rules = vec![
        "(version 1)".to_owned(),
        "(deny default)".to_owned(),
        // Only this path may be executed, and as forking is denied, only in the place of the process itself.
        format!("(allow process-exec (literal {}))", quote(&profile.program)),
        "(allow process-info* (target self))".to_owned(),
        "(allow signal (target self))".to_owned(),
        "(allow sysctl-read)".to_owned(),
        // Names and attributes, not contents: the loader looks at each folder on its way, and reads the root folder itself
        // (without that it aborts before `main`, since macOS 15).
        "(allow file-read-metadata)".to_owned(),
        "(allow file-read* (literal \"/\"))".to_owned(),
    ];
    rules.extend(START_FOLDERS.iter().map(|path| readable("file-read* file-map-executable", path)));
    rules.extend(DEVICES.iter().map(|path| format!("(allow file-read* file-write-data (literal {}))", quote(path))));
    rules.extend(profile.start.iter().chain(&profile.remaining.paths).map(allowed));
    rules.extend(
        profile.remaining.tcp_ports.iter().map(|port| format!("(allow network-outbound (remote tcp \"*:{port}\"))")),
    );
    // Whoever follows a link from outside would be led where the worker may not go. Hard links are a kind of operation of their
    // own, which nothing above allows.
    rules.push("(deny file-write-create (vnode-type SYMLINK))".to_owned());
    rules.push("(deny file-write-setugid)".to_owned());
    rules.join("\n") + "\n"
}

fn allowed(grant: &PathGrant) -> String {
    match grant.access {
        Access::Read => readable("file-read*", &grant.path),
        Access::Execute => readable("file-read* file-map-executable", &grant.path),
        Access::ReadWrite => readable("file-read* file-write*", &grant.path),
    }
}

fn readable(operations: &str, path: &str) -> String {
    format!("(allow {operations} (subpath {}))", quote(path))
}

/// A string of the profile language, which is a Scheme: quotes and backslashes are escaped, and every byte that is no printable ASCII
/// is spelt out, so that no path can end its string or its line.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\x{other:02x}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use butterfly_wire::confinement::Remaining;

    fn profile(paths: Vec<PathGrant>, tcp_ports: Vec<u16>) -> Profile {
        Profile {
            program: "/opt/butterfly/worker".into(),
            args: vec!["unseen".into()],
            environment: Vec::new(),
            start: vec![PathGrant { path: "/opt/butterfly/worker".into(), access: Access::Execute }],
            remaining: Remaining { paths, tcp_ports, ..Remaining::default() },
            limits: Limits { data_bytes: 0, file_bytes: 0, open_files: 0 },
            parent_pid: 1,
        }
    }

    fn rules(profile: &Profile) -> Vec<String> {
        seatbelt(profile).lines().map(str::to_owned).collect()
    }

    #[test]
    fn it_denies_by_default_before_anything_else() {
        assert_eq!(rules(&profile(vec![], vec![]))[..2], ["(version 1)", "(deny default)"]);
    }

    #[test]
    fn without_grants_there_is_no_writing_no_network_and_no_other_program() {
        let rules = rules(&profile(vec![], vec![]));
        assert!(!rules.iter().any(|rule| rule.contains("network") || rule.contains("file-write*")));
        assert!(!rules.iter().any(|rule| rule.contains("process-fork") || rule.contains("mach-lookup")));
        let executing: Vec<_> = rules.iter().filter(|rule| rule.contains("process-exec")).collect();
        assert_eq!(executing, ["(allow process-exec (literal \"/opt/butterfly/worker\"))"]);
    }

    #[test]
    fn the_root_folder_is_readable_as_itself_and_never_with_what_is_in_it() {
        let text = seatbelt(&profile(vec![], vec![]));
        assert!(text.contains("(allow file-read* (literal \"/\"))"));
        assert!(!text.contains("(subpath \"/\")"));
    }

    #[test]
    fn each_grant_becomes_one_rule_and_no_wider_one() {
        let rules = rules(&profile(vec![PathGrant::read("/a"), PathGrant::read_write("/b c")], vec![443, 53]));
        for rule in [
            "(allow file-read* (subpath \"/a\"))",
            "(allow file-read* file-write* (subpath \"/b c\"))",
            "(allow network-outbound (remote tcp \"*:443\"))",
            "(allow network-outbound (remote tcp \"*:53\"))",
        ] {
            assert_eq!(rules.iter().filter(|it| *it == rule).count(), 1, "{rule}");
        }
        assert_eq!(rules.iter().filter(|rule| rule.contains("network")).count(), 2);
        assert_eq!(rules.iter().filter(|rule| rule.contains("file-write*")).count(), 1);
    }

    #[test]
    fn links_are_denied_after_everything_that_allows_writing() {
        let rules = rules(&profile(vec![PathGrant::read_write("/b")], vec![]));
        let at = |what: &str| rules.iter().position(|rule| rule.contains(what)).unwrap();
        assert!(at("(deny file-write-create (vnode-type SYMLINK))") > at("file-write*"));
    }

    #[test]
    fn no_path_can_end_its_string_or_its_line() {
        let nasty = "/x\") (allow default) (\"\\\n(allow default)é";
        let text = seatbelt(&profile(vec![PathGrant::read(nasty)], vec![]));
        let expected = r#"(allow file-read* (subpath "/x\") (allow default) (\"\\\x0a(allow default)\xc3\xa9"))"#;
        assert!(text.lines().any(|line| line == expected), "{text}");
        assert!(text.is_ascii());
        assert!(!text.lines().any(|line| line.starts_with("(allow default)")));
    }
}
