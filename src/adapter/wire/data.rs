//! JSON text ↔ MessagePack as notepack.io and, for the attachments, socket.io-parser have it.

use std::borrow::Cow;

use crate::codec::js_date::append_date;
use crate::codec::msgpack::{
    Extension, Head, Input, ReadRules, WriteRules, append_bin, append_buffer, append_scalar,
    from_json, to_json,
};
use crate::codec::{EncodeError, MAX_ARGS_DEPTH, MAX_DEPTH, Malformed};

/// What stands in the place of an attachment, up to its number.
const PLACEHOLDER: &[u8] = br#"{"_placeholder":true,"num":"#;
/// Up to this many UTF-16 units, and bytes, notepack.io writes a string by itself, and takes any
/// surrogate for the first half of a pair. Longer strings it leaves to Node.
const MICRO: usize = 32;
const UINT_64: u8 = 0xcf;
const INT_64: u8 = 0xd3;
const TWO_TO_THE_64TH: f64 = 18_446_744_073_709_551_616.0;

/// Appends the JSON text of what goes with a packet.
pub(super) fn append_json(json: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    from_json(json, MAX_DEPTH, &mut Notepack::default(), out)
}

/// Appends a packet's data.
///
/// A placeholder that numbers the next attachment becomes that attachment, any other one is an
/// object like others. Every attachment has to be met.
pub(super) fn append_data(
    json: &str,
    attachments: &[Cow<'_, [u8]>],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut rules = Notepack { attachments, next: 0 };
    from_json(json, MAX_ARGS_DEPTH, &mut rules, out)?;
    rules.attachments.is_empty().then_some(()).ok_or(EncodeError::Json)
}

/// How notepack.io writes.
#[derive(Default)]
struct Notepack<'a> {
    /// Those not yet met in the text.
    attachments: &'a [Cow<'a, [u8]>],
    /// The number of the first of them.
    next: usize,
}

impl WriteRules for Notepack<'_> {
    /// An integer of 64 bits. Beyond them it wraps around.
    fn large_integer(&self, value: f64, out: &mut Vec<u8>) {
        #[expect(clippy::cast_possible_truncation, reason = "a remainder lies within 64 bits")]
        #[expect(clippy::cast_sign_loss, reason = "an absolute value has no sign")]
        let wrapped = (value.abs() % TWO_TO_THE_64TH) as u64;
        let (marker, bits) =
            if value < 0.0 { (INT_64, wrapped.wrapping_neg()) } else { (UINT_64, wrapped) };
        out.push(marker);
        out.extend_from_slice(&bits.to_be_bytes());
    }

    fn surrogates(&self, units: &[u16]) -> String {
        let text = paired(units);
        let micro = units.len() <= MICRO && text.len() <= MICRO;
        if micro { text } else { String::from_utf16_lossy(units) }
    }

    fn stand_in<'t>(
        &mut self,
        text: &'t [u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<&'t [u8]>, EncodeError> {
        let Some((bytes, others)) = self.attachments.split_first() else { return Ok(None) };
        let Some(number) = text.strip_prefix(PLACEHOLDER) else { return Ok(None) };
        let next = number.strip_prefix(itoa::Buffer::new().format(self.next).as_bytes());
        let Some([b'}', behind @ ..]) = next else { return Ok(None) };
        append_bin(bytes, out)?;
        self.next += 1;
        self.attachments = others;
        Ok(Some(behind))
    }
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

/// JSON text, and the binary parts that it has placeholders for.
pub(super) type Data<'a> = (String, Vec<Cow<'a, [u8]>>);

/// The JSON text and the attachments of the next value, of which there may be `most`. Without
/// `deconstruct`, binary is written as `JSON.stringify` writes it.
pub(super) fn read_data(
    mut input: Input<'_>,
    deconstruct: bool,
    most: usize,
) -> Result<Data<'_>, Malformed> {
    let mut rules = Unpacked { deconstruct, most, attachments: Vec::new() };
    let capacity = input.rest().len();
    let text = to_json(&mut input, MAX_ARGS_DEPTH, &mut rules, capacity)?;
    let text = String::from_utf8(text).map_err(|_| Malformed::MessagePack)?;
    Ok((text, rules.attachments))
}

/// How a value of notepack.io is shown to a client.
struct Unpacked<'a> {
    deconstruct: bool,
    /// How many attachments there may be.
    most: usize,
    attachments: Vec<Cow<'a, [u8]>>,
}

impl<'a> ReadRules<'a> for Unpacked<'a> {
    const ORDERED: bool = true;

    fn binary(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        if !self.deconstruct {
            append_buffer(bytes, out);
            return Ok(());
        }
        if self.attachments.len() >= self.most {
            return Err(Malformed::TooMany);
        }
        out.extend_from_slice(PLACEHOLDER);
        out.extend_from_slice(itoa::Buffer::new().format(self.attachments.len()).as_bytes());
        out.push(b'}');
        self.attachments.push(Cow::Borrowed(bytes));
        Ok(())
    }

    fn extension(&mut self, extension: &Extension<'a>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match *extension {
            Extension::Undefined => out.extend_from_slice(b"null"),
            Extension::Date(milliseconds) => append_date(milliseconds, out),
            Extension::ArrayBuffer(bytes) if self.deconstruct => self.binary(bytes, out)?,
            Extension::ArrayBuffer(_) => out.extend_from_slice(b"{}"),
            Extension::Unknown(kind, bytes) => {
                out.push(b'[');
                append_scalar(&Head::Number(kind.into()), out);
                out.push(b',');
                self.binary(bytes, out)?;
                out.push(b']');
            }
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.attachments.clear();
    }
}
