//! From bytes of a client to messages: tungstenite's parser over memory.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::Error;
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::frame::{control_frame, opcode};
use super::heads::{End, Heads, Violation};

/// The state of what one client sends.
pub(super) struct Receiver {
    heads: Heads,
    context: WebSocketContext,
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
        // How long messages may be, the heads are checked for.
        let config = WebSocketConfig::default()
            .read_buffer_size(Self::BUFFER)
            .write_buffer_size(0)
            .max_message_size(None)
            .max_frame_size(None);
        let context = WebSocketContext::new(Role::Server, Some(config));
        Self { heads: Heads::new(max_payload), context }
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
        let mut memory = Memory { input, output };
        loop {
            match self.context.read(&mut memory) {
                Ok(message) => callback(message),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(Error::Utf8(_)) => return Err(End::Violated(Violation::invalid_utf8())),
                // Whatever else there may be, the heads have been checked for.
                Err(error) => return Err(End::Violated(Violation::other(&error))),
            }
        }
    }
}
