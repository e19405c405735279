//! Moving the data folder to another place, on another disk perhaps, so that at every instant one of the two is whole and in use.
//!
//! The folder's own place in the home is then a link to where it is. What happens, in this order: the destination is judged; the
//! worker that has the folder is stopped; all of it is copied (on one file system: linked) and written to the disk; the place in the
//! home is exchanged for the link in one step; the old folder is removed; the worker starts. Whatever fails before the exchange
//! leaves the old folder in use, whatever fails after it the new one. [`settle`] clears away what a crash left behind.
//!
//! It is *not* a backup, and knows nothing of what is in the files. `moving.rs` says when it is done, and for whom.

use crate::listener::DoorError;
use butterfly_wire::place::Place;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// Within the destination: what is not complete yet.
const INCOMING: &str = ".incoming";

/// Beside the folder's own place: what is to take it, and after the exchange what had it.
const NEW: &str = "incoming";

/// Beside the folder's own place: what had it, where the system cannot exchange two names in one step.
const OLD: &str = "old";

/// The worker's temporary files, which nobody needs elsewhere.
const SCRATCH: &str = "tmp";

/// Why the folder stays where it is.
#[derive(Debug, Error)]
pub enum MoveError {
    #[error("{0} is not an absolute path without `.` and `..`; name one")]
    NotPlain(PathBuf),
    #[error("{path} leads to {target} through a link; name that folder itself")]
    Link { path: PathBuf, target: PathBuf },
    #[error("{path} belongs to the assistant's own {other}; name a folder that has nothing to do with it")]
    Own { path: PathBuf, other: PathBuf },
    #[error("{0} is in a hidden folder of your home, where programs keep their settings; name another folder")]
    Hidden(PathBuf),
    #[error("{0} is not empty; name an empty folder, or one that does not exist yet")]
    NotEmpty(PathBuf),
    #[error("{0} is no folder")]
    NoFolder(PathBuf),
    #[error("{path} belongs to user {owner}; it must be yours")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{0} is neither a file nor a folder, and nothing else belongs into the data folder; remove it")]
    Strange(PathBuf),
    #[error("{path}: {fault}")]
    Io { path: PathBuf, fault: io::Error },
    #[error("the assistant was stopped meanwhile")]
    Stopped,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> MoveError {
    let path = path.to_owned();
    move |fault| MoveError::Io { path, fault }
}

/// A move whose destination is fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The folder's own place in the home, where it is or a link to it is.
    own: PathBuf,
    /// Where it is, links resolved.
    from: PathBuf,
    /// It was moved before, so that its own place is a link.
    away: bool,
    /// Where it shall be; `own` itself when it comes home.
    to: PathBuf,
}

/// How a move ended well.
#[derive(Debug)]
pub struct Moved {
    /// What of the old folder could not be removed, and why.
    pub left: Option<MoveError>,
}

impl Plan {
    /// Judges a destination; `None` when the folder is there already. `home` is the owner's home folder.
    ///
    /// # Errors
    /// A [`MoveError`] that names what is wrong with it. The asker's fault.
    pub fn new(place: &Place, to: &str, home: Option<&Path>) -> Result<Option<Self>, MoveError> {
        let own = place.data.clone();
        let from = fs::canonicalize(&own).map_err(at(&own))?;
        if to.split('/').any(|part| part == "." || part == "..") {
            return Err(MoveError::NotPlain(to.into()));
        }
        let to = if to.is_empty() { own.clone() } else { Path::new(to).components().collect() };
        if to == from || (to == own && !own.is_symlink()) {
            return Ok(None);
        }
        let plan = Self { away: own.is_symlink(), own, from, to };
        if plan.to == plan.own {
            return Ok(Some(plan));
        }
        plan.judge_name(place, home)?;
        plan.judge_folder()?;
        Ok(Some(plan))
    }

    #[must_use]
    pub fn from(&self) -> &Path {
        &self.from
    }

    #[must_use]
    pub fn to(&self) -> &Path {
        &self.to
    }

