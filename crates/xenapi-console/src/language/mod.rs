//! The language in which the console speaks: words, plurals, numbers and dates, all of it data.
//!
//! English is in the source. Another language is a file of `Key = text` lines, which the page fetches when somebody chooses it, and one
//! line in [`LANGUAGES`]. Lines that begin with `@` say how the language writes what is no word:
//!
//! ```text
//! # A comment.
//! @name = Čeština
//! @decimal = ,
//! @group = .
//! @percent = {0} %
//! @date = {day}. {month}. {year}
//! @time = {hour}:{minute}
//! @plural one = n = 1
//! @plural few = n = 2..4
//! LogIn = Přihlásit
//! VmCount.one = {0} VM
//! VmCount.few = {0} VM
//! VmCount.other = {0} VM
//! ```
//!
//! `@group = space` is a narrow space; an empty `@group` puts nothing between thousands. What a file leaves out is as in English.

mod plural;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

pub use plural::{Category, Rules};

/// The languages that there are: the code, as in `<html lang>` and in the name of the file, and the language's own name. The first is the one
/// in the source.
pub const LANGUAGES: &[(&str, &str)] = &[("en", "English"), ("zh-CN", "简体中文")];

/// How a language writes numbers and dates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forms {
    /// Between the whole and its tenths.
    pub decimal: &'static str,
    /// Between thousands.
    pub group: &'static str,
    /// A share, with the number as `{0}`.
    pub percent: &'static str,
    /// A day, of `{year}`, `{month}`, `{day}`.
    pub date: &'static str,
    /// A time of day, of `{hour}`, `{minute}`, `{second}`.
    pub time: &'static str,
    /// A day and a time of it, of `{date}` and `{time}`.
    pub date_time: &'static str,
}

impl Forms {
    const ENGLISH: Forms = Forms {
        decimal: ".",
        group: ",",
        percent: "{0} %",
        date: "{year}-{month}-{day}",
        time: "{hour}:{minute}",
        date_time: "{date} {time}",
    };
}

/// A language.
#[derive(Clone, PartialEq, Debug)]
pub struct Language {
    code: String,
    name: &'static str,
    forms: Forms,
    plurals: Rules,
    texts: BTreeMap<&'static str, &'static str>,
}

/// A line of a language's file that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Language {
    /// The language of the source.
    pub fn english() -> Language {
        let (code, name) = LANGUAGES[0];
        Language { code: code.into(), name, forms: Forms::ENGLISH, plurals: Rules::english(), texts: BTreeMap::new() }
    }

    /// Reads a language's file.
    ///
    /// The text stays in memory until the program ends, because words are handed out as `&'static str`: read each file once.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(code: &str, file: &str) -> Result<Language, BadLine> {
        let file: &'static str = Box::leak(Box::from(file));
        let mut language = Language { code: code.into(), plurals: Rules::default(), ..Language::english() };
        for (at, line) in file.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                language.line(line).map_err(|what| BadLine { line: at + 1, what })?;
            }
        }
        Ok(language)
    }

    fn line(&mut self, line: &'static str) -> Result<(), &'static str> {
        let (key, text) = line.split_once('=').ok_or("it has no “=”")?;
        let (key, text) = (key.trim(), text.trim());
        let Some(header) = key.strip_prefix('@') else {
            if text.is_empty() {
                return Err("its text is empty");
            }
            return match self.texts.insert(key, text) {
                None => Ok(()),
                Some(_) => Err("its key comes twice"),
            };
        };
        let slot = match header {
            "name" => &mut self.name,
            "decimal" => &mut self.forms.decimal,
            "group" => &mut self.forms.group,
            "percent" => &mut self.forms.percent,
            "date" => &mut self.forms.date,
            "time" => &mut self.forms.time,
            "date-time" => &mut self.forms.date_time,
            _ => {
                let category = header.strip_prefix("plural ").and_then(|word| Category::from_word(word.trim()));
                let category = category.ok_or("nobody knows this “@” word")?;
                return self.plurals.add(category, text);
            }
        };
        *slot = if text == "space" { "\u{202f}" } else { text };
        Ok(())
    }

    /// Its code, for example `zh-CN`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Its own name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it writes numbers and dates.
    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// Which of its plural categories a number belongs to.
    pub fn category(&self, number: u64) -> Category {
        self.plurals.category(number)
    }

    /// The categories that numbers can have in it, `other` included.
    pub fn categories(&self) -> Vec<Category> {
        self.plurals.categories()
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&'static str> {
        self.texts.get(key).copied()
    }

    /// The form of a plural's key.
    pub(crate) fn form(&self, key: &str, category: Category) -> Option<&'static str> {
        // The source's language has no texts here: nothing is looked up for it.
        (!self.texts.is_empty()).then(|| self.text(&[key, ".", category.word()].concat())).flatten()
    }

    /// The keys that it has.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.texts.keys().copied()
    }
}

std::thread_local! {
    static CURRENT: RefCell<Rc<Language>> = RefCell::new(Rc::new(Language::english()));
    static LOADED: RefCell<Vec<Rc<Language>>> = const { RefCell::new(Vec::new()) };
}

/// The language in which everything is said now, in this thread.
pub fn current() -> Rc<Language> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Speaks a language from now on, in this thread, and keeps it so that [`choose`] finds it.
pub fn install(language: Language) {
    let language = Rc::new(language);
    LOADED.with(|loaded| {
        let mut loaded = loaded.borrow_mut();
        loaded.retain(|it| it.code != language.code);
        loaded.push(language.clone());
    });
    CURRENT.with(|current| *current.borrow_mut() = language);
}

/// Speaks a language that is known already: English, or one that was installed. Whether it is.
pub fn choose(code: &str) -> bool {
    let found = if code == LANGUAGES[0].0 {
        Some(Rc::new(Language::english()))
    } else {
        LOADED.with(|loaded| loaded.borrow().iter().find(|it| it.code == code).cloned())
    };
    let is_known = found.is_some();
    if let Some(language) = found {
        CURRENT.with(|current| *current.borrow_mut() = language);
    }
    is_known
}

/// The text of a key in the current language, where that is not the source's.
pub(crate) fn translated(key: &str) -> Option<&'static str> {
    CURRENT.with(|current| current.borrow().text(key))
}

/// Looks at the current language.
pub(crate) fn with<R>(look: impl FnOnce(&Language) -> R) -> R {
    CURRENT.with(|current| look(&current.borrow()))
}

/// The language that fits best: the one that was chosen, else the first of the reader's that there is, else the source's. `zh`, `zh-Hans` and
/// `zh-SG` all find `zh-CN`: a neighbour's words are better than a stranger's.
pub fn best<'a>(chosen: &str, wanted: impl IntoIterator<Item = &'a str>) -> &'static str {
    fn main_part(code: &str) -> &str {
        code.split(['-', '_']).next().unwrap_or(code)
    }
    let codes = || LANGUAGES.iter().map(|(code, _)| *code);
    if let Some(code) = codes().find(|code| *code == chosen) {
        return code;
    }
    let fitting = |wanted: &str| {
        let same = codes().find(|code| code.eq_ignore_ascii_case(wanted));
        same.or_else(|| codes().find(|code| main_part(code).eq_ignore_ascii_case(main_part(wanted))))
    };
    wanted.into_iter().find_map(fitting).unwrap_or(LANGUAGES[0].0)
}

#[cfg(test)]
mod tests;
