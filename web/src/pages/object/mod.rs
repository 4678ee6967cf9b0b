//! The page about one object.

mod around;
mod body;
mod fields;
mod head;
mod link;
mod paths;
mod raw;
mod record;
mod tables;

use std::rc::Rc;

use xenapi_console::object_page::OF_OBJECT;
use xenapi_console::object_page::page::{self, Located};
use xenapi_console::route::Named;
use xenapi_console::select::{self, Details};
use xenapi_console::text::Text;
use yew::prelude::*;

use crate::components::empty;
use crate::store::use_data;
use body::Body;
use record::{Fetched, Identity, Version, use_record};

pub(crate) use link::{Go, object_route, use_go};

#[derive(Clone, Properties, PartialEq)]
pub(crate) struct ObjectProps {
    pub(crate) named: Named,
}

/// The page.
#[component]
pub(crate) fn ObjectPage(props: &ObjectProps) -> Html {
    let data = use_data();
    let stamp = data.stamp(OF_OBJECT);
    let located = {
        let data = data.clone();
        use_memo((stamp, props.named.clone()), move |(_, named)| data.with(|cache| page::locate(cache, named)))
    };
    let details = {
        let (data, located) = (data.clone(), located.clone());
        use_memo(stamp, move |_| match &*located {
            Located::Here(object) => data.with(|cache| select::details(cache, object)),
            _ => None,
        })
    };
    // What was known last, for an object that is gone.
    let last = use_mut_ref(|| None::<Details>);
    if details.is_some() {
        last.borrow_mut().clone_from(&details);
    }
    let version = match &*located {
        Located::Here(object) => Version(data.with(|cache| select::record_of(cache, object))),
        _ => Version(None),
    };
    let identity = match &*located {
        Located::Here(object) => Some(Identity { class: object.class, text: object.reference.as_str().into() }),
        Located::AtServer(class) => Some(Identity { class, text: props.named.uuid.clone() }),
        Located::Missing(_) | Located::NoClass => None,
    };
    let fetched = use_record(&data, identity, version);
    match (&*located, &fetched) {
        (Located::NoClass, _) => {
            let title = Text::NoSuchClass.with(&[&props.named.class]);
            empty("no-such-class", &title, Text::NoSuchClassHint.get(), None)
        }
        (Located::Missing(class), _) => match last.borrow().as_ref() {
            Some(last) => gone(last, &fetched),
            None => missing(class, &props.named.uuid),
        },
        (Located::AtServer(class), Fetched::Failed(_)) => missing(class, &props.named.uuid),
        (Located::AtServer(_), Fetched::Asking) => empty("object-loading", Text::LookingFor.get(), "", None),
        (Located::AtServer(class), Fetched::Known(_)) => html! {
            <Body object={None} class={*class} details={None} named={props.named.clone()} {fetched} gone={false} />
        },
        (Located::Here(object), _) => html! {
            <Body object={Some(object.clone())} class={object.class} details={details.as_ref().clone().map(Rc::new)}
                named={props.named.clone()} {fetched} gone={false} />
        },
    }
}

fn missing(class: &str, identity: &str) -> Html {
    let hint = Text::NoSuchObjectHint.with(&[class, identity]);
    empty("no-such-object", Text::NoSuchObject.get(), &hint, None)
}

/// What is left to say of an object that is gone.
fn gone(last: &Details, fetched: &Fetched) -> Html {
    let hint = Text::GoneWasHint.with(&[last.class.get()]);
    html! {
        <div class="object-page" data-testid="object-gone">
            <header class="object-head gone">
                { crate::components::icon(last.icon) }
                <div>
                    <h1>{ Text::GoneWas.with(&[&last.title]) }</h1>
                    <p class="quiet" role="status">{ hint }</p>
                </div>
            </header>
            <Body object={Some(last.object.clone())} class={last.object.class} details={Some(Rc::new(last.clone()))}
                named={Named { class: last.object.class.into(), uuid: last.object.reference.as_str().into() }}
                fetched={fetched.clone()} gone={true} />
        </div>
    }
}
