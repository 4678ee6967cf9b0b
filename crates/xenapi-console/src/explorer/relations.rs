//! How a class hangs together with others.

use alloc::string::String;
use alloc::vec::Vec;

use super::catalogue::{Catalogue, Class};

/// A class that another one knows, or that knows it, and by which fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Neighbour {
    /// The class.
    pub class: String,
    /// The fields that refer, with the other end behind them where the relation is kept on both sides: `VIFs`.
    pub fields: Vec<String>,
}

/// A class between those that refer to it and those that it refers to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Relations {
    /// Those that refer to it, most fields first.
    pub from: Vec<Neighbour>,
    /// Those that it refers to.
    pub to: Vec<Neighbour>,
}

/// The relations of a class.
///
/// A relation that both classes know stands once, on the side where it is stored by the schema: at the one that refers to a single
/// object, as a VBD refers to its VM.
pub fn relations(catalogue: &Catalogue, class: &Class) -> Relations {
    let mut relations = Relations::default();
    for field in &class.fields {
        let Some(other) = field.ty.class() else { continue };
        // What is a set here is a single reference there, and drawn from there.
        if !is_computed(field) || other == class.name {
            add(&mut relations.to, other, &field.name);
        }
    }
    for other in catalogue.classes.iter().filter(|it| it.name != class.name) {
        for field in &other.fields {
            if field.ty.class() == Some(class.name.as_str()) && !is_computed(field) {
                add(&mut relations.from, &other.name, &field.name);
            }
        }
    }
    for side in [&mut relations.from, &mut relations.to] {
        side.sort_by(|a, b| b.fields.len().cmp(&a.fields.len()).then_with(|| a.class.cmp(&b.class)));
    }
    relations
}

fn is_computed(field: &super::catalogue::Field) -> bool {
    !field.other.is_empty() && matches!(field.ty, super::ty::Ty::Set(_))
}

fn add(side: &mut Vec<Neighbour>, class: &str, field: &str) {
    match side.iter_mut().find(|it| it.class == class) {
        Some(neighbour) => neighbour.fields.push(field.into()),
        None => side.push(Neighbour { class: class.into(), fields: alloc::vec![field.into()] }),
    }
}