    fn judge_name(&self, place: &Place, home: Option<&Path>) -> Result<(), MoveError> {
        let to = &self.to;
        let Some(parent) = to.parent().filter(|_| to.is_absolute()) else {
            return Err(MoveError::NotPlain(to.clone()));
        };
        let target = fs::canonicalize(parent).map_err(at(parent))?;
        if target != parent {
            return Err(MoveError::Link { path: parent.to_owned(), target });
        }
        let socket = place.socket();
        let folders =
            [Some(self.own.as_path()), Some(&self.from), Some(&place.state), Some(&place.runtime), socket.parent()];
        for other in folders.into_iter().flatten() {
            let real = fs::canonicalize(other).unwrap_or_else(|_| other.to_owned());
            // In a shared folder stands only the socket's own folder; that one is meant.
            if [other, &real].into_iter().any(|other| to.starts_with(other) || other.starts_with(to)) {
                return Err(MoveError::Own { path: to.clone(), other: other.to_owned() });
            }
        }
        let home = home.and_then(|home| fs::canonicalize(home).ok());
        let below = home.as_deref().filter(|home| home.parent().is_some()).and_then(|home| to.strip_prefix(home).ok());
        let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
        if below.is_some_and(|below| below.components().any(hidden)) {
            return Err(MoveError::Hidden(to.clone()));
        }
        Ok(())
    }

    fn judge_folder(&self) -> Result<(), MoveError> {
        let to = &self.to;
        let found = match fs::symlink_metadata(to) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found.map_err(at(to))?,
        };
        if found.is_symlink() {
            return Err(MoveError::Link { path: to.clone(), target: fs::read_link(to).map_err(at(to))? });
        }
        if !found.is_dir() {
            return Err(MoveError::NoFolder(to.clone()));
        }
        if found.uid() != nix::unistd::geteuid().as_raw() {
            return Err(MoveError::Foreign { path: to.clone(), owner: found.uid() });
        }
        for entry in fs::read_dir(to).map_err(at(to))? {
            // One that was interrupted left this.
            if entry.map_err(at(to))?.file_name() != INCOMING {
                return Err(MoveError::NotEmpty(to.clone()));
            }
        }
        Ok(())
    }

    /// Does it. Takes as long as the copying does; `stop` ends it between two files.
    ///
    /// # Errors
    /// Why it was not moved: the old folder is as it was, and in use.
    pub fn carry_out(&self, stop: &AtomicBool) -> Result<Moved, MoveError> {
        settle_beside(&self.own).map_err(at(&self.own))?;
        let new = beside(&self.own, NEW);
        if self.to == self.own {
            fill(&self.from, &new, stop).inspect_err(|_| clear(&new))?;
        } else {
            let names = self.fill_destination(stop)?;
            let linked = symlink(&self.to, &new).map_err(at(&new));
            linked.inspect_err(|_| names.iter().for_each(|name| clear(&self.to.join(name))))?;
        }
        exchange(&self.own).inspect_err(|_| clear(&new))?;
        sync_parent(&self.own)?;
        let left = self.remove_old().err();
        Ok(Moved { left })
    }

    /// Fills the destination, and returns the names that stand in it then.
    fn fill_destination(&self, stop: &AtomicBool) -> Result<Vec<PathBuf>, MoveError> {
        let to = &self.to;
        match fs::DirBuilder::new().mode(0o700).create(to) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => return Err(at(to)(fault)),
            Ok(()) | Err(_) => {}
        }
        fs::set_permissions(to, fs::Permissions::from_mode(0o700)).map_err(at(to))?;
        let incoming = to.join(INCOMING);
        clear(&incoming);
        fill(&self.from, &incoming, stop).inspect_err(|_| clear(&incoming))?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&incoming).map_err(at(&incoming))? {
            let name = PathBuf::from(entry.map_err(at(&incoming))?.file_name());
            fs::rename(incoming.join(&name), to.join(&name)).map_err(at(to))?;
            names.push(name);
        }
        fs::remove_dir(&incoming).map_err(at(&incoming))?;
        sync(to)?;
        sync_parent(to)?;
        Ok(names)
    }

    /// Removes what was left: what stood in the folder's own place, and what it led to if that was a link.
    fn remove_old(&self) -> Result<(), MoveError> {
        settle_beside(&self.own).map_err(at(&self.own))?;
        let now = fs::canonicalize(&self.own).map_err(at(&self.own))?;
        // Never what is in use: without a link, the old name leads to the new folder by now.
        if !self.away || now.starts_with(&self.from) {
            return Ok(());
        }
        for entry in fs::read_dir(&self.from).map_err(at(&self.from))? {
            remove(&entry.map_err(at(&self.from))?.path()).map_err(at(&self.from))?;
        }
        // A disk's root stays, empty.
        let _ = fs::remove_dir(&self.from);
        Ok(())
    }
}

