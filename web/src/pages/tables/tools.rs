//! Which columns there are, and taking the rows elsewhere.

use std::rc::Rc;

use xenapi_console::tables::{self, Columns, Row, Selection, Shape, Spec};
use xenapi_console::text::{Plural, Text};
use yew::prelude::*;

use super::menu::Menu;
use super::{keep_columns, testid};
use crate::components::{Mark, mark};
use crate::dom;
use crate::store::{Same, use_store};

#[derive(Properties, PartialEq)]
pub(super) struct ColumnsProps {
    pub(super) spec: &'static Spec,
    pub(super) columns: Same<Columns>,
}

/// Which columns are shown, and in which order.
#[component]
pub(super) fn ColumnsMenu(props: &ColumnsProps) -> Html {
    let store = use_store();
    let (spec, columns) = (props.spec, props.columns.clone());
    let panel = Callback::from(move |()| {
        let change = |to: Columns| {
            let store = store.clone();
            Callback::from(move |_: MouseEvent| keep_columns(&store, spec, &to))
        };
        let shown = columns.shown().iter().map(|it| it.column);
        let hidden = (0..spec.columns.len()).filter(|at| !columns.has(*at));
        let last = columns.shown().last().map(|it| it.column);
        let first = columns.shown().first().map(|it| it.column);
        let lines = shown.chain(hidden).map(|at| {
            let column = &spec.columns[at];
            let title = column.title.get();
            let has = columns.has(at);
            html! {
                <li key={column.id}>
                    <button type="button" class="facet-check" aria-pressed={has.to_string()}
                        onclick={change(columns.toggle(at, spec))} data-testid={format!("column-{}", column.id)}>
                        <span class="tick" aria-hidden="true"></span>{ title }
                    </button>
                    if has {
                        <button type="button" class="icon-button" disabled={first == Some(at)} aria-label={Text::ColumnLeft.with(&[title])}
                            title={Text::ColumnLeft.with(&[title])} onclick={change(columns.shift(at, false))}>{ mark(Mark::Up) }</button>
                        <button type="button" class="icon-button" disabled={last == Some(at)} aria-label={Text::ColumnRight.with(&[title])}
                            title={Text::ColumnRight.with(&[title])} onclick={change(columns.shift(at, true))}>{ mark(Mark::Down) }</button>
                    }
                </li>
            }
        });
        html! {
            <>
                <ul class="column-list">{ for lines }</ul>
                <button type="button" class="button" onclick={change(Columns::standard(spec))}>{ Text::ColumnsReset.get() }</button>
            </>
        }
    });
    let title = Text::ColumnsButton.get();
    html! {
        <Menu class="at-end" label={html! { <>{ mark(Mark::Rows) }<span class="word">{ title }</span></> }} {title}
            testid={testid(spec, "columns")} {panel} />
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct ExportProps {
    pub(super) spec: &'static Spec,
    pub(super) columns: Same<Columns>,
    pub(super) rows: Same<Vec<Rc<Row>>>,
    pub(super) selection: Selection,
}

/// The rows as a file or on the clipboard: the chosen ones, or all that are shown.
#[component]
pub(super) fn ExportMenu(props: &ExportProps) -> Html {
    let told = use_state_eq(String::new);
    let spec = props.spec;
    let panel = {
        let (columns, rows, selection, told) =
            (props.columns.clone(), props.rows.clone(), props.selection.clone(), told.setter());
        Callback::from(move |()| {
            let save = |mime: &'static str, ending: &'static str, write: Writer| {
                let (columns, rows, selection) = (columns.clone(), rows.clone(), selection.clone());
                Callback::from(move |_: MouseEvent| {
                    let text = write(&mut selection.of(&rows), &columns, spec);
                    dom::transfer::save(&format!("{}.{ending}", spec.kind.path()), mime, &text);
                })
            };
            let copy = {
                let (columns, rows, selection, told) = (columns.clone(), rows.clone(), selection.clone(), told.clone());
                Callback::from(move |_: MouseEvent| told.set(copy(spec, &columns, &rows, &selection)))
            };
            let count = selection.of(&rows).count();
            html! {
                <>
                <p class="quiet">{ Plural::ExportRows.of(count) }</p>
                <ul class="choices">
                    <li><button type="button" onclick={save("text/csv", "csv", csv)} data-testid="export-csv">{ Text::ExportCsv.get() }</button></li>
                    <li><button type="button" onclick={save("application/json", "json", json)} data-testid="export-json">{ Text::ExportJson.get() }</button></li>
                    <li><button type="button" onclick={copy} data-testid="export-copy">{ Text::ExportCopy.get() }</button></li>
                </ul>
                </>
            }
        })
    };
    let title = Text::ExportButton.get();
    html! {
        <>
            <span class="told" role="status">{ &*told }</span>
            <Menu class="at-end" label={html! { <>{ mark(Mark::Save) }<span class="word">{ title }</span></> }} {title}
                testid={testid(spec, "export")} {panel} />
        </>
    }
}

type Writer = fn(&mut dyn Iterator<Item = &Rc<Row>>, &Columns, &Spec) -> String;

fn csv(rows: &mut dyn Iterator<Item = &Rc<Row>>, columns: &Columns, spec: &Spec) -> String {
    tables::csv(rows, columns, spec)
}

fn json(rows: &mut dyn Iterator<Item = &Rc<Row>>, columns: &Columns, spec: &Spec) -> String {
    tables::json(rows, columns, spec)
}

/// Puts rows on the clipboard, and says so.
pub(super) fn copy(spec: &Spec, columns: &Columns, rows: &[Rc<Row>], selection: &Selection) -> String {
    let count = selection.of(rows).count();
    if dom::transfer::copy(&tables::tsv(selection.of(rows), columns, spec)) {
        Plural::CopiedRows.of(count)
    } else {
        Text::CopyRowsFailed.get().into()
    }
}

/// Whether the heading of a column stands at its end.
pub(super) fn is_number(shape: Shape) -> bool {
    shape.is_number()
}
