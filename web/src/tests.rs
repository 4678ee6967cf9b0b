//! Pages and pictures as HTML, rendered without a browser. Effects do not run there.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::rc::Rc;

use xenapi_client::Cache;
use xenapi_console::explain;
use xenapi_console::graph::{Wanted, draw};
use xenapi_console::state::LensState;
use xenapi_core::{Failure, Ref, Uuid};
use xenapi_model::{Host, Pool, VM, host, pool, vm, vm::VmPowerState};
use xenapi_topology::{Filter, Lens, trace};
use yew::LocalServerRenderer;
use yew::prelude::*;

use crate::components::empty;
use crate::driver::PoolInfo;
use crate::pages::{LoginPage, Message, Picture, PictureProps};
use crate::store::{Same, Store, StoreHandle};

fn render(make: impl FnOnce() -> Html + 'static) -> String {
    #[derive(Properties)]
    struct Props {
        make: std::cell::Cell<Option<Box<dyn FnOnce() -> Html>>>,
    }
    impl PartialEq for Props {
        fn eq(&self, _: &Self) -> bool {
            false
        }
    }
    #[component]
    fn Frame(props: &Props) -> Html {
        let store = use_reducer(Store::default);
        let html = props.make.take().map(|make| make()).unwrap_or_default();
        html! { <ContextProvider<StoreHandle> context={store}>{ html }</ContextProvider<StoreHandle>> }
    }
    let props = Props { make: std::cell::Cell::new(Some(Box::new(make))) };
    pollster::block_on(LocalServerRenderer::<Frame>::with_props(props).hydratable(false).render())
}

fn pool_info(name: &str) -> PoolInfo {
    PoolInfo { name: name.into(), label: format!("Pool {name}"), place: None, read_only: false }
}

fn login(pools: &[&str], message: Option<Message>, busy: bool) -> String {
    let pools: Vec<PoolInfo> = pools.iter().map(|name| pool_info(name)).collect();
    render(move || {
        let pool = pools[0].clone();
        html! { <LoginPage {pool} {pools} {busy} {message} on_log_in={Callback::noop()} /> }
    })
}

#[test]
fn the_login_says_where_to_and_has_labels() {
    let html = login(&["west"], None, false);
    assert!(html.contains("Log in to Pool west"), "{html}");
    assert_eq!(html.matches("<label>").count(), 2, "{html}");
    assert!(html.contains("autocomplete=\"current-password\"") && !html.contains("role=\"alert\""), "{html}");
}

#[test]
fn several_pools_are_a_choice() {
    let html = login(&["west", "east"], None, false);
    assert!(html.contains("Pool east") && html.contains("<select"), "{html}");
}

#[test]
fn a_refusal_is_told_at_the_form() {
    let explanation = explain::failure(&Failure::new("SESSION_AUTHENTICATION_FAILED", ["<b>root</b>"]));
    let html = login(&["west"], Some(Message { explanation, mild: false }), false);
    assert!(html.contains("role=\"alert\"") && html.contains("SESSION_AUTHENTICATION_FAILED"), "{html}");
    assert!(html.contains("aria-describedby=\"login-message\""), "{html}");
}

#[test]
fn while_the_answer_is_awaited_the_button_waits() {
    assert!(login(&["west"], None, true).contains("disabled"));
    assert!(!login(&["west"], None, false).contains("disabled"));
}

#[test]
fn an_empty_state_says_what_to_do() {
    let html = render(|| empty("none", "Nothing <here>", "Make some.", Some(("Try again".into(), Callback::noop()))));
    assert!(html.contains("Nothing &lt;here&gt;") && html.contains("Make some.") && html.contains("<button"), "{html}");
}

fn cache() -> Cache {
    let mut cache = Cache::new();
    cache.track_console();
    cache.insert(
        Ref::<Pool>::new("p"),
        pool::Record { name_label: "West".into(), master: Ref::new("h"), ..Default::default() },
    );
    let host = host::Record { name_label: "host".into(), enabled: true, ..Default::default() };
    cache.insert(Ref::<Host>::new("h"), host::Record { uuid: Uuid::new("uuid-h"), ..host });
    for at in 0..3 {
        let name = format!("vm <{at}>");
        let record = vm::Record { uuid: Uuid::new(format!("uuid-{at}")), name_label: name, ..Default::default() };
        let record = vm::Record { power_state: VmPowerState::Running, resident_on: Some(Ref::new("h")), ..record };
        cache.insert(Ref::<VM>::new(format!("v{at}")), record);
    }
    cache
}

fn wanted() -> Wanted {
    let (shown, filter) = (LensState::default(), Filter::default());
    Wanted { lens: Lens::Compute, shown, filter, language: "en".into() }
}

#[test]
fn the_picture_names_every_object_and_its_state() {
    let drawing = Same(Rc::new(draw(&cache(), &wanted(), None)));
    let selected = drawing.graph.find_object("VM", Ref::<VM>::new("v1").raw());
    let path = selected.map(|at| Same(Rc::new(trace(&drawing.graph, at))));
    let html = render(move || {
        let props = yew::props!(PictureProps {
            drawing,
            selected,
            cursor: None,
            path,
            on_pick: Callback::noop(),
            on_hover: Callback::noop(),
        });
        html! { <svg><Picture ..props /></svg> }
    });
    for at in 0..3 {
        assert!(html.contains(&format!("data-uuid=\"uuid-{at}\"")), "{html}");
    }
    assert!(html.contains("vm &lt;1&gt;") && !html.contains("vm <1>"), "{html}");
    assert_eq!(html.matches(" selected").count(), 1, "{html}");
    // The pool, the host and the VM, with the two lines between them.
    assert_eq!(html.matches("on-path").count(), 5, "{html}");
    // The page's policy allows no styles within the page.
    assert!(!html.contains(" style="), "{html}");
}
