//! Which packets are events that clients take.

use super::Packet;

/// An event, with binary parts or without.
const EVENT: u8 = 2;
/// Events that clients refuse, or take for what Socket.IO itself tells: socket.io-parser's list.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Whether a packet is an event, which is all that servers broadcast. At another one clients
/// disconnect, and listeners of `onAnyOutgoing` cannot be called with what is no list.
///
/// ```
/// use socket_io_redis_native::adapter::packet::{Packet, is_event};
/// let event = |json: &'static str| Packet { kind: 2, data: Some(json.into()), ..Packet::default() };
/// assert!(is_event(&event(r#"["hi",1]"#)) && is_event(&event("[7]")));
/// assert!(!is_event(&event(r#"["disconnect"]"#)) && !is_event(&event(r#"{"a":1}"#)));
/// assert!(!is_event(&event("[null]")) && !is_event(&Packet::default()));
/// ```
#[must_use]
pub fn is_event(packet: &Packet<'_>) -> bool {
    let Packet { kind: EVENT, id, data: Some(data), .. } = packet else { return false };
    let id = id.as_deref().unwrap_or_default();
    let Some(first) = data.strip_prefix('[') else { return false };
    id.bytes().all(|byte| byte.is_ascii_digit())
        && match first.strip_prefix('"') {
            Some(name) => !RESERVED.iter().any(|reserved| is_called(name, reserved)),
            None => first.starts_with(|c: char| c == '-' || c.is_ascii_digit()),
        }
}

/// Whether clients refuse an event of this name.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn is_called(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.starts_with('"'))
}
