//! Who one is, and the way out.

use xenapi_console::text::Text;
use xenapi_core::RawRef;
use xenapi_model::{Session, role, session, subject};
use yew::prelude::*;

use crate::components::{Disclosure, Mark, mark};
use crate::driver::Driver;
use crate::store::{Pools, use_data, use_store};

/// Who one is, and the way out.
#[component]
pub(crate) fn Account() -> Html {
    let (store, data) = (use_store(), use_data());
    let pools = use_context::<Pools>().unwrap_or_default();
    let label = pools.0.iter().find(|pool| store.0.pool.as_ref() == Some(&pool.name)).map(|pool| pool.label.clone());
    let label = label.unwrap_or_default();
    let log_out = {
        let driver = data.driver.clone();
        Callback::from(move |_: MouseEvent| driver.log_out())
    };
    // In a pool in the page itself one is nobody in particular.
    let user = crate::dom::storage::user().filter(|_| data.driver.place().is_none()).unwrap_or_default();
    let role = use_role(&data.driver);
    let panel = {
        let user = user.clone();
        Callback::from(move |()| {
            html! {
                <dl class="account">
                    <dt>{ Text::UserName.get() }</dt><dd data-testid="account-user">{ &user }</dd>
                    if let Some(role) = &role { <dt>{ Text::Role.get() }</dt><dd data-testid="account-role">{ role }</dd> }
                    <dt>{ Text::Pool.get() }</dt><dd>{ &label }</dd>
                </dl>
            }
        })
    };
    let button = html! { <>{ mark(Mark::User) }<span class="who">{ &user }</span></> };
    html! {
        <>
            if !user.is_empty() {
                <Disclosure id="account" class="account-button" label={Text::LoggedInAs.with(&[&user])} {button} {panel} />
            }
            <button type="button" class="icon-button" title={Text::LogOut.get()} aria-label={Text::LogOut.get()}
                onclick={log_out} data-testid="logout">{ mark(Mark::Leave) }</button>
        </>
    }
}

/// The role of whoever is logged in, as the pool names it; none until it is known.
#[hook]
fn use_role(driver: &Driver) -> Option<String> {
    let role = use_state(|| None::<String>);
    {
        let (driver, role) = (driver.clone(), role.setter());
        use_effect_with(driver.clone(), move |_| ask_role(driver, role));
    }
    (*role).clone()
}

/// A local superuser has every right; anybody else has the roles of their subject.
fn ask_role(driver: Driver, role: UseStateSetter<Option<String>>) {
    // What cannot be learned is left out: it is a courtesy.
    let Some(session) = driver.session().map(RawRef::typed::<Session>) else { return };
    let (then, of) = (driver.clone(), session.clone());
    driver.call(session::fields::IS_LOCAL_SUPERUSER.get(&session), move |is_root| match is_root {
        Ok(true) => role.set(Some(Text::LocalSuperuser.get().into())),
        Ok(false) => {
            let next = then.clone();
            then.call(session::fields::SUBJECT.get(&of), move |subject| {
                let Ok(Some(subject)) = subject else { return };
                let last = next.clone();
                next.call(subject::fields::ROLES.get(&subject), move |roles| {
                    let Some(first) = roles.ok().and_then(|roles| roles.into_iter().next()) else { return };
                    last.call(role::fields::NAME_LABEL.get(&first), move |name| role.set(name.ok()));
                });
            });
        }
        Err(_) => {}
    });
}
