//! The heads of a client's frames: checked in the order in which ws checks them, before the parser has
//! them, so that a client breaks the same rule here as there, and as early.

/// A rule that a client has broken, as ws names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// The `code` of ws's error.
    pub(super) code: &'static str,
    /// What ws's error says.
    pub(super) message: String,
    /// The status that the client is closed with.
    pub(super) status: u16,
}

/// Why no more is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The client has sent a close frame with this code and reason.
    Closed(u16, String),
    /// The client has broken a rule.
    Violated(Violation),
}

/// The greatest length that a number of JavaScript can hold, in bytes.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// The longest string of V8 in bytes: where nothing else limits messages. The parser asks for memory by
/// what a head says, so there is a limit always.
const LONGEST: u64 = (1 << 29) - 24;
/// The longest payload of a control frame, in bytes.
const LONGEST_CONTROL: u8 = 125;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PONG: u8 = 10;

/// How far a client's frames have come.
#[derive(Debug)]
pub(super) struct Heads {
    /// What has arrived of a head.
    head: [u8; 14],
    len: usize,
    /// How many bytes are missing of a payload.
    left: u64,
    /// How long a message may be, in bytes.
    max_payload: u64,
    /// How long a message is, as far as its frames have come.
    total: u64,
    is_fragmented: bool,
    /// The payload of a close frame, masked, once one has begun.
    close: Option<Vec<u8>>,
}

impl Heads {
    /// `max_payload` of 0 is ws's word for no limit.
    pub(super) fn new(max_payload: usize) -> Self {
        let max_payload = if max_payload == 0 { LONGEST } else { LONGEST.min(max_payload as u64) };
        let (head, close) = ([0; 14], None);
        Self { head, len: 0, left: 0, max_payload, total: 0, is_fragmented: false, close }
    }

    /// Checks what has arrived. Returns how much of it the parser is to have, and why there is no more, if
    /// so. The parser gets no byte of a close frame, nor anything behind it.
    pub(super) fn check(&mut self, input: &[u8]) -> (usize, Option<End>) {
        let mut rest = input;
        let mut parsers = if self.close.is_some() { 0 } else { input.len() };
        while let Some(first) = rest.first() {
            if self.left == 0 {
                if self.len == 0 && first & 15 == CLOSE {
                    self.close = Some(Vec::new());
                    parsers = input.len() - rest.len();
                }
                if let Err(violation) = self.take(*first) {
                    return (parsers.min(input.len() - rest.len()), Some(End::Violated(violation)));
                }
                rest = rest.get(1..).unwrap_or_default();
            } else {
                let len =
                    usize::try_from(self.left).map_or(rest.len(), |left| rest.len().min(left));
                let (payload, behind) = rest.split_at(len);
                if let Some(close) = &mut self.close {
                    close.extend_from_slice(payload);
                }
                self.left -= len as u64;
                rest = behind;
            }
            let is_whole = self.len == 0 && self.left == 0;
            if let Some(close) = self.close.as_ref().filter(|_| is_whole) {
                return (parsers, Some(self.closed(close)));
            }
        }
        (parsers, None)
    }

    /// Whether all messages that have begun are whole.
    pub(super) const fn is_between(&self) -> bool {
        self.len == 0 && self.left == 0 && !self.is_fragmented && self.close.is_none()
    }

    /// Takes the next byte of a head.
    fn take(&mut self, byte: u8) -> Result<(), Violation> {
        if let Some(slot) = self.head.get_mut(self.len) {
            *slot = byte;
        }
        self.len += 1;
        let [first, second, ..] = self.head;
        let head = 2 + match second & 127 {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.len == 2 {
            self.check_start(first, second)?;
        }
        if self.len == head {
            self.check_length(first)?;
        }
        if self.len == head + 4 {
            self.left = self.length();
            self.len = 0;
            if first & 15 <= BINARY {
                self.is_fragmented = first < 0x80;
                self.total = if self.is_fragmented { self.total } else { 0 };
            }
        }
        Ok(())
    }

    fn check_start(&self, first: u8, second: u8) -> Result<(), Violation> {
        let (opcode, is_final, length) = (first & 15, first >= 0x80, second & 127);
        if first & 0x30 != 0 {
            return Err(frame("WS_ERR_UNEXPECTED_RSV_2_3", "RSV2 and RSV3 must be clear"));
        }
        if first & 0x40 != 0 {
            return Err(frame("WS_ERR_UNEXPECTED_RSV_1", "RSV1 must be clear"));
        }
        let is_expected = match opcode {
            CONTINUATION => self.is_fragmented,
            TEXT | BINARY => !self.is_fragmented,
            _ => (CLOSE..=PONG).contains(&opcode),
        };
        if !is_expected {
            return Err(frame("WS_ERR_INVALID_OPCODE", &format!("invalid opcode {opcode}")));
        }
        if opcode >= CLOSE {
            if !is_final {
                return Err(frame("WS_ERR_EXPECTED_FIN", "FIN must be set"));
            }
            if length > LONGEST_CONTROL || (opcode == CLOSE && length == 1) {
                let message = format!("invalid payload length {length}");
                return Err(frame("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", &message));
            }
        }
        if second < 0x80 {
            return Err(frame("WS_ERR_EXPECTED_MASK", "MASK must be set"));
        }
        Ok(())
    }

    /// The length of the payload, which the head says.
    fn length(&self) -> u64 {
        let [_, second, long @ ..] = self.head;
        match second & 127 {
            126 => long.first_chunk().map_or(0, |two| u16::from_be_bytes(*two).into()),
            127 => long.first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight)),
            short => short.into(),
        }
    }

    fn check_length(&mut self, first: u8) -> Result<(), Violation> {
        let length = self.length();
        if length > MAX_SAFE_INTEGER {
            let message = "Unsupported WebSocket frame: payload length > 2^53 - 1";
            return Err(too_long("WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", message));
        }
        if first & 15 <= BINARY {
            self.total = self.total.saturating_add(length);
            // Behind a message of the greatest length, empty fragments may come.
            if length > 0 && self.total > self.max_payload {
                let message = "Max payload size exceeded";
                return Err(too_long("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", message));
            }
        }
        Ok(())
    }

    /// What a whole close frame says.
    fn closed(&self, masked: &[u8]) -> End {
        let [_, _, a, b, c, d, ..] = self.head;
        let mask = [a, b, c, d];
        let payload: Vec<u8> = masked.iter().zip(mask.iter().cycle()).map(|(x, y)| x ^ y).collect();
        let Some((code, reason)) = payload.split_first_chunk() else {
            return End::Closed(1005, String::new());
        };
        let code = u16::from_be_bytes(*code);
        if !is_status(code) {
            let message = format!("invalid status code {code}");
            return End::Violated(frame("WS_ERR_INVALID_CLOSE_CODE", &message));
        }
        match std::str::from_utf8(reason) {
            Ok(reason) => End::Closed(code, reason.to_owned()),
            Err(_) => End::Violated(Violation::invalid_utf8()),
        }
    }
}

