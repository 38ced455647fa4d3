//! From bytes of a client to messages: tungstenite's parser over memory.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::Error;
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::frame::{control_frame, opcode};
use super::heads::{End, Heads, Violation};

/// The state of what one client sends.
pub(super) struct Receiver {
    heads: Heads,
    /// Made with the first bytes of a message, and dropped between two: most clients are idle, and it holds the
    /// memory of the longest message.
    parser: Option<Box<WebSocketContext>>,
}

/// What was read, and where the parser's own replies go.
struct Memory<'a> {
    input: &'a [u8],
    output: &'a mut Vec<u8>,
}

impl Read for Memory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Receiver {
    /// Memory for what has arrived of a frame; more is reserved for longer ones.
    const BUFFER: usize = 1024;

    pub(super) fn new(max_payload: usize) -> Self {
        Self { heads: Heads::new(max_payload), parser: None }
    }

    fn parser() -> WebSocketContext {
        // How long messages may be, the heads are checked for.
        let config = WebSocketConfig::default()
            .read_buffer_size(Self::BUFFER)
            .write_buffer_size(0)
            .max_message_size(None)
            .max_frame_size(None);
        WebSocketContext::new(Role::Server, Some(config))
    }

    /// Reads all of `input`. Calls back with each message; what the client is owed in reply (pongs, a
    /// close frame) is appended to `output`.
    pub(super) fn feed(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        callback: impl FnMut(Message),
    ) -> Result<(), End> {
        let (parsers, end) = self.heads.check(input);
        self.parse(input.get(..parsers).unwrap_or(input), output, callback)?;
        if self.heads.is_between() {
            self.parser = None;
        }
        let Some(end) = end else { return Ok(()) };
        match &end {
            End::Closed(1005, _) => output.extend_from_slice(&control_frame(opcode::CLOSE, &[])),
            End::Closed(code, reason) => {
                let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
                output.extend_from_slice(&control_frame(opcode::CLOSE, &payload));
            }
            End::Violated(_) => {}
        }
        Err(end)
    }

    fn parse(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
        mut callback: impl FnMut(Message),
    ) -> Result<(), End> {
        if input.is_empty() {
            return Ok(());
        }
        let parser = self.parser.get_or_insert_with(|| Box::new(Self::parser()));
        let mut memory = Memory { input, output };
        loop {
            match parser.read(&mut memory) {
                Ok(message) => callback(message),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(Error::Utf8(_)) => return Err(End::Violated(Violation::invalid_utf8())),
                // Whatever else there may be, the heads have been checked for.
                Err(error) => return Err(End::Violated(Violation::other(&error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tungstenite::protocol::Message;

    use super::Receiver;

    /// A masked frame of bytes that are all 0 once unmasked.
    fn frame(first: u8, len: u16) -> Vec<u8> {
        let mut frame = vec![first];
        if let Some(short) = u8::try_from(len).ok().filter(|len| *len < 126) {
            frame.push(0x80 | short);
        } else {
            frame.push(0xfe);
            frame.extend_from_slice(&len.to_be_bytes());
        }
        frame.extend_from_slice(&[1, 2, 3, 4]);
        frame.extend((0..len).map(|at| [1, 2, 3, 4][usize::from(at % 4)]));
        frame
    }

    #[test]
    fn a_parser_that_is_made_anew_loses_nothing_wherever_reads_end() {
        // Long ones, alone, in fragments with a ping between, and before short ones.
        let input = [
            frame(0x82, 20_000),
            frame(0x82, 3),
            frame(0x02, 20_000),
            frame(0x89, 5),
            frame(0x00, 20_000),
            frame(0x80, 1),
            frame(0x82, 30_000),
        ]
        .concat();
        let expected = [20_000, 3, 5, 40_001, 30_000];
        for read in [1, 7, 1000, 20_007, 20_008, 20_009, 40_030, input.len()] {
            let (mut receiver, mut output) = (Receiver::new(100_000), Vec::new());
            let mut lengths = Vec::new();
            for part in input.chunks(read) {
                let fed = receiver.feed(part, &mut output, |message| {
                    assert!(message.clone().into_data().iter().all(|byte| *byte == 0));
                    assert_eq!(matches!(message, Message::Ping(_)), message.len() == 5);
                    lengths.push(message.len());
                });
                assert!(fed.is_ok());
            }
            assert_eq!(lengths, expected, "{read} bytes at a time");
            assert_eq!(output, [[0x8a, 5].as_slice(), &[0; 5]].concat());
        }
    }
}
