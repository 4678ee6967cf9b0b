//! The topology in a real browser: walked through by keys, filtered in the address, moved, painted where it is large, saved.

use serde_json::Value;

use crate::browser::{Browser, in_browser};
use crate::harness::Server;
use crate::pages::Sample;

/// WebDriver's characters for keys.
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';
const LEFT: char = '\u{e012}';
const ENTER: char = '\u{e007}';

async fn go(browser: &Browser, address: &str) {
    let address = serde_json::to_string(&format!("#/pools/test/{address}")).expect("text is JSON");
    browser.script(&format!("location.hash = {address}")).await;
}

/// What the focus is on, as the attribute says.
async fn focused(browser: &Browser, attribute: &str) -> String {
    let script = format!("return document.activeElement.getAttribute('{attribute}') || ''");
    browser.script(&script).await.as_str().expect("text").to_owned()
}

#[test]
fn arrows_walk_along_connections_and_enter_opens() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        go(&browser, "topology/compute").await;
        browser.element("[data-testid=topology][data-lens=compute] [data-testid=node]").await;
        browser.script("document.querySelector('[data-testid=node][tabindex=\"0\"]').focus()").await;
        assert_eq!(focused(&browser, "data-kind").await, "pool");
        browser.press(&RIGHT.to_string()).await;
        browser.script_until("a host to have the keyboard", "return document.activeElement.dataset.kind === 'host'").await;
        let host = focused(&browser, "data-uuid").await;
        browser.press(&RIGHT.to_string()).await;
        browser.script_until("a VM to have the keyboard", "return document.activeElement.dataset.kind === 'VM'").await;
        assert!(!focused(&browser, "aria-label").await.is_empty(), "a reader says what it is");
        browser.press(&format!("{DOWN}{LEFT}")).await;
        let back = format!("return document.activeElement.dataset.uuid === '{host}'");
        browser.script_until("the host to have the keyboard again", &back).await;
        // Enter selects it, and its whole path is lit up.
        browser.press(&ENTER.to_string()).await;
        browser.element(&format!("[data-testid=node][data-uuid='{host}'].selected")).await;
        browser.element("[data-testid=selection]").await;
        let lit =
            "return document.querySelectorAll('.edge.on-path').length > 1 && !!document.querySelector('.drawing.focused')";
        browser.script_until("the path to be lit up", lit).await;
        // The same key that asks what depends on it.
        browser.press("i").await;
        browser.element("[data-testid=impact-part]").await;
        let address = browser.script("return location.hash").await;
        assert!(address.to_string().contains(&format!("fail=host%2F{host}")), "{address}");
        browser
    });
}

#[test]
fn filters_stand_in_the_address_and_are_kept() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        go(&browser, "topology/compute?state=halted").await;
        let only = "const nodes = [...document.querySelectorAll('[data-testid=node][data-kind=VM]')];
            return nodes.length > 0 && nodes.every(node => node.dataset.state === 'halted')";
        browser.script_until("only halted VMs", only).await;
        let value = browser.script("return document.querySelector('[data-testid=filter-state]').value").await;
        assert_eq!(value, "halted");
        // Another lens keeps them; a reload does, too.
        browser.click("[data-testid=lens-storage]").await;
        browser.element("[data-testid=topology][data-lens=storage]").await;
        browser.script_until("the filter to be kept", "return location.hash.includes('state=halted')").await;
        browser.script("location.reload()").await;
        browser.element("[data-testid=topology][data-lens=storage] [data-testid=node]").await;
        browser.script_until("only halted VMs", only).await;
        browser.click("[data-testid=clear-filters]").await;
        browser.script_until("the filter to be gone", "return !location.hash.includes('state=')").await;
        browser.element("[data-testid=node][data-kind=VM][data-state=running]").await;
        // What leaves nothing says so.
        go(&browser, "topology/compute?host=nowhere").await;
        browser.element("[data-testid=nothing-left]").await;
        browser
    });
}

#[test]
fn what_is_drawn_can_be_saved() {
    let sample = Sample::start();
    in_browser(1440, &[], async |browser| {
        sample.log_in(&browser).await;
        go(&browser, "topology/network").await;
        browser.element("[data-testid=topology][data-lens=network] [data-testid=node]").await;
        // Notes what is offered as a file, instead of saving it.
        browser
            .script(
                "window.saved = {}; const make = URL.createObjectURL;
                 URL.createObjectURL = blob => { window.blob = blob; return make.call(URL, blob) };
                 HTMLAnchorElement.prototype.click = function () {
                     if (this.href.startsWith('data:')) window.saved[this.download] = this.href;
                     else { const name = this.download; window.blob.text().then(text => window.saved[name] = text) }
                 }",
            )
            .await;
        let formats = [
            ("svg", "svg", "<svg"),
            ("dot", "dot", "digraph"),
            ("mermaid", "mmd", "flowchart LR"),
            ("json", "json", "{\"lens\":\"network\""),
            ("png", "png", "data:image/png;base64,"),
        ];
        for (format, ending, start) in formats {
            browser.click("[data-testid=export]").await;
            browser.click(&format!("[data-testid=export-{format}]")).await;
            let script = format!(
                "const name = Object.keys(window.saved).find(name => name.endsWith('-network.{ending}'));
                 return name && window.saved[name].slice(0, 200)"
            );
            let text = browser.script_until(&format!("the {format} file"), &script).await;
            assert!(text.as_str().expect("text").starts_with(start), "{format}: {text}");
        }
        browser
    });
}

