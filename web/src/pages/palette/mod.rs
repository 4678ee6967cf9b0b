//! The command palette: finds anything, and does something with it.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use web_sys::{HtmlElement, HtmlInputElement};
use xenapi_console::palette::{self, Act, Choice, Index, Recent, What};
use xenapi_console::route::{Query, Route, View};
use xenapi_console::state::Action;
use xenapi_console::text::{Plural, Text};
use yew::prelude::*;

use crate::components::{Mark, glyph, icon, mark};
use crate::dom;
use crate::dom::calm::use_calm;
use crate::store::{Data, StoreHandle, use_data, use_store};

/// For so long the index is worked at, in milliseconds, and the pause in between, in which the page draws.
const WORK: f64 = 8.0;
const PAUSE: u32 = 4;
/// About how many objects are looked at before the clock is.
const BUDGET: usize = 256;
/// What is shown follows what happens not more often than this, in milliseconds.
const GAP: f64 = 500.0;

/// Shows the palette while it is open, and gives the focus back afterwards.
#[component]
pub(crate) fn Palette() -> Html {
    let store = use_store();
    // It outlives the dialog, so that opening it again costs only what has changed.
    let index = use_mut_ref(Index::new);
    let before = use_mut_ref(|| None::<HtmlElement>);
    use_effect_with(store.0.palette, move |open| {
        if *open {
            *before.borrow_mut() = dom::focused();
            dom::focus("palette-input");
        } else if let Some(element) = before.borrow_mut().take() {
            // What had the focus may be gone with the page.
            let _ = element.focus();
        }
    });
    if !store.0.palette {
        return html! {};
    }
    html! { <Dialog {index} /> }
}

#[derive(Properties)]
struct DialogProps {
    index: Rc<RefCell<Index>>,
}

impl PartialEq for DialogProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.index, &other.index)
    }
}