/// Whether a close frame may carry this code: those that are registered, and those of applications.
fn is_status(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

impl Violation {
    pub(super) fn invalid_utf8() -> Self {
        Self { status: 1007, ..frame("WS_ERR_INVALID_UTF8", "invalid UTF-8 sequence") }
    }

    /// What no rule of these is for.
    pub(super) fn other(why: &impl std::fmt::Display) -> Self {
        frame("WS_ERR_INVALID_OPCODE", &why.to_string())
    }
}

fn frame(code: &'static str, message: &str) -> Violation {
    Violation { code, message: format!("Invalid WebSocket frame: {message}"), status: 1002 }
}

fn too_long(code: &'static str, message: &str) -> Violation {
    Violation { code, message: message.to_owned(), status: 1009 }
}

#[cfg(test)]
mod tests {
    use super::{End, Heads};

    /// A final frame with a mask of zeros.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let len = u8::try_from(payload.len()).unwrap();
        [&[first, 0x80 | len, 0, 0, 0, 0], payload].concat()
    }

    fn code(end: Option<End>) -> &'static str {
        match end {
            Some(End::Violated(violation)) => violation.code,
            Some(End::Closed(..)) => "closed",
            None => "",
        }
    }

    /// Feeds everything in pieces of `size` bytes. Returns how much the parser gets.
    fn feed(max_payload: usize, bytes: &[u8], size: usize) -> (usize, Option<End>) {
        let mut heads = Heads::new(max_payload);
        let mut all = 0;
        for piece in bytes.chunks(size) {
            let (parsers, end) = heads.check(piece);
            all += parsers;
            if end.is_some() {
                return (all, end);
            }
        }
        (all, None)
    }

    #[test]
    fn the_parser_gets_all_before_a_close_frame_however_it_arrives() {
        let before = [frame(0x01, b"a"), frame(0x89, b"p"), frame(0x80, b"b")].concat();
        let bytes = [&before[..], &frame(0x88, b"\x03\xe8bye"), &frame(0x81, b"late")].concat();
        for size in 1..=bytes.len() {
            let end = Some(End::Closed(1000, "bye".to_owned()));
            assert_eq!(feed(0, &bytes, size), (before.len(), end), "{size}");
        }
    }

    #[test]
    fn a_fault_is_found_by_its_head_however_it_arrives() {
        let before = frame(0x82, &[7; 100]);
        for (head, expected) in [
            (&[0x83, 0x80][..], "WS_ERR_INVALID_OPCODE"),
            (&[0x80, 0x80], "WS_ERR_INVALID_OPCODE"),
            (&[0xc1, 0x80], "WS_ERR_UNEXPECTED_RSV_1"),
            (&[0x91, 0x80], "WS_ERR_UNEXPECTED_RSV_2_3"),
            (&[0x09, 0x80], "WS_ERR_EXPECTED_FIN"),
            (&[0x81, 0x00], "WS_ERR_EXPECTED_MASK"),
            (&[0x89, 0xfe], "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"),
            (&[0x81, 0xe5], "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"),
            (&[0x81, 0xff, 0, 32, 0, 0, 0, 0, 0, 0], "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH"),
        ] {
            let bytes = [&before[..], head].concat();
            for size in 1..=bytes.len() {
                let (parsers, end) = feed(100, &bytes, size);
                assert_eq!(code(end), expected, "{head:?} in pieces of {size}");
                assert!(parsers >= before.len() && parsers < bytes.len());
            }
            assert_eq!(feed(100, &bytes[..bytes.len() - 1], 1).1, None, "{head:?}");
        }
    }

    #[test]
    fn messages_are_limited_where_nobody_limits_them() {
        let head = [0x82, 0xff, 0, 0, 0, 0, 0x20, 0, 0, 0];
        for max_payload in [0, usize::MAX] {
            assert_eq!(code(feed(max_payload, &head, 1).1), "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH");
        }
    }
}
