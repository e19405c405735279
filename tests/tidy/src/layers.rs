//! Who may depend on whom: kernel, workers and desktop all stand on `ipc`, and on nothing of each other's.

use crate::Violation;
use crate::packages::Package;
use std::collections::BTreeMap;

/// What the kernel must never see. It routes opaque bytes: whoever parses, stores or draws them is another process, and
/// each of these in the kernel would put a parser, a database or a network stack into the trusted base.
pub const NOT_IN_KERNEL: [&str; 10] =
    ["anyhow", "butterfly-api", "diesel", "dioxus", "hyper", "lancedb", "reqwest", "serde_json", "wasmtime", "zbus"];

/// The kernel's packages, itself included, that a reviewer of the trusted base has to know: a number that a person can
/// still look through.
pub const KERNEL_PACKAGES: usize = 90;

/// What `ipc/wire` may depend on directly: a client in another language needs none of it, so it stays a vocabulary.
pub const WIRE_MAY: [&str; 2] = ["bincode", "thiserror"];

/// The heavy packages and the one folder whose program may link each.
pub const HEAVY: [(&str, &str); 3] =
    [("diesel", "workers/memory"), ("dioxus", "desktop/app"), ("lancedb", "workers/memory")];

/// Does a package in folder `from` have a right to one of this workspace in folder `to`?
fn may(from: &str, to: &str) -> bool {
    match area(from) {
        "kernel" => area(to) == "kernel" || to == "ipc/wire",
        "ipc" => area(to) == "ipc",
        "workers" => area(to) == "ipc" || to == "workers/runtime" || part(from) == part(to),
        "desktop" => area(to) == "ipc" || to == "desktop/start" || part(from) == part(to),
        // Tests look at everything, and nothing looks at them.
        "tests" => true,
        _ => false,
    }
}

/// The first component of a folder.
fn area(folder: &str) -> &str {
    folder.split('/').next().unwrap_or(folder)
}

/// The first two components: one program with the packages that it is split into.
fn part(folder: &str) -> &str {
    folder.match_indices('/').nth(1).map_or(folder, |(end, _)| &folder[..end])
}

/// Every dependency inside the workspace, also an indirect one, that crosses a line.
pub fn crossings(packages: &[Package]) -> Vec<Violation> {
    let folders: BTreeMap<&str, &str> =
        packages.iter().map(|package| (package.name.as_str(), package.folder.as_str())).collect();
    let mut violations = Vec::new();
    for package in packages {
        for dependency in package.closure.union(&package.direct).filter(|name| **name != package.name) {
            let Some(folder) = folders.get(dependency.as_str()) else { continue };
            if !may(&package.folder, folder) {
                violations.push(Violation::new(
                    &package.folder,
                    format!("depends on {dependency} ({folder})"),
                    "let them meet in ipc/ instead: the kernel knows ipc/wire only, workers know ipc/ and workers/runtime, \
                     the desktop's programs know ipc/ and desktop/start",
                ));
            }
        }
    }
    violations
}

/// What the packages under `kernel/` link and must not, and that they stay few.
pub fn kernel_weight(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages.iter().filter(|package| area(&package.folder) == "kernel") {
        for name in NOT_IN_KERNEL.iter().filter(|name| package.closure.contains(**name)) {
            violations.push(Violation::new(
                &package.folder,
                format!("links {name}"),
                "`cargo tree -p PACKAGE -e normal -i DEPENDENCY` shows through whom; do that work in a worker or in the CLI",
            ));
        }
        let count = package.closure.len();
        if count > KERNEL_PACKAGES {
            violations.push(Violation::new(
                &package.folder,
                format!("links {count} packages and may link {KERNEL_PACKAGES}"),
                "drop a dependency or a feature of one",
            ));
        }
    }
    violations
}

/// What `ipc/wire` depends on beyond the two packages that it may.
pub fn wire_weight(packages: &[Package]) -> Vec<Violation> {
    packages
        .iter()
        .filter(|package| package.folder == "ipc/wire")
        .flat_map(|wire| &wire.direct)
        .filter(|name| !WIRE_MAY.contains(&name.as_str()))
        .map(|name| {
            let remedy = "keep the wire a vocabulary of bincode and thiserror; transports belong into ipc/client";
            Violation::new("ipc/wire", format!("depends on {name}"), remedy)
        })
        .collect()
}

