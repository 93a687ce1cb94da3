//! A page in headless Chromium, driven with real input over the Chrome DevTools protocol
//! (chromedevtools.github.io/devtools-protocol): WebSocket frames (RFC 6455) with JSON in them.
//! Depends on Chromium. Must not know smallnet.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Time for the browser to start, and for any one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the name of the browser, or none if it is not installed. `.ci/run` installs it and sets
/// `SMALLNET_REQUIRE_CHROMIUM`.
pub fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    assert!(
        found.is_some() || std::env::var_os("SMALLNET_REQUIRE_CHROMIUM").is_none(),
        "SMALLNET_REQUIRE_CHROMIUM is set, but there is no Chromium"
    );
    found
}

/// A place on the page: column to the right, row downwards, in CSS pixels of the window.
pub type Place = [f64; 2];

/// What a person points with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    Mouse,
    Finger,
}

/// A screen, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    /// Device pixels per CSS pixel.
    pub scale: u32,
    pub pointer: Pointer,
    pub is_dark: bool,
}

impl Screen {
    pub const DESKTOP: Self =
        Self { width: 1280, height: 800, scale: 1, pointer: Pointer::Mouse, is_dark: false };
    pub const PHONE: Self =
        Self { width: 360, height: 740, scale: 3, pointer: Pointer::Finger, is_dark: false };
}

/// A browser with one page. It ends when this value is dropped.
pub struct Page {
    browser: Child,
    /// The profile, which is removed after the end of the browser.
    _folder: TempDir,
    socket: WebSocket,
    /// The page's name in the protocol.
    session: String,
    /// Number of calls so far.
    calls: u64,
    /// All that the page reported on its own, in order: `method` and `params` of each.
    pub events: Vec<Value>,
    pointer: Pointer,
}

