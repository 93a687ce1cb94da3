//! Owns the download of one address by a program of the system: curl, or wget where there is no curl.
//! Must not know data sets, mirrors or digests.
//!
//! The program is started with a list of arguments, never through a shell. Its connections are the
//! only ones that smallnet opens.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};

/// Time between two looks at the size of the file that is downloaded.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Largest number of bytes of the messages of a program that is read.
const MAX_LOG_BYTES: u64 = 4096;

/// Options of curl. Without `--fail`, the text of an error would be stored as the file. A transfer
/// of less than 1,000 bytes a second for 30 seconds is ended. The option `--retry` is left out: it
/// throws away what was downloaded before it tries again.
const CURL_OPTIONS: &str = "--silent --show-error --fail --location --globoff --proto =http,https --max-redirs 10 \
     --connect-timeout 20 --speed-limit 1000 --speed-time 30 --continue-at - --output";

/// Options of wget, short ones, which the wget of BusyBox has too: silent, resume, end after 30
/// seconds without data, do not try again.
const WGET_OPTIONS: &str = "-q -c -T 30 -t 1 -O";

/// A program that downloads a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Downloader {
    /// curl, at this path.
    Curl(PathBuf),
    /// wget, at this path.
    Wget(PathBuf),
}

/// The end of a download that gave no complete file.
#[derive(Debug)]
pub(super) struct Failure {
    /// The reason, as a part of a sentence.
    pub(super) reason: String,
    /// The kind of remedy.
    pub(super) kind: FailureKind,
}

/// The end of a download: nothing, or why there is no complete file.
pub(super) type Attempt = std::result::Result<(), Failure>;

/// The remedies of a failed download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The connection failed. What was downloaded is good, and the download can resume from there.
    Connection,
    /// The server does not have the file, or the address is not used.
    Refused,
    /// The bytes that were downloaded cannot become the file: they must be removed.
    BadPart,
}

impl Downloader {
    /// Finds the program in the folders of `search_path`, which has the form of the environment
    /// variable `PATH`. Relative folders are ignored.
    pub(super) fn find(search_path: &OsStr) -> Option<Self> {
        let program = |name: &str| {
            let name = format!("{name}{}", env::consts::EXE_SUFFIX);
            let folders = env::split_paths(search_path).filter(|folder| folder.is_absolute());
            folders.map(|folder| folder.join(&name)).find(|path| path.is_file())
        };
        program("curl").map(Self::Curl).or_else(|| program("wget").map(Self::Wget))
    }

    /// Downloads `address` into the file `part`, and resumes after the bytes that are there already.
    /// The download is ended when the file has more than `max_bytes` bytes. `observe` is told the
    /// size of the file from time to time.
    ///
    /// Success means that the program had no error, not that the contents are right.
    ///
    /// # Errors
    /// The program cannot be started, cannot write the file, or was ended by a signal. Then no other
    /// address can succeed.
    pub(super) fn download(
        &self,
        address: &str,
        part: &Path,
        max_bytes: u64,
        observe: &dyn Fn(u64),
    ) -> Result<Attempt> {
        if !address.starts_with("https://") && !address.starts_with("http://") {
            let reason = "the address does not begin with `https://` or `http://`".to_owned();
            return Ok(Err(Failure { reason, kind: FailureKind::Refused }));
        }
        let failed = |error| Error::io("run", self.program(), error);
        // A file, not a pipe: a program that writes much does not have to wait.
        let mut log = tempfile::tempfile().map_err(failed)?;
        let mut command = self.command(address, part);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.try_clone().map_err(failed)?);
        let mut child = command.spawn().map_err(failed)?;
        match wait(&mut child, part, max_bytes, observe) {
            Ok(Some(status)) => self.judge(status, &last_line(&mut log), part),
            Ok(None) => {
                let reason = "the file is longer than expected".to_owned();
                Ok(Err(Failure { reason, kind: FailureKind::BadPart }))
            }
            Err(error) => {
                let _ = child.kill();
                Err(failed(error))
            }
        }
    }

    /// Path of the program.
    fn program(&self) -> &Path {
        match self {
            Self::Curl(path) | Self::Wget(path) => path,
        }
    }

    /// Returns the command that downloads `address` into `part`.
    fn command(&self, address: &str, part: &Path) -> Command {
        let options = match self {
            Self::Curl(_) => CURL_OPTIONS,
            Self::Wget(_) => WGET_OPTIONS,
        };
        let mut command = Command::new(self.program());
        // English messages.
        command.env("LC_ALL", "C").args(options.split_whitespace()).arg(part).arg(address);
        command
    }

    /// Says what the exit code of the program means. `message` is its last line.
    fn judge(&self, status: ExitStatus, message: &str, part: &Path) -> Result<Attempt> {
        use FailureKind::{BadPart, Connection, Refused};
        if status.success() {
            return Ok(Ok(()));
        }
        let name = self.program().display();
        let Some(code) = status.code() else {
            return Err(Error::new(format!("`{name}` was ended from outside: {status}"))
                .hint("the same command resumes where this one ended"));
        };
        let (kind, meaning) = match (self, code) {
            (Self::Curl(_), 23) | (Self::Wget(_), 3) => {
                return Err(Error::data(format!("cannot write `{}`: {message}", part.display())).hint(
                    "is the disk full? The environment variable `SMALLNET_DATA` names another folder",
                ));
            }
            // The server cannot begin in the middle of the file, or has fewer bytes than are there.
            (Self::Curl(_), 33) => (BadPart, "the download cannot resume"),
            (Self::Curl(_), 22) if message.contains("error: 416") => (BadPart, "the download cannot resume"),
            (Self::Curl(_), 22) | (Self::Wget(_), 8) => (Refused, "the server refused"),
            (Self::Wget(_), 4) => (Connection, "the connection failed"),
            (Self::Wget(_), 5) => (Connection, "the server's certificate is not accepted"),
            _ => (Connection, "the download failed"),
        };
        let reason =
            if message.is_empty() { format!("{meaning} (exit code {code})") } else { message.to_owned() };
        Ok(Err(Failure { reason, kind }))
    }
}

/// Waits for the end of the program. Ends it and returns nothing if the file `part` becomes longer
/// than `max_bytes`.
fn wait(
    child: &mut Child,
    part: &Path,
    max_bytes: u64,
    observe: &dyn Fn(u64),
) -> std::io::Result<Option<ExitStatus>> {
    loop {
        let status = child.try_wait()?;
        let size = part.metadata().map_or(0, |metadata| metadata.len());
        if size > max_bytes {
            // It fails if the program has ended already.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        observe(size);
        if status.is_some() {
            return Ok(status);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns the last line of the messages of a program, without its name and number: of `curl: (7)
/// Failed to connect`, the words.
fn last_line(log: &mut File) -> String {
    let mut bytes = Vec::new();
    // The messages only explain an error that is known already.
    let _ = log.rewind().and_then(|()| log.take(MAX_LOG_BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let words = line.strip_prefix("curl: (").and_then(|rest| rest.split_once(") ")).map(|(_, words)| words);
    words.or(line.strip_prefix("wget: ")).unwrap_or(line).to_owned()
}
