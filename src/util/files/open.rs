//! The one door to every file that smallnet opens: what is no regular file (a pipe, a socket, a device, a folder, a link
//! out of a run's or study's folder) is refused, and never waited for.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::path::Path;

/// What becomes of a symbolic link in a file's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    /// The user named the file, and may have named a link to it.
    Followed,
    /// The folder may be somebody else's, and nothing in it leads out of it.
    Refused,
}

/// Opens a file of a run's, study's or checkpoint's folder for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(File::options().read(true), path, Links::Refused)
}

/// Opens a file that a user named for reading: an experiment, a data set's file, a picture. It may be a link, and what the
/// shell connected to the process (`/dev/stdin`, `<(command)`) may be a pipe.
pub(crate) fn open_named(path: &Path) -> io::Result<File> {
    if is_connected(path) {
        return File::open(path);
    }
    open_with(File::options().read(true), path, Links::Followed)
}

/// Opens a file of a run's or study's folder as `options` say, which may make it.
pub(super) fn open_to_write(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_with(options, path, Links::Refused)
}

/// Opens a folder, to wait until the disk has its names.
#[cfg(unix)]
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_DIRECTORY).open(path)
}

fn open_with(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    let metadata = match links {
        Links::Followed => fs::metadata(path),
        Links::Refused => fs::symlink_metadata(path),
    };
    // Asked before: opening a device may already do something to it.
    if let Ok(metadata) = metadata {
        check(metadata.file_type())?;
    }
    do_not_wait(options, links);
    let file = options.open(path)?;
    // Asked again: somebody may have put something else there in between.
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// A pipe is opened without waiting for its other end, and a link that appeared a moment ago is not followed.
#[cfg(unix)]
fn do_not_wait(options: &mut OpenOptions, links: Links) {
    use std::os::unix::fs::OpenOptionsExt;
    let no_link = if links == Links::Refused { libc::O_NOFOLLOW } else { 0 };
    options.custom_flags(libc::O_NONBLOCK | no_link);
}

#[cfg(not(unix))]
fn do_not_wait(_: &mut OpenOptions, _: Links) {}

/// Whether the path names a file descriptor that this process was started with.
fn is_connected(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd"];
    path == Path::new("/dev/stdin") || folders.iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

fn check(kind: FileType) -> io::Result<()> {
    match kind.is_file() {
        true => Ok(()),
        false => Err(io::Error::other(format!("it is {}, expected a file", describe(kind)))),
    }
}

/// What is no regular file, in words.
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
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("file"), "text").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        for (name, what, named) in [
            ("pipe", "a pipe", "a pipe"),
            ("socket", "a socket", "a socket"),
            ("folder", "a folder", "a folder"),
            ("link", "a symbolic link", ""),
            ("device", "a symbolic link", "a device"),
        ] {
            let refused = |what: &str| format!("it is {what}, expected a file");
            let message = |opened: io::Result<File>| opened.unwrap_err().to_string();
            assert_eq!(message(open(&path(name))), refused(what));
            let mut options = File::options();
            options.create(true).append(true);
            assert_eq!(message(open_to_write(&mut options, &path(name))), refused(what));
            match named {
                "" => drop(open_named(&path(name)).unwrap()),
                what => assert_eq!(message(open_named(&path(name))), refused(what)),
            }
        }
        let mut options = File::options();
        open_to_write(options.create(true).append(true), &path("new")).unwrap();
        open(&path("new")).unwrap();
        assert_eq!(open(&path("missing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// As if it were put there between the question and the opening.
    #[test]
    fn what_came_in_between_is_refused_by_the_system_or_the_second_look() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        symlink("/dev/zero", path("link")).unwrap();
        let mut options = File::options();
        do_not_wait(options.read(true), Links::Refused);
        let pipe = options.open(path("pipe")).unwrap();
        assert!(check(pipe.metadata().unwrap().file_type()).is_err());
        assert_eq!(options.open(path("link")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    }
}
