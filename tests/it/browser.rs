//! A headless Chromium, driven through WebDriver.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Running, tool};

/// How long the page may take for anything that it does. Generous: the machines that run tests are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One browser window with a profile of its own.
pub(crate) struct Browser {
    client: Client,
}

/// Runs a test in a browser, and then asserts that the page logged no error but those that `expected` knows.
pub(crate) fn in_browser<F>(width: u32, expected: &[&str], test: impl FnOnce(Browser) -> F)
where
    F: Future<Output = Browser>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (browser, driver, profile) = runtime.block_on(Browser::open(width));
    let client = browser.client.clone();
    let tested = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let browser = test(browser).await;
            let errors = browser.errors(expected).await;
            assert!(errors.is_empty(), "the page logged: {errors:#?}");
        })
    }));
    // Whatever came of the test: a browser that nobody closes outlives it.
    let closed = runtime.block_on(client.close());
    drop((driver, profile));
    match tested {
        Ok(_) => closed.expect("the browser closes"),
        Err(panic) => resume_unwind(panic),
    }
}

impl Browser {
    async fn open(width: u32) -> (Browser, Running, TempDir) {
        let started = "was started successfully on port ";
        let driver = Running::start_on_a_port(Command::new(tool("XENOXIDE_CHROMEDRIVER")).arg("--port=0"), |line| {
            line.contains("was started successfully on port ")
        });
        let port = driver.ready.split(started).nth(1).expect("a port").trim_end_matches('.').to_string();
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut arguments = vec![
            "--headless=new".to_string(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--disable-dev-shm-usage".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--force-color-profile=srgb".into(),
            // What tests read is English, and looks alike on every machine.
            "--lang=en-US".into(),
            "--accept-lang=en-US".into(),
            "--font-render-hinting=none".into(),
            "--force-device-scale-factor=1".into(),
            "--hide-scrollbars".into(),
            format!("--window-size={width},900"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        // Chromium's sandbox refuses to run as root, which is how containers run tests.
        arguments.push("--no-sandbox".into());
        let chromium: PathBuf = tool("XENOXIDE_CHROMIUM");
        let capabilities = json!({
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = capabilities.as_object().expect("it is an object").clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        (Browser { client }, driver, profile)
    }

    /// Goes to a page.
    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// Waits until an element is there.
    pub(crate) async fn element(&self, css: &str) -> Element {
        let waiting = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css));
        match waiting.await {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}; the page says: {}", self.page().await),
        }
    }

    /// Clicks on an element, when it is there.
    pub(crate) async fn click(&self, css: &str) {
        self.until(&format!("a click on {css}"), || async {
            match self.element(css).await.click().await {
                Ok(()) => Some(()),
                // Redrawn or covered between being found and being clicked.
                Err(error) if error.is_stale_element_reference() => None,
                Err(error) if format!("{error:?}").contains("click intercepted") => None,
                Err(error) => panic!("{css}: {error}"),
            }
        })
        .await;
    }

    /// Replaces what stands in a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.element(css).await;
        field.clear().await.expect("it clears");
        field.send_keys(text).await.expect("it takes keys");
    }

    /// The text of an element.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.until(css, || async { self.element(css).await.text().await.ok() }).await
    }

    /// Waits until the text of an element satisfies a condition, and answers it.
    pub(crate) async fn text_where(&self, css: &str, what: &str, is: impl Fn(&str) -> bool) -> String {
        self.until(&format!("{css} to say {what}"), || async {
            let text = self.client.find(Locator::Css(css)).await.ok()?.text().await.ok()?;
            is(&text).then_some(text)
        })
        .await
    }

    /// Waits until a script answers something other than null or false.
    pub(crate) async fn script_until(&self, what: &str, script: &str) -> Value {
        self.until(what, || async {
            let answer = self.client.execute(script, Vec::new()).await.expect("the script runs");
            (!answer.is_null() && answer != Value::Bool(false)).then_some(answer)
        })
        .await
    }

    /// A command of the browser's own protocol, beyond what WebDriver has.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) {
        let call = Cdp { command: command.into(), parameters };
        self.client.issue_cmd(call).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Makes the page exactly so large, in pixels of the page.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Pretends that the reader's system wants something: `prefers-color-scheme`, `prefers-reduced-motion`, `forced-colors`.
    pub(crate) async fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> = features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// What is seen, as a PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("the browser takes a picture")
    }

    /// Presses keys where the keyboard is.
    pub(crate) async fn press(&self, keys: &str) {
        let actions = KeyActions::new("keyboard".into());
        let actions = keys
            .chars()
            .fold(actions, |actions, key| actions.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key }));
        self.client.perform_actions(actions).await.expect("the browser takes keys");
    }

    /// What a script answers now.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, mut attempt: impl FnMut() -> F) -> T {
        let start = Instant::now();
        loop {
            if let Some(answer) = attempt().await {
                return answer;
            }
            if start.elapsed() > PATIENCE {
                panic!("waited {PATIENCE:?} for {what}; the page says: {}", self.page().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn page(&self) -> String {
        let body = self.client.execute("return document.body ? document.body.innerText : ''", Vec::new()).await;
        let errors = self.errors(&[]).await;
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{}.png", std::process::id()));
        let taken = self.client.screenshot().await.ok().and_then(|png| std::fs::write(&picture, png).ok());
        let picture = taken.map_or("none".into(), |()| picture.display().to_string());
        format!("{}\nlog: {errors:#?}\npicture: {picture}", body.ok().as_ref().and_then(Value::as_str).unwrap_or("nothing"))
    }

    /// The errors in the browser's log, without those that contain one of the expected texts.
    async fn errors(&self, expected: &[&str]) -> Vec<String> {
        let log = self.client.issue_cmd(ReadLog).await.expect("the log reads");
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let messages = severe.filter_map(|entry| entry["message"].as_str().map(str::to_owned));
        messages.filter(|message| !expected.iter().any(|text| message.contains(text))).collect()
    }
}

/// ChromeDriver's own command to speak the browser's protocol.
#[derive(Debug)]
struct Cdp {
    command: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.command, "params": self.parameters }).to_string()))
    }
}

/// ChromeDriver's own command to read the browser's log.
#[derive(Debug)]
struct ReadLog;

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
