//! One connection: its socket, what waits to be written to it, and what has been read of a message.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Buf;
use socket2::Socket;

use super::frame::Frames;
use super::receive::Receiver;

/// How far the end of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is open.
    Open,
    /// We have sent a close frame, and wait for the peer's.
    Closing,
    /// It ends, with this status, once all is written.
    Ending(u16),
}

/// A connection.
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Connection {
    /// Closed when this is dropped, by the shard alone: no write can be under way then.
    pub(super) socket: Socket,
    pub(super) receiver: Receiver,
    pub(super) state: State,
    /// Whether the event loop knows that it is gone.
    pub(super) reported: bool,
    /// Whether our side of it is closed.
    pub(super) is_shut: bool,
    /// The peer's reason, in its close frame.
    pub(super) reason: String,
    /// Frames that the kernel does not have yet, and the tickets that are due behind them.
    queue: VecDeque<(Frames, u32)>,
    /// Their bytes; JavaScript reads it, and adds what it sends before that arrives here.
    gauge: Arc<AtomicUsize>,
    /// The same without what is still on its way here.
    queued: usize,
    max_buffered: usize,
    /// Whether the kernel has a part of the first of them.
    begun: bool,
    /// What each cork that is not undone holds.
    held: VecDeque<Vec<Frames>>,
    /// Whether nothing is read of it. It begins so: what arrives waits for a listener.
    pub(super) paused: bool,
    /// What had been read of it before it came here, until there is a listener.
    pub(super) head: Vec<u8>,
    /// Whether the shard has it on its list of those with something to write.
    pub(super) is_listed: bool,
    /// The same of those with something to read.
    pub(super) may_read: bool,
    /// Whether the kernel has reported that nothing comes behind what can be read.
    pub(super) read_closed: bool,
}

/// The most that is given to the kernel in one write.
const MAX_SLICES: usize = 64;

impl Connection {
    pub(super) fn new(
        socket: Socket,
        max_payload: usize,
        max_buffered: usize,
        gauge: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            socket,
            receiver: Receiver::new(max_payload),
            state: State::Open,
            reported: false,
            is_shut: false,
            reason: String::new(),
            queue: VecDeque::new(),
            gauge,
            queued: 0,
            begun: false,
            max_buffered,
            held: VecDeque::new(),
            paused: true,
            head: Vec::new(),
            is_listed: false,
            may_read: false,
            read_closed: false,
        }
    }

    /// Puts frames behind all others. `counted`: the event loop has added them to the gauge.
    pub(super) fn queue(&mut self, frames: Frames, ticket: u32, counted: bool) {
        self.owe(frames.len(), counted);
        self.queue.push_back((frames, ticket));
    }

    /// So many bytes more are to be written.
    fn owe(&mut self, bytes: usize, counted: bool) {
        self.queued += bytes;
        if !counted {
            self.gauge.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Puts a broadcast behind all others, or holds it. `false` when it is left out.
    pub(super) fn broadcast(&mut self, frames: &Frames, volatile: bool, may_hold: bool) -> bool {
        if self.state != State::Open || (volatile && self.is_busy()) {
            return false;
        }
        self.owe(frames.len(), false);
        match self.held.back_mut().filter(|_| may_hold) {
            Some(held) => held.push(frames.clone()),
            None => self.queue.push_back((frames.clone(), 0)),
        }
        true
    }

    /// Begins to end it. What is held is dropped, since nothing may follow a close frame.
    pub(super) fn leave(&mut self, state: State) {
        self.state = state;
        let held: usize = self.held.drain(..).flatten().map(|frames| frames.len()).sum();
        self.forget(held);
    }

    /// So many bytes are not to be written any more, or are with the kernel.
    pub(super) fn forget(&mut self, bytes: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        self.gauge.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Frames that the event loop has added to the gauge do not come to the queue.
    pub(super) fn refuse(&self, frames: &Frames) {
        self.gauge.fetch_sub(frames.len(), Ordering::Relaxed);
    }

    /// Whether something waits to be written.
    pub(super) fn is_busy(&self) -> bool {
        self.queued > 0
    }

    /// Whether more waits than may, be it without these newest bytes: one message always may wait,
    /// however large.
    pub(super) fn is_slow(&self, newest: usize) -> bool {
        self.queued > self.max_buffered.saturating_add(newest)
    }

    /// Drops all that waits, but for the rest of what the kernel has a part of.
    pub(super) fn drop_queue(&mut self) {
        let rest = self.queue.split_off(usize::from(self.begun).min(self.queue.len()));
        self.forget(rest.iter().map(|(frames, _)| frames.len()).sum());
    }

    /// Holds broadcasts that may be held.
    pub(super) fn cork(&mut self) {
        self.held.push_back(Vec::new());
    }

    /// Undoes the oldest cork: what it holds, and no later one does, is written.
    pub(super) fn uncork(&mut self) {
        let held = self.held.pop_front().unwrap_or_default();
        self.queue.extend(held.into_iter().map(|frames| (frames, 0)));
    }

    /// Writes all that waits, as far as the kernel takes it; the rest waits until the socket is writable.
    /// Calls back with each ticket that is due.
    pub(super) fn write(
        &mut self,
        mut writes: impl FnMut(usize),
        mut ticket: impl FnMut(u32),
    ) -> io::Result<()> {
        while !self.queue.is_empty() {
            let written = match self.write_once() {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            writes(written);
            self.advance(written, &mut ticket);
        }
        Ok(())
    }

    fn write_once(&self) -> io::Result<usize> {
        if let [(frames, _)] = self.queue.as_slices().0 {
            return self.socket.send(frames);
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        for (slice, (frames, _)) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(frames);
            count += 1;
        }
        self.socket.send_vectored(slices.get(..count).unwrap_or_default())
    }

    fn advance(&mut self, mut written: usize, ticket: &mut impl FnMut(u32)) {
        self.forget(written);
        while let Some((frames, due)) = self.queue.front_mut() {
            if written < frames.len() {
                frames.advance(written);
                self.begun |= written > 0;
                return;
            }
            written -= frames.len();
            if *due != 0 {
                ticket(*due);
            }
            self.queue.pop_front();
            self.begun = false;
        }
        // An idle connection needs no memory for it.
        if self.queue.capacity() > 16 {
            self.queue.shrink_to(0);
        }
    }
}
