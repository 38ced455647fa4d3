//! What a shard is asked to do, in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ConnectionId;
use super::connections::Adopted;
use super::frame::Frames;

/// One thing to do.
pub(super) enum Command {
    /// Owns a connection from now on.
    Adopt(Box<Adopted>),
    /// Writes frames to a connection. A ticket other than 0 is reported once the kernel has them.
    Send { id: ConnectionId, frames: Frames, ticket: u32 },
    /// Writes frames to connections.
    Broadcast(Broadcast),
    /// Closes a connection once all before is written; code 0 stands for none.
    Close { id: ConnectionId, code: u16, reason: String },
    /// Ends a connection once all before is written, and these bytes, which are no frames.
    Abort(ConnectionId, Frames),
    /// Ends a connection at once.
    Terminate(ConnectionId),
    /// Reads no more (as a connection begins), or again.
    Pause(ConnectionId, bool),
    /// Holds broadcasts that may be held, until this is undone.
    Cork(ConnectionId),
    /// Undoes the oldest of these.
    Uncork(ConnectionId),
    /// The mailbox has room again.
    Read,
    /// Closes all, and ends the thread.
    End,
    /// Fails in the middle of a turn.
    #[cfg(test)]
    Panic,
}

/// Frames for many connections.
pub(super) struct Broadcast {
    pub(super) targets: Vec<ConnectionId>,
    pub(super) frames: Frames,
    /// Left out where something else has not been written yet.
    pub(super) volatile: bool,
    /// Waits where the connection is corked.
    pub(super) held_if_corked: bool,
}

/// The commands for one shard, in order.
pub(super) struct Commands {
    // A plain mutex: held for a push or a swap, never across a system call.
    waiting: Mutex<VecDeque<Command>>,
    // Whether there are any; changed within the lock.
    any: AtomicBool,
    asleep: AtomicBool,
    waker: mio::Waker,
}

impl Commands {
    pub(super) fn new(waker: mio::Waker) -> Self {
        let (waiting, any, asleep) = Default::default();
        Self { waiting, any, asleep, waker }
    }

    /// Appends a command; [`Self::wake`] follows.
    pub(super) fn push(&self, command: Command) {
        let mut waiting = self.lock();
        waiting.push_back(command);
        self.any.store(true, Ordering::SeqCst);
    }

    /// Wakes the shard if there is something for it and it sleeps.
    pub(super) fn wake(&self) {
        if self.any.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            // It fails only when the descriptors are exhausted; the shard looks again by itself.
            let _ = self.waker.wake();
        }
    }

    /// Swaps all that waits into `taken`, which is empty.
    pub(super) fn take(&self, taken: &mut VecDeque<Command>) {
        let mut waiting = self.lock();
        std::mem::swap(&mut *waiting, taken);
        self.any.store(false, Ordering::SeqCst);
    }

    /// The shard is about to sleep. `false` when something waits: then it must not.
    pub(super) fn may_sleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        let is_empty = self.lock().is_empty();
        if !is_empty {
            self.asleep.store(false, Ordering::SeqCst);
        }
        is_empty
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Command>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard is awake.
    pub(super) fn awake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }
}
