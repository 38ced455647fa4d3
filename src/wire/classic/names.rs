//! Names of rooms, left in the payload until someone asks for them.

use std::borrow::Cow;

use super::fields::{is_unset, js_number};
use crate::wire::Malformed;
use crate::wire::msgpack::{Head, Input, append_scalar};

/// Names of rooms: strings, or numbers if that is what an application called them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names<'a> {
    len: u32,
    /// The elements in MessagePack, all read once.
    elements: &'a [u8],
}

impl<'a> Names<'a> {
    /// Reads an array of names. What is not set is empty.
    pub(super) fn read(value: Option<Input<'a>>) -> Result<Self, Malformed> {
        let Some(mut input) = value else { return Ok(Self::default()) };
        let len = match input.head_or_extension()? {
            Head::Array(len) => len,
            head if is_unset(&head) => return Ok(Self::default()),
            _ => return Err(Malformed::Type),
        };
        let start = input;
        for _ in 0..len {
            match input.head_or_extension()? {
                Head::String(_) => {}
                Head::Number(value) if value.is_finite() => {}
                _ => return Err(Malformed::Type),
            }
        }
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

    /// JSON text of the array, numbers and all.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(self.elements.len() + 16);
        let mut separator = b'[';
        for head in self.heads() {
            out.push(separator);
            append_scalar(&head, &mut out);
            separator = b',';
        }
        if self.is_empty() {
            out.push(b'[');
        }
        out.push(b']');
        String::from_utf8(out).unwrap_or_default()
    }

    /// The names as text.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.heads().map(|head| match head {
            Head::String(text) => String::from_utf8_lossy(text),
            Head::Number(value) => Cow::Owned(js_number(value)),
            _ => Cow::Borrowed(""),
        })
    }

    fn heads(&self) -> impl Iterator<Item = Head<'a>> + use<'a> {
        let mut input = Input::of(self.elements);
        std::iter::from_fn(move || if input.is_empty() { None } else { input.head().ok() })
    }
}
