//! Bytes on Redis ↔ the model. Pure functions: nothing here reads or writes a socket.
//!
//! Every walk over nested data is a loop with a stack of its own, so that no payload can exhaust
//! the stack of the thread that reads it.

pub mod classic;
mod error;
mod json;
mod msgpack;
pub mod store09;

pub use error::{EncodeError, Malformed};

/// How many arrays and objects may be nested in one payload, the envelope included.
pub const MAX_DEPTH: usize = 512;
