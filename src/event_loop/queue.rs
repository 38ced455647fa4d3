//! The chunks of a mailbox: their order, which of them are dropped, and when a wake is due.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::chunk::{Chunk, ChunkLimits, Entry, Role};
use super::deferred::{Deferred, Filter};
use super::dropped::Dropped;
use super::load::Load;

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

/// Chunks in their order, of which the oldest is taken first.
pub(super) struct Queue {
    limits: Limits,
    chunk_limits: ChunkLimits,
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

impl Queue {
    /// A chunk is full at this many entries; more would keep the event loop from its other work.
    const CHUNK_ENTRIES: usize = 256;
    const CHUNK_BYTES: usize = 256 * 1024;
    /// A chunk holds at most this part of what may wait, since a full mailbox drops whole chunks.
    const CHUNK_PART: usize = 64;
    /// Messages that may be deferred; a turn of the event loop seldom brings as many.
    const DEFERRED: usize = 10_000;
    const DEFERRED_BYTES: usize = 8 * 1024 * 1024;
    /// Memory is kept for this many chunks of deferred messages.
    const MAX_SPARE: usize = 8;

    /// An empty one.
    pub(super) fn new(limits: Limits) -> Self {
        let part = |limit: usize, most: usize| (limit / Self::CHUNK_PART).clamp(1, most);
        let chunk_limits = ChunkLimits {
            entries: part(limits.messages, Self::CHUNK_ENTRIES),
            bytes: part(limits.bytes, Self::CHUNK_BYTES),
        };
        Self {
            limits,
            chunk_limits,
            chunks: VecDeque::new(),
            load: Load::default(),
            spare: Vec::new(),
            dropped: None,
            overrun: false,
            armed: false,
            last: 0,
            sealed: false,
            owed: None,
            in_hands: None,
        }
    }

    /// Appends an entry, and drops what this is too much for.
    pub(super) fn append(&mut self, entry: &impl Entry) {
        let is_message = entry.role() != Role::Answer;
        let overflow = self.limits.overflow;
        if is_message && overflow == Overflow::DropNewest && self.is_full() {
            let now = SystemTime::now();
            return self.note_dropped(1, now, now);
        }
        // What may be dropped must stand apart from what may not.
        let apart = overflow == Overflow::DropOldest;
        if is_message && apart {
            self.make_capacity(entry);
        }
        let limits = self.chunk_limits;
        self.change_last(
            |chunk| {
                chunk.has_capacity_for(entry, limits)
                    && (!apart || chunk.entries == 0 || (chunk.messages > 0) == is_message)
            },
            |chunk| chunk.push(entry),
        );
        if is_message && apart {
            self.drop_excess();
        }
    }

    /// Appends a message of which `filter` decides. Whether it fits.
    pub(super) fn defer(
        &mut self,
        filter: &Arc<dyn Filter>,
        generation: u64,
        channel: &[u8],
        payload: &[u8],
    ) -> bool {
        let fits = self.load.deferred < Self::DEFERRED
            && self.load.deferred_bytes < Self::DEFERRED_BYTES.min(self.limits.bytes);
        if fits {
            let limits = self.chunk_limits;
            self.change_last(
                |chunk| chunk.may_defer(limits),
                |chunk| chunk.defer(filter, generation, channel, payload),
            );
        }
        fits
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
    fn make_capacity(&mut self, entry: &impl Entry) {
        while self.load.messages > 0
            && (self.load.messages + 1 > self.limits.messages
                || self.load.bytes + entry.size() > self.limits.bytes)
        {
            self.drop_oldest();
        }
    }

    /// Drops the oldest messages but those of the last chunk, whose memory has grown by more than the
    /// entry.
    fn drop_excess(&mut self) {
        while self.load.bytes > self.limits.bytes
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

    /// What was dropped since this was last asked.
    pub(super) const fn take_dropped(&mut self) -> Option<Dropped> {
        self.dropped.take()
    }

    /// Takes the oldest chunk that holds anything, or something to decide about; and says whether the
    /// event loop must come again.
    pub(super) fn take(&mut self) -> (Option<Chunk>, bool) {
        let taken = self.take_oldest();
        let reached = taken.as_ref().map_or(u64::MAX, |chunk| chunk.number);
        self.owed = self.owed.filter(|owed| *owed > reached);
        self.in_hands = taken.as_ref().filter(|chunk| chunk.has_gate()).map(|chunk| chunk.number);
        self.armed = self.is_due();
        (taken, self.armed)
    }

    /// Chunks of messages that are not for this process go at once: to come back for each would cost
    /// more.
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

    /// Keeps memory for what is deferred next.
    fn reuse(&mut self, memory: Deferred) {
        if memory.memory() > 0 && self.spare.len() < Self::MAX_SPARE {
            self.spare.push(memory);
        }
    }

    /// Whether the event loop is to be woken now: it is told once.
    pub(super) fn arm(&mut self) -> bool {
        self.is_due() && !std::mem::replace(&mut self.armed, true)
    }

    fn is_due(&self) -> bool {
        !self.chunks.is_empty() || self.owed.is_some()
    }

    /// Ends the last chunk; returns the number of the next one, to which the event loop is to come.
    pub(super) const fn seal(&mut self) -> u64 {
        self.sealed = true;
        let next = self.last + 1;
        self.owed = Some(next);
        next
    }

    /// Ends the last chunk if there is a gate in it.
    pub(super) fn seal_gate(&mut self) {
        if self.chunks.back().is_some_and(Chunk::has_gate) {
            self.sealed = true;
        }
    }

    /// The number of the last chunk with a gate that the event loop has not handled.
    pub(super) fn last_gate(&self) -> Option<u64> {
        if self.load.gates == 0 {
            return self.in_hands;
        }
        self.chunks.iter().rev().find(|chunk| chunk.has_gate()).map(|chunk| chunk.number)
    }

    /// The event loop has handled all that it has taken. Returns the number of the first chunk with a
    /// gate that it has not.
    pub(super) fn handled(&mut self) -> Option<u64> {
        self.in_hands = None;
        if self.load.gates == 0 {
            return None;
        }
        self.chunks.iter().find(|chunk| chunk.has_gate()).map(|chunk| chunk.number)
    }

    /// Whether all that waits is deferred, and the event loop is not yet on its way for it.
    pub(super) const fn is_only_deferred(&self) -> bool {
        let is_idle = !self.armed && self.owed.is_none();
        self.load.entries == 0 && self.load.deferred > 0 && is_idle
    }

    /// Whether as much waits as may.
    pub(super) const fn is_full(&self) -> bool {
        self.load.messages >= self.limits.messages || self.load.bytes >= self.limits.bytes
    }

    /// Full, and from then on until it is half empty: else a reader would come back for a moment.
    pub(super) const fn is_overrun(&mut self) -> bool {
        let Limits { messages, bytes, .. } = self.limits;
        let low = self.load.messages <= messages / 2 && self.load.bytes <= bytes / 2;
        self.overrun = self.is_full() || (self.overrun && !low);
        self.overrun
    }

    /// How many messages wait, and the bytes of memory of all that waits.
    pub(super) const fn depth(&self) -> (usize, usize) {
        (self.load.messages, self.load.bytes + self.load.deferred_bytes)
    }

    /// The number of the chunk that was begun last.
    #[cfg(test)]
    pub(super) const fn last_chunk(&self) -> u64 {
        self.last
    }
}
