//! Text for programs, with a way to take it along.

use wasm_bindgen_futures::spawn_local;
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::dom;

#[derive(Properties, PartialEq)]
pub(crate) struct CodeProps {
    pub(crate) text: String,
    #[prop_or_default]
    pub(crate) testid: Option<&'static str>,
}

/// The text, and a button that copies it.
#[component]
pub(crate) fn Code(props: &CodeProps) -> Html {
    let told = use_state_eq(|| None::<Text>);
    {
        // What was copied is what was there before.
        let told = told.setter();
        use_effect_with(props.text.clone(), move |_| told.set(None));
    }
    let onclick = {
        let (text, told) = (props.text.clone(), told.setter());
        Callback::from(move |_: MouseEvent| {
            let (text, told) = (text.clone(), told.clone());
            spawn_local(async move {
                told.set(Some(if dom::copy(&text).await { Text::Copied } else { Text::CopyFailed }));
            });
        })
    };
    html! {
        <div class="code-box">
            <pre class="code" tabindex="0" data-testid={props.testid}>{ &props.text }</pre>
            <div class="code-copy">
                <span class="quiet" role="status">{ for told.map(Text::get) }</span>
                <button type="button" class="button" {onclick} data-testid={props.testid.map(|it| format!("{it}-copy"))}>{ Text::CopyCode.get() }</button>
            </div>
        </div>
    }
}
