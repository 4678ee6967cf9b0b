//! What is known of a pool, by class and reference, and in which order it changed.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Bound;
use core::str::FromStr;

use xenapi_codec::xmlrpc::XmlWriter;
use xenapi_core::Writer as _;

use super::lean::{LeanEvent, PLANS};

/// How many deletions are remembered. Whoever has missed more loads everything anew.
const MOST_GONE: usize = 20_000;

/// A reply is ended behind the record with which it reaches this size, so that no reader is busy with one for long: while the eye waits
/// for the first picture, and afterwards.
const FIRST_PAGE: usize = 1 << 20;
const PAGE: usize = 256 << 10;

/// In which steps what exists is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::serve) enum Pace {
    /// For somebody who waits for the first picture: what it needs in few and large pages that end with it, the rest in small ones.
    Eager,
    /// For somebody who has a picture and wants no page to take long.
    Even,
    /// Everything at once.
    Whole,
}

/// Of more changes than this a reader is not told which objects they were of.
const MOST_TOUCHED: usize = 32;

/// Where a reader is.
///
/// As text it begins with the number of the stream, which is another one after every restart, so that nobody goes on in a stream that
/// is no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// It has nothing yet.
    Start,
    /// It has this of everything, as it was at a generation, and goes on behind an object.
    Within {
        /// The stream.
        stream: u64,
        /// What is to be told of afterwards: everything that changed since.
        generation: u64,
        /// The place of the class.
        class: usize,
        /// The last object; empty for none.
        reference: String,
    },
    /// It knows everything up to that generation.
    At {
        /// The stream.
        stream: u64,
        /// The last change that it knows.
        generation: u64,
    },
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Start => Ok(()),
            Token::At { stream, generation } => write!(f, "{stream:016x},{generation:020}"),
            Token::Within { stream, generation, class, reference } => {
                write!(f, "{stream:016x},{generation:020},{class},{reference}")
            }
        }
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.is_empty() {
            return Ok(Token::Start);
        }
        let mut parts = text.splitn(4, ',');
        let mut next = || parts.next().ok_or(());
        let stream = u64::from_str_radix(next()?, 16).map_err(drop)?;
        let generation = next()?.parse().map_err(drop)?;
        let Ok(class) = next() else { return Ok(Token::At { stream, generation }) };
        let class = class.parse().map_err(drop)?;
        Ok(Token::Within { stream, generation, class, reference: next()?.into() })
    }
}

/// Everything of one class.
#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Arc<str>, Object>,
    /// How many of them exist.
    live: usize,
}

struct Object {
    /// The lean record; none for an object that is gone.
    record: Option<Box<[u8]>>,
    /// When it changed last.
    changed: u64,
}

/// The objects of a pool.
pub(super) struct Store {
    stream: u64,
    generation: u64,
    /// What was deleted up to this generation is not remembered.
    floor: u64,
    shelves: Vec<Shelf>,
    /// Each object once, by its last change.
    log: BTreeMap<u64, (usize, Arc<str>)>,
    /// Those of them that are gone, in the same order.
    gone: BTreeMap<u64, ()>,
}

/// A batch for a reader.
pub(in crate::serve) struct Page {
    /// Events, as the members of an array of XML-RPC.
    pub(super) events: Vec<u8>,
    /// Where it goes on.
    pub(super) token: Token,
    /// How many objects there are, by class, where that may be compared to what the reader has.
    pub(super) counts: Vec<(usize, usize)>,
    /// Whether anything is in it.
    pub(super) is_empty: bool,
    /// The objects that changed, where it is about changes; none when they are too many.
    pub(super) touched: Option<Vec<(usize, Arc<str>)>>,
}

impl Store {
    /// An empty store. The number of its stream must be another one each time.
    pub(super) fn new(stream: u64) -> Self {
        let shelves = PLANS.iter().map(|_| Shelf::default()).collect();
        Store { stream, generation: 0, floor: 0, shelves, log: BTreeMap::new(), gone: BTreeMap::new() }
    }

    /// The last change.
    #[cfg(test)]
    fn generation(&self) -> u64 {
        self.generation
    }

    /// How many objects of a class exist.
    pub(super) fn live(&self, class: usize) -> usize {
        self.shelves[class].live
    }

    /// Takes over what the pool said. A full load holds everything: what is not in it is gone, and what is the same has not changed.
    pub(super) fn apply(&mut self, events: Vec<LeanEvent>, full: bool) {
        let before = self.generation;
        for LeanEvent { class, reference, record } in events {
            let known = self.shelves[class].objects.get(reference.as_str());
            let is_same = full && record.is_some() && known.is_some_and(|known| known.record == record);
            let is_nothing = known.is_none() && record.is_none();
            match (is_same, is_nothing) {
                (true, _) => self.keep(class, &reference),
                (_, true) => {}
                _ => self.put(class, reference.into(), record),
            }
        }
        if full {
            self.sweep(before);
        }
        self.forget_gone();
    }

