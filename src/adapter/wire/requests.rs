//! The requests of other servers, as far as they matter before JavaScript reads them.

use serde::Deserialize;
use serde_json::Value;

use crate::codec::number_to_string;

/// The type of a request to join rooms.
const JOIN: f64 = 2.0;

/// A request, as far as it matters here. Servers of 4.x name several rooms, older ones one.
#[derive(Deserialize)]
struct Request {
    #[serde(rename = "type")]
    kind: Value,
    #[serde(default)]
    rooms: Value,
    #[serde(default)]
    room: Value,
}

/// The rooms that a request has sockets join; none when it is another one.
pub(crate) fn rooms_to_join(request: &[u8]) -> Vec<String> {
    // Those that are not JSON are of other types.
    if request.first() != Some(&b'{') {
        return Vec::new();
    }
    let Ok(Request { kind, rooms, room }) = serde_json::from_slice(request) else {
        return Vec::new();
    };
    if kind.as_f64().is_none_or(|kind| (kind - JOIN).abs() > f64::EPSILON) {
        return Vec::new();
    }
    let mut names = names_of(rooms);
    names.extend(name(room));
    names
}

/// The names of rooms in a list, or of a single one.
pub(super) fn names_of(rooms: Value) -> Vec<String> {
    match rooms {
        Value::Array(rooms) => rooms.into_iter().filter_map(name).collect(),
        one => name(one).into_iter().collect(),
    }
}

/// What JavaScript makes of it as the name of a room.
fn name(room: Value) -> Option<String> {
    match room {
        Value::String(room) => Some(room),
        Value::Number(room) => room.as_f64().map(number_to_string),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::rooms_to_join;

    fn request(rooms: &str) -> Vec<u8> {
        format!(r#"{{"uid":"x","type":2,"opts":{{"rooms":[],"except":[]}},"rooms":{rooms}}}"#)
            .into()
    }

    #[test]
    fn only_requests_to_join_are_seen() {
        let other = String::from_utf8(request(r#"["a"]"#)).unwrap().replace('2', "3");
        let none: &[&[u8]] = &[other.as_bytes(), b"", b"{", b"\x83", b"{}", b"[]", b"{\"type\":2}"];
        for request in none {
            assert_eq!(rooms_to_join(request), Vec::<String>::new());
        }
        assert_eq!(rooms_to_join(br#"{"type":2.0,"sid":"x","room":"one"}"#), ["one"]);
        assert_eq!(rooms_to_join(&request(r#""text""#)), ["text"]);
        assert_eq!(rooms_to_join(&request(r#"[null,{},"a",[],true,-0]"#)), ["a", "0"]);
    }
}
