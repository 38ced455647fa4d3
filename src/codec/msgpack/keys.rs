//! The keys of objects: which can be written as they come, and in which order JavaScript has the
//! others.

use std::borrow::Cow;
use std::collections::HashMap;

use super::extension::Extension;
use super::input::{Head, Input};
use super::skip::Spans;
use crate::codec::{Malformed, number_to_string};

/// Up to this many pairs, a repeated key is found by comparing each with each.
const FEW: u32 = 32;
/// The largest index of an array.
const LAST_INDEX: u32 = u32::MAX - 1;
/// Assigning to it changes the prototype, and no property.
const PROTOTYPE: &[u8] = b"__proto__";

/// Whether an object of this many pairs may be written as it comes if its keys are regular.
pub(super) const fn are_few(pairs: u32) -> bool {
    pairs <= FEW
}

/// Whether a key keeps its place behind those before it: text, no index, not seen before.
pub(super) fn is_regular(key: &[u8], before: &[&[u8]]) -> bool {
    let maybe_index = key.first().is_some_and(u8::is_ascii_digit);
    let text = key.is_ascii() || str::from_utf8(key).is_ok();
    text && !maybe_index && key != PROTOTYPE && !before.contains(&key)
}

/// A key, and where its value begins.
pub(super) type Pair<'a> = (Cow<'a, str>, Input<'a>);

/// Reads this many pairs into the order of `Object.keys`: indices by size, then the others by their
/// first place, each with its last value.
pub(super) fn sorted_pairs<'a>(
    input: &mut Input<'a>,
    pairs: u32,
    spans: &Spans,
) -> Result<Vec<Pair<'a>>, Malformed> {
    let mut sorted: Vec<Pair<'a>> = Vec::new();
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    for _ in 0..pairs {
        let key = input.key()?;
        let value = *input;
        spans.step(input)?;
        if key.as_bytes() == PROTOTYPE {
            continue;
        }
        let seen = places.get(&key).and_then(|place| sorted.get_mut(*place));
        if let Some(pair) = seen {
            pair.1 = value;
        } else {
            places.insert(key.clone(), sorted.len());
            sorted.push((key, value));
        }
    }
    // A stable sort: what is no index keeps its order.
    sorted.sort_by_key(|(key, _)| index(key).map_or(u64::MAX, u64::from));
    Ok(sorted)
}

/// What `String` makes of an object without a class, or of an array's element that is one.
const OBJECT: &str = "[object Object]";

impl<'a> Input<'a> {
    /// The next key as JavaScript turns it into text, whatever it is.
    ///
    /// # Errors
    ///
    /// [`Malformed::Type`] for what cannot be text, and for a date, whose text depends on the reader.
    pub(crate) fn key(&mut self) -> Result<Cow<'a, str>, Malformed> {
        Ok(match self.head_or_extension()? {
            Head::Array(len) => Cow::Owned(self.joined(len)?),
            Head::Map(pairs) => self.object_text(pairs).map(Cow::Borrowed)?,
            Head::Binary(bytes) => String::from_utf8_lossy(bytes),
            Head::Extension(Extension::ArrayBuffer(_)) => Cow::Borrowed("[object ArrayBuffer]"),
            Head::Extension(Extension::Unknown(kind, bytes)) => {
                Cow::Owned(format!("{kind},{}", String::from_utf8_lossy(bytes)))
            }
            head => key_text(&head)?,
        })
    }

    /// `Array.prototype.join`, which takes what is nested for text in the place of an element.
    fn joined(&mut self, len: u32) -> Result<String, Malformed> {
        let mut text = String::new();
        let mut left = u64::from(len);
        while left > 0 {
            left -= 1;
            let mut ahead = *self;
            match ahead.head_or_extension()? {
                Head::Array(len @ 1..) => {
                    *self = ahead;
                    left = left.saturating_add(len.into());
                    continue;
                }
                Head::Array(_) | Head::Nil | Head::Extension(Extension::Undefined) => *self = ahead,
                _ => text.push_str(&self.key()?),
            }
            if left > 0 {
                text.push(',');
            }
        }
        Ok(text)
    }

    /// The text of an object that has no `toString` of its own.
    fn object_text(&mut self, pairs: u32) -> Result<&'static str, Malformed> {
        for _ in 0..pairs {
            match self.step()? {
                Head::String(key) if key != PROTOTYPE && key != b"toString" => self.skip(1)?,
                _ => return Err(Malformed::Type),
            }
        }
        Ok(OBJECT)
    }
}

/// A key as JavaScript turns it into text.
///
/// # Errors
///
/// [`Malformed::Type`] for what is no scalar.
pub(crate) fn key_text<'a>(key: &Head<'a>) -> Result<Cow<'a, str>, Malformed> {
    Ok(match key {
        Head::String(text) => String::from_utf8_lossy(text),
        Head::Number(value) => Cow::Owned(number_to_string(*value)),
        Head::Nil => Cow::Borrowed("null"),
        Head::Bool(true) => Cow::Borrowed("true"),
        Head::Bool(false) => Cow::Borrowed("false"),
        Head::Extension(Extension::Undefined) => Cow::Borrowed("undefined"),
        _ => return Err(Malformed::Type),
    })
}

/// The index of an array that a key is.
fn index(key: &str) -> Option<u32> {
    let canonical = key == "0" || key.starts_with(|c: char| matches!(c, '1'..='9'));
    let digits = canonical && key.bytes().all(|b| b.is_ascii_digit());
    key.parse().ok().filter(|index| digits && *index <= LAST_INDEX)
}
