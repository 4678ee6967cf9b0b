//! Tables of every kind of object.

mod cells;
mod facets;
mod grid;
mod heading;
mod menu;
mod query_box;
mod tools;

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use xenapi_console::format;
use xenapi_console::query::Query;
use xenapi_console::route::Kind;
use xenapi_console::select;
use xenapi_console::state::{Action, FILTER};
use xenapi_console::tables::{Ask, Columns, Row, Selection, Sort, Spec, Table};
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::dom;
use crate::store::{Data, Same, StoreHandle, use_data, use_store};

pub(crate) use cells::{bar, progress};
use facets::FacetBar;
use grid::Grid;
use query_box::QueryBox;
use tools::{ColumnsMenu, ExportMenu};

/// The words in the address under which a table keeps its order and its columns.
const SORT: &str = "sort";
const COLUMNS: &str = "cols";

#[derive(Properties, PartialEq)]
pub(crate) struct TableProps {
    pub(crate) kind: Kind,
}

/// A table of one kind, to be keyed by it.
#[component]
pub(crate) fn TablePage(props: &TableProps) -> Html {
    let (store, data) = (use_store(), use_data());
    let spec = Spec::of(props.kind);
    let text = store.0.query.get(FILTER).cloned().unwrap_or_default();
    let query = use_memo(text.clone(), |text| Query::parse(text, spec));
    let sort = use_memo(store.0.query.get(SORT).cloned(), |text| Sort::of(text.as_deref(), spec));
    let columns = use_columns(&store, spec);
    let table = use_mut_ref(|| Table::new(props.kind));
    let now = if query.asks_for_ages() { dom::clock() / 60 * 60 } else { 0 };
    let ask = Ask { query: (*query).clone(), sort: (*sort).clone(), now };
    let rows = use_rows(&data, &table, ask, spec);
    let all = table.borrow().all().len();
    let is_filling = rows.is_none();
    let rows = rows.unwrap_or_default();
    let selection = use_state(Selection::default);
    let chosen = selection.chosen.len();
    html! {
        <>
            <div class="toolbar table-tools">
                <QueryBox {spec} text={text.clone()} query={Same(query.clone())} table={Same(table.clone())} />
                <span class="count" role="status" data-testid={testid(spec, "count")}>{ count(spec, rows.len(), all) }</span>
                if chosen > 1 { <span class="count chosen">{ Text::Chosen.with(&[&format::count(chosen)]) }</span> }
                <span class="spacer"></span>
                <ColumnsMenu {spec} columns={Same(columns.clone())} />
                <ExportMenu {spec} columns={Same(columns.clone())} rows={Same(rows.clone())} selection={(*selection).clone()} />
            </div>
            <FacetBar {spec} {text} query={Same(query)} table={Same(table)} stamp={data.stamp(spec.classes)} {now} />
            if is_filling {
                <p class="quiet table-filling" role="status">{ Text::Loading.get() }</p>
            } else if rows.is_empty() {
                { nothing(&store, &data, spec, all) }
            } else {
                <Grid {spec} rows={Same(rows)} columns={Same(columns)} sort={Same(sort)} {selection} />
            }
        </>
    }
}

/// For so long rows are made at a time, in milliseconds, and about so many before the clock is looked at.
const WORK: f64 = 16.0;
const BUDGET: usize = 256;

/// The rows that are asked for; nothing as long as they are made for the first time, which thousands of them take a while.
#[hook]
fn use_rows(data: &Data, table: &Rc<RefCell<Table>>, ask: Ask, spec: &Spec) -> Option<Rc<Vec<Rc<Row>>>> {
    let turn = use_state(|| 0_u32);
    let rows = use_memo((data.stamp(spec.classes), ask, *turn), |(_, ask, _)| {
        let begun = dom::precise_now();
        data.with(|cache| {
            loop {
                let rows = table.borrow_mut().step(cache, ask, BUDGET);
                if rows.is_some() || dom::precise_now() - begun >= WORK {
                    return rows;
                }
            }
        })
    });
    {
        let is_filling = rows.is_none();
        use_effect_with((is_filling, *turn), move |(is_filling, _)| {
            let next = turn.clone();
            let timer = is_filling.then(|| Timeout::new(0, move || next.set(*next + 1)));
            move || drop(timer)
        });
    }
    (*rows).clone()
}

fn testid(spec: &Spec, what: &str) -> String {
    format!("{}-{what}", spec.testid)
}

fn count(spec: &Spec, shown: usize, all: usize) -> String {
    if shown == all {
        spec.counted.of(all)
    } else {
        Text::TableCountOf.with(&[&format::count(shown), &spec.counted.of(all)])
    }
}

/// The columns that the address asks for, else those of the last visit, else those that the kind begins with.
#[hook]
fn use_columns(store: &StoreHandle, spec: &'static Spec) -> Rc<Columns> {
    let asked = store.0.query.get(COLUMNS).cloned();
    use_memo(asked, |asked| {
        let kept = asked.clone().or_else(|| dom::storage::columns(spec.kind.path()));
        kept.map_or_else(|| Columns::standard(spec), |text| Columns::parse(&text, spec))
    })
}

/// Shows other columns from now on, here and at the next visit.
fn keep_columns(store: &StoreHandle, spec: &'static Spec, columns: &Columns) {
    let text = columns.write(spec);
    dom::storage::set_columns(spec.kind.path(), text.as_deref());
    store.dispatch(Action::Keep(COLUMNS.into(), text));
}

/// Where there are no rows: why, and what to do.
fn nothing(store: &StoreHandle, data: &Data, spec: &Spec, all: usize) -> Html {
    if all > 0 {
        let clear = {
            let store = store.clone();
            Callback::from(move |_| store.dispatch(Action::Filter(String::new())))
        };
        let filter = store.0.query.get(FILTER).map_or("", String::as_str);
        let remedy = Some((Text::ClearFilter.get().into(), clear));
        return empty("no-match", &Text::NoMatch.with(&[filter]), Text::NoMatchHint.get(), remedy);
    }
    if data.with(|cache| select::is_known_class(cache, spec.kind.class())) {
        empty("no-rows", Text::NoRows.get(), spec.none.get(), None)
    } else {
        empty("rows-unknown", Text::RowsUnknown.get(), Text::RowsUnknownHint.get(), None)
    }
}
