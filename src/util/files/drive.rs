//! Owns what a drive may lack: locks, and the confirmation that files are saved. Network drives,
//! memory cards and FUSE drives lack one or both. What is lacking is told once, and the work goes on.
//! Depends on `notice`. Must not know what is locked or saved.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::util::files::is_temp;
use crate::util::notice::{Notice, give_once, is_first};

/// Errors of a lock on a drive without locks: NFS without a lock service, Lustre without the mount
/// option `flock`, some FUSE drives. All other errors are faults.
#[cfg(unix)]
const NO_LOCKS: [i32; 4] = [libc::ENOLCK, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP];
/// `ERROR_INVALID_FUNCTION`, `ERROR_NOT_SUPPORTED`, `ERROR_CALL_NOT_IMPLEMENTED`.
#[cfg(not(unix))]
const NO_LOCKS: [i32; 3] = [1, 50, 120];

/// Errors of `fsync` on a drive that cannot confirm that a file or folder is saved: SMB, exFAT and
/// some FUSE drives. `EIO`, `ENOSPC` and `EDQUOT` are not among them, because they say that data was
/// lost.
#[cfg(unix)]
const NO_SYNC: [i32; 5] = [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP, libc::ENOTTY];
#[cfg(not(unix))]
const NO_SYNC: [i32; 3] = NO_LOCKS;

/// Consequence of missing locks.
const TWICE: &str =
    "do not train twice in one folder at the same time, because nothing stops the second process";
/// Consequence of missing confirmations.
const POWER: &str = "after a power failure, its newest files may be missing or incomplete";

/// Returns whether a lock failed because the drive has no locks.
pub(super) fn has_no_locks(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| NO_LOCKS.contains(&code))
}

/// Waits until the contents of `file`, which is in `folder`, are on the disk. A drive that cannot
/// confirm it is told once.
///
/// # Errors
/// A fault of the drive: the contents may be lost.
pub(super) fn sync_file(file: &File, folder: &Path) -> io::Result<()> {
    tolerate(file.sync_all(), folder)
}

/// Does the same for contents that were appended to `file`.
pub(super) fn sync_appended(file: &File, folder: &Path) -> io::Result<()> {
    tolerate(file.sync_data(), folder)
}

/// Writes the names in a folder to the disk, so that they survive a power failure. Otherwise as
/// [`sync_file`].
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    tolerate(try_sync_folder(folder), folder)
}

#[cfg(unix)]
fn try_sync_folder(folder: &Path) -> io::Result<()> {
    crate::util::files::open::open_folder(folder)?.sync_all()
}

#[cfg(not(unix))]
fn try_sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Accepts the error of a drive that cannot confirm that contents are saved, and tells it once.
fn tolerate(synced: io::Result<()>, folder: &Path) -> io::Result<()> {
    let Err(error) = &synced else { return Ok(()) };
    if !is_without_sync(error) {
        return synced;
    }
    let text =
        format!("the drive of `{}` does not confirm that files are saved: {POWER}", shown(folder).display());
    give_once("drive without sync", Notice::Warning(&text));
    Ok(())
}

fn is_without_sync(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| NO_SYNC.contains(&code))
}

/// Tells once that the drive of `folder` has no locks. The same notice tells whether it also cannot
/// confirm that files are saved.
pub(super) fn tell_no_locks(folder: &Path) {
    let lacks_sync = try_sync_folder(folder).is_err_and(|error| is_without_sync(&error));
    let path = shown(folder);
    let path = path.display();
    let text = match lacks_sync && is_first("drive without sync") {
        true => format!(
            "the drive of `{path}` has no locks and does not confirm that files are saved: {TWICE}; {POWER}"
        ),
        false => format!("the drive of `{path}` has no locks: {TWICE}"),
    };
    give_once("drive without locks", Notice::Warning(&text));
}

/// The first folder above `folder`, or itself, that is not temporary.
fn shown(folder: &Path) -> PathBuf {
    let lasting = folder.ancestors().find(|path| !is_temp(path) && *path != Path::new(""));
    lasting.unwrap_or(Path::new(".")).to_owned()
}

#[cfg(all(test, unix))]
mod tests;
