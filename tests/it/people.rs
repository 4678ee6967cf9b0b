//! Everybody can use it: by keyboard alone, in their language, without a server.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::{Browser, in_browser};
use crate::harness::{Relay, Server, run};
use crate::pages::Sample;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";
const ESCAPE: &str = "\u{e00c}";

/// What says which element has the keyboard: its test id, its class or its name.
const FOCUSED: &str = "const it = document.activeElement;
    return it ? (it.dataset.testid || it.id || it.className || it.tagName) : 'nothing'";

/// Goes from element to element until one with that test id has the keyboard, asserting that each can be seen.
async fn tab_to(browser: &Browser, testid: &str) {
    let mut passed = Vec::new();
    for _ in 0..80 {
        browser.press(TAB).await;
        let seen = browser
            .script(
                "const it = document.activeElement, style = getComputedStyle(it), group = it.parentElement;
                 const marked = style.outlineStyle !== 'none' || group.matches(':focus-within') && getComputedStyle(group).outlineStyle !== 'none'
                    || it.querySelector('.active') !== null;
                 // A node of a drawing shows it by its outline's stroke.
                 const box = it.querySelector('.box'), other = [...document.querySelectorAll('.node:not(.selected) .box')].find(one => one !== box);
                 const look = one => getComputedStyle(one).stroke + getComputedStyle(one).strokeWidth;
                 if (box && other && look(box) !== look(other)) return true;
                 return it === document.body || marked",
            )
            .await;
        let focused = browser.script(FOCUSED).await;
        assert_eq!(seen, true, "the focus on {focused} cannot be seen");
        if focused == testid {
            return;
        }
        passed.push(focused.as_str().unwrap_or_default().to_owned());
    }
    panic!("no {testid} among what the keyboard reaches: {passed:?}");
}

#[test]
fn the_keyboard_alone_leads_from_the_login_to_an_object() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        browser.go(sample.url()).await;
        browser.script_until("the field", "return document.activeElement.dataset.testid === 'login-user'").await;
        browser.press("root").await;
        tab_to(&browser, "login-password").await;
        browser.press("xenoxide").await;
        browser.press(ENTER).await;
        browser.element("[data-testid=tree-item]").await;

        // To the tree, down to a host, and to its page.
        tab_to(&browser, "tree").await;
        browser.press(DOWN).await;
        browser.press(ENTER).await;
        let selected = "return document.querySelector('[data-testid=tree-item][aria-selected=true]')?.dataset.uuid";
        let uuid = browser.script_until("a selected line", selected).await;
        browser.script_until("the address", "return location.hash.includes('select=host/')").await;

        // The views are links.
        browser.script("document.activeElement.blur()").await;
        tab_to(&browser, "view-topology").await;
        browser.press(ENTER).await;
        browser.element("[data-testid=topology] [data-testid=node]").await;
        assert_eq!(browser.script("return location.hash.split('?')[0]").await, "#/pools/test/topology/compute");
        let still = browser.script(selected).await;
        assert_eq!(still, uuid, "what is selected stays selected");
        // The drawing has one stop for the keyboard.
        tab_to(&browser, "node").await;

        // A small panel closes with Escape, and the keyboard is on its button again.
        browser.script("document.activeElement.blur()").await;
        tab_to(&browser, "tasks").await;
        browser.press(ENTER).await;
        browser.element("[data-testid=tasks-panel]").await;
        browser.press(ESCAPE).await;
        browser.script_until("the panel to close", "return !document.querySelector('[data-testid=tasks-panel]')").await;
        assert_eq!(browser.script(FOCUSED).await, "tasks");
        browser
    });
}

#[test]
fn an_address_is_kept_through_the_login_and_back_leads_back() {
    let sample = Sample::start();
    let uuid = sample.first("VM");
    in_browser(1440, &[], async |browser| {
        let address = format!("{}#/pools/test/topology/storage?select=VM/{uuid}", sample.url());
        browser.go(&address).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=topology][data-lens=storage]").await;
        browser.element("[data-testid=details-title]").await;
        browser.script("location.reload()").await;
        browser.element("[data-testid=topology][data-lens=storage]").await;
        browser.element("[data-testid=details-title]").await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.script("history.back()").await;
        browser.element("[data-testid=topology][data-lens=storage]").await;
        browser.script("history.forward()").await;
        browser.element("[data-testid=vm-row]").await;
        browser
    });
}

