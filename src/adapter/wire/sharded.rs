//! The messages of Socket.IO 4's sharded adapter: `{ uid, nsp, type, data }`, as socket.io-adapter's
//! `ClusterAdapter` makes them. They are JSON, unless the data holds binary: then notepack.io's MessagePack.

pub(super) mod encode;
mod json;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::json::{
    Data, Object, Options, PacketFields, event, from_json, is_text, json_flags, names, number,
    parsed,
};
use super::decode::{convert, flags_of, head_at, object};
use super::fields::{fields, is_unset};
use super::names::Names;
use super::requests::names_of;
use super::{Broadcast, Reader, Received};
use crate::codec::Malformed;
use crate::codec::msgpack::{Head, Input};
pub use encode::{encode, is_own};

/// The type of a broadcast. With a `requestId` it is a request for acknowledgements.
const BROADCAST: f64 = 3.0;
/// The type of a request to join rooms.
const JOIN: f64 = 4.0;
/// The types of responses.
const RESPONSES: [f64; 4] = [8.0, 10.0, 11.0, 12.0];

/// Reads a message as this reader does; `is_here` says whether a client is in a room. With `raw`,
/// JavaScript reads broadcasts.
///
/// # Errors
///
/// When no adapter writes such a payload, or it holds more than the limits allow.
pub fn decode<'a>(
    payload: &'a [u8],
    reader: &Reader<'_>,
    raw: bool,
    is_here: impl Fn(&str) -> bool,
) -> Result<Received<'a>, Malformed> {
    let Some(first) = payload.first() else { return Err(Malformed::Empty) };
    if is_own(payload, reader.uid, reader.nsp) {
        return Ok(Received::Own);
    }
    reader.limits.check_response(payload)?;
    let (received, place) = if *first == b'{' {
        let message = from_json::<Message<'_>>(payload)?;
        (message.kind(reader)?, Place::Json(message.data.map(RawValue::get)))
    } else {
        let mut input = Input::of(payload);
        let Some([uid, nsp, kind, data]) = object(&mut input, ["uid", "nsp", "type", "data"])?
        else {
            return Err(Malformed::Type);
        };
        if !input.is_empty() {
            return Err(Malformed::MessagePack);
        }
        (packed_kind(uid, nsp, kind, reader)?, Place::Packed(data))
    };
    if !matches!(received, Received::Response) {
        reader.limits.check_length(payload)?;
    }
    if !matches!(received, Received::Packed) {
        return Ok(received);
    }
    let Some(parts) = place.broadcast()? else { return Ok(Received::Request) };
    if raw { Ok(Received::Packed) } else { parts.read(reader, is_here) }
}

/// Reads the data of a broadcast in JSON, as [`decode`] does in a message.
///
/// # Errors
///
/// See [`decode`].
pub(super) fn decode_data<'a>(
    data: &'a [u8],
    reader: &Reader<'_>,
    is_here: impl Fn(&str) -> bool,
) -> Result<Received<'a>, Malformed> {
    reader.limits.check_length(data)?;
    let text = str::from_utf8(data).map_err(|_| Malformed::Json)?;
    match Place::Json(Some(text)).broadcast()? {
        Some(parts) => parts.read(reader, is_here),
        None => Ok(Received::Request),
    }
}

/// The rooms that a request has sockets join; none when it is another one.
pub(crate) fn rooms_to_join(request: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        rooms: Value,
    }
    let Ok(Message { kind: Some(kind), data: Some(data), .. }) = from_json(request) else {
        return Vec::new();
    };
    if number(kind) != Some(JOIN) {
        return Vec::new();
    }
    from_json::<Data>(data.get().as_bytes())
        .map_or_else(|_| Vec::new(), |data| names_of(data.rooms))
}

/// What is in every message.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    uid: Option<&'a RawValue>,
    #[serde(borrow)]
    nsp: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Message<'_> {
    fn kind(&self, reader: &Reader<'_>) -> Result<Received<'static>, Malformed> {
        let is = |value: Option<&RawValue>, text| value.is_some_and(|value| is_text(value, text));
        kind_of(
            is(self.uid, reader.uid),
            is(self.nsp, reader.nsp),
            self.kind.and_then(number),
            self.kind.is_some_and(|kind| kind.get().starts_with('"')),
        )
    }
}

