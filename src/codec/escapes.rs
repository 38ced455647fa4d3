//! What the strings of JSON text mean.

use super::EncodeError;
use super::json::plain_len;

/// One part of a token: a JSON string without its quotes.
enum Piece<'a> {
    Plain(&'a [u8]),
    /// An escape, as the UTF-16 unit that it means.
    Unit(u16),
}

/// Takes the next part off the front of a token.
fn next_piece<'a>(token: &mut &'a [u8]) -> Result<Option<Piece<'a>>, EncodeError> {
    let plain = plain_len(token);
    let (unit, len) = match (plain, *token) {
        (_, []) => return Ok(None),
        (1.., _) => {
            let (piece, rest) = token.split_at_checked(plain).ok_or(EncodeError::Json)?;
            *token = rest;
            return Ok(Some(Piece::Plain(piece)));
        }
        (_, [b'\\', b'u', a, b, c, d, ..]) => (hex([*a, *b, *c, *d])?, 6),
        (_, [b'\\', letter, ..]) => (named(*letter)?, 2),
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

/// Appends what a token means, as UTF-8. Returns false, and leaves some of it behind, at an escaped
/// surrogate: `JSON.stringify` escapes only those without their other half.
pub(super) fn append_unescaped(mut token: &[u8], out: &mut Vec<u8>) -> Result<bool, EncodeError> {
    while let Some(piece) = next_piece(&mut token)? {
        match piece {
            Piece::Plain(plain) => out.extend_from_slice(plain),
            Piece::Unit(unit) => match char::from_u32(unit.into()) {
                Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => return Ok(false),
            },
        }
    }
    Ok(true)
}

/// What a token means, as JavaScript holds it.
pub(super) fn utf16(mut token: &[u8]) -> Result<Vec<u16>, EncodeError> {
    let mut units: Vec<u16> = Vec::with_capacity(token.len());
    while let Some(piece) = next_piece(&mut token)? {
        match piece {
            Piece::Plain(plain) => units.extend(String::from_utf8_lossy(plain).encode_utf16()),
            Piece::Unit(unit) => units.push(unit),
        }
    }
    Ok(units)
}
