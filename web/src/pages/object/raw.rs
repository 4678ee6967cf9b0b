//! The record as it is.

use wasm_bindgen_futures::spawn_local;
use xenapi_console::object_page::raw::{Form, text};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::record::Fetched;
use crate::components::empty;
use crate::dom;
use crate::store::use_store;

/// The key under which the form stands in the address.
const FORM: &str = "form";

#[derive(Properties, PartialEq)]
pub(super) struct RawProps {
    pub(super) class: &'static str,
    pub(super) fetched: Fetched,
}

/// The record, as JSON or XML-RPC, to be copied.
#[component]
pub(super) fn Raw(props: &RawProps) -> Html {
    let store = use_store();
    let form = Form::from_word(store.0.query.get(FORM).map_or("", String::as_str));
    let class = props.class;
    let written = use_memo((props.fetched.clone(), form), |(fetched, form)| match fetched {
        Fetched::Known(record) => xenapi_model::class(class).map(|class| text(class, record, *form)).unwrap_or_default(),
        _ => String::new(),
    });
    let told = use_state_eq(|| None::<Text>);
    let copy = {
        let (written, told) = (written.clone(), told.setter());
        Callback::from(move |_| {
            let (written, told) = (written.clone(), told.clone());
            spawn_local(async move {
                told.set(Some(if dom::copy(&written).await { Text::Copied } else { Text::CopyFailed }));
            });
        })
    };
    let choice = |it: Form, label: Text| {
        let store = store.clone();
        let onclick = move |_| store.dispatch(Action::Keep(FORM.into(), Some(it.word().into())));
        html! {
            <button type="button" aria-pressed={(it == form).to_string()} {onclick}
                data-testid={format!("form-{}", it.word())}>{ label.get() }</button>
        }
    };
    match &props.fetched {
        Fetched::Asking => empty("record-loading", Text::RecordLoading.get(), "", None),
        Fetched::Failed(why) => empty("record-failed", Text::RecordFailed.get(), why, None),
        Fetched::Known(_) => html! {
            <section class="object-section raw" aria-label={Text::PartRaw.get()}>
                <div class="raw-bar">
                    <div class="segments" role="group" aria-label={Text::RawForms.get()}>
                        { choice(Form::Json, Text::FormJson) }
                        { choice(Form::Xml, Text::FormXml) }
                    </div>
                    <button type="button" class="button" onclick={copy} data-testid="copy-record">{ Text::Copy.get() }</button>
                    <span class="quiet" role="status">{ for told.map(Text::get) }</span>
                    <span class="quiet">{ Text::SecretsLeftOut.get() }</span>
                </div>
                <pre tabindex="0" data-testid="raw-record">{ &*written }</pre>
            </section>
        },
    }
}
