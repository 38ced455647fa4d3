//! What crosses to the event loop, and how: entries packed into chunks, in a bounded mailbox.

mod chunk;
mod counters;
mod deferred;
mod dropped;
mod event;
mod load;
mod mailbox;
pub mod optional_bool;
mod queue;
mod reply;

/// The primitives of the mailbox, named here so that a model test can put loom's in their place.
mod sync {
    pub use std::sync::{Mutex, PoisonError};
    pub use tokio::sync::Notify;
}

/// The longest string of JavaScript, in UTF-16 units; no text of as many bytes has more.
pub(crate) const MAX_STRING: usize = (1 << 29) - 24;

pub use chunk::{Chunk, Entry, Role};
pub(crate) use chunk::{EVENT, REPLY};
pub(crate) use counters::Counters;
pub use deferred::Filter;
pub use dropped::Dropped;
pub(crate) use event::{ConnectionState, Link, LinkState, ms};
pub use event::{Event, Trimmed};
pub use mailbox::{Drained, Mailbox, Waker};
pub use queue::{Limits, Overflow};
pub(crate) use reply::reply_kind;
pub use reply::{Outcome, Reply};
