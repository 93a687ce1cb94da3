//! Tests of the download against a server on this machine, once with curl and once with wget, if they
//! are there.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::{env, fs, thread};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::data::sources::catalog::Checksum;
use crate::error::ErrorKind;
use crate::util::hex::hex;

const BODY: &[u8] = b"0123456789";

/// The path and the first byte of a request, `None` if the whole file was asked for.
type Request = (String, Option<usize>);

/// A server on the loopback address. It ends with the process of the tests.
struct Server {
    /// The beginning of all addresses.
    base: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server. `reply` returns the bytes to send, given the number of the request from 0,
    /// the path and the first byte.
    fn start(reply: impl Fn(usize, &str, Option<usize>) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<_>>>::default();
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(|line| line.unwrap());
                let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                let path = head[0].split(' ').nth(1).unwrap().to_owned();
                let range = head.iter().find_map(|line| line.strip_prefix("Range: bytes="));
                let start = range.map(|range| range.trim_end_matches('-').parse().unwrap());
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push((path.clone(), start));
                // The program may have closed the connection.
                let _ = stream.write_all(&reply(number, &path, start));
            }
        });
        Self { base, requests }
    }

    /// First byte of each request so far.
    fn starts(&self) -> Vec<Option<usize>> {
        self.requests.lock().unwrap().iter().map(|(_, start)| *start).collect()
    }
}

/// Reply with `body` from the byte `start` on, of which only `sent` bytes are sent.
fn cut(body: &[u8], start: Option<usize>, sent: usize) -> Vec<u8> {
    let from = start.unwrap_or(0);
    let mut reply = match start {
        Some(start) if start >= body.len() => {
            return b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_vec();
        }
        Some(start) => {
            format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{}",
                body.len() - 1,
                body.len()
            )
        }
        None => "HTTP/1.1 200 OK\r\nAccept-Ranges: bytes".to_owned(),
    }
    .into_bytes();
    reply.extend(format!("\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len() - from).bytes());
    reply.extend(body[from..].iter().take(sent));
    reply
}

/// Reply with `body` from the byte `start` on.
fn whole(body: &[u8], start: Option<usize>) -> Vec<u8> {
    cut(body, start, usize::MAX)
}

fn not_found() -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone".to_vec()
}

/// The folders of programs: for curl and wget each a folder with that one alone.
fn search_paths() -> Vec<(TempDir, OsString)> {
    let system = env::var_os("PATH").unwrap();
    let program =
        |name| env::split_paths(&system).map(|folder| folder.join(name)).find(|path| path.is_file());
    let alone = |name| {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(program(name)?, folder.path().join(name)).unwrap();
        let path = folder.path().into();
        Some((folder, path))
    };
    ["curl", "wget"].into_iter().filter_map(alone).collect()
}

/// A fetch of one file into a new folder.
struct Fetch {
    folder: TempDir,
    search_path: OsString,
    size: Option<u64>,
    lines: RefCell<Vec<String>>,
}

impl Fetch {
    fn new(search_path: &OsString) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, search_path: search_path.clone(), size: Some(10), lines: RefCell::default() }
    }

    /// Fetches the file `data`, which has to be [`BODY`].
    fn run(&self, mirrors: &[&str]) -> Result<()> {
        let sha256 = hex(&Sha256::digest(BODY));
        let checksum = Checksum::Sha256(&sha256);
        self.run_files(&[RemoteFile { name: "data", mirrors, size: self.size, checksum, members: &[] }])
    }

    fn run_files(&self, files: &[RemoteFile<'_>]) -> Result<()> {
        fetch_files(files, self.folder.path(), &self.search_path, &|event| match event {
            FetchEvent::Line(line) => self.lines.borrow_mut().push(line),
            FetchEvent::Bytes { done, .. } => assert!(done <= 1 << 20),
        })
    }

    /// Names and contents of the files in the folder, without the lock.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files: Vec<_> = entries.map(|path| (name(&path), fs::read(path).unwrap())).collect();
        files.retain(|(name, _)| name != ".lock");
        files.sort();
        files
    }

    /// Writes a file into the folder.
    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn is_done(&self) -> bool {
        self.files() == [("data".to_owned(), BODY.to_vec())]
    }
}

/// Runs a test with each program.
fn with_each_program(test: impl Fn(Fetch)) {
    let paths = search_paths();
    assert!(!paths.is_empty(), "these tests need curl or wget");
    paths.iter().for_each(|(_, path)| test(Fetch::new(path)));
}

#[test]
fn a_file_is_fetched_once() {
    with_each_program(|fetch| {
        let server = Server::start(|_, _, start| whole(BODY, start));
        fetch.run(&[&server.base]).unwrap();
        assert!(fetch.is_done());
        fetch.run(&[&server.base]).unwrap();
        assert_eq!(*server.requests.lock().unwrap(), [("/data".to_owned(), None)]);
        assert_eq!(fetch.lines.borrow().last().unwrap(), "`data` is here already");
        // A file that is damaged later is replaced.
        fetch.put("data", b"012345678x");
        fetch.run(&[&server.base]).unwrap();
        assert!(fetch.is_done());
    });
}