#[test]
fn groups_unfold_and_fold_back_and_the_view_moves() {
    let sim = Server::sim(&["--hosts", "4", "--vms", "120", "--seed", "7"]);
    let serve = Server::serve(sim.get("http"), &[]);
    in_browser(1440, &[], async |browser| {
        browser.go(serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=tree-item]").await;
        go(&browser, "topology/compute").await;
        browser.element("[data-testid=node][data-folded]").await;
        let count = "return document.querySelectorAll('[data-testid=node]').length";
        let folded = browser.script(count).await.as_u64().expect("a number");
        browser.script("document.querySelector('[data-testid=node][data-folded]').focus()").await;
        browser.click("[data-testid=node][data-folded]").await;
        let more = format!("return document.querySelectorAll('[data-testid=node]').length > {folded}");
        browser.script_until("the group to unfold", &more).await;
        browser.click("[data-testid=fold-all]").await;
        let same = format!("return document.querySelectorAll('[data-testid=node]').length === {folded}");
        browser.script_until("everything to be folded", &same).await;

        let before = browser.text("[data-testid=zoom]").await;
        browser.click("[data-testid=zoom-in]").await;
        browser.text_where("[data-testid=zoom]", "another magnification", |text| text != before).await;
        browser.click("[data-testid=fit]").await;

        // The table says the same.
        browser.click("[data-testid=as-table]").await;
        browser.element("[data-testid=topology-row]").await;
        let rows = browser
            .script("return +document.querySelector('[data-testid=topology-table]').getAttribute('aria-rowcount')")
            .await;
        assert_eq!(rows.as_u64(), Some(folded + 1));
        browser
    });
}

#[test]
fn a_large_drawing_is_painted_and_can_be_walked_through() {
    let sim = Server::sim(&["--hosts", "8", "--vms", "900", "--seed", "7"]);
    let serve = Server::serve(sim.get("http"), &[]);
    in_browser(1440, &[], async |browser| {
        browser.go(serve.get("url")).await;
        browser.fill("[data-testid=login-user]", "root").await;
        browser.fill("[data-testid=login-password]", "xenoxide").await;
        browser.click("[data-testid=login-submit]").await;
        browser.element("[data-testid=tree-item]").await;
        go(&browser, "topology/compute").await;
        browser.click("[data-testid=draw-all]").await;
        browser.element("[data-testid=topology][data-painted=true]").await;
        let drawn = browser.script("return +document.querySelector('[data-testid=topology]').dataset.drawn").await;
        assert!(drawn.as_u64().is_some_and(|drawn| drawn > 900), "{drawn}");
        // The sheet that is seen, and whether there is paint on it.
        let painted = "const canvas = [...document.querySelectorAll('canvas.painting:not(.in-focus)')].find(it => it.style.display !== 'none');
            const data = canvas && canvas.width && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return !!data && data.some(value => value > 0)";
        browser.script_until("something to be painted", painted).await;
        browser.element("[data-testid=minimap]").await;
        // Far below, the sheet is another one, and covers what is seen of the drawing.
        let before = browser.text("[data-testid=zoom]").await;
        browser
            .script(
                "const stage = document.querySelector('[data-testid=topology]'); const box = stage.getBoundingClientRect();
                 const wheel = init => stage.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true,
                     clientX: box.left + 200, clientY: box.top + 200, ...init }));
                 wheel({ deltaY: 300 });
                 const pointer = (type, y, buttons) => stage.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true,
                     pointerId: 1, isPrimary: true, button: 0, buttons, clientX: box.left + 200, clientY: box.top + 200 + y }));
                 pointer('pointerdown', 0, 1); pointer('pointermove', -2000, 1); pointer('pointerup', -2000, 0)",
            )
            .await;
        browser.text_where("[data-testid=zoom]", "another magnification", |text| text != before).await;
        let covers = format!(
            "const stage = document.querySelector('[data-testid=topology]').getBoundingClientRect();
             const canvas = [...document.querySelectorAll('canvas.painting:not(.in-focus)')].find(it => it.style.display !== 'none');
             const box = canvas.getBoundingClientRect();
             const sharp = /scale\\(1\\)/.test(canvas.style.transform) && !document.querySelector('.topology-stage.moving');
             const covers = sharp && box.top <= stage.top + 1 && box.bottom >= stage.bottom - 1;
             return covers && (() => {{ {painted} }})()"
        );
        browser.script_until("a sharp sheet around what is seen", &covers).await;
        // Who is pointed at lies bright over the rest, which dims.
        let point = "window.across = (window.across ?? 0) + 9;
            const stage = document.querySelector('[data-testid=topology]'); const box = stage.getBoundingClientRect();
            stage.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, pointerId: 1,
                clientX: box.left + window.across % box.width, clientY: box.top + box.height / 2 + window.across / 9 % 5 * 8 }));
            const focus = document.querySelector('.sheets.focused .in-focus');
            return !!focus && focus.width > 0 && focus.style.display !== 'none'";
        browser.script_until("a node to be pointed at", point).await;
        browser.script("document.querySelector('[data-testid=topology]').focus()").await;
        browser.press(&format!("{RIGHT}{RIGHT}")).await;
        let heard = browser.text_where("[data-testid=drawing-heard]", "where one is", |text| !text.is_empty()).await;
        assert!(heard.contains("·"), "{heard}");
        let nodes = browser.script("return document.querySelectorAll('[data-testid=node]').length").await;
        assert_eq!(nodes, Value::from(0), "a painting has no elements");
        browser
    });
}
