//! The WebSocket frames of messages from server to client: final, unmasked.

use bytes::Bytes;

/// The first byte of final frames, by opcode.
pub(crate) mod opcode {
    /// Text.
    pub(crate) const TEXT: u8 = 0x81;
    /// Binary.
    pub(crate) const BINARY: u8 = 0x82;
    /// Close.
    pub(crate) const CLOSE: u8 = 0x88;
    /// Ping.
    pub(crate) const PING: u8 = 0x89;
    /// Pong.
    pub(crate) const PONG: u8 = 0x8a;
}

/// Whole frames, one behind the other, which nothing may come between.
pub(crate) type Frames = Bytes;

/// Appends the head of a final, unmasked text frame with a payload of `payload_len` bytes.
///
/// The payload of a packet is Engine.IO's `4`, then the packet's text.
///
/// ```
/// use socket_io_redis_native::websocket::append_frame_head;
/// let mut frame = Vec::new();
/// append_frame_head(300, &mut frame);
/// assert_eq!(frame, [0x81, 126, 1, 44]);
/// ```
pub fn append_frame_head(payload_len: usize, out: &mut Vec<u8>) {
    append_head(opcode::TEXT, payload_len, out);
}

fn append_head(first: u8, payload_len: usize, out: &mut Vec<u8>) {
    out.push(first);
    match (u8::try_from(payload_len), u16::try_from(payload_len)) {
        (Ok(len @ ..=125), _) => out.push(len),
        (_, Ok(len)) => {
            out.push(126);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload_len as u64).to_be_bytes());
        }
    }
}

fn frame(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(len + 10);
    append_head(first, len, &mut frame);
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame
}

/// The frame of a text message.
pub(crate) fn text_frame(text: &str) -> Frames {
    frame(opcode::TEXT, &[text.as_bytes()]).into()
}

/// The frame of a binary message.
pub(crate) fn binary_frame(data: &[u8]) -> Frames {
    frame(opcode::BINARY, &[data]).into()
}

/// The frames of a message whose text begins with `prefix`, and of its binary parts behind it.
pub(crate) fn message_frames<'a>(
    prefix: &[u8],
    text: &str,
    parts: impl Iterator<Item = &'a [u8]> + Clone,
) -> Frames {
    // A head takes 10 bytes at most.
    let binary: usize = parts.clone().map(|part| part.len() + 10).sum();
    let mut frames = Vec::with_capacity(10 + prefix.len() + text.len() + binary);
    append_head(opcode::TEXT, prefix.len() + text.len(), &mut frames);
    frames.extend_from_slice(prefix);
    frames.extend_from_slice(text.as_bytes());
    for part in parts {
        append_head(opcode::BINARY, part.len(), &mut frames);
        frames.extend_from_slice(part);
    }
    frames.into()
}

/// A control frame: its payload is cut to the 125 bytes that it may have.
pub(crate) fn control_frame(opcode: u8, payload: &[u8]) -> Frames {
    frame(opcode, &[payload.get(..125).unwrap_or(payload)]).into()
}
