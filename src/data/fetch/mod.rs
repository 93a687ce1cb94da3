//! Owns the download of data sets: which files are missing, the mirrors one after another, and the
//! check of each file before it gets its name. Depends on the catalog and on the programs curl or
//! wget. Must not know how a data set is read, nor how progress is shown.
//!
//! Nothing else in smallnet opens a connection.

mod digest;
mod download;
// They make symbolic links.
#[cfg(all(test, unix))]
mod tests;
mod unpack;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::fetch::download::{Attempt, Downloader, Failure, FailureKind};
use crate::data::sources::catalog::{self, RemoteFile, cache_folder, size_text};
use crate::error::{Error, Result};
use crate::util::files::{self, Lock};

/// Largest size in bytes of a file whose size is not known before.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Largest number of times that one address is tried for one file. Each time but the last, the file
/// becomes longer or starts again.
const MAX_TRIES: usize = 20;

/// An event of a fetch, for a display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchEvent<'a> {
    /// A sentence for people, without a full stop.
    Line(String),
    /// A file is being downloaded. It is reported many times a second.
    Bytes {
        /// Name of the file.
        name: &'a str,
        /// Number of bytes that are on the disk.
        done: u64,
        /// Number of bytes of the whole file, if it is known.
        total: Option<u64>,
    },
}

/// Downloads the data set `name` into the folder where its name is looked for, and returns the
/// folder. Files that are there and right stay as they are. `observe` is told what happens.
///
/// A download that was ended, by a lost connection or from outside, leaves a file `NAME.part`. The
/// next one resumes from there.
///
/// # Errors
/// There is no data set with this name, another process fetches it, a file cannot be had from any
/// of its addresses, or a file cannot be written.
pub fn fetch(name: &str, observe: &dyn Fn(FetchEvent<'_>)) -> Result<PathBuf> {
    if name == catalog::EMBEDDED {
        return Err(Error::usage(format!("`{name}` is inside of smallnet: there is nothing to fetch")));
    }
    let set = catalog::find(name).ok_or_else(|| {
        Error::usage(format!("there is no data set `{name}` to fetch")).hint(catalog::suggest(name))
    })?;
    let folder = cache_folder()?.join(set.folder);
    observe(FetchEvent::Line(format!("{name}: {}, into {}", set.title, folder.display())));
    fetch_files(set.downloads, &folder, &env::var_os("PATH").unwrap_or_default(), observe)?;
    Ok(folder)
}

/// Downloads `files` into `folder`, which is made if it is missing. `search_path` is where curl or
/// wget is looked for, in the form of the environment variable `PATH`.
///
/// # Errors
/// As [`fetch`].
fn fetch_files(
    files: &[RemoteFile<'_>],
    folder: &Path,
    search_path: &OsStr,
    observe: &dyn Fn(FetchEvent<'_>),
) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    let Some(_lock) = Lock::take(folder)? else {
        return Err(Error::locked(format!("another smallnet fetches files into `{}`", folder.display()))
            .hint("wait until it has ended"));
    };
    let session = Session { files, folder, tool: Downloader::find(search_path), observe };
    files.iter().try_for_each(|file| session.obtain(file))
}

/// The name of a file while it is not complete.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// The size of a file in bytes, 0 if it is missing.
fn size_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// The download of some files into one folder.
struct Session<'a> {
    files: &'a [RemoteFile<'a>],
    folder: &'a Path,
    /// The program that downloads, if there is one.
    tool: Option<Downloader>,
    observe: &'a dyn Fn(FetchEvent<'_>),
}

