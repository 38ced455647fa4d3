//! How connections end.

use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;

use super::Shard;
use crate::event_loop::Counters;
use crate::websocket::ConnectionId;
use crate::websocket::connection::State;
use crate::websocket::connections::lock;
use crate::websocket::entry::Incoming;
use crate::websocket::frame::{Frames, control_frame, opcode};
use crate::websocket::heads::Violation;

/// How long a peer may take to close the connection once it is to end, as with ws.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

impl Shard {
    /// Has a connection end with this status once all is written.
    pub(super) fn finish(&mut self, id: ConnectionId, code: u16) {
        self.leave(id, State::Ending(code));
    }

    /// Begins to end a connection; its time runs.
    fn leave(&mut self, id: ConnectionId, state: State) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        one.leave(state);
        self.closing.push_back((Instant::now() + CLOSE_TIMEOUT, id));
    }

    /// Closes a connection whose client has broken a rule.
    pub(super) fn fail(&mut self, id: ConnectionId, violation: Violation) {
        Counters::add(&self.inbox.counters.violations, 1);
        let Violation { code, message, status } = violation;
        self.inbox.append(&Incoming::Error(id, code, &message));
        self.finish_behind(id, control_frame(opcode::CLOSE, &status.to_be_bytes()));
    }

    /// Has a connection end behind its last bytes.
    pub(super) fn finish_behind(&mut self, id: ConnectionId, last: Frames) {
        if let Some(one) = self.connections.get_mut(&id).filter(|one| one.state == State::Open) {
            one.queue(last, 0, false);
        }
        self.finish(id, 1006);
        self.list(id);
    }

    /// Sends a close frame behind all else.
    pub(super) fn close(&mut self, id: ConnectionId, code: u16, reason: &str) {
        let one = self.connections.get_mut(&id);
        let Some(one) = one.filter(|one| one.state == State::Open) else { return };
        let mut payload = Vec::new();
        if code != 0 {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        one.queue(control_frame(opcode::CLOSE, &payload), 0, false);
        self.leave(id, State::Closing);
        self.list(id);
    }

    /// Closes a connection that has taken too little. What waits for it is dropped; should the client catch
    /// up, it hears why.
    pub(super) fn give_up(&mut self, id: ConnectionId) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        if one.state == State::Open {
            Counters::add(&self.inbox.counters.slow, 1);
            one.drop_queue();
            one.queue(control_frame(opcode::CLOSE, &1013_u16.to_be_bytes()), 0, false);
            self.finish(id, 1013);
            self.report(id, 1013, "");
            self.list(id);
        }
    }

    /// Ends connections whose peer has not answered a close frame in time.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        while self.closing.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, id)) = self.closing.pop_front() {
                self.end(id, 1006, "");
            }
        }
    }

    /// Ends our side of a connection that is to end, once all is written. The rest is the peer's: the
    /// descriptor stays open until it has closed its side, since to close it before, with something unread,
    /// would take from the peer what it has not read yet.
    pub(super) fn end_if_written(&mut self, id: ConnectionId) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        let State::Ending(code) = one.state else { return };
        if one.is_busy() || one.is_shut {
            return;
        }
        one.is_shut = true;
        let reason = std::mem::take(&mut one.reason);
        if one.socket.shutdown(Shutdown::Write).is_err() {
            return self.end(id, code, &reason);
        }
        self.report(id, code, &reason);
        self.may_read(id);
    }

    /// Tells the event loop that a connection is gone, once.
    pub(super) fn report(&mut self, id: ConnectionId, code: u16, reason: &str) {
        let Some(one) = self.connections.get_mut(&id) else { return };
        if std::mem::replace(&mut one.reported, true) {
            return;
        }
        lock(&self.gauges).remove(&id);
        self.inbox.counters.open.fetch_sub(1, Ordering::Relaxed);
        self.inbox.append(&Incoming::Closed(id, code, reason));
    }

    /// Removes a connection: its descriptor is closed here and nowhere else.
    pub(super) fn end(&mut self, id: ConnectionId, code: u16, reason: &str) {
        let code = match self.connections.get(&id).map(|one| one.state) {
            Some(State::Ending(code)) => code,
            _ => code,
        };
        self.report(id, code, reason);
        let Some(one) = self.connections.remove(&id) else { return };
        let fd = one.socket.as_raw_fd();
        // It may never have been registered, and ends all the same.
        let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        // Node's descriptor may still be open for a moment.
        let _ = one.socket.shutdown(Shutdown::Both);
    }
}
