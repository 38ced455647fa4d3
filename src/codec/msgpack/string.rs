//! Strings and binary → MessagePack.

use rmp::encode;

use super::write::WriteRules;
use crate::codec::EncodeError;
use crate::codec::escapes::{append_unescaped, utf16};

/// Appends the string that a JSON token, without its quotes, means.
pub(super) fn append_token(
    token: &[u8],
    escaped: bool,
    rules: &impl WriteRules,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if !escaped {
        return append_str(token, out);
    }
    let start = out.len();
    out.push(0);
    if append_unescaped(token, out)? {
        return write_str_head(start, out);
    }
    out.truncate(start);
    append_str(rules.surrogates(&utf16(token)?).as_bytes(), out)
}

/// Appends a string.
pub(crate) fn append_str(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u32::try_from(text.len()).map_err(|_| EncodeError::TooLong)?;
    match u8::try_from(len) {
        Ok(len @ ..=31) => out.push(0xa0 | len),
        _ => encode::write_str_len(out, len).map(drop).map_err(|_| EncodeError::TooLong)?,
    }
    out.extend_from_slice(text);
    Ok(())
}

/// Makes a string of all that stands behind the byte at `start`, which becomes its head.
fn write_str_head(start: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = out.len().saturating_sub(start + 1);
    let len = u32::try_from(len).map_err(|_| EncodeError::TooLong)?;
    let mut long = [0; 5];
    let mut unused = &mut long[..];
    encode::write_str_len(&mut unused, len).map_err(|_| EncodeError::TooLong)?;
    let used = 5 - unused.len();
    match (long, out.get_mut(start)) {
        ([short, ..], Some(head)) if used == 1 => *head = short,
        _ => drop(out.splice(start..=start, long.into_iter().take(used))),
    }
    Ok(())
}

/// Appends binary.
pub(crate) fn append_bin(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u32::try_from(bytes.len()).map_err(|_| EncodeError::TooLong)?;
    encode::write_bin_len(out, len).map_err(|_| EncodeError::TooLong)?;
    out.extend_from_slice(bytes);
    Ok(())
}
