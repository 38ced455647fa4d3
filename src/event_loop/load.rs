//! How much chunks hold.

use std::ops::{AddAssign, SubAssign};

use super::chunk::Chunk;

/// What chunks hold.
#[derive(Default, Clone, Copy)]
pub(super) struct Load {
    pub(super) entries: usize,
    pub(super) messages: usize,
    // Memory of the chunks, without what is deferred.
    pub(super) bytes: usize,
    pub(super) deferred: usize,
    pub(super) deferred_bytes: usize,
    // Chunks with a gate.
    pub(super) gates: usize,
}

impl Load {
    pub(super) fn of(chunk: &Chunk) -> Self {
        Self {
            entries: chunk.entries,
            messages: chunk.messages,
            bytes: chunk.memory(),
            deferred: chunk.deferred().len(),
            deferred_bytes: chunk.deferred().memory(),
            gates: usize::from(chunk.has_gate()),
        }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.deferred += other.deferred;
        self.deferred_bytes += other.deferred_bytes;
        self.gates += other.gates;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Self) {
        self.entries -= other.entries;
        self.messages -= other.messages;
        self.bytes -= other.bytes;
        self.deferred -= other.deferred;
        self.deferred_bytes -= other.deferred_bytes;
        self.gates -= other.gates;
    }
}
