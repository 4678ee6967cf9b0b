//! The form before the page.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use xenapi_console::explain::Explanation;
use xenapi_console::route::Route;
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::OpenLocal;
use crate::components::{Mark, mark};
use crate::driver::PoolInfo;
use crate::panels::{LanguageSwitch, ThemeSwitch};
use crate::store::use_store;
use crate::{dom, local};

/// Why one is here.
#[derive(Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) explanation: Explanation,
    /// Whether nobody did anything wrong.
    pub(crate) mild: bool,
}

/// What somebody typed.
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

#[derive(Properties, PartialEq)]
pub(crate) struct LoginProps {
    pub(crate) pool: PoolInfo,
    pub(crate) pools: Vec<PoolInfo>,
    /// Whether the answer is awaited.
    pub(crate) busy: bool,
    pub(crate) message: Option<Message>,
    pub(crate) on_log_in: Callback<Credentials>,
}

/// The login form.
#[component]
pub(crate) fn LoginPage(props: &LoginProps) -> Html {
    let store = use_store();
    let (name, password) = (use_node_ref(), use_node_ref());
    // The name is kept while the form is drawn anew; the password is only ever in its field.
    let user = use_state_eq(|| dom::storage::user().unwrap_or_default());
    let known = use_memo((), |()| !user.is_empty());
    {
        // To the password if the user is known; there again after a refusal.
        let target = if *known { "login-password" } else { "login-user" };
        use_effect_with((props.busy, props.message.is_some()), move |(busy, refused)| {
            if !busy {
                dom::focus(if *refused { "login-password" } else { target });
            }
        });
    }
    let onsubmit = {
        let (name, password, user) = (name.clone(), password.clone(), user.setter());
        let (on_log_in, busy) = (props.on_log_in.clone(), props.busy);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !busy {
                // From the fields themselves: whatever filled them in may not have told.
                let value = |node: &NodeRef| node.cast::<HtmlInputElement>().map(|it| it.value()).unwrap_or_default();
                user.set(value(&name));
                on_log_in.emit(Credentials { user: value(&name), password: value(&password) });
            }
        })
    };
    let oninput = {
        let user = user.setter();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                user.set(input.value());
            }
        })
    };
    let described = props.message.is_some().then_some("login-message");
    html! {
        <main key={store.0.language.clone()} class="login">
            <div class="theme-corner"><LanguageSwitch /><ThemeSwitch /></div>
            <div class="login-card">
                <h1 class="brand">{ mark(Mark::Brand) }<span>{ Text::Product.get() }</span></h1>
                <p class="lead">{ Text::LogInTo.with(&[&props.pool.label]) }</p>
                { for props.message.as_ref().map(message) }
                if props.pool.place.is_some() {
                    { local_form(props) }
                } else {
                <form {onsubmit} aria-label={Text::LogInTo.with(&[&props.pool.label])} data-testid="login-form">
                    { pool_field(props) }
                    <label>
                        { Text::UserName.get() }
                        <input ref={name} id="login-user" class="field" name="username" autocomplete="username" required=true
                            autocapitalize="none" spellcheck="false" value={(*user).clone()} {oninput}
                            data-testid="login-user" />
                    </label>
                    <label>
                        { Text::Password.get() }
                        <input ref={password} id="login-password" class="field" name="password" type="password"
                            autocomplete="current-password" aria-describedby={described} data-testid="login-password" />
                    </label>
                    <button type="submit" class="button primary" disabled={props.busy} data-testid="login-submit">
                        { if props.busy { Text::LoggingIn } else { Text::LogIn }.get() }
                    </button>
                </form>
                }
                <OpenLocal />
            </div>
        </main>
    }
}

/// A pool in the page itself asks nobody for a password.
fn local_form(props: &LoginProps) -> Html {
    let on_log_in = props.on_log_in.clone();
    let onclick = move |_| on_log_in.emit(Credentials { user: local::USER.into(), password: local::PASSWORD.into() });
    html! {
        <div class="local-form">
            { pool_field(props) }
            <button type="button" class="button primary" disabled={props.busy} {onclick} data-testid="open-again">
                { if props.busy { Text::Opening } else { Text::OpenAgain }.get() }
            </button>
        </div>
    }
}

fn message(message: &Message) -> Html {
    let Explanation { title, hint, code } = &message.explanation;
    html! {
        <div id="login-message" class={classes!("message", message.mild.then_some("mild"))} role="alert"
            data-testid="login-error">
            <strong>{ title }</strong>
            <span>{ hint }</span>
            if !code.is_empty() { <div class="mono">{ code }</div> }
        </div>
    }
}

/// A choice, where there is one to make.
fn pool_field(props: &LoginProps) -> Html {
    if props.pools.len() < 2 {
        return html! {};
    }
    html! { <PoolPicker pool={props.pool.clone()} pools={props.pools.clone()} /> }
}

#[derive(Properties, PartialEq)]
struct PickerProps {
    pool: PoolInfo,
    pools: Vec<PoolInfo>,
}

#[component]
fn PoolPicker(props: &PickerProps) -> Html {
    let store = use_store();
    let onchange = Callback::from(move |event: yew::Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            let route = Route { pool: Some(select.value()), ..Route::default() };
            dom::set_hash(&route.path(), false);
            store.dispatch(Action::Navigate(route));
        }
    });
    let options = props.pools.iter().map(|pool| {
        html! { <option value={pool.name.clone()} selected={pool.name == props.pool.name}>{ &pool.label }</option> }
    });
    html! {
        <label>
            { Text::Pool.get() }
            <select class="field" {onchange} data-testid="login-pool">{ for options }</select>
        </label>
    }
}