#[test]
fn the_page_speaks_chinese_when_asked_and_remembers() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        assert_eq!(browser.script("return document.documentElement.lang").await, "en");
        let choose = |code: &str| {
            format!(
                "const it = document.querySelector('[data-testid=language]');
                 it.focus(); it.value = '{code}'; it.dispatchEvent(new Event('change', {{ bubbles: true }}))"
            )
        };
        browser.script(&choose("zh-CN")).await;
        browser.text_where("[data-testid=view-topology]", "it in Chinese", |text| text == "拓扑").await;
        browser.script_until("the language", "return document.documentElement.lang === 'zh-CN'").await;
        // The tree is drawn anew as well, and the keyboard stays on the switch.
        browser.text_where("[data-testid=tree]", "it in Chinese", |text| text.contains("未运行")).await;
        browser.script_until("the focus", "return document.activeElement.dataset.testid === 'language'").await;
        browser.script("location.reload()").await;
        browser.text_where("[data-testid=view-topology]", "it in Chinese", |text| text == "拓扑").await;
        browser.script(&choose("")).await;
        browser.text_where("[data-testid=view-topology]", "it in English", |text| text == "Topology").await;
        browser
    });
}

#[test]
fn one_sees_where_one_is() {
    let sample = Sample::start();
    let (vm, host) = (sample.first("VM"), sample.first("host"));
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        let title = |begins: &str| format!("return document.title.startsWith({begins:?} + ' · ')");
        browser.script_until("the title of the overview", &title("Overview")).await;
        browser.script("location.hash = '#/pools/test/hosts'").await;
        browser.script_until("the title of the hosts", &title("Hosts")).await;
        browser.script(&format!("location.hash = '#/pools/test/VM/{vm}'")).await;
        let name = browser.element("[data-testid=object-title]").await.text().await.expect("a text");
        browser.script_until("the title of the VM", &title(&name)).await;
        browser.element(&format!("[data-testid=tree-item][aria-selected=true][data-uuid='{vm}']")).await;

        // What is chosen in the tree takes the page's place, and nothing says the same beside it.
        browser.click(&format!("[data-testid=tree-item][data-uuid='{host}'] a")).await;
        browser.element(&format!("[data-testid=object-page][data-uuid='{host}']")).await;
        assert_eq!(browser.script("return document.querySelector('[data-testid=details]')").await, Value::Null);

        // What had the keyboard goes with the page, and the keyboard is on the next one.
        browser.script("document.querySelector('[data-testid=part-fields]').focus()").await;
        browser
            .script("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, cancelable: true }))")
            .await;
        browser.script_until("the palette", "return document.activeElement.id === 'palette-input'").await;
        browser.press(&name).await;
        browser.element("[data-testid=palette] [role=option]").await;
        browser.press(ENTER).await;
        browser.element(&format!("[data-testid=object-page][data-uuid='{vm}']")).await;
        browser.script_until("the focus", "return document.activeElement.id === 'main'").await;
        browser
    });
}

#[test]
fn a_lost_pool_can_be_asked_again_at_once() {
    let sim = Server::sim(&["--hosts", "1", "--vms", "2"]);
    let mut relay = Relay::to(sim.get("http"));
    let serve = Server::serve(&format!("http://{}", relay.address), &[]);
    in_browser(1440, &["status of 502", "ERR_"], async |browser| {
        browser.go(serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=tree-item]").await;
        browser
            .script(
                "window.seen = []; new MutationObserver(() => seen.push(document.querySelector('[data-testid=freshness]')?.dataset.state))
                    .observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-state'] })",
            )
            .await;
        relay.cut();
        browser.element("[data-testid=stale-note]").await;
        // Before the data was old, the badge said that nobody answers.
        let seen =
            browser.script("return seen.indexOf('retrying') >= 0 && seen.indexOf('retrying') < seen.indexOf('stale')").await;
        assert_eq!(seen, true);
        browser.text_where("[data-testid=next-attempt]", "when it is tried again", |text| !text.is_empty()).await;
        relay.mend();
        browser.click("[data-testid=try-now]").await;
        browser.script_until("the note to go", "return !document.querySelector('[data-testid=stale-note]')").await;
        browser
    });
}