    /// Says that an object is as it was: it counts as seen by the sweep without counting as changed.
    fn keep(&mut self, class: usize, reference: &str) {
        if let Some(object) = self.shelves[class].objects.get_mut(reference) {
            object.changed |= SEEN;
        }
    }

    /// Deletes what a full load did not mention.
    fn sweep(&mut self, before: u64) {
        for class in 0..self.shelves.len() {
            let mut missing = Vec::new();
            for (reference, object) in &mut self.shelves[class].objects {
                let seen = object.changed & SEEN != 0 || object.changed > before;
                object.changed &= !SEEN;
                if !seen && object.record.is_some() {
                    missing.push(Arc::clone(reference));
                }
            }
            for reference in missing {
                self.put(class, reference, None);
            }
        }
    }

    fn put(&mut self, class: usize, reference: Arc<str>, record: Option<Box<[u8]>>) {
        self.generation += 1;
        let changed = self.generation;
        let exists = record.is_some();
        let shelf = &mut self.shelves[class];
        let old = shelf.objects.insert(Arc::clone(&reference), Object { record, changed });
        let existed = old.as_ref().is_some_and(|old| old.record.is_some());
        shelf.live = shelf.live + usize::from(exists) - usize::from(existed);
        if let Some(old) = old {
            self.log.remove(&(old.changed & !SEEN));
            self.gone.remove(&(old.changed & !SEEN));
        }
        self.log.insert(changed, (class, reference));
        if !exists {
            self.gone.insert(changed, ());
        }
    }

    /// Forgets the oldest deletions, where there are too many.
    fn forget_gone(&mut self) {
        while self.gone.len() > MOST_GONE {
            let Some((oldest, ())) = self.gone.pop_first() else { return };
            self.floor = oldest;
            if let Some((class, reference)) = self.log.remove(&oldest) {
                self.shelves[class].objects.remove(&reference);
            }
        }
    }

    /// What comes next for a reader that wants those classes, from the first to the last. `None` when its token is of another stream, or
    /// too old: it has to begin anew.
    ///
    /// Whoever begins gets page after page, in the order in which the eye wants the classes, or everything at once.
    pub(super) fn page(&self, token: &Token, wanted: &[bool], pace: Pace) -> Option<Page> {
        let is_known = |stream: u64, generation: u64| {
            stream == self.stream && generation <= self.generation && generation >= self.floor
        };
        match token {
            Token::Start => Some(self.snapshot(self.generation, 0, "", wanted, pace)),
            Token::Within { stream, generation, class, reference } => {
                is_known(*stream, *generation).then(|| self.snapshot(*generation, *class, reference, wanted, pace))
            }
            Token::At { stream, generation } => is_known(*stream, *generation).then(|| self.changes(*generation, wanted)),
        }
    }

    /// What exists, behind an object.
    fn snapshot(&self, generation: u64, from: usize, behind: &str, wanted: &[bool], pace: Pace) -> Page {
        let mut writer = XmlWriter::new();
        let stream = self.stream;
        let mut token = Token::At { stream, generation };
        let classes = self.shelves.iter().enumerate().skip(from);
        'all: for (class, shelf) in classes.filter(|(class, _)| wanted[*class]) {
            let start = if class == from { Bound::Excluded(behind) } else { Bound::Unbounded };
            let most = match pace {
                Pace::Eager if PLANS[class].first => FIRST_PAGE,
                Pace::Eager | Pace::Even => PAGE,
                Pace::Whole => usize::MAX,
            };
            for (reference, object) in shelf.objects.range::<str, _>((start, Bound::Unbounded)) {
                let Some(record) = &object.record else { continue };
                write_event(&mut writer, class, reference, Some(record), "add");
                if writer.bytes().len() >= most {
                    token = Token::Within { stream, generation, class, reference: reference.to_string() };
                    break 'all;
                }
            }
            // The first picture is made when its last class is there.
            let is_last = PLANS[class].first && !PLANS[class + 1..].iter().any(|plan| plan.first);
            if is_last && pace == Pace::Eager && !writer.bytes().is_empty() {
                token = Token::Within { stream, generation, class: class + 1, reference: String::new() };
                break;
            }
        }
        // Of what there is none, this is known at once; the others are known when they come.
        let begins = from == 0 && behind.is_empty();
        let counted = self.shelves.iter().enumerate();
        let counted = counted.filter(|(class, shelf)| begins && wanted[*class] && (pace == Pace::Whole || shelf.live == 0));
        Page {
            events: writer.into_bytes(),
            token,
            counts: counted.map(|(class, shelf)| (class, shelf.live)).collect(),
            is_empty: false,
            touched: Some(Vec::new()),
        }
    }

    fn changes(&self, since: u64, wanted: &[bool]) -> Page {
        let mut writer = XmlWriter::new();
        let mut generation = self.generation;
        let mut touched = Vec::new();
        for (at, (class, reference)) in self.log.range(since + 1..).filter(|(_, (class, _))| wanted[*class]) {
            let record = self.shelves[*class].objects.get(reference).and_then(|object| object.record.as_deref());
            write_event(&mut writer, *class, reference, record, if record.is_some() { "mod" } else { "del" });
            if touched.len() <= MOST_TOUCHED {
                touched.push((*class, Arc::clone(reference)));
            }
            if writer.bytes().len() >= PAGE {
                generation = *at;
                break;
            }
        }
        // The counts are those of now: with a page that ends earlier they would look like a lost event.
        let all = generation == self.generation;
        let counted = self.shelves.iter().enumerate().filter(|(class, _)| all && wanted[*class]);
        // Messages are kept apart by the pool, and never counted.
        let counted = counted.filter(|(class, _)| PLANS[*class].class.name != "message");
        Page {
            is_empty: touched.is_empty(),
            events: writer.into_bytes(),
            token: Token::At { stream: self.stream, generation },
            counts: counted.map(|(class, shelf)| (class, shelf.live)).collect(),
            touched: (touched.len() <= MOST_TOUCHED).then_some(touched),
        }
    }
}

