//! The repository's files as data: paths from its root with forward slashes, and the text of those that are text.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// Every file that is part of the repository or about to be: tracked, or new and not ignored.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the repository at `root`: what git lists or, where git does not answer (a source archive, a checkout of
    /// another user's), everything but `.git` and `target`.
    ///
    /// # Errors
    /// Whatever reading the folders or files fails with.
    pub fn read(root: &Path) -> io::Result<Self> {
        let paths = match listed_by_git(root) {
            Some(paths) => paths,
            None => walk(root)?,
        };
        let mut files = BTreeMap::new();
        for path in paths {
            let place = root.join(&path);
            // git also lists what was deleted but not yet committed, and links, whose target is listed itself.
            if place.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                files.insert(path, String::from_utf8(fs::read(place)?).ok());
            }
        }
        Ok(Self { files })
    }

    /// A tree made of paths and texts, for tests of the rules.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| (path.to_string(), Some(text.to_string()))).collect() }
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All text files whose path ends in `suffix`, sorted, with their text.
    pub fn texts(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.ends_with(suffix))
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The text of one file; `None` where there is no such text file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Is `path` a file, or a folder that holds one? The empty path is the root.
    pub fn holds(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let listing = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()?;
    if !listing.status.success() {
        return None;
    }
    let names = String::from_utf8(listing.stdout).ok()?;
    let paths: Vec<String> = names.split('\0').filter(|name| !name.is_empty()).map(str::to_string).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walk(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            match entry.file_type()? {
                kind if kind.is_dir() && (name == ".git" || name == "target") => {}
                kind if kind.is_dir() => folders.push(path),
                _ => found.push(path),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_only_when_it_holds_a_file() {
        let tree = Tree::of(&[("docs/adr/0001-a.md", "")]);
        assert!(tree.holds("docs") && tree.holds("docs/adr") && tree.holds("docs/adr/0001-a.md") && tree.holds(""));
        assert!(!tree.holds("doc") && !tree.holds("docs/adr/0001") && !tree.holds("docs/ad"));
    }

    #[test]
    fn without_git_the_walk_takes_all_but_what_is_built() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a.rs", "kernel/src/b.rs", "target/debug/c.rs", ".git/d.rs", ".ci/run"] {
            let place = root.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, "").unwrap();
        }
        let mut found = walk(root.path()).unwrap();
        found.sort();
        assert_eq!(found, [".ci/run", "a.rs", "kernel/src/b.rs"]);
    }
}
