//! The bytes of one payload, taken from the front.

use rmp::Marker;

use super::extension::Extension;
use crate::codec::Malformed;

/// One value, or the beginning of one that holds others.
pub(crate) enum Head<'a> {
    Nil,
    Bool(bool),
    /// Any number: JavaScript has only doubles.
    Number(f64),
    /// Bytes that should be UTF-8.
    String(&'a [u8]),
    Binary(&'a [u8]),
    /// The number of values that follow, if the payload is right.
    Array(u32),
    /// The number of keys with values that follow, if the payload is right.
    Map(u32),
    /// Only where extensions are asked for.
    Extension(Extension<'a>),
}

/// What is left of a payload.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) const fn of(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next head. An extension is [`Malformed::Type`].
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "JavaScript rounds 64 bits to a double")]
    pub(crate) fn head(&mut self) -> Result<Head<'a>, Malformed> {
        let [first] = self.array()?;
        // Short strings are every other head.
        if let 0xa0..=0xbf = first {
            return self.bytes((first & 0x1f).into()).map(Head::String);
        }
        Ok(match Marker::from_u8(first) {
            Marker::Null => Head::Nil,
            Marker::False => Head::Bool(false),
            Marker::True => Head::Bool(true),
            Marker::FixPos(value) => Head::Number(value.into()),
            Marker::FixNeg(value) => Head::Number(value.into()),
            Marker::U8 => Head::Number(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Head::Number(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Head::Number(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Head::Number(u64::from_be_bytes(self.array()?) as f64),
            Marker::I8 => Head::Number(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Head::Number(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Head::Number(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Head::Number(i64::from_be_bytes(self.array()?) as f64),
            Marker::F32 => Head::Number(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Head::Number(f64::from_be_bytes(self.array()?)),
            marker => self.long_head(marker)?,
        })
    }

    fn long_head(&mut self, marker: Marker) -> Result<Head<'a>, Malformed> {
        Ok(match marker {
            Marker::FixStr(len) => Head::String(self.bytes(len.into())?),
            Marker::FixArray(len) => Head::Array(len.into()),
            Marker::FixMap(len) => Head::Map(len.into()),
            Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let len = self.length(marker)?;
                Head::String(self.bytes(len)?)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let len = self.length(marker)?;
                Head::Binary(self.bytes(len)?)
            }
            Marker::Array16 | Marker::Array32 => Head::Array(self.length(marker)?),
            Marker::Map16 | Marker::Map32 => Head::Map(self.length(marker)?),
            Marker::Reserved => return Err(Malformed::MessagePack),
            // Extensions are all that is left.
            _ => return Err(Malformed::Type),
        })
    }

    fn length(&mut self, marker: Marker) -> Result<u32, Malformed> {
        Ok(match marker {
            Marker::Str8 | Marker::Bin8 => u8::from_be_bytes(self.array()?).into(),
            Marker::Str16 | Marker::Bin16 | Marker::Array16 | Marker::Map16 => {
                u16::from_be_bytes(self.array()?).into()
            }
            _ => u32::from_be_bytes(self.array()?),
        })
    }

    /// Steps over all but the last `len` bytes.
    pub(super) fn leave(&mut self, len: usize) -> Result<(), Malformed> {
        let skipped = self.rest.len().checked_sub(len).ok_or(Malformed::MessagePack)?;
        self.rest = self.rest.get(skipped..).unwrap_or_default();
        Ok(())
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::MessagePack)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn bytes(&mut self, len: u32) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(len).map_err(|_| Malformed::MessagePack)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed::MessagePack)?;
        self.rest = rest;
        Ok(taken)
    }
}
