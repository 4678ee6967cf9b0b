//! What somebody does with tables, the palette and the page of failures, and how long each step takes until it is seen.

use std::time::Duration;

use serde_json::Value;

use super::page::Page;
use super::until;
use crate::command::Stop;

/// What a script of an act begins with. `seen` resolves after the next picture was painted; `change` does something and answers how
/// long it takes until something that it changes is painted.
const TOOLS: &str = "
    const done = arguments[arguments.length - 1];
    const one = css => document.querySelector(css);
    const painted = () => new Promise(resolve => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = resolve;
        channel.port2.postMessage(0);
    }));
    const change = async (act, is, most = 20000) => {
        const start = performance.now();
        act();
        do await painted(); while (!is() && performance.now() - start < most);
        if (!is()) throw new Error('nothing happened: ' + act);
        return performance.now() - start;
    };
    const rest = millis => new Promise(resolve => setTimeout(resolve, millis));
    const go = hash => { location.hash = '#/pools/bench/' + hash; };
    const type = (input, text) => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, text);
        input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    };
    // How long it takes until what is shown follows what is typed; not where it is the same as before.
    const typed = async (input, texts, shown) => {
        const times = [];
        for (const text of texts) {
            const before = shown(), begun = performance.now(), is_late = () => performance.now() - begun > 1000;
            const time = await change(() => type(input, text), () => shown() !== before || is_late());
            if (!is_late()) times.push(time);
            await rest(100);
        }
        return times;
    };
    const run = async () => {";

/// What it ends with. Answers how long each step took, and the longest task of the main thread meanwhile.
const END: &str = "
    };
    window.benchTasks.length = 0;
    run().then(async steps => {
        await rest(100);
        done({ steps, tasks: [...window.benchTasks] });
    }, error => done({ error: String(error) }));";

/// One thing that is done, maybe several times.
struct Act {
    name: &'static str,
    /// The body of a function that answers the times of its steps, or the frames a second.
    script: &'static str,
    most: &'static str,
    is_rate: bool,
}

const ACTS: &[Act] = &[
    Act {
        name: "table of 5,000 VMs, opened",
        script: "
            const times = [];
            for (let at = 0; at < 3; at++) {
                go('hosts');
                await change(() => {}, () => one('[data-testid=host-row]'));
                await rest(300);
                times.push(await change(() => go('vms'), () => one('[data-testid=vm-row]')));
                await rest(300);
            }
            return times;",
        most: "–",
        is_rate: false,
    },
    Act {
        name: "the same, put in order by another column, then by two",
        script: "
            const first = () => [...document.querySelectorAll('[data-testid=vm-row]')].slice(0, 3).map(row => row.dataset.uuid).join();
            const by = (id, shiftKey) => {
                const before = first();
                return change(() => one(`[data-testid=sort-${id}]`).dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey })),
                    () => first() !== before || performance.now() - begun > 400);
            };
            const times = [];
            let begun;
            const shown = [...document.querySelectorAll('[data-testid^=sort-]')].map(it => it.dataset.testid.slice(5));
            for (const [id, more] of [[shown[0], false], [shown[1], false], [shown[0], true], [shown[3], false], [shown[2], true]]) {
                begun = performance.now();
                times.push(await by(id, more));
                await rest(200);
            }
            return times;",
        most: "50 ms",
        is_rate: false,
    },
    Act {
        name: "the same, a key typed into its query box",
        script: "
            const input = one('[data-testid=vm-filter]');
            const shown = () => one('[data-testid=vm-count]').textContent + (one('[data-testid=vm-row]')?.dataset.uuid ?? '');
            return typed(input, ['w', 'we', 'web', 'web-', 'we', 'd', 'db', 'db state:running', 'db state:running memory>2GiB', '1', '12', '123', ''], shown);",
        most: "50 ms",
        is_rate: false,
    },
    Act {
        name: "table of all VBDs, opened",
        script: "
            const times = [];
            for (let at = 0; at < 3; at++) {
                go('hosts');
                await change(() => {}, () => one('[data-testid=host-row]'));
                await rest(300);
                times.push(await change(() => go('vbds'), () => one('[data-testid=vbd-row]')));
                await rest(300);
            }
            return times;",
        most: "–",
        is_rate: false,
    },
    Act {
        name: "10,000 of its rows scrolled, frames a second",
        script: "
            const scroll = one('[data-testid=vbd-table]').closest('.scroll');
            scroll.scrollTop = 0;
            await painted();
            const rows = 10000 * 32, time = 5000;
            let frames = 0;
            const start = performance.now();
            for (let now = start; now - start < time; now = performance.now()) {
                scroll.scrollTop = rows * Math.min(1, (now - start) / time);
                await new Promise(requestAnimationFrame);
                frames++;
            }
            return [frames * 1000 / (performance.now() - start)];",
        most: "at least 50",
        is_rate: true,
    },
    Act {
        name: "the palette, opened for the first time",
        script: "
            go('');
            await rest(500);
            const key = new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true });
            const time = await change(() => document.body.dispatchEvent(key), () => one('[data-testid=palette-option]'));
            await rest(2000);
            return [time];",
        most: "–",
        is_rate: false,
    },
    Act {
        name: "the palette, a key typed",
        script: "
            const input = one('[data-testid=palette-input]');
            const shown = () => one('.palette-list').textContent + !!one('[data-testid=palette-none]');
            const words = ['web', 'db-1', '10.0.', 'vm disk', 'host 12', 'opaqueref', 'data', 'qzx'];
            const times = await typed(input, words.flatMap(word => [...word].map((_, at) => word.slice(0, at + 1))), shown);
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }));
            return times;",
        most: "50 ms",
        is_rate: false,
    },
    Act {
        name: "the single points of failure of everything, found",
        script: "
            await rest(500);
            return [await change(() => go('impact'), () => one('[data-testid=single-points-status][data-done=true]'))];",
        most: "–",
        is_rate: false,
    },
    Act {
        name: "a host fails, asked by a click",
        script: "
            const times = [];
            const hosts = () => [...document.querySelectorAll('[data-testid=single-point][data-class=host] button')];
            const parts = [...document.querySelectorAll('[data-testid=single-point] button')];
            for (const button of (hosts().length ? hosts() : parts).slice(0, 3)) {
                const before = document.querySelectorAll('[data-testid=impact-part]').length;
                times.push(await change(() => button.click(), () =>
                    document.querySelectorAll('[data-testid=impact-part]').length > before && one('[data-testid=impact-stopped]')));
                await rest(1500);
            }
            return times;",
        most: "–",
        is_rate: false,
    },
];

