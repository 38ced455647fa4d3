//! The bounded mailbox between Tokio tasks and the event loop.
//!
//! ```text
//!   Tokio task            mailbox                event loop
//!   push ───────────────▶ armed = true ─ wake ─▶ drain: takes one chunk
//!   push, push ─────────▶ (already armed)        … sockets and timers get their turn …
//!                         armed = false ◀─────── drain: takes the last chunk
//! ```

use std::collections::VecDeque;

use super::chunk::{Chunk, Entry};
use super::sync::{Mutex, Notify, PoisonError};

/// Tells the event loop that the mailbox is no longer empty.
pub trait Wake: Send + Sync + 'static {
    /// Called once when something is there to drain, and not again until a drain found the end.
    fn wake(&self);
}

/// How much may wait in a mailbox before its readers stop reading.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes.
    pub bytes: usize,
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
/// Bounded by its writers: whoever brings messages awaits [`Mailbox::room`] before it reads the
/// next one from Redis, so a blocked event loop is felt by Redis, which holds the messages or cuts
/// the connection, and then that is told as a gap. Replies and events always fit: their number is
/// bounded by the requests that are under way.
pub struct Mailbox {
    // A plain mutex: both sides hold it for a memcpy, never across an await or a call out.
    state: Mutex<State>,
    drained: Notify,
    limits: Limits,
    wake: Box<dyn Wake>,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    messages: usize,
    bytes: usize,
    // Whether the event loop has been woken and has not yet found the end.
    armed: bool,
}

impl Mailbox {
    /// An empty mailbox that calls `wake` when it fills.
    #[must_use]
    pub fn new(limits: Limits, wake: Box<dyn Wake>) -> Self {
        Self { state: Mutex::new(State::default()), drained: Notify::new(), limits, wake }
    }

    /// Appends `entry` and wakes the event loop if it is not already on its way.
    pub fn push(&self, entry: &Entry<'_>) {
        self.append(entry);
        self.ring();
    }

    /// Appends `entry`; whoever does so calls [`Self::ring`] at the end of a burst.
    pub fn append(&self, entry: &Entry<'_>) {
        self.lock().append(entry);
    }

    /// Wakes the event loop if there is something for it and it is not already on its way.
    pub fn ring(&self) {
        if self.lock().arm() {
            self.wake.wake();
        }
    }

    /// Takes the oldest chunk; `None` when a wake came too late to find anything.
    pub fn drain(&self) -> Option<Drained> {
        let drained = self.lock().take();
        if drained.is_some() {
            self.drained.notify_one();
        }
        drained
    }

    /// Whether a further message may be brought.
    pub fn has_room(&self) -> bool {
        let state = self.lock();
        state.messages < self.limits.messages && state.bytes < self.limits.bytes
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

    fn append(&mut self, entry: &Entry<'_>) {
        self.messages += usize::from(entry.is_message());
        match self.chunks.back_mut() {
            Some(chunk) if chunk.has_room_for(entry) => self.bytes += chunk.push(entry),
            _ => {
                let mut chunk = Chunk::default();
                self.bytes += chunk.push(entry);
                self.chunks.push_back(chunk);
            }
        }
    }

    fn take(&mut self) -> Option<Drained> {
        let Some(chunk) = self.chunks.pop_front() else {
            self.armed = false;
            return None;
        };
        self.messages -= chunk.messages;
        self.bytes -= chunk.bytes.len();
        self.armed = !self.chunks.is_empty();
        Some(Drained { chunk, more: self.armed })
    }
}
