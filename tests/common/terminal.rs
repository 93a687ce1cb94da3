//! Pseudo-terminal on which smallnet runs. `pty.c` opens it. The system's C compiler builds that
//! program; it is installed wherever smallnet is built, since Rust needs its linker.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::TestDir;

/// Timeout: far longer than anything takes, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// smallnet, running on a terminal.
pub struct Terminal {
    child: Child,
    /// Keyboard of the terminal. Dropping it closes the terminal.
    keyboard: Option<ChildStdin>,
    screen: Receiver<Vec<u8>>,
    /// Text that was printed so far.
    pub text: String,
}

fn helper() -> &'static Path {
    static HELPER: OnceLock<Mutex<PathBuf>> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let _made_once = HELPER.get_or_init(Mutex::default).lock().unwrap();
    PATH.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pty-{}", std::process::id()));
        let compiler = Command::new("cc")
            .args(["-O1", "-o"])
            .arg(&made)
            .arg(root.join("tests/common/pty.c"))
            .arg("-lutil")
            .output()
            .unwrap();
        assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
        made
    })
}

impl TestDir {
    /// Starts smallnet with these arguments on a terminal of `columns` × `rows`.
    pub fn on_terminal(&self, (columns, rows): (u16, u16), args: &[&str]) -> Terminal {
        let mut child = Command::new(helper())
            .args([columns.to_string(), rows.to_string(), env!("CARGO_BIN_EXE_smallnet").to_owned()])
            .args(args)
            .current_dir(self.path())
            .env_remove("CARGO")
            .env_remove("COLUMNS")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keyboard = child.stdin.take();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(size @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..size].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keyboard, screen, text: String::new() }
    }
}

impl Terminal {
    /// Waits until `text` has been printed.
    pub fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + TIMEOUT;
        while !self.text.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.text += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("no `{text}` ({error}) in {}", self.text),
            }
        }
    }

    /// Types `keys`.
    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Closes the terminal, as a window is closed.
    pub fn close(&mut self) {
        self.keyboard = None;
    }

    /// Makes the terminal one column wide and one row high.
    pub fn shrink(&self) {
        assert!(
            Command::new("kill").args(["-USR1", &self.child.id().to_string()]).status().unwrap().success()
        );
    }

    /// Waits until smallnet ends by itself and returns its exit code.
    pub fn wait_for_end(&mut self) -> i32 {
        let end = Instant::now() + TIMEOUT;
        loop {
            match self.screen.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.text += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if let Some(status) = self.child.try_wait().unwrap() {
                        return status.code().unwrap();
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            }
            assert!(Instant::now() < end, "still running after {TIMEOUT:?}: {}", self.text);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A failed test leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
