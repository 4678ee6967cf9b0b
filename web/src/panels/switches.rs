//! What belongs to the reader: colours and language.

use std::cell::Cell;

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use xenapi_console::language::LANGUAGES;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use xenapi_console::theme::Theme;
use yew::prelude::*;

use crate::components::{Mark, mark};
use crate::dom;
use crate::store::use_store;

/// The switch's place in the page, so that the keyboard stays on it when everything is drawn anew in another language.
const LANGUAGE: &str = "language";

thread_local! {
    /// Whether somebody has just chosen a language, and not yet seen it.
    static CHOSEN: Cell<bool> = const { Cell::new(false) };
}

/// Light, dark, or as the system says.
#[component]
pub(crate) fn ThemeSwitch() -> Html {
    let store = use_store();
    let theme = store.0.theme;
    let (text, image) = match theme {
        Theme::System => (Text::ThemeSystem, Mark::Screen),
        Theme::Light => (Text::ThemeLight, Mark::Sun),
        Theme::Dark => (Text::ThemeDark, Mark::Moon),
    };
    let onclick = move |_| store.dispatch(Action::SetTheme(theme.next()));
    html! {
        <button type="button" class="icon-button" title={text.get()} aria-label={text.get()} {onclick} data-testid="theme"
            data-theme-choice={theme.name()}>{ mark(image) }</button>
    }
}

/// Speaks another language from now on; `spoken` is told its code once its words are there.
pub(crate) fn speak(code: &str, spoken: impl FnOnce(&'static str) + 'static) {
    dom::storage::set_language(code);
    let best = dom::language::best(code);
    spawn_local(async move {
        if dom::language::speak(best).await {
            spoken(best);
        }
    });
}

/// The language, or the system's.
#[component]
pub(crate) fn LanguageSwitch() -> Html {
    let store = use_store();
    let chosen = dom::storage::language();
    let onchange = {
        let dispatcher = store.dispatcher();
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            let dispatcher = dispatcher.clone();
            speak(&select.value(), move |best| {
                CHOSEN.set(true);
                dispatcher.dispatch(Action::Speak(best.into()));
            });
        })
    };
    use_effect_with((), |()| {
        // Everything was drawn anew because somebody chose here; the keyboard is where it was.
        if CHOSEN.take() {
            dom::focus(LANGUAGE);
        }
    });
    let option = |code: &'static str, name: &'static str| {
        html! { <option value={code} selected={code == chosen} lang={(!code.is_empty()).then_some(code)}>{ name }</option> }
    };
    html! {
        <label class="language" title={Text::Language.get()}>
            { mark(Mark::Language) }
            <span class="sr-only">{ Text::Language.get() }</span>
            <select id={LANGUAGE} {onchange} data-testid="language">
                { option("", Text::LanguageSystem.get()) }
                { for LANGUAGES.iter().map(|(code, name)| option(code, name)) }
            </select>
        </label>
    }
}
