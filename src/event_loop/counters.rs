//! What a store counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters behind `store.stats()`. Each only grows; but what a server had confirmed that was the
/// master no more moves from `published` to `unconfirmed`.
#[derive(Debug, Default)]
pub struct Counters {
    /// Publishes that Redis confirmed.
    pub published: AtomicU64,
    /// Messages that arrived on a subscribed channel.
    pub received: AtomicU64,
    /// Messages that were put into the mailbox.
    pub delivered: AtomicU64,
    /// Broadcasts that were written to native sockets, be they for JavaScript too.
    pub delivered_natively: AtomicU64,
    /// To how many sockets, all in all.
    pub native_writes: AtomicU64,
    /// Messages of our own that came back and were dropped.
    pub filtered_own: AtomicU64,
    /// Broadcasts of Socket.IO 4 for rooms that have no socket here.
    pub filtered_rooms: AtomicU64,
    /// Broadcasts of Socket.IO 4 for another namespace, on a channel that looks like ours.
    pub filtered_namespaces: AtomicU64,
    /// Responses of Socket.IO 4 that arrived while this server had asked for none.
    pub filtered_responses: AtomicU64,
    /// Messages that were dropped because the mailbox was full.
    pub overflowed: AtomicU64,
    /// Messages that could not be understood.
    pub malformed: AtomicU64,
    /// Publishes and commands that never left, because the queue was full or the store closed.
    pub dropped: AtomicU64,
    /// Publishes written to a connection that broke before Redis answered: delivered or lost.
    pub unconfirmed: AtomicU64,
    /// Panics of tasks and consumers: bugs of this package.
    pub internal_errors: AtomicU64,
    /// Connections that came back after an outage.
    pub reconnects: AtomicU64,
}

impl Counters {
    /// Adds one to `counter`. Relaxed: figures for people, nothing is ordered by them.
    pub fn count(counter: &AtomicU64) {
        Self::add(counter, 1);
    }

    /// Adds `many` to `counter`.
    pub fn add(counter: &AtomicU64, many: u64) {
        counter.fetch_add(many, Ordering::Relaxed);
    }

    /// Takes `many` off `counter`.
    pub fn take(counter: &AtomicU64, many: u64) {
        counter.fetch_sub(many, Ordering::Relaxed);
    }

    /// What `counter` stands at.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
