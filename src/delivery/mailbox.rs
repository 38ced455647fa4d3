//! The bounded mailbox between Tokio tasks and the event loop.
//!
//! ```text
//!   Tokio task            mailbox                event loop
//!   push ───────────────▶ armed = true ─ wake ─▶ drain: takes one chunk
//!   push, push ─────────▶ (already armed)        … sockets and timers get their turn …
//!                         armed = false ◀─────── drain: takes the last chunk
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chunk::{Chunk, Entry};
use super::sync::{Mutex, Notify, PoisonError};

/// Tells the event loop that the mailbox is no longer empty.
pub trait Wake: Send + Sync + 'static {
    /// Called once when something is there to drain, and not again until a drain found the end.
    fn wake(&self);
}

/// How much may wait in a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes.
    pub bytes: usize,
    /// What happens to more.
    pub overflow: Overflow,
}

/// What happens when a mailbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Its readers stop reading, so that Redis holds the messages, or cuts the connection.
    Wait,
    /// The oldest messages are dropped, a chunk of them at a time.
    DropOldest,
    /// The messages that arrive are dropped.
    DropNewest,
    /// Its readers leave, and come back when there is room.
    Disconnect,
}

/// What one drain took.
#[derive(Debug)]
pub struct Drained {
    /// The oldest chunk.
    pub chunk: Chunk,
    /// Whether more is there: the event loop must then drain again, no wake will follow.
    pub more: bool,
}

/// A queue of chunks of which the event loop takes one at a time.
///
/// Bounded, in one of the ways of [`Overflow`]. Where it is to wait, whoever brings messages awaits
/// [`Mailbox::room`] before it reads the next one from Redis, so a blocked event loop is felt by
/// Redis, which holds the messages or cuts the connection, and then that is told as a gap. Replies
/// and events always fit: their number is bounded by the requests that are under way.
pub struct Mailbox {
    // A plain mutex: both sides hold it for a memcpy, never across an await or a call out.
    state: Mutex<State>,
    drained: Notify,
    // What `State::gates` counts, to be read for every message without the lock.
    gates: AtomicUsize,
    limits: Limits,
    wake: Box<dyn Wake>,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    messages: usize,
    bytes: usize,
    // Messages that were dropped, and not yet taken note of.
    dropped: u64,
    // Gates in chunks, and those of the chunk that the event loop is seeing to.
    gates: usize,
    gates_out: usize,
    // Whether the event loop has been woken and has not yet found the end.
    armed: bool,
}

impl Mailbox {
    /// An empty mailbox that calls `wake` when it fills.
    #[must_use]
    pub fn new(limits: Limits, wake: Box<dyn Wake>) -> Self {
        Self {
            state: Mutex::new(State::default()),
            drained: Notify::new(),
            gates: AtomicUsize::new(0),
            limits,
            wake,
        }
    }

    /// Appends `entry` and wakes the event loop if it is not already on its way.
    pub fn push(&self, entry: &Entry<'_>) {
        self.append(entry);
        self.ring();
    }

    /// Appends `entry`; whoever does so calls [`Self::ring`] at the end of a burst.
    pub fn append(&self, entry: &Entry<'_>) {
        let mut state = self.lock();
        state.append(entry, self.limits);
        self.note_gates(&state);
    }

    /// Wakes the event loop if there is something for it and it is not already on its way.
    pub fn ring(&self) {
        if self.lock().arm() {
            self.wake.wake();
        }
    }

    /// Has the event loop take a turn, if it is not already on its way.
    pub fn nudge(&self) {
        if !std::mem::replace(&mut self.lock().armed, true) {
            self.wake.wake();
        }
    }

    /// Takes the oldest chunk; `None` when a wake came too late to find anything.
    pub fn drain(&self) -> Option<Drained> {
        let drained = {
            let mut state = self.lock();
            let drained = state.take();
            self.note_gates(&state);
            drained
        };
        if drained.is_some() {
            self.drained.notify_one();
        }
        drained
    }

    /// Whether the event loop still has to see to something that may have it join rooms. What a
    /// drain gave is seen to when the next one comes.
    pub fn is_gated(&self) -> bool {
        self.gates.load(Ordering::Acquire) > 0
    }

    fn note_gates(&self, state: &State) {
        self.gates.store(state.gates + state.gates_out, Ordering::Release);
    }

    /// Whether a further message may be brought, be it in the place of another one.
    pub fn has_room(&self) -> bool {
        match self.limits.overflow {
            Overflow::Wait | Overflow::Disconnect => !self.lock().is_full(self.limits),
            Overflow::DropOldest | Overflow::DropNewest => true,
        }
    }

    /// Whether its readers are to leave.
    pub fn is_overrun(&self) -> bool {
        self.limits.overflow == Overflow::Disconnect && !self.has_room()
    }

    /// How many messages were dropped since this was last asked.
    pub fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Waits until a further message may be brought. For one waiter at a time.
    pub async fn room(&self) {
        while !self.has_room() {
            self.drained.notified().await;
        }
    }

    /// How many messages and bytes wait.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.messages, state.bytes)
    }

    fn lock(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a wake is due.
    fn arm(&mut self) -> bool {
        !self.chunks.is_empty() && !std::mem::replace(&mut self.armed, true)
    }

    fn is_full(&self, limits: Limits) -> bool {
        self.messages >= limits.messages || self.bytes >= limits.bytes
    }

    fn append(&mut self, entry: &Entry<'_>, limits: Limits) {
        if entry.is_message() && self.is_full(limits) {
            match limits.overflow {
                Overflow::Wait | Overflow::Disconnect => {}
                Overflow::DropOldest => self.drop_oldest(),
                Overflow::DropNewest => {
                    self.dropped += 1;
                    return;
                }
            }
        }
        self.messages += usize::from(entry.is_message());
        self.gates += usize::from(entry.is_gate());
        // What may be dropped must stand apart from what may not.
        let apart = limits.overflow == Overflow::DropOldest;
        let fits = |chunk: &Chunk| {
            chunk.has_room_for(entry) && (!apart || (chunk.messages > 0) == entry.is_message())
        };
        match self.chunks.back_mut() {
            Some(chunk) if fits(chunk) => self.bytes += chunk.push(entry),
            _ => {
                let mut chunk = Chunk::default();
                self.bytes += chunk.push(entry);
                self.chunks.push_back(chunk);
            }
        }
    }

    fn drop_oldest(&mut self) {
        let oldest = self.chunks.iter().position(|chunk| chunk.messages > 0);
        if let Some(chunk) = oldest.and_then(|at| self.chunks.remove(at)) {
            self.dropped += chunk.messages as u64;
            self.forget(&chunk);
        }
    }

    fn forget(&mut self, chunk: &Chunk) {
        self.gates -= chunk.gates;
        self.messages -= chunk.messages;
        self.bytes -= chunk.bytes.len();
    }

    fn take(&mut self) -> Option<Drained> {
        self.gates_out = 0;
        let Some(chunk) = self.chunks.pop_front() else {
            self.armed = false;
            return None;
        };
        self.forget(&chunk);
        self.gates_out = chunk.gates;
        self.armed = !self.chunks.is_empty();
        Some(Drained { chunk, more: self.armed })
    }
}
