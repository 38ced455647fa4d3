//! MessagePack ↔ JSON text, meaning what the same bytes mean to JavaScript.
//!
//! By hand over `rmp`, not through serde: serde has no word for an extension, shows broken UTF-8
//! as binary, does not know the length of a JSON array in advance, and recurses.

mod extension;
mod input;
mod read;
mod skip;
mod write;

pub(crate) use extension::Extension;
pub(crate) use input::{Head, Input};
pub(crate) use read::{append_buffer, append_key, append_scalar, append_string, append_value};
pub(crate) use skip::Spans;
pub(crate) use write::from_json;