fn beside(own: &Path, what: &str) -> PathBuf {
    let mut name = own.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    own.with_file_name(name)
}

/// Removes a file, a link or a whole folder; what is not there is removed already.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(fault) => Err(fault),
    };
    match removed {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// As [`remove`], after a failure that is told already.
fn clear(path: &Path) {
    if let Err(fault) = remove(path) {
        tracing::warn!(%fault, path = %path.display(), "what was copied so far could not be removed");
    }
}

/// Makes `to` the same as `from`, on the disk, without temporary files.
fn fill(from: &Path, to: &Path, stop: &AtomicBool) -> Result<(), MoveError> {
    fs::DirBuilder::new().mode(0o700).create(to).map_err(at(to))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(at(&source))?;
        if stop.load(Ordering::Relaxed) {
            return Err(MoveError::Stopped);
        }
        if kind.is_dir() && entry.file_name() == SCRATCH {
            continue;
        } else if kind.is_dir() {
            fill(&source, &target, stop)?;
        } else if kind.is_file() {
            copy(&source, &target)?;
        } else {
            return Err(MoveError::Strange(source));
        }
    }
    sync(to)
}

/// A second name where that is possible, which takes no time and no room; else a copy.
fn copy(source: &Path, target: &Path) -> Result<(), MoveError> {
    if fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    let copied = fs::copy(source, target).map_err(at(target))?;
    let file = File::options().write(true).open(target).map_err(at(target))?;
    let found = fs::metadata(source).map_err(at(source))?;
    if copied != found.len() {
        let fault = io::Error::other(format!("{copied} of {} bytes were copied", found.len()));
        return Err(at(target)(fault));
    }
    // What was written when matters to whoever cleans up by age.
    let _ = found.modified().and_then(|time| file.set_modified(time));
    file.sync_all().map_err(at(target))
}

fn sync(folder: &Path) -> Result<(), MoveError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

fn sync_parent(path: &Path) -> Result<(), MoveError> {
    path.parent().map_or(Ok(()), sync)
}

/// Puts what is new into the folder's own place, and what was there beside it.
fn exchange(own: &Path) -> Result<(), MoveError> {
    let new = beside(own, NEW);
    if exchange_at_once(&new, own).is_ok() {
        return Ok(());
    }
    // In two steps; `settle` takes the first one back if there was no second.
    let old = beside(own, OLD);
    fs::rename(own, &old).map_err(at(own))?;
    fs::rename(&new, own).map_err(at(own)).inspect_err(|_| {
        if let Err(fault) = fs::rename(&old, own) {
            tracing::error!(%fault, "the data folder is called {} now", old.display());
        }
    })
}

#[cfg(target_os = "linux")]
fn exchange_at_once(a: &Path, b: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    Ok(renameat2(AT_FDCWD, a, AT_FDCWD, b, RenameFlags::RENAME_EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange_at_once(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Ends what a crash interrupted: the folder is in its own place, and nothing stands beside it. To be called before anybody uses it.
///
/// # Errors
/// When what was left cannot be cleared away.
pub fn settle(place: &Place) -> Result<(), DoorError> {
    settle_beside(&place.data).map_err(|fault| DoorError::Io { path: place.data.clone(), fault })
}

fn settle_beside(own: &Path) -> io::Result<()> {
    let old = beside(own, OLD);
    if fs::symlink_metadata(own).is_err() && fs::symlink_metadata(&old).is_ok() {
        fs::rename(&old, own)?;
    }
    // The folder's own place is taken, so these are what was not finished, or what is done with. Where nobody has a place yet
    // there is nothing to clear away either.
    if fs::symlink_metadata(own).is_ok() {
        remove(&beside(own, NEW))?;
        remove(&old)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
