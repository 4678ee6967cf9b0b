//! Between the schema and people: arguments as text into values, values into JSON, methods by their names.

pub mod json;
pub mod parse;
pub mod signature;
