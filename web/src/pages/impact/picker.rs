//! Choosing what fails: a field with a list of what it could be.

use xenapi_console::graph::impact::{self, Part};
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::icon;
use crate::dom;
use crate::store::{use_data, use_store};

/// How many are offered.
const OFFERED: usize = 12;

/// The field and its list.
#[component]
pub(super) fn Picker() -> Html {
    let (store, data) = (use_store(), use_data());
    let text = use_state_eq(String::new);
    let open = use_state_eq(|| false);
    let active = use_state_eq(|| 0_usize);
    let found: Vec<Part> =
        if *open { data.with(|cache| impact::candidates(cache, text.trim(), OFFERED)) } else { Vec::new() };
    // Parts may go while somebody chooses.
    let on = (*active).min(found.len().saturating_sub(1));
    let take = {
        let (store, text, open, active) = (store.clone(), text.setter(), open.setter(), active.setter());
        Callback::from(move |part: Part| {
            super::add(&store, &part);
            text.set(String::new());
            open.set(false);
            active.set(0);
        })
    };
    let oninput = {
        let (text, open, active) = (text.setter(), open.setter(), active.setter());
        Callback::from(move |event: InputEvent| {
            let value = event.target_dyn_into::<web_sys::HtmlInputElement>().map(|it| it.value()).unwrap_or_default();
            text.set(value);
            open.set(true);
            active.set(0);
        })
    };
    let onkeydown = {
        let (open, active, found, take) = (open.clone(), active.clone(), found.clone(), take.clone());
        Callback::from(move |event: KeyboardEvent| {
            let count = found.len();
            match event.key().as_str() {
                "ArrowDown" if !*open => open.set(true),
                "ArrowDown" if count > 0 => active.set((on + 1) % count),
                "ArrowUp" if count > 0 => active.set((on + count - 1) % count),
                "Enter" => match found.get(on) {
                    Some(part) => take.emit(part.clone()),
                    None => return,
                },
                "Escape" if *open => open.set(false),
                _ => return,
            }
            event.prevent_default();
        })
    };
    use_effect_with((on, *open), |(active, open)| {
        if *open {
            dom::reveal(&format!("impact-match-{active}"));
        }
    });
    let show = {
        let open = open.setter();
        Callback::from(move |_: FocusEvent| open.set(true))
    };
    let hide = {
        let open = open.setter();
        Callback::from(move |_: FocusEvent| open.set(false))
    };
    let options = found.iter().enumerate().map(|(at, part)| {
        let (take, part) = (take.clone(), part.clone());
        // Before the field loses the keyboard, which closes the list.
        let pick = {
            let part = part.clone();
            Callback::from(move |event: MouseEvent| {
                event.prevent_default();
                take.emit(part.clone());
            })
        };
        html! {
            <li id={format!("impact-match-{at}")} role="option" aria-selected={(at == on).to_string()} onmousedown={pick}
                data-testid="impact-match" data-uuid={part.named.uuid.clone()}>
                { icon(part.icon) }<span>{ &part.label }</span><span class="quiet">{ part.kind.get() }</span>
            </li>
        }
    });
    html! {
        <div class="picker">
            <input type="search" role="combobox" aria-label={Text::ImpactPick.get()} placeholder={Text::ImpactAdd.get()} value={(*text).clone()}
                aria-expanded={(*open).to_string()} aria-controls="impact-matches" aria-autocomplete="list" autocomplete="off"
                aria-activedescendant={(*open && !found.is_empty()).then(|| format!("impact-match-{on}"))}
                {oninput} {onkeydown} onfocus={show} onblur={hide} data-testid="impact-search" />
            <ul id="impact-matches" class={classes!("matches", (!*open).then_some("closed"))} role="listbox" aria-label={Text::ImpactMatches.get()}>
                { for options }
                if *open && found.is_empty() { <li class="quiet" role="option" aria-disabled="true" aria-selected="false">{ Text::ImpactNoMatch.with(&[text.trim()]) }</li> }
            </ul>
        </div>
    }
}
