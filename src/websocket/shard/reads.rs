//! What clients send.

use std::io::{ErrorKind, Read};

use tungstenite::protocol::Message;

use super::Shard;
use crate::event_loop::Counters;
use crate::websocket::ConnectionId;
use crate::websocket::connection::State;
use crate::websocket::entry::Incoming;
use crate::websocket::heads::End;
use crate::websocket::inbox::Inbox;

impl Shard {
    /// Reads of each connection that can be read, once.
    pub(super) fn read_turn(&mut self) {
        for _ in 0..self.readable.len() {
            if !self.inbox.has_capacity() {
                return;
            }
            let Some(id) = self.readable.pop_front() else { return };
            if let Some(one) = self.connections.get_mut(&id) {
                one.may_read = false;
            }
            if self.read(id) {
                self.may_read(id);
            }
        }
    }

    /// Reads once; returns whether there may be more.
    pub(super) fn read(&mut self, id: ConnectionId) -> bool {
        let Some(one) = self.connections.get_mut(&id) else { return false };
        if one.paused && !one.reported {
            return false;
        }
        let read_closed = one.read_closed;
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = (&one.socket).read(&mut buffer);
        let more = match read {
            Ok(0) => {
                self.end(id, 1006, "");
                false
            }
            Ok(len) => {
                Counters::add(&self.inbox.counters.received_bytes, len as u64);
                // What a peer sends behind its last word is thrown away, so that it reads ours.
                if !matches!(one.state, State::Ending(_)) {
                    self.feed(id, buffer.get(..len).unwrap_or_default());
                }
                // Less than was asked for has emptied it, and what comes later is an event of its own;
                // but for an end that has been told already.
                len == buffer.len() || read_closed
            }
            Err(error) => {
                let kind = error.kind();
                if !matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted) {
                    self.end(id, 1006, "");
                }
                kind == ErrorKind::Interrupted
            }
        };
        self.buffer = buffer;
        more
    }

    /// Has the parser read what has arrived.
    pub(super) fn feed(&mut self, id: ConnectionId, input: &[u8]) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        let (inbox, mut replies) = (&self.inbox, std::mem::take(&mut self.replies));
        let fed = one.receiver.feed(input, &mut replies, |message| deliver(inbox, id, &message));
        if !replies.is_empty() {
            if one.state == State::Open {
                one.queue(replies.split_off(0).into(), 0, false);
            } else {
                replies.clear();
            }
        }
        self.replies = replies;
        match fed {
            Ok(()) => self.written(id, 0),
            Err(End::Violated(violation)) => self.fail(id, violation),
            Err(End::Closed(code, reason)) => {
                one.reason = reason;
                self.finish(id, code);
                self.written(id, 0);
            }
        }
        self.end_if_written(id);
    }
}

fn deliver(inbox: &Inbox, id: ConnectionId, message: &Message) {
    Counters::add(&inbox.counters.received, 1);
    match message {
        Message::Text(text) => inbox.append(&Incoming::Text(id, text.as_str())),
        Message::Binary(data) => inbox.append(&Incoming::Binary(id, data)),
        Message::Ping(data) => inbox.append(&Incoming::Ping(id, data)),
        Message::Pong(data) => inbox.append(&Incoming::Pong(id, data)),
        Message::Close(_) | Message::Frame(_) => {}
    }
}
