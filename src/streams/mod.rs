//! Redis Streams: reads what is added to them, each entry once, from where reading stopped.

mod entry;
mod id;
mod positions;
mod reader;
mod recent;
mod registry;

pub use entry::{Entry, entries, extent};
pub use id::Id;
pub use reader::{ReadOptions, Reader};
pub use recent::{Kept, Recent};
pub use registry::{EntryConsumer, Registry};
