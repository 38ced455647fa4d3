//! What arrives from connections, on its way to the event loop.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::entry::Incoming;
use crate::event_loop::{Drained, Mailbox};

/// What is counted of connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Connections that are open.
    pub(crate) open: AtomicUsize,
    /// Frames that were given to connections.
    pub(crate) sent: AtomicU64,
    /// Bytes that the kernel has taken.
    pub(crate) sent_bytes: AtomicU64,
    /// Writes that the kernel was asked for.
    pub(crate) writes: AtomicU64,
    /// Messages that arrived.
    pub(crate) received: AtomicU64,
    /// Bytes that arrived.
    pub(crate) received_bytes: AtomicU64,
    /// Connections that were closed since they took too little.
    pub(crate) slow: AtomicU64,
    /// Connections that were closed for a broken rule.
    pub(crate) violations: AtomicU64,
    /// Volatile frames that were left out.
    pub(crate) volatile_dropped: AtomicU64,
    /// Panics of shards: bugs of this package.
    pub(crate) internal_errors: AtomicU64,
}

/// The mailbox of all connections, and what is counted of them.
pub(super) struct Inbox {
    mailbox: Mailbox,
    // Whether a shard has stopped reading since the mailbox is full.
    starved: AtomicBool,
    pub(super) counters: Traffic,
}

impl Inbox {
    pub(super) fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, starved: AtomicBool::default(), counters: Traffic::default() }
    }

    /// Appends an entry; [`Self::wake`] follows at the end of a shard's turn.
    pub(super) fn append(&self, entry: &Incoming<'_>) {
        self.mailbox.append(entry);
    }

    /// Wakes the event loop if there is something for it.
    pub(super) fn wake(&self) {
        self.mailbox.wake();
    }

    /// Whether a shard may read on; if not, it is to be woken after a drain.
    pub(super) fn has_capacity(&self) -> bool {
        if self.mailbox.has_capacity() {
            return true;
        }
        self.starved.store(true, Ordering::SeqCst);
        // The drain that makes room may have come in between.
        self.mailbox.has_capacity()
    }

    /// Takes what is there for the event loop, and says whether shards wait to read on.
    pub(super) fn drain(&self) -> (Option<Drained>, bool) {
        let drained = self.mailbox.drain();
        let resume = self.mailbox.has_capacity() && self.starved.swap(false, Ordering::SeqCst);
        (drained, resume)
    }

    pub(super) fn depth(&self) -> (usize, usize) {
        self.mailbox.depth()
    }
}
