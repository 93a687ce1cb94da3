//! Owns the opening of files: all of smallnet opens them here. Anything but a regular file (a pipe,
//! a socket, a device, a folder, a link in the folder of a run or study) is refused without waiting
//! for it.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::path::Path;

/// Treatment of symbolic links.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SymlinkPolicy {
    /// Follow the link, because the user named the file.
    Follow,
    /// Refuse the link, because the folder may be untrusted and no link may lead out of it.
    Refuse,
}

/// Opens a file in the folder of a run, study or checkpoint for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(File::options().read(true), path, SymlinkPolicy::Refuse)
}

/// Opens a file that a user named for reading: an experiment, a file of a data set, a picture. It
/// may be a link. A file that the shell connected to the process (`/dev/stdin`, `<(command)`) may
/// be a pipe.
pub(crate) fn open_named(path: &Path) -> io::Result<File> {
    if is_inherited_descriptor(path) {
        return File::open(path);
    }
    open_with(File::options().read(true), path, SymlinkPolicy::Follow)
}

/// Opens a file in the folder of a run or study with `options`, which may create it.
pub(super) fn open_to_write(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_with(options, path, SymlinkPolicy::Refuse)
}

/// Opens a folder, to write the names in it to the disk.
#[cfg(unix)]
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_DIRECTORY).open(path)
}

/// Opens a regular file and refuses everything else.
fn open_with(options: &mut OpenOptions, path: &Path, symlinks: SymlinkPolicy) -> io::Result<File> {
    let metadata = match symlinks {
        SymlinkPolicy::Follow => fs::metadata(path),
        SymlinkPolicy::Refuse => fs::symlink_metadata(path),
    };
    // Checked before opening, because opening a device may already change its state.
    if let Ok(metadata) = metadata {
        check_is_file(metadata.file_type())?;
    }
    set_open_flags(options, symlinks);
    let file = options.open(path)?;
    // Checked again, because another process may have replaced the file in between.
    check_is_file(file.metadata()?.file_type())?;
    Ok(file)
}

/// Sets the flags that open a pipe without waiting for its other end, and that refuse a link which
/// appeared after the check.
#[cfg(unix)]
fn set_open_flags(options: &mut OpenOptions, symlinks: SymlinkPolicy) {
    use std::os::unix::fs::OpenOptionsExt;
    let no_follow = if symlinks == SymlinkPolicy::Refuse { libc::O_NOFOLLOW } else { 0 };
    options.custom_flags(libc::O_NONBLOCK | no_follow);
}

#[cfg(not(unix))]
fn set_open_flags(_: &mut OpenOptions, _: SymlinkPolicy) {}

/// True if the path names a file descriptor that this process inherited.
fn is_inherited_descriptor(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    path == Path::new("/dev/stdin") || folders.iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

/// Refuses everything but a regular file.
fn check_is_file(kind: FileType) -> io::Result<()> {
    match kind.is_file() {
        true => Ok(()),
        false => Err(io::Error::other(format!("it is {}, expected a file", describe(kind)))),
    }
}

/// Describes the kind of a file in words.
#[cfg(unix)]
pub(super) fn describe(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        kind if kind.is_file() => "a file",
        _ => "no regular file",
    }
}

#[cfg(not(unix))]
pub(super) fn describe(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_file() => "a file",
        _ => "no regular file",
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    #[test]
    fn anything_but_a_file_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("file"), "text").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        for (name, kind, kind_if_named) in [
            ("pipe", "a pipe", "a pipe"),
            ("socket", "a socket", "a socket"),
            ("folder", "a folder", "a folder"),
            ("link", "a symbolic link", ""),
            ("device", "a symbolic link", "a device"),
        ] {
            let refused = |kind: &str| format!("it is {kind}, expected a file");
            let message = |opened: io::Result<File>| opened.unwrap_err().to_string();
            assert_eq!(message(open(&path(name))), refused(kind));
            let mut options = File::options();
            options.create(true).append(true);
            assert_eq!(message(open_to_write(&mut options, &path(name))), refused(kind));
            match kind_if_named {
                "" => drop(open_named(&path(name)).unwrap()),
                kind => assert_eq!(message(open_named(&path(name))), refused(kind)),
            }
        }
        let mut options = File::options();
        open_to_write(options.create(true).append(true), &path("new")).unwrap();
        open(&path("new")).unwrap();
        assert_eq!(open(&path("missing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// Opens files as if they had appeared between the first check and the opening.
    #[test]
    fn a_file_replaced_after_the_check_is_refused_by_the_system_or_the_second_check() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        symlink("/dev/zero", path("link")).unwrap();
        let mut options = File::options();
        set_open_flags(options.read(true), SymlinkPolicy::Refuse);
        let pipe = options.open(path("pipe")).unwrap();
        assert!(check_is_file(pipe.metadata().unwrap().file_type()).is_err());
        assert_eq!(options.open(path("link")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }
}
