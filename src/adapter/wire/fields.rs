//! What JavaScript makes of single values, and the few keys of an object that matter.

use crate::codec::Malformed;
use crate::codec::msgpack::{Extension, Head, Input};

/// `null` or `undefined`.
pub(super) const fn is_unset(head: &Head<'_>) -> bool {
    matches!(head, Head::Nil | Head::Extension(Extension::Undefined))
}

/// Whether a value counts as true.
pub(super) fn is_truthy(head: &Head<'_>) -> bool {
    match head {
        Head::Nil | Head::Extension(Extension::Undefined) => false,
        Head::Bool(value) => *value,
        Head::Number(value) => *value != 0.0 && !value.is_nan(),
        Head::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Where the values of these keys stand, in an object of this many pairs. Of a repeated key the
/// last counts.
pub(super) fn fields<'a, const N: usize>(
    input: &mut Input<'a>,
    pairs: u32,
    names: [&str; N],
) -> Result<[Option<Input<'a>>; N], Malformed> {
    let mut found = [None; N];
    for _ in 0..pairs {
        let mut behind = *input;
        let at = if let Head::String(key) = behind.head_or_extension()? {
            *input = behind;
            names.iter().position(|name| name.as_bytes() == key)
        } else {
            let key = input.key()?;
            names.iter().position(|name| *name == key)
        };
        let value = *input;
        input.skip(1)?;
        if let Some(place) = at.and_then(|at| found.get_mut(at)) {
            *place = Some(value);
        }
    }
    Ok(found)
}
