//! Logged in or not.

use std::rc::Rc;

use xenapi_client::{Error, Status};
use xenapi_console::explain::{self, Explanation};
use xenapi_console::state::Action;
use xenapi_console::text::Text;
use yew::prelude::*;

use super::login::{Credentials, LoginPage, Message};
use super::shell::Shell;
use crate::driver::{Driver, PoolInfo, Start, Update};
use crate::store::{Data, use_store};
use crate::{dom, local};

#[derive(Properties, PartialEq)]
pub(crate) struct SessionProps {
    pub(crate) pool: PoolInfo,
    pub(crate) pools: Vec<PoolInfo>,
}

/// A conversation with a pool, or none and why.
#[derive(Default)]
struct Session {
    driver: Option<Driver>,
    /// The driver's last word.
    update: Option<Update>,
    /// Whether the pool has let us in since the driver began.
    entered: bool,
    /// Whether it goes on with the session of the last visit.
    resumed: bool,
    message: Option<Message>,
}

enum Event {
    Started { driver: Driver, resumed: bool },
    Told(Update),
}

impl Reducible for Session {
    type Action = Event;

    fn reduce(self: Rc<Self>, event: Event) -> Rc<Self> {
        match event {
            Event::Started { driver, resumed } => {
                let update = Some(driver.update());
                Rc::new(Session { driver: Some(driver), update, resumed, ..Session::default() })
            }
            Event::Told(update) => match &self.driver {
                Some(driver) if driver.id() == update.driver => Rc::new(self.told(driver, update)),
                // From a conversation that has ended.
                _ => self,
            },
        }
    }
}

impl Session {
    fn told(&self, driver: &Driver, update: Update) -> Session {
        let ended = |message| Session { message, ..Session::default() };
        match &update.status {
            Status::LoggedOut => return ended(None),
            Status::Refused(failure) => {
                let explanation = explain::failure(failure);
                let mild = self.entered || self.resumed;
                return ended(Some(Message { explanation, mild }));
            }
            // Somebody who has just typed a password wants to know at once, not to wait for the next attempt.
            Status::Waiting { why, .. } if !self.entered && !self.resumed => {
                return ended(Some(Message { explanation: at_login(why), mild: false }));
            }
            _ => {}
        }
        let inside = matches!(update.status, Status::LoggedIn | Status::Loading | Status::Live);
        Session {
            driver: Some(driver.clone()),
            update: Some(update),
            entered: self.entered || inside,
            resumed: self.resumed,
            message: None,
        }
    }

    /// Whether the page itself is shown, and not the form before it.
    fn is_inside(&self) -> bool {
        self.driver.is_some() && (self.entered || self.resumed)
    }
}

/// At the login nothing is tried again by itself.
fn at_login(why: &Error) -> Explanation {
    match why {
        Error::Unreachable(what) => {
            Explanation { title: Text::Unreachable.get().into(), hint: explain::sentence(what), code: String::new() }
        }
        why => explain::error(why),
    }
}

/// The form, or the page behind it.
#[component]
pub(crate) fn SessionPage(props: &SessionProps) -> Html {
    let store = use_store();
    let session = use_reducer(Session::default);
    let start = {
        let (session, pool) = (session.dispatcher(), props.pool.name.clone());
        Callback::from(move |start: Start| {
            let resumed = matches!(start, Start::Resume);
            let told = session.clone();
            let driver = Driver::start(&pool, start, Callback::from(move |update| told.dispatch(Event::Told(update))));
            session.dispatch(Event::Started { driver, resumed });
        })
    };
    {
        let (start, pool) = (start.clone(), props.pool.clone());
        use_effect_with((), move |()| {
            if pool.place.is_some() {
                start.emit(Start::LogIn { user: local::USER.into(), password: local::PASSWORD.into() });
            } else if dom::storage::has_session(&pool.name) {
                start.emit(Start::Resume);
            }
        });
    }
    use_session_memory(&props.pool, session.driver.is_some(), session.entered);
    {
        let (dispatcher, label) = (store.dispatcher(), props.pool.label.clone());
        let before = use_mut_ref(|| false);
        use_effect_with(session.is_inside(), move |inside| {
            // Inside, every page has its own.
            if !inside {
                dom::set_title(&format!("{label} · {}", Text::Product.get()));
            }
            dom::mark("xenoxide:shell-ready");
            // What the address names is kept for whoever comes in; what was looked at is not kept for the next one.
            if before.replace(*inside) && !inside {
                dispatcher.dispatch(Action::Forget);
            }
        });
    }
    match (&session.driver, &session.update) {
        (Some(driver), Some(update)) if session.is_inside() => {
            let data = Data { driver: driver.clone(), revision: update.revision };
            html! {
                <ContextProvider<Data> context={data}>
                    <Shell pool={props.pool.clone()} status={update.status.clone()} />
                </ContextProvider<Data>>
            }
        }
        _ => {
            let is_local = props.pool.place.is_some();
            let on_log_in = Callback::from(move |Credentials { user, password }| {
                if !is_local {
                    dom::storage::set_user(&user);
                }
                start.emit(Start::LogIn { user, password });
            });
            html! {
                <LoginPage pool={props.pool.clone()} pools={props.pools.clone()} busy={session.driver.is_some()}
                    message={session.message.clone()} {on_log_in} />
            }
        }
    }
}

/// Remembers for the next visit whether there is a session to go on with.
#[hook]
fn use_session_memory(pool: &PoolInfo, driving: bool, entered: bool) {
    let (pool, is_local) = (pool.name.clone(), pool.place.is_some());
    let before = use_mut_ref(|| false);
    use_effect_with((driving, entered), move |(driving, entered)| {
        if is_local {
            // It is gone with the page.
        } else if *entered {
            dom::storage::set_session(&pool, true);
        } else if *before.borrow() && !driving {
            dom::storage::set_session(&pool, false);
        }
        *before.borrow_mut() = *driving;
    });
}
