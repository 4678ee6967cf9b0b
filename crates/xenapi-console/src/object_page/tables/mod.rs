//! What an object is connected with, as tables: connectors with both of their ends.

mod host;
mod network;
mod storage;
mod vm;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use xenapi_client::Cache;
use xenapi_core::{Class, Field, RawRef, Ref};
use xenapi_model::{Bond, Host, Network, PIF, Pool, SR, VDI, VM};

use super::Part;
use crate::format::natural_cmp;
use crate::object::{Icon, Object};
use crate::route::{Kind, Query, Route, View};
use crate::select::is_known;
use crate::state::FILTER;
use crate::text::Text;

/// A line of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What tells it from the others.
    pub key: RawRef,
    /// How far in it stands, in a tree.
    pub depth: usize,
    /// Its cells, in the order of the headings.
    pub cells: Vec<Part>,
}

/// A table.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Its name for tests and styles.
    pub id: &'static str,
    /// What is in it.
    pub title: Text,
    /// The picture of its kind.
    pub icon: Icon,
    /// The headings; whether the column holds numbers.
    pub headings: Vec<(Text, bool)>,
    /// Its lines, or the first of them.
    pub rows: Vec<Row>,
    /// How many there are in all.
    pub count: usize,
    /// Whether it is known what is in it.
    pub known: bool,
    /// Where all of them are listed, and by which words of a search.
    pub elsewhere: Option<(Kind, String)>,
}

impl Table {
    fn new(id: &'static str, title: Text, icon: Icon, headings: &[(Text, bool)]) -> Table {
        Table { id, title, icon, headings: headings.to_vec(), rows: Vec::new(), count: 0, known: true, elsewhere: None }
    }

    fn row(&mut self, key: &RawRef, cells: impl IntoIterator<Item = Part>) {
        self.rows.push(Row { key: key.clone(), depth: 0, cells: cells.into_iter().collect() });
    }

    /// The address of the table with all of them.
    pub fn route(&self, pool: Option<String>) -> Option<Route> {
        let (kind, words) = self.elsewhere.as_ref()?;
        let query: Query = (!words.is_empty()).then(|| (FILTER.to_string(), words.clone())).into_iter().collect();
        Some(Route { query, ..Route::to(pool, View::Table(*kind)) })
    }

    /// Whether it is worth showing: it has lines, or should have some and nobody knows which.
    fn is_worth_showing(&self) -> bool {
        self.count > 0 || !self.known
    }
}

/// What everything on an object's page is connected with. At most so many lines a table.
pub fn tables(cache: &Cache, object: &Object, limit: usize) -> Vec<Table> {
    let look = Look { cache, limit };
    let tables = match object.class {
        "VM" => look.with::<VM>(object, Look::vm),
        "host" => look.with::<Host>(object, Look::host),
        "pool" => look.with::<Pool>(object, Look::pool),
        "SR" => look.with::<SR>(object, Look::sr),
        "VDI" => look.with::<VDI>(object, Look::vdi),
        "network" => look.with::<Network>(object, Look::network),
        "PIF" => look.with::<PIF>(object, Look::pif),
        "Bond" => look.with::<Bond>(object, Look::bond),
        _ => Vec::new(),
    };
    tables.into_iter().filter(Table::is_worth_showing).collect()
}

/// Where the tables look.
struct Look<'a> {
    cache: &'a Cache,
    limit: usize,
}

type Found<'a, C> = (&'a Ref<C>, &'a <C as Class>::Record);

/// The same with a reference of its own.
type Related<'a, C> = (Ref<C>, &'a <C as Class>::Record);

/// Related objects as they are sorted.
fn found<'r, C: Class>(related: &'r [Related<'_, C>]) -> Vec<Found<'r, C>> {
    related.iter().map(|(reference, record)| (reference, *record)).collect()
}

impl<'a> Look<'a> {
    fn with<C: Class>(&self, object: &Object, make: fn(&Self, &Ref<C>, &C::Record) -> Vec<Table>) -> Vec<Table> {
        let reference = object.reference.clone().typed::<C>();
        self.cache.get(&reference).map_or_else(Vec::new, |record| make(self, &reference, record))
    }

    /// The records behind references, those that are in the data.
    fn all<'r, C: Class>(&self, references: impl IntoIterator<Item = &'r Ref<C>>) -> Vec<Found<'r, C>>
    where
        'a: 'r,
    {
        let cache: &'r Cache = self.cache;
        references.into_iter().filter_map(|reference| Some((reference, &**cache.get(reference)?))).collect()
    }

    /// The objects at the other end of a relation, which the record of this end need not list.
    fn related<C: Class, D: Class>(&self, field: impl Into<Field<C, Vec<Ref<D>>>>, this: &Ref<C>) -> Vec<Related<'a, D>> {
        self.cache.related(field, this).map(|(reference, record)| (reference, &**record)).collect()
    }

    /// The first of them in order, and into the table how many there are. A whole order of thousands is not needed for that.
    fn first<T>(&self, table: &mut Table, mut items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
        table.count = items.len();
        if items.len() > self.limit && self.limit > 0 {
            items.select_nth_unstable_by(self.limit - 1, &order);
            items.truncate(self.limit);
        }
        items.sort_by(order);
        items
    }

    /// Notes that there should be some, but that nobody knows which.
    fn unknown<C: Class>(&self, table: &mut Table, expected: usize) {
        table.known = is_known::<C>(self.cache);
        if !table.known {
            table.count = expected;
        }
    }

    /// The addresses of a VM's interfaces, by device.
    fn addresses(&self, vm: &xenapi_model::vm::Record) -> BTreeMap<String, Vec<String>> {
        let mut by_device: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let Some(guest) = self.cache.get(&vm.guest_metrics) else { return by_device };
        for (key, address) in guest.networks.iter() {
            let Some((device, what)) = key.split_once('/') else { continue };
            let is_address = what == "ip" || what.starts_with("ipv4") || what.starts_with("ipv6");
            let of_device = by_device.entry(device.into()).or_default();
            if is_address && !address.is_empty() && !of_device.iter().any(|known| known == address) {
                of_device.push(address.into());
            }
        }
        for addresses in by_device.values_mut() {
            addresses.sort_by(|a, b| a.contains(':').cmp(&b.contains(':')).then_with(|| natural_cmp(a, b)));
        }
        by_device
    }
}

/// Names in the order of people, and then whatever makes the order total.
fn by_name<'r, C: Class>(name: impl Fn(&C::Record) -> &str) -> impl Fn(&Found<'r, C>, &Found<'r, C>) -> Ordering {
    move |a, b| natural_cmp(name(a.1), name(b.1)).then_with(|| a.0.cmp(b.0))
}

/// A word of a search that names an object.
fn named_word(key: &str, name: &str) -> String {
    format!("{key}:\"{}\"", name.replace('"', " "))
}
