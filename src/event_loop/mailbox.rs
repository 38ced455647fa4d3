//! The bounded mailbox between Tokio tasks and the event loop.
//!
//! ```text
//!   Tokio task            mailbox                event loop
//!   push ───────────────▶ armed = true ─ wake ─▶ drain: takes one chunk
//!   push, push ─────────▶ (already armed)        … sockets and timers get their turn …
//!                         armed = false ◀─────── drain: takes the last chunk
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::chunk::{Chunk, ChunkLimits, Entry, Role};
use super::deferred::{Deferred, Filter};
use super::dropped::Dropped;
use super::load::Load;
use super::sync::{Mutex, Notify, PoisonError};

/// Wakes the event loop: called once when something is there to drain, and not again until a drain
/// has found the end.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// How much may wait in a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes of memory, all that an entry needs included.
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
    /// Its readers disconnect, and come back when it is half empty.
    Disconnect,
}

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
    state: Mutex<State>,
    drained: Notify,
    limits: Limits,
    chunks: ChunkLimits,
    waker: Waker,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    load: Load,
    // Memory for what is deferred: freed by the event loop's thread, it would cost more than all
    // the rest.
    spare: Vec<Deferred>,
    dropped: Option<Dropped>,
    // Whether readers stay away until there is a low level again.
    overrun: bool,
    // Whether the event loop has been woken and has not yet found the end.
    armed: bool,
    // The number of the last chunk.
    last: u64,
    // Whether nothing more is put into that.
    sealed: bool,
    // Somebody waits for the event loop to come to the chunk of this number, or to find the end.
    owed: Option<u64>,
    // The number of the chunk that the event loop has in hands, if there is a gate in it.
    in_hands: Option<u64>,
}

impl Mailbox {
    /// A chunk is full at this many entries; more would keep the event loop from its other work.
    const CHUNK_ENTRIES: usize = 256;
    const CHUNK_BYTES: usize = 256 * 1024;
    /// A chunk holds at most this part of what may wait, since a full mailbox drops whole chunks.
    const CHUNK_PART: usize = 64;
    /// Messages that may be deferred; a turn of the event loop seldom brings as many.
    const DEFERRED: usize = 10_000;
    const DEFERRED_BYTES: usize = 8 * 1024 * 1024;

    /// An empty mailbox that calls `waker` when it fills.
    #[must_use]
    pub fn new(limits: Limits, waker: Waker) -> Self {
        let part = |limit: usize, most: usize| (limit / Self::CHUNK_PART).clamp(1, most);
        let chunks = ChunkLimits {
            entries: part(limits.messages, Self::CHUNK_ENTRIES),
            bytes: part(limits.bytes, Self::CHUNK_BYTES),
        };
        let (state, drained) = (Mutex::new(State::default()), Notify::new());
        Self { state, drained, limits, chunks, waker }
    }

    /// Appends `entry` and wakes the event loop if it is not already on its way.
    pub fn push(&self, entry: &impl Entry) {
        self.append(entry);
        self.wake();
    }

    /// Appends `entry`; the caller calls [`Self::wake`] at the end of a burst.
    pub fn append(&self, entry: &impl Entry) {
        self.lock().append(entry, self.limits, self.chunks);
    }

    /// Appends a message that is not for this process as far as `filter` knew at `generation`; the
    /// drain decides. It is not dropped by an overflow of messages, and no cause of one.
    pub fn defer(&self, filter: &Arc<dyn Filter>, generation: u64, channel: &[u8], payload: &[u8]) {
        let fits = {
            let mut state = self.lock();
            let load = state.load;
            let fits = load.deferred < Self::DEFERRED
                && load.deferred_bytes < Self::DEFERRED_BYTES.min(self.limits.bytes);
            if fits {
                state.change_last(
                    |chunk| chunk.may_defer(self.chunks),
                    |chunk| chunk.defer(filter, generation, channel, payload),
                );
            }
            fits
        };
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
        let state = self.lock();
        let idle = !state.armed && state.owed.is_none();
        state.load.entries == 0 && state.load.deferred > 0 && idle
    }

    /// Takes the oldest chunk; `None` when a wake came too late to find anything.
    pub fn drain(&self) -> Option<Drained> {
        let (chunk, more) = {
            let mut state = self.lock();
            let chunk = state.take();
            state.armed = !state.chunks.is_empty() || state.owed.is_some();
            (chunk, state.armed)
        };
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
        let mut state = self.lock();
        if state.chunks.back().is_some_and(Chunk::has_gate) {
            state.sealed = true;
        }
    }

    /// The event loop has handled all that it has taken. Returns the number of the first chunk with a
    /// gate that it has not.
    pub fn handled(&self) -> Option<u64> {
        let mut state = self.lock();
        state.in_hands = None;
        state.first_gate()
    }

    /// The number of the chunk that was begun last.
    #[cfg(test)]
    pub fn last_chunk(&self) -> u64 {
        self.lock().last
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
        match self.limits.overflow {
            Overflow::Wait => !self.lock().is_full(self.limits),
            Overflow::Disconnect => !self.lock().is_overrun(self.limits),
            Overflow::DropOldest | Overflow::DropNewest => true,
        }
    }

    /// Whether its readers are to disconnect.
    pub fn is_overrun(&self) -> bool {
        self.limits.overflow == Overflow::Disconnect && !self.has_capacity()
    }

    /// What was dropped since this was last asked.
    pub fn take_dropped(&self) -> Option<Dropped> {
        self.lock().dropped.take()
    }

