//! A chunk: what one drain hands to the event loop.
//!
//! All text of all entries stands in one byte buffer; the index says, in `u32` words, where each
//! entry ends and what it is. So a batch crosses N-API as two objects, whatever it holds.

use std::sync::Arc;
use std::time::SystemTime;

use super::deferred::{Deferred, Filter};

/// The first word of a [`Reply`] in the index; `reply.rs` lists the words that follow.
pub const REPLY: u32 = 0;
/// The first word of an event in the index. Then: length.
pub const EVENT: u32 = 1;

/// What may happen to an entry, and because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A reply or an event: always fits.
    Answer,
    /// A message from a channel.
    Message,
    /// A message that may have the application join rooms: the rooms of what follows are not known
    /// before the event loop has handled it.
    Gate,
}

/// One thing for the event loop, which writes itself into a chunk.
pub trait Entry {
    /// What may happen to it.
    fn role(&self) -> Role;
    /// About how many bytes it takes in a chunk.
    fn size(&self) -> usize;
    /// Appends its words and bytes; the first word is its kind.
    fn write(&self, chunk: &mut Chunk);
}

/// When a chunk is full. A larger entry gets a chunk of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// More entries would keep the event loop from its other work.
    pub entries: usize,
    /// Bytes.
    pub bytes: usize,
}

/// Packed entries, and in their place those of which the drain decides whether they are for this
/// process.
#[derive(Debug)]
pub struct Chunk {
    /// Its number in its mailbox: each chunk has a greater one than those before it.
    pub number: u64,
    /// The text of all entries, one behind the other.
    pub bytes: Vec<u8>,
    /// Whether there is a byte in its text that is not ASCII; if not, JavaScript can copy it faster.
    pub wide: bool,
    /// The words that take `bytes` apart.
    pub index: Vec<u32>,
    /// How many entries there are.
    pub entries: usize,
    /// How many of them are messages (and not replies or events).
    pub messages: usize,
    /// When the first entry arrived.
    pub started: SystemTime,
    has_gate: bool,
    deferred: Deferred,
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            number: 0,
            bytes: Vec::new(),
            wide: false,
            index: Vec::new(),
            entries: 0,
            messages: 0,
            started: SystemTime::now(),
            has_gate: false,
            deferred: Deferred::default(),
        }
    }
}

impl Chunk {
    /// Whether `entry` fits without making the chunk larger than one drain should be.
    #[must_use]
    pub fn has_capacity_for(&self, entry: &impl Entry, limits: ChunkLimits) -> bool {
        self.entries == 0
            || (self.entries < limits.entries && self.bytes.len() + entry.size() <= limits.bytes)
    }

    /// Appends `entry`.
    pub fn push(&mut self, entry: &impl Entry) {
        self.entries += 1;
        self.messages += usize::from(entry.role() != Role::Answer);
        self.has_gate |= entry.role() == Role::Gate;
        entry.write(self);
    }

    /// Whether a message may be deferred here: never behind a gate, since the drain decides before
    /// the event loop has handled the gate; and no more than one drain should decide about.
    #[must_use]
    pub fn may_defer(&self, limits: ChunkLimits) -> bool {
        !self.has_gate
            && self.deferred.len() < limits.entries
            && self.deferred.memory() < limits.bytes
    }

    /// Appends a message of which `filter` decides at the drain; it was not for this process when
    /// the generation of `filter` was `generation`.
    pub fn defer(
        &mut self,
        filter: &Arc<dyn Filter>,
        generation: u64,
        channel: &[u8],
        payload: &[u8],
    ) {
        let place = (self.index.len(), self.bytes.len());
        self.deferred.push(filter, generation, place, channel, payload);
    }

    /// Whether it holds a gate.
    #[must_use]
    pub const fn has_gate(&self) -> bool {
        self.has_gate
    }

    /// What waits in it for a decision.
    #[must_use]
    pub const fn deferred(&self) -> &Deferred {
        &self.deferred
    }

    /// An empty chunk that defers into memory that has been used before.
    #[must_use]
    pub fn with_memory_of(number: u64, deferred: Deferred) -> Self {
        Self { number, deferred, ..Self::default() }
    }

    /// Discards what is deferred, unless a filter may decide otherwise now. Returns the memory of
    /// what is discarded, empty.
    #[must_use]
    pub fn discard_unchanged(&mut self) -> Deferred {
        if !self.deferred.discard_unchanged() {
            return Deferred::default();
        }
        let mut memory = std::mem::take(&mut self.deferred);
        memory.clear();
        memory
    }

    /// Decides about what is deferred: discards it, or puts it where it stands in the order.
    #[must_use]
    pub fn decided(mut self) -> Self {
        let deferred = std::mem::take(&mut self.deferred);
        if deferred.is_empty() { self } else { self.with(&deferred) }
    }

    /// The same chunk with what is deferred where it stands in the order.
    fn with(&self, deferred: &Deferred) -> Self {
        let mut whole = Self { number: self.number, started: self.started, ..Self::default() };
        let mut done = (0, 0);
        for message in deferred.messages() {
            whole.append_part(self, done, message.place);
            message.filter.decide(message.channel, message.payload, &mut whole);
            done = message.place;
        }
        whole.append_part(self, done, (self.index.len(), self.bytes.len()));
        whole.entries += self.entries;
        whole.messages += self.messages;
        whole
    }

    /// The words of an entry are lengths, so a part of a chunk means the same in another one.
    fn append_part(&mut self, from: &Self, start: (usize, usize), end: (usize, usize)) {
        self.wide |= from.wide;
        self.index.extend_from_slice(from.index.get(start.0..end.0).unwrap_or_default());
        self.bytes.extend_from_slice(from.bytes.get(start.1..end.1).unwrap_or_default());
    }

    /// The memory that it holds, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.index.capacity() * size_of::<u32>() + size_of::<Self>()
    }

    /// Appends words, and after them the lengths of parts of text.
    pub fn put(&mut self, head: &[u32], parts: &[&[u8]]) {
        self.wide |= !parts.iter().all(|part| part.is_ascii());
        self.put_binary(head, parts);
    }

    /// The same for bytes that JavaScript does not read as text.
    pub fn put_binary(&mut self, head: &[u32], parts: &[&[u8]]) {
        self.index.extend_from_slice(head);
        for part in parts {
            // Redis limits a message to 512 MB, and JavaScript a string.
            self.index.push(u32::try_from(part.len()).unwrap_or(u32::MAX));
            self.bytes.extend_from_slice(part);
        }
    }
}
