//! A payload → a broadcast: skimmed first, and read only when it is for this node.

use std::borrow::Cow;

use super::data::read_data;
use super::fields::{fields, is_truthy, is_unset};
use super::names::Names;
use super::{Broadcast, Limits, Reader, Received};
use crate::adapter::packet::Packet;
use crate::codec::msgpack::{Head, Input};
use crate::codec::{Malformed, number_to_string};

/// A packet without this key belongs to this namespace.
const MAIN_NAMESPACE: &[u8] = b"/";
/// More than an event has: its arguments are those of a call in JavaScript, which lie on the stack.
pub(super) const MAX_ARGUMENTS: u32 = 10_001;

/// Reads a broadcast as this reader does; `is_here` says whether a client is in a room.
///
/// Of an own message nothing but the uid is read, and the data only of one that is for this node.
///
/// # Errors
///
/// When the official adapter would throw, no adapter and no emitter writes such a payload, or it
/// holds more than the limits allow.
pub fn decode<'a>(
    payload: &'a [u8],
    reader: &Reader<'_>,
    is_here: impl Fn(&str) -> bool,
) -> Result<Received<'a>, Malformed> {
    let Reader { uid, nsp, limits } = *reader;
    if payload.is_empty() {
        return Err(Malformed::Empty);
    }
    let mut input = Input::of(payload);
    let Head::Array(len) = input.head_or_extension()? else { return Err(Malformed::Type) };
    if len > 0 && matches!(input.step()?, Head::String(text) if text == uid.as_bytes()) {
        return Ok(Received::Own);
    }
    limits.check_length(payload)?;
    let packet = if len > 1 { packet(&mut input)? } else { None };
    let opts = if len > 2 { options(&mut input)? } else { None };
    input.skip(u64::from(len.saturating_sub(3)))?;
    if !input.is_empty() {
        return Err(Malformed::MessagePack);
    }
    let Some([kind, data, id, packet_nsp]) = packet else { return Ok(Received::OtherNamespace) };
    if !is_namespace(packet_nsp, nsp)? {
        return Ok(Received::OtherNamespace);
    }
    let Some([rooms, except, flags]) = opts else { return Err(Malformed::Type) };
    let rooms = Names::read(rooms, limits.rooms)?;
    if !rooms.is_empty() && !rooms.iter().any(|room| is_here(&room)) {
        return Ok(Received::NotHere);
    }
    let except = Names::read(except, limits.rooms)?;
    let [volatile, compress] = flags_of(flags)?;
    let packet = convert(kind, data, id, limits)?;
    Ok(Received::Broadcast(Broadcast { packet, rooms, except, volatile, compress }))
}

/// Whether the adapter `uid` has published a payload; nothing else of it is read.
#[must_use]
pub fn is_own(payload: &[u8], uid: &str) -> bool {
    let mut input = Input::of(payload);
    let is_array = matches!(input.head_or_extension(), Ok(Head::Array(1..)));
    is_array && matches!(input.step(), Ok(Head::String(text)) if text == uid.as_bytes())
}

type Place<'a> = Option<Input<'a>>;

/// The places of these keys in the next value, if that is an object.
pub(super) fn object<'a, const N: usize>(
    input: &mut Input<'a>,
    names: [&str; N],
) -> Result<Option<[Place<'a>; N]>, Malformed> {
    if let Head::Map(pairs) = Input::head_or_extension(&mut input.clone())? {
        input.head_or_extension()?;
        return fields(input, pairs, names).map(Some);
    }
    input.skip(1)?;
    Ok(None)
}

/// `None` for values that the official adapter ignores; at other ones it would throw.
fn packet<'a>(input: &mut Input<'a>) -> Result<Option<[Place<'a>; 4]>, Malformed> {
    let start = *input;
    match object(input, ["type", "data", "id", "nsp"])? {
        None if is_truthy(&head_at(start)?) => Err(Malformed::Type),
        packet => Ok(packet),
    }
}

/// `None` for values that the official adapter throws at. Others that are no object have no fields.
fn options<'a>(input: &mut Input<'a>) -> Result<Option<[Place<'a>; 3]>, Malformed> {
    let start = *input;
    let fields = object(input, ["rooms", "except", "flags"])?;
    let head = head_at(start)?;
    let takes_fields = matches!(head, Head::Array(_) | Head::Binary(_) | Head::Extension(_));
    Ok(fields.or_else(|| (takes_fields && !is_unset(&head)).then_some([None; 3])))
}

pub(super) fn head_at(mut place: Input<'_>) -> Result<Head<'_>, Malformed> {
    place.head_or_extension()
}

fn is_namespace(place: Place<'_>, nsp: &str) -> Result<bool, Malformed> {
    let own = nsp.as_bytes();
    Ok(match place.map(head_at).transpose()? {
        Some(Head::String(name)) => name == own,
        Some(Head::Nil) => false,
        Some(head) => is_unset(&head) && own == MAIN_NAMESPACE,
        None => own == MAIN_NAMESPACE,
    })
}

/// `flags.volatile` and `flags.compress`.
pub(super) fn flags_of(place: Place<'_>) -> Result<[Option<bool>; 2], Malformed> {
    let Some(mut input) = place else { return Ok([None; 2]) };
    let Some(flags) = object(&mut input, ["volatile", "compress"])? else { return Ok([None; 2]) };
    let mut values = [None; 2];
    for (value, place) in values.iter_mut().zip(flags) {
        let head = place.map(head_at).transpose()?.filter(|head| !is_unset(head));
        *value = head.map(|head| is_truthy(&head));
    }
    Ok(values)
}

pub(super) fn convert<'a>(
    kind: Place<'a>,
    data: Place<'a>,
    id: Place<'a>,
    limits: Limits,
) -> Result<Packet<'a>, Malformed> {
    let kind = match kind.map(head_at).transpose()? {
        Some(Head::Number(value)) => packet_type(value)?,
        _ => return Err(Malformed::Type),
    };
    let id = match id.map(head_at).transpose()? {
        Some(Head::Number(value)) => Some(Cow::Owned(number_to_string(value))),
        Some(Head::String(text)) => Some(String::from_utf8_lossy(text)),
        Some(head) if !is_unset(&head) => return Err(Malformed::Type),
        _ => None,
    };
    let mut packet = Packet { kind, id, ..Packet::default() };
    if let Some(place) = data
        && let head = head_at(place)?
        && !is_unset(&head)
    {
        if matches!(head, Head::Array(MAX_ARGUMENTS..)) {
            return Err(Malformed::TooMany);
        }
        // Only there does socket.io-parser look for binary.
        let deconstruct = matches!(kind, 2 | 3);
        let (text, attachments) = read_data(place, deconstruct, limits.attachments)?;
        packet.data = Some(Cow::Owned(text));
        packet.attachments = attachments;
    }
    Ok(packet)
}

/// 5 and 6 are what the parser of the receiver turns 2 and 3 into, and never what is sent.
pub(super) fn packet_type(value: f64) -> Result<u8, Malformed> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked below")]
    let kind = value as u8;
    #[expect(clippy::float_cmp, reason = "a whole number or none")]
    let whole = f64::from(kind) == value;
    if whole && !matches!(kind, 5 | 6) { Ok(kind) } else { Err(Malformed::Type) }
}
