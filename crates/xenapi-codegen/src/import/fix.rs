//! Applies the fixups, and says which had nothing to repair.

use std::collections::BTreeSet;

use super::facts::{
    ALSO_DESTROYS, ALSO_LOOKS, ALSO_NEEDED, ERROR_INTEGERS, ERROR_REFERENCES, LOOKS, NEVER_NULL, NOT_CREATES, NOT_LOOKS,
    NOT_NEEDED, NULLABLE, PARAM_DEFAULTS, PLACES, RAISED, SECRET_CLASSES, SECRETS, SYNC_ONLY, UNITS,
};
use crate::emit::Schema;
use crate::schema::{Changes, Class, Creation, Error, Field, Message, Param, Type};

/// Applies all fixups.
pub(super) fn fix(schema: &mut Schema) -> Result<(), String> {
    let mut fixups = Fixups::default();
    for class in &mut schema.classes {
        fix_class(class, &mut fixups);
    }
    for error in &mut schema.errors {
        fix_error(error, &mut fixups);
    }
    // Declared a date, sent as `0.0` or as seconds since 1970.
    let event = schema.classes.iter_mut().find(|class| class.name == "event");
    match event.and_then(|class| class.fields.iter_mut().find(|field| field.name == "timestamp")) {
        Some(field) if field.ty == Type::DateTime => field.declared = Some(core::mem::replace(&mut field.ty, Type::String)),
        _ => return Err("the fixup `event.timestamp is text` has nothing to repair".into()),
    }
    for class in &schema.classes {
        if class.place.is_empty() {
            return Err(format!("the class {} has no place in the model", class.name));
        }
    }
    fixups.check()
}

/// Which patterns have matched.
#[derive(Default)]
struct Fixups(BTreeSet<(&'static str, &'static str)>);

fn words_of(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

impl Fixups {
    /// The first of the patterns that matches the name.
    fn find<'p>(&mut self, of: &'static str, patterns: impl IntoIterator<Item = &'p &'static str>, name: &str) -> bool {
        let found = patterns.into_iter().find(|pattern| matches(pattern, name));
        found.map(|pattern| self.0.insert((of, *pattern))).is_some()
    }

    /// What the first matching pattern says.
    fn value(&mut self, of: &'static str, all: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
        let (pattern, value) = all.iter().find(|(pattern, _)| matches(pattern, name))?;
        self.0.insert((of, *pattern));
        Some(value)
    }

    fn unit(&mut self, name: &str) -> Option<String> {
        let (unit, _) = UNITS.iter().find(|(_, patterns)| self.find("unit", *patterns, name))?;
        Some((*unit).into())
    }

    /// Whether every pattern has matched.
    fn check(&self) -> Result<(), String> {
        let firsts = |all: &[(&'static str, &'static str)]| all.iter().map(|(first, _)| *first).collect::<Vec<_>>();
        let units = UNITS.iter().flat_map(|(_, patterns)| patterns.iter().copied()).collect();
        let all: [(&str, Vec<&str>); 17] = [
            ("place", PLACES.iter().flat_map(|(_, classes)| words_of(classes)).collect()),
            ("begins with", LOOKS.to_vec()),
            ("reference", ERROR_REFERENCES.iter().flat_map(|(names, _)| words_of(names)).collect()),
            ("sync only", SYNC_ONLY.to_vec()),
            ("secret", SECRETS.to_vec()),
            ("secret class", SECRET_CLASSES.to_vec()),
            ("nullable", NULLABLE.to_vec()),
            ("never null", NEVER_NULL.to_vec()),
            ("unit", units),
            ("param default", firsts(PARAM_DEFAULTS)),
            ("looks", [ALSO_LOOKS, NOT_LOOKS].concat()),
            ("creates", NOT_CREATES.to_vec()),
            ("destroys", ALSO_DESTROYS.to_vec()),
            ("not needed", firsts(NOT_NEEDED)),
            ("needed", ALSO_NEEDED.to_vec()),
            ("raised", firsts(RAISED)),
            ("integer", ERROR_INTEGERS.to_vec()),
        ];
        for (of, patterns) in all {
            if let Some(pattern) = patterns.into_iter().find(|pattern| !self.0.contains(&(of, pattern))) {
                return Err(format!("the fixup `{of}: {pattern}` has nothing to repair"));
            }
        }
        Ok(())
    }
}

/// Whether a pattern, in which one or two stars stand for anything, is that name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name
            .strip_prefix(start)
            .is_some_and(|name| (0..=name.len()).any(|at| name.is_char_boundary(at) && matches(rest, &name[at..]))),
    }
}

