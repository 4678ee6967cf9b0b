//! The box for queries, with what could come next, and what is wrong.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use web_sys::HtmlInputElement;
use xenapi_console::query::{Completion, Query, complete};
use xenapi_console::state::Action;
use xenapi_console::tables::{Spec, Table};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::menu::Menu;
use super::testid;
use crate::dom;
use crate::store::{Same, use_store};

#[derive(Properties, PartialEq)]
pub(super) struct BoxProps {
    pub(super) spec: &'static Spec,
    pub(super) text: String,
    pub(super) query: Same<Query>,
    pub(super) table: Same<RefCell<Table>>,
}

/// What is offered, and which of it the keyboard is on.
#[derive(Clone, PartialEq, Default)]
struct Offer {
    completion: Option<Completion>,
    at: Option<usize>,
}

/// The box.
#[component]
pub(super) fn QueryBox(props: &BoxProps) -> Html {
    let store = use_store();
    let node = use_node_ref();
    let offer = use_state_eq(Offer::default);
    let focused = use_state_eq(|| false);
    let caret = use_mut_ref(|| None::<u32>);
    let BoxProps { spec, text, query, table } = props;
    let spec = *spec;
    {
        let (node, caret) = (node.clone(), caret.clone());
        use_effect_with(text.clone(), move |_| {
            if let (Some(at), Some(input)) = (caret.borrow_mut().take(), node.cast::<HtmlInputElement>()) {
                // A caret that stays where it is, is no reason to stop.
                let _ = input.set_selection_range(at, at);
            }
        });
    }
    let look = {
        let (offer, table) = (offer.setter(), table.clone());
        move |text: &str, units: Option<u32>, eager: bool| {
            let at = byte_at(text, units);
            let completion = complete(text, at, spec, table.borrow().all(), eager);
            offer.set(Offer { completion, at: None });
        }
    };
    let oninput = {
        let (store, look) = (store.clone(), look.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let text = input.value();
                look(&text, input.selection_start().ok().flatten(), false);
                store.dispatch(Action::Filter(text));
            }
        })
    };
    let choose = {
        let (store, offer, text, caret, node) = (store.clone(), offer.clone(), text.clone(), caret.clone(), node.clone());
        let look = look.clone();
        Callback::from(move |at: usize| {
            let applied = offer.completion.as_ref().and_then(|completion| completion.apply(&text, at));
            if let Some((text, to)) = applied {
                let units = text.get(..to).map_or(0, |before| before.encode_utf16().count());
                let units = u32::try_from(units).ok();
                *caret.borrow_mut() = units;
                look(&text, units, false);
                store.dispatch(Action::Filter(text));
                if let Some(input) = node.cast::<HtmlInputElement>() {
                    // The box has the focus already, or takes it back from the list.
                    let _ = input.focus();
                }
            }
        })
    };
    let onkeydown = {
        let (offer, look, text, choose, node) = (offer.clone(), look.clone(), text.clone(), choose.clone(), node.clone());
        Callback::from(move |event: KeyboardEvent| {
            let count = offer.completion.as_ref().map_or(0, |it| it.suggestions.len());
            let move_to = |at: Option<usize>| offer.set(Offer { at, ..(*offer).clone() });
            match (event.key().as_str(), offer.at) {
                ("ArrowDown", _) if count == 0 => {
                    let units = node.cast::<HtmlInputElement>().and_then(|it| it.selection_start().ok().flatten());
                    look(&text, units, true);
                }
                ("ArrowDown", at) => move_to(Some(at.map_or(0, |at| (at + 1) % count))),
                ("ArrowUp", at) if count > 0 => move_to(Some(at.map_or(count - 1, |at| (at + count - 1) % count))),
                ("Enter" | "Tab", Some(at)) => choose.emit(at),
                ("Enter", None) => return offer.set(Offer::default()),
                ("Escape", _) if count > 0 => offer.set(Offer::default()),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onfocus = {
        let (focused, table, timer) = (focused.setter(), table.clone(), use_mut_ref(|| None));
        Callback::from(move |_: FocusEvent| {
            focused.set(true);
            prepare(table.clone(), timer.clone());
        })
    };
    let onblur = {
        let (focused, offer) = (focused.setter(), offer.setter());
        Callback::from(move |_: FocusEvent| {
            focused.set(false);
            offer.set(Offer::default());
        })
    };
    // What is still being typed is not wrong yet.
    let problem = query.problems.iter().find(|problem| !*focused || problem.range.end < text.len());
    let list = format!("{}-suggestions", spec.testid);
    let active = offer.at.map(|at| format!("{list}-{at}"));
    html! {
        <div class="query">
            <input ref={node} class={classes!("field", "filter", problem.is_some().then_some("wrong"))} type="search" role="combobox"
                placeholder={Text::FilterHint.with(&[spec.example])} aria-label={Text::Filter.get()} autocomplete="off" spellcheck="false"
                aria-autocomplete="list" aria-expanded={offer.completion.is_some().to_string()} aria-controls={list.clone()}
                aria-activedescendant={active} aria-describedby="query-problem" value={text.clone()} {oninput} {onkeydown}
                {onfocus} {onblur} data-testid={testid(spec, "filter")} />
            { help(spec) }
            <div id={list.clone()} class="suggestions" role="listbox" aria-label={Text::QuerySuggestions.get()}
                hidden={offer.completion.is_none()}>
                { for offer.completion.iter().flat_map(|it| &it.suggestions).enumerate().map(|(at, suggestion)| {
                    let choose = choose.clone();
                    // Before the box loses the focus, and with it the list.
                    let onpointerdown = move |event: PointerEvent| {
                        event.prevent_default();
                        choose.emit(at);
                    };
                    html! {
                        <div id={format!("{list}-{at}")} role="option" aria-selected={(offer.at == Some(at)).to_string()} {onpointerdown}>
                            <span class="mono">{ &suggestion.label }</span><span class="quiet">{ &suggestion.note }</span>
                        </div>
                    }
                }) }
            </div>
            <p id="query-problem" class="query-problem" role="status" data-testid="query-problem">
                { for problem.map(|problem| &problem.text) }
            </p>
        </div>
    }
}

/// For so long rows are made ready at a time, in milliseconds, and about so many before the clock is looked at.
const WORK: f64 = 8.0;
const BUDGET: usize = 256;

/// Makes the rows ready to be asked for words, a little at a time, since somebody is about to type some.
fn prepare(table: Same<RefCell<Table>>, timer: Rc<RefCell<Option<Timeout>>>) {
    let again = timer.clone();
    let next = Timeout::new(0, move || {
        let begun = dom::precise_now();
        let mut more = true;
        while more && dom::precise_now() - begun < WORK {
            more = table.borrow_mut().prepare(BUDGET);
        }
        if more {
            prepare(table, again);
        }
    });
    if let Some(over) = timer.borrow_mut().replace(next) {
        // It may be the one that is running.
        over.forget();
    }
}

/// The byte at which so many UTF-16 units end; the browser counts in those.
fn byte_at(text: &str, units: Option<u32>) -> usize {
    let Some(units) = units else { return text.len() };
    let mut passed = 0;
    for (at, letter) in text.char_indices() {
        if passed >= units {
            return at;
        }
        passed += u32::try_from(letter.len_utf16()).unwrap_or(1);
    }
    text.len()
}

/// The language on one page.
fn help(spec: &'static Spec) -> Html {
    let panel = Callback::from(move |()| {
        let forms = [
            ("web  \"host 1\"", Text::QueryHelpWords),
            ("state:running  name:web", Text::QueryHelpField),
            ("name=db  name!=db", Text::QueryHelpExact),
            ("memory>4GiB  used>=85%  started<2h", Text::QueryHelpCompare),
            ("name~^db*01$", Text::QueryHelpPattern),
            ("state:paused,suspended  host:none", Text::QueryHelpOr),
            ("!agent  !state:running", Text::QueryHelpNot),
        ];
        let forms = forms.into_iter().map(|(form, text)| {
            html! { <><dt class="mono">{ form }</dt><dd>{ text.get() }</dd></> }
        });
        let fields = spec.columns.iter().map(|column| html! { <li><code>{ column.id }</code>{ column.title.get() }</li> });
        html! {
            <div class="query-help" data-testid="query-help">
                <dl>{ for forms }</dl>
                <h3>{ Text::QueryHelpFields.get() }</h3>
                <ul>{ for fields }</ul>
            </div>
        }
    });
    html! { <Menu class="help" label={html! { "?" }} title={Text::QueryHelp.get()} testid={testid(spec, "help")} {panel} /> }
}
