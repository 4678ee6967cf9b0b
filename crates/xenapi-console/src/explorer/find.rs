//! Finding classes, fields, messages and errors by a few letters.

use alloc::string::String;
use alloc::vec::Vec;

use super::catalogue::Catalogue;

/// Something that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What it is.
    pub sort: Sort,
    /// Its class; empty for an error.
    pub class: String,
    /// Its name; empty for a class.
    pub name: String,
    /// What it is, in a sentence.
    pub doc: String,
}

/// What may be found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// A class.
    Class,
    /// A message.
    Message,
    /// A field.
    Field,
    /// An error.
    Error,
}

/// What has all the words in its name, or in its sentence; the best first, at most `most`.
pub fn find(catalogue: &Catalogue, words: &str, most: usize) -> Vec<Hit> {
    let words: Vec<String> = words
        .split(|c: char| c.is_whitespace() || c == '.')
        .map(str::to_ascii_lowercase)
        .filter(|it| !it.is_empty())
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<(u32, Hit)> = Vec::new();
    let mut consider = |sort: Sort, class: &str, name: &str, doc: &str| {
        let own = if sort == Sort::Class { class } else { name };
        if let Some(rank) = rank(&words, class, own, doc) {
            let name = if sort == Sort::Class { "" } else { name };
            let class = if sort == Sort::Error { "" } else { class };
            hits.push((rank, Hit { sort, class: class.into(), name: name.into(), doc: doc.into() }));
        }
    };
    for class in &catalogue.classes {
        consider(Sort::Class, &class.name, "", &class.doc);
        for message in &class.messages {
            consider(Sort::Message, &class.name, &message.name, &message.doc);
        }
        for field in &class.fields {
            consider(Sort::Field, &class.name, &field.name, &field.doc);
        }
    }
    for error in &catalogue.errors {
        consider(Sort::Error, "", &error.code, &error.doc);
    }
    hits.sort_by(|(a, x), (b, y)| {
        let length = |it: &Hit| it.class.len() + it.name.len();
        a.cmp(b)
            .then(x.sort.cmp(&y.sort))
            .then(length(x).cmp(&length(y)))
            .then_with(|| (&x.class, &x.name).cmp(&(&y.class, &y.name)))
    });
    hits.into_iter().take(most).map(|(_, hit)| hit).collect()
}

/// How well it fits, from 0; none if a word is nowhere in it.
fn rank(words: &[String], class: &str, own: &str, doc: &str) -> Option<u32> {
    let (class, own, doc) = (class.to_ascii_lowercase(), own.to_ascii_lowercase(), doc.to_ascii_lowercase());
    let mut sum = 0;
    for word in words {
        sum += match () {
            () if own == *word => 0,
            () if class == *word => 1,
            () if own.starts_with(word.as_str()) => 2,
            () if own.contains(word.as_str()) => 4,
            () if class.contains(word.as_str()) => 6,
            () if doc.contains(word.as_str()) => 12,
            () => return None,
        };
    }
    Some(sum)
}
