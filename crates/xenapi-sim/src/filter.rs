//! The expressions of `get_all_records_where`.
//!
//! `field "name__label" = "x"` and its like, `and`, `or`, `not`, parentheses, `true`, `false`. `and` and `or` bind equally and
//! from the left; `not` binds loosest and negates everything to its right. Values are compared as stored text.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{ClassDesc, Failure, Value};

use crate::arguments::stored_name;
use crate::store::Row;

/// How deep parentheses and `not` may be nested.
const DEPTH: usize = 64;

pub(crate) enum Filter {
    True,
    False,
    Equal(Operand, Operand),
    Not(Box<Filter>),
    /// Parts joined by `and` and `or`, from the left. Flat, so that long expressions do not go deep.
    Chain(Box<Filter>, Vec<(Join, Filter)>),
}

#[derive(Clone, Copy)]
pub(crate) enum Join {
    And,
    Or,
}

pub(crate) enum Operand {
    /// The place of a field.
    Field(usize),
    /// The reference.
    Reference,
    Literal(String),
}

#[derive(PartialEq, Debug)]
enum Token {
    Word(String),
    Text(String),
    Equals,
    Open,
    Close,
}

impl Filter {
    /// Reads an expression about a class.
    pub(crate) fn parse(class: &ClassDesc, text: &str) -> Result<Filter, Failure> {
        let bad = |why: &str| Failure::new("INVALID_VALUE", [text, why]);
        let tokens = tokens(text).map_err(|why| bad(&why))?;
        let mut parser = Parser { class, tokens: &tokens, at: 0, missing: None };
        let parsed = parser.expression(0);
        let end = parser.at;
        if let Some(name) = parser.missing {
            return Err(Failure::new("INTERNAL_ERROR", ["missing field".into(), name, String::new()]));
        }
        match parsed {
            Ok(filter) if end == tokens.len() => Ok(filter),
            Ok(_) => Err(bad("Syntax error: text follows the expression")),
            Err(why) => Err(bad(why)),
        }
    }

    /// Whether it holds for an object.
    pub(crate) fn holds(&self, row: &Row) -> bool {
        match self {
            Filter::True => true,
            Filter::False => false,
            Filter::Equal(left, right) => left.text(row) == right.text(row),
            Filter::Not(inner) => !inner.holds(row),
            Filter::Chain(first, rest) => rest.iter().fold(first.holds(row), |so_far, (join, next)| match join {
                Join::And => so_far && next.holds(row),
                Join::Or => so_far || next.holds(row),
            }),
        }
    }
}

impl Operand {
    fn text<'a>(&'a self, row: &'a Row) -> alloc::borrow::Cow<'a, str> {
        match self {
            Operand::Literal(text) => text.into(),
            Operand::Reference => row.reference.as_str().into(),
            Operand::Field(at) => match row.fields.get(*at) {
                Some(Value::Text(text)) => text.into(),
                Some(value) => stored_text(value).into(),
                None => "".into(),
            },
        }
    }
}

/// A value as the database stores it.
fn stored_text(value: &Value) -> String {
    let quoted = |value: &Value| format!("'{}'", escaped(&stored_text(value)));
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => format!("{number}"),
        Value::Int32(number) => format!("{number}"),
        Value::Bool(truth) => format!("{truth}"),
        Value::Double(number) => format!("{number}"),
        Value::DateTime(time) => format!("{time}"),
        Value::Array(items) => format!("({})", items.iter().map(quoted).collect::<Vec<_>>().join(" ")),
        Value::Struct(members) => {
            let members = members.iter().map(|(name, value)| format!("('{}' {})", escaped(name), quoted(value)));
            format!("({})", members.collect::<Vec<_>>().join(" "))
        }
        Value::Bytes(_) | Value::Nil => String::new(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let one = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '=' => Some(Token::Equals),
            _ => None,
        };
        rest = if let Some(token) = one {
            tokens.push(token);
            &rest[1..]
        } else if first == '"' || first == '\'' {
            let Some((inside, behind)) = rest[1..].split_once(first) else {
                return Err("Lexical error: a string has no end".into());
            };
            tokens.push(Token::Text(inside.into()));
            behind
        } else if first.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].into()));
            &rest[end..]
        } else {
            return Err(format!("Lexical error at {first:?}"));
        }
        .trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    class: &'a ClassDesc,
    tokens: &'a [Token],
    at: usize,
    /// A column that the class lacks.
    missing: Option<String>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(it)) if it == word);
        self.at += usize::from(found);
        found
    }

    fn expression(&mut self, depth: usize) -> Result<Filter, &'static str> {
        if depth > DEPTH {
            return Err("Syntax error: nested too deeply");
        }
        let first = self.term(depth)?;
        let mut rest = Vec::new();
        loop {
            let join = if self.take_word("and") {
                Join::And
            } else if self.take_word("or") {
                Join::Or
            } else {
                break;
            };
            rest.push((join, self.term(depth)?));
        }
        Ok(if rest.is_empty() { first } else { Filter::Chain(Box::new(first), rest) })
    }

    fn term(&mut self, depth: usize) -> Result<Filter, &'static str> {
        if self.take_word("true") {
            return Ok(Filter::True);
        }
        if self.take_word("false") {
            return Ok(Filter::False);
        }
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.expression(depth + 1)?)));
        }
        if self.tokens.get(self.at) == Some(&Token::Open) {
            self.at += 1;
            let inner = self.expression(depth + 1)?;
            return match self.next() {
                Some(Token::Close) => Ok(inner),
                _ => Err("Syntax error: a parenthesis is not closed"),
            };
        }
        let left = self.operand()?;
        match self.next() {
            Some(Token::Equals) => Ok(Filter::Equal(left, self.operand()?)),
            _ => Err("Syntax error: = expected"),
        }
    }

    fn operand(&mut self) -> Result<Operand, &'static str> {
        if self.take_word("field") {
            let Some(Token::Text(name)) = self.next() else { return Err("Syntax error: a column in quotes expected") };
            let name = name.clone();
            if name == "_ref" || name == "ref" {
                return Ok(Operand::Reference);
            }
            let found = self.class.fields.iter().position(|field| stored_name(field.name) == name);
            if found.is_none() {
                self.missing.get_or_insert(name);
            }
            return Ok(Operand::Field(found.unwrap_or(usize::MAX)));
        }
        match self.next() {
            Some(Token::Text(text)) => Ok(Operand::Literal(text.clone())),
            _ => Err("Syntax error: a comparison expected"),
        }
    }
}