#[test]
fn a_wrong_file_is_removed_and_the_next_mirror_is_asked() {
    with_each_program(|fetch| {
        let server = Server::start(|_, path, start| match path {
            "/wrong/data" => whole(b"012345678x", start),
            "/short/data" => whole(b"012", start),
            _ => whole(BODY, start),
        });
        let [wrong, short] = ["wrong/", "short/"].map(|folder| format!("{}{folder}", server.base));
        let error = fetch.run(&[&wrong, &short]).unwrap_err();
        let expected = format!(
            "cannot fetch `data`:\n  {wrong}data: the file has the SHA-256 {}, expected {}\n  {short}data: the file \
             has 3 bytes, expected 10",
            hex(&Sha256::digest(b"012345678x")),
            hex(&Sha256::digest(BODY))
        );
        assert_eq!(error.message(), expected);
        assert_eq!(fetch.files(), []);
        fetch.run(&[&wrong, &server.base]).unwrap();
        assert!(fetch.is_done());
    });
}

#[test]
fn a_missing_file_is_asked_from_the_next_mirror() {
    with_each_program(|fetch| {
        let server =
            Server::start(|_, path, start| if path == "/data" { whole(BODY, start) } else { not_found() });
        let gone = format!("{}gone/", server.base);
        fetch.run(&[&gone, &server.base]).unwrap();
        assert!(fetch.is_done());
        // The page of the error is not taken for the file.
        let refused = |line: &String| line.contains("404") || line.contains("the server refused");
        assert!(fetch.lines.borrow().iter().any(refused), "{:?}", fetch.lines);
    });
}

#[test]
fn a_lost_connection_goes_on_after_the_last_byte() {
    with_each_program(|fetch| {
        let server = Server::start(|_, _, start| cut(BODY, start, 4));
        fetch.run(&[&server.base]).unwrap();
        assert!(fetch.is_done());
        assert_eq!(server.starts(), [None, Some(4), Some(8)]);
    });
}

#[test]
fn an_interrupted_fetch_leaves_a_part_and_the_next_one_goes_on() {
    with_each_program(|fetch| {
        let server = Server::start(|number, _, start| match number {
            0 => cut(BODY, start, 4),
            1 => not_found(),
            _ => whole(BODY, start),
        });
        fetch.run(&[&server.base]).unwrap_err();
        assert_eq!(fetch.files(), [("data.part".to_owned(), b"0123".to_vec())]);
        fetch.run(&[&server.base]).unwrap();
        assert!(fetch.is_done());
        assert_eq!(server.starts(), [None, Some(4), Some(4)]);
    });
}

#[test]
fn a_complete_part_needs_no_connection() {
    with_each_program(|fetch| {
        fetch.put("data.part", BODY);
        fetch.run(&["http://127.0.0.1:1/"]).unwrap();
        assert!(fetch.is_done());
    });
}

#[test]
fn a_part_that_leads_to_a_wrong_file_is_begun_again() {
    with_each_program(|mut fetch| {
        let server = Server::start(|_, _, start| whole(BODY, start));
        // Wrong, too long, and, without a known size, as long as the file.
        for (part, size) in [(&b"xxx"[..], Some(10)), (b"xxxxxxxxxxxx", Some(10)), (b"xxxxxxxxxx", None)] {
            let _ = fs::remove_file(fetch.folder.path().join("data"));
            fetch.put("data.part", part);
            fetch.size = size;
            fetch.run(&[&server.base]).unwrap();
            assert!(fetch.is_done(), "{size:?}");
        }
    });
}

#[test]
fn a_server_that_cannot_go_on_is_asked_for_the_whole_file() {
    with_each_program(|fetch| {
        let server = Server::start(|_, _, _| whole(BODY, None));
        fetch.put("data.part", b"012");
        fetch.run(&[&server.base]).unwrap();
        assert!(fetch.is_done());
    });
}

#[test]
fn an_endless_file_is_ended() {
    with_each_program(|fetch| {
        let server = Server::start(|_, _, _| {
            let mut reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
            reply.resize(1 << 20, b'x');
            reply
        });
        let error = fetch.run(&[&server.base]).unwrap_err();
        assert!(error.message().ends_with("/data: the file is longer than expected"), "{error}");
        assert_eq!(fetch.files(), []);
    });
}

#[test]
fn without_a_network_the_addresses_and_the_folder_are_named() {
    with_each_program(|fetch| {
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}/");
        let error = fetch.run(&[&base, "ftp://127.0.0.1/"]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot fetch `data`:\n  {base}data: ")), "{error}");
        let refused = "\n  ftp://127.0.0.1/data: the address does not begin with `https://` or `http://`\n";
        assert!(error.contains(refused), "{error}");
        let hint = format!(
            "hint: check that this machine reaches the internet, or download these addresses on another machine, \
             put the files into `{}` and repeat this command:\n  {base}data",
            fetch.folder.path().display()
        );
        assert!(error.ends_with(&hint), "{error}");
        assert_eq!(fetch.files(), []);
    });
}

