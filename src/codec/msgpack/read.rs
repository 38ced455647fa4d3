//! MessagePack → JSON text: what `JSON.stringify` makes of the decoded value.

use super::input::{Head, Input};
use crate::codec::json::{is_plain_ascii, plain_len};
use crate::codec::json_number;
use crate::codec::{MAX_DEPTH, Malformed};

/// The largest integer that a double, hence JavaScript, holds without doubt.
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// An array or a map that has begun.
struct Open {
    /// Elements, or pairs, that the payload still owes. Nothing is reserved for them.
    left: u32,
    /// Whether the next one needs a comma before it.
    comma: bool,
    is_map: bool,
}

/// Appends the JSON text of the next value, which lies within `outer` arrays and maps.
pub(crate) fn append_value(
    input: &mut Input<'_>,
    outer: usize,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut open: Vec<Open> = Vec::new();
    loop {
        match input.head()? {
            Head::Array(left) => begin(&mut open, left, false, out),
            Head::Map(left) => begin(&mut open, left, true, out),
            scalar => append_scalar(&scalar, out),
        }
        if outer + open.len() > MAX_DEPTH {
            return Err(Malformed::Depth);
        }
        if !go_on(input, &mut open, out)? {
            return Ok(());
        }
    }
}

fn begin(open: &mut Vec<Open>, left: u32, is_map: bool, out: &mut Vec<u8>) {
    out.push(if is_map { b'{' } else { b'[' });
    open.push(Open { left, comma: false, is_map });
}

/// Closes what is complete, and writes what comes before the next value, if there is one.
fn go_on(
    input: &mut Input<'_>,
    open: &mut Vec<Open>,
    out: &mut Vec<u8>,
) -> Result<bool, Malformed> {
    while let Some(inner) = open.last_mut() {
        if inner.left > 0 {
            inner.left -= 1;
            if inner.comma {
                out.push(b',');
            }
            inner.comma = true;
            if inner.is_map {
                append_key(input, out)?;
                out.push(b':');
            }
            return Ok(true);
        }
        out.push(if inner.is_map { b'}' } else { b']' });
        open.pop();
    }
    Ok(false)
}

/// Appends a key: JavaScript has only strings, and turns the other scalars into them.
pub(crate) fn append_key(input: &mut Input<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match input.head()? {
        Head::String(text) => append_string(text, out),
        Head::Number(value) if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        Head::Number(value) if value.is_infinite() => {
            let text: &[u8] = if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" };
            out.extend_from_slice(text);
        }
        scalar @ (Head::Nil | Head::Bool(_) | Head::Number(_)) => {
            out.push(b'"');
            append_scalar(&scalar, out);
            out.push(b'"');
        }
        Head::Binary(_) | Head::Array(_) | Head::Map(_) | Head::Extension(_) => {
            return Err(Malformed::Type);
        }
    }
    Ok(())
}

/// Appends what holds no other values; those that do, and extensions, are not for here.
pub(crate) fn append_scalar(scalar: &Head<'_>, out: &mut Vec<u8>) {
    match scalar {
        Head::Bool(true) => out.extend_from_slice(b"true"),
        Head::Bool(false) => out.extend_from_slice(b"false"),
        Head::Number(value) => append_number(*value, out),
        Head::String(text) => append_string(text, out),
        Head::Binary(bytes) => append_buffer(bytes, out),
        Head::Nil | Head::Array(_) | Head::Map(_) | Head::Extension(_) => {
            out.extend_from_slice(b"null");
        }
    }
}

fn append_number(value: f64, out: &mut Vec<u8>) {
    #[expect(clippy::cast_possible_truncation, reason = "checked in the next line")]
    let integer = value as i64;
    if integer.unsigned_abs() <= MAX_SAFE_INTEGER && is_exactly(value, integer) {
        append_integer(integer, out);
    } else if value.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(json_number(value).as_bytes());
    }
}

/// -0 counts as 0, as it does in JSON.
#[expect(clippy::cast_precision_loss, reason = "safe integers are doubles")]
#[expect(clippy::float_cmp, reason = "an integer or none")]
const fn is_exactly(value: f64, integer: i64) -> bool {
    integer as f64 == value
}

fn append_integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut left = value.unsigned_abs();
    let mut digits = [0; 20];
    let mut len = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        len += 1;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - len..).unwrap_or_default());
}

/// Escapes as `JSON.stringify` does, and reads broken UTF-8 as Node does.
pub(crate) fn append_string(bytes: &[u8], out: &mut Vec<u8>) {
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

/// `Buffer.prototype.toJSON`.
pub(crate) fn append_buffer(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"Buffer","data":"#);
    // Writing bytes into a `Vec` cannot fail.
    let _ = serde_json::to_writer(&mut *out, bytes);
    out.push(b'}');
}
