//! The arguments of a message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shape;
use crate::model::Args;

/// Serde reads a struct from an array too, and wants exactly these four elements then.
#[derive(Deserialize)]
struct Dispatch<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(borrow)]
    packet: Cow<'a, str>,
    volatile: Option<bool>,
    #[serde(borrow)]
    exceptions: &'a RawValue,
}

/// Sorts the JSON text of an array of arguments by shape.
///
/// A dispatch that is not one stays text, for JavaScript to parse. So does one with half a
/// surrogate pair, which a Rust string cannot hold.
pub(super) fn shaped(text: Cow<'_, str>, shape: Shape) -> Args<'_> {
    if shape == Shape::Any {
        return Args::Json(text);
    }
    match text {
        Cow::Borrowed(text) => dispatch(text).unwrap_or(Args::Json(Cow::Borrowed(text))),
        Cow::Owned(text) => match dispatch(&text).map(Args::into_owned) {
            Some(args) => args,
            None => Args::Json(Cow::Owned(text)),
        },
    }
}

fn dispatch(text: &str) -> Option<Args<'_>> {
    let Dispatch { room, packet, volatile, exceptions } = serde_json::from_str(text).ok()?;
    let ids: Vec<&RawValue> = serde_json::from_str(exceptions.get()).ok()?;
    let all_strings = ids.iter().all(|id| id.get().starts_with('"'));
    let exceptions = if ids.is_empty() { "" } else { exceptions.get() };
    all_strings.then_some(Args::Dispatch {
        room,
        packet,
        volatile,
        exceptions: Cow::Borrowed(exceptions),
    })
}
