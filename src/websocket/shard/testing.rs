//! Connections over real sockets, of which a test sees all that reaches the event loop.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::event_loop::{Limits, Overflow};
use crate::websocket::connections::Options;
use crate::websocket::frame::{Frames, control_frame, opcode};
use crate::websocket::{Adoption, ConnectionId, Connections, entry_kind};

/// However busy the machine is.
pub(super) const LIMIT: Duration = Duration::from_secs(120);
pub(super) const UNLIMITED: usize = 1 << 30;

/// What reaches the event loop.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Text(ConnectionId, String),
    Pong(ConnectionId),
    Sent(u32),
    Error(ConnectionId, String),
    Closed(ConnectionId, u16, String),
}
use self::Entry::{Closed, Error, Pong, Sent, Text};

pub(super) struct Fixture {
    pub(super) connections: Connections,
    woken: Receiver<()>,
    pub(super) listener: TcpListener,
    entries: std::vec::IntoIter<Entry>,
    more: bool,
}

pub(super) struct Peer(pub(super) TcpStream);

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_messages(10_000)
    }

    /// With so many messages that may wait for the event loop.
    pub(super) fn with_messages(messages: usize) -> Self {
        let (wake, woken) = channel();
        let mailbox = Limits { messages, bytes: UNLIMITED, overflow: Overflow::Wait };
        let waker = Box::new(move || wake.send(()).unwrap_or_default());
        let connections = Connections::new(Options { shards: 2, mailbox }, waker);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { connections, woken, listener, entries: Vec::new().into_iter(), more: false }
    }

    /// A connection that is read, and its client, which has read the response.
    pub(super) fn connect(&self, max_buffered: usize) -> (ConnectionId, Peer) {
        let peer = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        peer.set_read_timeout(Some(LIMIT)).unwrap();
        let (socket, _) = self.listener.accept().unwrap();
        let adoption = Adoption {
            response: b"101".to_vec(),
            head: vec![],
            max_payload: 100_000,
            max_buffered,
        };
        let id = self.connections.adopt(socket.into(), adoption).unwrap();
        self.connections.pause(id, false);
        self.connections.wake();
        let mut peer = Peer(peer);
        peer.expect(b"101");
        (id, peer)
    }

    pub(super) fn next(&mut self) -> Entry {
        loop {
            if let Some(entry) = self.entries.next() {
                return entry;
            }
            if !self.more {
                self.woken.recv_timeout(LIMIT).expect("nothing comes");
            }
            let drained = self.connections.drain();
            self.more = drained.as_ref().is_some_and(|drained| drained.more);
            let chunk = drained.map(|drained| drained.chunk).unwrap_or_default();
            self.entries = entries(&chunk.index, &chunk.bytes).into_iter();
        }
    }

    pub(super) fn expect(&mut self, expected: &[Entry]) {
        for entry in expected {
            assert_eq!(self.next(), *entry);
        }
    }

    pub(super) fn broadcast(&self, targets: &[ConnectionId], frames: &Frames, volatile: bool) {
        self.connections.broadcast(targets, frames, volatile, true);
        self.connections.wake();
    }

    /// Until something has become true that only counters tell.
    pub(super) fn until(&self, is_true: impl Fn(&Connections) -> bool) {
        let since = std::time::Instant::now();
        while !is_true(&self.connections) {
            assert!(since.elapsed() < LIMIT, "it does not come true");
            std::thread::yield_now();
        }
    }
}

fn entries(mut index: &[u32], mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let [kind, rest @ ..] = index {
        let (words, lengths) = match *kind {
            entry_kind::SENT => (1, 0..0),
            entry_kind::ERROR => (3, 1..3),
            entry_kind::CLOSED => (3, 2..3),
            _ => (2, 1..2),
        };
        let mut parts = Vec::new();
        for length in &rest[lengths] {
            let (part, others) = bytes.split_at(*length as usize);
            parts.push(String::from_utf8_lossy(part).into_owned());
            bytes = others;
        }
        let mut part = || parts.remove(0);
        entries.push(match *kind {
            entry_kind::TEXT => Text(rest[0], part()),
            entry_kind::PONG => Pong(rest[0]),
            entry_kind::SENT => Sent(rest[0]),
            entry_kind::ERROR => Error(rest[0], part()),
            entry_kind::CLOSED => Closed(rest[0], u16::try_from(rest[1]).unwrap(), part()),
            kind => panic!("{kind}"),
        });
        index = &rest[words..];
    }
    entries
}

impl Peer {
    pub(super) fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        self.0.read_exact(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    /// Masked by nothing.
    pub(super) fn send(&mut self, first: u8, payload: &[u8]) {
        let len = u8::try_from(payload.len()).unwrap();
        let frame = [&[first, 0x80 | len, 0, 0, 0, 0], payload].concat();
        self.0.write_all(&frame).unwrap();
    }

    /// All that comes until the other side is closed.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }
}

pub(super) fn close_frame(code: u16, reason: &str) -> Frames {
    control_frame(opcode::CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}