impl Session<'_> {
    /// Tells the observer a sentence.
    fn say(&self, line: String) {
        (self.observe)(FetchEvent::Line(line));
    }

    /// Makes sure that a file, or what an archive contains, is in the folder.
    fn obtain(&self, file: &RemoteFile<'_>) -> Result<()> {
        if self.has_members(file) {
            self.say(format!("the files of `{}` are here already", file.name));
            return Ok(());
        }
        let path = self.folder.join(file.name);
        let wrong = if path.exists() { digest::difference(&path, file)? } else { None };
        match (path.exists(), &wrong) {
            (true, None) => self.say(format!("`{}` is here already", file.name)),
            (true, Some(wrong)) => self.say(format!("`{}` {wrong}: it is fetched again", file.name)),
            (false, _) => {}
        }
        if !path.exists() || wrong.is_some() {
            let part = part_of(&path);
            self.complete(file, &part)?;
            files::rename(&part, &path).map_err(|error| Error::io("write", &path, error))?;
        }
        if file.members.is_empty() {
            return Ok(());
        }
        self.say(format!("unpacking `{}`", file.name));
        unpack::unpack(&path, file.members.iter().copied().flatten().copied(), self.folder)?;
        files::remove(&path)
    }

    /// Returns whether `file` is an archive whose members are all unpacked.
    fn has_members(&self, file: &RemoteFile<'_>) -> bool {
        let mut members = file.members.iter().copied().flatten();
        !file.members.is_empty() && members.all(|member| self.folder.join(member).is_file())
    }

    /// Downloads a file to `part`, from one of its addresses.
    fn complete(&self, file: &RemoteFile<'_>, part: &Path) -> Result<()> {
        if part.exists() && digest::difference(part, file)?.is_none() {
            return Ok(());
        }
        // Nothing can be appended to it.
        if file.size.is_some_and(|size| size_of(part) >= size) {
            files::remove(part)?;
        }
        let tool = self.tool.as_ref().ok_or_else(|| self.without_tool(file))?;
        let mut failures = Vec::new();
        for address in file.addresses() {
            let size = file.size.map(|bytes| format!(" ({})", size_text(bytes))).unwrap_or_default();
            self.say(format!("fetching `{}`{size} from {address}", file.name));
            match self.try_address(tool, file, &address, part)? {
                Ok(()) => return Ok(()),
                Err(Failure { reason, .. }) => failures.push(format!("{address}: {reason}")),
            }
        }
        Err(self.all_failed(file, &failures))
    }

    /// Downloads a file from one address. It resumes as long as the file grows: after a lost
    /// connection from the last byte, and after a partial file that turned out wrong from the
    /// beginning.
    fn try_address(
        &self,
        tool: &Downloader,
        file: &RemoteFile<'_>,
        address: &str,
        part: &Path,
    ) -> Result<Attempt> {
        let mut tries = 1;
        loop {
            let before = size_of(part);
            let outcome = self.try_once(tool, file, address, part)?;
            let Err(Failure { reason, kind }) = &outcome else { return Ok(outcome) };
            // Wget makes the file before it connects.
            if size_of(part) == 0 {
                files::remove(part)?;
            }
            let can_retry = match kind {
                FailureKind::Refused => false,
                FailureKind::Connection => size_of(part) > before,
                FailureKind::BadPart => {
                    files::remove(part)?;
                    before > 0
                }
            };
            if !can_retry || tries == MAX_TRIES {
                self.say(format!("failed: {reason}"));
                return Ok(outcome);
            }
            self.say(format!("{reason}: resuming after {}", size_text(size_of(part))));
            tries += 1;
        }
    }

    /// Downloads a file once and checks it.
    fn try_once(
        &self,
        tool: &Downloader,
        file: &RemoteFile<'_>,
        address: &str,
        part: &Path,
    ) -> Result<Attempt> {
        let observe = |done| (self.observe)(FetchEvent::Bytes { name: file.name, done, total: file.size });
        let max_bytes = file.size.unwrap_or(MAX_FILE_BYTES);
        let outcome = tool.download(address, part, max_bytes, &observe)?;
        if outcome.is_err() {
            return Ok(outcome);
        }
        // The server sent an empty file: some programs make none then.
        if !part.exists() {
            let reason = "the server sent nothing".to_owned();
            return Ok(Err(Failure { reason, kind: FailureKind::Refused }));
        }
        Ok(match digest::difference(part, file)? {
            None => Ok(()),
            Some(wrong) => Err(Failure { reason: format!("the file {wrong}"), kind: FailureKind::BadPart }),
        })
    }

    /// Error of a machine without a program that downloads.
    fn without_tool(&self, file: &RemoteFile<'_>) -> Error {
        Error::data(format!(
            "cannot fetch `{}`: there is neither `curl` nor `wget` on this machine",
            file.name
        ))
        .hint(format!("install curl, or {}", self.by_hand()))
    }

    /// Error of a file that no address gave. `failures` has one text for each.
    fn all_failed(&self, file: &RemoteFile<'_>, failures: &[String]) -> Error {
        Error::data(format!("cannot fetch `{}`:\n  {}", file.name, failures.join("\n  ")))
            .hint(format!("check that this machine reaches the internet, or {}", self.by_hand()))
    }

    /// The way to the missing files without this machine's network, as a part of a hint.
    fn by_hand(&self) -> String {
        let missing = self.files.iter().filter(|file| !self.folder.join(file.name).exists());
        let addresses: Vec<_> = missing.filter_map(|file| file.addresses().next()).collect();
        format!(
            "download these addresses on another machine, put the files into `{}` and repeat this command:\n  {}",
            self.folder.display(),
            addresses.join("\n  ")
        )
    }
}
