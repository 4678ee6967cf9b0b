//! Tests of the notation.

use super::*;

const SAMPLE: &str = "\
class Thing; core; secret; published rio; implicit get_all get_record; read vm-operator; create vm-admin, destroy pool-admin; no events
  What it is.

enum thing_kind = a | b-c

enum other_kind

field uuid: string; dynamic; published rio
field size: int; static; needed; in bytes; default 0; published rio
field key: string; static; created with \"x\"; secret; published rio
field tags: string set; rw vm-operator client-cert; default {}; published rio, deprecated boston
  Words.
field on: host ref?; dynamic; default Null; published rio
field when: string; dynamic; declared datetime; published rio
field parts: Part ref set; dynamic; mirrors Part.thing; published rio

message poke(self: Thing ref, how: enum thing_kind, secret word: string, often?: int in seconds = 3) -> (Thing ref -> string) map; vm-admin client-cert; sync; changes size; published rio; errors A B
  Pokes it.

message weigh(self: Thing ref) -> int in bytes; read-only; looks; published rio
";

#[test]
fn what_is_printed_reads_back() {
    let class = parse(SAMPLE).expect("the sample is right");
    assert_eq!(class.fields.len(), 7);
    let often = &class.messages[0].params[3];
    assert!(!often.required && often.unit.as_deref() == Some("seconds") && often.default.as_deref() == Some("3"));
    assert_eq!(class.fields[4].ty, Type::NullRef("host".into()));
    assert_eq!(print(&class), SAMPLE);
}

#[test]
fn errors_relations_and_releases_read_back() {
    let errors = "A(vm: VM ref, text)\n  What it means.\nB(vm); raised (class, vm: VM ref)\nC()\nD(); raised (sr: SR ref)\n";
    let read = parse_errors(errors).expect("they are right");
    assert_eq!((read[1].declared.len(), read[1].params.len(), read[0].doc.as_str()), (1, 2, "What it means."));
    assert_eq!(print_errors(&read), errors);
    let relations = "VBD.VM mirrored by VM.VBDs\n";
    assert_eq!(print_relations(&parse_relations(relations).expect("it is right")), relations);
    let releases = "rio; 1.1; XenServer 4.0; August 2007\noslo; 2.13; Unreleased\n";
    assert_eq!(print_releases(&parse_releases(releases).expect("they are right")), releases);
}

#[test]
fn mistakes_name_their_line() {
    for (bad, says) in [
        ("class A\nfield x: strin; rw", "line 2: unknown type \"strin\""),
        ("class A\nfield x: string; wr", "line 2: \"wr\" is none of"),
        ("class A\nfield x: int; rw; in miles", "line 2: \"miles\" is none of bytes"),
        ("class A\nfield x: string?; rw", "only references"),
        ("class A; sometimes", "line 1: unknown attribute"),
        ("fields x", "line 1: \"fields\" is none of"),
        ("", "no `class` line"),
    ] {
        let error = parse(bad).expect_err("it is wrong");
        assert!(error.contains(says), "{error}");
    }
}
