//! Strings and binary → MessagePack.

use rmp::encode;

use super::write::WriteRules;
use crate::codec::EncodeError;
use crate::codec::escapes::{append_unescaped, utf16};

/// Appends the string that JSON text goes on with behind an opening quote, and returns what follows
/// its closing quote.
pub(super) fn append_escaped<'a>(
    text: &'a [u8],
    rules: &impl WriteRules,
    out: &mut Vec<u8>,
) -> Result<&'a [u8], EncodeError> {
    let start = out.len();
    out.push(0);
    if let Some(behind) = append_unescaped(text, out)? {
        write_str_head(start, out)?;
        return Ok(behind);
    }
    out.truncate(start);
    let (units, behind) = utf16(text)?;
    append_str(rules.surrogates(&units).as_bytes(), out)?;
    Ok(behind)
}

/// Appends a string.
#[inline]
pub(crate) fn append_str(text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Ok(len @ ..=31) = u8::try_from(text.len()) {
        out.push(0xa0 | len);
    } else {
        let len = u32::try_from(text.len()).map_err(|_| EncodeError::TooLong)?;
        encode::write_str_len(out, len).map_err(|_| EncodeError::TooLong)?;
    }
    out.extend_from_slice(text);
    Ok(())
}

/// Makes a string of all that stands behind the byte at `start`, which becomes its head.
fn write_str_head(start: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = out.len().saturating_sub(start + 1);
    if let (Ok(len @ ..=31), Some(head)) = (u8::try_from(len), out.get_mut(start)) {
        *head = 0xa0 | len;
        return Ok(());
    }
    let len = u32::try_from(len).map_err(|_| EncodeError::TooLong)?;
    let mut head = [0; 5];
    let mut unused = &mut head[..];
    encode::write_str_len(&mut unused, len).map_err(|_| EncodeError::TooLong)?;
    let used = 5 - unused.len();
    out.splice(start..=start, head.into_iter().take(used));
    Ok(())
}

/// Appends binary.
pub(crate) fn append_bin(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let len = u32::try_from(bytes.len()).map_err(|_| EncodeError::TooLong)?;
    encode::write_bin_len(out, len).map_err(|_| EncodeError::TooLong)?;
    out.extend_from_slice(bytes);
    Ok(())
}
