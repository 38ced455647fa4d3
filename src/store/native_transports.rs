//! How broadcasts of 0.9 reach native transports.

use std::borrow::Cow;

use serde_json::Value;

use crate::websocket::{Audience, Broadcast, message_frames};

/// Calls back with a packet for the clients in a room, but for some. `exceptions`: JSON text of the array of
/// their ids, empty for none.
pub(super) fn write<T>(
    room: &str,
    packet: &str,
    exceptions: &str,
    callback: impl FnOnce(&Broadcast<'_>) -> T,
) -> T {
    let rooms = [Cow::Borrowed(room)];
    let except = own_rooms(exceptions);
    let audience = Audience { rooms: &rooms, except: &except };
    let frames = message_frames(b"", packet, std::iter::empty());
    // 0.9 writes what is volatile to each WebSocket that is open.
    callback(&Broadcast { audience, frames, volatile: false })
}

/// The name of the room that a client is alone in: no room of 0.9 begins so.
fn own_room(id: &str) -> String {
    format!("\0{id}")
}

fn own_rooms(exceptions: &str) -> Vec<Cow<'static, str>> {
    let ids: Vec<Value> = serde_json::from_str(exceptions).unwrap_or_default();
    ids.iter().filter_map(Value::as_str).map(|id| Cow::Owned(own_room(id))).collect()
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn a_packet_is_a_frame_of_its_own_and_exceptions_are_clients() {
        write("/room", "5:::{}", r#"["a",1,null,"b"]"#, |broadcast| {
            assert_eq!(broadcast.frames, b"\x81\x065:::{}"[..]);
            assert_eq!(broadcast.audience.rooms, ["/room"]);
            assert_eq!(broadcast.audience.except, ["\0a", "\0b"]);
        });
        for none in ["", "[]", "nonsense"] {
            write("", "1::", none, |broadcast| assert!(broadcast.audience.except.is_empty()));
        }
    }
}
