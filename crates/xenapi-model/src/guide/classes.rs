#![doc = include_str!("../generated/classes.md")]
