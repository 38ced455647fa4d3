//! JSON text → MessagePack, in one pass.

use super::number::append_number;
use super::string::{append_escaped, append_str};
use crate::codec::EncodeError;
use crate::codec::json::plain_len;

/// What the encoders of MessagePack do each in their own way.
pub(crate) trait WriteRules {
    /// Appends an integer that a double does not hold for sure: beyond ±(2^53 - 1).
    fn large_integer(&self, value: f64, out: &mut Vec<u8>);

    /// The text of a string that escapes surrogates, lone ones perhaps.
    fn surrogates(&self, units: &[u16]) -> String {
        String::from_utf16_lossy(units)
    }

    /// Appends what an object stands for and returns the text behind that object, or `None` to
    /// have it written as an object. The text begins with the object's brace.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or what is appended is too long.
    fn stand_in<'a>(
        &mut self,
        _text: &'a [u8],
        _out: &mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>, EncodeError> {
        Ok(None)
    }
}

/// Appends the MessagePack of JSON text, nested no deeper than `depth` arrays and objects.
///
/// # Errors
///
/// When the text is not JSON, is nested too deeply or is too long.
pub(crate) fn from_json(
    json: &str,
    depth: usize,
    rules: &mut impl WriteRules,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    u32::try_from(json.len()).map_err(|_| EncodeError::TooLong)?;
    let mut writer = Writer { rest: json.as_bytes(), open: Vec::new(), depth, rules, out };
    loop {
        if writer.value()? && !writer.has_next()? {
            break;
        }
    }
    writer.rest.is_empty().then_some(()).ok_or(EncodeError::Json)
}

/// An array or an object that has begun.
struct Open {
    /// Where its marker stands, which is written when the length is known.
    marker: usize,
    /// Elements or pairs so far.
    len: u32,
    is_map: bool,
}

/// The walk over one JSON text.
struct Writer<'a, 'o, R> {
    rest: &'a [u8],
    open: Vec<Open>,
    /// How deep it may be nested.
    depth: usize,
    rules: &'o mut R,
    out: &'o mut Vec<u8>,
}

impl<'a, R: WriteRules> Writer<'a, '_, R> {
    /// Writes a value, or begins one. Returns whether it is complete.
    fn value(&mut self) -> Result<bool, EncodeError> {
        self.skip_space();
        match self.rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                self.string()?;
            }
            [b'[', rest @ ..] => {
                self.rest = rest;
                return self.begin(b']', false);
            }
            [b'{', rest @ ..] => {
                if let Some(behind) = self.rules.stand_in(self.rest, self.out)? {
                    self.rest = behind;
                    return Ok(true);
                }
                self.rest = rest;
                let empty = self.begin(b'}', true)?;
                if !empty {
                    self.key()?;
                }
                return Ok(empty);
            }
            [b'-' | b'0'..=b'9', ..] => {
                self.rest = append_number(self.rest, self.rules, self.out)?;
            }
            [b'n', b'u', b'l', b'l', rest @ ..] => self.literal(0xc0, rest),
            [b't', b'r', b'u', b'e', rest @ ..] => self.literal(0xc3, rest),
            [b'f', b'a', b'l', b's', b'e', rest @ ..] => self.literal(0xc2, rest),
            _ => return Err(EncodeError::Json),
        }
        Ok(true)
    }

    /// Closes what is complete, and returns whether another value follows.
    fn has_next(&mut self) -> Result<bool, EncodeError> {
        loop {
            self.skip_space();
            let Some(inner) = self.open.last_mut() else { return Ok(false) };
            inner.len += 1;
            let is_map = inner.is_map;
            match self.rest {
                [b',', rest @ ..] => {
                    self.rest = rest;
                    if is_map {
                        self.key()?;
                    }
                    return Ok(true);
                }
                [b']', rest @ ..] if !is_map => self.rest = rest,
                [b'}', rest @ ..] if is_map => self.rest = rest,
                _ => return Err(EncodeError::Json),
            }
            if let Some(complete) = self.open.pop() {
                write_len(&complete, self.out);
            }
        }
    }

    /// Begins an array or an object. Returns whether that was all of it.
    #[inline]
    fn begin(&mut self, close: u8, is_map: bool) -> Result<bool, EncodeError> {
        if self.open.len() >= self.depth {
            return Err(EncodeError::Depth);
        }
        self.skip_space();
        let empty = self.rest.first() == Some(&close);
        let marker = self.out.len();
        self.out.push(if is_map { 0x80 } else { 0x90 });
        if empty {
            self.rest = self.rest.get(1..).unwrap_or_default();
        } else {
            self.open.push(Open { marker, len: 0, is_map });
        }
        Ok(empty)
    }

    fn key(&mut self) -> Result<(), EncodeError> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(b"\"").ok_or(EncodeError::Json)?;
        self.string()?;
        self.skip_space();
        self.rest = self.rest.strip_prefix(b":").ok_or(EncodeError::Json)?;
        Ok(())
    }

    /// Writes the string whose opening quote has been read.
    fn string(&mut self) -> Result<(), EncodeError> {
        let plain = plain_len(self.rest);
        match self.rest.split_at_checked(plain) {
            Some((text, [b'"', rest @ ..])) => {
                self.rest = rest;
                append_str(text, self.out)
            }
            Some((_, [b'\\', ..])) => {
                self.rest = append_escaped(self.rest, self.rules, self.out)?;
                Ok(())
            }
            _ => Err(EncodeError::Json),
        }
    }

    fn literal(&mut self, marker: u8, rest: &'a [u8]) {
        self.out.push(marker);
        self.rest = rest;
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

/// Writes the length that an array or a map turned out to have.
#[inline]
fn write_len(complete: &Open, out: &mut Vec<u8>) {
    match (complete.len, out.get_mut(complete.marker)) {
        (0..=15, Some(marker)) => *marker |= complete.len.to_be_bytes()[3],
        _ => write_long_len(complete, out),
    }
}

#[cold]
fn write_long_len(complete: &Open, out: &mut Vec<u8>) {
    let marker = if complete.is_map { 0xde } else { 0xdc };
    let at = complete.marker..=complete.marker;
    if let Ok(len) = u16::try_from(complete.len) {
        let [a, b] = len.to_be_bytes();
        out.splice(at, [marker, a, b]);
    } else {
        let [a, b, c, d] = complete.len.to_be_bytes();
        out.splice(at, [marker + 1, a, b, c, d]);
    }
}
