//! JSON text → MessagePack.

use rmp::encode;
use serde_json::value::RawValue;

use crate::codec::EncodeError;
use crate::codec::json::{Token, Tokens, is_too_deep, unescape};

/// The largest integer that a double, hence JavaScript, holds without doubt.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The MessagePack of a JSON value.
pub(crate) fn from_json(json: &str) -> Result<Vec<u8>, EncodeError> {
    u32::try_from(json.len()).map_err(|_| EncodeError::TooLong)?;
    let valid: &RawValue = serde_json::from_str(json).map_err(|_| EncodeError::Json)?;
    let valid = valid.get();
    if is_too_deep(valid) {
        return Err(EncodeError::Depth);
    }
    let mut out = Vec::with_capacity(valid.len());
    let mut lengths = lengths(valid).into_iter();
    for token in Tokens::of(valid) {
        append(&mut out, token, &mut lengths)?;
    }
    Ok(out)
}

/// How many tokens each array and object holds, in the order in which they open: MessagePack
/// wants to know before the first element.
fn lengths(valid: &str) -> Vec<u32> {
    let mut lengths: Vec<u32> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for token in Tokens::of(valid) {
        if token == Token::Close {
            open.pop();
            continue;
        }
        if let Some(length) = open.last().and_then(|&at| lengths.get_mut(at)) {
            *length += 1;
        }
        if matches!(token, Token::OpenArray | Token::OpenObject) {
            open.push(lengths.len());
            lengths.push(0);
        }
    }
    lengths
}

fn append(
    out: &mut Vec<u8>,
    token: Token<'_>,
    lengths: &mut impl Iterator<Item = u32>,
) -> Result<(), EncodeError> {
    let mut length = || lengths.next().unwrap_or_default();
    let written = match token {
        Token::OpenArray => encode::write_array_len(out, length()).is_ok(),
        // A key and a value are two tokens.
        Token::OpenObject => encode::write_map_len(out, length() / 2).is_ok(),
        Token::Close => true,
        Token::String(text) => encode::write_str(out, &unescape(text)).is_ok(),
        Token::Scalar("null") => encode::write_nil(out).is_ok(),
        Token::Scalar("true") => encode::write_bool(out, true).is_ok(),
        Token::Scalar("false") => encode::write_bool(out, false).is_ok(),
        Token::Scalar(number) => number.parse().is_ok_and(|value| append_number(out, value)),
    };
    // A `Vec` takes every byte and every number of JSON is one of Rust's: this does not happen.
    written.then_some(()).ok_or(EncodeError::Json)
}

/// The smallest form of an integer that JavaScript is sure of, a double for any other number.
fn append_number(out: &mut Vec<u8>, value: f64) -> bool {
    if value.fract() == 0.0 && value.abs() <= MAX_SAFE_INTEGER {
        #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
        let integer = value as i64;
        encode::write_sint(out, integer).is_ok()
    } else {
        encode::write_f64(out, value).is_ok()
    }
}