impl Page {
    /// Starts Chromium and opens a local file on this screen. Returns after the page's `load` event.
    /// Returns nothing without Chromium.
    pub fn open(file: &Path, screen: Screen) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mut browser = Command::new(chromium()?)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-default-apps", "--disable-extensions", "--no-default-browser-check"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let socket = WebSocket::connect(&mut browser, &folder.path().join("DevToolsActivePort"));
        let mut page = Self {
            browser,
            _folder: folder,
            socket,
            session: String::new(),
            calls: 0,
            events: Vec::new(),
            pointer: screen.pointer,
        };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = page.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        page.session = attached["sessionId"].as_str().unwrap().to_owned();
        for part in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{part}.enable"), json!({}));
        }
        page.set_screen(screen);
        page.go_to(file);
        Some(page)
    }

    /// Changes the screen.
    pub fn set_screen(&mut self, screen: Screen) {
        let Screen { width, height, scale, pointer, is_dark } = screen;
        let is_phone = pointer == Pointer::Finger;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let touch = json!({"enabled": is_phone, "maxTouchPoints": 1});
        self.call("Emulation.setTouchEmulationEnabled", touch);
        let colours = if is_dark { "dark" } else { "light" };
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
        self.pointer = pointer;
    }

    /// Opens a local file and waits for its `load` event.
    pub fn go_to(&mut self, file: &Path) {
        let start = self.events.len();
        let url = format!("file://{}", file.display());
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert_eq!(answer["errorText"], Value::Null, "{url}");
        while !self.events[start..].iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.receive();
        }
    }

    /// Calls a method of the protocol and returns its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Evaluates JavaScript and returns its value. A promise is waited for.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{script}");
        answer["result"]["value"].clone()
    }

    /// Middle of the first element that matches a CSS selector. Scrolls the page to it if it is not
    /// in the window.
    pub fn middle(&mut self, selector: &str) -> Place {
        let [left, top, width, height] = self.place(selector);
        [left + width / 2.0, top + height / 2.0]
    }

    /// Left, top, width and height of the first element that matches a CSS selector, after scrolling
    /// to it where needed.
    pub fn place(&mut self, selector: &str) -> [f64; 4] {
        let selector = Value::from(selector);
        let script = format!(
            "(() => {{ const it = document.querySelector({selector});
             it.scrollIntoView({{block: 'nearest', behavior: 'instant'}});
             const r = it.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }})()"
        );
        let numbers = self.evaluate(&script);
        [0, 1, 2, 3].map(|index| numbers[index].as_f64().unwrap_or_else(|| panic!("{selector}")))
    }

    /// Clicks or taps the middle of an element.
    pub fn click(&mut self, selector: &str) {
        let place = self.middle(selector);
        self.stroke(&[place]);
    }

    /// Presses at the first place, moves through the others, and lets go at the last one, with the
    /// pointer of the screen. The moves are sent without waiting in between, as a fast hand makes
    /// them.
    pub fn stroke(&mut self, places: &[Place]) {
        let (first, last) = (places[0], places[places.len() - 1]);
        let mut sent = match self.pointer {
            Pointer::Mouse => vec![self.mouse("mouseMoved", first, 0), self.mouse("mousePressed", first, 1)],
            Pointer::Finger => vec![self.finger("touchStart", Some(first))],
        };
        for &place in &places[1..] {
            sent.push(match self.pointer {
                Pointer::Mouse => self.mouse("mouseMoved", place, 1),
                Pointer::Finger => self.finger("touchMove", Some(place)),
            });
        }
        sent.push(match self.pointer {
            Pointer::Mouse => self.mouse("mouseReleased", last, 0),
            Pointer::Finger => self.finger("touchEnd", None),
        });
        for id in sent {
            self.answer(id);
        }
    }

    fn mouse(&mut self, kind: &str, [x, y]: Place, buttons: u32) -> u64 {
        let button = if kind == "mouseMoved" && buttons == 0 { "none" } else { "left" };
        let params = json!({
            "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1,
        });
        self.send("Input.dispatchMouseEvent", params)
    }

    fn finger(&mut self, kind: &str, place: Option<Place>) -> u64 {
        let points: Vec<Value> = place.iter().map(|[x, y]| json!({"x": x, "y": y})).collect();
        self.send("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points}))
    }

    /// Presses a key, by its name in `KeyboardEvent.key`: `z`, `Enter`, `ArrowLeft`. `modifiers` is
    /// the sum of 1 for Alt, 2 for Ctrl, 4 for Meta, 8 for Shift.
    pub fn press(&mut self, key: &str, modifiers: u32) {
        let code = match key.as_bytes() {
            [letter @ b'a'..=b'z'] => format!("Key{}", char::from(letter.to_ascii_uppercase())),
            [digit @ b'0'..=b'9'] => format!("Digit{}", char::from(*digit)),
            b" " => "Space".to_owned(),
            _ => key.to_owned(),
        };
        // Buttons and tabs follow the number of a key.
        let number = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Escape" => 27,
            "Backspace" => 8,
            "Delete" => 46,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => key.bytes().next().map_or(0, |byte| u32::from(byte.to_ascii_uppercase())),
        };
        let mut params =
            json!({"key": key, "code": code, "modifiers": modifiers, "windowsVirtualKeyCode": number});
        params["type"] = "keyDown".into();
        if modifiers & 7 == 0 && (key.len() == 1 || key == "Enter") {
            params["text"] = if key == "Enter" { "\r" } else { key }.into();
        }
        self.call("Input.dispatchKeyEvent", params.clone());
        params["type"] = "keyUp".into();
        params.as_object_mut().unwrap().remove("text");
        self.call("Input.dispatchKeyEvent", params);
    }

    /// Puts local files into an `<input type="file">`.
    pub fn choose_files(&mut self, selector: &str, files: &[&Path]) {
        let object = self.call(
            "Runtime.evaluate",
            json!({"expression": format!("document.querySelector({})", Value::from(selector))}),
        );
        let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
        let params = json!({"objectId": object["result"]["objectId"], "files": files});
        self.call("DOM.setFileInputFiles", params);
    }

    /// Writes what the window shows, or the whole page, to a PNG file.
    pub fn screenshot(&mut self, file: &Path, is_whole: bool) {
        let params = json!({"format": "png", "captureBeyondViewport": is_whole});
        let params = match is_whole {
            false => params,
            true => {
                let size = self.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]",
                );
                let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
                json!({"format": "png", "captureBeyondViewport": true, "clip": clip})
            }
        };
        let answer = self.call("Page.captureScreenshot", params);
        fs::write(file, STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// Errors and warnings so far: of the page's scripts, of its console, and of the browser, such
    /// as what a Content-Security-Policy forbids.
    pub fn complaints(&mut self) -> Vec<String> {
        // All that was reported before an answer has arrived with it.
        self.evaluate("0");
        let text = |event: &Value| {
            let params = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if params["type"] != "log" => Some(params["args"].to_string()),
                "Log.entryAdded" => Some(params["entry"]["text"].to_string()),
                _ => None,
            }
        };
        self.events.iter().filter_map(text).collect()
    }

    /// Addresses that the page asked for so far, without those that carry their own content.
    pub fn requests(&mut self) -> Vec<String> {
        self.evaluate("0");
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = requests.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.filter(|url| !url.starts_with("data:") && !url.starts_with("blob:")).map(str::to_owned).collect()
    }

    /// Sends a call and returns its number.
    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.socket.send(message.to_string().as_bytes());
        self.calls
    }

    /// Waits for the answer to a call. Calls are answered in any order: answers to others are kept.
    fn answer(&mut self, id: u64) -> Value {
        loop {
            let is_it = |message: &Value| message["id"] == id;
            if let Some(index) = self.events.iter().position(is_it) {
                let message = self.events.remove(index);
                assert_eq!(message["error"], Value::Null);
                return message["result"].clone();
            }
            self.receive();
        }
    }

    fn receive(&mut self) {
        let message = self.socket.receive();
        self.events.push(serde_json::from_slice(&message).unwrap());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // With the tests' own error, if there is one: a browser that is gone is none.
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

/// A connection for messages.
struct WebSocket(TcpStream);

impl WebSocket {
    /// Connects to the browser, whose port and path are in `file` as soon as it listens.
    fn connect(browser: &mut Child, file: &Path) -> Self {
        let start = Instant::now();
        let address = loop {
            match fs::read_to_string(file) {
                Ok(text) if text.contains('/') => break text,
                _ => assert!(start.elapsed() < PATIENCE, "Chromium does not start"),
            }
            assert!(browser.try_wait().unwrap().is_none(), "Chromium has ended");
            thread::sleep(Duration::from_millis(20));
        };
        let (port, path) = address.split_once('\n').unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            path.trim()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Sends a text. A client's frames are masked: with 0, which changes nothing.
    fn send(&mut self, text: &[u8]) {
        let mut frame = vec![0x81];
        match text.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text);
        self.0.write_all(&frame).unwrap();
    }

    /// Waits for a text, which may come in several frames.
    fn receive(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        loop {
            let [head, length] = self.bytes();
            let length = match length & 0x7F {
                126 => usize::from(u16::from_be_bytes(self.bytes())),
                127 => u64::from_be_bytes(self.bytes()) as usize,
                length => usize::from(length),
            };
            let mut part = vec![0; length];
            self.0.read_exact(&mut part).unwrap();
            assert_ne!(head & 0x0F, 8, "Chromium has closed the connection");
            // Texts and their continuations, without signs of life.
            if head & 0x0F <= 1 {
                text.extend(part);
                if head & 0x80 != 0 {
                    return text;
                }
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("an answer of Chromium within a minute");
        bytes
    }
}
