//! The workspace's packages as data: where each lives, what it depends on directly, and all that it ends up linking.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// One package of the workspace. "Normal" leaves out what only its tests and build script need.
#[derive(Debug, Default, Clone)]
pub struct Package {
    pub name: String,
    /// Its folder from the repository's root, with forward slashes.
    pub folder: String,
    /// Names of its direct normal dependencies.
    pub direct: BTreeSet<String>,
    /// Names of all its transitive normal dependencies on this platform, itself included.
    pub closure: BTreeSet<String>,
}

/// Asks cargo for the packages of the workspace at `root`, without the network; their closures stay empty.
///
/// # Errors
/// One sentence for people when cargo does not run or answers something else than expected.
pub fn read(root: &Path) -> Result<Vec<Package>, String> {
    parse(&cargo(root, &["metadata", "--no-deps", "--format-version", "1"])?)
}

/// Like [`read`], and with what each package ends up linking.
///
/// That comes from `cargo tree`, one package at a time: `cargo metadata` would unite the features of the whole workspace,
/// and so charge one package with what another asked for.
///
/// # Errors
/// Those of [`read`].
pub fn read_linked(root: &Path) -> Result<Vec<Package>, String> {
    let mut packages = read(root)?;
    for package in &mut packages {
        let tree = cargo(root, &["tree", "--package", &package.name, "--edges", "normal", "--prefix", "none"])?;
        package.closure = names(&tree);
    }
    Ok(packages)
}

fn cargo(root: &Path, args: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .current_dir(root)
        .args(args)
        .args(["--offline", "--locked"])
        .output()
        .map_err(|fault| format!("cargo does not start ({fault}); run the tests through cargo"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo {} failed; if it misses a package, run `cargo fetch` once. It said: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    String::from_utf8(output.stdout).map_err(|fault| format!("cargo printed no UTF-8: {fault}"))
}

/// Reads what `cargo metadata --no-deps` prints; closures stay empty.
fn parse(metadata: &str) -> Result<Vec<Package>, String> {
    let metadata: Value = serde_json::from_str(metadata).map_err(|fault| format!("cargo printed no JSON: {fault}"))?;
    let root = text(&metadata, "workspace_root")?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    packages.iter().map(|package| parse_package(package, root)).collect()
}

fn parse_package(package: &Value, root: &str) -> Result<Package, String> {
    let manifest = text(package, "manifest_path")?;
    let folder = manifest
        .strip_prefix(root)
        .and_then(|rest| rest.strip_suffix("Cargo.toml"))
        .ok_or_else(|| format!("{manifest} is not inside {root}"))?;
    let mut direct = BTreeSet::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        if dependency["kind"].is_null() {
            direct.insert(text(dependency, "name")?.to_string());
        }
    }
    Ok(Package {
        name: text(package, "name")?.to_string(),
        folder: folder.trim_matches(['/', '\\']).replace('\\', "/"),
        direct,
        closure: BTreeSet::new(),
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value[key].as_str().ok_or_else(|| format!("cargo metadata has no {key} where it should"))
}

/// The package names in what `cargo tree --prefix none` prints: the first word of each line.
fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_dependencies_count() {
        let packages = parse(
            r#"{"workspace_root": "/w", "packages": [{"name": "a", "manifest_path": "/w/kernel/a/Cargo.toml", "dependencies": [
                {"name": "normal", "kind": null}, {"name": "tests", "kind": "dev"}, {"name": "script", "kind": "build"}]}]}"#,
        )
        .unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!((packages[0].name.as_str(), packages[0].folder.as_str()), ("a", "kernel/a"));
        assert_eq!(packages[0].direct, BTreeSet::from(["normal".to_string()]));
    }

    #[test]
    fn metadata_that_lacks_a_field_is_refused_by_name() {
        assert!(parse(r#"{"workspace_root": "/w", "packages": [{}]}"#).unwrap_err().contains("manifest_path"));
        assert!(parse("nonsense").unwrap_err().contains("JSON"));
    }

    #[test]
    fn a_closure_holds_each_name_once() {
        let tree = "a v0.1.0 (/w/a)\nsyn v2.0.1 (proc-macro)\n\nb v1.0.0\nb v1.0.0 (*)\n";
        assert_eq!(names(tree), ["a", "b", "syn"].map(str::to_string).into());
    }
}
