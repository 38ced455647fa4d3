//! Names of rooms, left in the payload until they are needed.

use std::borrow::Cow;

use super::fields::is_unset;
use crate::adapter::room_names::{NO_ROOM, of_number, of_string};
use crate::codec::msgpack::{
    Extension, Head, Input, append_double, append_integer, append_scalar, append_str,
};
use crate::codec::{Malformed, number_to_string};

/// Names of rooms: strings, or whatever else an application called them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names<'a> {
    len: u32,
    /// The elements in MessagePack, all read once.
    elements: Cow<'a, [u8]>,
}

impl<'a> Names<'a> {
    /// Reads what JavaScript makes a set of names of, of which there may be `most`: an array, or
    /// anything else that can be iterated. There are none when it is not set.
    pub(super) fn read(value: Option<Input<'a>>, most: u32) -> Result<Self, Malformed> {
        let Some(mut input) = value else { return Ok(Self::default()) };
        let few = |len: usize| match u32::try_from(len) {
            Ok(len) if len <= most => Ok(len),
            _ => Err(Malformed::TooMany),
        };
        match input.head_or_extension()? {
            Head::Array(len) => {
                let len = few(len as usize)?;
                let start = input;
                input.skip(len.into())?;
                Ok(Self { len, elements: Cow::Borrowed(input.since(start)) })
            }
            Head::String(text) => {
                let text = String::from_utf8_lossy(text);
                Ok(Self { len: few(text.chars().count())?, elements: characters(&text) })
            }
            Head::Binary(bytes) => Ok(Self { len: few(bytes.len())?, elements: numbers(bytes) }),
            Head::Extension(Extension::Unknown(kind, _)) => {
                let mut elements = Vec::new();
                append_double(kind.into(), &mut elements);
                elements.push(EMPTY_MAP);
                Ok(Self { len: few(2)?, elements: elements.into() })
            }
            head if is_unset(&head) => Ok(Self::default()),
            _ => Err(Malformed::Type),
        }
    }

    /// The same, apart from the payload.
    pub(super) fn into_owned(self) -> Names<'static> {
        Names { len: self.len, elements: Cow::Owned(self.elements.into_owned()) }
    }

    /// Whether there is no name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name, when there is exactly one and it is a string.
    #[must_use]
    pub fn single(&self) -> Option<&str> {
        match (self.len, Input::of(&self.elements).head()) {
            (1, Ok(Head::String(text))) => str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Whether one of them is NaN.
    #[must_use]
    pub fn has_nan(&self) -> bool {
        self.heads().any(|head| matches!(head, Head::Number(value) if value.is_nan()))
    }

    /// JSON text of the array. What can be in no set of names, an object say, is an object there, and
    /// NaN an array.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(self.elements.len() + 16);
        let mut separator = b'[';
        for head in self.heads() {
            out.push(separator);
            match head {
                Head::Extension(Extension::Undefined) => out.extend_from_slice(b"null"),
                Head::Number(f64::INFINITY) => out.extend_from_slice(b"1e999"),
                Head::Number(f64::NEG_INFINITY) => out.extend_from_slice(b"-1e999"),
                Head::Number(value) if value.is_nan() => out.extend_from_slice(b"[]"),
                Head::Number(_) | Head::String(_) | Head::Bool(_) | Head::Nil => {
                    append_scalar(&head, &mut out);
                }
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
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.heads().filter_map(|head| match head {
            Head::String(text) => Some(String::from_utf8_lossy(text)),
            Head::Number(value) => Some(Cow::Owned(number_to_string(value))),
            Head::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Head::Nil | Head::Extension(Extension::Undefined) => Some(Cow::Borrowed("null")),
            _ => None,
        })
    }

    /// The names by which these rooms go among the sockets here; what can be no room here goes by
    /// [`NO_ROOM`].
    pub fn of_rooms(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.heads().map(|head| match head {
            Head::String(text) => match String::from_utf8_lossy(text) {
                Cow::Borrowed(text) => of_string(text),
                Cow::Owned(text) => Cow::Owned(of_string(&text).into_owned()),
            },
            Head::Number(value) => of_number(&number_to_string(value)),
            _ => Cow::Borrowed(NO_ROOM),
        })
    }

    fn heads(&self) -> impl Iterator<Item = Head<'_>> {
        let mut input = Input::of(&self.elements);
        std::iter::from_fn(move || {
            let head = { input }.head_or_extension().ok()?;
            input.skip(1).ok()?;
            Some(head)
        })
    }
}

const EMPTY_MAP: u8 = 0x80;

/// Each character in MessagePack: no length of one is beyond a string's.
fn characters(text: &str) -> Cow<'static, [u8]> {
    let mut elements = Vec::with_capacity(2 * text.len());
    for character in text.chars() {
        let mut bytes = [0; 4];
        let _ = append_str(character.encode_utf8(&mut bytes).as_bytes(), &mut elements);
    }
    elements.into()
}

/// Each byte in MessagePack, as a number.
fn numbers(bytes: &[u8]) -> Cow<'static, [u8]> {
    let mut elements = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = append_integer((*byte).into(), &mut elements);
    }
    elements.into()
}
