//! Languages as data, and that each file says everything.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::*;
use crate::text::{Plural, Text};

fn read(code: &str) -> Language {
    let path = format!("{}/../../web/static/languages/{code}.lang", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Language::parse(code, &file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn others() -> impl Iterator<Item = Language> {
    LANGUAGES[1..].iter().map(|(code, _)| read(code))
}

/// The placeholders of a template, sorted, each once.
fn placeholders(template: &str) -> BTreeSet<String> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_string()).collect()
}

#[test]
fn every_listed_language_has_its_file_under_its_own_name() {
    for ((code, name), language) in LANGUAGES[1..].iter().zip(others()) {
        assert_eq!((language.code(), language.name()), (*code, *name));
    }
    let folder = format!("{}/../../web/static/languages", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), LANGUAGES.len() - 1, "a file that no line of LANGUAGES names: {files:?}");
}

#[test]
fn every_text_is_translated_with_the_same_placeholders_and_none_is_left_over() {
    for language in others() {
        let mut wrong = vec![];
        let mut known = BTreeSet::new();
        let mut check = |key: String, english: &str, may_lack: &str| match language.text(&key) {
            None => wrong.push(format!("{key} is missing: {english}")),
            Some(text) => {
                let (wanted, mut there) = (placeholders(english), placeholders(text));
                if wanted.contains(may_lack) {
                    there.insert(may_lack.to_string());
                }
                if wanted != there {
                    wrong.push(format!("{key} has other placeholders than “{english}”: {text}"));
                }
                known.insert(key);
            }
        };
        for text in Text::all() {
            check(text.key().to_string(), text.english(), "");
        }
        for plural in Plural::all() {
            for category in language.categories() {
                // A form may say its number in words, or not at all.
                check(format!("{}.{}", plural.key(), category.word()), plural.english(Category::Other), "0");
            }
        }
        wrong.extend(language.keys().filter(|key| !known.contains(*key)).map(|key| format!("{key} is no text")));
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), language.code(), wrong.join("\n"));
    }
}

#[test]
fn what_is_said_follows_the_language_and_goes_back() {
    install(read("zh-CN"));
    assert_eq!(Text::LogIn.get(), "登录");
    assert_eq!(crate::text::vms(1), "1 台虚拟机");
    assert_eq!(crate::format::percent(1, 2).as_deref(), Some("50%"));
    assert!(choose("en"));
    assert_eq!(Text::LogIn.get(), "Log in");
    assert!(choose("zh-CN") && !choose("tlh"));
    assert_eq!(Text::LogIn.get(), "登录");
    assert!(choose("en"));
}

#[test]
fn a_language_with_many_forms_finds_the_right_one() {
    // Polish, by the rules of the Unicode CLDR for whole numbers.
    let polish = "@name = Polski\n@decimal = ,\n@group = space\n\
                  @plural one = n = 1\n\
                  @plural few = n % 10 = 2..4 and n % 100 != 12..14\n\
                  @plural many = n != 1 and n % 10 = 0..1 or n % 10 = 5..9 or n % 100 = 12..14\n\
                  VmCount.one = {0} maszyna\nVmCount.few = {0} maszyny\nVmCount.many = {0} maszyn\n";
    install(Language::parse("pl", polish).unwrap());
    let told: Vec<String> = [1, 2, 5, 12, 21, 22, 1_000_003].map(crate::text::vms).into();
    assert_eq!(
        told,
        ["1 maszyna", "2 maszyny", "5 maszyn", "12 maszyn", "21 maszyn", "22 maszyny", "1\u{202f}000\u{202f}003 maszyny"]
    );
    assert_eq!(crate::format::bytes(1536), "1,5 KiB");
    // What a file lacks is said in English.
    assert_eq!(Text::LogIn.get(), "Log in");
}

#[test]
fn bad_files_say_which_line() {
    let error = |file: &str| Language::parse("xx", file).unwrap_err().to_string();
    assert_eq!(error("# fine\n\nLogIn"), "line 3: it has no “=”");
    assert_eq!(error("LogIn ="), "line 1: its text is empty");
    assert_eq!(error("A = a\nA = b"), "line 2: its key comes twice");
    assert!(error("@plural one = i = 1").contains("n % 10 = 2..4"));
    assert!(error("@plural lots = n = 1").contains("nobody knows"));
    assert!(error("@plural other = n = 1").contains("no rule"));
    assert!(error("@plural one = n % 0 = 1").starts_with("line 1"));
}

#[test]
fn the_readers_language_is_found() {
    assert_eq!(best("", ["de-CH", "zh-Hans-SG", "en"]), "zh-CN");
    assert_eq!(best("", ["zh"]), "zh-CN");
    assert_eq!(best("", ["EN-us", "zh-CN"]), "en");
    assert_eq!(best("zh-CN", ["en"]), "zh-CN");
    assert_eq!(best("tlh", ["tlh"]), "en");
    assert_eq!(best("", []), "en");
}
