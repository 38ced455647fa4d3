//! A packet and its options → a payload.

use super::data::{append_data, append_json};
use crate::adapter::packet::Packet;
use crate::codec::EncodeError;
use crate::codec::msgpack::{append_integer, append_str};

/// What the envelope adds to the texts in it.
const ENVELOPE: usize = 48;

/// The payload of a broadcast: what notepack.io makes of `[uid, { type, data, nsp, id }, opts]`.
///
/// `opts_json` is JSON text of `{ rooms, except, flags }`. Data and id are left out when the packet
/// has none.
///
/// # Errors
///
/// When the data or the options are not JSON, are nested too deeply or too long, or when the data
/// does not hold a placeholder for every attachment, in order.
pub fn encode(
    uid: &str,
    packet: &Packet<'_>,
    nsp: &str,
    opts_json: &str,
) -> Result<Vec<u8>, EncodeError> {
    let data_len = packet.data.as_ref().map_or(0, |data| data.len());
    let attached: usize = packet.attachments.iter().map(|bytes| bytes.len()).sum();
    let len = uid.len() + data_len + attached + nsp.len() + opts_json.len() + ENVELOPE;
    let mut out = Vec::with_capacity(len);
    out.push(0x93);
    append_str(uid.as_bytes(), &mut out)?;
    let pairs = 2 + u8::from(packet.data.is_some()) + u8::from(packet.id.is_some());
    out.push(0x80 | pairs);
    append_str(b"type", &mut out)?;
    append_integer(packet.kind.into(), &mut out)?;
    match &packet.data {
        Some(data) => {
            append_str(b"data", &mut out)?;
            append_data(data, &packet.attachments, &mut out)?;
        }
        None if packet.attachments.is_empty() => {}
        None => return Err(EncodeError::Json),
    }
    append_str(b"nsp", &mut out)?;
    append_str(nsp.as_bytes(), &mut out)?;
    if let Some(id) = &packet.id {
        append_str(b"id", &mut out)?;
        append_id(id, &mut out)?;
    }
    append_json(opts_json, &mut out)?;
    Ok(out)
}

/// A packet's id is a number, and a string only if nothing else can print as it does.
pub(super) fn append_id(id: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let canonical = is_number && (id == "0" || !id.starts_with('0'));
    if canonical { append_json(id, out) } else { append_str(id.as_bytes(), out) }
}
