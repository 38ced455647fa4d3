//! MessagePack's extensions, as notepack.io reads them.

use super::input::{Head, Input};
use crate::codec::Malformed;

/// What an extension means.
pub(crate) enum Extension<'a> {
    /// `undefined`, from old senders.
    Undefined,
    /// A `Date`, in milliseconds since 1970, not yet rounded.
    Date(f64),
    /// An `ArrayBuffer`, from old senders.
    ArrayBuffer(&'a [u8]),
    /// Anything else is an array of the type and a `Buffer`.
    Unknown(i8, &'a [u8]),
}

const FIRST_FIXEXT: u8 = 0xd4;
const TIMESTAMP: i8 = -1;
const SECOND: f64 = 1e3;
const NANOSECONDS: f64 = 1e6;
const TWO_TO_THE_32ND: f64 = 4_294_967_296.0;

impl<'a> Input<'a> {
    /// The next head, which may be an extension.
    #[inline]
    pub(crate) fn head_or_extension(&mut self) -> Result<Head<'a>, Malformed> {
        match self.peek() {
            Some(marker @ (0xc7..=0xc9 | 0xd4..=0xd8)) => {
                self.array::<1>()?;
                self.extension(marker).map(Head::Extension)
            }
            _ => self.head(),
        }
    }

    fn extension(&mut self, marker: u8) -> Result<Extension<'a>, Malformed> {
        let len: u32 = match marker {
            0xc7 => u8::from_be_bytes(self.array()?).into(),
            0xc8 => u16::from_be_bytes(self.array()?).into(),
            0xc9 => u32::from_be_bytes(self.array()?),
            _ => 1 << (marker - FIRST_FIXEXT),
        };
        let kind = i8::from_be_bytes(self.array()?);
        Ok(match (marker, kind) {
            // notepack.io does not look at the length.
            (0xc7, TIMESTAMP) => Extension::Date(self.timestamp_96()?),
            (0xc7..=0xc9, 0) => Extension::ArrayBuffer(self.bytes(len)?),
            (0xd4, 0) => {
                self.bytes(len)?;
                Extension::Undefined
            }
            (0xd6, TIMESTAMP) => {
                let seconds = u32::from_be_bytes(self.array()?);
                Extension::Date(f64::from(seconds) * SECOND)
            }
            (0xd7, TIMESTAMP) => Extension::Date(self.timestamp_64()?),
            (0xd7, 0) => Extension::Date(self.double_word()?),
            _ => Extension::Unknown(kind, self.bytes(len)?),
        })
    }

    fn timestamp_64(&mut self) -> Result<f64, Malformed> {
        let high = u32::from_be_bytes(self.array()?);
        let low = u32::from_be_bytes(self.array()?);
        let seconds = f64::from(high & 3) * TWO_TO_THE_32ND + f64::from(low);
        Ok(seconds * SECOND + f64::from(high >> 2) / NANOSECONDS)
    }

    fn timestamp_96(&mut self) -> Result<f64, Malformed> {
        let nanoseconds = u32::from_be_bytes(self.array()?);
        Ok(self.double_word()? * SECOND + f64::from(nanoseconds) / NANOSECONDS)
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript rounds 64 bits to a double")]
    fn double_word(&mut self) -> Result<f64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?) as f64)
    }
}