/// Programs that link a database or a webview that is another's.
pub fn heavy(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages.iter().filter(|package| area(&package.folder) != "tests") {
        for (name, home) in HEAVY {
            if package.closure.contains(name) && part(&package.folder) != home {
                violations.push(Violation::new(
                    &package.folder,
                    format!("links {name}, which only {home} may"),
                    "ask that process over the bus instead",
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, closure: &[&str]) -> Package {
        let names: std::collections::BTreeSet<String> = closure.iter().map(|name| name.to_string()).collect();
        Package { name: name.into(), folder: folder.into(), direct: names.clone(), closure: names }
    }

    fn workspace() -> Vec<Package> {
        vec![
            package("wire", "ipc/wire", &["bincode", "thiserror"]),
            package("api", "ipc/api", &["wire"]),
            package("kernel", "kernel", &["kernel", "wire", "sandbox"]),
            package("sandbox", "kernel/sandbox", &["wire"]),
            package("runtime", "workers/runtime", &["wire", "api"]),
            package("model", "workers/model", &["runtime", "api", "wire"]),
            package("tools", "workers/tools", &["runtime", "tools-egress"]),
            package("tools-egress", "workers/tools/egress", &["api"]),
            package("start", "desktop/start", &["api", "wire"]),
            package("cli", "desktop/cli", &["start", "api", "wire"]),
            package("kit", "tests/kit", &["kernel", "runtime", "model", "cli"]),
        ]
    }

    fn with(name: &str, folder: &str, closure: &[&str]) -> Vec<Package> {
        let mut packages = workspace();
        packages.push(package(name, folder, closure));
        packages
    }

    #[test]
    fn the_designed_layout_crosses_no_line() {
        assert_eq!(crossings(&workspace()), []);
        assert_eq!(kernel_weight(&workspace()), []);
        assert_eq!(wire_weight(&workspace()), []);
        assert_eq!(heavy(&workspace()), []);
    }

    #[test]
    fn each_line_is_seen_when_crossed() {
        let crossed = [
            ("kernel/x", "api"),
            ("kernel/x", "runtime"),
            ("ipc/x", "kernel"),
            ("ipc/x", "kit"),
            ("workers/x", "sandbox"),
            ("workers/x", "model"),
            ("workers/x", "tools-egress"),
            ("workers/runtime", "model"),
            ("workers/x", "cli"),
            ("workers/x", "start"),
            ("kernel/x", "start"),
            ("ipc/x", "start"),
            ("desktop/x", "kernel"),
            ("desktop/x", "runtime"),
            ("desktop/x", "cli"),
            ("desktop/start", "cli"),
            ("elsewhere", "wire"),
        ];
        for (folder, dependency) in crossed {
            let found = crossings(&with("x", folder, &["x", dependency]));
            assert_eq!(found.len(), 1, "{folder} on {dependency}: {found:?}");
            assert!(found[0].place == folder && found[0].what.contains(dependency), "{found:?}");
        }
    }

    #[test]
    fn a_line_crossed_indirectly_is_seen() {
        let mut indirect = package("x", "workers/x", &["x", "middle", "sandbox"]);
        indirect.direct = ["middle".to_string()].into();
        let mut packages = workspace();
        packages.push(indirect);
        assert_eq!(crossings(&packages).len(), 1);
    }

    #[test]
    fn the_kernel_may_not_link_a_parser_nor_grow_without_bound() {
        for name in NOT_IN_KERNEL {
            assert_eq!(kernel_weight(&with("x", "kernel/x", &[name])).len(), 1, "{name}");
            assert_eq!(kernel_weight(&with("x", "workers/x", &[name])), [], "{name} is the kernel's matter alone");
        }
        let many: Vec<String> = (0..=KERNEL_PACKAGES).map(|n| format!("p{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(kernel_weight(&with("x", "kernel/x", &many)).len(), 1);
        assert_eq!(kernel_weight(&with("x", "kernel/x", &many[1..])), []);
    }

    #[test]
    fn the_wire_may_not_grow_a_dependency() {
        assert_eq!(wire_weight(&[package("wire", "ipc/wire", &["bincode", "tokio"])]).len(), 1);
    }

    #[test]
    fn a_database_belongs_to_its_worker_alone() {
        assert_eq!(heavy(&with("x", "workers/x", &["lancedb"])).len(), 1);
        assert_eq!(heavy(&with("x", "desktop/cli", &["dioxus"])).len(), 1);
        assert_eq!(heavy(&with("x", "workers/memory", &["lancedb", "diesel"])), []);
        assert_eq!(heavy(&with("x", "tests/x", &["diesel"])), []);
    }
}
