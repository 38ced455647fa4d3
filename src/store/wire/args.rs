//! The arguments of a message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shape;
use crate::codec::Malformed;
use crate::store::Args;

/// How many arguments a message may have, as in `lib/store/server-messages.js`.
const MAX_ARGS: usize = 10_000;

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
/// A dispatch with a lone surrogate, which a Rust string cannot hold, stays text for JavaScript to
/// parse. Anything that is no dispatch would make the server throw: it is malformed.
pub(super) fn shaped(text: Cow<'_, str>, shape: Shape) -> Result<Args<'_>, Malformed> {
    if shape == Shape::Any {
        return if has_too_many(&text) { Err(Malformed::TooMany) } else { Ok(Args::Json(text)) };
    }
    let taken_apart = match &text {
        Cow::Borrowed(text) => dispatch(text),
        Cow::Owned(text) => dispatch(text).map(Args::into_owned),
    };
    match taken_apart {
        Some(args) => Ok(args),
        None if is_like_dispatch(&text) => Ok(Args::Json(text)),
        None => Err(Malformed::Type),
    }
}

/// Whether a consumer cannot be called with as many arguments: JavaScript throws at some 100,000.
fn has_too_many(text: &str) -> bool {
    // Each takes two bytes or more.
    let maybe = text.len() > 2 * MAX_ARGS;
    maybe && serde_json::from_str::<Vec<&RawValue>>(text).is_ok_and(|args| args.len() > MAX_ARGS)
}

/// Whether room and packet are strings and the exceptions an array, whatever is in them.
fn is_like_dispatch(text: &str) -> bool {
    let Ok(args) = serde_json::from_str::<Vec<&RawValue>>(text) else { return false };
    let starts =
        |at: usize, with: char| args.get(at).is_some_and(|arg| arg.get().starts_with(with));
    starts(0, '"') && starts(1, '"') && starts(3, '[')
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

/// The JSON text of a dispatch's arguments, as `JSON.stringify` writes it.
#[must_use]
pub fn dispatch_args(room: &str, packet: &str, volatile: Option<bool>, exceptions: &str) -> String {
    let volatile = match volatile {
        None => ",null,",
        Some(false) => ",false,",
        Some(true) => ",true,",
    };
    let exceptions = if exceptions.is_empty() { "[]" } else { exceptions };
    ["[", &quoted(room), ",", &quoted(packet), volatile, exceptions, "]"].concat()
}

/// Escapes what ECMAScript escapes; `serde_json` agrees with it on all that a `str` can hold.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
