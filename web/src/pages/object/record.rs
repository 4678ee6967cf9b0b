//! The whole record of one object, fetched from the pool and fetched again whenever the object changes.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use gloo_timers::callback::Timeout;
use xenapi_client::Error;
use xenapi_console::explain;
use xenapi_console::object_page::page::is_reference;
use xenapi_core::{Call, Method, RawRef, Value};
use yew::prelude::*;

use crate::driver::Driver;
use crate::store::{Data, Same, use_touched};

/// How long the page waits before it asks again for an object that goes on changing, in milliseconds.
const PAUSE: u32 = 400;

/// What the page has of the record.
#[derive(Clone, PartialEq)]
pub(super) enum Fetched {
    /// The first answer is awaited.
    Asking,
    /// The last answer.
    Known(Same<Value>),
    /// There was none, and why.
    Failed(AttrValue),
}

/// Whose record it is: a class as on the wire, and a reference or a uuid.
#[derive(Clone, PartialEq)]
pub(super) struct Identity {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The record in the cache, as a mark of the object's state: another address is another state.
#[derive(Clone)]
pub(super) struct Version(pub(super) Option<Arc<dyn Any + Send + Sync>>);

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

/// The record of an object. None for nobody's. While a newer one is fetched, the last one stays.
#[hook]
pub(super) fn use_record(data: &Data, identity: Option<Identity>, version: Version) -> Fetched {
    let fetched = use_state_eq(|| Fetched::Asking);
    let fetcher: Rc<RefCell<Option<Rc<Fetcher>>>> = use_mut_ref(|| None);
    // The cache may lack what changed.
    let touched = use_touched(identity.as_ref().map(|it| (it.class, it.text.clone())));
    // The cache lacks what no list looks at: that such a field has changed is told apart.
    let listening = identity.as_ref().filter(|it| is_reference(&it.text)).cloned();
    {
        let (driver, fetcher) = (data.driver.clone(), fetcher.clone());
        use_effect_with(listening, move |identity| {
            let told = Callback::from(move |()| {
                let fetcher = fetcher.borrow().clone();
                if let Some(fetcher) = fetcher {
                    fetcher.ask();
                }
            });
            let listening = identity.as_ref().map(|it| driver.listen(it.class, &it.text, told));
            move || drop(listening)
        });
    }
    {
        let (driver, setter, fetcher) = (data.driver.clone(), fetched.setter(), fetcher);
        use_effect_with((identity, version, touched), move |(identity, ..)| {
            let Some(identity) = identity else { return };
            let mut fetcher = fetcher.borrow_mut();
            let known = fetcher.as_ref().filter(|it| it.identity == *identity).cloned();
            let current = known.unwrap_or_else(|| {
                let told = Callback::from(move |it| setter.set(it));
                Rc::new(Fetcher {
                    driver,
                    identity: identity.clone(),
                    told,
                    state: Cell::default(),
                    pause: RefCell::default(),
                })
            });
            current.ask();
            *fetcher = Some(current);
        });
    }
    (*fetched).clone()
}

/// Where a fetcher stands.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Idle,
    /// An answer is awaited, or a pause.
    Busy,
    /// The same, and the object has changed meanwhile.
    BusyAndOld,
}

/// Fetches the record of one object, one answer at a time. It ends with the page that asks.
struct Fetcher {
    driver: Driver,
    identity: Identity,
    told: Callback<Fetched>,
    state: Cell<Stage>,
    pause: RefCell<Option<Timeout>>,
}

impl Fetcher {
    fn ask(self: &Rc<Self>) {
        if self.state.get() != Stage::Idle {
            self.state.set(Stage::BusyAndOld);
            return;
        }
        self.state.set(Stage::Busy);
        let class = self.identity.class;
        if is_reference(&self.identity.text) {
            return self.record(&RawRef::from(self.identity.text.as_str()));
        }
        let me = Rc::downgrade(self);
        self.call(class, "get_by_uuid", Value::from(self.identity.text.as_str()), move |answer: Result<RawRef, Error>| {
            let Some(me) = me.upgrade() else { return };
            match answer {
                Ok(reference) => me.record(&reference),
                Err(error) => me.done(Err(error)),
            }
        });
    }

    fn record(self: &Rc<Self>, reference: &RawRef) {
        let me = Rc::downgrade(self);
        self.call(self.identity.class, "get_record", Value::from(reference), move |answer| {
            if let Some(me) = me.upgrade() {
                me.done(answer);
            }
        });
    }

    fn call<R: xenapi_core::Wire + Send + 'static>(
        &self,
        class: &'static str,
        name: &str,
        of: Value,
        done: impl FnOnce(Result<R, Error>) + 'static,
    ) {
        let method = xenapi_model::class(class).and_then(|class| Method::find(class, name));
        match method {
            Some(method) => self.driver.call(Call::new(method, vec![of]), done),
            // Some classes have no such getters: their objects are only ever part of others' answers.
            None => done(Err(Error::Misuse("objects of this class cannot be asked for one by one"))),
        }
    }

    fn done(self: &Rc<Self>, answer: Result<Value, Error>) {
        self.told.emit(match answer {
            Ok(record) => Fetched::Known(Same(Rc::new(record))),
            Err(error) => Fetched::Failed(explain::error(&error).line().into()),
        });
        let me = Rc::downgrade(self);
        *self.pause.borrow_mut() = Some(Timeout::new(PAUSE, move || {
            if let Some(me) = me.upgrade() {
                let again = me.state.replace(Stage::Idle) == Stage::BusyAndOld;
                if again {
                    me.ask();
                }
            }
        }));
    }
}
