//! The names by which a namespace's rooms go where broadcasts are written to sockets: other ones for the
//! room `1` and the room `"1"` of JavaScript.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Stands before what is no string, and before a string that begins with it.
pub(super) const MARK: char = '\0';
/// No room goes by it.
pub(super) const NO_ROOM: &str = "\0";

/// The room of a string.
pub(super) fn of_string(room: &str) -> Cow<'_, str> {
    if room.starts_with(MARK) { format!("{MARK}{room}").into() } else { room.into() }
}

/// The room of a number, by the text that JavaScript makes of it.
pub(super) fn of_number(text: &str) -> Cow<'static, str> {
    format!("{MARK}{text}").into()
}

/// The other room that shares its text with the room of a string, if there can be one.
pub(super) fn of_same_text(room: &str) -> Option<Cow<'static, str>> {
    let may_be_number = room.starts_with(|c: char| matches!(c, '-' | 'I' | 'N' | '0'..='9'));
    may_be_number.then(|| of_number(room))
}

/// What `{ rooms, except, flags }` says of the sockets here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LocalOptions<'a> {
    pub(super) rooms: Vec<Cow<'a, str>>,
    pub(super) except: Vec<Cow<'a, str>>,
    pub(super) volatile: bool,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    rooms: Vec<&'a RawValue>,
    #[serde(borrow)]
    except: Vec<&'a RawValue>,
    #[serde(borrow)]
    flags: Option<Flags<'a>>,
}

#[derive(Deserialize)]
struct Flags<'a> {
    #[serde(borrow)]
    volatile: Option<&'a RawValue>,
}

/// Reads the JSON text. `None` when it names what is neither a string nor a number, of which nothing is
/// known here.
pub(super) fn local_options(json: &str) -> Option<LocalOptions<'_>> {
    let Fields { rooms, except, flags } = serde_json::from_str(json).ok()?;
    let names = |values: Vec<&'_ RawValue>| -> Option<Vec<Cow<'static, str>>> {
        values.into_iter().map(name_of).collect()
    };
    let volatile = flags.and_then(|flags| flags.volatile);
    let volatile =
        volatile.is_some_and(|value| !matches!(value.get(), "false" | "null" | "0" | r#""""#));
    Some(LocalOptions { rooms: names(rooms)?, except: names(except)?, volatile })
}

fn name_of(value: &RawValue) -> Option<Cow<'static, str>> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => {
            let name: String = serde_json::from_str(text).ok()?;
            Some(of_string(&name).into_owned().into())
        }
        // JSON.stringify and String make the same of a number.
        b'-' | b'0'..=b'9' => Some(of_number(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{NO_ROOM, local_options, of_number, of_string};

    #[test]
    fn no_two_rooms_share_a_name() {
        let rooms = ["", "1", "\0", "\x001", "\0\x001", "-0"];
        let mut names: Vec<_> = rooms.iter().map(|room| of_string(room).into_owned()).collect();
        names.extend(["1", "-1", "NaN", "Infinity"].map(|number| of_number(number).into_owned()));
        names.push(NO_ROOM.to_owned());
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn options_name_strings_and_numbers_and_nothing_else() {
        let json = r#"{"rooms":["a",1,"1","\u0000b"],"except":[-0.5],"flags":{"volatile":true}}"#;
        let options = local_options(json).unwrap();
        assert_eq!(options.rooms, ["a", "\x001", "1", "\0\0b"]);
        assert_eq!(options.except, ["\0-0.5"]);
        assert!(options.volatile);
        for flags in [r#"{"volatile":false}"#, r#"{"compress":true,"timeout":5}"#, "{}"] {
            let json = format!(r#"{{"rooms":[],"except":[],"flags":{flags}}}"#);
            assert!(!local_options(&json).unwrap().volatile, "{flags}");
        }
        assert!(!local_options(r#"{"rooms":[],"except":[]}"#).unwrap().volatile);
        for rooms in ["[{}]", "[null]", "[true]", "[[]]", r#"["\ud800"]"#] {
            let json = format!(r#"{{"rooms":{rooms},"except":[],"flags":{{}}}}"#);
            assert_eq!(local_options(&json), None, "{rooms}");
            let json = format!(r#"{{"rooms":[],"except":{rooms},"flags":{{}}}}"#);
            assert_eq!(local_options(&json), None, "{rooms}");
        }
    }
}
