//! The Xenoxide console, in the browser.
//!
//! What is shown and how it changes is decided in `xenapi-console` and `xenapi-topology`; this crate draws it and carries
//! what people do back. `driver`, `fetch` and `local` are the only places that talk to pools; `dom` the only other one that touches the browser.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program that always has std: two crate roots for one import say nothing here"
)]

mod analysis;
mod app;
mod components;
mod dom;
mod driver;
mod fetch;
mod local;
mod pages;
mod panels;
mod parts;
mod store;
#[cfg(test)]
mod tests;
mod touched;

use xenapi_console::route::Route;

fn main() {
    dom::crash::install();
    xenapi_console::format::set_zone(Some(dom::language::zone));
    parts::load_for(&Route::parse(&dom::hash()).view);
    wasm_bindgen_futures::spawn_local(async {
        // Before the first picture, so that nothing is said twice. A language that cannot be had is no reason to show nothing.
        dom::language::speak(dom::language::best(&dom::storage::language())).await;
        let Some(root) = dom::element("app") else { return };
        root.set_inner_html("");
        yew::Renderer::<app::App>::with_root(root).render();
    });
}
