//! JSON's numbers → MessagePack's, as notepack.io chooses them.

use rmp::encode;

use crate::codec::EncodeError;

/// As many digits as surely fit into an `i64`, and into a double without rounding.
const EXACT_DIGITS: usize = 15;
const TWO_TO_THE_32ND: f64 = 4_294_967_296.0;
const TWO_TO_THE_63RD: f64 = 9_223_372_036_854_775_808.0;
const TWO_TO_THE_64TH: f64 = 2.0 * TWO_TO_THE_63RD;
const UINT_64: u8 = 0xcf;
const INT_64: u8 = 0xd3;

/// Appends the number that JSON text begins with, and returns the text behind it.
pub(super) fn append_number<'a>(
    text: &'a [u8],
    out: &mut Vec<u8>,
) -> Result<&'a [u8], EncodeError> {
    let ends = |b: &u8| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let len = text.iter().position(ends).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(len).ok_or(EncodeError::Json)?;
    if !is_number(number) {
        return Err(EncodeError::Json);
    }
    if let Some(integer) = integer(number) {
        append_exact(integer, out)?;
    } else {
        let value = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        append_double(value.ok_or(EncodeError::Json)?, out)?;
    }
    Ok(rest)
}

/// JSON's grammar of a number.
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
fn integer(number: &[u8]) -> Option<i64> {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() > EXACT_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if digits.len() == number.len() { value } else { -value })
}

/// The smallest form. notepack.io has no signed one for what is not negative.
pub(super) fn append_exact(value: i64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Ok(small @ ..=0x7f) = u8::try_from(value) {
        out.push(small);
        return Ok(());
    }
    encode::write_sint(out, value).map(drop).map_err(|_| EncodeError::Json)
}

/// A double, or the integer that it is. Beyond 64 bits that integer wraps around.
fn append_double(value: f64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if !value.is_finite() || value.fract() != 0.0 {
        return encode::write_f64(out, value).map_err(|_| EncodeError::Json);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a remainder lies within 64 bits")]
    #[expect(clippy::cast_sign_loss, reason = "an absolute value has no sign")]
    let wrapped = (value.abs() % TWO_TO_THE_64TH) as u64;
    if value >= TWO_TO_THE_32ND {
        out.push(UINT_64);
        out.extend_from_slice(&wrapped.to_be_bytes());
        Ok(())
    } else if value < -TWO_TO_THE_63RD {
        out.push(INT_64);
        out.extend_from_slice(&wrapped.wrapping_neg().to_be_bytes());
        Ok(())
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        append_exact(value as i64, out)
    }
}