#[test]
fn the_simulator_runs_in_the_page_without_a_server() {
    let serve = Server::serve("http://127.0.0.1:9", &[]);
    in_browser(1440, &["ERR_"], async |browser| {
        browser.go(&format!("{}?demo", serve.get("url"))).await;
        browser.element("[data-testid=tree-item]").await;
        // Nothing of it comes from the server once the parts of the program are here, which come by themselves: that may go.
        let come = "return performance.getEntriesByType('resource').some(it => it.name.includes('split_graph') && it.responseEnd > 0)";
        browser.script_until("the parts of the program", come).await;
        serve.kill();
        browser
            .script_until("the badge", "return document.querySelector('[data-testid=freshness]')?.dataset.state === 'demo'")
            .await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        browser.script("performance.clearMarks('xenoxide:event-drawn')").await;
        let drawn = "return performance.getEntriesByName('xenoxide:event-drawn').length > 0";
        browser.script_until("something to happen by itself", drawn).await;
        browser
    });
}

#[test]
fn files_open_as_a_pool_that_cannot_be_changed() {
    let sample = Server::sim(&["--hosts", "2", "--vms", "5", "--seed", "3"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("the path is UTF-8");
    run(&["record", sample.get("http"), "--out", path]);
    let serve = Server::serve("http://127.0.0.1:9", &[]);
    in_browser(1440, &["ERR_"], async |browser| {
        browser.go(serve.get("url")).await;
        browser.element("[data-testid=open-file]").await;
        // What cannot be opened says why.
        let wrong = folder.path().join("notes.html");
        std::fs::write(&wrong, "<html/>").expect("a file");
        pick(&browser, &[wrong.as_path()]).await;
        browser.text_where("[data-testid=open-error]", "why", |text| text.contains("notes.html")).await;

        let mut files: Vec<_> =
            std::fs::read_dir(folder.path()).expect("the folder").flatten().map(|it| it.path()).collect();
        files.retain(|file| file.extension().is_some_and(|it| it == "xml"));
        pick(&browser, &files.iter().map(|it| it.as_path()).collect::<Vec<_>>()).await;
        browser.element("[data-testid=tree-item]").await;
        browser
            .script_until(
                "the badge",
                "return document.querySelector('[data-testid=freshness]')?.dataset.state === 'offline'",
            )
            .await;
        browser.click("[data-testid=view-vms]").await;
        browser.element("[data-testid=vm-row]").await;
        let address = browser.script("return location.hash").await;
        assert!(address.as_str().is_some_and(|it| it.starts_with("#/pools/")), "{address}");
        browser
    });
}

/// Chooses files as a person does.
async fn pick(browser: &Browser, files: &[&Path]) {
    let names: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    browser.element("[data-testid=open-file]").await.send_keys(&names.join("\n")).await.expect("the field takes files");
}

#[test]
fn whoever_wants_no_motion_gets_none_and_forced_colours_keep_everything() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        browser.prefer(&[("prefers-reduced-motion", "reduce"), ("forced-colors", "active")]).await;
        sample.log_in(&browser).await;
        browser.click("[data-testid=view-topology]").await;
        browser.element("[data-testid=topology] [data-testid=node]").await;
        let moving = browser
            .script(
                "return [...document.querySelectorAll('*')].filter(it => {
                    const style = getComputedStyle(it);
                    const lasts = time => time.split(',').some(part => parseFloat(part) > 0.01);
                    return lasts(style.transitionDuration) || style.animationName !== 'none' && lasts(style.animationDuration);
                 }).map(it => it.tagName + '.' + it.getAttribute('class')).slice(0, 9)",
            )
            .await;
        assert_eq!(moving, json!([]), "these move");
        let invisible = browser
            .script(
                "return [...document.querySelectorAll('.glyph path, .icon path')].filter(it => {
                    const style = getComputedStyle(it);
                    return style.fill === 'none' && style.stroke === 'none' || style.visibility !== 'visible' && it.closest('.sidebar') === null;
                 }).length",
            )
            .await;
        assert_eq!(invisible, Value::from(0));
        browser
    });
}