#[component]
fn Dialog(props: &DialogProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let typed = use_state_eq(String::new);
    let at = use_state(|| 0_usize);
    let stands = use_mut_ref(Stand::default);
    let generation = use_index(&props.index, &data);
    let ready = generation.is_some();
    let pool = store.0.pool.clone().unwrap_or_default();
    let recent = use_memo(pool.clone(), |pool| Recent::parse(&dom::storage::recent(pool)));
    let choices = {
        let (index, selected, recent) = (props.index.clone(), store.0.selected.clone(), recent.clone());
        let data = data.clone();
        use_memo(((*typed).clone(), generation), move |(typed, _)| {
            data.with(|cache| {
                if typed.trim().is_empty() {
                    palette::idle(cache, &recent, selected.as_ref())
                } else {
                    palette::search(cache, &index.borrow(), typed, selected.as_ref())
                }
            })
        })
    };
    let active = stands.borrow_mut().on(&typed, *at, &choices);
    let close = {
        let store = store.clone();
        Callback::from(move |()| store.dispatch(Action::Palette(false)))
    };
    let choose = {
        let (store, data, choices, recent) = (store.clone(), data.clone(), choices.clone(), recent.clone());
        Callback::from(move |(at, elsewhere): (usize, bool)| {
            if let Some(choice) = choices.get(at) {
                let recent = (*recent).clone().with(&choice.what);
                dom::storage::set_recent(&store.0.pool.clone().unwrap_or_default(), &recent.write());
                store.dispatch(Action::Palette(false));
                perform(&store, &data, &choice.what, elsewhere);
            }
        })
    };
    let onkeydown = {
        let (at, choices, choose, close, stands) = (at.setter(), choices.clone(), choose.clone(), close.clone(), stands);
        Callback::from(move |event: KeyboardEvent| {
            let last = choices.len().saturating_sub(1);
            let go = |to: usize| {
                *stands.borrow_mut() = Stand::default();
                at.set(to);
                dom::reveal(&option_id(to));
            };
            match event.key().as_str() {
                "ArrowDown" => go(if active >= last { 0 } else { active + 1 }),
                "ArrowUp" => go(if active == 0 { last } else { active - 1 }),
                "PageDown" => go((active + 8).min(last)),
                "PageUp" => go(active.saturating_sub(8)),
                "Enter" => choose.emit((active, event.ctrl_key() || event.meta_key())),
                "Escape" => close.emit(()),
                // There is nothing else in the dialog to go to.
                "Tab" => {}
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let oninput = {
        let (typed, at) = (typed.setter(), at.setter());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(input.value());
                at.set(0);
            }
        })
    };
    let dismiss = {
        let close = close.clone();
        move |_: MouseEvent| close.emit(())
    };
    let told = if typed.trim().is_empty() { String::new() } else { Plural::PaletteFound.of(choices.len()) };
    html! {
        <div class="palette-layer" data-testid="palette">
            <div class="palette-veil" onclick={dismiss} aria-hidden="true"></div>
            <div class="palette" role="dialog" aria-modal="true" aria-label={Text::PaletteTitle.get()}>
                <div class="palette-head">
                    { mark(Mark::Search) }
                    <input id="palette-input" type="text" role="combobox" placeholder={Text::PaletteHint.get()}
                        aria-label={Text::PaletteTitle.get()} aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list"
                        aria-activedescendant={(!choices.is_empty()).then(|| option_id(active))} autocomplete="off" spellcheck="false"
                        value={(*typed).clone()} {oninput} {onkeydown} data-testid="palette-input" />
                </div>
                <div id="palette-list" class="palette-list" role="listbox" aria-label={Text::PaletteResults.get()}>
                    { for groups(&choices, active, &choose, &store) }
                </div>
                if choices.is_empty() {
                    <div class="palette-none" data-testid="palette-none">
                        <strong>{ Text::PaletteNothing.with(&[typed.trim()]) }</strong>
                        <p class="quiet">{ Text::PaletteNothingHint.get() }</p>
                    </div>
                }
                <div class="palette-foot">
                    <span>{ Text::PaletteKeys.get() }</span>
                    <span role="status">{ if ready { told } else { Text::PaletteSearching.get().into() } }</span>
                </div>
            </div>
        </div>
    }
}

fn option_id(at: usize) -> String {
    format!("palette-{at}")
}

/// What the keyboard stands on. It stays on the same choice when others come before it or go: only what is typed and keys move it.
#[derive(Default)]
struct Stand {
    typed: String,
    what: Option<What>,
}

impl Stand {
    /// Where the keyboard is among choices, `at` being where it went last.
    fn on(&mut self, typed: &str, at: usize, choices: &[Choice]) -> usize {
        let same = self.what.as_ref().filter(|_| self.typed == typed);
        let same = same.and_then(|what| choices.iter().position(|choice| choice.what == *what));
        let active = same.unwrap_or(at).min(choices.len().saturating_sub(1));
        *self = Stand { typed: typed.to_owned(), what: choices.get(active).map(|choice| choice.what.clone()) };
        active
    }
}

/// Keeps the index up to date, a little at a time. Answers which generation of it is whole, if any is yet.
#[hook]
fn use_index(index: &Rc<RefCell<Index>>, data: &Data) -> Option<u64> {
    fn go_on(index: Rc<RefCell<Index>>, data: Data, timer: Rc<RefCell<Option<Timeout>>>, done: UseStateSetter<Option<u64>>) {
        let begun = dom::precise_now();
        let mut more = true;
        while more && dom::precise_now() - begun < WORK {
            more = data.with(|cache| index.borrow_mut().update(cache, BUDGET));
        }
        if !more {
            return done.set(Some(index.borrow().generation()));
        }
        let again = timer.clone();
        *timer.borrow_mut() = Some(Timeout::new(PAUSE, move || go_on(index, data, again, done)));
    }
    let whole = use_state_eq(|| None);
    let timer: Rc<RefCell<Option<Timeout>>> = use_mut_ref(|| None);
    let stamp = use_calm(data.stamp(palette::OF_INDEX), GAP);
    {
        let (index, data, whole, timer) = (index.clone(), data.clone(), whole.setter(), timer.clone());
        use_effect_with(stamp, move |_| {
            if cfg!(target_arch = "wasm32") {
                go_on(index, data, timer, whole);
            }
        });
    }
    use_effect_with((), move |()| move || drop(timer.borrow_mut().take()));
    *whole
}

/// The choices under their headings.
fn groups(choices: &[Choice], active: usize, choose: &Callback<(usize, bool)>, store: &StoreHandle) -> Vec<Html> {
    let mut parts: Vec<Html> = Vec::new();
    let mut from = 0;
    while let Some(first) = choices.get(from) {
        let length = choices[from..].iter().take_while(|choice| choice.group == first.group).count();
        let heading = format!("palette-group-{from}");
        let options = (from..from + length).map(|at| option(&choices[at], at, at == active, choose, store));
        parts.push(html! {
            <div role="group" aria-labelledby={heading.clone()}>
                <div id={heading} class="palette-group" role="presentation">{ first.group.get() }</div>
                { for options }
            </div>
        });
        from += length;
    }
    parts
}

fn option(choice: &Choice, at: usize, active: bool, choose: &Callback<(usize, bool)>, store: &StoreHandle) -> Html {
    let onclick = {
        let choose = choose.clone();
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            choose.emit((at, event.ctrl_key() || event.meta_key()));
        })
    };
    let uuid = match &choice.what {
        What::Object(_, named) => Some(named.uuid.clone()),
        What::Act(_) => None,
    };
    html! {
        <div id={option_id(at)} role="option" class={classes!("palette-option", active.then_some("active"))}
            aria-selected={active.to_string()} {onclick} data-testid="palette-option" data-uuid={uuid}
            data-href={address(store, &choice.what)}>
            { icon(choice.icon) }
            <span class="title">{ &choice.title }</span>
            if let Some(state) = choice.state {
                { glyph(state) }<span class="sr-only">{ xenapi_console::text::state(state).get() }</span>
            }
            <span class="quiet palette-note">{ &choice.note }</span>
        </div>
    }
}

/// Where a choice leads; none if it does something else.
fn route(store: &StoreHandle, what: &What) -> Option<Route> {
    let pool = store.0.pool.clone();
    match what {
        What::Object(_, named) => Some(Route::to(pool, View::Object(named.clone()))),
        What::Act(Act::Show(view)) => Some(Route::to(pool, view.clone())),
        What::Act(Act::Impact(fail)) => {
            let query = Query::from([("fail".into(), fail.clone())]);
            Some(Route { query, ..Route::to(pool, View::Impact) })
        }
        What::Act(_) => None,
    }
}

fn address(store: &StoreHandle, what: &What) -> Option<String> {
    route(store, what).map(|route| route.path())
}

fn perform(store: &StoreHandle, data: &Data, what: &What, elsewhere: bool) {
    match (route(store, what), what) {
        (Some(route), _) if elsewhere => dom::open(&route.path()),
        (Some(route), _) => store.dispatch(Action::Navigate(route)),
        (None, What::Act(Act::CopyUuid(uuid))) => drop(dom::transfer::copy(uuid)),
        (None, What::Act(Act::Theme(theme))) => store.dispatch(Action::SetTheme(*theme)),
        (None, What::Act(Act::Speak(code))) => {
            let dispatcher = store.dispatcher();
            crate::panels::speak(code, move |best| dispatcher.dispatch(Action::Speak(best.into())));
        }
        (None, What::Act(Act::LogOut)) => data.driver.log_out(),
        (None, _) => {}
    }
}
