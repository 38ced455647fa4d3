//! From bytes of a client to messages: tungstenite's parser over memory.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

/// A rule that a client has broken, as ws names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Violation {
    /// The `code` of ws's error.
    pub(super) code: &'static str,
    /// What ws's error says.
    pub(super) message: &'static str,
    /// The status that the client is closed with.
    pub(super) status: u16,
}

/// Why no more is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides have sent a close frame.
    Closed,
    /// The client has broken a rule.
    Violated(Violation),
}

/// The state of what one client sends.
pub(super) struct Receiver {
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
        // 0 is ws's word for no limit.
        let most = (max_payload > 0).then_some(max_payload);
        let config = WebSocketConfig::default()
            .read_buffer_size(Self::BUFFER)
            .write_buffer_size(0)
            .max_message_size(most)
            .max_frame_size(most);
        Self { context: WebSocketContext::new(Role::Server, Some(config)) }
    }

    /// Reads all of `input`. Calls back with each message; what the client is owed in reply (pongs, a
    /// close frame) is appended to `output`.
    pub(super) fn feed(
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
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Err(End::Closed),
                Err(error) => return Err(End::Violated(violation(&error))),
            }
        }
    }
}

fn violation(error: &Error) -> Violation {
    let (code, message, status) = match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            ("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "Max payload size exceeded", 1009)
        }
        Error::Utf8(_) => {
            ("WS_ERR_INVALID_UTF8", "Invalid WebSocket frame: invalid UTF-8 sequence", 1007)
        }
        Error::Protocol(problem) => protocol_violation(problem),
        _ => ("WS_ERR_INVALID_OPCODE", "Invalid WebSocket frame", 1002),
    };
    Violation { code, message, status }
}

fn protocol_violation(problem: &ProtocolError) -> (&'static str, &'static str, u16) {
    let (code, message) = match problem {
        ProtocolError::NonZeroReservedBits => {
            ("WS_ERR_UNEXPECTED_RSV_1", "Invalid WebSocket frame: reserved bits must be clear")
        }
        ProtocolError::UnmaskedFrameFromClient => {
            ("WS_ERR_EXPECTED_MASK", "Invalid WebSocket frame: MASK must be set")
        }
        ProtocolError::FragmentedControlFrame => {
            ("WS_ERR_EXPECTED_FIN", "Invalid WebSocket frame: FIN must be set")
        }
        ProtocolError::ControlFrameTooBig => (
            "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
            "Invalid WebSocket frame: invalid payload length",
        ),
        ProtocolError::InvalidCloseSequence => {
            ("WS_ERR_INVALID_CLOSE_CODE", "Invalid WebSocket frame: invalid status code")
        }
        _ => ("WS_ERR_INVALID_OPCODE", "Invalid WebSocket frame: invalid opcode"),
    };
    (code, message, 1002)
}
