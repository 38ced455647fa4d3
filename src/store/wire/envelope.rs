//! The object around the arguments: read no further than needed to know which node sent it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Shape, args::shaped};
use crate::codec::json::is_deeper_than;
use crate::codec::msgpack::{
    Extension, Head, Input, ReadRules, WriteRules, append_buffer, append_double, append_str,
    from_json, key_text, to_json,
};
use crate::codec::{EncodeError, MAX_ARGS_DEPTH, Malformed};
use crate::store::{Incoming, NodeId};

/// JSON, with U+FFFD for broken UTF-8 as in Node.
pub(super) fn json<'a>(
    payload: &'a [u8],
    shape: Shape,
    own: &NodeId,
) -> Result<Incoming<'a>, Malformed> {
    if json_is_own(payload, own) {
        return Ok(Incoming::Own);
    }
    match String::from_utf8_lossy(payload) {
        Cow::Borrowed(text) => json_text(text, shape, own),
        Cow::Owned(text) => json_text(&text, shape, own).map(Incoming::into_owned),
    }
}

/// Whether a payload starts with this id.
pub(super) fn json_is_own(payload: &[u8], own: &NodeId) -> bool {
    leading_node_id(payload).is_some_and(|id| own.loosely_equals(&id))
}

/// The node id of a payload that starts with it, as those of `JSON.stringify` do.
fn leading_node_id(payload: &[u8]) -> Option<NodeId> {
    let rest = payload.strip_prefix(b"{\"nodeId\":")?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
    NodeId::from_json(values.next()?.ok()?.get())
}

fn json_text<'a>(text: &'a str, shape: Shape, own: &NodeId) -> Result<Incoming<'a>, Malformed> {
    let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| not_an_envelope(text))?;
    // The envelope is one level.
    if is_deeper_than(MAX_ARGS_DEPTH + 1, text) {
        return Err(Malformed::Depth);
    }
    let id = envelope.node_id.and_then(|id| NodeId::from_json(id.get()));
    if id.is_some_and(|id| own.loosely_equals(&id)) {
        return Ok(Incoming::Own);
    }
    let args = envelope.args.map_or("null", RawValue::get);
    foreign(Cow::Borrowed(args), shape)
}

fn not_an_envelope(text: &str) -> Malformed {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Malformed::Type,
        Err(_) => Malformed::Json,
    }
}

/// How the npm module `msgpack` writes and reads.
struct NpmMsgpack;

impl WriteRules for NpmMsgpack {
    fn large_integer(&self, value: f64, out: &mut Vec<u8>) {
        append_double(value, out);
    }
}

impl ReadRules<'_> for NpmMsgpack {
    const ORDERED: bool = false;

    fn binary(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        append_buffer(bytes, out);
        Ok(())
    }

    fn extension(&mut self, _: &Extension<'_>, _: &mut Vec<u8>) -> Result<(), Malformed> {
        Err(Malformed::Type)
    }
}

/// What the envelope in MessagePack adds to the texts in it.
const ENVELOPE: usize = 16;

/// The envelope in MessagePack, from two pieces of JSON text.
pub(super) fn to_message_pack(node_id: &str, args: &str) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(node_id.len() + args.len() + ENVELOPE);
    out.push(0x82);
    append_str(b"nodeId", &mut out)?;
    from_json(node_id, MAX_ARGS_DEPTH, &mut NpmMsgpack, &mut out)?;
    append_str(b"args", &mut out)?;
    from_json(args, MAX_ARGS_DEPTH, &mut NpmMsgpack, &mut out)?;
    Ok(out)
}

/// Reads MessagePack; the arguments become JSON text.
pub(super) fn message_pack(
    payload: &[u8],
    shape: Shape,
    own: &NodeId,
) -> Result<Incoming<'static>, Malformed> {
    let mut input = Input::of(payload);
    let Head::Map(pairs) = input.head()? else {
        return Err(Malformed::Type);
    };
    let mut args = b"null".to_vec();
    for _ in 0..pairs {
        let key = key_text(&input.head()?)?;
        let value = to_json(&mut input, MAX_ARGS_DEPTH, &mut NpmMsgpack, 0)?;
        match &*key {
            "nodeId" if is_same_node(&value, own) => return Ok(Incoming::Own),
            "args" => args = value,
            _ => {}
        }
    }
    if !input.is_empty() {
        return Err(Malformed::MessagePack);
    }
    let args = String::from_utf8(args).map_err(|_| Malformed::MessagePack)?;
    foreign(Cow::Owned(args), shape)
}

/// Whether a map starts with this id.
pub(super) fn message_pack_is_own(payload: &[u8], own: &NodeId) -> bool {
    let mut input = Input::of(payload);
    if !matches!(input.head(), Ok(Head::Map(1..))) {
        return false;
    }
    let Ok(Head::String(b"nodeId")) = input.head() else { return false };
    to_json(&mut input, MAX_ARGS_DEPTH, &mut NpmMsgpack, 0).is_ok_and(|id| is_same_node(&id, own))
}

fn is_same_node(json: &[u8], own: &NodeId) -> bool {
    let id = str::from_utf8(json).ok().and_then(NodeId::from_json);
    id.is_some_and(|id| own.loosely_equals(&id))
}

/// Another node's message. Without arguments the consumer is called with none, as by `apply`.
fn foreign(args: Cow<'_, str>, shape: Shape) -> Result<Incoming<'_>, Malformed> {
    match args.as_bytes().first() {
        Some(b'[') => shaped(args, shape).map(Incoming::Foreign),
        _ if args == "null" => shaped(Cow::Borrowed("[]"), shape).map(Incoming::Foreign),
        _ => Err(Malformed::Type),
    }
}

/// The two values that matter, unread. Of a repeated key the last counts, as in `JSON.parse`.
struct Envelope<'a> {
    node_id: Option<&'a RawValue>,
    args: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Skim)
    }
}

struct Skim;

impl<'de> Visitor<'de> for Skim {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut node_id, mut args) = (None, None);
        // A key is not parsed either: a lone surrogate in it must not be an error.
        while let Some(key) = map.next_key::<&RawValue>()? {
            let value = map.next_value::<&RawValue>()?;
            match &*plain_key(key.get()) {
                "\"nodeId\"" => node_id = Some(value),
                "\"args\"" => args = Some(value),
                _ => {}
            }
        }
        Ok(Envelope { node_id, args })
    }
}

/// A key in quotes, without needless escapes.
fn plain_key(key: &str) -> Cow<'_, str> {
    if !key.contains('\\') {
        return Cow::Borrowed(key);
    }
    match serde_json::from_str::<String>(key) {
        Ok(text) => Cow::Owned(format!("\"{text}\"")),
        Err(_) => Cow::Borrowed(key),
    }
}
