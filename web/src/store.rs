//! The one store of what the console remembers, and the data it looks at, as contexts.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use xenapi_client::Cache;
use xenapi_console::language;
use xenapi_console::route::Route;
use xenapi_console::select;
use xenapi_console::state::{Action, ConsoleState};
use xenapi_console::theme::Theme;
use xenapi_console::tree::{Grouping, Look};
use yew::prelude::*;

use crate::dom;
use crate::driver::{Driver, PoolInfo};

/// What the console remembers, as a reducer.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Store(pub(crate) ConsoleState);

impl Store {
    /// As the address and the last visit say.
    pub(crate) fn load() -> Store {
        let state = ConsoleState {
            theme: Theme::from_name(&dom::storage::theme()),
            language: language::current().code().into(),
            tree: Look { by: Grouping::from_name(&dom::storage::grouping()), ..Look::default() },
            ..ConsoleState::default()
        };
        Store(state.reduce(Action::Navigate(Route::parse(&dom::hash()))))
    }
}

impl Reducible for Store {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let state = Rc::unwrap_or_clone(self).0.reduce(action);
        Rc::new(Store(state))
    }
}

/// The store's handle.
pub(crate) type StoreHandle = UseReducerHandle<Store>;

/// The pool's data. Two of them are equal when nothing has changed in between.
#[derive(Clone, PartialEq)]
pub(crate) struct Data {
    /// Where the cache is.
    pub(crate) driver: Driver,
    /// The cache's revision when this was made.
    pub(crate) revision: u64,
}

impl Data {
    /// A number that changes whenever one of these classes does.
    pub(crate) fn stamp(&self, classes: &[&str]) -> u64 {
        self.driver.with_cache(|cache| select::stamp(cache, classes))
    }

    /// Looks into the cache.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&Cache) -> R) -> R {
        self.driver.with_cache(look)
    }
}

/// The pools that can be chosen, as a context.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct Pools(pub(crate) Rc<[PoolInfo]>);

/// The store, from a component within the page.
#[hook]
pub(crate) fn use_store() -> StoreHandle {
    use_context::<StoreHandle>().expect("the app provides the store")
}

/// The pool's data, from a component within the shell.
#[hook]
pub(crate) fn use_data() -> Data {
    use_context::<Data>().expect("the shell provides the data")
}

/// A number that grows whenever the pool has said something about an object, be it of a field that the cache leaves out. Takes its class
/// and its reference; none for nobody's.
#[hook]
pub(crate) fn use_touched(object: Option<(&'static str, String)>) -> u64 {
    let data = use_data();
    let count = use_state(|| 0_u64);
    let told = {
        let (count, next) = (count.setter(), use_mut_ref(|| 0_u64));
        Callback::from(move |()| {
            *next.borrow_mut() += 1;
            count.set(*next.borrow());
        })
    };
    use_effect_with((data.driver, object), move |(driver, object)| {
        let listening = object.as_ref().map(|(class, reference)| driver.listen(class, reference, told));
        move || drop(listening)
    });
    *count
}

#[derive(Properties, PartialEq)]
pub(crate) struct LaterProps {
    pub(crate) children: Html,
}

/// Tells what is below of changes a moment after everybody else, in a task of its own: what the eye rests on is drawn first, and the
/// browser gets a breath in between.
#[component]
pub(crate) fn Later(props: &LaterProps) -> Html {
    let data = use_data();
    let late = use_state(|| data.clone());
    {
        let setter = late.setter();
        use_effect_with(data, move |data| {
            let data = data.clone();
            // A newer change puts off an older one, but never for longer than it takes to draw.
            let waiting = Timeout::new(LATER, move || setter.set(data));
            move || drop(waiting)
        });
    }
    html! { <ContextProvider<Data> context={(*late).clone()}>{ props.children.clone() }</ContextProvider<Data>> }
}

/// How much later, in milliseconds: less than the driver leaves between two changes.
const LATER: u32 = 2;

/// Something shared, compared by address: equal means the same, so that a component whose props are the same is not drawn again.
pub(crate) struct Same<T: ?Sized>(pub(crate) Rc<T>);

impl<T: ?Sized> Clone for Same<T> {
    fn clone(&self) -> Self {
        Same(self.0.clone())
    }
}

impl<T: ?Sized> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: ?Sized> std::ops::Deref for Same<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
