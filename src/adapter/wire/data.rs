//! A packet's data → JSON text and attachments: what `JSON.stringify` makes of the decoded and
//! deconstructed value.

use std::borrow::Cow;
use std::vec::IntoIter;

use super::date::append_date;
use super::sorted::{Pair, are_few, is_regular, sorted_pairs};
use crate::codec::msgpack::{
    Extension, Head, Input, Spans, append_buffer, append_scalar, append_string,
};
use crate::codec::{MAX_DEPTH, Malformed};

/// The payload's array and the packet.
const OUTER: usize = 2;
/// `undefined` as old senders write it: an extension of one byte, of type 0.
const UNDEFINED: &[u8] = &[0xd4, 0];

/// How much of a walk's own memory is asked for at once.
const USUAL_DEPTH: usize = 8;
const USUAL_KEYS: usize = 16;

/// JSON text, and the binary parts that it has placeholders for.
pub(super) type Data<'a> = (String, Vec<Cow<'a, [u8]>>);

/// The JSON text and the attachments of the next value. Without `deconstruct`, binary is written
/// as `JSON.stringify` writes it.
pub(super) fn data_text(input: Input<'_>, deconstruct: bool) -> Result<Data<'_>, Malformed> {
    let walk = match Walk::over(input, deconstruct, None) {
        Err(Stop::Irregular) => {
            Walk::over(input, deconstruct, Some(Spans::of(input, OUTER)?)).map_err(Stop::reason)?
        }
        walk => walk.map_err(Stop::reason)?,
    };
    let text = String::from_utf8(walk.out).map_err(|_| Malformed::MessagePack)?;
    Ok((text, walk.attachments))
}

/// Why a walk ended early.
enum Stop {
    /// An object does not have its keys in the order of the payload.
    Irregular,
    Malformed(Malformed),
}

impl Stop {
    const fn reason(self) -> Malformed {
        match self {
            Self::Irregular => Malformed::MessagePack,
            Self::Malformed(reason) => reason,
        }
    }
}

impl From<Malformed> for Stop {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

/// An array or an object that has begun.
enum Inside<'a> {
    Array {
        /// Elements that the payload still owes.
        left: u32,
    },
    /// An object whose keys are taken as they come.
    Object {
        left: u32,
        /// Where its keys begin among those of all that is open.
        first_key: usize,
    },
    /// An object whose pairs have been put in order.
    Sorted {
        pairs: IntoIter<Pair<'a>>,
        /// What follows the object.
        behind: Input<'a>,
    },
}

struct Open<'a> {
    inside: Inside<'a>,
    /// Whether the next element or pair needs a comma before it.
    comma: bool,
}

struct Walk<'a> {
    input: Input<'a>,
    open: Vec<Open<'a>>,
    /// The keys so far of all open objects.
    keys: Vec<&'a [u8]>,
    /// Given, every object is put in order first; else the walk stops at one that would need it.
    spans: Option<Spans>,
    deconstruct: bool,
    out: Vec<u8>,
    attachments: Vec<Cow<'a, [u8]>>,
}

impl<'a> Walk<'a> {
    /// Walks over the next value, to its end.
    fn over(input: Input<'a>, deconstruct: bool, spans: Option<Spans>) -> Result<Self, Stop> {
        let mut walk = Self {
            input,
            open: Vec::with_capacity(USUAL_DEPTH),
            keys: Vec::with_capacity(USUAL_KEYS),
            spans,
            deconstruct,
            out: Vec::with_capacity(input.rest().len()),
            attachments: Vec::new(),
        };
        loop {
            walk.value()?;
            if OUTER + walk.open.len() > MAX_DEPTH {
                return Err(Stop::Malformed(Malformed::Depth));
            }
            if !walk.go_on()? {
                return Ok(walk);
            }
        }
    }

    /// Writes a value, or begins one.
    fn value(&mut self) -> Result<(), Malformed> {
        let inside = match self.input.head_or_extension()? {
            Head::Array(left) => Inside::Array { left },
            Head::Map(left) => self.object(left)?,
            Head::Binary(bytes) => {
                self.append_binary(bytes);
                return Ok(());
            }
            Head::Extension(extension) => {
                self.append_extension(&extension);
                return Ok(());
            }
            scalar => {
                append_scalar(&scalar, &mut self.out);
                return Ok(());
            }
        };
        self.out.push(if matches!(inside, Inside::Array { .. }) { b'[' } else { b'{' });
        self.open.push(Open { inside, comma: false });
        Ok(())
    }