fn fix_class(class: &mut Class, fixups: &mut Fixups) {
    let place = PLACES.iter().find(|(_, classes)| fixups.find("place", &words_of(classes), &class.name));
    class.place = place.map(|(place, _)| (*place).to_string()).unwrap_or_default();
    class.secret = fixups.find("secret class", SECRET_CLASSES, &class.name);
    let created = class.create.is_some();
    for field in &mut class.fields {
        fix_field(&class.name, field, created, fixups);
    }
    let fields: Vec<(String, bool)> =
        class.fields.iter().map(|field| (field.name.clone(), matches!(field.ty, Type::NullRef(_)))).collect();
    for message in &mut class.messages {
        fix_message(&class.name, message, &fields, fixups);
    }
}

fn fix_field(class: &str, field: &mut Field, created: bool, fixups: &mut Fixups) {
    let name = format!("{class}.{}", field.name);
    if let Type::Ref(target) = &field.ty {
        let default_is_null = matches!(field.default.as_deref(), Some("Null" | "OpaqueRef:NULL"));
        let never = default_is_null && fixups.find("never null", NEVER_NULL, &name);
        if !never && (default_is_null || fixups.find("nullable", NULLABLE, &name)) {
            field.ty = Type::NullRef(target.clone());
        }
    }
    field.unit = fixups.unit(&name);
    field.secret = fixups.find("secret", SECRETS, &name);
    if created && field.qualifier != "dynamic" {
        field.creation = creation(&name, field, fixups);
    }
}

/// What a new object needs: fields without a default whose type has no value of its own that would do.
fn creation(name: &str, field: &Field, fixups: &mut Fixups) -> Creation {
    if field.default.is_some() {
        return if fixups.find("needed", ALSO_NEEDED, name) { Creation::Needed } else { Creation::Free };
    }
    match fixups.value("not needed", NOT_NEEDED, name) {
        Some("") => Creation::Free,
        Some(value) => Creation::With(value.into()),
        None if matches!(field.ty, Type::Set(_) | Type::Map(..) | Type::NullRef(_)) => Creation::Free,
        None => Creation::Needed,
    }
}

fn fix_message(class: &str, message: &mut Message, fields: &[(String, bool)], fixups: &mut Fixups) {
    let name = format!("{class}.{}", message.name);
    if fixups.find("sync only", SYNC_ONLY, &name) {
        message.has_async = false;
    }
    message.changes = changes(class, message, fields, fixups);
    message.unit = fixups.unit(&format!("{name}.result"));
    let sets = message.name.strip_prefix("set_").and_then(|set| fields.iter().find(|(field, _)| field == set));
    let sets_nullable = sets.is_some_and(|(_, nullable)| *nullable);
    for (at, param) in message.params.iter_mut().enumerate() {
        let path = format!("{name}.{}", param.name);
        fix_param(&path, param, sets_nullable && at == 1, fixups);
    }
}

fn fix_param(path: &str, param: &mut Param, sets_nullable: bool, fixups: &mut Fixups) {
    if let Type::Ref(target) = &param.ty
        && (sets_nullable || fixups.find("nullable", NULLABLE, path))
    {
        param.ty = Type::NullRef(target.clone());
    }
    if matches!(param.ty, Type::Int | Type::Float) {
        param.unit = fixups.unit(path);
    }
    param.secret = fixups.find("secret", SECRETS, path) || (param.ty == Type::String && param.name.contains("password"));
    if !param.required {
        let default = fixups.value("param default", PARAM_DEFAULTS, path);
        param.default = Some(default.unwrap_or_else(|| empty(&param.ty)).into());
    }
}

/// The empty value of a type, as the description writes defaults.
fn empty(ty: &Type) -> &'static str {
    match ty {
        Type::Int => "0",
        Type::Float => "0.",
        Type::Bool => "false",
        Type::DateTime => "19700101T00:00:00Z",
        Type::Ref(_) | Type::NullRef(_) => "OpaqueRef:NULL",
        Type::Set(_) | Type::Map(..) => "{}",
        _ => "\"\"",
    }
}

fn changes(class: &str, message: &Message, fields: &[(String, bool)], fixups: &mut Fixups) -> Changes {
    let name = format!("{class}.{}", message.name);
    let looks = LOOKS.iter().find(|start| message.name.starts_with(**start));
    let looks = looks.map(|start| fixups.0.insert(("begins with", *start))).is_some();
    if (looks && !fixups.find("looks", NOT_LOOKS, &name)) || fixups.find("looks", ALSO_LOOKS, &name) {
        return Changes::Nothing;
    }
    for start in ["set_", "add_to_", "remove_from_", "add_", "remove_"] {
        let field = message.name.strip_prefix(start);
        if let Some((field, _)) = field.and_then(|field| fields.iter().find(|(known, _)| known == field)) {
            return Changes::Field(field.clone());
        }
    }
    if matches!(message.name.as_str(), "destroy" | "forget") || fixups.find("destroys", ALSO_DESTROYS, &name) {
        return Changes::Destroys;
    }
    let own = matches!(&message.result, Type::Ref(of) if of == class);
    if own && !fixups.find("creates", NOT_CREATES, &name) { Changes::Creates } else { Changes::Objects }
}