#[test]
fn without_curl_and_wget_the_files_can_be_put_there_by_hand() {
    let empty = tempfile::tempdir().unwrap();
    let fetch = Fetch::new(&empty.path().into());
    let error = fetch.run(&["http://example.org/"]).unwrap_err();
    assert_eq!(error.message(), "cannot fetch `data`: there is neither `curl` nor `wget` on this machine");
    let hint = error.to_string();
    assert!(hint.contains("hint: install curl, or download these addresses on another machine"), "{hint}");
    assert!(hint.ends_with("repeat this command:\n  http://example.org/data"), "{hint}");
    fetch.put("data", BODY);
    fetch.run(&["http://example.org/"]).unwrap();
    assert!(fetch.is_done());
}

#[test]
fn curl_goes_before_wget_and_relative_folders_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    fs::write(path("wget"), "").unwrap();
    let find = |path: &Path| Downloader::find(path.as_os_str());
    assert_eq!(find(folder.path()), Some(Downloader::Wget(path("wget"))));
    fs::write(path("curl"), "").unwrap();
    assert_eq!(find(folder.path()), Some(Downloader::Curl(path("curl"))));
    // The same folder, written from the working folder.
    let up = "../".repeat(env::current_dir().unwrap().components().count());
    let relative = Path::new(&up).join(folder.path().strip_prefix("/").unwrap());
    assert!(relative.join("curl").is_file());
    assert_eq!(find(&relative), None);
}

#[test]
fn what_no_mirror_can_mend_ends_the_fetch() {
    for (script, message) in [
        ("echo 'curl: (23) Failed writing' >&2; exit 23", ".part`: Failed writing"),
        ("kill -9 $$", "/curl` was ended from outside: signal: 9 (SIGKILL)"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // Written by another process, so that no test beside this one has the file open.
        let write = "printf '#!/bin/sh\\necho x >> %s\\n%s\\n' \"$1\" \"$2\" > \"$3\"; chmod +x \"$3\"";
        let [calls, program] = ["calls", "curl"].map(|name| folder.path().join(name));
        let shell =
            Command::new("sh").args(["-c", write, "sh"]).arg(&calls).arg(script).arg(program).status();
        assert!(shell.unwrap().success());
        let fetch = Fetch::new(&folder.path().into());
        let error = fetch.run(&["http://127.0.0.1/a/", "http://127.0.0.1/b/"]).unwrap_err();
        assert!(error.message().contains(message), "{error}");
        assert_eq!(fs::read_to_string(calls).unwrap(), "x\n", "one address alone was tried");
    }
}

#[test]
fn only_one_process_fetches_into_a_folder() {
    let fetch = Fetch::new(&OsString::new());
    let _lock = Lock::take(fetch.folder.path()).unwrap();
    assert_eq!(fetch.run(&[]).unwrap_err().kind(), ErrorKind::Locked);
}

/// A zip archive with one file in a folder.
fn zip(member: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(format!("gzip/{member}"), zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(bytes).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_is_unpacked_and_removed() {
    with_each_program(|fetch| {
        let archive = zip("images.gz", BODY);
        let sha256 = hex(&Sha256::digest(&archive));
        let body = archive.clone();
        let server = Server::start(move |_, _, start| whole(&body, start));
        let mirrors = [server.base.as_str()];
        let file = RemoteFile {
            name: "all.zip",
            mirrors: &mirrors,
            size: Some(archive.len() as u64),
            checksum: Checksum::Sha256(&sha256),
            members: &[&["images.gz"]],
        };
        for _ in 0..2 {
            fetch.run_files(&[file]).unwrap();
            assert_eq!(fetch.files(), [("images.gz".to_owned(), BODY.to_vec())]);
        }
        assert_eq!(server.starts(), [None]);
        // A file that is not in the archive.
        let error = fetch.run_files(&[RemoteFile { members: &[&["labels.gz"]], ..file }]).unwrap_err();
        assert!(error.message().starts_with("cannot unpack `labels.gz` from `"), "{error}");
    });
}

#[test]
fn a_damaged_member_is_an_error() {
    let fetch = Fetch::new(&OsString::new());
    let mut archive = zip("images.gz", BODY);
    let position = archive.windows(4).position(|bytes| bytes == b"gzip").unwrap() + "gzip/images.gz".len();
    archive[position + 3] ^= 0xff;
    fetch.put("all.zip", &archive);
    let path = fetch.folder.path().join("all.zip");
    let error = unpack::unpack(&path, ["images.gz"].into_iter(), fetch.folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(!fetch.folder.path().join("images.gz").exists());
}

#[test]
fn unknown_names_and_the_embedded_set_are_not_fetched() {
    let message = |name| fetch(name, &|_| {}).unwrap_err().to_string();
    assert!(message("fashion").starts_with(
        "there is no data set `fashion` to fetch\n\nhint: did you mean `fashion-mnist`? Valid names: `emnist/"
    ));
    assert_eq!(message("mnist"), "`mnist` is inside of smallnet: there is nothing to fetch");
}
