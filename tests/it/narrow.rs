//! Narrow pages: nothing is wider than the screen.

use serde_json::Value;

use crate::browser::in_browser;
use crate::pages::{Sample, pages};

/// The widths of a phone, and of the narrowest screen that WCAG asks for.
const WIDTHS: [u32; 2] = [390, 320];

/// By how much the page is wider than the screen, and the elements that stand out of it.
const WIDER: &str = "
    const wide = innerWidth + 0.5;
    const within = element => {
        for (let it = element.parentElement; it; it = it.parentElement) {
            if (getComputedStyle(it).overflowX !== 'visible' && it.getBoundingClientRect().right <= wide) return true;
        }
        return false;
    };
    const out = [...document.querySelectorAll('body *')]
        .filter(it => it.getBoundingClientRect().width > 0 && it.getBoundingClientRect().right > wide && !within(it))
        .map(it => it.tagName.toLowerCase() + '.' + it.getAttribute('class'));
    const over = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth;
    return over > 0 || out.length ? [over, out.slice(0, 8)] : null";

#[test]
fn no_page_is_wider_than_the_screen() {
    let sample = Sample::start();
    in_browser(WIDTHS[0], &[], async |browser| {
        browser.resize(WIDTHS[0], 844).await;
        browser.go(sample.url()).await;
        browser.element("[data-testid=login-form]").await;
        assert_eq!(browser.script(WIDER).await, Value::Null, "the login");
        sample.log_in(&browser).await;
        for width in WIDTHS {
            browser.resize(width, 844).await;
            for page in pages() {
                sample.show(&browser, page).await;
                assert_eq!(browser.script(WIDER).await, Value::Null, "{} at {width} pixels", page.name);
            }
        }
        browser
    });
}
