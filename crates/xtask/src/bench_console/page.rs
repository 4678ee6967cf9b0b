//! The console in the browser: its marks, its tasks, its pictures.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::webdriver::Browser;
use super::{Whole, until};
use crate::command::Stop;
use crate::workspace::Workspace;

/// What every document runs first: notes the long tasks, and keeps the timings of all requests.
const OBSERVE: &str = "
    performance.setResourceTimingBufferSize(1e6);
    window.benchTasks = [];
    new PerformanceObserver(list => {
        for (const task of list.getEntries()) window.benchTasks.push(task.duration);
    }).observe({ type: 'longtask', buffered: true });";

/// When the marks were set, in milliseconds since the navigation; nothing until all are there.
const MARKS: &str = "
    const at = name => (performance.getEntriesByName('xenoxide:' + name, 'mark')[0] || {}).startTime;
    const marks = [at('shell-ready'), at('inventory-ready'), at('topology-drawn')];
    return marks.every(Number.isFinite) ? marks : null;";

/// How much was received, and how often was asked.
const RECEIVED: &str = "
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return [all.reduce((sum, entry) => sum + entry.transferSize, 0), all.length];";

const NOW: &str = "return performance.now();";

/// Moves the picture for three seconds, a step a frame, and answers the frames a second.
const MOVE: &str = "
    const done = arguments[arguments.length - 1];
    const stage = document.querySelector('[data-testid=topology]');
    const box = stage.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const pointer = (type, dx, buttons) => stage.dispatchEvent(new PointerEvent(type, {
        bubbles: true, cancelable: true, pointerId: 1, isPrimary: true, button: 0, buttons, clientX: x + dx, clientY: y + dx / 2,
    }));
    let frames = 0, start = null;
    const step = now => {
        start ??= now;
        if (now - start >= 3000) {
            pointer('pointerup', 0, 0);
            return done(frames * 1000 / (now - start));
        }
        frames += 1;
        if (frames % 120 === 1) pointer('pointerdown', 0, 1);
        if (frames % 120 < 60) pointer('pointermove', 200 * Math.sin(frames / 10), 1);
        if (frames % 120 === 60) pointer('pointerup', 0, 0);
        if (frames % 120 > 60) stage.dispatchEvent(new WheelEvent('wheel', {
            bubbles: true, cancelable: true, clientX: x, clientY: y, deltaY: 30 * Math.sin(frames / 10), ctrlKey: true,
        }));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);";

/// The console in a browser.
pub(super) struct Page {
    window: Browser,
    /// What browser it is.
    pub(super) browser: String,
}

/// An event that was drawn.
pub(super) struct Event {
    /// Milliseconds from the arrival of the answer that told it to the picture.
    pub(super) arrival: f64,
    /// When it was drawn, in milliseconds since 1970.
    pub(super) drawn: f64,
}

impl Page {
    pub(super) fn open(workspace: &Workspace, profile: &Path) -> Result<Self, Stop> {
        let window = Browser::open(workspace, profile)?;
        let browser = window.name.clone();
        let page = Page { window, browser };
        page.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": OBSERVE }))?;
        // Otherwise the renderer keeps a copy of every answer, for tools that show them: tens of megabytes that no visitor's browser has.
        page.devtools("Network.disable", &json!({}))?;
        Ok(page)
    }

    fn devtools(&self, name: &str, params: &Value) -> Result<Value, Stop> {
        self.window.command("goog/cdp/execute", &json!({ "cmd": name, "params": params }))
    }

    pub(super) fn go(&self, url: &str) -> Result<(), Stop> {
        self.window.command("url", &json!({ "url": url })).map(drop)
    }

    /// What stands in the page and which marks were set, for whoever looks for a mistake.
    pub(super) fn words(&self) -> String {
        const WORDS: &str = "
            const marks = performance.getEntriesByType('mark').map(mark => mark.name + '@' + Math.round(mark.startTime));
            const asked = performance.getEntriesByType('resource').slice(-5).map(it => it.name + '@' + Math.round(it.responseEnd));
            return document.body.innerText.slice(0, 500) + ' | ' + marks.slice(-20) + ' | ' + asked + ' | ' + performance.now();";
        self.window.script(WORDS).map_or_else(|stop| stop.message, |words| words.as_str().unwrap_or_default().to_owned())
    }

    /// Visits the console for the first time, and logs in.
    pub(super) fn log_in(&self, url: &str) -> Result<(), Stop> {
        self.go(&format!("{url}#/pools/bench/topology/compute"))?;
        self.window.fill("[data-testid=login-user]", "root")?;
        self.window.fill("[data-testid=login-password]", "xenoxide")?;
        self.window.click("[data-testid=login-submit]")
    }

    /// Visits the console in a browser that may have a session, and logs in if it has none.
    pub(super) fn log_in_again(&self, url: &str) -> Result<(), Stop> {
        self.go("about:blank")?;
        self.go(&format!("{url}?acts#/pools/bench/topology/compute"))?;
        let form = "return document.querySelector('[data-testid=login-user]') ? 1 : document.querySelector('[data-testid=shell]') ? 2 : 0";
        let form = until("the login or the shell", || Ok(self.window.script(form)?.as_u64().filter(|it| *it > 0)))?;
        if form == 2 {
            return Ok(());
        }
        self.window.fill("[data-testid=login-user]", "root")?;
        self.window.fill("[data-testid=login-password]", "xenoxide")?;
        self.window.click("[data-testid=login-submit]")
    }

    /// What a script answers.
    pub(super) fn script(&self, script: &str) -> Result<Value, Stop> {
        self.window.script(script)
    }

    /// What a script hands to the function that is its last argument, within a minute.
    pub(super) fn script_async(&self, script: &str) -> Result<Value, Stop> {
        self.window.command("timeouts", &json!({ "script": 60_000 }))?;
        self.window.script_async(script)
    }

