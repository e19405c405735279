//! Attempts on files: contents, names, attributes, folders, watches.

use super::{Tried, c, sys, system};
use butterfly_wire::confinement::Targets;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, stat};
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Where the start found its libraries; the first that exists is the one that the jail had granted.
const LIBRARY_FOLDERS: [&str; 4] = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"];

pub(super) fn read(to: &Targets) -> Tried {
    read_byte(&to.file)
}

fn read_byte(path: impl AsRef<Path>) -> Tried {
    Ok(File::open(path).and_then(|mut file| file.read(&mut [0; 1])).map(drop)?)
}

/// Opens for writing, and writes nothing.
pub(super) fn write(to: &Targets) -> Tried {
    Ok(OpenOptions::new().write(true).open(&to.file).map(drop)?)
}

/// To the length that it has.
pub(super) fn truncate(to: &Targets) -> Tried {
    let length = i64::try_from(fs::metadata(&to.file)?.len()).unwrap_or(i64::MAX);
    Ok(nix::unistd::truncate(to.file.as_str(), length)?)
}

pub(super) fn truncate_by_writing(to: &Targets) -> Tried {
    truncate_by_opening(to, OFlag::O_WRONLY)
}

/// Landlock before ABI 3 takes this for reading.
pub(super) fn truncate_by_reading(to: &Targets) -> Tried {
    truncate_by_opening(to, OFlag::O_RDONLY)
}

fn truncate_by_opening(to: &Targets, access: OFlag) -> Tried {
    let content = fs::read(&to.file);
    drop(open(to.file.as_str(), access | OFlag::O_TRUNC | OFlag::O_CLOEXEC, Mode::empty())?);
    restore(&to.file, content.ok());
    Ok(())
}

/// The access mode 3 opens a file for neither reading nor writing, past Landlock; its attributes could be changed through it.
pub(super) fn open_for_nothing(to: &Targets) -> Tried {
    let for_nothing = OFlag::O_ACCMODE | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    Ok(open(to.file.as_str(), for_nothing, Mode::empty()).map(drop)?)
}

pub(super) fn unlink(to: &Targets) -> Tried {
    let content = fs::read(&to.file);
    fs::remove_file(&to.file)?;
    restore(&to.file, content.ok());
    Ok(())
}

/// Puts the decoy's content back. Whoever could take it away could do this; a failure leaves a decoy without content.
fn restore(path: &str, content: Option<Vec<u8>>) {
    let _ = fs::write(path, content.unwrap_or_default());
}

/// A name in the decoy folder that no other attempt uses.
fn beside(to: &Targets, what: &str) -> PathBuf {
    Path::new(&to.folder).join(format!("attempt-{what}-{}", std::process::id()))
}

pub(super) fn rename(to: &Targets) -> Tried {
    let away = beside(to, "rename");
    fs::rename(&to.file, &away)?;
    Ok(fs::rename(&away, &to.file)?)
}

pub(super) fn link(to: &Targets) -> Tried {
    let name = beside(to, "link");
    fs::hard_link(&to.file, &name)?;
    Ok(fs::remove_file(name)?)
}

pub(super) fn make_symlink(to: &Targets) -> Tried {
    let name = beside(to, "symlink");
    symlink(&to.file, &name)?;
    Ok(fs::remove_file(name)?)
}

pub(super) fn create(to: &Targets) -> Tried {
    let name = beside(to, "create");
    OpenOptions::new().write(true).create_new(true).open(&name)?;
    Ok(fs::remove_file(name)?)
}

pub(super) fn make_folder(to: &Targets) -> Tried {
    let name = beside(to, "folder");
    fs::create_dir(&name)?;
    Ok(fs::remove_dir(name)?)
}

/// To the mode that it has.
pub(super) fn change_mode(to: &Targets) -> Tried {
    let mode = fs::metadata(&to.file)?.permissions().mode();
    Ok(fs::set_permissions(&to.file, fs::Permissions::from_mode(mode))?)
}

/// To the owner that it has.
pub(super) fn change_owner(to: &Targets) -> Tried {
    let now = fs::metadata(&to.file)?;
    Ok(std::os::unix::fs::chown(&to.file, Some(now.uid()), Some(now.gid()))?)
}

/// To the times that it has.
pub(super) fn change_times(to: &Targets) -> Tried {
    use nix::sys::stat::{UtimensatFlags, utimensat};
    use nix::sys::time::TimeSpec;
    let now = stat(to.file.as_str())?;
    let (read, written) =
        (TimeSpec::new(now.st_atime, now.st_atime_nsec), TimeSpec::new(now.st_mtime, now.st_mtime_nsec));
    Ok(utimensat(nix::fcntl::AT_FDCWD, to.file.as_str(), &read, &written, UtimensatFlags::FollowSymlink)?)
}

pub(super) fn set_attribute(to: &Targets) -> Tried {
    system(sys::set_attribute(&c(&to.file)?))
}

pub(super) fn open_by_handle(to: &Targets) -> Tried {
    system(sys::open_by_handle(&c(&to.file)?))
}

pub(super) fn watch(to: &Targets) -> Tried {
    system(sys::watch(&c(&to.file)?))
}

pub(super) fn list_home(to: &Targets) -> Tried {
    Ok(fs::read_dir(&to.home).map(drop)?)
}

pub(super) fn list_processes(_: &Targets) -> Tried {
    Ok(fs::read_dir("/proc").map(drop)?)
}

/// What the start needed and nothing needs since.
pub(super) fn read_libraries(_: &Targets) -> Tried {
    let folder = LIBRARY_FOLDERS.into_iter().find(|folder| Path::new(folder).is_dir());
    Ok(fs::read_dir(folder.unwrap_or("/usr/lib")).map(drop)?)
}

pub(super) fn read_own_program(_: &Targets) -> Tried {
    read_byte(std::env::current_exe()?)
}

pub(super) fn open_terminal(_: &Targets) -> Tried {
    Ok(OpenOptions::new().read(true).write(true).open("/dev/ptmx").map(drop)?)
}

/// Opens it, and reads nothing.
pub(super) fn kernel_memory(to: &Targets) -> Tried {
    Ok(File::open(format!("/proc/{}/mem", to.kernel_pid)).map(drop)?)
}

pub(super) fn kernel_environment(to: &Targets) -> Tried {
    read_byte(format!("/proc/{}/environ", to.kernel_pid))
}