    fn object(&mut self, left: u32) -> Result<Inside<'a>, Malformed> {
        let Some(spans) = &self.spans else {
            return Ok(Inside::Object { left, first_key: self.keys.len() });
        };
        let pairs = sorted_pairs(&mut self.input, left, spans)?.into_iter();
        Ok(Inside::Sorted { pairs, behind: self.input })
    }

    /// Closes what is complete, and writes what comes before the next value, if there is one.
    fn go_on(&mut self) -> Result<bool, Stop> {
        let Self { input, open, keys, out, .. } = self;
        while let Some(Open { inside, comma }) = open.last_mut() {
            let close = match inside {
                Inside::Array { left: 0 } => b']',
                Inside::Array { left } => {
                    *left -= 1;
                    append_comma(comma, out);
                    return Ok(true);
                }
                Inside::Object { left, first_key } => {
                    let before = *first_key;
                    if let Some(key) = next_key(input, left, keys, before)? {
                        append_comma(comma, out);
                        append_key(key, out);
                        return Ok(true);
                    }
                    keys.truncate(before);
                    b'}'
                }
                Inside::Sorted { pairs, behind } => {
                    let mut set = pairs.filter(|(_, value)| !is_undefined(*value));
                    if let Some((key, value)) = set.next() {
                        append_comma(comma, out);
                        append_key(key.as_bytes(), out);
                        *input = value;
                        return Ok(true);
                    }
                    *input = *behind;
                    b'}'
                }
            };
            out.push(close);
            open.pop();
        }
        Ok(false)
    }

    fn append_binary(&mut self, bytes: &'a [u8]) {
        if !self.deconstruct {
            append_buffer(bytes, &mut self.out);
            return;
        }
        let number = self.attachments.len().to_string();
        self.out.extend_from_slice(br#"{"_placeholder":true,"num":"#);
        self.out.extend_from_slice(number.as_bytes());
        self.out.push(b'}');
        self.attachments.push(Cow::Borrowed(bytes));
    }

    fn append_extension(&mut self, extension: &Extension<'a>) {
        match *extension {
            Extension::Undefined => self.out.extend_from_slice(b"null"),
            Extension::Date(milliseconds) => append_date(milliseconds, &mut self.out),
            Extension::ArrayBuffer(bytes) if self.deconstruct => self.append_binary(bytes),
            Extension::ArrayBuffer(_) => self.out.extend_from_slice(b"{}"),
            Extension::Unknown(kind, bytes) => {
                self.out.push(b'[');
                append_scalar(&Head::Number(kind.into()), &mut self.out);
                self.out.push(b',');
                self.append_binary(bytes);
                self.out.push(b']');
            }
        }
    }
}

/// The next key of an object whose keys are taken as they come, of those whose value is not
/// `undefined`.
fn next_key<'a>(
    input: &mut Input<'a>,
    left: &mut u32,
    keys: &mut Vec<&'a [u8]>,
    first_key: usize,
) -> Result<Option<&'a [u8]>, Stop> {
    while *left > 0 {
        let before = keys.get(first_key..).unwrap_or_default();
        let key = match input.head_or_extension()? {
            Head::String(key) if are_few(*left) && is_regular(key, before) => key,
            _ => return Err(Stop::Irregular),
        };
        *left -= 1;
        keys.push(key);
        if !is_undefined(*input) {
            return Ok(Some(key));
        }
        input.skip(1)?;
    }
    Ok(None)
}

fn is_undefined(value: Input<'_>) -> bool {
    value.rest().starts_with(UNDEFINED)
}

fn append_comma(comma: &mut bool, out: &mut Vec<u8>) {
    if *comma {
        out.push(b',');
    }
    *comma = true;
}

fn append_key(key: &[u8], out: &mut Vec<u8>) {
    append_string(key, out);
    out.push(b':');
}
