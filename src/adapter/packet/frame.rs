//! The WebSocket frame of a message from server to client.

/// FIN, and the opcode of a text frame.
const FINAL_TEXT: u8 = 0x81;

/// Appends the head of a final, unmasked text frame with a payload of `payload_len` bytes.
///
/// The payload of a packet is Engine.IO's `4`, then the packet's text.
///
/// ```
/// use socket_io_redis_native::adapter::packet::append_frame_head;
/// let mut frame = Vec::new();
/// append_frame_head(300, &mut frame);
/// assert_eq!(frame, [0x81, 126, 1, 44]);
/// ```
pub fn append_frame_head(payload_len: usize, out: &mut Vec<u8>) {
    out.push(FINAL_TEXT);
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
