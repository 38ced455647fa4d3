//! Entries of the streams of `@socket.io/redis-streams-adapter`: uid, nsp and type as text, and data as
//! JSON, or as base64 of MessagePack where something in it is binary. They are put together as messages of
//! the sharded adapter, which hold the same.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::sharded::encode::{
    append_json_data, append_json_end, append_packed_data, append_packed_end,
};
use super::{Broadcast, Limits, Reader, Received, sharded};
use crate::adapter::packet::Packet;
use crate::codec::msgpack::{append_integer, append_str};
use crate::codec::{EncodeError, Malformed};
use crate::streams::Entry;

/// The type of a broadcast.
pub(crate) const BROADCAST: u32 = 3;

/// As Node's: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The data of an entry for a broadcast; `opts_json` is JSON text of `{ rooms, except, flags }`.
///
/// # Errors
/// See [`super::encode`].
pub(crate) fn encode(packet: &Packet<'_>, opts_json: &str) -> Result<Vec<u8>, EncodeError> {
    let data = packet.data.as_deref().ok_or(EncodeError::Json)?;
    let mut out = Vec::with_capacity(data.len() + opts_json.len() + 64);
    if packet.attachments.is_empty() {
        append_json_data(packet, data, opts_json, &mut out)?;
        return Ok(out);
    }
    append_packed_data(packet, data, opts_json, &mut out)?;
    Ok(BASE64.encode(&out).into_bytes())
}

/// Calls back with the broadcast that an entry is, if it is one for these rooms.
pub(crate) fn broadcast<T>(
    entry: &Entry<'_>,
    reader: &Reader<'_>,
    is_here: impl Fn(&str) -> bool,
    callback: impl FnOnce(&Broadcast<'_>) -> T,
) -> Option<T> {
    let message;
    let received = match entry.data {
        // By far the most; they are read where they stand.
        Some(data) if data.first() == Some(&b'{') => sharded::decode_data(data, reader, is_here),
        _ => {
            message = self::message(entry, &reader.limits).ok()?;
            sharded::decode(&message, reader, false, is_here)
        }
    };
    if let Received::Broadcast(broadcast) = received.ok()? {
        Some(callback(&broadcast))
    } else {
        None
    }
}

/// An entry as a message of the sharded adapter.
///
/// # Errors
/// When no adapter writes such an entry, or it is longer than the limits allow.
pub(crate) fn message(entry: &Entry<'_>, limits: &Limits) -> Result<Vec<u8>, Malformed> {
    const FOUR_PAIRS: u8 = 0x84;
    let Entry { nsp, uid, kind, data, .. } = *entry;
    let kind: u32 = kind.parse().map_err(|_| Malformed::Type)?;
    let data = data.filter(|data| !data.is_empty());
    limits.check_length(data.unwrap_or_default())?;
    let mut out = Vec::with_capacity(data.map_or(0, <[u8]>::len) + uid.len() + nsp.len() + 64);
    match data {
        Some(data) if data.first() != Some(&b'{') => {
            out.push(FOUR_PAIRS);
            append_str(b"type", &mut out).map_err(|_| Malformed::TooLong)?;
            append_integer(kind.into(), &mut out).map_err(|_| Malformed::TooLong)?;
            append_str(b"data", &mut out).map_err(|_| Malformed::TooLong)?;
            BASE64.decode_vec(data, &mut out).map_err(|_| Malformed::MessagePack)?;
            append_packed_end(uid, nsp, &mut out).map_err(|_| Malformed::TooLong)?;
        }
        json => {
            out.extend_from_slice(format!(r#"{{"type":{kind}"#).as_bytes());
            if let Some(json) = json {
                out.extend_from_slice(br#","data":"#);
                out.extend_from_slice(json);
            }
            append_json_end(uid, nsp, &mut out);
        }
    }
    Ok(out)
}
