//! Native WebSocket connections: frames in, ordered queues out.
//!
//! ```text
//!   event loop ─ commands ─┐                         ┌─▶ socket, socket, …
//!                          ├─▶ a shard's queue ─▶ shard (one thread)
//!   session ── broadcasts ─┘                         └─▶ mailbox ─▶ event loop
//! ```
//!
//! A connection belongs to one shard for life, and that thread alone touches it, so no lock is on the
//! way of a write. The order of commands in the shard's queue is the order of a connection's writes.

mod command;
#[cfg(unix)]
mod connection;
mod connections;
mod entry;
mod fanout;
mod frame;
mod heads;
mod inbox;
mod receive;
mod rooms;
#[cfg(unix)]
mod shard;
mod waiting;

pub use self::connections::{Adoption, ConnectionId, Connections, Options};
pub(crate) use self::entry::entry_kind;
#[cfg(test)]
pub(crate) use self::fanout::Writer;
pub use self::fanout::{Broadcast, Fanout, Reached};
pub use self::frame::append_frame_head;
pub(crate) use self::frame::{binary_frame, control_frame, message_frames, opcode, text_frame};
pub use self::rooms::{Audience, MemberId};
pub use self::waiting::Waiting;
