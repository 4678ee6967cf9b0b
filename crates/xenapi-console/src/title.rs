//! What stands on the browser's tab and in its history.

use alloc::string::String;

use xenapi_client::Cache;
use xenapi_topology::Lens;

use crate::object::class_name;
use crate::route::View;
use crate::select;
use crate::text::Text;

/// The title of a page: what it is about, first, since tabs are narrow; the pool; the product.
pub fn title(cache: &Cache, view: &View, pool: &str) -> String {
    [here(cache, view).as_str(), pool, Text::Product.get()].join(" · ")
}

/// What a page is about.
fn here(cache: &Cache, view: &View) -> String {
    let words = |text: Text| String::from(text.get());
    match view {
        View::Overview => words(Text::ViewOverview),
        View::Table(kind) => words(kind.label()),
        View::Topology(lens) => {
            let lens = match lens {
                Lens::Compute => Text::LensCompute,
                Lens::Storage => Text::LensStorage,
                Lens::Network => Text::LensNetwork,
            };
            [Text::ViewTopology.get(), lens.get()].join(": ")
        }
        View::Object(named) => {
            let object = select::find(cache, &named.class, &named.uuid);
            let name = object.and_then(|object| select::full_name_of(cache, object.class, &object.reference));
            name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| words(class_name(&named.class)))
        }
        View::Impact => words(Text::ImpactTitle),
        View::Explorer(parts) => match parts.as_slice() {
            [] => words(Text::ApiTitle),
            [class, fields, field] if fields == "fields" => [class.as_str(), field.as_str()].join("."),
            [errors, code] if errors == "errors" => code.clone(),
            [class, message, ..] => [class.as_str(), message.as_str()].join("."),
            [class] => class.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Route;
    use crate::tests::cache;

    #[test]
    fn a_tab_says_what_is_on_it() {
        let of = |address: &str| title(&cache(), &Route::parse(address).view, "West");
        assert_eq!(of("#/pools/a/overview"), "Overview · West · Xenoxide");
        assert_eq!(of("#/pools/a/hosts"), "Hosts · West · Xenoxide");
        assert_eq!(of("#/pools/a/topology/storage"), "Topology: Storage · West · Xenoxide");
        assert_eq!(of("#/pools/a/VM/uuid-db"), "db · West · Xenoxide");
        assert_eq!(of("#/pools/a/VM/uuid-of-none"), "VM · West · Xenoxide");
        assert_eq!(of("#/pools/a/api/VM/start"), "VM.start · West · Xenoxide");
        assert_eq!(of("#/pools/a/api/VM/fields/tags"), "VM.tags · West · Xenoxide");
        assert_eq!(of("#/pools/a/api"), "Learn the API · West · Xenoxide");
    }
}