fn fix_error(error: &mut Error, fixups: &mut Fixups) {
    if let Some(params) = fixups.value("raised", RAISED, &error.code) {
        error.params =
            params.split(", ").filter(|name| !name.is_empty()).map(|name| (name.to_string(), Type::String)).collect();
    }
    for (name, ty) in &mut error.params {
        let reference = ERROR_REFERENCES.iter().find(|(names, _)| fixups.find("reference", &words_of(names), name));
        if let Some((_, class)) = reference {
            *ty = Type::Ref((*class).into());
        } else if fixups.find("integer", ERROR_INTEGERS, &format!("{}.{name}", error.code)) {
            *ty = Type::Int;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Schema, Type, fix};

    /// The schema of the model as if it had just come from a description: without what the fixups put right.
    fn unrepaired() -> Schema {
        let top = crate::workspace();
        let mut schema = crate::read_schema(&top.join(crate::SCHEMA)).expect("the schema is right");
        let nullable = |ty: &mut Type| {
            if let Type::NullRef(class) = ty {
                *ty = Type::Ref(class.clone());
            }
        };
        for class in &mut schema.classes {
            for field in &mut class.fields {
                nullable(&mut field.ty);
                if let Some(declared) = field.declared.take() {
                    field.ty = declared;
                }
            }
            for message in &mut class.messages {
                message.params.iter_mut().for_each(|param| nullable(&mut param.ty));
                message.has_async = true;
            }
        }
        for Error { declared, params, .. } in &mut schema.errors {
            *params = declared.iter().map(|name| (name.clone(), Type::String)).collect();
        }
        schema
    }

    #[test]
    fn the_fixups_make_the_schema_what_it_is() {
        let mut schema = unrepaired();
        fix(&mut schema).expect("every fixup has something to repair");
        let written = crate::read_schema(&crate::workspace().join(crate::SCHEMA)).expect("the schema is right");
        assert_eq!(schema.errors, written.errors);
        for (class, written) in schema.classes.iter().zip(&written.classes) {
            let sync = |class: &crate::schema::Class| class.messages.iter().filter(|message| !message.has_async).count();
            assert_eq!(class.fields, written.fields, "{}", class.name);
            assert!(sync(class) <= sync(written), "{}", class.name);
            for (message, written) in class.messages.iter().zip(&written.messages) {
                let name = format!("{}.{}", class.name, message.name);
                assert_eq!(message.params, written.params, "{name}");
                assert_eq!((&message.changes, &message.unit), (&written.changes, &written.unit), "{name}");
            }
        }
    }

    #[test]
    fn a_fixup_that_repairs_nothing_is_an_error() {
        let without = |change: &dyn Fn(&mut Schema)| {
            let mut schema = unrepaired();
            change(&mut schema);
            fix(&mut schema).expect_err("a fixup has nothing to repair")
        };
        for (class, says) in [("LVHD", "place: LVHD"), ("Cluster", "secret: Cluster.cluster_token")] {
            let error = without(&|schema| match says.starts_with("place") {
                true => schema.classes.retain(|it| it.name != class),
                false => schema.classes.iter_mut().filter(|it| it.name == class).for_each(|it| it.fields.clear()),
            });
            assert_eq!(error, format!("the fixup `{says}` has nothing to repair"));
        }
        let error = without(&|schema| schema.errors.retain(|error| !error.params.iter().any(|(name, _)| name == "pgpu")));
        assert_eq!(error, "the fixup `reference: pgpu` has nothing to repair");
        let error = without(&|schema| {
            let messages = schema.classes.iter_mut().flat_map(|class| &mut class.messages);
            messages.filter(|it| it.name == "query_services").for_each(|it| it.name = "services".into());
        });
        assert!(error.contains("looks: VM.query_services"), "{error}");
        let mut event = unrepaired();
        event.classes.retain(|class| class.name != "event");
        assert!(fix(&mut event).is_err_and(|error| error.contains("event.timestamp")));
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, is) in [
            ("VM.start", "VM.start", true),
            ("VM.start", "VM.start_on", false),
            ("*.io_read_kbs", "PIF_metrics.io_read_kbs", true),
            ("VM.set_memory_*_range.m*", "VM.set_memory_static_range.min", true),
            ("session.*.pwd", "session.login_with_password.pwd", true),
            ("session.*.pwd", "session.login_with_password.uname", false),
        ] {
            assert_eq!(super::matches(pattern, name), is, "{pattern} {name}");
        }
    }
}
