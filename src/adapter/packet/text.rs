//! `<type>[<attachments>-][/nsp,][id]<JSON>`, as socket.io-parser writes it.

use std::borrow::Cow;

use super::Packet;

const EVENT: u8 = 2;
const ACK: u8 = 3;
const BINARY_EVENT: u8 = 5;
const BINARY_ACK: u8 = 6;

/// Reads the text of a packet of this namespace, and puts its attachments with it.
///
/// `None` when it is no such text, or does not announce just as many attachments. The data is not
/// looked into.
#[must_use]
pub fn parse<'a>(text: &'a str, nsp: &str, attachments: Vec<Cow<'a, [u8]>>) -> Option<Packet<'a>> {
    let (&digit, _) = text.as_bytes().split_first()?;
    let rest = text.get(1..)?;
    let (kind, rest) = match digit.checked_sub(b'0')? {
        BINARY_EVENT => (EVENT, without_count(rest, attachments.len())?),
        BINARY_ACK => (ACK, without_count(rest, attachments.len())?),
        kind @ 0..=9 if attachments.is_empty() => (kind, rest),
        _ => return None,
    };
    let rest = match shown(nsp) {
        Some(nsp) => rest.strip_prefix(nsp)?.strip_prefix(',')?,
        None => rest,
    };
    let data = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let id = rest.strip_suffix(data).filter(|id| !id.is_empty());
    let data = Some(data).filter(|data| !data.is_empty());
    Some(Packet { kind, id: id.map(Cow::Borrowed), data: data.map(Cow::Borrowed), attachments })
}

fn without_count(text: &str, attachments: usize) -> Option<&str> {
    let (count, rest) = text.split_once('-')?;
    let digits = count.bytes().all(|b| b.is_ascii_digit());
    (digits && count.parse() == Ok(attachments)).then_some(rest)
}

/// The namespace, unless the text leaves it out.
fn shown(nsp: &str) -> Option<&str> {
    Some(nsp).filter(|nsp| !matches!(*nsp, "" | "/"))
}

/// Appends the text of a packet of this namespace, as socket.io-parser's `encodeAsString` does.
///
/// ```
/// use socket_io_redis_native::adapter::packet::Packet;
/// use socket_io_redis_native::adapter::packet::append_text;
/// let packet = Packet { kind: 2, data: Some(r#"["hi"]"#.into()), ..Packet::default() };
/// let mut text = Vec::new();
/// append_text(&packet, "/chat", &mut text);
/// assert_eq!(text, br#"2/chat,["hi"]"#);
/// ```
pub fn append_text(packet: &Packet<'_>, nsp: &str, out: &mut Vec<u8>) {
    let data = packet.data.as_deref().unwrap_or_default();
    out.reserve(data.len() + nsp.len() + 24);
    let binary = !packet.attachments.is_empty();
    match packet.kind {
        EVENT if binary => out.push(b'5'),
        ACK if binary => out.push(b'6'),
        digit @ 0..=9 => out.push(b'0' + digit),
        kind => out.extend_from_slice(itoa::Buffer::new().format(kind).as_bytes()),
    }
    if binary {
        let count = packet.attachments.len();
        out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        out.push(b'-');
    }
    if let Some(nsp) = shown(nsp) {
        out.extend_from_slice(nsp.as_bytes());
        out.push(b',');
    }
    if let Some(id) = &packet.id {
        out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(data.as_bytes());
}