/// What was measured of an act.
pub(super) struct Acted {
    name: &'static str,
    most: &'static str,
    is_rate: bool,
    steps: Vec<f64>,
    tasks: Vec<f64>,
}

/// Does everything once, in a page that has the inventory.
pub(super) fn act(page: &Page) -> Result<Vec<Acted>, Stop> {
    ACTS.iter().map(|act| run(page, act.name, act.most, act.is_rate, act.script)).collect()
}

fn run(page: &Page, name: &'static str, most: &'static str, is_rate: bool, script: &str) -> Result<Acted, Stop> {
    let answer = page.script_async(&[TOOLS, script, END].concat())?;
    if let Some(error) = answer["error"].as_str() {
        return Err(Stop::failed(format!("{name}: {error}")));
    }
    let numbers = |key: &str| answer[key].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    Ok(Acted { name, most, is_rate, steps: numbers("steps"), tasks: numbers("tasks") })
}

/// Begins to look at a table while everything is told anew.
const WATCH: &str = "
    window.benchTasks.length = 0;
    window.benchLeast = Infinity;
    const look = () => {
        window.benchLeast = Math.min(window.benchLeast, +document.querySelector('[data-testid=vm-table]')?.getAttribute('aria-rowcount') || 0);
        window.benchWatch = requestAnimationFrame(look);
    };
    look();";

/// What was seen of it.
const WATCHED: &str = "cancelAnimationFrame(window.benchWatch); return [window.benchLeast, ...window.benchTasks]";

/// Lets the proxy be another one from one moment to the next, as after an update, and looks at a table meanwhile: how long it takes
/// until it is live again, the tasks, and how many rows were shown at least.
pub(super) fn resync(page: &Page, restart: &mut dyn FnMut() -> Result<(), Stop>) -> Result<(Acted, f64), Stop> {
    run(page, "", "", false, "go('vms'); return [await change(() => {}, () => one('[data-testid=vm-row]'))];")?;
    std::thread::sleep(Duration::from_secs(1));
    let before = page.received()?;
    page.script(WATCH)?;
    let began = std::time::Instant::now();
    restart()?;
    // It takes a moment until the page has noticed, and until the proxy itself knows everything.
    until("everything to be told anew", || Ok((page.received()? > before + 1e6).then_some(())))?;
    let state = "return document.querySelector('[data-testid=freshness]').dataset.state";
    until("the page to be live again", || Ok((page.script(state)? == "live").then_some(())))?;
    page.settle()?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let seen = page.script(WATCHED)?;
    let seen: Vec<f64> = seen.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let least = seen.first().copied().unwrap_or_default();
    let acted = Acted {
        name: "everything told anew by another proxy",
        most: "–",
        is_rate: false,
        steps: vec![took],
        tasks: seen.into_iter().skip(1).collect(),
    };
    Ok((acted, least))
}

impl Acted {
    /// A row of the table.
    pub(super) fn row(&self) -> String {
        let mut steps = self.steps.clone();
        steps.sort_by(f64::total_cmp);
        let at = |share: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "few steps"
            )]
            let at = ((steps.len() as f64 * share).ceil() as usize).saturating_sub(1);
            steps.get(at).copied()
        };
        let show = |value: Option<f64>| match value {
            Some(value) if self.is_rate => format!("{value:.1}"),
            Some(value) => format!("{value:.0} ms"),
            None => "–".into(),
        };
        let longest = self.tasks.iter().copied().fold(0.0, f64::max);
        let tasks = match self.tasks.len() {
            0 => "none over 50 ms".into(),
            over => format!("{longest:.0} ms ({over} over 50 ms)"),
        };
        format!("| {} | {} | {} | {} | {} | {tasks} |", self.name, steps.len(), show(at(0.5)), show(at(0.95)), self.most)
    }

    /// The rows under their heading.
    pub(super) fn table(all: &[Acted]) -> String {
        let mut text = String::from(
            "| 64 hosts, 5,000 VMs, until it is painted | steps | median | 95 of 100 | at most | longest task |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |",
        );
        for acted in all {
            text.push('\n');
            text.push_str(&acted.row());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_median_the_slow_ones_and_the_longest_task() {
        let steps = (1..=20).map(f64::from).collect();
        let acted = Acted { name: "typed", most: "50 ms", is_rate: false, steps, tasks: vec![60.4, 51.0] };
        assert_eq!(acted.row(), "| typed | 20 | 10 ms | 19 ms | 50 ms | 60 ms (2 over 50 ms) |");
        let acted = Acted { name: "scrolled", most: "50", is_rate: true, steps: vec![59.94], tasks: vec![] };
        assert_eq!(acted.row(), "| scrolled | 1 | 59.9 | 59.9 | 50 | none over 50 ms |");
    }
}
