//! MessagePack → JSON text: what `JSON.stringify` makes of the decoded value.

use std::vec::IntoIter;

use super::extension::Extension;
use super::input::{Head, Input};
use super::keys::{Pair, are_few, is_regular, key_text, sorted_pairs};
use super::skip::Spans;
use crate::codec::json::{is_plain_ascii, plain_len};
use crate::codec::{MAX_SAFE_INTEGER, Malformed};

/// `undefined` as old senders write it: an extension of one byte, of type 0.
const UNDEFINED: &[u8] = &[0xd4, 0];
/// How many open arrays and objects, and keys, an ordered walk has memory for from the start.
const USUAL_DEPTH: usize = 8;
const USUAL_KEYS: usize = 16;

/// What the decoders of MessagePack do each in their own way.
pub(crate) trait ReadRules<'a> {
    /// Whether objects are written as JavaScript holds them: each key once, in the order of
    /// `Object.keys`, and none whose value is `undefined`. Otherwise the keys are written as they
    /// come, which is enough for text that JavaScript parses.
    const ORDERED: bool;

    /// Appends the text of binary.
    ///
    /// # Errors
    ///
    /// [`Malformed::TooMany`] when there may be no more of it.
    fn binary(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> Result<(), Malformed>;

    /// Appends the text of an extension.
    ///
    /// # Errors
    ///
    /// [`Malformed::Type`] when there is none.
    fn extension(&mut self, extension: &Extension<'a>, out: &mut Vec<u8>) -> Result<(), Malformed>;

    /// Forgets what has been read: the value is read anew.
    fn restart(&mut self) {}
}

/// The JSON text of the next value, nested no deeper than `depth` arrays and maps, in a buffer that
/// has at least this capacity.
///
/// # Errors
///
/// When the bytes are no such value, or it is nested too deeply.
pub(crate) fn to_json<'a, R: ReadRules<'a>>(
    input: &mut Input<'a>,
    depth: usize,
    rules: &mut R,
    capacity: usize,
) -> Result<Vec<u8>, Malformed> {
    let (text, behind) = match Reader::new(*input, None, rules, capacity).run(depth) {
        Err(Stop::Irregular) => {
            rules.restart();
            let spans = Spans::of(*input, depth)?;
            Reader::new(*input, Some(spans), rules, capacity).run(depth)?
        }
        ended => ended?,
    };
    *input = behind;
    Ok(text)
}

/// Why a walk ended early.
enum Stop {
    /// An object does not have its keys in the order of the payload.
    Irregular,
    Malformed(Malformed),
}

impl From<Stop> for Malformed {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Irregular => Self::MessagePack,
            Stop::Malformed(reason) => reason,
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
        /// Elements that the payload still owes. Nothing is reserved for them.
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

/// The walk over one value.
struct Reader<'a, 'o, R> {
    input: Input<'a>,
    open: Vec<Open<'a>>,
    /// The keys so far of all open objects, when these have to be ordered.
    keys: Vec<&'a [u8]>,
    /// Given, every object is put in order first; else the walk stops at one that would need it.
    spans: Option<Spans>,
    rules: &'o mut R,
    out: Vec<u8>,
}

impl<'a, 'o, R: ReadRules<'a>> Reader<'a, 'o, R> {
    fn new(input: Input<'a>, spans: Option<Spans>, rules: &'o mut R, capacity: usize) -> Self {
        let keys = if R::ORDERED { Vec::with_capacity(USUAL_KEYS) } else { Vec::new() };
        let open = if R::ORDERED { Vec::with_capacity(USUAL_DEPTH) } else { Vec::new() };
        let out = Vec::with_capacity(capacity);
        Self { input, open, keys, spans, rules, out }
    }

    /// Walks to the end of the value. Returns its text, and what follows the value.
    fn run(mut self, depth: usize) -> Result<(Vec<u8>, Input<'a>), Stop> {
        loop {
            self.value()?;
            if self.open.len() > depth {
                return Err(Stop::Malformed(Malformed::Depth));
            }
            if !self.has_next()? {
                return Ok((self.out, self.input));
            }
        }
    }

    /// Writes a value, or begins one.
    fn value(&mut self) -> Result<(), Malformed> {
        let inside = match self.input.head_or_extension()? {
            Head::Array(left) => Inside::Array { left },
            Head::Map(left) => self.object(left)?,
            Head::Binary(bytes) => return self.rules.binary(bytes, &mut self.out),
            Head::Extension(extension) => return self.rules.extension(&extension, &mut self.out),
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
    fn has_next(&mut self) -> Result<bool, Stop> {
        let Self { input, open, keys, out, .. } = self;
        while let Some(Open { inside, comma }) = open.last_mut() {
            let close = match inside {
                Inside::Array { left: 0 } => b']',
                Inside::Array { left } => {
                    *left -= 1;
                    append_comma(comma, out);
                    return Ok(true);
                }
                Inside::Object { left, .. } if !R::ORDERED => {
                    if *left > 0 {
                        *left -= 1;
                        append_comma(comma, out);
                        append_any_key(&input.head()?, out)?;
                        return Ok(true);
                    }
                    b'}'
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

#[inline]
fn append_key(key: &[u8], out: &mut Vec<u8>) {
    append_string(key, out);
    out.push(b':');
}

fn append_any_key(key: &Head<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match key {
        Head::String(key) => append_key(key, out),
        key => append_key(key_text(key)?.as_bytes(), out),
    }
    Ok(())
}

/// Appends a boolean, a number or a string, and `null` for anything else.
#[inline]
pub(crate) fn append_scalar(scalar: &Head<'_>, out: &mut Vec<u8>) {
    match scalar {
        Head::Bool(true) => out.extend_from_slice(b"true"),
        Head::Bool(false) => out.extend_from_slice(b"false"),
        Head::Number(value) => append_number(*value, out),
        Head::String(text) => append_string(text, out),
        _ => out.extend_from_slice(b"null"),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "compared below")]
#[expect(clippy::float_cmp, reason = "an integer or none")]
#[inline]
fn append_number(value: f64, out: &mut Vec<u8>) {
    // Faster than `fract`, which is a call on x86-64.
    let integer = value as i64;
    if value.abs() <= MAX_SAFE_INTEGER && integer as f64 == value {
        // -0 becomes 0, as it does in JSON.
        out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
    } else if value.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Escapes as `JSON.stringify` does, and reads broken UTF-8 as Node does.
#[inline]
fn append_string(bytes: &[u8], out: &mut Vec<u8>) {
    if is_plain_ascii(bytes) || plain_len(bytes) == bytes.len() && str::from_utf8(bytes).is_ok() {
        out.reserve(bytes.len() + 2);
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
    } else {
        let text = String::from_utf8_lossy(bytes);
        // Writing a `str` into a `Vec` cannot fail.
        let _ = serde_json::to_writer(out, &*text);
    }
}

/// Appends binary as `Buffer.prototype.toJSON` shows it.
pub(crate) fn append_buffer(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"Buffer","data":"#);
    // Writing bytes into a `Vec` cannot fail.
    let _ = serde_json::to_writer(&mut *out, bytes);
    out.push(b'}');
}
