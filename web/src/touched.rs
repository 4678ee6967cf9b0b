//! Who wants to hear of which object.
//!
//! Records in the cache lack what lists and graphs do not look at. A page about one object asks for the whole record, and asks again when
//! the pool has said something about it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use yew::Callback;

type Listeners = Rc<RefCell<BTreeMap<u64, (String, Callback<()>)>>>;

/// Those who listen.
#[derive(Default)]
pub(crate) struct Touched {
    listeners: Listeners,
    last: Cell<u64>,
}

/// Listens until it is dropped.
pub(crate) struct Listening {
    listeners: Listeners,
    id: u64,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listeners.borrow_mut().remove(&self.id);
    }
}

impl Touched {
    /// Adds a listener for an object.
    pub(crate) fn listen(&self, class: &str, reference: &str, told: Callback<()>) -> Listening {
        let id = self.last.get() + 1;
        self.last.set(id);
        self.listeners.borrow_mut().insert(id, (format!("{class}/{reference}"), told));
        Listening { listeners: self.listeners.clone(), id }
    }

    /// Tells those who listen for one of these objects: `class/reference` each, or `*` for all.
    pub(crate) fn tell(&self, objects: &str) {
        let is_meant = |name: &str| objects == "*" || objects.split(' ').any(|object| object == name);
        let listeners = self.listeners.borrow();
        let meant: Vec<Callback<()>> =
            listeners.values().filter(|(name, _)| is_meant(name)).map(|(_, told)| told.clone()).collect();
        // Who is told may begin or cease to listen.
        drop(listeners);
        for told in meant {
            told.emit(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_listen_for_an_object_are_told() {
        let touched = Touched::default();
        let count = Rc::new(Cell::new(0));
        let told = {
            let count = count.clone();
            Callback::from(move |()| count.set(count.get() + 1))
        };
        let listening = touched.listen("VM", "OpaqueRef:1", told);
        touched.tell("VM/OpaqueRef:2 host/OpaqueRef:1");
        assert_eq!(count.get(), 0);
        touched.tell("VM/OpaqueRef:2 VM/OpaqueRef:1");
        touched.tell("*");
        assert_eq!(count.get(), 2);
        drop(listening);
        touched.tell("*");
        assert_eq!(count.get(), 2);
    }
}
