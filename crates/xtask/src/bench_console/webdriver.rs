//! A browser, steered by chromedriver over plain HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::command::Stop;
use crate::needs;
use crate::workspace::Workspace;

/// How long a program may take until it is ready.
const READY: Duration = Duration::from_secs(60);

/// A browser window, until it is dropped.
pub(super) struct Browser {
    driver: Child,
    address: String,
    session: String,
    /// What it is, and its version.
    pub(super) name: String,
    /// The process that has started all others of it.
    pub(super) process: u64,
}

impl Browser {
    pub(super) fn open(workspace: &Workspace, profile: &Path) -> Result<Self, Stop> {
        let vanished = || Stop::failed("Chromium vanished while xtask ran");
        let (chromium, driver) = needs::chromium().zip(needs::chromedriver()).ok_or_else(vanished)?;
        let mut driver = workspace.command(&driver);
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().map_err(|error| Stop::failed(format!("cannot run chromedriver: {error}")))?;
        const STARTED: &str = "was started successfully on port ";
        let line = first_line(&mut driver, |line| line.contains(STARTED));
        let port = line.as_deref().and_then(|line| line.split(STARTED).nth(1)).map(|port| port.trim_end_matches('.'));
        let address = port.map(|port| format!("127.0.0.1:{port}"));
        let mut browser = Browser {
            driver,
            address: address.ok_or_else(|| Stop::failed("chromedriver did not start"))?,
            session: String::new(),
            name: String::new(),
            process: 0,
        };
        // The sandbox refuses to run as root, which is how containers run things; the page is our own.
        let mut arguments = vec!["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"];
        arguments.extend(["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]);
        arguments.extend(["--disable-extensions", "--window-size=1440,900"]);
        let mut arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let options = json!({ "binary": chromium, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let opened = browser.exchange("POST", "/session", &wanted)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        browser.session = text(&opened["sessionId"]);
        let capabilities = &opened["capabilities"];
        browser.name = format!("Chromium {}", text(&capabilities["browserVersion"]));
        browser.process = capabilities["goog:processID"].as_u64().unwrap_or_default();
        Ok(browser)
    }

    /// A command to this window.
    pub(super) fn command(&self, path: &str, body: &Value) -> Result<Value, Stop> {
        self.exchange("POST", &format!("/session/{}/{path}", self.session), body)
    }

    /// What a script answers.
    pub(super) fn script(&self, script: &str) -> Result<Value, Stop> {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a script hands to the function that is its last argument.
    pub(super) fn script_async(&self, script: &str) -> Result<Value, Stop> {
        self.command("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Types into an element, when it is there.
    pub(super) fn fill(&self, css: &str, text: &str) -> Result<(), Stop> {
        let id = self.element(css)?;
        self.command(&format!("element/{id}/value"), &json!({ "text": text })).map(drop)
    }

    /// Clicks on an element.
    pub(super) fn click(&self, css: &str) -> Result<(), Stop> {
        let id = self.element(css)?;
        self.command(&format!("element/{id}/click"), &json!({})).map(drop)
    }

    fn element(&self, css: &str) -> Result<String, Stop> {
        super::until(css, || {
            let found = self.command("element", &json!({ "using": "css selector", "value": css }));
            let id = found.ok().and_then(|found| found.as_object()?.values().next()?.as_str().map(str::to_owned));
            Ok(id)
        })
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> Result<Value, Stop> {
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        let failed = |what: String| Stop::failed(format!("chromedriver, {path}: {what}"));
        let answer = exchange(&self.address, &head, body.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(failed(format!("{error}: {}", answer["value"]["message"].as_str().unwrap_or_default()))),
            None => Ok(answer["value"].clone()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The driver ends in any case.
            _ = self.exchange("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        end(&mut self.driver);
    }
}

/// Sends a request, and gives the body of the answer.
pub(super) fn exchange(address: &str, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut reader = BufReader::new(stream);
    let mut length = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let mut answer = Vec::new();
    reader.take(length.unwrap_or(u64::MAX)).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The first line of a program's output that satisfies a condition, if it comes in time. The rest is read and dropped, so that the
/// program never waits for a reader.
pub(super) fn first_line(child: &mut Child, is: impl Fn(&str) -> bool + Send + 'static) -> Option<String> {
    let output = child.stdout.take()?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if is(&line) {
                // Nobody listens any more after the first one.
                _ = send.send(line);
            }
        }
    });
    receive.recv_timeout(READY).ok()
}

/// Ends a program that was started here.
pub(super) fn end(child: &mut Child) {
    // It may have ended by itself.
    _ = child.kill();
    _ = child.wait();
}
