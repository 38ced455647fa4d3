//! What messages in JSON hold, read where it stands.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::adapter::packet::{Packet, is_reserved};
use crate::adapter::wire::data::append_json;
use crate::adapter::wire::decode::{MAX_ARGUMENTS, packet_type};
use crate::adapter::wire::names::Names;
use crate::codec::json::{has_more_items_than, is_deeper_than};
use crate::codec::msgpack::Input;
use crate::codec::{EncodeError, MAX_ARGS_DEPTH, Malformed, number_to_string};

#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) packet: Option<Object<PacketFields<'a>>>,
    #[serde(borrow)]
    pub(super) opts: Option<Object<Options<'a>>>,
    #[serde(borrow, rename = "requestId")]
    pub(super) request_id: Option<&'a RawValue>,
}

/// What is an object, read where it stands. serde would take a list for one too.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[derive(Deserialize)]
pub(super) struct PacketFields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Options<'a> {
    #[serde(borrow)]
    pub(super) rooms: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) except: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) flags: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Flags<'a> {
    #[serde(borrow)]
    volatile: Option<&'a RawValue>,
    #[serde(borrow)]
    compress: Option<&'a RawValue>,
}

/// An event whose data passes as it is.
pub(super) fn event<'a>(fields: &PacketFields<'a>) -> Result<Packet<'a>, Malformed> {
    let kind = packet_type(fields.kind.and_then(number).ok_or(Malformed::Type)?)?;
    let id = match fields.id.map(|id| (id, number(id))) {
        None => None,
        Some((_, Some(id))) => Some(Cow::Owned(number_to_string(id))),
        Some(_) => return Err(Malformed::Type),
    };
    let data = fields.data.ok_or(Malformed::Type)?.get();
    if is_deeper_than(MAX_ARGS_DEPTH, data) {
        return Err(Malformed::Depth);
    }
    if has_more_items_than(MAX_ARGUMENTS as usize - 1, data) {
        return Err(Malformed::TooMany);
    }
    // Elsewhere names are looked at as they stand in the text.
    if escaped_name(data).is_some_and(|name| is_reserved(&name)) {
        return Err(Malformed::Type);
    }
    let data = Some(Cow::Borrowed(data));
    Ok(Packet { kind, id, data, attachments: Vec::new() })
}

/// The event's name, where its text holds an escape.
fn escaped_name(data: &str) -> Option<String> {
    let text = data.strip_prefix('[').filter(|rest| rest.starts_with('"'))?;
    // Nearly no name has one.
    text.get(1..)?.find(['"', '\\']).filter(|end| text.as_bytes().get(end + 1) == Some(&b'\\'))?;
    let name = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?;
    let name = Some(name.get()).filter(|name| name.contains('\\'))?;
    serde_json::from_str(name).ok()
}

pub(super) fn names(list: Option<&RawValue>, most: u32) -> Result<Names<'static>, Malformed> {
    let Some(list) = list.map(RawValue::get).filter(|list| *list != "[]") else {
        return Ok(Names::default());
    };
    let mut packed = Vec::with_capacity(list.len());
    append_json(list, &mut packed).map_err(|error| match error {
        EncodeError::Depth => Malformed::Depth,
        EncodeError::TooLong => Malformed::TooLong,
        EncodeError::Json => Malformed::Json,
    })?;
    Ok(Names::read(Some(Input::of(&packed)), most)?.into_owned())
}

/// `flags.volatile` and `flags.compress`.
pub(super) fn json_flags(flags: Option<&RawValue>) -> Result<[Option<bool>; 2], Malformed> {
    match flags {
        Some(text) if text.get().starts_with('{') && text.get() != "{}" => {
            let Flags { volatile, compress } = parsed(Some(text.get()))?;
            Ok([volatile, compress].map(|flag| flag.map(is_truthy)))
        }
        _ => Ok([None; 2]),
    }
}

/// Whether a value counts as true to JavaScript.
fn is_truthy(value: &RawValue) -> bool {
    match value.get() {
        "false" | "null" | r#""""# => false,
        _ => number(value) != Some(0.0),
    }
}

pub(super) fn number(value: &RawValue) -> Option<f64> {
    serde_json::from_str(value.get()).ok()
}

pub(super) fn is_text(value: &RawValue, text: &str) -> bool {
    let json = value.get();
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain {
        Some(plain) if !plain.contains('\\') => plain == text,
        Some(_) => serde_json::from_str::<String>(json).is_ok_and(|value| value == text),
        None => false,
    }
}

/// Reads an object. serde would take a list for one too.
pub(super) fn parsed<'a, T: Deserialize<'a>>(text: Option<&'a str>) -> Result<T, Malformed> {
    match text {
        Some(text) if text.starts_with('{') => {
            let reason = |error: serde_json::Error| {
                if error.is_data() { Malformed::Type } else { Malformed::Json }
            };
            serde_json::from_str(text).map_err(reason)
        }
        _ => Err(Malformed::Type),
    }
}

pub(super) fn from_json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Malformed> {
    serde_json::from_slice(text).map_err(|_| Malformed::Json)
}