    /// Waits until the shell, the inventory and the topology are there, and says when that was.
    pub(super) fn wait_for_marks(&self) -> Result<[f64; 3], Stop> {
        until("the inventory and the topology", || {
            let marks = self.window.script(MARKS)?;
            let at = |at: usize| marks.get(at).and_then(Value::as_f64);
            Ok(at(0).zip(at(1)).zip(at(2)).map(|((shell, inventory), topology)| [shell, inventory, topology]))
        })
    }

    /// Waits until nothing more is loaded than the events that come by and by.
    pub(super) fn settle(&self) -> Result<(), Stop> {
        let asked = || Ok::<_, Stop>(self.window.script(RECEIVED)?[1].as_f64().unwrap_or_default());
        let mut before = asked()?;
        until("the page to settle", || {
            std::thread::sleep(Duration::from_secs(1));
            let now = asked()?;
            let rests = now - before <= 2.0;
            before = now;
            Ok(rests.then_some(()))
        })
    }

    /// Bytes received since the navigation, as they came over the network.
    pub(super) fn received(&self) -> Result<f64, Stop> {
        Ok(self.window.script(RECEIVED)?[0].as_f64().unwrap_or_default())
    }

    /// Frames a second while the picture is dragged and zoomed.
    pub(super) fn pan_and_zoom(&self) -> Result<f64, Stop> {
        self.window.command("timeouts", &json!({ "script": 60_000 }))?;
        Ok(self.window.script_async(MOVE)?.as_f64().unwrap_or_default())
    }

    /// Everything through a lens: frames a second as it is shown first, and at magnifications from far to near.
    pub(super) fn draw_all(&self, url: &str, lens: &'static str) -> Result<Whole, Stop> {
        self.go(&format!("{url}?whole={lens}#/pools/bench/topology/{lens}"))?;
        self.wait_for_marks()?;
        self.settle()?;
        self.window.click("[data-testid=draw-all]")?;
        let nodes = until("everything to be drawn", || {
            let drawn = self.window.script("return document.querySelector('[data-painted=true]')?.dataset.drawn")?;
            Ok(drawn.as_str().and_then(|drawn| drawn.parse().ok()))
        })?;
        let mut frames = vec![self.pan_and_zoom()?];
        self.window.click("[data-testid=fit]")?;
        for closer in [0, 5, 4, 3] {
            for _ in 0..closer {
                self.window.click("[data-testid=zoom-in]")?;
            }
            frames.push(self.pan_and_zoom()?);
        }
        Ok(Whole { lens, nodes, frames })
    }

    /// What time it is in the page, in milliseconds.
    pub(super) fn now(&self) -> Result<f64, Stop> {
        Ok(self.window.script(NOW)?.as_f64().unwrap_or_default())
    }

    /// Waits for the first event that is drawn after that time.
    pub(super) fn wait_for_event(&self, after: f64) -> Result<Event, Stop> {
        let script = format!(
            "const drawn = performance.getEntriesByName('xenoxide:event-drawn', 'mark').find(mark => mark.startTime > {after});
             if (!drawn) return null;
             const told = performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/rpc'))
                 .map(entry => entry.responseEnd).filter(end => end > 0 && end <= drawn.startTime);
             return [drawn.startTime - Math.max(...told), performance.timeOrigin + drawn.startTime];"
        );
        until("an event to be drawn", || {
            let event = self.window.script(&script)?;
            let at = |at: usize| event.get(at).and_then(Value::as_f64);
            Ok(at(0).zip(at(1)).map(|(arrival, drawn)| Event { arrival, drawn }))
        })
    }

    /// Forgets the long tasks until now.
    pub(super) fn forget_tasks(&self) -> Result<(), Stop> {
        self.window.script("window.benchTasks.length = 0").map(drop)
    }

    /// The longest task of the main thread, and how many were over 50 ms. The browser notes none below that.
    pub(super) fn tasks(&self) -> Result<(f64, usize), Stop> {
        let tasks = self.window.script("return window.benchTasks")?;
        let tasks: Vec<f64> = tasks.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        Ok((tasks.iter().copied().fold(0.0, f64::max), tasks.len()))
    }

    /// The private memory of the renderer, in bytes: of the largest one, since the browser keeps a spare.
    pub(super) fn private_memory(&self) -> Result<u64, Stop> {
        let processes = fs::read_dir("/proc").map_err(|error| Stop::failed(format!("/proc: {error}")))?;
        let ids: Vec<u64> = processes.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok()).collect();
        let renderers = ids.iter().filter(|id| is_renderer(**id) && self.is_ours(**id));
        let most =
            renderers.filter_map(|id| private_of(&fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?)).max();
        most.ok_or_else(|| Stop::failed("the renderer's memory cannot be read in /proc"))
    }

    fn is_ours(&self, mut id: u64) -> bool {
        while id > 1 {
            if id == self.window.process {
                return true;
            }
            let Some(parent) = parent(id) else { return false };
            id = parent;
        }
        false
    }
}

fn is_renderer(id: u64) -> bool {
    fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains("--type=renderer"))
}

fn parent(id: u64) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// The bytes of `Private_Clean` and `Private_Dirty`.
fn private_of(rollup: &str) -> Option<u64> {
    let line = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    Some((line("Private_Clean")? + line("Private_Dirty")?) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_is_what_no_other_process_has() {
        let rollup = "Rss:    9 kB\nShared_Clean:  7 kB\nPrivate_Clean:          3 kB\nPrivate_Dirty:   20 kB\n";
        assert_eq!(private_of(rollup), Some(23 * 1024));
        assert_eq!(private_of(""), None);
    }
}