    /// How many messages wait, and the bytes of memory of all that waits.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.load.messages, state.load.bytes + state.load.deferred_bytes)
    }

    fn lock(&self) -> impl std::ops::DerefMut<Target = State> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Memory is kept for this many chunks of deferred messages.
    const MAX_SPARE: usize = 8;

    /// Whether a wake is due.
    fn arm(&mut self) -> bool {
        let due = !self.chunks.is_empty() || self.owed.is_some();
        due && !std::mem::replace(&mut self.armed, true)
    }

    /// Ends the last chunk; returns the number of the next one.
    const fn seal(&mut self) -> u64 {
        self.sealed = true;
        let next = self.last + 1;
        self.owed = Some(next);
        next
    }

    fn last_gate(&self) -> Option<u64> {
        if self.load.gates == 0 {
            return self.in_hands;
        }
        self.chunks.iter().rev().find(|chunk| chunk.has_gate()).map(|chunk| chunk.number)
    }

    fn first_gate(&self) -> Option<u64> {
        if self.load.gates == 0 {
            return self.in_hands;
        }
        self.chunks.iter().find(|chunk| chunk.has_gate()).map(|chunk| chunk.number)
    }

    /// Keeps memory for what is deferred next.
    fn reuse(&mut self, memory: Deferred) {
        if memory.memory() > 0 && self.spare.len() < Self::MAX_SPARE {
            self.spare.push(memory);
        }
    }

    const fn is_full(&self, limits: Limits) -> bool {
        self.load.messages >= limits.messages || self.load.bytes >= limits.bytes
    }

    /// Full, and from then on until it is half empty: else a reader would come back for a moment.
    const fn is_overrun(&mut self, limits: Limits) -> bool {
        let low = self.load.messages <= limits.messages / 2 && self.load.bytes <= limits.bytes / 2;
        self.overrun = self.is_full(limits) || (self.overrun && !low);
        self.overrun
    }

    fn append(&mut self, entry: &impl Entry, limits: Limits, chunks: ChunkLimits) {
        if entry.role() != Role::Answer {
            match limits.overflow {
                Overflow::DropOldest => self.make_capacity(entry, limits),
                Overflow::DropNewest if self.is_full(limits) => {
                    let now = SystemTime::now();
                    return self.note_dropped(1, now, now);
                }
                Overflow::Wait | Overflow::Disconnect | Overflow::DropNewest => {}
            }
        }
        // What may be dropped must stand apart from what may not.
        let apart = limits.overflow == Overflow::DropOldest;
        let is_message = entry.role() != Role::Answer;
        self.change_last(
            |chunk| {
                chunk.has_capacity_for(entry, chunks)
                    && (!apart || chunk.entries == 0 || (chunk.messages > 0) == is_message)
            },
            |chunk| chunk.push(entry),
        );
        if apart && is_message {
            self.drop_excess(limits);
        }
    }

    /// Changes the last chunk, or a new one where that does not fit.
    fn change_last(&mut self, fits: impl Fn(&Chunk) -> bool, change: impl FnOnce(&mut Chunk)) {
        // When the last chunk has been dropped, the one before must not take its place.
        let is_last = |chunk: &&Chunk| chunk.number == self.last && !self.sealed;
        if !self.chunks.back().filter(is_last).is_some_and(fits) {
            self.sealed = false;
            self.last += 1;
            let chunk = Chunk::with_memory_of(self.last, self.spare.pop().unwrap_or_default());
            self.load += Load::of(&chunk);
            self.chunks.push_back(chunk);
        }
        if let Some(chunk) = self.chunks.back_mut() {
            self.load -= Load::of(chunk);
            change(chunk);
            self.load += Load::of(chunk);
        }
    }

    /// Drops the oldest messages until `entry` fits. One message always may wait, however large.
    fn make_capacity(&mut self, entry: &impl Entry, limits: Limits) {
        while self.load.messages > 0
            && (self.load.messages + 1 > limits.messages
                || self.load.bytes + entry.size() > limits.bytes)
        {
            self.drop_oldest();
        }
    }

    /// Drops the oldest messages but those of the last chunk, whose memory has grown by more than the
    /// entry.
    fn drop_excess(&mut self, limits: Limits) {
        while self.load.bytes > limits.bytes
            && self.chunks.back().is_some_and(|last| last.messages < self.load.messages)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(at) = self.chunks.iter().position(|chunk| chunk.messages > 0) else { return };
        let Some(chunk) = self.chunks.remove(at) else { return };
        self.load -= Load::of(&chunk);
        chunk.deferred().discard();
        let until = self.chunks.get(at).map_or_else(SystemTime::now, |next| next.started);
        self.note_dropped(chunk.messages as u64, chunk.started, until);
    }

    fn note_dropped(&mut self, count: u64, since: SystemTime, until: SystemTime) {
        let dropped = Dropped { count, since, until };
        self.dropped = Some(self.dropped.map_or(dropped, |all| all.and(dropped)));
    }

    /// Takes the oldest chunk that holds anything, or something to decide about. Chunks of
    /// messages that are not for this process go at once: to come back for each would cost more.
    fn take(&mut self) -> Option<Chunk> {
        let taken = self.take_oldest();
        let reached = taken.as_ref().map_or(u64::MAX, |chunk| chunk.number);
        self.owed = self.owed.filter(|owed| *owed > reached);
        self.in_hands = taken.as_ref().filter(|chunk| chunk.has_gate()).map(|chunk| chunk.number);
        taken
    }

    fn take_oldest(&mut self) -> Option<Chunk> {
        while let Some(mut chunk) = self.chunks.pop_front() {
            self.load -= Load::of(&chunk);
            let memory = chunk.discard_unchanged();
            let is_empty = chunk.entries == 0 && chunk.deferred().is_empty();
            self.reuse(memory);
            if !is_empty {
                return Some(chunk);
            }
        }
        None
    }
}
