//! MessagePack ↔ JSON text, meaning what the same bytes mean to JavaScript.
//!
//! By hand over `rmp`, not through serde: serde has no word for an extension, shows broken UTF-8
//! as binary, does not know the length of a JSON array in advance, and recurses.

mod extension;
mod input;
mod keys;
mod number;
mod read;
mod skip;
mod string;
mod write;

pub(crate) use extension::Extension;
pub(crate) use input::{Head, Input};
pub(crate) use keys::key_text;
pub(crate) use number::{append_double, append_integer};
pub(crate) use read::{ReadRules, append_buffer, append_scalar, to_json};
pub(crate) use string::{append_bin, append_str};
pub(crate) use write::{WriteRules, from_json};
