//! Names of rooms, left in the payload until they are needed.

use std::borrow::Cow;

use super::fields::is_unset;
use crate::codec::msgpack::{Extension, Head, Input, append_scalar};
use crate::codec::{Malformed, number_to_string};

/// Names of rooms: strings, or whatever else an application called them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names<'a> {
    len: u32,
    /// The elements in MessagePack, all read once.
    elements: &'a [u8],
}

impl<'a> Names<'a> {
    /// Reads an array of names, of which there may be `most`; there are none when it is not set.
    pub(super) fn read(value: Option<Input<'a>>, most: u32) -> Result<Self, Malformed> {
        let Some(mut input) = value else { return Ok(Self::default()) };
        let len = match input.head_or_extension()? {
            Head::Array(len) => len,
            head if is_unset(&head) => return Ok(Self::default()),
            _ => return Err(Malformed::Type),
        };
        if len > most {
            return Err(Malformed::TooMany);
        }
        let start = input;
        input.skip(len.into())?;
        Ok(Self { len, elements: input.since(start) })
    }

    /// Whether there is no name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name, when there is exactly one and it is a string.
    #[must_use]
    pub fn single(&self) -> Option<&'a str> {
        match (self.len, Input::of(self.elements).head()) {
            (1, Ok(Head::String(text))) => str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// JSON text of the array. What can be in no set of names, an object say, is an object there.
    #[must_use]
    pub fn to_json(self) -> String {
        let mut out = Vec::with_capacity(self.elements.len() + 16);
        let mut separator = b'[';
        for head in self.heads() {
            out.push(separator);
            match head {
                Head::Extension(Extension::Undefined) => out.extend_from_slice(b"null"),
                head if is_name(&head) => append_scalar(&head, &mut out),
                _ => out.extend_from_slice(b"{}"),
            }
            separator = b',';
        }
        if self.is_empty() {
            out.push(b'[');
        }
        out.push(b']');
        String::from_utf8(out).unwrap_or_default()
    }

    /// The names as text, as `String(name)` gives it.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.heads().filter_map(|head| match head {
            Head::String(text) => Some(String::from_utf8_lossy(text)),
            Head::Number(value) => Some(Cow::Owned(number_to_string(value))),
            Head::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Head::Nil | Head::Extension(Extension::Undefined) => Some(Cow::Borrowed("null")),
            _ => None,
        })
    }

    fn heads(&self) -> impl Iterator<Item = Head<'a>> + use<'a> {
        let mut input = Input::of(self.elements);
        std::iter::from_fn(move || {
            let head = { input }.head_or_extension().ok()?;
            input.skip(1).ok()?;
            Some(head)
        })
    }
}

/// Whether a room can be called that, and still is after a passage through JSON.
fn is_name(head: &Head<'_>) -> bool {
    match head {
        Head::Number(value) => value.is_finite(),
        Head::String(_) | Head::Bool(_) | Head::Nil => true,
        _ => false,
    }
}
