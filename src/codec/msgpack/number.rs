//! JSON's numbers → MessagePack's, in the smallest form.

use rmp::encode;

use super::write::WriteRules;
use crate::codec::{EncodeError, MAX_SAFE_INTEGER};

/// The most digits of an integer that certainly fits into a double without rounding.
const EXACT_DIGITS: usize = 15;

/// Appends the number that JSON text begins with, and returns the text behind it.
pub(super) fn append_number<'a>(
    text: &'a [u8],
    rules: &impl WriteRules,
    out: &mut Vec<u8>,
) -> Result<&'a [u8], EncodeError> {
    let ends = |b: &u8| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let len = text.iter().position(ends).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(len).ok_or(EncodeError::Json)?;
    if !is_number(number) {
        return Err(EncodeError::Json);
    }
    if let Some(integer) = integer(number) {
        append_integer(integer, out)?;
    } else {
        let value = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        append_value(value.ok_or(EncodeError::Json)?, rules, out)?;
    }
    Ok(rest)
}

/// JSON's grammar of a number.
#[inline]
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let rest = match text {
        [b'0', rest @ ..] => rest,
        [b'1'..=b'9', rest @ ..] => without_digits(rest),
        _ => return false,
    };
    let rest = match rest {
        [b'.', b'0'..=b'9', rest @ ..] => without_digits(rest),
        _ => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', b'0'..=b'9', rest @ ..]
        | [b'e' | b'E', b'0'..=b'9', rest @ ..] => without_digits(rest).is_empty(),
        _ => false,
    }
}

fn without_digits(text: &[u8]) -> &[u8] {
    let len = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.get(len..).unwrap_or_default()
}

/// An integer short enough to be one to a double as well.
#[inline]
fn integer(number: &[u8]) -> Option<i64> {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() > EXACT_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if digits.len() == number.len() { value } else { -value })
}

/// Appends an integer in its smallest form: an unsigned one unless it is negative.
pub(crate) fn append_integer(value: i64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Ok(small @ ..=0x7f) = u8::try_from(value) {
        out.push(small);
        return Ok(());
    }
    encode::write_sint(out, value).map(drop).map_err(|_| EncodeError::Json)
}

/// Appends the double with this value.
pub(crate) fn append_double(value: f64, out: &mut Vec<u8>) {
    out.push(0xcb);
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a double, or the integer that it is.
fn append_value(value: f64, rules: &impl WriteRules, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    // An infinity has no fraction, not even zero.
    if value.fract() != 0.0 {
        append_double(value, out);
    } else if value.abs() > MAX_SAFE_INTEGER {
        rules.large_integer(value, out);
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        append_integer(value as i64, out)?;
    }
    Ok(())
}
