//! A packet and its options → a message of the sharded adapter.

use serde_json::Value;

use crate::adapter::packet::Packet;
use crate::adapter::wire::data::{append_data, append_json};
use crate::adapter::wire::encode::append_id;
use crate::codec::json::is_deeper_than;
use crate::codec::msgpack::{append_integer, append_str};
use crate::codec::{EncodeError, MAX_ARGS_DEPTH};

/// What the envelope adds to the texts in it.
const ENVELOPE: usize = 96;

/// Whether the adapter `uid` has published a payload, by its end, which is always the same.
#[must_use]
pub fn is_own(payload: &[u8], uid: &str, nsp: &str) -> bool {
    let mut end = Vec::with_capacity(uid.len() + nsp.len() + 32);
    if payload.first() == Some(&b'{') {
        append_json_end(uid, nsp, &mut end);
    } else if append_packed_end(uid, nsp, &mut end).is_err() {
        return false;
    }
    payload.ends_with(&end)
}

pub(in crate::adapter::wire) fn append_json_end(uid: &str, nsp: &str, out: &mut Vec<u8>) {
    let (uid, nsp) = (Value::from(uid), Value::from(nsp));
    out.extend_from_slice(format!(r#","uid":{uid},"nsp":{nsp}}}"#).as_bytes());
}

pub(in crate::adapter::wire) fn append_packed_end(
    uid: &str,
    nsp: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    for text in ["uid", uid, "nsp", nsp] {
        append_str(text.as_bytes(), out)?;
    }
    Ok(())
}

/// The payload of a broadcast: what the official adapter makes of
/// `{ type: 3, data: { packet: { type, data, id }, opts }, uid, nsp }`.
///
/// `opts_json` is JSON text of `{ rooms, except, flags }`. The packet's data is JSON text already, and
/// passes as it is where nothing in it is binary.
///
/// # Errors
///
/// When the data or the options are nested too deeply or too long, or when the data does not hold a
/// placeholder for every attachment, in order.
pub fn encode(
    uid: &str,
    packet: &Packet<'_>,
    nsp: &str,
    opts_json: &str,
) -> Result<Vec<u8>, EncodeError> {
    let data = packet.data.as_deref().ok_or(EncodeError::Json)?;
    let attached: usize = packet.attachments.iter().map(|bytes| bytes.len()).sum();
    let len = uid.len() + data.len() + attached + nsp.len() + opts_json.len() + ENVELOPE;
    let mut out = Vec::with_capacity(len);
    if !packet.attachments.is_empty() {
        append_packed(packet, data, opts_json, &mut out)?;
        append_packed_end(uid, nsp, &mut out)?;
        return Ok(out);
    }
    out.extend_from_slice(br#"{"type":3,"data":"#);
    append_json_data(packet, data, opts_json, &mut out)?;
    append_json_end(uid, nsp, &mut out);
    Ok(out)
}

/// `{ packet: { type, data, id }, opts }`, of which nothing is binary.
pub(in crate::adapter::wire) fn append_json_data(
    packet: &Packet<'_>,
    data: &str,
    opts_json: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if is_deeper_than(MAX_ARGS_DEPTH, data) {
        return Err(EncodeError::Depth);
    }
    out.extend_from_slice(br#"{"packet":{"type":"#);
    out.extend_from_slice(itoa::Buffer::new().format(packet.kind).as_bytes());
    out.extend_from_slice(br#","data":"#);
    out.extend_from_slice(data.as_bytes());
    if let Some(id) = &packet.id {
        out.extend_from_slice(br#","id":"#);
        out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(br#"},"opts":"#);
    out.extend_from_slice(opts_json.as_bytes());
    out.push(b'}');
    Ok(())
}

fn append_packed(
    packet: &Packet<'_>,
    data: &str,
    opts_json: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    const FOUR_PAIRS: u8 = 0x84;
    out.push(FOUR_PAIRS);
    append_str(b"type", out)?;
    append_integer(3, out)?;
    append_str(b"data", out)?;
    append_packed_data(packet, data, opts_json, out)
}

/// The same in MessagePack, of which something is.
pub(in crate::adapter::wire) fn append_packed_data(
    packet: &Packet<'_>,
    data: &str,
    opts_json: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    const TWO_PAIRS: u8 = 0x82;
    out.push(TWO_PAIRS);
    append_str(b"packet", out)?;
    out.push(TWO_PAIRS + u8::from(packet.id.is_some()));
    append_str(b"type", out)?;
    append_integer(packet.kind.into(), out)?;
    append_str(b"data", out)?;
    append_data(data, &packet.attachments, out)?;
    if let Some(id) = &packet.id {
        append_str(b"id", out)?;
        append_id(id, out)?;
    }
    append_str(b"opts", out)?;
    append_json(opts_json, out)
}
