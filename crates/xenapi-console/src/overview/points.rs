//! Single points of failure, in words.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_topology::impact::SinglePoint;

use crate::object::Object;
use crate::route::{Query, Route, View};
use crate::select;
use crate::tables::Link;
use crate::text::Plural;

/// A part whose failure alone takes VMs away.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// The part.
    pub link: Link,
    /// What follows, in words.
    pub text: String,
    /// The page that says what would stop.
    pub fail: String,
}

impl Point {
    /// The address of the page that says what would stop.
    pub fn route(&self, pool: Option<String>) -> Route {
        Route { query: Query::from([("fail".into(), self.fail.clone())]), ..Route::to(pool, View::Impact) }
    }
}

/// The points in words, the gravest first; those that the pool does not have any more are left out.
pub fn name_points(cache: &Cache, points: &[SinglePoint]) -> Vec<Point> {
    let named = points.iter().filter_map(|point| {
        let (class, reference) = (point.component.class(), point.component.reference());
        let object = Object { class, reference: reference.clone() };
        let uuid = select::uuid_of(cache, &object)?;
        let name = point.component.label(cache);
        let text = match (point.stranded, point.cut_off) {
            (0, cut) => Plural::PointCutOff.of(cut),
            (stranded, 0) => Plural::PointStranded.of(stranded),
            (stranded, cut) => alloc::format!("{}, {}", Plural::PointStranded.of(stranded), Plural::PointCutOff.of(cut)),
        };
        let fail = alloc::format!("{class}/{uuid}");
        Some(Point { link: Link { name, object, uuid }, text, fail })
    });
    named.collect()
}
