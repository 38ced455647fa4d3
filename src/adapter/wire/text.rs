//! Strings and binary → MessagePack as notepack.io writes them.

use rmp::encode;

use crate::codec::EncodeError;

/// Up to so many UTF-16 units, and so many bytes, notepack.io writes a string by itself, and takes
/// any surrogate for the first half of a pair. Longer ones it leaves to Node.
const MICRO: usize = 32;

/// Appends the string that a JSON token, without its quotes, means.
pub(super) fn append_token(
    token: &[u8],
    escaped: bool,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if !escaped {
        return append_str(token, out);
    }
    match unescaped(token)? {
        Some(text) => append_str(&text, out),
        None => append_str(&with_lone_surrogates(token)?, out),
    }
}

/// Appends a string.
pub(super) fn append_str(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u32::try_from(text.len()).map_err(|_| EncodeError::TooLong)?;
    match u8::try_from(len) {
        Ok(len @ ..=31) => out.push(0xa0 | len),
        _ => encode::write_str_len(out, len).map(drop).map_err(|_| EncodeError::TooLong)?,
    }
    out.extend_from_slice(text);
    Ok(())
}

/// Appends a `Buffer`.
pub(super) fn append_bin(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u32::try_from(bytes.len()).map_err(|_| EncodeError::TooLong)?;
    encode::write_bin_len(out, len).map_err(|_| EncodeError::TooLong)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// One part of an escaped token.
enum Piece<'a> {
    Plain(&'a [u8]),
    /// An escape, as the UTF-16 unit that it means.
    Unit(u16),
}

/// Takes the next part off the front of a token.
fn next_piece<'a>(token: &mut &'a [u8]) -> Result<Option<Piece<'a>>, EncodeError> {
    let plain = token.iter().position(|b| *b == b'\\').unwrap_or(token.len());
    let (unit, len) = match (plain, *token) {
        (_, []) => return Ok(None),
        (1.., _) => {
            let (piece, rest) = token.split_at_checked(plain).ok_or(EncodeError::Json)?;
            *token = rest;
            return Ok(Some(Piece::Plain(piece)));
        }
        (_, [_, b'u', a, b, c, d, ..]) => (hex([*a, *b, *c, *d])?, 6),
        (_, [_, letter, ..]) => (named(*letter)?, 2),
        _ => return Err(EncodeError::Json),
    };
    *token = token.get(len..).unwrap_or_default();
    Ok(Some(Piece::Unit(unit)))
}

fn named(letter: u8) -> Result<u16, EncodeError> {
    Ok(u16::from(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return Err(EncodeError::Json),
    }))
}

fn hex(digits: [u8; 4]) -> Result<u16, EncodeError> {
    let mut unit = 0;
    for digit in digits {
        let value = char::from(digit).to_digit(16).ok_or(EncodeError::Json)?;
        unit = unit << 4 | value;
    }
    u16::try_from(unit).map_err(|_| EncodeError::Json)
}

/// What a token means; `None` when it escapes a surrogate.
fn unescaped(mut token: &[u8]) -> Result<Option<Vec<u8>>, EncodeError> {
    let mut text = Vec::with_capacity(token.len());
    while let Some(piece) = next_piece(&mut token)? {
        match piece {
            Piece::Plain(plain) => text.extend_from_slice(plain),
            Piece::Unit(unit) => match char::from_u32(unit.into()) {
                Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => return Ok(None),
            },
        }
    }
    Ok(Some(text))
}

/// What a token with surrogates becomes: `JSON.stringify` escapes only those without their half.
fn with_lone_surrogates(mut token: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut units: Vec<u16> = Vec::with_capacity(token.len());
    while let Some(piece) = next_piece(&mut token)? {
        match piece {
            Piece::Plain(plain) => units.extend(String::from_utf8_lossy(plain).encode_utf16()),
            Piece::Unit(unit) => units.push(unit),
        }
    }
    let text = paired(&units);
    let micro = units.len() <= MICRO && text.len() <= MICRO;
    Ok(if micro { text } else { String::from_utf16_lossy(&units) }.into_bytes())
}

/// notepack.io's `utf8Write`: a surrogate makes a pair with whatever comes next.
fn paired(units: &[u16]) -> String {
    let mut text = String::new();
    let mut units = units.iter().map(|unit| u32::from(*unit));
    while let Some(unit) = units.next() {
        let c = char::from_u32(unit).or_else(|| {
            let second = units.next().unwrap_or_default();
            char::from_u32(0x1_0000 + ((unit & 0x3ff) << 10 | second & 0x3ff))
        });
        text.extend(c);
    }
    text
}
