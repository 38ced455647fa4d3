//! What the strings of JSON text mean.

use super::EncodeError;
use super::json::plain_len;

/// One part of a JSON string.
enum Piece<'a> {
    Plain(&'a [u8]),
    /// An escape, as the UTF-16 unit that it means.
    Unit(u16),
}

/// Takes the next part off the front of text that stands within quotes, or the closing quote.
#[inline]
fn next_piece<'a>(text: &mut &'a [u8]) -> Result<Option<Piece<'a>>, EncodeError> {
    let (piece, rest) = match *text {
        [b'"', rest @ ..] => (None, rest),
        [b'\\', b'u', a, b, c, d, rest @ ..] => (Some(Piece::Unit(hex([*a, *b, *c, *d])?)), rest),
        [b'\\', letter, rest @ ..] => (Some(Piece::Unit(named(*letter)?)), rest),
        _ => match text.split_at_checked(plain_len(text)) {
            Some((plain @ [_, ..], rest)) => (Some(Piece::Plain(plain)), rest),
            _ => return Err(EncodeError::Json),
        },
    };
    *text = rest;
    Ok(piece)
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

/// Appends what text means up to its closing quote, as UTF-8, and returns what follows that.
///
/// At an escaped surrogate it stops with `None`, and leaves behind what it has appended:
/// `JSON.stringify` escapes only those without their other half.
pub(super) fn append_unescaped<'a>(
    mut text: &'a [u8],
    out: &mut Vec<u8>,
) -> Result<Option<&'a [u8]>, EncodeError> {
    while let Some(piece) = next_piece(&mut text)? {
        match piece {
            Piece::Plain(plain) => out.extend_from_slice(plain),
            Piece::Unit(unit) => match char::from_u32(unit.into()) {
                Some(c @ '\0'..='\x7f') => out.push(c as u8),
                Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => return Ok(None),
            },
        }
    }
    Ok(Some(text))
}

/// What text means up to its closing quote, as JavaScript holds it, and what follows that.
pub(super) fn utf16(mut text: &[u8]) -> Result<(Vec<u16>, &[u8]), EncodeError> {
    let mut units: Vec<u16> = Vec::new();
    while let Some(piece) = next_piece(&mut text)? {
        match piece {
            Piece::Plain(plain) => units.extend(String::from_utf8_lossy(plain).encode_utf16()),
            Piece::Unit(unit) => units.push(unit),
        }
    }
    Ok((units, text))
}
