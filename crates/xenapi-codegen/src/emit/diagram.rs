//! The page that shows how the classes join: a drawing, and the same as tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Schema;
use crate::names::type_name;
use crate::schema::{Class, Type};

/// What stands in which column of the drawing.
const COLUMNS: [&[&str]; 5] =
    [&["policy", "access", "service"], &["core"], &["connector"], &["hardware"], &["metrics", "legacy"]];
const WIDTH: usize = 168;
const STEP: usize = 230;
const ROW: usize = 26;

/// Where a class stands: left, top.
type Spots<'a> = BTreeMap<&'a str, (usize, usize)>;

pub(super) fn page(schema: &Schema) -> String {
    let mut out = String::from("Which classes there are, and which join which.\n\n");
    let spots = spots(schema);
    out.push_str(&svg(schema, &spots));
    out.push_str(
        "\nA line is a relation: two fields that mirror each other. The side that is stored is the one that can be written, if any is; \
         the other one is computed from it.\n\n# Relations\n\n| stored | computed from it |\n| --- | --- |\n",
    );
    for (stored, computed) in &schema.relations {
        let _ = writeln!(out, "| {} | {} |", end(schema, stored), end(schema, computed));
    }
    out.push_str("\n# References that nothing mirrors\n\n| field | names |\n| --- | --- |\n");
    for class in &schema.classes {
        for field in class.fields.iter().filter(|field| field.relation.is_none()) {
            let (target, null) = match &field.ty {
                Type::Ref(target) => (target, ""),
                Type::NullRef(target) => (target, ", or nothing"),
                _ => continue,
            };
            let _ = writeln!(out, "| `{}.{}` | [`{target}`](crate::{}){null} |", class.name, field.name, type_name(target));
        }
    }
    out.push_str("\n# Classes by their place\n");
    for place in crate::schema::PLACES {
        let _ = write!(out, "\n- **{place}**:");
        for class in schema.classes.iter().filter(|class| class.place == place) {
            let _ = write!(out, " [`{}`](crate::{})", class.name, type_name(&class.name));
        }
    }
    out.push('\n');
    out
}

/// `` `VBD.VM` ``, and that the server keeps it to itself where it does.
fn end(schema: &Schema, side: &str) -> String {
    let known = side.split_once('.').is_some_and(|(class, field)| {
        let class = schema.classes.iter().find(|it| it.name == class);
        class.is_some_and(|class| class.fields.iter().any(|it| it.name == field))
    });
    if known { format!("`{side}`") } else { format!("`{side}`, known to the server alone") }
}

/// Classes that join others, in columns by their place.
fn spots(schema: &Schema) -> Spots<'_> {
    let joins = |class: &Class| {
        let starts = |side: &str| side.split('.').next() == Some(class.name.as_str());
        schema.relations.iter().any(|(stored, computed)| starts(stored) || starts(computed))
    };
    let mut spots = Spots::new();
    for (column, places) in COLUMNS.iter().enumerate() {
        let mut row = 0;
        for place in *places {
            for class in schema.classes.iter().filter(|class| class.place == *place && joins(class)) {
                spots.insert(&class.name, (column * STEP + 4, row * ROW + 4));
                row += 1;
            }
        }
    }
    // Columns are centred.
    let rows = |column: usize| spots.values().filter(|(left, _)| *left == column * STEP + 4).count();
    let most = (0..COLUMNS.len()).map(rows).max().unwrap_or(0);
    let shift: Vec<usize> = (0..COLUMNS.len()).map(|column| (most - rows(column)) * ROW / 2).collect();
    for (left, top) in spots.values_mut() {
        *top += shift[(*left - 4) / STEP];
    }
    spots
}

fn svg(schema: &Schema, spots: &Spots<'_>) -> String {
    let width = (COLUMNS.len() - 1) * STEP + WIDTH + 60;
    let height = spots.values().map(|(_, top)| top + ROW).max().unwrap_or(0) + 4;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"100%\" role=\"img\" \
         aria-label=\"The classes and their relations, as listed below\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <g fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.35\">\n"
    );
    for (stored, computed) in &schema.relations {
        let class = |side: &str| side.split('.').next().and_then(|name| spots.get(name)).copied();
        let (Some(from), Some(to)) = (class(stored), class(computed)) else { continue };
        let _ = writeln!(out, "<path d=\"{}\"><title>{stored} – {computed}</title></path>", curve(from, to));
    }
    out.push_str("</g>\n<g fill=\"currentColor\">\n");
    for (name, (left, top)) in spots {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{WIDTH}\" height=\"20\" rx=\"3\" fill-opacity=\"0.12\"/>\
             <text x=\"{}\" y=\"{}\">{name}</text>",
            left + 6,
            top + 14
        );
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// From the right of one box to the left of the other; within a column around its right.
fn curve(from: (usize, usize), to: (usize, usize)) -> String {
    let (from, to) = if from.0 <= to.0 { (from, to) } else { (to, from) };
    let (start, start_y, end_y) = (from.0 + WIDTH, from.1 + 10, to.1 + 10);
    if from.0 == to.0 {
        let out = start + 16 + start_y.abs_diff(end_y) / 8;
        return format!("M{start} {start_y}C{out} {start_y} {out} {end_y} {start} {end_y}");
    }
    let middle = (start + to.0) / 2;
    format!("M{start} {start_y}C{middle} {start_y} {middle} {end_y} {} {end_y}", to.0)
}
