//! What a connection has for the event loop.

use crate::event_loop::{Chunk, Entry, Role};

use super::ConnectionId;

/// The first words of entries.
pub(crate) mod entry_kind {
    /// A text message. Then: connection, length.
    pub(crate) const TEXT: u32 = 48;
    /// A binary message. Then: connection, length.
    pub(crate) const BINARY: u32 = 49;
    /// A ping, answered. Then: connection, length.
    pub(crate) const PING: u32 = 50;
    /// A pong. Then: connection, length.
    pub(crate) const PONG: u32 = 51;
    /// All that was written up to a ticket is with the kernel. Then: ticket.
    pub(crate) const SENT: u32 = 52;
    /// The peer has broken a rule. Then: connection, lengths of code and message.
    pub(crate) const ERROR: u32 = 53;
    /// The connection is gone; its last entry. Then: connection, code, length of the reason.
    pub(crate) const CLOSED: u32 = 54;
}

/// One thing for the event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    Text(ConnectionId, &'a str),
    Binary(ConnectionId, &'a [u8]),
    Ping(ConnectionId, &'a [u8]),
    Pong(ConnectionId, &'a [u8]),
    Sent(u32),
    Error(ConnectionId, &'static str, &'a str),
    Closed(ConnectionId, u16, &'a str),
}

impl Entry for Incoming<'_> {
    fn role(&self) -> Role {
        match self {
            Self::Sent(_) | Self::Error(..) | Self::Closed(..) => Role::Answer,
            _ => Role::Message,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(_, text) | Self::Closed(_, _, text) => text.len(),
            Self::Binary(_, data) | Self::Ping(_, data) | Self::Pong(_, data) => data.len(),
            Self::Error(_, code, message) => code.len() + message.len(),
            Self::Sent(_) => 0,
        }
    }

    fn write(&self, chunk: &mut Chunk) {
        match *self {
            Self::Text(id, text) => chunk.put(&[entry_kind::TEXT, id], &[text.as_bytes()]),
            Self::Binary(id, data) => chunk.put_binary(&[entry_kind::BINARY, id], &[data]),
            Self::Ping(id, data) => chunk.put_binary(&[entry_kind::PING, id], &[data]),
            Self::Pong(id, data) => chunk.put_binary(&[entry_kind::PONG, id], &[data]),
            Self::Sent(ticket) => chunk.put(&[entry_kind::SENT, ticket], &[]),
            Self::Error(id, code, message) => {
                chunk.put(&[entry_kind::ERROR, id], &[code.as_bytes(), message.as_bytes()]);
            }
            Self::Closed(id, code, reason) => {
                chunk.put(&[entry_kind::CLOSED, id, code.into()], &[reason.as_bytes()]);
            }
        }
    }
}
