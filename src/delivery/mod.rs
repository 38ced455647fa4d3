//! What crosses to the event loop, and how: entries packed into chunks, in a bounded mailbox.

mod chunk;
mod counters;
mod event;
mod mailbox;

/// The primitives of the mailbox, named here so that a model test can put loom's in their place.
mod sync {
    pub use std::sync::{Mutex, PoisonError};
    pub use tokio::sync::Notify;
}

pub use chunk::{Broadcast, Chunk, Entry, Reply};
pub use counters::Counters;
pub use event::{Event, Link, LinkState, ms};
pub use mailbox::{Drained, Limits, Mailbox, Overflow, Wake};