/// Marks an object that a full load has mentioned.
const SEEN: u64 = 1 << 63;

fn write_event(writer: &mut XmlWriter, class: usize, reference: &str, record: Option<&[u8]>, operation: &str) {
    writer.begin_struct();
    writer.field("class");
    writer.text(&PLANS[class].event_name);
    writer.field("operation");
    writer.text(operation);
    writer.field("ref");
    writer.text(reference);
    if let Some(record) = record {
        writer.field("snapshot");
        writer.encoded(record);
    }
    writer.end_struct();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::super::lean::place;
    use super::*;

    fn event(class: &str, reference: &str, record: Option<&str>) -> LeanEvent {
        let record = record.map(|text| format!("<value>{text}</value>").into_bytes().into_boxed_slice());
        LeanEvent { class: place(class).unwrap(), reference: reference.into(), record }
    }

    fn all() -> Vec<bool> {
        vec![true; PLANS.len()]
    }

    /// The references of a page, with what happened to them.
    fn told(page: &Page) -> Vec<String> {
        let text = core::str::from_utf8(&page.events).unwrap();
        let part = |event: &str, name: &str| {
            let from = event.split(&format!("<name>{name}</name><value>")).nth(1)?;
            Some(from.split('<').next()?.to_owned())
        };
        let events = text.split("<name>class</name>").skip(1);
        events.map(|event| format!("{} {}", part(event, "operation").unwrap(), part(event, "ref").unwrap())).collect()
    }

    fn store() -> Store {
        let mut store = Store::new(7);
        store.apply(vec![event("VM", "v1", Some("a")), event("VBD", "b1", Some("b")), event("pool", "p", Some("c"))], true);
        store
    }

    #[test]
    fn what_the_eye_wants_comes_first_and_then_the_rest_and_then_what_changed() {
        let mut store = store();
        let first = store.page(&Token::Start, &all(), Pace::Eager).unwrap();
        assert_eq!(told(&first), ["add p", "add v1"]);
        assert!(!first.counts.iter().any(|(class, _)| *class == place("VBD").unwrap()), "the reader has none yet");
        assert!(first.counts.contains(&(place("VDI").unwrap(), 0)), "that there are none is known already");
        store.apply(vec![event("VM", "v1", Some("A"))], false);
        let second = store.page(&first.token, &all(), Pace::Eager).unwrap();
        assert_eq!(told(&second), ["add b1"]);
        let third = store.page(&second.token, &all(), Pace::Eager).unwrap();
        assert_eq!(told(&third), ["mod v1"], "what changed meanwhile");
        let nothing = store.page(&third.token, &all(), Pace::Eager).unwrap();
        assert!(nothing.is_empty && nothing.token == third.token);
        assert!(nothing.counts.contains(&(place("VBD").unwrap(), 1)));
    }

    #[test]
    fn everything_comes_at_once_where_that_is_wanted() {
        let page = store().page(&Token::Start, &all(), Pace::Whole).unwrap();
        assert_eq!(told(&page), ["add p", "add v1", "add b1"]);
        assert!(matches!(page.token, Token::At { .. }));
    }

    #[test]
    fn whoever_has_a_picture_gets_small_pages_that_do_not_end_with_the_first() {
        let mut store = store();
        let page = store.page(&Token::Start, &all(), Pace::Even).unwrap();
        assert_eq!(told(&page), ["add p", "add v1", "add b1"]);
        assert!(matches!(page.token, Token::At { .. }));
        let long = "x".repeat(PAGE - 100);
        store.apply(vec![event("host", "h1", Some(&long)), event("host", "h2", Some(&long))], false);
        let page = store.page(&Token::Start, &all(), Pace::Even).unwrap();
        assert_eq!(told(&page), ["add p", "add h1"], "though it is needed for the first picture");
        assert_eq!(told(&store.page(&page.token, &all(), Pace::Even).unwrap()), ["add h2"]);
    }

    #[test]
    fn changes_of_an_object_are_told_once_and_deletions_too() {
        let mut store = store();
        let token = Token::At { stream: 7, generation: store.generation() };
        store.apply(vec![event("VM", "v1", Some("A")), event("VM", "v2", Some("b")), event("VM", "v1", Some("B"))], false);
        store.apply(vec![event("VBD", "b1", None), event("VBD", "never", None)], false);
        let page = store.page(&token, &all(), Pace::Eager).unwrap();
        assert_eq!(told(&page), ["mod v2", "mod v1", "del b1"]);
        assert_eq!(page.touched.as_ref().unwrap().len(), 3);
        assert!(page.counts.contains(&(place("VM").unwrap(), 2)) && page.counts.contains(&(place("VBD").unwrap(), 0)));
        let mut vms = vec![false; PLANS.len()];
        vms[place("VM").unwrap()] = true;
        assert_eq!(told(&store.page(&token, &vms, Pace::Eager).unwrap()), ["mod v2", "mod v1"]);
    }

    #[test]
    fn a_full_load_changes_only_what_is_different() {
        let mut store = store();
        let token = Token::At { stream: 7, generation: store.generation() };
        store.apply(vec![event("VM", "v1", Some("a")), event("pool", "p", Some("C")), event("VM", "v2", Some("n"))], true);
        assert_eq!(told(&store.page(&token, &all(), Pace::Eager).unwrap()), ["mod p", "mod v2", "del b1"]);
        // And once more: the marks of the first one are gone.
        let token = Token::At { stream: 7, generation: store.generation() };
        store.apply(vec![event("pool", "p", Some("C"))], true);
        assert_eq!(told(&store.page(&token, &all(), Pace::Eager).unwrap()), ["del v1", "del v2"]);
    }

    #[test]
    fn long_pages_are_cut_and_nothing_is_lost() {
        let mut store = store();
        let token = Token::At { stream: 7, generation: store.generation() };
        let long = "x".repeat(PAGE / 3);
        let names: Vec<String> = (0..10).map(|at| format!("d{at}")).collect();
        store.apply(names.iter().map(|name| event("VDI", name, Some(&long))).collect(), false);
        let start = store.page(&Token::Start, &all(), Pace::Eager).unwrap().token;
        for (mut token, pace) in [(token, Pace::Eager), (start, Pace::Eager), (Token::Start, Pace::Even)] {
            let mut seen = Vec::new();
            loop {
                let page = store.page(&token, &all(), pace).unwrap();
                assert!(page.events.len() < PAGE * 2);
                let known = told(&page).into_iter().map(|it| it.split(' ').nth(1).unwrap().to_owned());
                seen.extend(known.filter(|it| it.starts_with('d')));
                if page.token == token {
                    break;
                }
                token = page.token;
            }
            assert_eq!(seen, names);
        }
    }

    #[test]
    fn tokens_of_other_streams_and_of_long_ago_are_unknown() {
        let mut store = store();
        assert!(store.page(&Token::At { stream: 8, generation: 1 }, &all(), Pace::Eager).is_none());
        assert!(store.page(&Token::At { stream: 7, generation: 100 }, &all(), Pace::Eager).is_none());
        let old = Token::At { stream: 7, generation: store.generation() };
        for at in 0..=MOST_GONE {
            let name = format!("t{at}");
            store.apply(vec![event("task", &name, Some("t"))], false);
            store.apply(vec![event("task", &name, None)], false);
        }
        assert!(store.page(&old, &all(), Pace::Eager).is_none(), "a deletion since then is not remembered");
        assert_eq!(store.live(place("task").unwrap()), 0);
    }

    #[test]
    fn tokens_are_text_and_back() {
        for token in [
            Token::Start,
            Token::At { stream: u64::MAX, generation: 5 },
            Token::Within { stream: 1, generation: 5, class: 3, reference: "OpaqueRef:a,b".into() },
        ] {
            assert_eq!(token.to_string().parse(), Ok(token));
        }
        for text in ["x", "1", "1,2,3", "1,2,x,r", "00000000000000000123,00000000000000000004x"] {
            assert_eq!(text.parse::<Token>(), Err(()), "{text}");
        }
    }
}