fn packed_kind(
    uid: Option<Input<'_>>,
    nsp: Option<Input<'_>>,
    kind: Option<Input<'_>>,
    reader: &Reader<'_>,
) -> Result<Received<'static>, Malformed> {
    let [uid, nsp, kind] = [uid, nsp, kind].map(|place| place.map(head_at));
    let is = |head: Option<Head<'_>>, text: &str| matches!(head, Some(Head::String(found)) if found == text.as_bytes());
    let kind = kind.transpose()?;
    let number = if let Some(Head::Number(number)) = kind { Some(number) } else { None };
    let (uid, nsp) = (uid.transpose()?, nsp.transpose()?);
    let is_word = matches!(kind, Some(Head::String(_)));
    kind_of(is(uid, reader.uid), is(nsp, reader.nsp), number, is_word)
}

/// What becomes of a message; a broadcast is [`Received::Packed`] for now.
fn kind_of(
    is_own: bool,
    is_here: bool,
    kind: Option<f64>,
    is_word: bool,
) -> Result<Received<'static>, Malformed> {
    match kind {
        _ if is_own => Ok(Received::Own),
        _ if !is_here => Ok(Received::OtherNamespace),
        Some(BROADCAST) => Ok(Received::Packed),
        Some(kind) if RESPONSES.contains(&kind) => Ok(Received::Response),
        Some(_) => Ok(Received::Request),
        // Servers of this package call what they alone ask by a word.
        None if is_word => Ok(Received::Request),
        None => Err(Malformed::Type),
    }
}

/// Where the data of a message stands.
enum Place<'a> {
    Json(Option<&'a str>),
    Packed(Option<Input<'a>>),
}

impl<'a> Place<'a> {
    /// The parts of a broadcast; `None` when clients are to acknowledge it.
    fn broadcast(self) -> Result<Option<Parts<'a>>, Malformed> {
        match self {
            Self::Json(data) => {
                let Data { packet, opts, request_id } = parsed(data)?;
                if request_id.is_some() {
                    return Ok(None);
                }
                let (Some(Object(packet)), Some(Object(opts))) = (packet, opts) else {
                    return Err(Malformed::Type);
                };
                Ok(Some(Parts::Json(packet, opts)))
            }
            Self::Packed(data) => {
                let [packet, opts, id] = entries(data, ["packet", "opts", "requestId"])?;
                let is_plain = id.map(head_at).transpose()?.is_none_or(|head| is_unset(&head));
                Ok(is_plain.then_some(Parts::Packed(packet, opts)))
            }
        }
    }
}

/// A packet and its options.
enum Parts<'a> {
    Json(PacketFields<'a>, Options<'a>),
    Packed(Option<Input<'a>>, Option<Input<'a>>),
}

impl<'a> Parts<'a> {
    fn read(
        self,
        reader: &Reader<'_>,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<Received<'a>, Malformed> {
        let limits = reader.limits;
        let is_for_others =
            |rooms: &Names<'_>| !rooms.is_empty() && !rooms.iter().any(|room| is_here(&room));
        match self {
            Self::Json(packet, opts) => {
                let Options { rooms, except, flags } = opts;
                let rooms = names(rooms, limits.rooms)?;
                if is_for_others(&rooms) {
                    return Ok(Received::NotHere);
                }
                let except = names(except, limits.rooms)?;
                let [volatile, compress] = json_flags(flags)?;
                let packet = event(&packet)?;
                Ok(Received::Broadcast(Broadcast { packet, rooms, except, volatile, compress }))
            }
            Self::Packed(packet, opts) => {
                let [rooms, except, flags] = entries(opts, ["rooms", "except", "flags"])?;
                let rooms = Names::read(rooms, limits.rooms)?;
                if is_for_others(&rooms) {
                    return Ok(Received::NotHere);
                }
                let except = Names::read(except, limits.rooms)?;
                let [volatile, compress] = flags_of(flags)?;
                let [kind, data, id] = entries(packet, ["type", "data", "id"])?;
                let packet = convert(kind, data, id, limits)?;
                Ok(Received::Broadcast(Broadcast { packet, rooms, except, volatile, compress }))
            }
        }
    }
}

/// The places of these keys in an object.
fn entries<'a, const N: usize>(
    place: Option<Input<'a>>,
    names: [&str; N],
) -> Result<[Option<Input<'a>>; N], Malformed> {
    let mut input = place.ok_or(Malformed::Type)?;
    match input.head_or_extension()? {
        Head::Map(pairs) => fields(&mut input, pairs, names),
        _ => Err(Malformed::Type),
    }
}
