//! Pictures of the pages, compared to those that somebody has looked at and approved.

mod image;

use std::fs;
use std::path::PathBuf;

use crate::browser::{Browser, in_browser};
use crate::harness::top;
use crate::pages::{Sample, pages};
use image::Image;

/// Set by `cargo xtask test --approve`: what is seen is right.
const APPROVE: &str = "XENOXIDE_APPROVE";

/// So much of a picture may differ: letters are not drawn alike everywhere.
const TOLERATED: f64 = 0.004;

/// Makes what changes by itself stand still: motion, carets, ages and dates; and the letters those of one font.
const STILL: &str = r#"
    if (!document.getElementById('still')) {
        const style = document.createElement('style');
        style.id = 'still';
        style.textContent = `:root { --font: "DejaVu Sans"; --mono: "DejaVu Sans Mono"; }
            *, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important; }`;
        document.head.append(style);
    }
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode());) {
        const still = node.nodeValue
            .replace(/\d{4}-\d\d-\d\d( \d\d:\d\d)?( UTC)?/g, '2026-07-01 12:00')
            .replace(/\b\d+ (s|min|h|d)\b/g, '1 min');
        if (still !== node.nodeValue) node.nodeValue = still;
    }
    return document.fonts.status === 'loaded'"#;

/// A picture of the page when nothing in it moves any more.
async fn settled(browser: &Browser) -> Image {
    let mut before = Image::default();
    for _ in 0..40 {
        browser.script_until("the fonts", STILL).await;
        let now = Image::decode(&browser.picture().await).expect("the browser's pictures are PNG");
        if now == before {
            return now;
        }
        before = now;
    }
    // What never stands still differs from what was approved, and that says where.
    before
}

fn compare(width: u32, theme: &str) {
    let approve = std::env::var_os(APPROVE).is_some_and(|value| value != "0");
    let (approved, seen) = (top().join("tests/screenshots"), PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots"));
    fs::create_dir_all(&approved).and_then(|()| fs::create_dir_all(&seen)).expect("folders for pictures");
    let mut wrong = Vec::new();
    let mut judge = |name: &str, picture: &Image| {
        let file = format!("{name}-{width}-{theme}.png");
        let old = fs::read(approved.join(&file)).ok().and_then(|bytes| Image::decode(&bytes));
        let difference = old.as_ref().map_or(1.0, |old| old.difference(picture));
        if difference <= TOLERATED {
            return;
        }
        if approve {
            fs::write(approved.join(&file), picture.encode_small()).expect("the picture is written");
            return;
        }
        fs::write(seen.join(format!("actual-{file}")), picture.encode_small()).expect("the picture is written");
        if let Some(old) = &old {
            fs::write(seen.join(format!("diff-{file}")), old.marked(picture).encode_small())
                .expect("the picture is written");
        }
        let what = if old.is_some() { format!("{:.2} % differ", difference * 100.0) } else { "was never approved".into() };
        wrong.push(format!("{file}: {what}"));
    };
    let sample = Sample::start();
    in_browser(width, &[], async |browser| {
        browser.resize(width, 900).await;
        browser.cdp("Emulation.setTimezoneOverride", serde_json::json!({ "timezoneId": "UTC" })).await;
        browser.prefer(&[("prefers-color-scheme", theme), ("prefers-reduced-motion", "reduce")]).await;
        browser.go(sample.url()).await;
        browser.element("[data-testid=login-form]").await;
        judge("login", &settled(&browser).await);
        sample.log_in(&browser).await;
        // Where the button of the login was, the pointer would light up whatever a page has there.
        let away = serde_json::json!({ "type": "mouseMoved", "x": 0, "y": 0 });
        browser.cdp("Input.dispatchMouseEvent", away).await;
        for page in pages() {
            sample.show(&browser, page).await;
            judge(page.name, &settled(&browser).await);
        }
        browser
    });
    assert!(
        wrong.is_empty(),
        "{} pages do not look as approved; what they look like now, and where they differ, is in {}:\n{}\n\
         `cargo xtask test --approve` approves what they look like now",
        wrong.len(),
        seen.display(),
        wrong.join("\n")
    );
}

#[test]
fn wide_light_pages_look_as_approved() {
    compare(1440, "light");
}

#[test]
fn wide_dark_pages_look_as_approved() {
    compare(1440, "dark");
}

#[test]
fn narrow_light_pages_look_as_approved() {
    compare(390, "light");
}

#[test]
fn narrow_dark_pages_look_as_approved() {
    compare(390, "dark");
}
