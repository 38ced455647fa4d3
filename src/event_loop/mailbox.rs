//! The bounded mailbox between Tokio tasks and the event loop.
//!
//! ```text
//!   Tokio task            mailbox                event loop
//!   push ───────────────▶ armed = true ─ wake ─▶ drain: takes one chunk
//!   push, push ─────────▶ (already armed)        … sockets and timers get their turn …
//!                         armed = false ◀─────── drain: takes the last chunk
//! ```

use std::ops::DerefMut;
use std::sync::Arc;

use super::chunk::{Chunk, Entry};
use super::deferred::Filter;
use super::dropped::Dropped;
use super::queue::{Limits, Overflow, Queue};
use super::sync::{Mutex, Notify, PoisonError};

/// Wakes the event loop: called once when something is there to drain, and not again until a drain
/// has found the end.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// What one drain took.
#[derive(Debug)]
pub struct Drained {
    /// The oldest chunk that held anything for the event loop, be it something to decide about.
    pub chunk: Chunk,
    /// Whether more is there: the event loop must then drain again, no wake will follow.
    pub more: bool,
}

/// A queue of chunks of which the event loop takes one at a time.
///
/// Bounded, in one of the ways of [`Overflow`]. Where it is to wait, a task that brings messages
/// awaits [`Mailbox::next_drain`] before it reads the next one from Redis, so a blocked event loop is
/// felt by Redis, which holds the messages or cuts the connection, and then that is reported as a
/// gap. Replies and events always fit: their number is bounded by the requests that are under way.
pub struct Mailbox {
    // A plain mutex: both sides hold it for a memcpy, never across an await or a call out.
    queue: Mutex<Queue>,
    overflow: Overflow,
    drained: Notify,
    waker: Waker,
}

impl Mailbox {
    /// An empty mailbox that calls `waker` when it fills.
    #[must_use]
    pub fn new(limits: Limits, waker: Waker) -> Self {
        let (queue, drained) = (Mutex::new(Queue::new(limits)), Notify::new());
        Self { queue, overflow: limits.overflow, drained, waker }
    }

    /// Appends `entry` and wakes the event loop if it is not already on its way.
    pub fn push(&self, entry: &impl Entry) {
        self.append(entry);
        self.wake();
    }

    /// Appends `entry`; the caller calls [`Self::wake`] at the end of a burst.
    pub fn append(&self, entry: &impl Entry) {
        self.lock().append(entry);
    }

    /// Appends a message that is not for this process as far as `filter` knew at `generation`; the
    /// drain decides. It is not dropped by an overflow of messages, and no cause of one.
    pub fn defer(&self, filter: &Arc<dyn Filter>, generation: u64, channel: &[u8], payload: &[u8]) {
        let fits = self.lock().defer(filter, generation, channel, payload);
        if !fits {
            filter.discarded(1);
        }
    }

    /// Wakes the event loop if there is something for it and it is not already on its way.
    pub fn wake(&self) {
        if self.lock().arm() {
            (self.waker)();
        }
    }

    /// Whether all that waits is deferred, and the event loop is not yet on its way for it: it is
    /// less urgent.
    pub fn is_only_deferred(&self) -> bool {
        self.lock().is_only_deferred()
    }

    /// Takes the oldest chunk; `None` when a wake came too late to find anything.
    pub fn drain(&self) -> Option<Drained> {
        let (chunk, more) = self.lock().take();
        self.drained.notify_one();
        // Outside of the lock, since it may decode messages.
        Some(Drained { chunk: chunk?.decided(), more })
    }

    /// Ends the last chunk: what has been appended stands in chunks before the returned number, and all
    /// that follows in this chunk or later ones. The event loop is woken to find that it is there.
    pub fn seal(&self) -> u64 {
        let number = self.lock().seal();
        self.wake();
        number
    }

    /// The number of the last chunk with a gate that the event loop has not handled.
    pub fn last_gate(&self) -> Option<u64> {
        self.lock().last_gate()
    }

    /// Ends the last chunk if there is a gate in it, so that what follows is drained once that has been
    /// handled.
    pub fn seal_gate(&self) {
        self.lock().seal_gate();
    }

    /// The event loop has handled all that it has taken. Returns the number of the first chunk with a
    /// gate that it has not.
    pub fn handled(&self) -> Option<u64> {
        self.lock().handled()
    }

    /// The number of the chunk that was begun last.
    #[cfg(test)]
    pub fn last_chunk(&self) -> u64 {
        self.lock().last_chunk()
    }

    /// Waits for the next drain. Wakes one waiter, which wakes the next by [`Mailbox::pass_on`].
    pub async fn next_drain(&self) {
        self.drained.notified().await;
    }

    /// Wakes the next one that waits for a drain.
    pub fn pass_on(&self) {
        self.drained.notify_one();
    }

    /// Whether a further message may be brought, be it in the place of another one.
    pub fn has_capacity(&self) -> bool {
        match self.overflow {
            Overflow::Wait => !self.lock().is_full(),
            Overflow::Disconnect => !self.lock().is_overrun(),
            Overflow::DropOldest | Overflow::DropNewest => true,
        }
    }

    /// Whether its readers are to disconnect.
    pub fn is_overrun(&self) -> bool {
        self.overflow == Overflow::Disconnect && !self.has_capacity()
    }

    /// What was dropped since this was last asked.
    pub fn take_dropped(&self) -> Option<Dropped> {
        self.lock().take_dropped()
    }

    /// How many messages wait, and the bytes of memory of all that waits.
    pub fn depth(&self) -> (usize, usize) {
        self.lock().depth()
    }

    fn lock(&self) -> impl DerefMut<Target = Queue> + '_ {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
