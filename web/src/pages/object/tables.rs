//! Tables of what an object is connected with.

use xenapi_console::format;
use xenapi_console::object_page::tables::{Row, Table};
use xenapi_console::text::Text;
use yew::prelude::*;

use super::link::{Go, use_go};
use crate::components::icon;
use crate::store::Same;

#[derive(Properties, PartialEq)]
pub(super) struct TableProps {
    pub(super) table: Same<Table>,
    pub(super) more: Callback<()>,
    pub(super) can_more: bool,
}

/// A table.
#[component]
pub(super) fn TableView(props: &TableProps) -> Html {
    let go = use_go();
    let table = &props.table;
    let id = format!("table-{}", table.id);
    let note = if table.known { format::count(table.count) } else { Text::Unknown.get().into() };
    html! {
        <section class="object-section" aria-labelledby={id.clone()} data-testid={format!("object-{}", table.id)}>
            <h2 {id}>{ icon(table.icon) }<span>{ table.title.get() }</span><span class="quiet count">{ note }</span></h2>
            if !table.rows.is_empty() {
                <div class="connectors-frame" tabindex="0" role="group" aria-label={table.title.get()}>
                    <table class="connectors">
                        <thead><tr>{ for table.headings.iter().map(|(text, number)| html! {
                            <th scope="col" class={number.then_some("number")}>{ text.get() }</th>
                        }) }</tr></thead>
                        <tbody>{ for table.rows.iter().map(|row| line(&go, table, row)) }</tbody>
                    </table>
                </div>
            }
            { footer(props, &go) }
        </section>
    }
}

fn line(go: &Go, table: &Table, row: &Row) -> Html {
    let cells = row.cells.iter().enumerate().map(|(at, part)| {
        let (heading, number) = table.headings.get(at).copied().unwrap_or((Text::Nothing, false));
        let depth = (at == 0 && row.depth > 0).then(|| format!("depth-{}", row.depth.min(8)));
        // On a phone each cell says what it is, since there is no room for headings.
        html! { <td class={classes!(number.then_some("number"), depth)} data-label={heading.get()}>{ go.part(part) }</td> }
    });
    html! { <tr key={row.key.as_str().to_owned()}>{ for cells }</tr> }
}

/// What is not listed, and where it is.
fn footer(props: &TableProps, go: &Go) -> Html {
    let table = &props.table;
    let hidden = table.count > table.rows.len() && table.known;
    if !hidden {
        return html! {};
    }
    let more = {
        let more = props.more.clone();
        move |_| more.emit(())
    };
    html! {
        <p class="object-more">
            if props.can_more {
                <button type="button" class="button" onclick={more}>{ Text::ShowAll.with(&[&format::count(table.count)]) }</button>
            }
            if let Some(route) = table.route(go.pool.clone()) {
                <a class="button" href={route.path()} onclick={go.on_click(&route)}>{ Text::ListedElsewhere.get() }</a>
            }
        </p>
    }
}
